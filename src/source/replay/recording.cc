#include "source/replay/recording.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <unordered_map>

#include "base/text.h"
#include "codec/line_protocol_decoder.h"

namespace virtmeter {
namespace {

constexpr std::string_view kHowToRecord =
    "record anew: virtmeter once --cycles 25 --set missing=omit > FILE (docs/replay.md)";

Error wrong(std::string message) { return {Errc::invalid, std::move(message), std::string(kHowToRecord)}; }

std::string_view tag_of(const Point& point, std::string_view key) {
  for (const auto& [name, value] : point.tags) {
    if (name == key) return value;
  }
  return "";
}

std::optional<Line> line_of(const Point& point) {
  constexpr std::array<Line, 4> kRecorded = {Line::vm_metrics, Line::vm_totals, Line::nic, Line::disk};
  for (const Line line : kRecorded) {
    if (info(line).measurement == point.measurement && info(line).devtype == tag_of(point, "devtype"))
      return line;
  }
  return std::nullopt;
}

// Reads the lines one after the other; each track grows with the frames.
class Parser {
 public:
  Result<Recording> parse(std::string_view text);

 private:
  Status take(const Point& point);
  Status enter_frame(const Point& point);
  Result<VmTrack*> vm_of(const Point& point);
  template <Scope S>
  Status take_device(const Point& point, Line line, std::vector<Track<S>>& tracks);
  template <Scope S>
  Status take_fields(const Point& point, Line line, Track<S>& track);
  template <Scope S>
  void grow(Track<S>& track) const;

  Recording recording_;
  std::int64_t first_ns_ = 0;
  std::unordered_map<Uuid, std::size_t, UuidHash> vms_;
};

Result<Recording> Parser::parse(std::string_view text) {
  // One by one, so that errors can be placed: what virtmeter writes has no LF but at the end of a line.
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size() - 1) + 1;
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end);
    if (line.front() == '#' || trimmed(line).empty()) continue;
    const Result<Point> point = decode_line(line);
    Status taken = point ? take(*point) : Status(wrong(point.error().message));
    if (!taken) return std::move(taken).error().within(fmt::format("line {}", number));
  }
  if (recording_.vms.empty()) return wrong("there is no VM in it");
  if (recording_.frames.size() < 2) return wrong("there is one cycle in it, and counters move between two");
  for (VmTrack& vm : recording_.vms) {
    grow(vm.vm);
    for (auto& nic : vm.nics) grow(nic);
    for (auto& disk : vm.disks) grow(disk);
  }
  return std::move(recording_);
}

Status Parser::take(const Point& point) {
  const auto line = line_of(point);
  if (!line) return Status::ok();
  if (Status entered = enter_frame(point); !entered) return entered;
  Result<VmTrack*> vm = vm_of(point);
  if (!vm) return std::move(vm).error();
  switch (info(*line).scope) {
    case Scope::nic:
      return take_device(point, *line, (*vm)->nics);
    case Scope::disk:
      return take_device(point, *line, (*vm)->disks);
    default:
      return take_fields(point, *line, (*vm)->vm);
  }
}

Status Parser::enter_frame(const Point& point) {
  if (!point.time) return wrong("it has no timestamp");
  if (recording_.frames.empty()) first_ns_ = *point.time;
  std::int64_t since_first = 0;
  if (__builtin_sub_overflow(*point.time, first_ns_, &since_first) || since_first < 0)
    return wrong("its time is before the first cycle's");
  const std::chrono::nanoseconds frame(since_first);
  if (!recording_.frames.empty() && frame == recording_.frames.back()) return Status::ok();
  if (!recording_.frames.empty() && frame < recording_.frames.back())
    return wrong("its time is before that of the line in front of it");
  recording_.frames.push_back(frame);
  return Status::ok();
}

Result<VmTrack*> Parser::vm_of(const Point& point) {
  const auto uuid = parse_uuid(tag_of(point, "uuid"));
  if (!uuid) return wrong(fmt::format("\"{}\" is no UUID", printable(tag_of(point, "uuid"), 64)));
  const auto [known, is_new] = vms_.try_emplace(*uuid, recording_.vms.size());
  if (is_new) {
    VmTrack vm;
    vm.name = tag_of(point, "name");
    vm.uuid = *uuid;
    recording_.vms.push_back(std::move(vm));
  }
  const std::size_t vms = recording_.vms.size();
  if (vms > Recording::kVmsMax || vms * recording_.frames.size() > Recording::kVmFramesMax) {
    return Error{
        Errc::limit,
        fmt::format("more than {} VMs, or {} VMs times cycles", Recording::kVmsMax, Recording::kVmFramesMax),
        "record fewer VMs or fewer cycles: one VM can be played as many"};
  }
  return &recording_.vms[known->second];
}

template <Scope S>
Status Parser::take_device(const Point& point, Line line, std::vector<Track<S>>& tracks) {
  constexpr std::size_t kDevicesMax = 64;
  const std::string_view device = tag_of(point, "device");
  if (device.empty()) return wrong("the tag device is missing");
  auto track =
      std::find_if(tracks.begin(), tracks.end(), [&](const Track<S>& t) { return t.device == device; });
  if (track == tracks.end()) {
    if (tracks.size() == kDevicesMax)
      return Error{Errc::limit, fmt::format("the VM has more than {} {}s", kDevicesMax, info(line).devtype),
                   "record a VM with fewer devices"};
    track = tracks.insert(tracks.end(), Track<S>{std::string(device), {}});
  }
  return take_fields(point, line, *track);
}

template <Scope S>
Status Parser::take_fields(const Point& point, Line line, Track<S>& track) {
  track.frames.resize(recording_.frames.size());
  for (const auto& [key, value] : point.fields) {
    const std::size_t row = find_metric(fmt::format("{}.{}", info(line).key, key));
    if (row == kMetricCount)
      return wrong(fmt::format("{} has no field \"{}\"", info(line).key, printable(key, 64)));
    const auto id = static_cast<MetricId>(row);
    if (metric(id).origin.how != How::read) continue;
    const auto* const integer = std::get_if<std::int64_t>(&value);
    if (integer == nullptr || *integer < 0)
      return wrong(fmt::format("{} is no whole number of 0 or more, as 5i is", key));
    track.frames.back().set_integer(id, *integer);
  }
  return Status::ok();
}

// Every frame has a value then. What was never recorded is given a reason of its own.
template <Scope S>
void Parser::grow(Track<S>& track) const {
  track.frames.resize(recording_.frames.size());
  for (const MetricId id : kReadRows<S>) {
    const auto first =
        std::find_if(track.frames.begin(), track.frames.end(), [&](const auto& f) { return f.has(id); });
    const bool ever = first != track.frames.end();
    std::int64_t was = ever ? *first->integer(id) : 0;
    std::int64_t counted = was;
    for (Values<S>& frame : track.frames) {
      const auto is = frame.integer(id);
      if (!is) {
        frame.set_remainder(id, counted, ever ? Absence::not_reported : Absence::unsupported);
        continue;
      }
      if (metric(id).kind != Kind::counter) continue;
      // A counter that went back began anew: how much it missed in between nobody knows.
      if (__builtin_add_overflow(counted, std::max<std::int64_t>(*is - was, 0), &counted))
        counted = INT64_MAX;
      was = *is;
      frame.set_integer(id, counted);
    }
  }
}

}  // namespace

Result<Recording> parse_recording(std::string_view text) { return Parser().parse(text); }

}  // namespace virtmeter
