#include "codec/schema.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "model/catalog.h"

namespace virtmeter {
namespace {

using nlohmann::json;

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

bool has_line(const std::string& text, const std::string& line) {
  return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

// The first line that begins with the words, its runs of spaces made one.
std::string squeezed_line(const std::string& text, const std::string& words) {
  for (const std::string& line : lines_of(text)) {
    std::string squeezed;
    for (const char c : line) {
      if (c != ' ' || !squeezed.ends_with(' ')) squeezed += c;
    }
    if (squeezed.starts_with(words)) return squeezed;
  }
  return "none";
}

TEST(SchemaTable, HasALineForEveryRowOfTheCatalog) {
  const std::vector<std::string> lines = lines_of(schema_table());
  ASSERT_EQ(lines.size(), 1 + kMetricCount + 2 + 7);
  EXPECT_EQ(squeezed_line(schema_table(), "MEASUREMENT"),
            "MEASUREMENT DEVTYPE FIELD TYPE UNIT KIND SOURCE SINCE HELP");
  EXPECT_EQ(squeezed_line(schema_table(), "vm_metrics - cputime_ns"),
            "vm_metrics - cputime_ns int ns counter cgroup or /proc/<pid>/stat utime+stime, else cpu.time, "
            "else info.cpuTime 6.0 "
            "CPU time used by the VM since it was started.");
  EXPECT_EQ(squeezed_line(schema_table(), "vm_devices disk errors"),
            "vm_devices disk errors int errors counter block.<n>.errors, else block.errs 6.0 "
            "Disk errors; QEMU does not count them.");
  EXPECT_EQ(squeezed_line(schema_table(), "vm_totals - net_rxbytes"),
            "vm_totals - net_rxbytes int bytes counter sum of nic.rxbytes - Bytes received, over all NICs.");
}

TEST(SchemaTable, AlignsItsColumns) {
  const std::vector<std::string> lines = lines_of(schema_table());
  const std::size_t help = lines[0].find("HELP");
  for (std::size_t i = 0; i <= kMetricCount; ++i) {
    ASSERT_GT(lines[i].size(), help) << lines[i];
    EXPECT_EQ(lines[i].substr(help - 2, 2), "  ") << lines[i];
    EXPECT_NE(lines[i][help], ' ') << lines[i];
    EXPECT_NE(lines[i].back(), ' ') << lines[i];
  }
}

TEST(SchemaTable, NamesTheTagsOfEachMeasurement) {
  EXPECT_TRUE(
      schema_table().ends_with("\nTAGS\n"
                               "vm_metrics: VMID, host, name, uuid\n"
                               "vm_features: VMID, host, name, uuid\n"
                               "vm_devices: VMID, device, devtype, host, name, uuid\n"
                               "vm_totals: VMID, host, name, uuid\n"
                               "vm_health: VMID, host, name, uuid\n"
                               "collector_latency: none\n"
                               "collector_stats: host, sink\n"));
}

TEST(SchemaJson, HasEveryMeasurementTagAndField) {
  const json schema = json::parse(schema_json());
  std::vector<std::string> names;
  std::size_t field_count = 0;
  for (const json& measurement : schema["measurements"]) {
    names.push_back(measurement["measurement"]);
    field_count += measurement["fields"].size();
  }
  EXPECT_EQ(names, (std::vector<std::string>{"vm_metrics", "vm_features", "vm_devices", "vm_totals",
                                             "vm_health", "collector_latency", "collector_stats"}));
  EXPECT_EQ(field_count, kMetricCount);
  EXPECT_EQ(schema["measurements"][0]["fields"][4],
            json::parse(R"({"field":"cputime_ns","type":"int","unit":"ns",
      "kind":"counter","source":"cgroup or /proc/<pid>/stat utime+stime, else cpu.time, else info.cpuTime","since":"6.0",
      "help":"CPU time used by the VM since it was started."})"));
  EXPECT_EQ(schema["measurements"][2]["fields"][0]["devtype"], "nic");
  EXPECT_EQ(schema["measurements"][2]["tags"][1]["tag"], "device");
  EXPECT_EQ(schema["measurements"][5]["tags"], json::array());
}

TEST(SchemaMarkdown, HasASectionForEachMeasurement) {
  std::vector<std::string> titles;
  for (const std::string& line : lines_of(schema_markdown())) {
    if (line.starts_with('#')) titles.push_back(line);
  }
  EXPECT_EQ(titles, (std::vector<std::string>{"# Metrics", "## vm_metrics", "## vm_features", "## vm_devices",
                                              "## vm_totals", "## vm_health", "## collector_latency",
                                              "## collector_stats", "## Tags"}));
}

TEST(SchemaMarkdown, HasARowForEachField) {
  const std::string text = schema_markdown();
  EXPECT_TRUE(has_line(text, "| field | type | unit | kind | source | since | help |"));
  EXPECT_TRUE(has_line(
      text,
      "| `memrss` | int | KiB | gauge | /proc/\\<pid>/stat rss, else balloon.rss, else memory.rss | 6.0 | "
      "Memory of the VM's process resident on the host; without hugetlbfs. |"));
  EXPECT_TRUE(has_line(
      text,
      "| `nic` | `rxbytes` | int | bytes | counter | RTM_GETSTATS tx_bytes, else net.\\<n>.rx.bytes, else "
      "interface.rx_bytes | 6.0 | Bytes the guest received. |"));
  EXPECT_TRUE(has_line(text, "| `uuid` | UUID of the VM. |"));
  for (const Metric& row : kCatalog)
    EXPECT_NE(text.find("| `" + std::string(row.name) + "` |"), std::string::npos);
}

TEST(SchemaMarkdown, SaysTheTagsOfEachMeasurement) {
  EXPECT_TRUE(has_line(schema_markdown(), "Tags: `VMID`, `device`, `devtype`, `host`, `name`, `uuid`."));
  EXPECT_TRUE(has_line(schema_markdown(), "Tags: none."));
}

// A table whose rows differ in cells is not shown as one.
TEST(SchemaMarkdown, GivesEveryRowOfATableAsManyCells) {
  std::ptrdiff_t cells = 0;
  for (const std::string& line : lines_of(schema_markdown())) {
    const std::ptrdiff_t bars = std::count(line.begin(), line.end(), '|');
    EXPECT_TRUE(bars == 0 || cells == 0 || bars == cells) << line;
    cells = bars;
  }
}

}  // namespace
}  // namespace virtmeter
