#pragma once
/// \file
/// One mini-batch step: the hot path of training.

#include <dasvdd/nn/autoencoder.hpp>
#include <dasvdd/nn/training_pass.hpp>
#include <dasvdd/train/fit_report.hpp>
#include <dasvdd/train/options.hpp>
#include <dasvdd/train/trainer_state.hpp>

#include <algorithm>
#include <cmath>
#include <optional>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// Sums over the rows of one epoch's network steps.
struct EpochSums {
  double reconstruction = 0, latent = 0, extra = 0;
  Index rows = 0;

  template <class Objective, class State>
  void fill(EpochReport& report, const Objective& objective, const State& state) const {
    const double n = static_cast<double>(rows);
    const typename Objective::Means means{reconstruction / n, latent / n, extra / n};
    report.reconstruction = means.reconstruction;
    report.latent = means.latent;
    report.loss = objective.loss(means, objective.reconstruction_weight(),
                                 objective.latent_weight(state.gamma), state.objective);
  }
};

/// What a step trains, by what, and to what.
template <class Scalar, class Objective>
struct Training {
  const Autoencoder<Scalar>& net;
  const Options& options;
  const Objective& objective;
  TrainerState<Scalar, typename Objective::State>& state;
};

/// Some of the training rows, by their numbers.
struct RowNumbers {
  const Index* order = nullptr;
  Index count = 0;
};

/// The steps of a training and the buffers they share:
///   network step  rows 0 .. k-1, c fixed: forward, terms and gradients, backward, Adam
///   center step   rows k .. B-1 (all if k = B), the updated encoder fixed: c towards the mean code
/// The encoder stays what it is until the next network step has been through it, so rows of a center step wait and
/// are encoded together with that step's: the same numbers, and one reading of the weights less.
/// Every member of the team calls every function but prepare() and release().
template <class Scalar, class Objective>
class BatchStep {
 public:
  using GradientSink = typename TrainingPass<Scalar>::GradientSink;

  /// Makes the buffers of a step; they are kept, so that only the first step of a run allocates.
  /// \param masks whether rows may have missing values
  void prepare(const Autoencoder<Scalar>& net, Index rows, int threads, const Precision& precision,
               bool masks) {
    const bool noted = !masks || !missing_.empty();
    if (pass_ && rows <= max_rows_ && threads <= max_threads_ && noted) return;
    max_rows_ = (std::max)(rows, max_rows_);
    max_threads_ = (std::max)(threads, max_threads_);
    pass_.emplace(net.joined(), net.code_steps(), max_rows_, max_threads_, precision.mixed);
    batch_ = AlignedBuffer<Scalar>(max_rows_, padded_stride<Scalar>(net.inputs()));
    reconstruction_ = AlignedBuffer<Scalar>(max_rows_);
    latent_ = AlignedBuffer<Scalar>(max_rows_);
    code_sums_ = AlignedBuffer<Scalar>(round_up(net.code(), tensor_alignment));
    if (masks) {
      widening_ = AlignedBuffer<Scalar>(max_rows_);
      missing_ = AlignedBuffer<unsigned char>(max_rows_, net.inputs());
    }
  }
  /// Gives the buffers back.
  void release() { *this = BatchStep(); }

  /// The step on a mini-batch, and the center step before it.
  /// \param waiting each member's own: rows of the center step before this one; becomes this one's, for
  ///   the next call or move_center()
  void operator()(const Team& team, const Training<Scalar, Objective>& t, const AnyRows& X,
                  RowNumbers batch, double rate, EpochSums& sums, RowNumbers& waiting) {
    const Index k = network_share(t.options.kappa, batch.count);
    const Rows<const Scalar> x = gather(team, t, X, {batch.order, k}, waiting);

    // Every member ticks a copy of the clock; the first puts it back.
    AdamClock clock = t.state.clock;
    const auto adam = clock.template tick<Scalar>(t.options.adam, rate);
    network_gradients(
        team, t, x, k, t.state.statistics.data(),
        {nullptr,
         {t.state.parameters.data(), t.state.first_moments.data(), t.state.second_moments.data()},
         adam});
    if (team.member() == 0) {
      t.state.clock = clock;
      team.guard([&] {
        for (Index i = 0; i < k; ++i) {
          sums.reconstruction += static_cast<double>(reconstruction_[i]);
          sums.latent += static_cast<double>(latent_[i]);
          sums.extra += t.objective.extra(latent_[i], t.state.objective);
        }
      });
      sums.rows += k;
    }
    waiting = {};
    if (moves_center(t)) {
      const bool apart = k < batch.count;
      waiting = apart ? RowNumbers{batch.order + k, batch.count - k} : batch;
      if (!apart || !pass_->has_one_mode()) move_center(team, t, X, waiting);
    }
  }

  /// The center step that waits, at the end of an epoch: nothing waits after it.
  void move_center(const Team& team, const Training<Scalar, Objective>& t, const AnyRows& X,
                   RowNumbers& waiting) {
    if (waiting.count == 0) return;
    const Rows<const Scalar> x = gather(team, t, X, waiting);
    pass_->forward(team, Mode::detect, t.state.parameters.data(), t.state.statistics.data(), x,
                   pass_->code_steps());
    center_step(team, t, pass_->code(x.rows()));
    waiting = {};
  }

  /// Copies rows of X, scaled, into one block: `first`, then `more`.
  Rows<const Scalar> gather(const Team& team, const Training<Scalar, Objective>& t,
                            const AnyRows& X, RowNumbers first, RowNumbers more = {}) {
    const Index d = t.net.inputs(), stride = padded_stride<Scalar>(d);
    const Index count = first.count + more.count;
    const Range mine = team.share(count);
    for (Index i = mine.first; i < mine.last; ++i) {
      const Index row = i < first.count ? first.order[i] : more.order[i - first.count];
      t.state.scaler.apply_row(pass_->kernels(), X, row, batch_.data() + i * stride);
      if (t.state.scaler.masks()) note_missing(X, row, i);
    }
    team.barrier();
    return {batch_.data(), count, d, stride};
  }

  /// Forward, terms and their gradients, backward, and what the sink makes of the parameter
  /// gradients, of the first n rows of x; the others are those of the center step before.
  void network_gradients(const Team& team, const Training<Scalar, Objective>& t,
                         Rows<const Scalar> x, Index n, Scalar* statistics,
                         const GradientSink& sink) {
    TrainingPass<Scalar>& pass = *pass_;
    const Scalar* parameters = t.state.parameters.data();
    const Index code = pass.code_steps(), steps = pass.steps(), all = x.rows();
    pass.forward(team, Mode::train, parameters, statistics, x, {0, code}, n);
    if (n < all) center_step(team, t, pass.code(all).middle_rows(n, all - n));
    x = x.middle_rows(0, n);
    if (Objective::uses_decoder) {
      pass.forward(team, Mode::train, parameters, statistics, x, {code, steps}, n);
    }
    const Range mine = team.share(n);
    const bool masks = t.state.scaler.masks();
    if (masks) mask_outputs(x, pass.output(n), mine);
    team.guard([&] {
      t.objective({x, pass.output(n), pass.code(n), t.state.center.center.data(), t.state.gamma,
                   mine.first, mine.last, &pass.kernels(), masks ? widening_.data() : nullptr},
                  t.state.objective,
                  {reconstruction_.data(), latent_.data(), pass.output_gradient(n),
                   pass.latent_gradient(n)});
    });
    pass.backward(team, parameters, x);
    pass.parameter_gradients(team, x, sink);
  }

  static bool moves_center(const Training<Scalar, Objective>& t) {
    return Objective::moves_center && t.options.center.kind != CenterRule::Kind::fixed;
  }

  /// Rows of a mini-batch that the network step takes; all where no center step takes the rest.
  static Index network_share(double kappa, Index count) {
    if (!Objective::moves_center) return count;
    // A hair less before rounding up: 0.7 * 10 may come out above 7.
    const double share = std::ceil(kappa * static_cast<double>(count) - 1e-9);
    return (std::min)(count, std::max<Index>(1, static_cast<Index>(share)));
  }

 private:
  using Mode = typename TrainingPass<Scalar>::Mode;

  /// Notes which values of a gathered row are missing, for mask_outputs().
  void note_missing(const AnyRows& X, Index row, Index i) {
    const Index d = X.cols();
    unsigned char* missing = missing_.data() + i * d;
    Index count = 0;
    X.visit([&](auto rows) {
      for (Index j = 0; j < d; ++j) {
        missing[j] = is_missing(rows(row, j)) ? 1 : 0;
        count += missing[j];
      }
    });
    widening_[i] = static_cast<Scalar>(static_cast<double>(d) / static_cast<double>(d - count));
  }
  /// Puts the input in place of the output where the value is missing: no residual, and no gradient of one.
  void mask_outputs(Rows<const Scalar> x, Rows<Scalar> output, const Range& mine) {
    const Index d = x.cols();
    for (Index i = mine.first; i < mine.last; ++i) {
      const unsigned char* missing = missing_.data() + i * d;
      for (Index j = 0; j < d; ++j) {
        if (missing[j]) output(i, j) = x(i, j);
      }
    }
  }

  void center_step(const Team& team, const Training<Scalar, Objective>& t, Rows<Scalar> code) {
    if (team.member() == 0) {
      pass_->kernels().column_sums(code.data(), code.stride(), code.rows(), t.net.code(),
                                   code_sums_.data());
      t.state.center.move(t.options.center, code_sums_.data(), code.rows());
    }
    team.barrier();
  }

  std::optional<TrainingPass<Scalar>> pass_;
  AlignedBuffer<Scalar> batch_, reconstruction_, latent_, code_sums_, widening_;
  AlignedBuffer<unsigned char> missing_;  ///< of batch_, 1 where a value is missing
  Index max_rows_ = 0;
  int max_threads_ = 0;
};

}  // namespace detail
DASVDD_NAMESPACE_END
