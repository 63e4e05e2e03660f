#include "spool/spool_keeper.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/log.h"
#include "spool/recovery.h"

namespace virtmeter {
namespace {

constexpr std::chrono::seconds kSaveInterval{1};
// Files that could not be removed are tried again in each round; more are left to the next start.
constexpr std::size_t kToRemoveMax = 64;
constexpr std::uint64_t kFreeShareMax = 10;

}  // namespace

void SpoolKeeper::open_cursors(const Recovered& found, const std::vector<std::string>& reader_names) {
  cursors_.clear();
  for (std::size_t i = 0; i < reader_names.size(); ++i) {
    const std::uint64_t version = found.cursors[i] ? found.cursors[i]->version : 0;
    cursors_.push_back({CursorFile(core_.files, core_.options.folder, reader_names[i], version)});
  }
}

Status SpoolKeeper::enforce_caps() {
  while (bytes() > core_.options.max_bytes && evict_oldest(DropReason::evicted)) {
  }
  while (oldest_is_expired() && evict_oldest(DropReason::expired)) {
  }
  while (true) {
    const auto space = core_.files.space(core_.options.folder);
    if (!space) return space.error();
    const std::uint64_t wanted =
        std::min(core_.options.min_free_bytes, space.value().total_bytes / kFreeShareMax);
    if (space.value().free_bytes >= wanted) return Status::ok();
    if (evict_oldest(DropReason::disk_space)) continue;
    return Error{Errc::limit,
                 fmt::format("{}: {} bytes are free on its file system, fewer than the {} to be kept free",
                             core_.options.folder, space.value().free_bytes, wanted),
                 "make room there, or lower spool.min_free_bytes"};
  }
}

std::uint64_t SpoolKeeper::bytes() const {
  const MutexLock lock(core_.mutex);
  std::uint64_t bytes = 0;
  for (const Segment& segment : core_.segments) bytes += segment.bytes;
  return bytes;
}

bool SpoolKeeper::oldest_is_expired() const {
  const std::int64_t max_age_ns = core_.options.max_age.count();
  const std::int64_t now_ns = core_.clock.wall_now().unix_ns;
  const MutexLock lock(core_.mutex);
  if (core_.segments.empty()) return false;
  const Segment& oldest = core_.segments.front();
  const auto newest_line = oldest.time_max ? oldest.time_max : oldest.time_min;
  // Compared without a difference that could overflow: times on disk are input.
  return newest_line && now_ns > max_age_ns && newest_line->unix_ns < now_ns - max_age_ns;
}

bool SpoolKeeper::evict_oldest(DropReason reason) {
  std::string name;
  {
    const MutexLock lock(core_.mutex);
    if (core_.segments.empty() || core_.segments.front().active) return false;
    const Segment oldest = core_.segments.front();
    core_.segments.erase(core_.segments.begin());
    ++core_.status.segments_evicted;
    // What is in memory still can be had there.
    core_.drop_for_all(oldest.begin, std::min(oldest.end, core_.ring.begin_line()), reason);
    core_.trim();
    name = oldest.name;
  }
  // So that a crash finds the loss counted by its reason. Space is needed in any case.
  const Status saved = save_cursors(When::now);
  static_cast<void>(saved);
  remove_later({name});
  remove_files();
  return true;
}

Status SpoolKeeper::save_cursors(When when) {
  const BootTime now = core_.clock.boot_now();
  if (when == When::due && saved_at_ && now - *saved_at_ < kSaveInterval) return Status::ok();
  saved_at_ = now;
  std::vector<CursorSlot> slots;
  std::vector<std::uint64_t> generations;
  std::vector<std::string> done;
  {
    const MutexLock lock(core_.mutex);
    for (const auto& reader : core_.readers) {
      slots.push_back(reader->slot(core_.ring.end_line(), core_.clock.wall_now()));
      generations.push_back(reader->generation());
    }
    for (const Segment& segment : core_.segments) {
      if (!segment.active && !core_.wanted(segment.begin, segment.end)) done.push_back(segment.name);
    }
  }
  for (std::size_t i = 0; i < cursors_.size(); ++i) {
    if (cursors_[i].saved_generation == generations[i]) continue;
    if (Status status = cursors_[i].file.save(slots[i]); !status) return status;
    cursors_[i].saved_generation = generations[i];
  }
  const MutexLock lock(core_.mutex);
  for (Segment& segment : core_.segments) {
    const bool is_done = std::find(done.begin(), done.end(), segment.name) != done.end();
    if (is_done && !segment.done_since) segment.done_since = now;
  }
  return Status::ok();
}

void SpoolKeeper::remove_done() {
  std::vector<std::string> names;
  {
    const MutexLock lock(core_.mutex);
    std::vector<Segment> kept;
    for (Segment& segment : core_.segments) {
      // A replay may have asked for its lines again.
      if (segment.done_since && core_.wanted(segment.begin, segment.end)) segment.done_since.reset();
      if (segment.done_since && core_.replay_is_over(*segment.done_since)) {
        names.push_back(segment.name);
      } else {
        kept.push_back(std::move(segment));
      }
    }
    core_.segments = std::move(kept);
  }
  remove_later(std::move(names));
  remove_files();
}

void SpoolKeeper::remove_later(std::vector<std::string> names) {
  for (std::string& name : names) {
    if (to_remove_.size() < kToRemoveMax) to_remove_.push_back(std::move(name));
  }
}

void SpoolKeeper::remove_files() {
  if (to_remove_.empty()) return;
  bool any = false;
  std::erase_if(to_remove_, [&](const std::string& name) {
    const Status status = core_.files.remove(core_.options.folder + "/" + name);
    any = any || status;
    return status || status.error().code == Errc::not_found;
  });
  if (!any) return;
  // A name that comes back after a power cut is that of a segment nobody wants.
  const Status synced = core_.files.sync_folder(core_.options.folder);
  static_cast<void>(synced);
}

}  // namespace virtmeter
