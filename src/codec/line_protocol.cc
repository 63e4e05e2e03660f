#include "codec/line_protocol.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <type_traits>
#include <unordered_map>

#include "base/check.h"
#include "codec/decimal.h"
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
};

constexpr bool all_integers(Line line) {
  for (MetricId id = line_rows(line).first; id < line_rows(line).end; ++id) {
    if (metric(id).type != Type::integer) return false;
  }
  return true;
}

constexpr bool texts_are_labels() {
  return std::all_of(kCatalog.begin(), kCatalog.end(), [](const Metric& row) {
    return row.type != Type::text || row.origin.how == How::label;
  });
}
static_assert(texts_are_labels(), "the only texts are names of codes");

template <Scope S>
void put_integer(Cursor& cursor, MetricId id, const Values<S>& values, MissingPolicy missing) {
  if (missing == MissingPolicy::omit && !values.has(id)) return;
  cursor.put(kKeys[id]);
  cursor.at = put_decimal(cursor.at, values.integer_or_remainder(id));
  *cursor.at++ = 'i';
}

// Never filled with zero: a trend or latency that is not known is not 0. No server takes inf or nan.
template <Scope S>
void put_real(Cursor& cursor, MetricId id, const Values<S>& values, LastReals& last_reals) {
  const auto value = values.real(id);
  if (!value || !std::isfinite(*value)) return;
  cursor.put(kKeys[id]);
  LastReals::Text& last = last_reals.of(id);
  const auto bits = std::bit_cast<std::uint64_t>(*value);
  if (last.length == 0 || last.bits != bits) {
    last.bits = bits;
    const char* const end = std::to_chars(last.text.data(), last.text.data() + last.text.size(), *value).ptr;
    last.length = static_cast<std::size_t>(end - last.text.data());
  }
  std::memcpy(cursor.at, last.text.data(), last.text.size());
  cursor.at += last.length;
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
  LastReals& last_reals;
};

// A line kind as an argument.
template <Line L>
inline constexpr std::integral_constant<Line, L> kLine{};

// Returns how many lines were written: 1, or 0 where no field was.
template <Line L, Scope S>
std::size_t put_line(Cursor& cursor, const LineFrame& frame, const Values<S>& values) {
  constexpr RowRange kRows = line_rows(L);
  char* const start = cursor.at;
  cursor.put(frame.head);
  char* const fields = cursor.at;
  for (MetricId id = kRows.first; id < kRows.end; ++id) {
    if (all_integers(L) || metric(id).type == Type::integer) {
      put_integer(cursor, id, values, frame.missing);
    } else if (metric(id).type == Type::real) {
      put_real(cursor, id, values, frame.last_reals);
    } else if constexpr (S == Scope::vm || S == Scope::health) {
      put_label(cursor, id, values, frame.missing);
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
  out.reserve(out.size() + bytes_last_);
  return encode_to(cycle, out, nullptr);
}

std::size_t LineProtocolEncoder::encode_pieces(const Cycle& cycle, std::string& piece,
                                               const TakePiece& take) {
  return encode_to(cycle, piece, &take);
}

std::size_t LineProtocolEncoder::encode_to(const Cycle& cycle, std::string& out, const TakePiece* take) {
  if (cycle.host != host_) {
    heads_.clear();
    host_ = cycle.host;
  }
  find_heads(cycle);
  char* const end = put_decimal(timestamp_.data() + 1, cycle.time.unix_ns);
  timestamp_.front() = ' ';
  *end = '\n';
  timestamp_bytes_ = static_cast<std::size_t>(end + 1 - timestamp_.data());

  std::size_t bytes = 0;
  std::size_t lines = 0;
  std::size_t lines_taken = 0;
  for (std::size_t i = 0; i < cycle.vms.size(); ++i) {
    if (i + 2 < cycle.vms.size()) {
      prefetch(cycle.vms[i + 2]);
      for (std::size_t at = 0; at < heads_[i + 2].text.size(); at += 64)
        __builtin_prefetch(heads_[i + 2].text.data() + at);
      __builtin_prefetch(heads_[i + 2].ends.data());
    }
    lines += encode_vm(cycle.vms[i], heads_[i]);
    out.append(scratch_.data(), scratch_bytes_);
    bytes += scratch_bytes_;
    if (take == nullptr || out.size() < kPieceBytes) continue;
    (*take)(out, lines - lines_taken);
    lines_taken = lines;
    out.clear();
  }
  lines += encode_collector(cycle.collector);
  out.append(scratch_.data(), scratch_bytes_);
  bytes_last_ = bytes + scratch_bytes_;
  if (take != nullptr) (*take)(out, lines - lines_taken);
  return lines;
}

// Makes heads_ those of the cycle's VMs, in their order. As a rule they are.
void LineProtocolEncoder::find_heads(const Cycle& cycle) {
  std::size_t same = 0;
  while (same < cycle.vms.size() && same < heads_.size() && heads_[same].layout == cycle.vms[same].layout)
    ++same;
  if (same == cycle.vms.size() && same == heads_.size()) return;
  std::unordered_map<const VmLayout*, Heads> others;
  for (std::size_t i = same; i < heads_.size(); ++i)
    others.try_emplace(heads_[i].layout.get(), std::move(heads_[i]));
  heads_.resize(same);
  heads_.reserve(cycle.vms.size());
  for (std::size_t i = same; i < cycle.vms.size(); ++i) {
    const auto& layout = cycle.vms[i].layout;
    CHECK(layout != nullptr);
    auto known = others.extract(layout.get());
    heads_.push_back(known.empty() ? build(layout) : std::move(known.mapped()));
  }
}

LineProtocolEncoder::Heads LineProtocolEncoder::build(const std::shared_ptr<const VmLayout>& of) const {
  Heads heads;
  heads.layout = of;
  const VmLayout& layout = *of;
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
  return heads;
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
  LineFrame frame{"", {timestamp_.data(), timestamp_bytes_}, options_.missing, last_reals_};
  std::size_t place = 0;
  std::size_t start = 0;
  const auto put = [&]<Line L>(std::integral_constant<Line, L>, const auto& values) {
    const std::size_t end = heads.ends[place++];
    frame.head = std::string_view(heads.text).substr(start, end - start);
    start = end;
    return put_line<L>(cursor, frame, values);
  };
  std::size_t lines = put(kLine<Line::vm_metrics>, vm.values);
  lines += put(kLine<Line::vm_features>, vm.values);
  for (const NicValues& nic : vm.nics) lines += put(kLine<Line::nic>, nic);
  for (const DiskValues& disk : vm.disks) lines += put(kLine<Line::disk>, disk);
  lines += put(kLine<Line::vm_totals>, vm.values);
  // Says only what is known, and nothing of a VM that is well.
  frame.missing = MissingPolicy::omit;
  lines += put(kLine<Line::vm_health>, vm.health);
  scratch_bytes_ = static_cast<std::size_t>(cursor.at - scratch_.data());
  return lines;
}

std::size_t LineProtocolEncoder::encode_collector(const CollectorValues& values) {
  constexpr std::string_view kHead = info(Line::collector_latency).measurement;
  make_room(kHead.size() + line_bytes_max(Line::collector_latency));
  Cursor cursor{scratch_.data()};
  const LineFrame frame{kHead, {timestamp_.data(), timestamp_bytes_}, options_.missing, last_reals_};
  const std::size_t lines = put_line<Line::collector_latency>(cursor, frame, values);
  scratch_bytes_ = static_cast<std::size_t>(cursor.at - scratch_.data());
  return lines;
}

std::size_t LineProtocolEncoder::cached_bytes() const {
  std::size_t bytes = 0;
  for (const Heads& heads : heads_) {
    bytes += sizeof(Heads) + heads.text.capacity() + heads.ends.capacity() * sizeof(std::size_t);
  }
  return bytes;
}

}  // namespace virtmeter
