#pragma once
/// \file
/// One line from rows to a detector.

#include <dasvdd/detect/places.hpp>
#include <dasvdd/fit/batch.hpp>
#include <dasvdd/fit/fit_process.hpp>
#include <dasvdd/fit/fitted_ensemble.hpp>
#include <dasvdd/fit/member.hpp>
#include <dasvdd/train/far_values.hpp>
#include <dasvdd/train/rounded_features.hpp>
#include <dasvdd/train/run_rows.hpp>
#include <dasvdd/train/training_rows.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// See checkpoint_task().
template <class Scalar>
std::string table_task(const AnyRows& X, const FitOptions& options) {
  return checkpoint_task<Scalar>(
      X, member_options(options),
      sentence("table, steps ", options.steps, ", epochs ", options.epochs, ", contamination ",
               in_full({options.contamination}), ", scaled ", options.standardize, ", missing ",
               static_cast<int>(options.missing)));
}

/// A share of n rows, as one of so many of them: those left out count towards it.
inline double share_among(double share, Index n, Index left) {
  if (left == n || share == 0) return share;
  const double found = static_cast<double>(n - left);
  return (std::max)(0.0, (share * static_cast<double>(n) - found) / static_cast<double>(left));
}

/// fit() for any type of batch and progress: chooses the rows to train on, fits the scaler, trains
/// the nets, and makes the ensemble.
/// \param places of the rows in the file or the source they are of
/// \param process null: one on its own
template <class Scalar>
Detector<Scalar> fit_table(const AnyRows& X, const FitOptions& options,
                           FunctionRef<bool(const FitProgress&)> progress,
                           Checkpoint<Scalar>* checkpoint, const Places& places = {},
                           FitProcess<Scalar>* process = nullptr) {
  FitProcess<Scalar> alone;
  FitProcess<Scalar>& here = process ? *process : alone;
  here.begin([&] { require_fit<Scalar>(X, options, options.missing); },
             [&] { return table_task<Scalar>(X, options); }, checkpoint, options.ensemble_size);
  const int threads = resolve_threads(options.threads);
  const Index members = options.ensemble_size;
  const std::vector<FarValues> outlying = far_values(X);
  std::vector<Index> far_rows = few_far_rows(outlying, X.rows());
  std::vector<std::string> warnings;
  warn_of(outlying, X.rows(), places, options.feature_names, far_rows, warnings);
  warn_of_rounding(X, std::is_same_v<Scalar, float>, options.standardize, places,
                   options.feature_names, far_rows, warnings);
  const std::vector<Index> near_rows = all_rows_but(far_rows, X.rows());
  const Index n = static_cast<Index>(near_rows.size());
  const double contamination = share_among(options.contamination, X.rows(), n);
  const bool screened = contamination > 0;
  const Index trusted = screened ? Screening::trusted(n, contamination) : n;
  NetsProgress at(members, progress);
  if (screened) at.expect(Screening::all_epochs(n, contamination));
  std::vector<double> costs;
  for (Index i = 0; i < members; ++i) {
    const Index rows = Folds::rows(trusted, i), kept = epochs_kept(checkpoint, i);
    const Index epochs = options.epochs_for(rows, X.cols());
    at.expect(epochs, kept);
    costs.push_back(net_cost(member_net<Scalar>(X.cols(), i), epochs - kept, rows, X.rows()));
  }

  FitTask<Scalar> task{
      X,
      options,
      checkpoint,
      {},
      screened ? trusted_rows(X, near_rows, contamination, options, threads, at, here) : near_rows,
      {},
      std::move(far_rows),
      contamination};
  std::set_difference(near_rows.begin(), near_rows.end(), task.order.begin(), task.order.end(),
                      std::back_inserter(task.unused));
  if (options.standardize) task.scaler = standardizer_of<Scalar>(X, task.order, options.missing);
  random_stream(options.seed, Stream::fit_order).shuffle(task.order.data(), task.order.size());

  std::vector<std::optional<FittedMember<Scalar>>> begun(static_cast<std::size_t>(members));
  const std::vector<Index> mine = here.nets(costs);
  here.run(at, [&] {
    at.each(threads, mine,
            [&](Index i) { begun[static_cast<std::size_t>(i)] = fit_member(task, i, at); });
  });
  here.gather(begun);
  std::vector<FittedMember<Scalar>> fitted;
  for (auto& member : begun) {
    if (member) fitted.push_back(std::move(*member));
  }
  Facts facts = {{"seed", sentence(options.seed)}, {"gamma_rule", options.gamma.text()}};
  if (options.missing == FitOptions::Missing::impute) facts["missing"] = "impute";
  if (options.contamination > 0) facts["contamination"] = sentence(options.contamination);
  return fitted_ensemble(fitted, std::move(facts), X, options.threads,
                         (std::max)(usual_false_alarms, contamination), std::move(warnings));
}

/// How many rows of a source stand for all of it: no more than nets which train for `steps` see about once each.
/// \param most that memory is for
inline Index sample_rows(const FitOptions& options, Index most) {
  most = std::max<Index>(most, 1000);
  if (options.epochs > 0) return most;
  const std::int64_t seen = saturating_product(options.steps, options.batch_size);
  const std::int64_t enough = saturating_product(seen, Folds::count) / (Folds::count - 1);
  return static_cast<Index>(std::min<std::int64_t>(most, std::max<std::int64_t>(enough, 1000)));
}

/// fit() of a source: one pass over it, then as of a table of the rows that are kept.
template <class Scalar>
Detector<Scalar> fit_source(const RowSource& source, const FitOptions& options,
                            FunctionRef<bool(const FitProgress&)> progress,
                            Checkpoint<Scalar>* checkpoint) {
  options.validate();
  options.check_width(source.cols());
  require_no_missing_rule(options.missing);
  RowReader reader(source.open());
  const bool wide = reader.more() && reader.wide();
  const Index sample =
      options.window > 0 ? options.window : sample_rows(options, usual_window(source.cols(), wide));
  const SourceScan scan =
      SourceScan::of(reader, {sample, options.seed, std::is_same_v<Scalar, float>});
  return fit_table<Scalar>(scan.held.rows(), options, progress, checkpoint, Places{scan.numbers});
}

}  // namespace detail

/// Fits a detector to a table of normal rows: `auto detector = dasvdd::fit(X);`
///
/// Features are standardized. An ensemble of autoencoders is trained, each on four fifths of the rows
/// and for a number of steps that does not depend on n. Rows are scored by FitOptions::score, by default
/// whitened residuals and the distance of the decoded code from the nearest of several centers.
/// docs/results.md has the figures behind these choices. Detector::warnings() of the result says what
/// looked wrong.
/// \code
/// dasvdd::FitOptions options;
/// options.seed = 7;
/// auto detector = dasvdd::fit(X, options);
/// \endcode
/// \param X n x d, n at least 2, every number finite (or NaN, see FitOptions::missing), of float or
///   double: a row-major Eigen matrix or Rows. Constant features are allowed.
/// \param progress called as progress(const FitProgress&) after each epoch of each net, by one thread
///   at a time. Returning false ends the fit: nets in training finish their epoch, and the detector
///   is made of the nets that had begun. While rows are screened (FitOptions::contamination) none
///   has: the detector is then one net, trained for one epoch on the rows chosen so far.
/// \param checkpoint gets what the fit reaches, and gives what an earlier one has reached; null: none
/// \return a detector of X's scalar type (fit<float>(X) gives one in float whatever X is), with p-values
///   from the rows that each net leaves out. Of new normal rows about one in a hundred scores above its
///   threshold, or with contamination c about the share c where that is more. Fewer than 99 rows are too
///   few for one in a hundred: the threshold is then the largest score of a left-out row, and warnings()
///   says so. For another rate write
///   detector.with_threshold(detector.calibration().threshold(false_alarm_rate(0.05))).
/// \throws InvalidArgument for options out of range, rows that can't be trained on, or a checkpoint of another
///   fit: of other rows or options
template <class Batch, class Progress = detail::NoProgress>
Detector<detail::BatchScalar<Batch>> fit(
    const Batch& X, const FitOptions& options = {}, Progress&& progress = {},
    Checkpoint<detail::BatchScalar<Batch>>* checkpoint = nullptr) {
  return detail::fit_table<detail::BatchScalar<Batch>>(
      detail::rows_of(X), options,
      [&](const FitProgress& at) { return detail::keep_going(progress, at); }, checkpoint);
}
/// The same with the detector's scalar type named: `fit<float>(X)` of double rows trains in float,
/// twice as fast, on rows that were scaled in double. X is not copied.
template <class Scalar, class Batch, class Progress = detail::NoProgress>
Detector<Scalar> fit(const Batch& X, const FitOptions& options = {}, Progress&& progress = {},
                     detail::NotDeduced<Checkpoint<Scalar>>* checkpoint = nullptr) {
  return detail::fit_table<Scalar>(
      detail::rows_of(X), options,
      [&](const FitProgress& at) { return detail::keep_going(progress, at); }, checkpoint);
}
/// The same of rows that memory can't hold: the source is read once, all rows are checked, and a sample of them, drawn
/// by the seed, each row with the same chance, is the table. Nets train for a number of steps that does not depend on
/// n, so a sample is what they would see of more rows anyway: options.window rows, or by default as many as
/// take 32 MB, at most about 120,000. A source with no more rows gives the detector that fit() of them in
/// memory gives.
/// \return a detector in float, whatever the rows are; fit<double>(source) gives one in double
template <class Scalar = float, class Progress = detail::NoProgress>
Detector<Scalar> fit(const RowSource& source, const FitOptions& options = {},
                     Progress&& progress = {},
                     detail::NotDeduced<Checkpoint<Scalar>>* checkpoint = nullptr) {
  return detail::fit_source<Scalar>(
      source, options, [&](const FitProgress& at) { return detail::keep_going(progress, at); },
      checkpoint);
}

DASVDD_NAMESPACE_END
