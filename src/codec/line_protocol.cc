#include "codec/line_protocol.h"

#include <charconv>
#include <cmath>
#include <cstring>

#include "base/check.h"
#include "codec/line_escape.h"
#include "codec/tags.h"

namespace virtmeter {
namespace {

// ",rxbytes=" in a slot of fixed size: copying a whole slot is two vector moves, whatever the key's length.
struct KeySlot {
  static constexpr std::size_t kBytes = 32;
  std::array<char, kBytes> text{};
  std::size_t length = 0;
};

constexpr std::array<KeySlot, kMetricCount> kKeys = [] {
  std::array<KeySlot, kMetricCount> keys{};
  for (std::size_t i = 0; i < kMetricCount; ++i) {
    KeySlot& key = keys[i];
    key.text[key.length++] = ',';
    for (const char c : kCatalog[i].name) key.text[key.length++] = c;  // Does not compile past the slot.
    key.text[key.length++] = '=';
  }
  return keys;
}();

// The longest values: 24 characters of a double in to_chars's shortest form, 20 and the 'i' of an integer.
constexpr std::size_t kValueBytesMax = 32;
constexpr std::size_t kFieldBytesMax = KeySlot::kBytes + kValueBytesMax;
constexpr std::size_t kTimestampBytesMax = 24;

constexpr std::size_t line_bytes_max(Line line) {
  return line_rows(line).size() * kFieldBytesMax + kTimestampBytesMax;
}

// Where the next byte goes. The caller has made room by line_bytes_max().
struct Cursor {
  char* at;

  void put(std::string_view text) {
    std::memcpy(at, text.data(), text.size());
    at += text.size();
  }
  void put(const KeySlot& key) {
    std::memcpy(at, key.text.data(), KeySlot::kBytes);
    at += key.length;
  }
  template <typename Number>
  void put_number(Number value) {
    at = std::to_chars(at, at + kValueBytesMax, value).ptr;
  }
};

// What one row of a line does; a table, so that the loop over the fields branches on one byte.
enum class Writing : std::uint8_t { integer, real, label };

constexpr std::array<Writing, kMetricCount> kWritings = [] {
  std::array<Writing, kMetricCount> writings{};
  for (std::size_t i = 0; i < kMetricCount; ++i) {
    const Metric& row = kCatalog[i];
    if (row.type == Type::integer) writings[i] = Writing::integer;
    if (row.type == Type::real) writings[i] = Writing::real;
    if (row.type == Type::text) {
      if (row.origin.how != How::label) throw "the only texts are names of codes";
      writings[i] = Writing::label;
    }
  }
  return writings;
}();

template <Scope S>
void put_integer(Cursor& cursor, MetricId id, const Values<S>& values, MissingPolicy missing) {
  if (missing == MissingPolicy::omit && !values.has(id)) return;
  cursor.put(kKeys[id]);
  cursor.put_number(values.integer_or_remainder(id));
  *cursor.at++ = 'i';
}

// Never filled with zero: a trend or latency that is not known is not 0. No server takes inf or nan.
template <Scope S>
void put_real(Cursor& cursor, MetricId id, const Values<S>& values) {
  const auto value = values.real(id);
  if (!value || !std::isfinite(*value)) return;
  cursor.put(kKeys[id]);
  cursor.put_number(*value);
}

template <Scope S>
void put_label(Cursor& cursor, MetricId id, const Values<S>& values, MissingPolicy missing) {
  const auto code = values.integer(kMetricOf[id]);
  if (!code && missing == MissingPolicy::omit) return;
  cursor.put(kKeys[id]);
  *cursor.at++ = '"';
  cursor.put(code ? label_text(id, *code) : std::string_view("unknown"));
  *cursor.at++ = '"';
}

struct LineFrame {
  std::string_view head;       // Measurement and tags.
  std::string_view timestamp;  // " <ns>\n".
  MissingPolicy missing;
};

// Returns how many lines were written: 1, or 0 where no field was.
template <Scope S>
std::size_t put_line(Cursor& cursor, Line line, const LineFrame& frame, const Values<S>& values) {
  char* const start = cursor.at;
  cursor.put(frame.head);
  char* const fields = cursor.at;
  const RowRange rows = line_rows(line);
  for (MetricId id = rows.first; id < rows.end; ++id) {
    switch (kWritings[id]) {
      case Writing::integer:
        put_integer(cursor, id, values, frame.missing);
        break;
      case Writing::real:
        put_real(cursor, id, values);
        break;
      case Writing::label:
        if constexpr (S == Scope::vm || S == Scope::health) put_label(cursor, id, values, frame.missing);
        break;
    }
  }
  if (cursor.at == fields) {
    cursor.at = start;
    return 0;
  }
  *fields = ' ';  // In place of the first field's comma.
  cursor.put(frame.timestamp);
  return 1;
}

void append_tag(std::string& out, std::string_view key, std::string_view value) {
  if (value.empty()) return;
  out += ',';
  append_tag_key(out, key);
  out += '=';
  append_tag_value(out, value);
}

std::string_view tag_value(const Tag& tag, Line line, const VmLayout& layout, std::string_view device) {
  switch (tag.source) {
    case TagSource::device:
      return device;
    case TagSource::devtype:
      return info(line).devtype;
    case TagSource::name:
      return layout.name;
    case TagSource::uuid:
      return layout.uuid_text;
    case TagSource::domain_id:
    case TagSource::host:
    case TagSource::sink:
      break;
  }
  return "";
}

}  // namespace

std::size_t LineProtocolEncoder::encode(const Cycle& cycle, std::string& out) {
  if (cycle.host != host_) {
    heads_.clear();
    host_ = cycle.host;
  }
  ++encodes_;
  vms_in_use_ = 0;
  char* const timestamp = timestamp_.data();
  timestamp[0] = ' ';
  char* const end = std::to_chars(timestamp + 1, timestamp + timestamp_.size() - 1, cycle.time.unix_ns).ptr;
  *end = '\n';
  timestamp_bytes_ = static_cast<std::size_t>(end + 1 - timestamp);

  const std::size_t start = out.size();
  out.reserve(start + bytes_last_);
  std::size_t lines = 0;
  for (const VmSample& vm : cycle.vms) {
    lines += encode_vm(vm, heads_of(vm));
    out.append(scratch_.data(), scratch_bytes_);
  }
  lines += encode_collector(cycle.collector);
  out.append(scratch_.data(), scratch_bytes_);
  bytes_last_ = out.size() - start;
  drop_vanished();
  return lines;
}

const LineProtocolEncoder::Heads& LineProtocolEncoder::heads_of(const VmSample& vm) {
  CHECK(vm.layout != nullptr);
  Heads& heads = heads_[vm.layout.get()];
  if (heads.layout == nullptr) {
    heads.layout = vm.layout;
    build(heads);
  }
  if (heads.used_in != encodes_) ++vms_in_use_;
  heads.used_in = encodes_;
  return heads;
}

void LineProtocolEncoder::build(Heads& heads) const {
  const VmLayout& layout = *heads.layout;
  const std::string domain_id = std::to_string(layout.domain_id);
  const auto add = [&](Line line, std::string_view device) {
    append_measurement(heads.text, info(line).measurement);
    for (const Tag& tag : kTags) {
      if (!has_tag(line, tag.source)) continue;
      std::string_view value = tag_value(tag, line, layout, device);
      if (tag.source == TagSource::domain_id) value = domain_id;
      if (tag.source == TagSource::host) value = host_;
      append_tag(heads.text, tag.key, value);
    }
    heads.ends.push_back(heads.text.size());
  };
  heads.ends.reserve(4 + layout.nics.size() + layout.disks.size());
  add(Line::vm_metrics, "");
  add(Line::vm_features, "");
  for (const std::string& nic : layout.nics) add(Line::nic, nic);
  for (const std::string& disk : layout.disks) add(Line::disk, disk);
  add(Line::vm_totals, "");
  add(Line::vm_health, "");
  heads.text.shrink_to_fit();
}

void LineProtocolEncoder::make_room(std::size_t bytes) {
  if (scratch_.size() < bytes) scratch_.resize(bytes);
}

std::size_t LineProtocolEncoder::encode_vm(const VmSample& vm, const Heads& heads) {
  CHECK(vm.nics.size() == vm.layout->nics.size() && vm.disks.size() == vm.layout->disks.size());
  make_room(heads.text.size() + line_bytes_max(Line::vm_metrics) + line_bytes_max(Line::vm_features) +
            line_bytes_max(Line::vm_totals) + line_bytes_max(Line::vm_health) +
            vm.nics.size() * line_bytes_max(Line::nic) + vm.disks.size() * line_bytes_max(Line::disk));
  Cursor cursor{scratch_.data()};
  LineFrame frame{"", {timestamp_.data(), timestamp_bytes_}, options_.missing};
  std::size_t place = 0;
  std::size_t start = 0;
  const auto put = [&](Line line, const auto& values) {
    const std::size_t end = heads.ends[place++];
    frame.head = std::string_view(heads.text).substr(start, end - start);
    start = end;
    return put_line(cursor, line, frame, values);
  };
  std::size_t lines = put(Line::vm_metrics, vm.values);
  lines += put(Line::vm_features, vm.values);
  for (const NicValues& nic : vm.nics) lines += put(Line::nic, nic);
  for (const DiskValues& disk : vm.disks) lines += put(Line::disk, disk);
  lines += put(Line::vm_totals, vm.values);
  // Says only what is known, and nothing of a VM that is well.
  frame.missing = MissingPolicy::omit;
  lines += put(Line::vm_health, vm.health);
  scratch_bytes_ = static_cast<std::size_t>(cursor.at - scratch_.data());
  return lines;
}

std::size_t LineProtocolEncoder::encode_collector(const CollectorValues& values) {
  constexpr std::string_view kHead = info(Line::collector_latency).measurement;
  make_room(kHead.size() + line_bytes_max(Line::collector_latency));
  Cursor cursor{scratch_.data()};
  const LineFrame frame{kHead, {timestamp_.data(), timestamp_bytes_}, options_.missing};
  const std::size_t lines = put_line(cursor, Line::collector_latency, frame, values);
  scratch_bytes_ = static_cast<std::size_t>(cursor.at - scratch_.data());
  return lines;
}

void LineProtocolEncoder::drop_vanished() {
  if (vms_in_use_ == heads_.size()) return;
  std::erase_if(heads_, [this](const auto& entry) { return entry.second.used_in != encodes_; });
}

std::size_t LineProtocolEncoder::cached_bytes() const {
  std::size_t bytes = 0;
  for (const auto& [layout, heads] : heads_) {
    bytes += sizeof(Heads) + heads.text.capacity() + heads.ends.capacity() * sizeof(std::size_t);
  }
  return bytes;
}

}  // namespace virtmeter
