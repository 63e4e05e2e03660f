#include "sink/line_queue.h"

#include <algorithm>

#include "base/check.h"

namespace virtmeter {
namespace {

constexpr std::size_t kSpareBuffersMax = 2;

// A batch can only fill up if the queue has room for it.
LineQueueOptions consistent(LineQueueOptions options) {
  options.max_queue = std::max<std::uint64_t>(options.max_queue, 1);
  options.batch_max_lines = std::clamp<std::uint64_t>(options.batch_max_lines, 1, options.max_queue);
  return options;
}

}  // namespace

void LineQueue::Block::drop_front(std::uint64_t count) {
  begin += end_of_lines(std::string_view(bytes).substr(begin), count);
  lines -= count;
  first_line += count;
}

LineQueue::LineQueue(LineQueueOptions options, const Clock& clock)
    : options_(consistent(options)), clock_(clock) {}

void LineQueue::push(std::string_view lines, std::uint64_t line_count) {
  const MutexLock lock(mutex_);
  CHECK(lines.empty() || lines.back() == '\n');
  CHECK(static_cast<std::uint64_t>(std::count(lines.begin(), lines.end(), '\n')) == line_count);
  counts_.pushed += line_count;
  if (closed_) {
    counts_.dropped.shutdown += line_count;
    return;
  }
  while (!lines.empty()) {
    const std::size_t size = lines.find('\n') + 1;
    append(lines.substr(0, size));
    lines.remove_prefix(size);
  }
}

void LineQueue::append(std::string_view line) {
  if (line.size() > kLineBytesMax) {
    ++counts_.dropped.oversize;
    return;
  }
  if (!fits_into_last(line.size())) {
    Block block;
    block.arrived = clock_.boot_now();
    block.first_line = next_line_;
    if (!spare_.empty()) {
      block.bytes = std::move(spare_.back());
      spare_.pop_back();
    }
    blocks_.push_back(std::move(block));
    changed_.notify_all();  // There is a first line, or the block before is now a full batch.
  }
  Block& last = blocks_.back();
  last.bytes.append(line);
  ++last.lines;
  ++next_line_;
  ++counts_.waiting;
  counts_.waiting_bytes += line.size();
  if (last.lines == options_.batch_max_lines) changed_.notify_all();
  drop_overflow();
}

bool LineQueue::fits_into_last(std::size_t line_bytes) const {
  if (blocks_.empty()) return false;
  const Block& last = blocks_.back();
  // After a put-back the last block may be an old one, with dropped lines between its end and the line that
  // comes.
  if (last.first_line + last.lines != next_line_) return false;
  return last.lines < options_.batch_max_lines && last.size() + line_bytes <= kBatchBytesMax;
}

void LineQueue::drop_overflow() {
  while (counts_.waiting > options_.max_queue || counts_.waiting_bytes > options_.max_queue_bytes) {
    Block& oldest = blocks_.front();
    const std::size_t size_before = oldest.size();
    oldest.drop_front(1);
    ++counts_.dropped.overflow;
    --counts_.waiting;
    counts_.waiting_bytes -= size_before - oldest.size();
    if (oldest.lines > 0) continue;
    recycle(oldest);
    blocks_.pop_front();
  }
}

void LineQueue::recycle(Block& block) {
  if (spare_.size() >= kSpareBuffersMax) return;
  block.bytes.clear();
  spare_.push_back(std::move(block.bytes));
}

std::optional<Batch> LineQueue::take() {
  const MutexLock lock(mutex_);
  CHECK(!in_flight_);
  while (true) {
    if (blocks_.empty()) {
      if (closed_) return std::nullopt;
      changed_.wait(mutex_);
      continue;
    }
    const Block& oldest = blocks_.front();
    const BootTime due = oldest.arrived + options_.batch_max_wait;
    const bool full = oldest.lines >= options_.batch_max_lines || blocks_.size() > 1;
    if (full || closed_ || clock_.boot_now() >= due) break;
    clock_.wait_until(changed_, mutex_, due);
  }
  in_flight_ = std::move(blocks_.front());
  blocks_.pop_front();
  counts_.waiting -= in_flight_->lines;
  counts_.waiting_bytes -= in_flight_->size();
  counts_.in_flight = in_flight_->lines;
  return in_flight_->view();
}

Batch LineQueue::in_flight() const {
  const MutexLock lock(mutex_);
  return in_flight_ ? in_flight_->view() : Batch{};
}

void LineQueue::acknowledge(const Batch& piece, std::uint64_t rejected) {
  const MutexLock lock(mutex_);
  CHECK(in_flight_ && piece.first_line == in_flight_->first_line && piece.line_count <= in_flight_->lines);
  CHECK(rejected <= piece.line_count);
  in_flight_->drop_front(piece.line_count);
  counts_.in_flight = in_flight_->lines;
  counts_.delivered += piece.line_count - rejected;
  counts_.dropped.rejected += rejected;
  if (in_flight_->lines > 0) return;
  recycle(*in_flight_);
  in_flight_.reset();
}

void LineQueue::put_back() {
  const MutexLock lock(mutex_);
  if (!in_flight_) return;
  counts_.waiting += in_flight_->lines;
  counts_.waiting_bytes += in_flight_->size();
  counts_.in_flight = 0;
  blocks_.push_front(std::move(*in_flight_));
  in_flight_.reset();
  drop_overflow();
}

void LineQueue::close() {
  const MutexLock lock(mutex_);
  closed_ = true;
  changed_.notify_all();
}

std::uint64_t LineQueue::discard() {
  const MutexLock lock(mutex_);
  const std::uint64_t lost = counts_.waiting + counts_.in_flight;
  counts_.dropped.shutdown += lost;
  counts_.waiting = 0;
  counts_.waiting_bytes = 0;
  counts_.in_flight = 0;
  blocks_.clear();
  in_flight_.reset();
  return lost;
}

LineCounts LineQueue::counts() const {
  const MutexLock lock(mutex_);
  return counts_;
}

}  // namespace virtmeter
