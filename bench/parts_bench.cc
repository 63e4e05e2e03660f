// Google Benchmark for the parts between reading and sending: derivation and line-protocol encoding.
#include <benchmark/benchmark.h>

#include <memory>
#include <string>

#include "codec/line_protocol.h"
#include "model/cycle.h"
#include "sampler/derive.h"

namespace virtmeter {
namespace {

std::shared_ptr<const VmLayout> layout_of(std::size_t number) {
  auto layout = std::make_shared<VmLayout>();
  for (std::size_t i = 0; i < 8; ++i) layout->uuid.bytes[i] = static_cast<std::uint8_t>(number >> (8 * i));
  layout->uuid_text = layout->uuid.text();
  layout->domain_id = static_cast<int>(number);
  layout->name = "instance-" + std::to_string(number);
  layout->nics = {"vnet" + std::to_string(2 * number), "vnet" + std::to_string(2 * number + 1)};
  layout->disks = {"vda", "vdb", "vdc"};
  return layout;
}

template <Scope S>
void fill(Values<S>& values, std::int64_t base) {
  for (MetricId id = Values<S>::kRows.first; id < Values<S>::kRows.end; ++id) {
    if (metric(id).type == Type::integer && metric(id).origin.how == How::read)
      values.set_integer(id, base + 977 * id);
  }
}

// 2 NICs and 3 disks a VM, counters of a machine that has run for weeks.
VmSample sample_of(const std::shared_ptr<const VmLayout>& layout, std::int64_t base, BootTime read_at) {
  VmSample vm;
  vm.layout = layout;
  set_read_at(vm, read_at);
  vm.nics.resize(layout->nics.size());
  vm.disks.resize(layout->disks.size());
  fill(vm.values, base);
  for (NicValues& nic : vm.nics) fill(nic, base);
  for (DiskValues& disk : vm.disks) fill(disk, base);
  complete(vm);
  return vm;
}

// Each VM has counters of its own, so that no two trends are alike when two cycles differ in `base`.
std::shared_ptr<Cycle> cycle_of(std::size_t vms, std::int64_t base) {
  auto cycle = std::make_shared<Cycle>();
  cycle->time = {1'700'000'000'000'000'000};
  for (std::size_t i = 0; i < vms; ++i)
    cycle->vms.push_back(sample_of(layout_of(i), base + base / 7919 * static_cast<std::int64_t>(i % 1000),
                                   BootTime{std::chrono::nanoseconds(base)}));
  return cycle;
}

enum class Trends : std::uint8_t { absent, present };

// As in a first cycle, and as in all later ones: a trend is a double of up to 17 digits.
void encode_lines(benchmark::State& state, Trends trends) {
  const auto vms = static_cast<std::size_t>(state.range(0));
  const auto cycle = cycle_of(vms, 10'000'000'000'000);
  if (trends == Trends::present) {
    const auto before = cycle_of(vms, 9'995'000'000'000);
    for (std::size_t i = 0; i < vms; ++i) derive_features(cycle->vms[i], before->vms[i]);
  }
  LineProtocolEncoder encoder({MissingPolicy::zero});
  std::string out;
  std::size_t lines = 0;
  std::size_t bytes = 0;
  for (auto _ : state) {
    out.clear();
    lines += encoder.encode(*cycle, out);
    bytes += out.size();
    benchmark::DoNotOptimize(out.data());
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(lines));
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes));
}
BENCHMARK_CAPTURE(encode_lines, first_cycle, Trends::absent)
    ->Arg(10)
    ->Arg(1000)
    ->Arg(10000)
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(encode_lines, later_cycle, Trends::present)
    ->Arg(10)
    ->Arg(1000)
    ->Arg(10000)
    ->Unit(benchmark::kMicrosecond);

void complete_cycle(benchmark::State& state) {
  const auto cycle = cycle_of(static_cast<std::size_t>(state.range(0)), 10'000'000'000'000);
  AbsenceCounts absences{};
  for (auto _ : state) {
    for (VmSample& vm : cycle->vms) {
      complete(vm);
      count_absences(vm, absences);
    }
    benchmark::DoNotOptimize(absences.data());
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * state.range(0)));
}
BENCHMARK(complete_cycle)->Arg(10)->Arg(100)->Arg(1000)->Arg(10000)->Unit(benchmark::kMicrosecond);

void derive_cycle(benchmark::State& state) {
  const auto vms = static_cast<std::size_t>(state.range(0));
  Deriver deriver(std::chrono::seconds(15));
  auto before = cycle_of(vms, 10'000'000'000'000);
  deriver.remember(before, BootTime{std::chrono::nanoseconds(10'000'000'000'000)});
  auto now = cycle_of(vms, 10'005'000'000'000);
  for (auto _ : state) {
    for (VmSample& vm : now->vms) deriver.derive(vm);
    benchmark::DoNotOptimize(now->vms.data());
    // Makes the place of the next VM the first again.
    deriver.remember(before, BootTime{std::chrono::nanoseconds(10'000'000'000'000)});
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * state.range(0)));
}
BENCHMARK(derive_cycle)->Arg(10)->Arg(100)->Arg(1000)->Arg(10000)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace virtmeter
