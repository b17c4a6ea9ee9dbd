#pragma once
/// \file
/// How the center of the hypersphere moves: the second half of every mini-batch's step.

#include <dasvdd/core/memory.hpp>
#include <dasvdd/core/random.hpp>

#include <cmath>

DASVDD_NAMESPACE_BEGIN

/// The rule of the center step, with t the mean code of the mini-batch's center share under the
/// updated net:
/// - adagrad: one Adagrad step on ||c - t||^2 / m (the published code);
/// - batch_mean: c = t, the exact minimiser over the share;
/// - fixed: the center stays where it started (an ablation: the paper measures what that costs).
struct CenterRule {
  enum class Kind { adagrad, batch_mean, fixed };
  Kind kind = Kind::adagrad;
  double learning_rate = 1;
  double decay = 0.01;  ///< Adagrad's rate after s steps: learning_rate / (1 + (s - 1) decay)

  static CenterRule adagrad(double learning_rate = 1, double decay = 0.01) {
    return {Kind::adagrad, learning_rate, decay};
  }
  static CenterRule batch_mean() { return {Kind::batch_mean}; }
  static CenterRule fixed() { return {Kind::fixed}; }

  /// The rule's name, for the model file.
  const char* name() const {
    return kind == Kind::adagrad ? "adagrad" : kind == Kind::batch_mean ? "batch_mean" : "fixed";
  }

  void validate() const {
    detail::ensure(kind == Kind::adagrad || kind == Kind::batch_mean || kind == Kind::fixed,
                   "the center's kind is ", static_cast<int>(kind),
                   ", expected one of the enumerators of Kind");
    if (kind != Kind::adagrad) return;
    detail::ensure(learning_rate > 0 && detail::is_finite(learning_rate),
                   "the center's learning rate is ", learning_rate, ", expected a positive number");
    detail::ensure(decay >= 0 && detail::is_finite(decay), "the center's decay is ", decay,
                   ", expected a finite number that is not negative");
  }
};

namespace detail {

/// The center and what its rule remembers.
template <class Scalar>
struct CenterState {
  AlignedBuffer<Scalar> center;       ///< m
  AlignedBuffer<Scalar> squared_sum;  ///< m: Adagrad's sum of squared gradients
  double steps = 0;

  /// A start on a standard normal draw.
  static CenterState drawn(Index m, Random random) {
    CenterState state{AlignedBuffer<Scalar>(m), AlignedBuffer<Scalar>(m)};
    for (Scalar& c : state.center) c = static_cast<Scalar>(random.normal());
    return state;
  }

  /// Copies the numbers of another state of as many code units; allocates nothing.
  void copy_from(const CenterState& other) {
    center.copy_from(other.center);
    squared_sum.copy_from(other.squared_sum);
    steps = other.steps;
  }

  /// One center step.
  /// \param code_sums sums of the share's codes, m
  /// \param count rows in the share
  void move(const CenterRule& rule, const Scalar* code_sums, Index count) {
    if (rule.kind == CenterRule::Kind::fixed) return;
    const Index m = center.size();
    steps += 1;
    const double rate = rule.learning_rate / std::fma(steps - 1, rule.decay, 1.0);
    for (Index j = 0; j < m; ++j) {
      const double target = static_cast<double>(code_sums[j]) / static_cast<double>(count);
      if (rule.kind == CenterRule::Kind::batch_mean) {
        center[j] = static_cast<Scalar>(target);
        continue;
      }
      const double c = static_cast<double>(center[j]);
      const double gradient = 2 * (c - target) / static_cast<double>(m);
      const double sum = std::fma(gradient, gradient, static_cast<double>(squared_sum[j]));
      squared_sum[j] = static_cast<Scalar>(sum);
      center[j] = static_cast<Scalar>(std::fma(-rate, gradient / (std::sqrt(sum) + 1e-10), c));
    }
  }
};

}  // namespace detail

DASVDD_NAMESPACE_END
