#pragma once
/// \file
/// Gamma from untrained nets.

#include <dasvdd/detect/forward_rows.hpp>
#include <dasvdd/nn/training_pass.hpp>
#include <dasvdd/train/center.hpp>
#include <dasvdd/train/gamma_rule.hpp>
#include <dasvdd/train/streams.hpp>

#include <algorithm>
#include <cstdint>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// forward_rows as the network step sees the rows, in mini-batches: layers with running statistics,
/// which an untrained net has none of yet, take the mini-batch's own.
template <class Scalar>
void forward_batches(const Autoencoder<Scalar>& net, const Scalar* parameters, Scalar* statistics,
                     const Scaler<Scalar>& scaler, const AnyRows& X, int threads,
                     typename PackedNetwork<Scalar>::Visitor f) {
  constexpr Index usual = 200;
  const Index n = X.rows(), d = scaler.inputs(X.cols()), stride = padded_stride<Scalar>(d);
  // Equal parts: a last batch of one row would have no variance.
  const Index batches = std::max<Index>(1, n / usual), largest = ceil_div(n, batches);
  const int size = worthwhile_threads(threads, saturating_product(net.multiply_adds(), largest));
  TrainingPass<Scalar> pass(net.joined(), net.code_steps(), largest, size);
  AlignedBuffer<Scalar> inputs(largest, stride);
  parallel(size, [&](const Team& team) {
    for (Index b = 0; b < batches; ++b) {
      const Range rows = share(n, b, batches);
      const Range mine = team.share(rows.size());
      for (Index i = mine.first; i < mine.last; ++i) {
        scaler.apply_row(pass.kernels(), X, rows.first + i, inputs.data() + i * stride);
      }
      team.barrier();
      const Rows<const Scalar> x(inputs.data(), rows.size(), d, stride);
      pass.forward(team, TrainingPass<Scalar>::Mode::train, parameters, statistics, x,
                   pass.steps());
      const auto part = [mine](auto all) { return all.middle_rows(mine.first, mine.size()); };
      const typename PackedNetwork<Scalar>::Result result{part(pass.code(rows.size())),
                                                          part(pass.output(rows.size()))};
      if (scaler.masks()) {
        leave_no_residual(X.middle_rows(rows.first + mine.first, mine.size()), result.output,
                          inputs.data() + mine.first * stride, stride);
      }
      team.guard([&] { f(rows.first + mine.first, part(x), result); });
      team.barrier();
    }
  });
}

/// What an untrained net's terms of the rows come to.
struct GammaSums {
  double r = 0, q = 0, ratio = 0, rows = 0;

  static GammaSums of(const double* r, const double* q, Index n) {
    GammaSums sums;
    sums.rows = static_cast<double>(n);
    for (Index i = 0; i < n; ++i) {
      sums.r += r[i];
      sums.q += q[i];
      sums.ratio += r[i] / q[i];
    }
    return sums;
  }
};

/// Adds up the terms of rows that are all here.
inline constexpr auto sums_of_rows = [](const double* r, const double* q, Index n) {
  return GammaSums::of(r, q, n);
};

/// gamma by the rule, from untrained nets: forward passes only.
/// \param center where the center starts, m
/// \param initialize called as initialize(t, parameters, statistics) to make net number t
/// \param add called as add(r, q, n) to add up the terms of X's rows; may add those of other rows
template <class Scalar>
DASVDD_COLD double estimate_gamma(
    const Autoencoder<Scalar>& net, const Scaler<Scalar>& scaler, const AnyRows& X,
    const Scalar* center, const GammaRule& rule, int threads,
    FunctionRef<void(int, Scalar*, Scalar*)> initialize,
    FunctionRef<GammaSums(const double*, const double*, Index)> add = sums_of_rows) {
  if (rule.kind == GammaRule::Kind::value) return rule.factor * rule.number;
  const bool ratio_of_means = rule.kind == GammaRule::Kind::ratio_of_means;
  const Index n = X.rows(), d = net.inputs(), m = net.code();
  PackedNetwork<Scalar> packed(net);
  AlignedBuffer<Scalar> parameters(net.parameters()), statistics(net.statistics()), origin(m);
  AlignedBuffer<double> r(n), q(n);
  const MissingPlaces missing = scaler.masks() ? MissingPlaces(X) : MissingPlaces();
  const Scalar* from = ratio_of_means ? origin.data() : center;
  // A packed net leaves the drawn numbers' memory free for the next net's.
  const auto draw = [&](int t) {
    if (t < rule.initializations) initialize(t, parameters.data(), statistics.data());
  };
  draw(0);
  double gamma = 0;
  for (int t = 0; t < rule.initializations; ++t) {
    const auto& k = packed.kernels();
    const auto terms = [&](Index first, Rows<const Scalar> x, const auto& result) {
      for (Index i = 0; i < x.rows(); ++i) {
        r[first + i] = static_cast<double>(k.squared_distance(result.output.row(i), x.row(i), d)) /
                       static_cast<double>(d);
        if (!missing.none()) r[first + i] *= missing.widening(first + i);
        q[first + i] = static_cast<double>(k.squared_distance(result.code.row(i), from, m));
      }
    };
    if (net.statistics() > 0) {
      forward_batches(net, parameters.data(), statistics.data(), scaler, X, threads, terms);
      draw(t + 1);
    } else {
      packed.pack(parameters.data(), statistics.data());
      forward_rows(packed, scaler, X, threads, true, terms, [&] { draw(t + 1); });
    }
    const GammaSums sums = add(r.data(), q.data(), n);
    const double estimate = ratio_of_means ? sums.r / sums.q : sums.ratio / sums.rows;
    // Zero would silently train a plain autoencoder: all rows equal to what every net reconstructs.
    ensure(is_finite(estimate) && estimate > 0, "gamma can't be estimated: over initialization ", t,
           " the mean reconstruction error is ", sums.r / sums.rows,
           " and the mean squared code is ", sums.q / sums.rows, "; give gamma as a number");
    gamma += estimate / rule.initializations;
  }
  return rule.factor * gamma;
}

/// The same with the nets, and the center's start, of a seed.
template <class Scalar>
double estimate_gamma(
    const Autoencoder<Scalar>& net, const Scaler<Scalar>& scaler, const AnyRows& X,
    const GammaRule& rule, int threads, std::uint64_t seed,
    FunctionRef<GammaSums(const double*, const double*, Index)> add = sums_of_rows) {
  const auto start = CenterState<Scalar>::drawn(net.code(), random_stream(seed, Stream::center));
  return estimate_gamma<Scalar>(
      net, scaler, X, start.center.data(), rule, threads,
      [&](int t, Scalar* parameters, Scalar* statistics) {
        Random random = random_stream(seed, Stream::gamma, t);
        net.joined().initialize(random, parameters, statistics);
      },
      add);
}

}  // namespace detail
DASVDD_NAMESPACE_END
