// A bulk record from a hostile libvirt: lines of key=value, where what is no number is a string. Filling a
// sample from it stays inside the sample, and a plan made of it fills the same.
#include <charconv>
#include <string>
#include <vector>

#include "input.h"
#include "source/libvirt/record_plan.h"

namespace virtmeter {
namespace {

// `value` must outlive the parameter.
virTypedParameter param_of(std::string_view key, std::string& value) {
  virTypedParameter param{};
  // All of the array where the key is too long: libvirt's end of string is then missing.
  key.copy(static_cast<char*>(param.field), VIR_TYPED_PARAM_FIELD_LENGTH);
  param.type = VIR_TYPED_PARAM_ULLONG;
  const auto read = std::from_chars(value.data(), value.data() + value.size(), param.value.ul);
  if (read.ec == std::errc{} && read.ptr == value.data() + value.size()) return param;
  param.type = VIR_TYPED_PARAM_STRING;
  param.value.s = value.data();
  return param;
}

template <Scope S>
void require_same(const Values<S>& a, const Values<S>& b) {
  for (MetricId id = Values<S>::kRows.first; id < Values<S>::kRows.end; ++id) {
    if (a.absence(id) != b.absence(id) || a.integer(id) != b.integer(id)) __builtin_trap();
  }
}

void fill_from(std::string_view text) {
  const std::vector<std::string_view> lines = fuzz::split(text, '\n', 1000);
  std::vector<std::string> values(lines.size());
  std::vector<virTypedParameter> params;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::size_t equals = lines[i].find('=');
    if (equals != std::string_view::npos) values[i] = lines[i].substr(equals + 1);
    params.push_back(param_of(lines[i].substr(0, equals), values[i]));
  }
  auto layout = std::make_shared<VmLayout>();
  layout->nics = {"vnet0", "vnet1"};
  layout->disks = {"vda"};
  VmSample vm;
  vm.layout = layout;
  vm.nics.resize(2);
  vm.disks.resize(1);
  const BulkRecord record(params);
  VmSample planned = vm;
  record.fill(vm);
  const RecordPlan plan(RecordShape::of(params, record), record, *layout);
  if (plan.matches(params)) {
    plan.fill(params, planned);
    require_same(vm.values, planned.values);
    for (std::size_t i = 0; i < vm.nics.size(); ++i) require_same(vm.nics[i], planned.nics[i]);
    for (std::size_t i = 0; i < vm.disks.size(); ++i) require_same(vm.disks[i], planned.disks[i]);
  }
  explain_after_bulk(record.groups(), vm);
  complete(vm);
}

}  // namespace
}  // namespace virtmeter

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  virtmeter::fill_from(virtmeter::fuzz::text_of(data, size));
  return 0;
}
