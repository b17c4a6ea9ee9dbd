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

/// Sums over one epoch's network shares.
struct EpochSums {
  double reconstruction = 0, latent = 0, excess = 0;
  Index rows = 0;

  template <class Objective, class Scalar>
  void fill(EpochReport& report, const Objective& objective,
            const TrainerState<Scalar>& state) const {
    const double n = static_cast<double>(rows);
    report.reconstruction = reconstruction / n;
    report.latent = latent / n;
    report.loss = std::fma(objective.latent_weight(state.gamma), report.latent,
                           objective.reconstruction_weight() * report.reconstruction);
    if constexpr (Objective::has_radius) {
      report.loss = objective.loss(state.squared_radius, excess / n);
    }
  }
};

/// What a step trains, by what, and to what.
template <class Scalar, class Objective>
struct Training {
  const Autoencoder<Scalar>& net;
  const Options& options;
  const Objective& objective;
  TrainerState<Scalar>& state;
};

/// The steps of a training and the buffers they share:
///   network step  rows 0 .. k-1, c fixed: forward, terms and gradients, backward, Adam
///   center step   rows k .. B-1 (all if k = B), the updated encoder fixed: c towards the mean code
/// Every member of the team calls every function but prepare() and release().
template <class Scalar, class Objective>
class BatchStep {
 public:
  using GradientSink = typename TrainingPass<Scalar>::GradientSink;

  /// Makes the buffers of a step; they are kept, so that only the first step of a run allocates.
  void prepare(const Autoencoder<Scalar>& net, Index rows, int threads,
               const Precision& precision) {
    if (pass_ && rows <= max_rows_ && threads <= max_threads_) return;
    max_rows_ = std::max(rows, max_rows_);
    max_threads_ = std::max(threads, max_threads_);
    pass_.emplace(net.joined(), net.code_steps(), max_rows_, max_threads_, precision.mixed);
    batch_ = AlignedBuffer<Scalar>(max_rows_ * padded_stride<Scalar>(net.inputs()));
    reconstruction_ = AlignedBuffer<Scalar>(max_rows_);
    latent_ = AlignedBuffer<Scalar>(max_rows_);
    code_sums_ = AlignedBuffer<Scalar>(round_up(net.code(), tensor_alignment));
  }
  /// Gives the buffers back.
  void release() { *this = BatchStep(); }

  /// The step on the `count` rows of X that `order` names.
  void operator()(const Team& team, const Training<Scalar, Objective>& t, Rows<const Scalar> X,
                  const Index* order, Index count, double rate, EpochSums& sums) {
    const Rows<const Scalar> x = gather(team, t, X, order, count);
    const Index k = network_share(t.options.kappa, count);

    // Every member ticks a copy of the clock; the first puts it back.
    AdamClock clock = t.state.clock;
    const auto adam = clock.template tick<Scalar>(t.options.adam, rate);
    network_gradients(
        team, t, x.middle_rows(0, k), t.state.statistics.data(),
        {nullptr,
         {t.state.parameters.data(), t.state.first_moments.data(), t.state.second_moments.data()},
         adam});
    if (team.member() == 0) {
      t.state.clock = clock;
      for (Index i = 0; i < k; ++i) {
        sums.reconstruction += static_cast<double>(reconstruction_[i]);
        sums.latent += static_cast<double>(latent_[i]);
        if constexpr (Objective::has_radius) {
          sums.excess += t.objective.excess(latent_[i], t.state.squared_radius);
        }
      }
      sums.rows += k;
    }
    if constexpr (Objective::moves_center) {
      if (t.options.center.kind != CenterRule::Kind::fixed)
        center_step(team, t, k < count ? x.middle_rows(k, count - k) : x);
    }
  }

  /// Copies the batch's rows, scaled, into one block.
  Rows<const Scalar> gather(const Team& team, const Training<Scalar, Objective>& t,
                            Rows<const Scalar> X, const Index* order, Index count) {
    const Index d = t.net.inputs(), stride = padded_stride<Scalar>(d);
    const Range mine = team.share(count);
    for (Index i = mine.first; i < mine.last; ++i) {
      t.state.scaler.apply(pass_->kernels(), X.row(order[i]), d, batch_.data() + i * stride);
    }
    team.barrier();
    return {batch_.data(), count, d, stride};
  }

  /// Forward, terms and their gradients, backward, and what the sink makes of the parameter
  /// gradients.
  void network_gradients(const Team& team, const Training<Scalar, Objective>& t,
                         Rows<const Scalar> x, Scalar* statistics, const GradientSink& sink) {
    TrainingPass<Scalar>& pass = *pass_;
    const Index n = x.rows();
    const Scalar* parameters = t.state.parameters.data();
    const Index steps = Objective::uses_decoder ? pass.steps() : pass.code_steps();
    pass.forward(team, TrainingPass<Scalar>::Mode::train, parameters, statistics, x, steps);
    t.objective(
        pass.kernels(),
        {x, pass.output(n), pass.code(n), t.state.center.center.data(), t.state.squared_radius},
        t.state.gamma, team.share(n),
        {reconstruction_.data(), latent_.data(), pass.output_gradient(n), pass.latent_gradient(n)});
    pass.backward(team, parameters, x);
    pass.parameter_gradients(team, x, sink);
  }

 private:
  /// Rows of a mini-batch that the network step takes; all where no center step takes the rest.
  static Index network_share(double kappa, Index count) {
    if (!Objective::moves_center) return count;
    // A hair less before rounding up: 0.7 * 10 may come out above 7.
    const double share = std::ceil(kappa * static_cast<double>(count) - 1e-9);
    return std::min(count, std::max<Index>(1, static_cast<Index>(share)));
  }

  void center_step(const Team& team, const Training<Scalar, Objective>& t, Rows<const Scalar> x) {
    TrainingPass<Scalar>& pass = *pass_;
    pass.forward(team, TrainingPass<Scalar>::Mode::detect, t.state.parameters.data(),
                 t.state.statistics.data(), x, pass.code_steps());
    if (team.member() == 0) {
      const Rows<Scalar> code = pass.code(x.rows());
      pass.kernels().column_sums(code.data(), code.stride(), x.rows(), t.net.code(),
                                 code_sums_.data());
      t.state.center.move(t.options.center, code_sums_.data(), x.rows());
    }
    team.barrier();
  }

  std::optional<TrainingPass<Scalar>> pass_;
  AlignedBuffer<Scalar> batch_, reconstruction_, latent_, code_sums_;
  Index max_rows_ = 0;
  int max_threads_ = 0;
};

}  // namespace detail
DASVDD_NAMESPACE_END
