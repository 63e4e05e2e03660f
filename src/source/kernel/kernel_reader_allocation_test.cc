// Counts operator new: a cycle in which no VM changes allocates nothing, on the machine's own files and
// sockets.
#include <gtest/gtest.h>

#include <algorithm>

#include "base/test_counting_new.h"
#include "source/kernel/kernel_reader.h"
#include "source/kernel/test_links.h"

namespace virtmeter {
namespace {

TEST(LinkTableAllocation, AQuietHostCostsNone) {
  SystemLinkPort port;
  LinkTable table(port);
  for (int i = 0; i < 3; ++i) table.refresh();
  test::start_counting_allocations();
  for (int i = 0; i < 10; ++i) table.refresh();
  EXPECT_EQ(test::stop_counting_allocations(), 0u);
}

// This test program plays the process of a VM: only the words it is found by are made up.
class OwnProcess final : public KernelFiles {
 public:
  static constexpr const char* kUuid = "0123abcd-4567-89ef-fedc-ba9876543210";

  Opened open(Handle folder, const char* path) override {
    const std::string_view name(path);
    if (name.ends_with("/web.pid")) return system_.open(kNone, "/proc/self/stat");
    const Opened opened = system_.open(folder, path);
    if (name == "cmdline") command_line_ = opened.handle;
    return opened;
  }
  Opened open_folder(Handle folder, const char* path) override { return system_.open_folder(folder, path); }
  void close(Handle handle) override {
    if (handle == command_line_) command_line_ = kNone;
    system_.close(handle);
  }
  Read read(Handle file, std::span<char> into) override {
    if (file == command_line_) return give(command_line(), into);
    const Read read = system_.read(file, into);
    // The pid file holds the first word only.
    const std::string_view text(into.data(), read.size);
    return into.size() == 32 ? Read{text.find(' '), Trouble::none} : read;
  }
  Trouble list_numbers(Handle folder, std::vector<std::uint32_t>& into) override {
    return system_.list_numbers(folder, into);
  }
  std::optional<std::uint64_t> inode(Handle folder, const char* path) override {
    return system_.inode(folder, path);
  }

 private:
  static std::string command_line() {
    std::string words = "qemu|-name|guest=web|-uuid|" + std::string(kUuid) + "|";
    std::replace(words.begin(), words.end(), '|', '\0');
    return words;
  }
  static Read give(std::string_view text, std::span<char> into) {
    text.copy(into.data(), into.size());
    return {text.size(), Trouble::none};
  }

  SystemKernelFiles system_;
  Handle command_line_ = kNone;
};

TEST(KernelReaderAllocation, AVmThatDoesNotChangeCostsNone) {
  OwnProcess files;
  SystemLinkPort links;
  ManualClock clock;
  KernelReaderOptions options;
  options.files_max = 100;
  KernelReader reader(options, files, links, clock);
  auto layout = std::make_shared<VmLayout>();
  layout->uuid = parse_uuid(OwnProcess::kUuid).value();
  layout->domain_id = 1;
  layout->name = "web";
  VmSample sample;
  bool is_covered = true;
  const auto cycle = [&] {
    begin_sample(sample, layout);
    reader.begin_cycle();
    is_covered = is_covered && reader.read(sample).resident;
    reader.end_cycle();
    clock.advance(std::chrono::seconds(5));
  };
  // Two rounds of looking at all threads again.
  for (int i = 0; i < 150; ++i) cycle();
  test::start_counting_allocations();
  for (int i = 0; i < 100; ++i) cycle();
  const std::uint64_t allocations = test::stop_counting_allocations();
  EXPECT_TRUE(is_covered);
  EXPECT_EQ(allocations, 0u);
}

}  // namespace
}  // namespace virtmeter
