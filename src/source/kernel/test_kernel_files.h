// /proc and /sys as a map of texts, for tests. A process that ends, or is replaced under the same number,
// takes along what was opened in its folder, as the kernel does it. Not thread-safe.
#pragma once

#include <algorithm>
#include <charconv>
#include <map>
#include <set>
#include <string>

#include "source/kernel/kernel_files.h"

namespace virtmeter {

class TestKernelFiles final : public KernelFiles {
 public:
  std::map<std::string, std::string> texts;      // By absolute path.
  std::map<std::string, std::uint64_t> inodes;   // By absolute path.
  std::map<std::string, Trouble> troubles;       // What opening this path gives instead.
  std::map<std::string, Trouble> read_troubles;  // What reading it gives, after an open that worked.
  std::size_t open_now = 0;
  std::size_t opens = 0;
  std::size_t reads = 0;
  std::size_t read_bytes_max = SIZE_MAX;  // A kernel that gives less than there is.

  // Adds the process of a VM as libvirt starts it, with one thread for each of `threads`.
  void add_process(std::uint32_t pid, const std::string& uuid, const std::string& name,
                   const std::vector<std::string>& threads = {"CPU 0/KVM"}) {
    const std::string root = "/proc/" + std::to_string(pid);
    set_stat(pid, {});
    texts[root + "/cmdline"] =
        words({"/usr/bin/qemu-system-x86_64", "-name", "guest=" + name + ",debug-threads=on", "-uuid", uuid,
               "-no-user-config"});
    texts[root + "/comm"] = "qemu-system-x86\n";
    texts[root + "/cgroup"] = "0::/\n";
    inodes[root + "/net/dev"] = 1000;
    add_thread(pid, pid, "qemu-system-x86");
    for (std::uint32_t i = 0; i < threads.size(); ++i) add_thread(pid, pid + 1 + i, threads[i]);
  }
  void add_thread(std::uint32_t pid, std::uint32_t tid, const std::string& comm) {
    const std::string root = "/proc/" + std::to_string(pid) + "/task/" + std::to_string(tid);
    texts[root + "/comm"] = comm + "\n";
    texts[root + "/schedstat"] = std::to_string(tid * 1000) + " " + std::to_string(tid) + " 7\n";
    texts[root + "/stat"] = stat_text({});
  }
  struct Stat {
    std::string comm = "qemu-system-x86";
    char state = 'S';
    std::uint32_t parent = 1;
    std::string user = "500", system = "70", threads = "2", start = "4711", rss = "1024";
  };
  static std::string stat_text(const Stat& stat) {
    return "77 (" + stat.comm + ") " + stat.state + " " + std::to_string(stat.parent) +
           " 1 1 0 -1 4194560 33 0 2 0 " + stat.user + " " + stat.system + " 0 0 20 0 " + stat.threads +
           " 0 " + stat.start + " 4096000 " + stat.rss + " 18446744073709551615 1 1 0\n";
  }
  void set_stat(std::uint32_t pid, const Stat& stat) {
    texts["/proc/" + std::to_string(pid) + "/stat"] = stat_text(stat);
  }
  // The process ends; what was opened in its folder stays open and is good for nothing.
  void end_process(std::uint32_t pid) {
    ++lives_[pid];
    const std::string root = "/proc/" + std::to_string(pid) + "/";
    std::erase_if(texts, [&](const auto& entry) { return entry.first.starts_with(root); });
    std::erase_if(inodes, [&](const auto& entry) { return entry.first.starts_with(root); });
  }
  static std::string words(const std::vector<std::string>& all) {
    std::string text;
    for (const std::string& word : all) text.append(word).append(1, '\0');
    return text;
  }

  Opened open(Handle folder, const char* path) override {
    const auto whole = resolve(folder, path);
    if (!whole) return {kNone, Trouble::gone};
    return open_as(*whole, texts.contains(*whole));
  }
  Opened open_folder(Handle folder, const char* path) override {
    const auto whole = resolve(folder, path);
    if (!whole) return {kNone, Trouble::gone};
    const auto first = texts.lower_bound(*whole + "/");
    return open_as(*whole, first != texts.end() && first->first.starts_with(*whole + "/"));
  }
  void close(Handle handle) override {
    handles_.erase(handle);
    --open_now;
  }
  Read read(Handle file, std::span<char> into) override {
    ++reads;
    const Open& open = handles_.at(file);
    if (const auto trouble = read_troubles.find(open.path); trouble != read_troubles.end())
      return {0, trouble->second};
    const auto text = texts.find(open.path);
    if (text == texts.end() || open.life != life_of(open.path)) return {0, Trouble::gone};
    const std::size_t size = std::min({text->second.size(), into.size(), read_bytes_max});
    std::copy_n(text->second.data(), size, into.data());
    return {size, Trouble::none};
  }
  Trouble list_numbers(Handle folder, std::vector<std::uint32_t>& into) override {
    into.clear();
    const Open& open = handles_.at(folder);
    if (open.life != life_of(open.path)) return Trouble::gone;
    std::set<std::uint32_t> found;
    for (const auto& [path, text] : texts) {
      std::uint32_t number = 0;
      if (path.starts_with(open.path + "/")) {
        std::from_chars(path.data() + open.path.size() + 1, path.data() + path.size(), number);
        if (number != 0) found.insert(number);
      }
    }
    into.assign(found.rbegin(), found.rend());
    return Trouble::none;
  }
  std::optional<std::uint64_t> inode(Handle folder, const char* path) override {
    const auto whole = resolve(folder, path);
    const auto found = whole ? inodes.find(*whole) : inodes.end();
    return found == inodes.end() ? std::nullopt : std::optional(found->second);
  }

 private:
  struct Open {
    std::string path;
    int life = 0;
  };

  std::optional<std::string> resolve(Handle folder, const std::string& path) const {
    if (folder == kNone) return path;
    const Open& open = handles_.at(folder);
    if (open.life != life_of(open.path)) return std::nullopt;
    return open.path + "/" + path;
  }
  Opened open_as(const std::string& path, bool exists) {
    ++opens;
    if (const auto trouble = troubles.find(path); trouble != troubles.end()) return {kNone, trouble->second};
    if (!exists) return {kNone, Trouble::gone};
    handles_[next_] = {path, life_of(path)};
    ++open_now;
    return {next_++, Trouble::none};
  }
  int life_of(const std::string& path) const {
    std::uint32_t pid = 0;
    if (path.starts_with("/proc/")) std::from_chars(path.data() + 6, path.data() + path.size(), pid);
    const auto life = lives_.find(pid);
    return pid == 0 || life == lives_.end() ? 0 : life->second;
  }

  std::map<Handle, Open> handles_;
  std::map<std::uint32_t, int> lives_;
  Handle next_ = 100;
};

}  // namespace virtmeter
