#pragma once
/// \file
/// One member of a fit: from rows to a detector of one net.

#include <dasvdd/fit/attenuation.hpp>
#include <dasvdd/fit/checkpoint.hpp>
#include <dasvdd/fit/fit_options.hpp>
#include <dasvdd/fit/fitted_ensemble.hpp>
#include <dasvdd/fit/folds.hpp>
#include <dasvdd/fit/gathered_rows.hpp>
#include <dasvdd/fit/member_nets.hpp>
#include <dasvdd/fit/progress.hpp>
#include <dasvdd/fit/trusted_rows.hpp>
#include <dasvdd/train/trainer.hpp>

#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// What all members of a fit share.
template <class Scalar>
struct FitTask {
  AnyRows X;
  const FitOptions& options;
  Checkpoint<Scalar>* checkpoint;  ///< null: none
  Scaler<Scalar> scaler;
  std::vector<Index> order;   ///< numbers of the rows to train on, in one random order
  std::vector<Index> unused;  ///< numbers of the rows that no net trains on
  std::vector<Index>
      far_rows;              ///< numbers of the rows that have no part in the fit, see far_values()
  double contamination = 0;  ///< the share of the other rows that is anomalies
  MemberForm<Scalar> form = {};

  /// Numbers of the rows that member i leaves out. Those that no net trains on are dealt to the folds
  /// as if they were left out of one, so that each is scored by as many members as the others.
  std::vector<Index> left_out(Index i) const {
    std::vector<Index> rows = Folds::left_out(order, i);
    for (std::size_t r = 0; r < unused.size(); ++r) {
      if (static_cast<Index>(r) % Folds::count == i % Folds::count) rows.push_back(unused[r]);
    }
    return rows;
  }
};

/// What a member's trainer is told, but for its epochs, seed and gamma. Its rows are scaled already.
inline Options member_options(const FitOptions& options) {
  Options of_member;
  static_cast<TrainingOptions&>(of_member) = options;
  of_member.threads = 1;
  of_member.standardize = false;
  if (options.missing == FitOptions::Missing::impute) {
    of_member.missing = Options::Missing::refuse;  // they are there by then
  }
  return of_member;
}

/// A member finished with the rows of these numbers.
/// \param left_out gets the scores of its rows, whether they were among these or not
/// \param finished_with called as finished_with(rows, report, left_out of these rows): a detector
template <class Scalar, class F>
Detector<Scalar> finished_with_rows(const FitTask<Scalar>& task, const std::vector<Index>& numbers,
                                    FitReport& report, LeftOut& left_out, F&& finished_with) {
  // A left-out row that is among them is measured without itself, another as any new row.
  std::vector<Index> place(static_cast<std::size_t>(task.X.rows()), -1);
  for (std::size_t r = 0; r < numbers.size(); ++r) {
    place[static_cast<std::size_t>(numbers[r])] = static_cast<Index>(r);
  }
  LeftOut among;
  for (const Index row : left_out.rows) {
    const Index at = place[static_cast<std::size_t>(row)];
    if (at >= 0) among.rows.push_back(at);
  }
  const Detector<Scalar> detector =
      finished_with(ChosenRows(task.X, numbers).rows(), report, among);
  const std::vector<double> scores = finite_scores<Scalar>(scores_of_rows(detector, task.X, 1));
  std::size_t used = 0;
  for (const Index row : left_out.rows) {
    const bool is_among = place[static_cast<std::size_t>(row)] >= 0;
    left_out.scores.push_back(is_among ? among.scores[used++]
                                       : scores[static_cast<std::size_t>(row)]);
  }
  return detector;
}

/// A member finished with the rows it gives the lowest scores, all but the share that may be
/// anomalies: first with the rows it was trained among, then twice with those that the detector
/// before ranks lowest. These are more rows than it was trained among, so that the whitening knows
/// normal rows far out.
/// \param left_out gets the scores of its rows, whether they were among the lowest or not
/// \param finished_with called as finished_with(rows, report, left_out of these rows): a detector
template <class Scalar, class F>
Detector<Scalar> finished_with_lowest(const FitTask<Scalar>& task, FitReport& report,
                                      LeftOut& left_out, F&& finished_with) {
  const auto with = [&](const std::vector<Index>& numbers, FitReport& said, LeftOut& out) {
    return finished_with(ChosenRows(task.X, numbers).rows(), said, out);
  };
  const std::vector<Index> all = all_rows_but(task.far_rows, task.X.rows());
  const auto lowest_by = [&](const Detector<Scalar>& detector) {
    return lowest(scores_of_rows(detector, task.X, 1), all,
                  rows_without(static_cast<Index>(all.size()), task.contamination));
  };
  FitReport unused = report;
  LeftOut none;
  return finished_with_rows(
      task, lowest_by(with(lowest_by(with(task.order, unused, none)), unused, none)), report,
      left_out, finished_with);
}

/// Trains member i, by the calling thread alone. Nothing where the fit has failed meanwhile.
///
/// The rows it trains on are four fifths of the task's. Its last layer is corrected with them alone, so
/// that the other rows stay new to the net. Its score is made with all of X (or the trusted rows of X),
/// so that some residuals are those of rows that the net does not know.
template <class Scalar>
DASVDD_COLD std::optional<FittedMember<Scalar>> fit_member(const FitTask<Scalar>& task, Index i,
                                                           NetsProgress& progress) {
  const Autoencoder<Scalar> net = task.form.net(task.scaler.inputs(task.X.cols()), i);
  const GatheredRows<Scalar> mine(task.X, task.scaler, Folds::trained(task.order, i));
  Options options = member_options(task.options);
  options.epochs = task.options.epochs_for(mine.rows().rows(), task.X.cols());
  options.final_rate = task.form.final_rate;
  options.seed = seed_of(task.options.seed, Stream::members, i);
  options.gamma =
      member_gamma(task.options.gamma, net, scaled_already(task.scaler), mine.rows(), options.seed);
  Options of_trainer = options;
  of_trainer.feature_names.clear();  // of rows, which may have fewer numbers than the net gets
  Trainer<Scalar> trainer(net, of_trainer);
  // Not fit: the net is corrected before it is finished.
  FitReport report = progress.follow(
      i, options.epochs - epochs_kept(task.checkpoint, i),
      [&](const auto& tell) { return train_with(trainer, mine.rows(), task.checkpoint, i, tell); });
  if (progress.failed()) return {};
  // Ended before its first epoch: no part of an ensemble, unless there is nothing else.
  if (report.stopped && trainer.state().epochs == 0 && i > 0) return {};

  const auto& state = trainer.state();
  AlignedBuffer<Scalar> parameters = state.parameters;
  undo_attenuation(net, state.statistics, mine.rows(), parameters);
  auto trained = trained_net(net, state, parameters, task.scaler, Dasvdd<Scalar>());
  trained.most_centers = task.form.most_centers;
  const auto finished_with = [&](const AnyRows& some, FitReport& said, LeftOut& out) {
    return finished(finish(trained, options, some, 1, said, &out));
  };
  LeftOut left_out{task.left_out(i), {}};
  const auto finish_all = [&]() -> Detector<Scalar> {
    if (task.contamination > 0) {
      return finished_with_lowest(task, report, left_out, finished_with);
    }
    if (task.far_rows.empty()) return finished_with(task.X, report, left_out);
    return finished_with_rows(task, all_rows_but(task.far_rows, task.X.rows()), report, left_out,
                              finished_with);
  };
  Detector<Scalar> detector = finish_all();
  return FittedMember<Scalar>{std::move(detector), std::move(left_out)};
}

}  // namespace detail
DASVDD_NAMESPACE_END
