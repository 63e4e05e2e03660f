#include "model/health.h"

#include <array>
#include <span>

namespace virtmeter {
namespace {

constexpr std::array<std::string_view, 5> kHealthNames = {"ok", "partial", "busy", "hung", "stale"};
constexpr std::array<std::string_view, 9> kReasonNames = {
    "none",         "no_answer",      "other_job",   "call_failed",   "no_statistics",
    "out_of_range", "no_device_list", "out_of_time", "too_many_calls"};

std::string_view name_in(std::span<const std::string_view> names, std::int64_t code) {
  const bool known = code >= 0 && code < static_cast<std::int64_t>(names.size());
  return known ? names[static_cast<std::size_t>(code)] : "unknown";
}

}  // namespace

std::string_view health_name(std::int64_t code) { return name_in(kHealthNames, code); }
std::string_view health_reason_name(std::int64_t code) { return name_in(kReasonNames, code); }

}  // namespace virtmeter
