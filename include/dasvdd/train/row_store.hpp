#pragma once
/// \file
/// Rows of either type in memory of their own, and what copies them there from a source.

#include <dasvdd/core/memory.hpp>
#include <dasvdd/core/row_source.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// Copies of rows, one behind the other, in the type they came in.
class RowStore {
 public:
  Index count() const { return count_; }
  bool wide() const { return wide_; }
  AnyRows rows() const {
    if (wide_) return {reinterpret_cast<const double*>(bytes_.data()), count_, d_};
    return {reinterpret_cast<const float*>(bytes_.data()), count_, d_};
  }
  const unsigned char* row(Index i) const { return bytes_.data() + at(i); }
  /// Bytes of one row.
  std::size_t size() const { return static_cast<std::size_t>(d_) * (wide_ ? 8 : 4); }

  void clear() { count_ = 0; }
  /// Copies rows behind those that are there, which are of the same width and type.
  void append(const AnyRows& rows) {
    d_ = rows.cols();
    wide_ = rows.wide();
    if (rows.rows() == 0) return;
    const std::size_t end = at(count_ + rows.rows());
    // Never larger than is needed, but for a few growing steps: memory that is not touched is not taken.
    if (end > bytes_.capacity()) bytes_.reserve((std::max)(end, 2 * bytes_.capacity()));
    if (end > bytes_.size()) bytes_.resize(end);
    rows.visit([&](auto some) {
      if (some.stride() == d_) {
        std::memcpy(bytes_.data() + at(count_), some.data(), at(some.rows()));
        return;
      }
      for (Index i = 0; i < some.rows(); ++i) {
        std::memcpy(bytes_.data() + at(count_ + i), some.row(i), size());
      }
    });
    count_ += rows.rows();
  }
  /// Room for so many rows of that kind.
  void reserve(Index count, Index d, bool wide) {
    d_ = d;
    wide_ = wide;
    bytes_.reserve(at(count));
  }
  /// Row i becomes a copy of row j of another store of the same kind.
  void replace(Index i, const RowStore& other, Index j) {
    std::memcpy(bytes_.data() + at(i), other.row(j), size());
  }
  void swap(Index i, Index j) {
    unsigned char* row = bytes_.data() + at(i);
    std::swap_ranges(row, row + size(), bytes_.data() + at(j));
  }

 private:
  std::size_t at(Index i) const { return static_cast<std::size_t>(i) * size(); }

  std::vector<unsigned char> bytes_;
  Index d_ = 0, count_ = 0;
  bool wide_ = false;
};

/// Takes rows of a pass in numbers of its own choice, whatever the blocks are.
class RowReader {
 public:
  explicit RowReader(RowPass pass) : pass_(std::move(pass)) {}

  /// Whether there is another row.
  bool more() {
    if (at_ < block_.rows()) return true;
    if (!ended_) block_ = pass_.next();
    at_ = 0;
    ended_ = block_.rows() == 0;
    return !ended_;
  }
  /// Whether the rows are of double; asked where there is one.
  bool wide() const { return block_.wide(); }
  /// Copies the next `count` rows behind those in `to`; fewer at the end. How many there were.
  Index read(Index count, RowStore& to) {
    Index done = 0;
    while (done < count && more()) {
      const Index part = (std::min)(count - done, block_.rows() - at_);
      to.append(block_.middle_rows(at_, part));
      at_ += part;
      done += part;
    }
    return done;
  }

 private:
  RowPass pass_;
  AnyRows block_{static_cast<const float*>(nullptr), 0, 0};
  Index at_ = 0;
  bool ended_ = false;
};

/// Tells rows from others, within one process: far faster than they are trained on.
inline std::uint64_t hash_of(const RowStore& rows, Index first, Index count) {
  constexpr std::uint64_t factor = 0x9e3779b97f4a7c15u;
  const unsigned char* at = rows.row(first);
  std::size_t left = static_cast<std::size_t>(count) * rows.size();
  std::uint64_t lanes[4] = {1, 2, 3, 4};
  const auto take = [&](std::uint64_t& lane, std::size_t bytes) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, bytes);
    lane = ((lane ^ word) * factor);
    lane ^= lane >> 29;
    at += bytes;
    left -= bytes;
  };
  while (left >= 32) {
    for (std::uint64_t& lane : lanes) take(lane, 8);
  }
  while (left > 0) take(lanes[0], (std::min)(left, std::size_t(8)));
  std::uint64_t hash = static_cast<std::uint64_t>(count);
  for (const std::uint64_t lane : lanes) hash = (hash ^ lane) * factor ^ (hash >> 31);
  return hash;
}

}  // namespace detail
DASVDD_NAMESPACE_END
