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
/// \tparam ObjectiveState what the objective remembers, see Objective::State
template <class Scalar, class ObjectiveState>
struct TrainerState {
  AlignedBuffer<Scalar> parameters, first_moments, second_moments, statistics;
  AdamClock clock;
  CenterState<Scalar> center;
  Scaler<Scalar> scaler;
  double gamma = 0;
  ObjectiveState objective;
  Index epochs = 0;  ///< epochs done
  Random order{0};   ///< the generator behind the order of rows
};

/// What to fall back to: before the loss left the numbers, or the epoch that served held-out rows
/// best. Not Adam's moments, which would cost twice the memory: they start anew.
template <class Scalar, class ObjectiveState>
class GoodState {
 public:
  using State = TrainerState<Scalar, ObjectiveState>;

  /// Copies into memory that is there already, but for the first time.
  void keep(const State& s) {
    if (parameters_.size() != s.parameters.size()) {
      parameters_ = s.parameters;
      statistics_ = s.statistics;
      center_ = s.center;
    }
    parameters_.copy_from(s.parameters);
    statistics_.copy_from(s.statistics);
    center_.copy_from(s.center);
    objective_ = s.objective;
    epochs_ = s.epochs;
    order_ = s.order;
  }
  void put_back(State& s) const {
    s.parameters.copy_from(parameters_);
    s.statistics.copy_from(statistics_);
    s.center.copy_from(center_);
    s.objective = objective_;
    s.epochs = epochs_;
    s.order = order_;
    std::fill(s.first_moments.begin(), s.first_moments.end(), Scalar(0));
    std::fill(s.second_moments.begin(), s.second_moments.end(), Scalar(0));
    s.clock = AdamClock();
  }

 private:
  AlignedBuffer<Scalar> parameters_, statistics_;
  CenterState<Scalar> center_;
  ObjectiveState objective_;
  Index epochs_ = 0;
  Random order_{0};
};

}  // namespace detail
DASVDD_NAMESPACE_END
