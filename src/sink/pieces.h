// Pieces: what is still to be sent of the batch in flight, from left to right, so that what is not settled
// yet is always its end. Begins as one piece and is cut where bad lines are looked for. Plain arithmetic. Not
// thread-safe.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace virtmeter {

class Pieces {
 public:
  explicit Pieces(std::uint64_t line_count) : sizes_{line_count} {}

  bool empty() const { return sizes_.empty(); }

  // Lines of the piece that is sent next.
  std::uint64_t next() const { return sizes_.back(); }

  // The next piece is settled.
  void done() { sizes_.pop_back(); }

  // The next piece, which has more than one line, in two.
  void halve();

  // The next piece, which has more than one line, cut so that each of the lines `indexes` (in order, each
  // once, all in the piece) is alone. Returns how many pieces that made.
  std::size_t isolate(std::span<const std::uint64_t> indexes);

  // How many pieces isolate() would make.
  std::size_t pieces_of_isolation(std::span<const std::uint64_t> indexes) const;

 private:
  // The sizes of those pieces, in order.
  std::vector<std::uint64_t> cuts(std::span<const std::uint64_t> indexes) const;

  std::vector<std::uint64_t> sizes_;  // The next one last.
};

}  // namespace virtmeter
