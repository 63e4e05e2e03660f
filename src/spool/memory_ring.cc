#include "spool/memory_ring.h"

#include <algorithm>

#include "base/check.h"
#include "spool/batch.h"

namespace virtmeter {
namespace {

// What is kept of buffers to fill again, and more where one cycle needs more.
constexpr std::size_t kSpareBytes = 8u << 20;
constexpr std::size_t kSpareRecords = 64;

// Puts a new text into a kept buffer. A string that must grow doubles; ours are of one size, nearly.
void refill(std::string& buffer, std::string_view text) {
  if (buffer.capacity() < text.size()) {
    std::string larger;
    larger.reserve(text.size() + text.size() / 8);
    buffer.swap(larger);
  }
  buffer.assign(text);
}

}  // namespace

void MemoryRing::push(std::string_view lines, std::uint64_t line_count, WallTime time, BootTime arrived) {
  if (spare_.empty()) {
    records_.emplace_back();
  } else {
    spare_bytes_ -= spare_.front().buffer.capacity();
    records_.splice(records_.end(), spare_, spare_.begin());
  }
  MemoryRecord& record = records_.back();
  record.begin = end_;
  record.end = end_ + line_count;
  record.time = time;
  record.arrived = arrived;
  record.done_since.reset();
  refill(record.buffer, lines);
  record.offset = 0;
  end_ = record.end;
  bytes_ += lines.size();
  note_cycle(lines.size(), time);
}

// The records of one time are a cycle's.
void MemoryRing::note_cycle(std::size_t bytes, WallTime time) {
  if (time != cycle_time_) {
    cycle_time_ = time;
    cycle_before_ = cycle_;
    cycle_ = {};
  }
  cycle_.bytes += bytes + bytes / 8;
  ++cycle_.records;
}

void MemoryRing::pop_front() {
  bytes_ -= records_.front().bytes().size();
  if (records_.front().pinned) {
    leaving_.splice(leaving_.end(), records_, records_.begin());
    return;
  }
  recycle(records_.begin());
}

void MemoryRing::recycle(Records::iterator record) {
  const std::size_t capacity = record->buffer.capacity();
  const std::size_t records_max = std::max({kSpareRecords, cycle_.records, cycle_before_.records});
  const std::size_t bytes_max = std::max({kSpareBytes, cycle_.bytes, cycle_before_.bytes});
  if (spare_.size() >= records_max || spare_bytes_ + capacity > bytes_max) {
    records_.erase(record);
    return;
  }
  spare_bytes_ += capacity;
  spare_.splice(spare_.end(), records_, record);
}

void MemoryRing::drop_front(std::uint64_t line_count) {
  MemoryRecord& oldest = records_.front();
  CHECK(line_count < oldest.lines());
  const std::size_t size = end_of_lines(oldest.bytes(), line_count);
  oldest.offset += size;
  oldest.begin += line_count;
  bytes_ -= size;
}

std::uint64_t MemoryRing::copy(std::uint64_t begin, std::uint64_t end, const Bounds& bounds,
                               std::string& out) const {
  const std::size_t size_before = out.size();
  std::uint64_t at = begin;
  for (auto record = find(begin); record != records_.end() && at < end; ++record) {
    std::string_view bytes = record->bytes();
    bytes.remove_prefix(end_of_lines(bytes, at - record->begin));
    const std::uint64_t room = bounds.lines - std::min(bounds.lines, at - begin);
    std::uint64_t wanted = std::min({record->end, end, at + room}) - at;
    if (out.size() - size_before + bytes.size() > bounds.bytes || at + wanted < record->end) {
      at += copy_lines(bytes, wanted, bounds.bytes - std::min(bounds.bytes, out.size() - size_before), out);
      if (at == begin && wanted > 0) at += copy_lines(bytes, 1, bytes.size(), out);
      return at;
    }
    out.append(bytes);
    at += wanted;
  }
  return at;
}

MemoryRing::Records::iterator MemoryRing::find(std::uint64_t line) {
  return std::find_if(records_.begin(), records_.end(),
                      [&](const MemoryRecord& record) { return line >= record.begin && line < record.end; });
}

MemoryRing::Records::const_iterator MemoryRing::find(std::uint64_t line) const {
  return std::find_if(records_.begin(), records_.end(),
                      [&](const MemoryRecord& record) { return line >= record.begin && line < record.end; });
}

void MemoryRing::unpin_all() {
  for (MemoryRecord& record : records_) record.pinned = false;
  while (!leaving_.empty()) {
    leaving_.front().pinned = false;
    records_.splice(records_.begin(), leaving_, leaving_.begin());
    recycle(records_.begin());
  }
}

void MemoryRing::start_at(std::uint64_t line) {
  CHECK(records_.empty());
  end_ = line;
}

}  // namespace virtmeter
