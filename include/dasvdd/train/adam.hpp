#pragma once
/// \file
/// Adam (Kingma & Ba 2015): its settings, and the state that belongs to one run.

#include <dasvdd/core/random.hpp>
#include <dasvdd/kernels/arguments.hpp>

#include <cmath>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// Settings of Adam; the defaults are the paper's and PyTorch's.
struct Adam {
  double learning_rate = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  /// Decoupled weight decay (AdamW): each step multiplies every parameter by 1 - learning_rate *
  /// weight_decay. For those who train Deep SVDD, or whose net overfits few rows.
  double weight_decay = 0;

  void validate() const {
    using detail::ensure;
    ensure(learning_rate > 0 && learning_rate <= 1, "the learning rate is ", learning_rate,
           ", expected a number above 0 and at most 1");
    ensure(beta1 >= 0 && beta1 < 1, "Adam's beta1 is ", beta1,
           ", expected a number from 0 to below 1");
    ensure(beta2 >= 0 && beta2 < 1, "Adam's beta2 is ", beta2,
           ", expected a number from 0 to below 1");
    ensure(epsilon > 0 && epsilon < 1, "Adam's epsilon is ", epsilon,
           ", expected a small positive number");
    ensure(weight_decay >= 0 && weight_decay * learning_rate < 1, "the weight decay is ",
           weight_decay,
           ", expected a number that is not negative and, times the learning rate, below 1");
  }
};

/// The step counter of one run, as running products: beta^t without a power function, the same on
/// every platform.
struct AdamClock {
  double beta1_power = 1, beta2_power = 1;

  /// Advances by one step (once a step, not once a tensor) and gives the kernels their constants:
  ///     p = (1 - rate weight_decay) p - rate / (1 - beta1^t) * m / (sqrt(v) / sqrt(1 - beta2^t) +
  ///     epsilon)
  template <class Scalar>
  kernels::AdamStep<Scalar> tick(const Adam& adam, double rate) {
    // Explicit fma: a compiler that contracts 1 - beta * power would round otherwise than one that
    // does not.
    const double correction1 = std::fma(-adam.beta1, beta1_power, 1.0);
    const double correction2 = std::fma(-adam.beta2, beta2_power, 1.0);
    beta1_power *= adam.beta1;
    beta2_power *= adam.beta2;
    kernels::AdamStep<Scalar> step;
    step.one_minus_beta1 = static_cast<Scalar>(1 - adam.beta1);
    step.beta2 = static_cast<Scalar>(adam.beta2);
    step.one_minus_beta2 = static_cast<Scalar>(1 - adam.beta2);
    step.rate = static_cast<Scalar>(rate / correction1);
    step.denominator_scale = static_cast<Scalar>(1 / std::sqrt(correction2));
    step.epsilon = static_cast<Scalar>(adam.epsilon);
    step.decay = static_cast<Scalar>(std::fma(-rate, adam.weight_decay, 1.0));
    return step;
  }
};

}  // namespace detail
DASVDD_NAMESPACE_END
