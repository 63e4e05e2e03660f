#include "source/replay/replay_source.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "base/text.h"
#include "source/replay/player.h"

namespace virtmeter {
namespace {

using std::chrono::nanoseconds;

// What is drawn for a VM. Devices have numbers of their own behind these.
enum class Draw : std::uint64_t {
  uuid_high,
  uuid_low,
  age,
  growth,
  restarts,
  plugs,
  nic = 1000,
  disk = 2000
};

constexpr std::chrono::hours kAgeMax{30 * 24};
constexpr double kGrowthMin = 0.25;

double growth_of(double drawn) { return kGrowthMin + (1 - kGrowthMin) * drawn; }

// The `place`th name that is not taken: "vda", and without letters left "vdx27".
std::string disk_name(const std::vector<std::string>& taken, std::size_t place) {
  constexpr std::size_t kLetters = 26;
  for (;; ++place) {
    std::string name = place < kLetters ? fmt::format("vd{:c}", static_cast<char>('a' + place))
                                        : fmt::format("vdx{}", place);
    if (std::find(taken.begin(), taken.end(), name) == taken.end()) return name;
  }
}

std::string nic_name(const std::vector<std::string>& taken, std::uint64_t vm, std::size_t place) {
  for (std::uint64_t number = vm * (ReplayOptions::kNicsMax + 1) + place;; ++number) {
    std::string name = fmt::format("vnet{}", number);
    if (std::find(taken.begin(), taken.end(), name) == taken.end()) return name;
  }
}

Result<std::string> read_whole(FileSystem& files, const std::string& path) {
  auto file = files.open(path, OpenMode::read);
  if (!file) {
    Error error = std::move(file).error();
    error.fix = "name a recording that virtmeter may read, by its whole path; a link is not followed";
    return error;
  }
  const Result<std::uint64_t> size = file.value()->size();
  if (!size) return size.error();
  if (*size > Recording::kBytesMax) {
    return Error{Errc::limit,
                 fmt::format("{}: {} bytes, more than {}", printable(path), *size, Recording::kBytesMax),
                 "record fewer VMs or fewer cycles: one VM can be played as many"};
  }
  std::string text(*size, '\0');
  const Result<std::size_t> got = file.value()->read_at(text, 0);
  if (!got) return got.error();
  text.resize(*got);
  return text;
}

// What is asked for and cannot be had from this recording.
Status check_devices(const Recording& recording, const ReplayOptions& options, const std::string& address) {
  const auto none = [&](const auto& list) {
    return std::none_of(recording.vms.begin(), recording.vms.end(),
                        [&](const VmTrack& vm) { return !list(vm).empty(); });
  };
  const auto missing = [&](std::string_view device) {
    return Error{Errc::invalid,
                 fmt::format("{}: no VM of the recording has a {}", printable(address), device),
                 fmt::format("record a VM that has a {}, or leave hotplug and {}s out", device, device)};
  };
  const bool plugs = options.hotplug > 0;
  if ((plugs || options.nics.value_or(0) > 0) && none([](const VmTrack& vm) -> auto& { return vm.nics; }))
    return missing("nic");
  if ((plugs || options.disks.value_or(0) > 0) && none([](const VmTrack& vm) -> auto& { return vm.disks; }))
    return missing("disk");
  return Status::ok();
}

}  // namespace

Result<std::unique_ptr<Source>> ReplaySource::open(const std::string& address, FileSystem& files,
                                                   const Clock& clock) {
  Result<ReplayOptions> options = parse_replay_address(address);
  if (!options) return std::move(options).error();
  Result<std::string> text = read_whole(files, options->path);
  if (!text) return std::move(text).error();
  Result<Recording> recording = parse_recording(*text);
  if (!recording) return std::move(recording).error().within(printable(options->path));
  if (Status possible = check_devices(*recording, *options, address); !possible)
    return std::move(possible).error();
  return std::unique_ptr<Source>(
      std::make_unique<ReplaySource>(std::move(recording).value(), *options, clock));
}

ReplaySource::ReplaySource(Recording recording, const ReplayOptions& options, const Clock& clock)
    : recording_(std::move(recording)), options_(options), clock_(clock) {
  for (const VmTrack& vm : recording_.vms) {
    if (spare_nics_ == nullptr && !vm.nics.empty()) spare_nics_ = &vm.nics;
    if (spare_disks_ == nullptr && !vm.disks.empty()) spare_disks_ = &vm.disks;
  }
  const std::uint64_t count = options_.vms == 0 ? recording_.vms.size() : options_.vms;
  vms_.reserve(count);
  for (std::uint64_t number = 0; number < count; ++number) vms_.push_back(make_vm(number));
  status_.target = fmt::format("replay://{}", printable(options_.path));
  status_.version = fmt::format("{} VMs played from {} VMs in {} cycles", count, recording_.vms.size(),
                                recording_.frames.size());
  status_.connected = true;
}

ReplaySource::SimulatedVm ReplaySource::make_vm(std::uint64_t number) const {
  const auto drawn = [&](Draw what) {
    return draw_fraction(options_.seed, number, static_cast<std::uint64_t>(what));
  };
  SimulatedVm vm;
  vm.number = number;
  vm.track = &recording_.vms[number % recording_.vms.size()];
  vm.restarts = Recurrence(options_.churn, drawn(Draw::restarts));
  vm.plugs = Recurrence(options_.hotplug, drawn(Draw::plugs));
  if (!is_copy(vm)) return vm;
  vm.age = nanoseconds(
      static_cast<std::int64_t>(drawn(Draw::age) * static_cast<double>(nanoseconds(kAgeMax).count())));
  vm.growth = growth_of(drawn(Draw::growth));
  return vm;
}

Status ReplaySource::read(std::vector<VmSample>& vms) {
  const BootTime now = clock_.boot_now();
  if (!started_) start_ = now;
  started_ = true;
  std::size_t count = 0;
  vms.reserve(vms_.size());
  for (SimulatedVm& vm : vms_) {
    if (count == vms.size()) vms.emplace_back();
    if (count + 2 < vms.size()) prefetch(vms[count + 2]);
    if (!read_vm(vm, now - start_, vms[count])) continue;
    set_read_at(vms[count], now);
    ++count;
  }
  vms.resize(count);
  return Status::ok();
}

// False: it is down.
bool ReplaySource::read_vm(SimulatedVm& vm, nanoseconds time, VmSample& sample) {
  const auto life = life_at(vm.restarts, time);
  if (!life) return false;
  const Plugged plugged = plugged_at(vm.plugs, time);
  if (!vm.layout || vm.life != life->number || vm.plugged_key != plugged.key()) {
    vm.layout = make_layout(vm, *life, plugged);
    vm.life = life->number;
    vm.plugged_key = plugged.key();
  }
  begin_sample(sample, vm.layout);

  const nanoseconds age = life->number == 0 ? vm.age + life->age : life->age;
  const Position position = position_at(recording_, age);
  play(vm.track->vm, position, vm.growth, sample.values);
  const auto play_all = [&](auto& values, const auto& own, std::size_t count,
                            std::optional<nanoseconds> since) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      const auto [track, growth] = device(vm, own, i);
      if (track == nullptr) continue;
      // What was plugged began to count then.
      const bool is_plugged = i >= count && since;
      play(*track, is_plugged ? position_at(recording_, std::min(*since, age)) : position, growth, values[i]);
    }
  };
  play_all(sample.nics, vm.track->nics, nics_of(vm), plugged.nic);
  play_all(sample.disks, vm.track->disks, disks_of(vm), plugged.disk);
  return true;
}

std::size_t ReplaySource::nics_of(const SimulatedVm& vm) const {
  return options_.nics.value_or(vm.track->nics.size());
}
std::size_t ReplaySource::disks_of(const SimulatedVm& vm) const {
  return options_.disks.value_or(vm.track->disks.size());
}

template <Scope S>
ReplaySource::Device<S> ReplaySource::device(const SimulatedVm& vm, const std::vector<Track<S>>& own,
                                             std::size_t place) const {
  const std::vector<Track<S>>* tracks = &own;
  if constexpr (S == Scope::nic) {
    if (own.empty()) tracks = spare_nics_;
  } else {
    if (own.empty()) tracks = spare_disks_;
  }
  if (tracks == nullptr) return {};
  const Track<S>* const track = &(*tracks)[place % tracks->size()];
  // As recorded, exactly.
  if (!is_copy(vm) && place < own.size()) return {track, 1};
  const Draw first = S == Scope::nic ? Draw::nic : Draw::disk;
  return {track, vm.growth * growth_of(draw_fraction(options_.seed, vm.number,
                                                     static_cast<std::uint64_t>(first) + place))};
}

std::shared_ptr<const VmLayout> ReplaySource::make_layout(const SimulatedVm& vm, const Life& life,
                                                          const Plugged& plugged) const {
  auto layout = std::make_shared<VmLayout>();
  layout->uuid = vm.track->uuid;
  layout->name = vm.track->name;
  if (is_copy(vm)) {
    const std::uint64_t high = draw(options_.seed, vm.number, static_cast<std::uint64_t>(Draw::uuid_high));
    const std::uint64_t low = draw(options_.seed, vm.number, static_cast<std::uint64_t>(Draw::uuid_low));
    std::memcpy(layout->uuid.bytes.data(), &high, 8);
    std::memcpy(layout->uuid.bytes.data() + 8, &low, 8);
    layout->name += fmt::format("-{}", vm.number / recording_.vms.size());
  }
  layout->uuid_text = layout->uuid.text();
  // A new one for each life, never another VM's.
  layout->domain_id = static_cast<int>((1 + vm.number + life.number * vms_.size()) % INT32_MAX);
  const std::size_t nics = nics_of(vm) + (plugged.nic ? 1 : 0);
  for (std::size_t i = 0; i < nics; ++i) {
    const bool is_recorded = !is_copy(vm) && i < std::min(vm.track->nics.size(), nics_of(vm));
    layout->nics.push_back(is_recorded ? vm.track->nics[i].device : nic_name(layout->nics, vm.number, i));
  }
  const std::size_t disks = disks_of(vm) + (plugged.disk ? 1 : 0);
  for (std::size_t i = 0; i < disks; ++i) {
    const bool is_recorded = i < std::min(vm.track->disks.size(), disks_of(vm));
    layout->disks.push_back(is_recorded ? vm.track->disks[i].device : disk_name(layout->disks, i));
  }
  return layout;
}

}  // namespace virtmeter
