// A kernel that knows of each VM what it is told to know. For tests.
#pragma once

#include <map>
#include <string>

#include "source/fast_reader.h"

namespace virtmeter::test {

class FakeFastReader final : public FastReader {
 public:
  static constexpr FastCoverage kAll = {true, true, true, true};

  // `clock` must outlive the reader.
  explicit FakeFastReader(const Clock& clock) : clock_(clock) {}

  std::map<std::string, FastCoverage> coverage;  // By name; kAll for those that are not in it.
  int reads = 0;

  void begin_cycle() override {}
  void end_cycle() override {}
  FastCoverage read(VmSample& sample) override {
    ++reads;
    const auto found = coverage.find(sample.layout->name);
    const FastCoverage covered = found == coverage.end() ? kAll : found->second;
    if (covered.cpu_time) {
      sample.values.set_integer(metric_id("vm_metrics.cputime_ns"), 100);
      sample.values.set_integer(metric_id("vm_totals.timeusr"), 60);
      sample.values.set_integer(metric_id("vm_totals.timesys"), 40);
    }
    if (covered.resident) sample.values.set_integer(metric_id("vm_totals.memrss"), 333);
    if (covered.cpu_count) sample.values.set_integer(metric_id("vm_metrics.cpu_count"), 2);
    for (std::size_t i = 0; covered.nics && i < sample.nics.size(); ++i) {
      for (MetricId id = NicValues::kRows.first; id < NicValues::kRows.end; ++id) {
        sample.nics[i].set_integer(id, 11);
      }
    }
    if (covered.cpu_time || covered.resident || covered.cpu_count || covered.nics) {
      sample.read_at = clock_.boot_now();
    }
    return covered;
  }

 private:
  const Clock& clock_;
};

}  // namespace virtmeter::test
