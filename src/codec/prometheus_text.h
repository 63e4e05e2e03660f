// A Cycle as Prometheus text exposition 0.0.4, by the catalog. Each quantity that is read is one family, in
// base units (seconds, bytes), counters with _total. Series carry uuid, and name because it is what people
// query by; device where there is one; host where the cycle has one. The domain id stands on
// virtmeter_vm_info alone, for it changes with every start. A value that was not read has no sample. Sums
// over devices, copies and rates are not exported: Prometheus makes them itself, and a total beside its parts
// counts twice in a sum(). Pure functions. Thread-safe.
#pragma once

#include <string>
#include <string_view>

#include "model/cycle.h"

namespace virtmeter {

inline constexpr std::string_view kPrometheusContentType = "text/plain; version=0.0.4; charset=utf-8";

// Appends the families to `out`.
void encode_prometheus(const Cycle& cycle, std::string& out);

// The name of the family a row is exported as; empty: it is not.
std::string prometheus_name(MetricId id);

}  // namespace virtmeter
