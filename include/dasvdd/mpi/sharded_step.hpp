#pragma once
/// \file
/// One mini-batch step of a net that several ranks train: BatchStep, with its sums made by shards.

#include <dasvdd/mpi/shard_batches.hpp>
#include <dasvdd/mpi/shard_stack.hpp>
#include <dasvdd/mpi/shards.hpp>
#include <dasvdd/nn/autoencoder.hpp>
#include <dasvdd/nn/training_pass.hpp>
#include <dasvdd/train/batch_step.hpp>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// With P parameters, R ranks and S shards:
///
///     forward, backward  all rows that the rank has in the mini-batch at once: no row sees another
///     gradients          shard by shard, added up over the rank's shards, a block of parameters at a time
///     exchange           slice r of P / R parameters goes to rank r, which adds up what it gets and takes the
///                        step of Adam on that slice
///     gather             every rank gets all slices
///
/// All sums follow the tree of ShardStack, so R changes no bit. One process does the step of Adam while a block is
/// in its cache. The moments of Adam are up to date in the rank's slice alone, until gather_moments().
template <class Scalar, class Objective>
class ShardedStep {
 public:
  using Task = Training<Scalar, Objective>;

  ShardedStep(const Autoencoder<Scalar>& net, const Shards& shards, const ShardBatches& batches,
              int threads)
      : shards_(&shards),
        batches_(&batches),
        mine_(shards.mine()),
        largest_(batches.largest()),
        pass_(net.joined(), net.code_steps(), largest_, threads),
        blocks_(pass_.parameter_blocks(block_size)),
        batch_(largest_, padded_stride<Scalar>(net.inputs())),
        reconstruction_(largest_),
        latent_(largest_),
        code_width_(round_up(net.code(), tensor_alignment)),
        code_sums_(shards.count(), code_width_),
        slices_(shards.ranks().size()) {
    for (const auto& block : blocks_)
      most_ = (std::max)(most_, round_up(block.size, tensor_alignment));
    for (int t = 0; t < threads; ++t) {
      // A range of shards never has more open nodes than this.
      Index open = 2;
      for (Index s = 1; s < mine_.size(); s *= 2) open += 2;
      blocks_in_work_.emplace_back(open, most_);
      stacks_.emplace_back();
    }
    if (!shards.ranks().alone()) prepare_exchange(net.parameters());
  }

  /// \param order rows of X, which are this rank's: those of each shard in that shard's order
  /// \param sums one a shard
  /// \param waiting each member's own: the mini-batch whose center step is to come, or -1
  void operator()(const Team& team, const Task& t, const AnyRows& X, const Index* order, Index b,
                  double rate, std::vector<EpochSums>& sums, Index& waiting) {
    const Index k = batches_->network_rows(b);
    Index n = 0;
    batches_->for_mine(b, [&](Index, const auto& split) { n += split.network - split.first; });
    const Rows<const Scalar> all = gather(team, t, X, order, b, waiting);
    AdamClock clock = t.state.clock;
    const auto adam = clock.template tick<Scalar>(t.options.adam, rate);
    network_gradients(team, t, all, n, k, waiting);
    take_gradients(team, t, all.middle_rows(0, n), b, adam);
    if (team.member() == 0) {
      t.state.clock = clock;
      Index i = 0;
      failure_.guard([&] {
        batches_->for_mine(b, [&](Index s, const auto& split) {
          EpochSums& sum = sums[static_cast<std::size_t>(s)];
          sum.rows += split.network - split.first;
          for (Index place = split.first; place < split.network; ++place, ++i) {
            sum.reconstruction += static_cast<double>(reconstruction_[i]);
            sum.latent += static_cast<double>(latent_[i]);
            sum.extra += t.objective.extra(latent_[i], t.state.objective);
          }
        });
      });
    }
    waiting = -1;
    if (Step::moves_center(t)) {
      waiting = b;
      if (k == batches_->rows(b)) move_center(team, t, X, order, waiting);
    }
  }

  /// The center step that waits.
  void move_center(const Team& team, const Task& t, const AnyRows& X, const Index* order,
                   Index& waiting) {
    if (waiting < 0) return;
    const Rows<const Scalar> x = gather(team, t, X, order, -1, waiting);
    if (x.rows() > 0) {
      pass_.forward(team, Mode::detect, t.state.parameters.data(), t.state.statistics.data(), x,
                    pass_.code_steps());
    }
    center_step(team, t, 0, waiting);
    waiting = -1;
  }

  /// What an objective of the user's own has thrown; null: nothing. It is kept while the steps go on, with numbers that
  /// are worth nothing: a rank, or a thread, that left alone would have the others wait for ever.
  const std::exception_ptr& failure() const { return failure_.get(); }

  /// Brings the slices of Adam's moments together. Called by one thread.
  template <class State>
  void gather_moments(State& state) {
    if (shards_->ranks().alone()) return;
    shards_->ranks().gather(state.first_moments.data(), slices_);
    shards_->ranks().gather(state.second_moments.data(), slices_);
  }

 private:
  using Step = BatchStep<Scalar, Objective>;
  using Mode = typename TrainingPass<Scalar>::Mode;

  /// Numbers of a block: with those of the other shards that wait to be added it stays in a core's cache.
  static constexpr Index block_size = 32768;

  // ---- rows -------------------------------------------------------------------------------------

  /// The places of a shard's rows that a mini-batch's center step takes: all where the network step took all.
  Range center_places(Index b, const ShardBatches::Split& split) const {
    const bool all = batches_->network_rows(b) == batches_->rows(b);
    return {all ? split.first : split.network, split.last};
  }
  /// Scales rows into one block: those of the network step of mini-batch b, shard after shard, then those of the
  /// center step of `waiting`; -1 for neither.
  Rows<const Scalar> gather(const Team& team, const Task& t, const AnyRows& X, const Index* order,
                            Index b, Index waiting) {
    const Index d = t.net.inputs(), stride = padded_stride<Scalar>(d);
    Index count = 0;
    const auto for_parts = [&](auto&& f) {
      if (b >= 0) {
        batches_->for_mine(b, [&](Index s, const auto& split) {
          f(shards_->local_rows_of(s).first, Range{split.first, split.network});
        });
      }
      if (waiting >= 0) {
        batches_->for_mine(waiting, [&](Index s, const auto& split) {
          f(shards_->local_rows_of(s).first, center_places(waiting, split));
        });
      }
    };
    for_parts([&](Index, Range places) { count += places.size(); });
    const Range share = team.share(count);
    Index at = 0;
    for_parts([&](Index shard_at, Range places) {
      const Index first = (std::max)(share.first - at, Index(0));
      const Index last = (std::min)(share.last - at, places.size());
      for (Index i = first; i < last; ++i) {
        const Index row = order[shard_at + places.first + i];
        t.state.scaler.apply_row(pass_.kernels(), X, row, batch_.data() + (at + i) * stride);
      }
      at += places.size();
    });
    team.barrier();
    return {batch_.data(), count, d, stride};
  }

  // ---- the net ----------------------------------------------------------------------------------

  /// \param n rows of this rank in the network step
  /// \param k rows of all ranks
  void network_gradients(const Team& team, const Task& t, Rows<const Scalar> x, Index n, Index k,
                         Index waiting) {
    const Scalar* parameters = t.state.parameters.data();
    Scalar* statistics = t.state.statistics.data();
    const Index code = pass_.code_steps(), steps = pass_.steps();
    if (x.rows() > 0) pass_.forward(team, Mode::train, parameters, statistics, x, {0, code}, n);
    if (waiting >= 0) center_step(team, t, n, waiting);
    if (n == 0) return;
    x = x.middle_rows(0, n);
    if (Objective::uses_decoder) {
      pass_.forward(team, Mode::train, parameters, statistics, x, {code, steps}, n);
    }
    const Range share = team.share(n);
    // The views say k rows, because the loss is the mean over the rows of all ranks; `share` are those that are here.
    const auto of_all = [k](auto rows) {
      return decltype(rows)(rows.data(), k, rows.cols(), rows.stride());
    };
    failure_.guard([&] {
      t.objective({of_all(x), of_all(Rows<const Scalar>(pass_.output(n))),
                   of_all(Rows<const Scalar>(pass_.code(n))), t.state.center.center.data(),
                   t.state.gamma, share.first, share.last, &pass_.kernels()},
                  t.state.objective,
                  {reconstruction_.data(), latent_.data(), of_all(pass_.output_gradient(n)),
                   of_all(pass_.latent_gradient(n))});
    });
    pass_.backward(team, parameters, x);
  }

  /// From the gradients of the steps' results to new parameters.
  void take_gradients(const Team& team, const Task& t, Rows<const Scalar> x, Index b,
                      const kernels::AdamStep<Scalar>& adam) {
    const bool alone = shards_->ranks().alone();
    const kernels::AdamState<Scalar> state = {
        t.state.parameters.data(), t.state.first_moments.data(), t.state.second_moments.data()};
    const std::size_t member = static_cast<std::size_t>(team.member());
    const Range blocks = team.share(static_cast<Index>(blocks_.size()));
    ShardStack<Scalar>& stack = stacks_[member];
    for (Index i = blocks.first; i < blocks.last; ++i) {
      const auto& block = blocks_[static_cast<std::size_t>(i)];
      stack.clear();
      Index at = 0;
      batches_->for_mine(b, [&](Index s, const auto& split) {
        const Range rows{at, at + split.network - split.first};
        at = rows.last;
        Scalar* sum = blocks_in_work_[member].data() + stack.size() * most_;
        if (rows.size() > 0) {
          pass_.block_gradient(team, block, x, rows, sum);
        } else {
          std::fill_n(sum, block.size, Scalar(0));
        }
        stack.push({0, s}, sum, block.size);
      });
      if (alone) {
        pass_.kernels().adam(
            stack.sum(0), block.size,
            {state.parameters + block.at, state.first + block.at, state.second + block.at}, adam);
      } else {
        for (Index node = 0; node < stack.size(); ++node) {
          std::copy_n(stack.sum(node), block.size,
                      partial_[static_cast<std::size_t>(node)].data() + block.at);
        }
      }
    }
    team.barrier();
    if (alone) return;

    if (team.member() == 0) exchange();
    team.barrier();
    const Range lines = team.share(ceil_div(slice_.size(), tensor_alignment));
    const Index first = lines.first * tensor_alignment;
    const Index count = (std::min)(lines.last * tensor_alignment, slice_.size()) - first;
    if (count > 0) {
      stack.clear();
      for (std::size_t node = 0; node < nodes_.size(); ++node) {
        Scalar* part = received_.data() + static_cast<Index>(node) * slice_.size();
        stack.push(nodes_[node], part + first, count);
      }
      const Index at = slice_.first + first;
      pass_.kernels().adam(stack.sum(0), count,
                           {state.parameters + at, state.first + at, state.second + at}, adam);
    }
    team.barrier();
    if (team.member() == 0) shards_->ranks().gather(state.parameters, slices_);
    team.barrier();
  }

  // ---- between ranks ----------------------------------------------------------------------------

  void prepare_exchange(Index parameters) {
    Ranks& ranks = shards_->ranks();
    constexpr Index words = Shards::words_of<Scalar>();
    const Index lines = ceil_div(parameters, tensor_alignment);
    const auto slice_of = [&](int rank) {
      const Range some = share(lines, rank, ranks.size());
      return Range{(std::min)(some.first * tensor_alignment, parameters),
                   (std::min)(some.last * tensor_alignment, parameters)};
    };
    slice_ = slice_of(ranks.rank());
    Index rounds = 0;
    std::vector<Index> count;
    for (int r = 0; r < ranks.size(); ++r) {
      const Range slice = slice_of(r);
      slices_.set(r, slice.first * words, slice.size() * words);
      const auto nodes = nodes_of(shards_->of_rank(r));
      nodes_.insert(nodes_.end(), nodes.begin(), nodes.end());
      count.push_back(static_cast<Index>(nodes.size()));
      rounds = (std::max)(rounds, count.back());
    }
    received_ = AlignedBuffer<Scalar>(static_cast<Index>(nodes_.size()), slice_.size());
    const Index here = count[static_cast<std::size_t>(ranks.rank())];
    for (Index round = 0; round < rounds; ++round) {
      partial_.emplace_back(round < here ? parameters : 0);
      // Each rank's node number `round`, where it has so many.
      RankParts out(ranks.size()), in(ranks.size());
      Index before = 0;
      for (int r = 0; r < ranks.size(); ++r) {
        const Range slice = slice_of(r);
        const Index theirs = count[static_cast<std::size_t>(r)];
        if (round < here) out.set(r, slice.first * words, slice.size() * words);
        if (round < theirs)
          in.set(r, (before + round) * slice_.size() * words, slice_.size() * words);
        before += theirs;
      }
      out_.push_back(out);
      in_.push_back(in);
    }
  }
  void exchange() {
    for (std::size_t round = 0; round < partial_.size(); ++round) {
      shards_->ranks().exchange(partial_[round].data(), out_[round], received_.data(), in_[round]);
    }
  }

  /// \param at where the rows of the center step of mini-batch b begin among those whose codes there are
  void center_step(const Team& team, const Task& t, Index at, Index b) {
    if (team.member() == 0) {
      Index count = 0;
      batches_->for_mine(b, [&](Index s, const auto& split) {
        const Index rows = center_places(b, split).size();
        const Rows<Scalar> codes = pass_.code(at + rows).middle_rows(at, rows);
        Scalar* sum = code_sums_.data() + s * code_width_;
        if (rows > 0) {
          pass_.kernels().column_sums(codes.data(), codes.stride(), rows, t.net.code(), sum);
        } else {
          std::fill_n(sum, code_width_, Scalar(0));
        }
        at += rows;
      });
      count = batches_->rows(b) - batches_->network_rows(b);
      if (count == 0) count = batches_->rows(b);
      shards_->sum(code_sums_.data(), code_width_);
      t.state.center.move(t.options.center, code_sums_.data(), count);
    }
    team.barrier();
  }

  FirstException failure_;
  const Shards* shards_;
  const ShardBatches* batches_;
  Range mine_;
  Index largest_;
  TrainingPass<Scalar> pass_;
  std::vector<typename TrainingPass<Scalar>::ParameterBlock> blocks_;
  AlignedBuffer<Scalar> batch_, reconstruction_, latent_;
  Index code_width_;
  AlignedBuffer<Scalar> code_sums_;  ///< S x code_width_
  Index most_ = 0;                   ///< numbers of the largest block
  std::vector<AlignedBuffer<Scalar>> blocks_in_work_;
  std::vector<ShardStack<Scalar>> stacks_;

  Range slice_{0, 0};  ///< this rank's
  RankParts slices_;
  std::vector<ShardNode> nodes_;                ///< of all ranks
  std::vector<AlignedBuffer<Scalar>> partial_;  ///< the gradient of each node of this rank
  AlignedBuffer<Scalar> received_;              ///< of each node of all ranks, this rank's slice
  std::vector<RankParts> out_, in_;
};

}  // namespace detail
DASVDD_NAMESPACE_END
