#include "sink/suspects.h"

#include <algorithm>
#include <functional>

namespace virtmeter {
namespace {

std::size_t hash_of(std::string_view line) { return std::hash<std::string_view>{}(series_of(line)); }

}  // namespace

std::string_view series_of(std::string_view line) {
  for (std::size_t at = 0; at < line.size(); ++at) {
    if (line[at] == '\\') {
      ++at;
    } else if (line[at] == ' ') {
      return line.substr(0, at);
    }
  }
  return line;
}

void Suspects::add(std::string_view line) {
  const std::size_t hash = hash_of(line);
  if (!hashes_.insert(hash).second) return;
  order_.push_back(hash);
  if (order_.size() <= kSeriesMax) return;
  hashes_.erase(order_.front());
  order_.pop_front();
}

void Suspects::remove(std::string_view line) {
  const std::size_t hash = hash_of(line);
  if (hashes_.erase(hash) > 0) std::erase(order_, hash);
}

std::vector<std::uint64_t> Suspects::among(const Batch& batch) const {
  std::vector<std::uint64_t> indexes;
  if (hashes_.empty()) return indexes;
  std::uint64_t index = 0;
  for (std::size_t at = 0; at < batch.bytes.size(); ++index) {
    const std::size_t end = std::min(batch.bytes.find('\n', at), batch.bytes.size());
    if (hashes_.contains(hash_of(batch.bytes.substr(at, end - at)))) indexes.push_back(index);
    at = end + 1;
  }
  return indexes;
}

}  // namespace virtmeter
