// Whatever strangers call their VMs and devices, a cycle is exactly its lines, and a name is read back as the
// policy stores it.
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <random>

#include "base/text.h"
#include "codec/line_protocol.h"
#include "codec/line_protocol_decoder.h"
#include "codec/line_writer.h"
#include "codec/test_cycle.h"
#include "codec/test_policy.h"

namespace virtmeter {
namespace {

class Hostile {
 public:
  explicit Hostile(std::uint32_t seed) : random_(seed) {}

  std::size_t below(std::size_t limit) {
    return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random_);
  }

  std::string name() {
    static const std::vector<std::string> kAtoms = {"\n",
                                                    "\r",
                                                    "\r\n",
                                                    "\t",
                                                    ",",
                                                    "=",
                                                    " ",
                                                    "  ",
                                                    "\"",
                                                    "\\",
                                                    "\\\\",
                                                    "\\,",
                                                    "\\ ",
                                                    "\\=",
                                                    "\\\"",
                                                    "\\\n",
                                                    "#",
                                                    "::",
                                                    ":",
                                                    "a",
                                                    "web",
                                                    "time",
                                                    "db",
                                                    "__name__",
                                                    "42i",
                                                    "\x01",
                                                    "\x7f",
                                                    "\xff",
                                                    "\xc3",
                                                    "\xed\xa0\x80",
                                                    "é",
                                                    "\u00a0",
                                                    "\u0085",
                                                    "\u2028",
                                                    "\u202e",
                                                    "\ufeff",
                                                    "שלום",
                                                    "\U0001F600",
                                                    "\xf4\x90\x80\x80",
                                                    "'",
                                                    std::string(1, '\0'),
                                                    "/",
                                                    "_",
                                                    "vm_metrics,VMID=1 state=1i 1\n"};
    std::string out;
    const std::size_t atom_count = below(20) == 0 ? 300 : below(12);
    for (std::size_t i = 0; i < atom_count; ++i) out += kAtoms[below(kAtoms.size())];
    if (below(50) == 0) out.append(300, 'x');
    return out;
  }

 private:
  std::mt19937 random_;
};

using Tags = std::vector<std::pair<std::string, std::string>>;

void add(Tags& tags, std::string key, const std::string& value) {
  if (!value.empty()) tags.emplace_back(std::move(key), value);
}

Tags wanted_tags(const VmLayout& layout, Line line, const std::string& device) {
  Tags tags = {{"VMID", std::to_string(layout.domain_id)}};
  add(tags, "device", test::policy_tag_value(device));
  add(tags, "devtype", std::string(info(line).devtype));
  add(tags, "host", "kvm1");
  add(tags, "name", test::policy_tag_value(layout.name));
  add(tags, "uuid", layout.uuid_text);
  return tags;
}

struct WantedLine {
  Line line;
  std::string device;
};

void check_line(std::string_view text, const VmLayout& layout, const WantedLine& want) {
  const Result<Point> point = decode_line(text);
  ASSERT_TRUE(point) << point.error().message << ": " << printable(text, 2000);
  EXPECT_EQ(point->measurement, info(want.line).measurement);
  EXPECT_EQ(point->tags, wanted_tags(layout, want.line, want.device)) << printable(text, 2000);
  EXPECT_EQ(point->time, test::kTime.unix_ns);
  ASSERT_EQ(point->fields.size(), line_rows(want.line).size());
  for (std::size_t i = 0; i < point->fields.size(); ++i) {
    EXPECT_EQ(point->fields[i].first, metric(static_cast<MetricId>(line_rows(want.line).first + i)).name);
  }
}

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = text.find('\n', start);
    lines.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  return lines;
}

TEST(LineProtocolProperty, AHostileNameIsReadBackAsThePolicyStoresIt) {
  Hostile hostile(20231114);
  LineProtocolEncoder encoder({});
  std::string out;
  for (int round = 0; round < 3000; ++round) {
    const auto layout = test::make_layout({.domain_id = round,
                                           .name = hostile.name(),
                                           .nics = {hostile.name(), hostile.name()},
                                           .disks = {hostile.name()}});
    Cycle cycle = test::make_cycle({test::make_vm(layout)});
    cycle.host = "kvm1";
    out.clear();
    ASSERT_EQ(encoder.encode(cycle, out), 6u);
    const std::vector<std::string> lines = split(out);
    ASSERT_EQ(lines.size(), 6u) << printable(out, 4000);
    check_line(lines[0], *layout, {Line::vm_metrics, ""});
    check_line(lines[1], *layout, {Line::nic, layout->nics[0]});
    check_line(lines[2], *layout, {Line::nic, layout->nics[1]});
    check_line(lines[3], *layout, {Line::disk, layout->disks[0]});
    check_line(lines[4], *layout, {Line::vm_totals, ""});
    ASSERT_TRUE(lines[5].starts_with("collector_latency "));
    if (HasFailure()) return;
  }
}

// A value of every type, the strings hostile.
FieldValue random_value(Hostile& hostile) {
  switch (hostile.below(4)) {
    case 0:
      return static_cast<std::int64_t>(hostile.below(SIZE_MAX));
    case 1:
      return static_cast<double>(hostile.below(SIZE_MAX)) / static_cast<double>(hostile.below(1000) + 1);
    case 2:
      return hostile.below(2) == 0;
    default:
      return hostile.name();
  }
}

struct RandomPoint {
  std::string measurement;
  Tags tags;
  std::vector<std::pair<std::string, FieldValue>> fields;
};

RandomPoint random_point(Hostile& hostile) {
  RandomPoint point;
  point.measurement = hostile.name();
  for (std::size_t i = hostile.below(4); i > 0; --i) point.tags.emplace_back(hostile.name(), hostile.name());
  for (std::size_t i = hostile.below(4); i > 0; --i)
    point.fields.emplace_back(hostile.name(), random_value(hostile));
  return point;
}

FieldValueView view_of(const FieldValue& value) {
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return *integer;
  if (const auto* real = std::get_if<double>(&value)) return *real;
  if (const auto* boolean = std::get_if<bool>(&value)) return *boolean;
  return std::string_view(std::get<std::string>(value));
}

std::string written(const RandomPoint& point) {
  std::vector<TagView> tags;
  for (const auto& [key, value] : point.tags) tags.push_back({key, value});
  std::vector<FieldView> fields;
  for (const auto& [key, value] : point.fields) fields.push_back({key, view_of(value)});
  std::string out;
  append_line(out, {point.measurement, tags, fields, test::kTime});
  return out;
}

// The point as the policy stores it; no fields: there is no line.
Point wanted(const RandomPoint& point) {
  Point want;
  want.measurement = test::policy_measurement(point.measurement);
  want.time = test::kTime.unix_ns;
  const auto has = [](const auto& list, const std::string& key) {
    return std::any_of(list.begin(), list.end(), [&](const auto& entry) { return entry.first == key; });
  };
  for (const auto& [key, value] : point.tags) {
    const std::string stored = test::policy_tag_key(key);
    if (!key.empty() && !value.empty() && !has(want.tags, stored)) {
      want.tags.emplace_back(stored, test::policy_tag_value(value));
    }
  }
  std::sort(want.tags.begin(), want.tags.end());
  for (const auto& [key, value] : point.fields) {
    const std::string stored = test::policy_field_key(key);
    if (key.empty() || has(want.fields, stored)) continue;
    const auto* text = std::get_if<std::string>(&value);
    want.fields.emplace_back(stored, text == nullptr ? value : FieldValue(test::policy_string(*text)));
  }
  if (want.measurement.empty()) want.fields.clear();
  return want;
}

TEST(LineProtocolProperty, AHostilePointIsReadBackAsThePolicyStoresIt) {
  Hostile hostile(42);
  int line_count = 0;
  for (int round = 0; round < 3000; ++round) {
    const RandomPoint point = random_point(hostile);
    const std::string line = written(point);
    const Point want = wanted(point);
    ASSERT_EQ(line.empty(), want.fields.empty()) << printable(line, 2000);
    if (line.empty()) continue;
    ASSERT_EQ(std::count(line.begin(), line.end(), '\n'), 1) << printable(line, 2000);
    ASSERT_EQ(line.back(), '\n');
    const Result<Point> read = decode_line(line);
    ASSERT_TRUE(read) << read.error().message << ": " << printable(line, 2000);
    ASSERT_EQ(*read, want) << printable(line, 2000);
    ++line_count;
  }
  EXPECT_GT(line_count, 1500);
}

// Every real is read back bit by bit.
TEST(LineProtocolProperty, ARealIsReadBackExactly) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 20'000; ++round) {
    const double value = std::bit_cast<double>(random());
    if (!std::isfinite(value)) continue;
    const FieldView field{"v", value};
    std::string line;
    ASSERT_TRUE(append_line(line, {"m", {}, {&field, 1}, test::kTime}));
    const Result<Point> read = decode_line(line);
    ASSERT_TRUE(read) << line;
    ASSERT_EQ(std::bit_cast<std::uint64_t>(std::get<double>(read->fields[0].second)),
              std::bit_cast<std::uint64_t>(value))
        << line;
  }
}

}  // namespace
}  // namespace virtmeter
