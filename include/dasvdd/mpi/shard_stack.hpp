#pragma once
/// \file
/// The order in which shards are added up: a binary tree over all of them, whoever holds which.

#include <dasvdd/core/parallel.hpp>

#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// The shards `number << level` to `(number + 1 << level) - 1`, a node of the tree.
struct ShardNode {
  Index level, number;
};

/// a += b, n numbers.
template <class Number>
void add_numbers(Number* a, const Number* b, Index n) {
  Eigen::Map<Eigen::Array<Number, Eigen::Dynamic, 1>>(a, n) +=
      Eigen::Map<const Eigen::Array<Number, Eigen::Dynamic, 1>>(b, n);
}

/// Sums of neighboring nodes, pushed from left to right. Two that are the halves of one become that one at once:
///
///     ((0 + 1) + (2 + 3)) + ((4 + 5) + (6 + 7))
///
/// so that whoever adds up some of the shards first comes to the same sum.
template <class Number>
class ShardStack {
 public:
  /// \param sum `count` numbers in memory of the caller's, which the stack adds to
  void push(ShardNode node, Number* sum, Index count) {
    nodes_.push_back(node);
    sums_.push_back(sum);
    while (nodes_.size() > 1) {
      ShardNode& left = nodes_[nodes_.size() - 2];
      if (left.level != nodes_.back().level || left.number % 2 != 0) break;
      if (count > 0) add_numbers(sums_[sums_.size() - 2], sums_.back(), count);
      left = {left.level + 1, left.number / 2};
      nodes_.pop_back();
      sums_.pop_back();
    }
  }
  void clear() {
    nodes_.clear();
    sums_.clear();
  }
  Index size() const { return static_cast<Index>(nodes_.size()); }
  /// The nodes there are and their sums; one, where a whole tree has been pushed.
  const std::vector<ShardNode>& nodes() const { return nodes_; }
  Number* sum(Index i) const { return sums_[static_cast<std::size_t>(i)]; }

 private:
  std::vector<ShardNode> nodes_;
  std::vector<Number*> sums_;
};

/// The fewest nodes that are those shards.
inline std::vector<ShardNode> nodes_of(Range shards) {
  ShardStack<float> stack;
  for (Index s = shards.first; s < shards.last; ++s) stack.push({0, s}, nullptr, 0);
  return stack.nodes();
}

}  // namespace detail
DASVDD_NAMESPACE_END
