#pragma once
/// \file
/// One member of a fit: from rows to a detector of one net.

#include <dasvdd/fit/attenuation.hpp>
#include <dasvdd/fit/fit_options.hpp>
#include <dasvdd/fit/folds.hpp>
#include <dasvdd/fit/gathered_rows.hpp>
#include <dasvdd/fit/member_nets.hpp>
#include <dasvdd/fit/progress.hpp>
#include <dasvdd/fit/trusted_rows.hpp>
#include <dasvdd/train/trainer.hpp>

#include <optional>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// What all members of a fit share.
template <class Scalar>
struct FitTask {
  Rows<const Scalar> X;
  const FitOptions& options;
  Scaler<Scalar> scaler;
  std::vector<Index> order;  ///< numbers of the rows to train on, in one random order
};

/// What a member's trainer is told, but for its epochs, seed and gamma. Its rows are scaled already.
inline Options member_options(const FitOptions& options) {
  Options of_member;
  static_cast<TrainingOptions&>(of_member) = options;
  of_member.threads = 1;
  of_member.standardize = false;
  return of_member;
}

/// A member finished with the rows it gives the lowest scores, all but the share that may be
/// anomalies: first with the rows it was trained among, then twice with those that the detector
/// before ranks lowest. These are more rows than it was trained among, so that the whitening knows
/// normal rows far out.
/// \param finished_with called as finished_with(rows, report): a detector
template <class Scalar, class F>
Detector<Scalar> finished_with_lowest(const FitTask<Scalar>& task, FitReport& report,
                                      F&& finished_with) {
  const auto with = [&](const std::vector<Index>& numbers, FitReport& said) {
    return finished_with(GatheredRows<Scalar>(task.X, Scaler<Scalar>(), numbers).rows(), said);
  };
  const auto lowest_by = [&](const Detector<Scalar>& detector) {
    return lowest(scores_of_rows(detector, task.X, 1),
                  rows_without(task.X.rows(), task.options.contamination));
  };
  FitReport unused = report;
  return with(lowest_by(with(lowest_by(with(task.order, unused)), unused)), report);
}

/// Trains member i, by the calling thread alone. Nothing where the fit has failed meanwhile.
///
/// The rows it trains on are four fifths of the task's. Its last layer is corrected, and its score
/// made, with all of X (or the trusted rows of X), so that some residuals are those of rows that the
/// net does not know.
template <class Scalar>
DASVDD_COLD std::optional<Detector<Scalar>> fit_member(const FitTask<Scalar>& task, Index i,
                                                       NetsProgress& progress) {
  const Autoencoder<Scalar> net = member_net<Scalar>(task.X.cols(), i);
  const GatheredRows<Scalar> mine(task.X, task.scaler, Folds::trained(task.order, i));
  Options options = member_options(task.options);
  options.epochs = task.options.epochs_for(mine.rows().rows());
  options.seed = seed_of(task.options.seed, Stream::members, i);
  options.gamma = member_gamma(task.options.gamma, net, mine.rows(), options.seed);
  Trainer<Scalar> trainer(net, options);
  FitReport report = progress.follow(i, options.epochs, [&](const auto& tell) {
    return trainer.train(mine.rows(), tell);  // not fit: the net is corrected before it is finished
  });
  if (progress.failed()) return {};

  const auto& state = trainer.state();
  const auto finished_with = [&](Rows<const Scalar> some, FitReport& said) {
    AlignedBuffer<Scalar> parameters = state.parameters;
    undo_attenuation(net, state.statistics, task.scaler, some, 1, parameters);
    const auto trained = trained_net(net, state, parameters, task.scaler, Dasvdd<Scalar>());
    return finished(finish(trained, options, some, 1, said));
  };
  if (task.options.contamination == 0) return finished_with(task.X, report);
  return finished_with_lowest(task, report, finished_with);
}

}  // namespace detail
DASVDD_NAMESPACE_END
