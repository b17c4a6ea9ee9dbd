#pragma once
/// \file
/// Which rows of each shard are in which mini-batch.

#include <dasvdd/mpi/shards.hpp>
#include <dasvdd/train/batch_step.hpp>

#include <algorithm>
#include <cstdint>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// Mini-batch b of B rows takes from each shard its part of them: the rows floor(a n_s / n) to
/// floor(a' n_s / n) - 1 of the shard's order, a = b B and a' = min(a + B, n). With one shard these are the
/// mini-batches of Trainer. Rounding makes a mini-batch larger or smaller than B by less than a row a shard.
class ShardBatches {
 public:
  /// \param network_share how many of so many rows the network step takes
  ShardBatches(const Shards& shards, Index batch_size, FunctionRef<Index(Index)> network_share)
      : shards_(&shards), batch_size_(batch_size) {
    for (Index b = 0; b < count(); ++b) {
      Index rows = 0;
      for (Index s = 0; s < shards.count(); ++s) rows += part(b, s).size();
      rows_.push_back(rows);
      network_.push_back(network_share(rows));
    }
  }

  /// Mini-batches an epoch.
  Index count() const { return ceil_div(shards_->rows(), batch_size_); }
  Index rows(Index b) const { return rows_[static_cast<std::size_t>(b)]; }
  /// Rows of its network step.
  Index network_rows(Index b) const { return network_[static_cast<std::size_t>(b)]; }

  /// A shard's places in mini-batch b: first those of the network step, then the others.
  struct Split {
    Index first, network, last;
  };
  /// Calls f(shard, split) for this rank's shards. The network step's k rows are shared out like the rows: of the
  /// c rows before a shard's, floor(k c / rows) are in the network step.
  template <class F>
  void for_mine(Index b, F&& f) const {
    const Range mine = shards_->mine();
    std::int64_t before = 0;
    for (Index s = 0; s < mine.last; ++s) {
      const Range here = part(b, s);
      const std::int64_t after = before + here.size();
      if (s >= mine.first) {
        const std::int64_t k = network_rows(b), all = rows(b);
        const Index network = static_cast<Index>(k * after / all - k * before / all);
        f(s, Split{here.first, here.first + network, here.last});
      }
      before = after;
    }
  }
  /// The most rows of this rank that go through the net at once: those of a network step, and those of the center
  /// step before it.
  Index largest() const {
    Index most = 1, waiting = 0;
    for (Index b = 0; b < count(); ++b) {
      Index network = 0, rest = 0;
      for_mine(b, [&](Index, const Split& split) {
        network += split.network - split.first;
        rest += split.last - split.network;
      });
      most = (std::max)({most, network + waiting, rest});
      waiting = rest;
    }
    return most;
  }

 private:
  Range part(Index b, Index shard) const {
    const std::int64_t n = shards_->rows(), rows = shards_->rows_of(shard).size();
    const std::int64_t first = static_cast<std::int64_t>(b) * batch_size_;
    const std::int64_t last = (std::min)(first + batch_size_, n);
    return {static_cast<Index>(first * rows / n), static_cast<Index>(last * rows / n)};
  }

  const Shards* shards_;
  Index batch_size_;
  std::vector<Index> rows_, network_;
};

}  // namespace detail
DASVDD_NAMESPACE_END
