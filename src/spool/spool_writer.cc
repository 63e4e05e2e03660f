#include "spool/spool_writer.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "base/log.h"
#include "base/text.h"
#include "spool/recovery.h"

namespace virtmeter {
namespace {

constexpr std::chrono::seconds kIdleRound{1};
// After so many failures in a row a file that cannot be read is set aside.
constexpr int kPatientAttaches = 5;
constexpr std::size_t kWordsLoggedMax = 20;

std::string with_fix(const Error& error) {
  return error.fix.empty() ? error.message : error.message + "; fix: " + error.fix;
}

std::string holder_of(File& lock) {
  std::string text(20, '\0');
  const auto got = lock.read_at(text, 0);
  if (!got) return "another process";
  text.resize(got.value());
  const std::string_view pid = trimmed(text);
  const bool is_number = !pid.empty() && pid.find_first_not_of("0123456789") == std::string_view::npos;
  return is_number ? fmt::format("process {}", pid) : "another process";
}

}  // namespace

SpoolWriter::SpoolWriter(SpoolCore& core, std::vector<std::string> reader_names)
    : core_(core), reader_names_(std::move(reader_names)), log_(core), keeper_(core) {}

Status SpoolWriter::open() {
  if (!core_.has_folder()) return Status::ok();
  Status status = attach();
  if (!status && status.error().code == Errc::unavailable) return status;
  note(status);
  return Status::ok();
}

Status SpoolWriter::attach() {
  if (attached_) return Status::ok();
  if (cannot_attach_) return *cannot_attach_;
  const std::string& folder = core_.options.folder;
  if (Status status = core_.files.make_folder(folder); !status) return status;
  if (!lock_) {
    // Its name must survive a power cut, too. Where the folder above cannot be read, it has to do without.
    const Status synced = core_.files.sync_folder(folder.substr(0, folder.rfind('/')));
    static_cast<void>(synced);
  }
  if (Status status = take_lock(); !status) return status;
  auto found = recover_spool(folder, reader_names_, core_.files,
                             failed_attaches_ < kPatientAttaches ? Unreadable::fail : Unreadable::set_aside);
  if (!found) {
    ++failed_attaches_;
    return std::move(found).error();
  }
  if (!core_.adopt(found.value())) {
    cannot_attach_ =
        Error{Errc::invalid, folder + ": could not be read at the start, and holds line numbers given since",
              "restart virtmeter"};
    return *cannot_attach_;
  }
  attached_ = true;
  log_.set_next_ordinal(found.value().next_ordinal);
  keeper_.open_cursors(found.value(), reader_names_);
  release_rooms(found.value());
  std::vector<std::string>& words = found.value().words;
  for (std::size_t i = 0; i < std::min(words.size(), kWordsLoggedMax); ++i)
    log_warning("spool {}: {}", folder, printable(words[i]));
  if (found.value().torn_bytes > 0)
    log_info("spool {}: {} bytes at its end were not finished when virtmeter ended, and are ignored", folder,
             found.value().torn_bytes);
  return Status::ok();
}

// A process that was killed left the room reserved for the segment it was writing.
void SpoolWriter::release_rooms(const Recovered& found) {
  for (const Segment& segment : found.segments) {
    if (segment.sealed) continue;
    const auto file = core_.files.open(core_.options.folder + "/" + segment.name, OpenMode::read_or_create);
    if (!file) continue;
    const Status released = file.value()->release_reserved();
    static_cast<void>(released);
  }
}

Status SpoolWriter::take_lock() {
  if (lock_) return Status::ok();
  const std::string& folder = core_.options.folder;
  auto file = core_.files.open(folder + "/" + std::string(kSpoolLockName), OpenMode::read_or_create);
  if (!file) {
    Error error = std::move(file).error();
    if (error.code == Errc::unavailable) error.code = Errc::io;
    return error;
  }
  if (Status status = file.value()->lock(); !status) {
    if (status.error().code != Errc::unavailable) return status;
    return Error{Errc::unavailable, fmt::format("spool {}: in use by {}", folder, holder_of(*file.value())),
                 "stop the other virtmeter, or give each a state_dir of its own"};
  }
  lock_ = std::move(file).value();
  // For the other's message only.
  const Status written = lock_->write_at(fmt::format("{:<19}\n", ::getpid()), 0);
  static_cast<void>(written);
  return Status::ok();
}

bool SpoolWriter::round() {
  if (!core_.has_folder()) return true;
  const Status status = run_round(SpoolKeeper::When::due);
  note(status);
  return static_cast<bool>(status);
}

Status SpoolWriter::run_round(SpoolKeeper::When when) {
  {
    const MutexLock lock(core_.mutex);
    tried_end_ = core_.ring.end_line();
  }
  if (Status status = attach(); !status) return status;
  const Status written = write_lines();
  const Status saved = keeper_.save_cursors(when);
  keeper_.remove_later(log_.take_leftovers());
  keeper_.remove_done();
  return written ? saved : written;
}

Status SpoolWriter::write_lines() {
  if (Status status = keeper_.enforce_caps(); !status) return status;
  Status status = log_.write();
  if (status) return status;
  // Once more, into a new segment; when the disk is full, after making room.
  if (status.error().code == Errc::limit) keeper_.evict_oldest(DropReason::disk_space);
  return log_.write();
}

void SpoolWriter::finish() {
  const bool has_folder = core_.has_folder();
  Status status = has_folder ? run_round(SpoolKeeper::When::due) : Status::ok();
  const std::uint64_t lost = core_.end();
  if (lost > 0)
    log_warning("virtmeter ends: {} lines are lost, they were in memory only{}", lost,
                status ? "" : ": " + status.error().message);
  if (!has_folder || !attached_) return;
  const Status closed = log_.close();
  // Also when the disk takes no lines: their room in the cursor is there, and the next start is to know what
  // was delivered and what is lost.
  const Status saved = keeper_.save_cursors(SpoolKeeper::When::now);
  if (status) status = closed ? saved : closed;
  note(status);
}

bool SpoolWriter::wait_for_work() {
  const MutexLock lock(core_.mutex);
  const BootTime until = core_.clock.boot_now() + kIdleRound;
  while (!core_.stop_requested && core_.ring.end_line() <= tried_end_ && core_.clock.boot_now() < until)
    core_.clock.wait_until(core_.writer_wakes, core_.mutex, until);
  return !core_.stop_requested;
}

// Said once when it begins and once when it ends.
void SpoolWriter::note(const Status& status) {
  std::optional<WallTime> failed_since;
  bool begins = false;
  {
    const MutexLock lock(core_.mutex);
    SpoolStatus& now = core_.status;
    core_.disk_is_full = !status && status.error().code == Errc::limit;
    if (status) {
      failed_since = now.failing_since;
      now.failing_since.reset();
    } else {
      ++now.disk_errors;
      now.last_error = status.error();
      begins = !now.failing_since;
      if (begins) now.failing_since = core_.clock.wall_now();
    }
  }
  if (begins)
    log_warning("spool: {}; lines wait in memory, {} MiB of them at most", with_fix(status.error()),
                core_.options.memory_bytes >> 20);
  if (failed_since)
    log_info("spool {}: the disk takes lines again, after {}", core_.options.folder,
             format_duration(std::chrono::seconds((core_.clock.wall_now().unix_ns - failed_since->unix_ns) /
                                                  1'000'000'000)));
}

}  // namespace virtmeter
