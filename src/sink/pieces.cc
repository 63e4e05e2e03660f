#include "sink/pieces.h"

namespace virtmeter {

void Pieces::halve() {
  const std::uint64_t lines = sizes_.back();
  sizes_.back() = lines / 2;
  sizes_.push_back(lines - lines / 2);
}

std::vector<std::uint64_t> Pieces::cuts(std::span<const std::uint64_t> indexes) const {
  std::vector<std::uint64_t> cuts;
  std::uint64_t begin = 0;
  for (const std::uint64_t index : indexes) {
    if (index > begin) cuts.push_back(index - begin);
    cuts.push_back(1);
    begin = index + 1;
  }
  if (begin < sizes_.back()) cuts.push_back(sizes_.back() - begin);
  return cuts;
}

std::size_t Pieces::pieces_of_isolation(std::span<const std::uint64_t> indexes) const {
  return cuts(indexes).size();
}

std::size_t Pieces::isolate(std::span<const std::uint64_t> indexes) {
  const std::vector<std::uint64_t> parts = cuts(indexes);
  sizes_.pop_back();
  sizes_.insert(sizes_.end(), parts.rbegin(), parts.rend());
  return parts.size();
}

}  // namespace virtmeter
