// libvirt's typed parameters as a hostile daemon may send them. Pure functions. Thread-safe.
#pragma once

#include <libvirt/libvirt.h>

#include <cstdint>
#include <cstring>
#include <string_view>

namespace virtmeter {

// The field is an array that could be left without its end.
inline std::string_view key_of(const virTypedParameter& param) {
  return {param.field, strnlen(param.field, VIR_TYPED_PARAM_FIELD_LENGTH)};
}

// Negative numbers and other types are no counters: they become values out of range.
inline std::uint64_t as_unsigned(const virTypedParameter& param) {
  constexpr std::uint64_t kNotANumber = UINT64_MAX;
  switch (param.type) {
    case VIR_TYPED_PARAM_INT:
      return param.value.i < 0 ? kNotANumber : static_cast<std::uint64_t>(param.value.i);
    case VIR_TYPED_PARAM_UINT:
      return param.value.ui;
    case VIR_TYPED_PARAM_LLONG:
      return param.value.l < 0 ? kNotANumber : static_cast<std::uint64_t>(param.value.l);
    case VIR_TYPED_PARAM_ULLONG:
      return param.value.ul;
    case VIR_TYPED_PARAM_BOOLEAN:
      return param.value.b != 0 ? 1 : 0;
    default:
      return kNotANumber;
  }
}

}  // namespace virtmeter
