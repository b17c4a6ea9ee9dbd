#pragma once
/// \file
/// `Shards`: which rows a rank holds, and sums over all rows that don't depend on the number of ranks.

#include <dasvdd/core/memory.hpp>
#include <dasvdd/core/parallel.hpp>
#include <dasvdd/mpi/ranks.hpp>
#include <dasvdd/mpi/shard_stack.hpp>

#include <cstdint>
#include <type_traits>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// A fixed number of shards S: the n rows, in their order, in S equal parts. Each rank holds neighboring shards.
/// Sums are made within each shard in the rows' order, then over the shards by the tree of shard_stack.hpp.
class Shards {
 public:
  /// \throws InvalidArgument unless `count` is a power of two and no less than the ranks
  Shards(Ranks& ranks, Index count) : ranks_(&ranks), count_(count) {
    ensure(count >= 1 && (count & (count - 1)) == 0, "there are ", count,
           " shards, expected a power of two");
    ensure(ranks.size() <= count, "there are ", ranks.size(), " ranks for ", count,
           " shards, expected no more ranks than shards");
  }

  Ranks& ranks() const { return *ranks_; }
  Index count() const { return count_; }
  /// The shards that a rank holds.
  Range of_rank(int rank) const { return share(count_, rank, ranks_->size()); }
  Range mine() const { return of_rank(ranks_->rank()); }

  /// Says how many rows there are in all.
  void set_rows(Index n) { n_ = n; }
  Index rows() const { return n_; }
  /// The rows of a shard among all rows.
  Range rows_of(Index shard) const { return share(n_, shard, count_); }
  /// The rows of a rank among all rows.
  Range rows_of_rank(int rank) const {
    const Range held = of_rank(rank);
    return {rows_of(held.first).first, rows_of(held.last - 1).last};
  }
  /// The rows of a shard of this rank's among those that it holds.
  Range local_rows_of(Index shard) const {
    const Index base = rows_of_rank(ranks_->rank()).first;
    const Range rows = rows_of(shard);
    return {rows.first - base, rows.last - base};
  }

  /// `table` has `width` numbers a shard, of which each rank has filled in its own: all ranks get all.
  template <class Number>
  void gather(Number* table, Index width) const {
    if (ranks_->alone()) return;
    RankParts parts(ranks_->size());
    constexpr Index words = words_of<Number>();
    for (int r = 0; r < ranks_->size(); ++r) {
      const Range held = of_rank(r);
      parts.set(r, held.first * width * words, held.size() * width * words);
    }
    ranks_->gather(table, parts);
  }
  /// The same, and adds them up: the first `width` numbers become the sum.
  template <class Number>
  void sum(Number* table, Index width) const {
    gather(table, width);
    ShardStack<Number> stack;
    for (Index s = 0; s < count_; ++s) stack.push({0, s}, table + s * width, width);
  }
  /// One number a row, of the rows this rank holds: all ranks get those of all rows.
  template <class Number>
  AlignedBuffer<Number> gather_rows(const Number* mine) const {
    AlignedBuffer<Number> all(n_);
    const Range held = rows_of_rank(ranks_->rank());
    for (Index i = 0; i < held.size(); ++i) all[held.first + i] = mine[i];
    RankParts parts(ranks_->size());
    constexpr Index words = words_of<Number>();
    for (int r = 0; r < ranks_->size(); ++r) {
      const Range rows = rows_of_rank(r);
      parts.set(r, rows.first * words, rows.size() * words);
    }
    ranks_->gather(all.data(), parts);
    return all;
  }

  template <class Number>
  static constexpr Index words_of() {
    static_assert(sizeof(Number) % 4 == 0 && std::is_trivially_copyable_v<Number>);
    return static_cast<Index>(sizeof(Number) / 4);
  }

 private:
  Ranks* ranks_;
  Index count_;
  Index n_ = 0;
};

}  // namespace detail
DASVDD_NAMESPACE_END
