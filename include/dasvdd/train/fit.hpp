#pragma once
/// \file
/// One line from rows to a detector.

#include <dasvdd/detect/detector.hpp>
#include <dasvdd/train/attenuation.hpp>
#include <dasvdd/train/fit_nets.hpp>
#include <dasvdd/train/fit_progress.hpp>
#include <dasvdd/train/fitted_ensemble.hpp>
#include <dasvdd/train/trainer.hpp>
#include <dasvdd/train/training_rows.hpp>
#include <dasvdd/train/trusted_rows.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

DASVDD_NAMESPACE_BEGIN

/// What one may say to fit(); the defaults suit a table of any width and length.
struct FitOptions {
  std::uint64_t seed = 0;
  int threads = 0;          ///< 0: what OpenMP would use. Never changes the result.
  Index ensemble_size = 9;  ///< nets in the ensemble; 1 for those who need the smallest model
  Index steps = 3000;       ///< mini-batches each member trains for, rounded up to whole epochs
  Index epochs = 0;  ///< passes over the rows instead of steps, for those who count so; 0: steps
  ScoreForm score = ScoreForm::whitened;
  /// False for rows that are in one unit already, such as pixels.
  bool standardize = true;
  /// Small batches at a rate that stays: their noise moves the reconstruction of a row the more, the
  /// fewer training rows are near it, and so the residuals of anomalies.
  Index batch_size = 32;
  detail::Adam adam = {};
  CenterRule center = {};
  double kappa = 0.9;
  /// The weight of the latent term in training; empty: a tenth of what the published rule says.
  std::optional<double> gamma;
  /// The share of training rows that may be anomalies, below one half, for those who can't promise
  /// normal rows: rows that look odd are left out of the training, members train for a third of
  /// `steps`, since time is what a net needs to learn its few anomalies too, and the threshold calls
  /// that share of the training rows anomalies. Costs detection where all rows are normal after all
  /// (docs/results.md has figures): leave it at 0 then.
  double contamination = 0;

  /// Throws InvalidArgument for a value out of range; fit() does so before it trains anything.
  void check() const;
};

namespace detail {

/// Every member leaves out another fifth of the rows; a handful of rows can't spare any.
struct Folds {
  static constexpr Index count = 5, enough = 20;
  /// Whether member i trains on the row at place r of n in the fit's order.
  static bool trains_on(Index r, Index n, Index i) { return n < enough || r % count != i % count; }
  /// How many of n rows it trains on.
  static Index rows(Index n, Index i) {
    return n < enough ? n : n - ceil_div(n - i % count, count);
  }
};

/// The rows that member i trains on, in the scaler's units. The residuals that whiten its score are
/// those of all rows, so that some come from rows it does not know.
/// \param order one random order of the rows
template <class Scalar>
AlignedBuffer<Scalar> fit_rows_of_member(Rows<const Scalar> X, const Scaler<Scalar>& scaler,
                                         const std::vector<Index>& order, Index i) {
  const Index n = static_cast<Index>(order.size());
  std::vector<Index> mine;
  mine.reserve(static_cast<std::size_t>(Folds::rows(n, i)));
  for (Index r = 0; r < n; ++r) {
    if (Folds::trains_on(r, n, i)) mine.push_back(order[static_cast<std::size_t>(r)]);
  }
  return gathered(X, scaler, mine);
}

/// What all members are told, but for their epochs and seeds and, where it is estimated, gamma.
inline Options member_options(const FitOptions& settings) {
  Options options;
  options.batch_size = settings.batch_size;
  options.threads = 1;
  options.adam = settings.adam;
  options.center = settings.center;
  options.kappa = settings.kappa;
  options.score = settings.score;
  if (settings.gamma) options.gamma = GammaRule::value(*settings.gamma);
  return options;
}

/// Epochs of a member that trains on so many rows.
inline Index fit_epochs(const FitOptions& settings, Index rows) {
  if (settings.epochs > 0) return settings.epochs;
  const Index steps =
      settings.contamination > 0 ? ceil_div(settings.steps, Index(3)) : settings.steps;
  return ceil_div(steps, ceil_div(rows, settings.batch_size));
}

/// A member finished with the rows it gives the lowest scores, all but the share that may be
/// anomalies: first with the rows it was trained among, then twice with those that the model before
/// ranks lowest. More rows than it was trained among, so that normal rows far out are not whitened
/// as if there were none.
/// \param trained numbers of the rows it was trained among
/// \param finished_with called as finished_with(rows, report)
template <class Scalar, class F>
Finished<Scalar> finished_with_lowest(Rows<const Scalar> X, const std::vector<Index>& trained,
                                      double contamination, FitReport& report, F&& finished_with) {
  const auto with = [&](const std::vector<Index>& numbers, FitReport& said) {
    const AlignedBuffer<Scalar> rows = gathered(X, Scaler<Scalar>(), numbers);
    return finished_with(
        Rows<const Scalar>(rows.data(), static_cast<Index>(numbers.size()), X.cols()), said);
  };
  const auto lowest_by = [&](const Finished<Scalar>& finished) {
    const Detector<Scalar> detector(finished.model, finished.threshold);
    return lowest(scores_of_rows(detector, X, 1), rows_without(X.rows(), contamination));
  };
  FitReport unused = report;
  return with(lowest_by(with(lowest_by(with(trained, unused)), unused)), report);
}

/// Trains member i of a fit, by the calling thread alone. Nothing where the fit has failed meanwhile.
template <class Scalar>
DASVDD_COLD std::optional<FittedMember<Scalar>> fit_member(Rows<const Scalar> X,
                                                           const Scaler<Scalar>& scaler,
                                                           const std::vector<Index>& order,
                                                           const FitOptions& settings, Index i,
                                                           NetsProgress& progress) {
  const Autoencoder<Scalar> net = fit_net<Scalar>(X.cols(), i);
  const AlignedBuffer<Scalar> numbers = fit_rows_of_member(X, scaler, order, i);
  const Rows<const Scalar> rows(numbers.data(), numbers.size() / X.cols(), X.cols());
  Options options = member_options(settings);
  options.epochs = fit_epochs(settings, rows.rows());
  options.seed = Random(settings.seed, fit_seeds + static_cast<std::uint64_t>(i)).bits();
  if (!settings.gamma) options.gamma = fit_gamma(net, rows, options.seed);
  Trainer<Scalar> trainer(net, options);
  // Not fit: the net is corrected before it is finished.
  FitReport report = progress.follow(i, options.epochs,
                                     [&](const auto& tell) { return trainer.train(rows, tell); });
  if (progress.failed()) return {};
  TrainerState<Scalar> state = trainer.state();
  state.scaler = scaler;
  // The last layer is corrected, and the score made, from these rows.
  const auto finished_with = [&](Rows<const Scalar> some, FitReport& said) {
    state.parameters = trainer.state().parameters;
    undo_attenuation(net, state.statistics, scaler, some, 1, state.parameters);
    return finish(Trained<Scalar>(net, state, Dasvdd<Scalar>()), options, some, 1, said);
  };
  const Finished<Scalar> finished =
      settings.contamination > 0
          ? finished_with_lowest(X, order, settings.contamination, report, finished_with)
          : finished_with(X, report);
  return FittedMember<Scalar>{Detector<Scalar>(finished.model, finished.threshold),
                              std::move(report.warnings)};
}

/// fit_rows, whatever the type of its progress.
template <class Scalar>
Detector<Scalar> fit_members(Rows<const Scalar> X, const FitOptions& settings,
                             FunctionRef<bool(const FitProgress&)> progress) {
  settings.check();
  require(X.cols() > 0, "the training set has no columns");
  require_training_rows(X, X.cols());
  const int threads = resolve_threads(settings.threads);
  NetsProgress at(settings.ensemble_size, progress);
  const bool screened = settings.contamination > 0;
  const Index n = X.rows(), trained = screened ? Screening::trusted(n, settings.contamination) : n;
  if (screened) at.expect(Screening::all_epochs(n, settings.contamination));
  for (Index i = 0; i < settings.ensemble_size; ++i) {
    at.expect(fit_epochs(settings, Folds::rows(trained, i)));
  }

  std::vector<Index> order = screened
                                 ? trusted_rows(X, settings.contamination, settings.standardize,
                                                settings.seed, threads, at)
                                 : all_rows(n);
  const Scaler<Scalar> scaler = settings.standardize ? scaler_of(X, order) : Scaler<Scalar>();
  Random(settings.seed, fit_order).shuffle(order.data(), order.size());
  std::vector<std::optional<FittedMember<Scalar>>> begun(
      static_cast<std::size_t>(settings.ensemble_size));
  at.each(threads, settings.ensemble_size, [&](Index i) {
    begun[static_cast<std::size_t>(i)] = fit_member(X, scaler, order, settings, i, at);
  });
  std::vector<FittedMember<Scalar>> members;
  for (auto& member : begun) {
    if (member) members.push_back(std::move(*member));
  }
  std::map<std::string, std::string> facts = {
      {"seed", sentence(settings.seed)},
      {"gamma_rule", settings.gamma ? "value" : "a tenth of ratio_of_means"}};
  if (settings.contamination > 0) facts["contamination"] = sentence(settings.contamination);
  return fitted_ensemble(members, std::move(facts), X, settings.threads,
                         std::min(Options().training_quantile, 1 - settings.contamination));
}

}  // namespace detail

DASVDD_COLD inline void FitOptions::check() const {
  using detail::require;
  require(ensemble_size >= 1, "ensemble_size is ", ensemble_size, ", expected at least 1");
  require(steps >= 1, "steps is ", steps, ", expected at least 1");
  require(contamination >= 0 && contamination < 0.5, "the contamination is ", contamination,
          ", expected a share from 0 to below 0.5");
  require(epochs >= 0, "epochs is ", epochs, ", expected 0 (as steps say) or more");
  Options options = detail::member_options(*this);
  options.threads = threads;
  options.check();
}

/// Fits a detector to a table of normal rows: standardized, then an ensemble of autoencoders, each
/// trained on four fifths of the rows for a number of steps that does not depend on n, scored by
/// whitened residuals. docs/results.md has the reasons in figures.
/// What training warns of (see FitReport) stands in the detector's model().facts["warnings"].
/// \param X n x d, n at least 2; every number finite; constant features are fine
/// \throws InvalidArgument for rows that can't be trained on
/// \param progress called as progress(const FitProgress&) after each epoch of each net, by one thread
///   at a time; returning false ends the fit: nets at work stop after their running epoch, and the
///   detector is made of the members that had begun; where none had, for the rows were still being
///   screened (FitOptions::contamination), of the first member after one epoch on those trusted so far
template <class Scalar, class Progress>
Detector<Scalar> fit_rows(Rows<const Scalar> X, const FitOptions& settings, Progress&& progress) {
  return detail::fit_members<Scalar>(
      X, settings, [&](const FitProgress& at) { return detail::keep_going(progress, at); });
}

/// fit_rows for an Eigen matrix: `auto detector = dasvdd::fit(X);`
template <class Derived, class Progress>
Detector<typename Derived::Scalar> fit(const Eigen::DenseBase<Derived>& X,
                                       const FitOptions& settings, Progress&& progress) {
  return fit_rows<typename Derived::Scalar>(Rows<const typename Derived::Scalar>(X), settings,
                                            progress);
}
template <class Derived>
Detector<typename Derived::Scalar> fit(const Eigen::DenseBase<Derived>& X,
                                       const FitOptions& settings = {}) {
  return fit(X, settings, detail::NoProgress());
}
/// The same for rows of any memory.
template <class Scalar>
Detector<std::remove_const_t<Scalar>> fit(Rows<Scalar> X, const FitOptions& settings = {}) {
  return fit_rows<std::remove_const_t<Scalar>>(X, settings, detail::NoProgress());
}

DASVDD_NAMESPACE_END
