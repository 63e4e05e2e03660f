#include "base/memory_file_system.h"

#include <algorithm>
#include <cstring>

namespace virtmeter {
namespace {

std::string folder_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

Error no_such_file(const std::string& path) { return {Errc::not_found, path + ": no such file", ""}; }

}  // namespace

class MemoryFile final : public File {
 public:
  using Operation = MemoryFileSystem::Operation;
  using Node = MemoryFileSystem::Node;

  MemoryFile(MemoryFileSystem& files, std::shared_ptr<Node> node, std::string path)
      : files_(files), node_(std::move(node)), path_(std::move(path)) {}
  ~MemoryFile() override {
    if (holds_lock_) node_->locked = false;
  }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  Result<std::size_t> read_at(std::span<char> into, std::uint64_t offset) override {
    if (Status status = files_.begin(Operation::read, path_); !status) return std::move(status).error();
    if (offset >= node_->bytes.size()) return std::size_t{0};
    const std::size_t size = std::min(into.size(), node_->bytes.size() - offset);
    std::memcpy(into.data(), node_->bytes.data() + offset, size);
    return size;
  }

  Status write_at(std::string_view bytes, std::uint64_t offset) override {
    Status status = files_.begin(Operation::write, path_);
    if (files_.frozen_) return status;
    const std::uint64_t end = offset + bytes.size();
    const std::uint64_t growth = end > node_->bytes.size() ? end - node_->bytes.size() : 0;
    if (status && growth > 0 && files_.used_bytes() + growth > files_.capacity_bytes_)
      status = Error{Errc::limit, "write " + path_ + ": no space left", ""};
    if (!status) bytes = bytes.substr(0, bytes.size() / 2);
    if (bytes.empty()) return status;
    if (node_->bytes.size() < offset + bytes.size()) node_->bytes.resize(offset + bytes.size());
    std::memcpy(node_->bytes.data() + offset, bytes.data(), bytes.size());
    return status;
  }

  Status sync() override {
    if (Status status = files_.begin(Operation::sync, path_); !status) return status;
    if (!files_.frozen_) node_->synced = node_->bytes;
    return Status::ok();
  }

  Status reserve(std::uint64_t bytes) override {
    if (Status status = files_.begin(Operation::reserve, path_); !status) return status;
    if (files_.used_bytes() + bytes > files_.capacity_bytes_ + node_->bytes.size())
      return Error{Errc::limit, "reserve room for " + path_ + ": no space left", ""};
    return Status::ok();
  }

  Status release_reserved() override { return files_.begin(Operation::reserve, path_); }

  Result<std::uint64_t> size() override {
    if (Status status = files_.begin(Operation::read, path_); !status) return std::move(status).error();
    return std::uint64_t{node_->bytes.size()};
  }

  Status lock() override {
    if (Status status = files_.begin(Operation::lock, path_); !status) return status;
    if (node_->locked && !holds_lock_) return Error{Errc::unavailable, "lock " + path_ + ": held", ""};
    node_->locked = true;
    holds_lock_ = true;
    return Status::ok();
  }

 private:
  MemoryFileSystem& files_;
  const std::shared_ptr<Node> node_;
  const std::string path_;
  bool holds_lock_ = false;
};

void MemoryFileSystem::fail(Fault fault) {
  fault_ = fault;
  fault_seen_ = 0;
}

Status MemoryFileSystem::begin(Operation operation, const std::string& path) {
  if (operations_++ >= freeze_at_) frozen_ = true;
  if (!fault_ || (fault_->only && *fault_->only != operation)) return Status::ok();
  const std::uint64_t number = fault_seen_++;
  if (number < fault_->first || number - fault_->first >= fault_->count) return Status::ok();
  return Error{fault_->code, path + ": made to fail", ""};
}

std::uint64_t MemoryFileSystem::used_bytes() const {
  std::uint64_t used = 0;
  for (const auto& [path, node] : names_) used += node->bytes.size();
  return used;
}

Result<std::unique_ptr<File>> MemoryFileSystem::open(const std::string& path, OpenMode mode) {
  if (Status status = begin(Operation::open, path); !status) return std::move(status).error();
  auto found = names_.find(path);
  if (mode == OpenMode::create_new && found != names_.end())
    return Error{Errc::io, "open " + path + ": exists", ""};
  if (found == names_.end()) {
    if (mode == OpenMode::read || !folders_.contains(folder_of(path))) return no_such_file(path);
    auto node = std::make_shared<Node>();
    if (frozen_) return std::unique_ptr<File>(std::make_unique<MemoryFile>(*this, node, path));
    found = names_.emplace(path, std::move(node)).first;
  }
  return std::unique_ptr<File>(std::make_unique<MemoryFile>(*this, found->second, path));
}

Status MemoryFileSystem::make_folder(const std::string& path) {
  if (Status status = begin(Operation::change_name, path); !status) return status;
  if (!frozen_) folders_[path] = true;
  return Status::ok();
}

Result<std::vector<FolderEntry>> MemoryFileSystem::list(const std::string& folder, std::size_t limit) {
  if (Status status = begin(Operation::list, folder); !status) return std::move(status).error();
  if (!folders_.contains(folder)) return no_such_file(folder);
  std::vector<FolderEntry> entries;
  for (const auto& [path, is_made] : folders_) {
    if (folder_of(path) == folder && entries.size() < limit)
      entries.push_back({path.substr(folder.size() + 1), 0, false});
  }
  for (const auto& [path, node] : names_) {
    if (folder_of(path) == folder && entries.size() < limit)
      entries.push_back({path.substr(folder.size() + 1), node->bytes.size(), true});
  }
  return entries;
}

Status MemoryFileSystem::rename(const std::string& from, const std::string& to) {
  if (Status status = begin(Operation::change_name, from); !status) return status;
  const auto found = names_.find(from);
  if (found == names_.end()) return no_such_file(from);
  if (frozen_) return Status::ok();
  names_[to] = found->second;
  names_.erase(from);
  return Status::ok();
}

Status MemoryFileSystem::remove(const std::string& path) {
  if (Status status = begin(Operation::change_name, path); !status) return status;
  if (!names_.contains(path)) return no_such_file(path);
  if (!frozen_) names_.erase(path);
  return Status::ok();
}

Status MemoryFileSystem::sync_folder(const std::string& path) {
  if (Status status = begin(Operation::sync_folder, path); !status) return status;
  if (frozen_) return Status::ok();
  std::erase_if(synced_names_, [&](const auto& entry) { return folder_of(entry.first) == path; });
  for (const auto& [name, node] : names_) {
    if (folder_of(name) == path) synced_names_[name] = node;
  }
  return Status::ok();
}

Result<DiskSpace> MemoryFileSystem::space(const std::string& path) {
  if (Status status = begin(Operation::space, path); !status) return std::move(status).error();
  const std::uint64_t used = used_bytes();
  return DiskSpace{capacity_bytes_, capacity_bytes_ > used ? capacity_bytes_ - used : 0};
}

void MemoryFileSystem::cut_power() {
  names_ = synced_names_;
  for (const auto& [path, node] : names_) node->bytes = node->synced;
}

std::string* MemoryFileSystem::bytes_of(const std::string& path) {
  const auto found = names_.find(path);
  return found == names_.end() ? nullptr : &found->second->bytes;
}

void MemoryFileSystem::put(const std::string& path, std::string bytes) {
  auto node = std::make_shared<Node>();
  node->bytes = bytes;
  node->synced = std::move(bytes);
  folders_[folder_of(path)] = true;
  names_[path] = node;
  synced_names_[path] = node;
}

std::vector<std::string> MemoryFileSystem::paths() const {
  std::vector<std::string> all;
  for (const auto& [path, node] : names_) all.push_back(path);
  return all;
}

}  // namespace virtmeter
