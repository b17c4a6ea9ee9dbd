#pragma once
/// \file
/// What a training run remembers, and what it falls back to.

#include <dasvdd/detect/scaler.hpp>
#include <dasvdd/train/adam.hpp>
#include <dasvdd/train/center.hpp>

#include <algorithm>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// Everything that a run remembers between two epochs: a value, what a checkpoint holds. Put back
/// into a trainer of the same net and options, training goes on to the same bits.
template <class Scalar>
struct TrainerState {
  AlignedBuffer<Scalar> parameters, first_moments, second_moments, statistics;
  AdamClock clock;
  CenterState<Scalar> center;
  Scaler<Scalar> scaler;
  double gamma = 0;
  double squared_radius = 0;  ///< R^2 of objectives that have a radius
  Index epochs = 0;           ///< epochs done
  Random order{0};            ///< the generator behind the order of rows
};

/// What to fall back to when the loss leaves the numbers. Not Adam's moments, which would cost
/// twice the memory: they start anew.
template <class Scalar>
struct GoodState {
  AlignedBuffer<Scalar> parameters, statistics;
  CenterState<Scalar> center;
  double squared_radius = 0;
  Index epochs = 0;
  Random order{0};

  GoodState() = default;
  explicit GoodState(const TrainerState<Scalar>& s)
      : parameters(s.parameters),
        statistics(s.statistics),
        center(s.center),
        squared_radius(s.squared_radius),
        epochs(s.epochs),
        order(s.order) {}

  void keep(const TrainerState<Scalar>& s) { copy(s, *this); }
  void put_back(TrainerState<Scalar>& s) const {
    copy(*this, s);
    std::fill(s.first_moments.begin(), s.first_moments.end(), Scalar(0));
    std::fill(s.second_moments.begin(), s.second_moments.end(), Scalar(0));
    s.clock = AdamClock();
  }

 private:
  /// Allocates nothing.
  template <class From, class To>
  static void copy(const From& from, To& to) {
    to.parameters.copy_from(from.parameters);
    to.statistics.copy_from(from.statistics);
    to.center.center.copy_from(from.center.center);
    to.center.squared_sum.copy_from(from.center.squared_sum);
    to.center.steps = from.center.steps;
    to.squared_radius = from.squared_radius;
    to.epochs = from.epochs;
    to.order = from.order;
  }
};

}  // namespace detail
DASVDD_NAMESPACE_END
