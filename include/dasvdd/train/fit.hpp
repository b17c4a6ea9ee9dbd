#pragma once
/// \file
/// One line from rows to a detector.

#include <dasvdd/detect/ensemble.hpp>
#include <dasvdd/train/attenuation.hpp>
#include <dasvdd/train/trainer.hpp>

#include <mutex>
#include <optional>

DASVDD_NAMESPACE_BEGIN

/// What one may say to fit(); the defaults suit a table of any width and length.
struct FitSettings {
  std::uint64_t seed = 0;
  int threads = 0;     ///< 0: what OpenMP would use. Never changes the result.
  Index members = 9;   ///< nets in the ensemble; 1 for those who need the smallest model
  Index steps = 3000;  ///< mini-batches each member trains for, rounded up to whole epochs
  Index epochs = 0;    ///< passes over the rows instead of steps, for those who count so; 0: steps
  ScoreForm score = ScoreForm::whitened;
  /// False for rows that are in one unit already, such as pixels.
  bool standardize = true;
  /// Small batches at a rate that stays: their noise moves the reconstruction of a row the more, the
  /// fewer training rows are near it, and so the residuals of anomalies.
  Index batch_size = 32;
  Adam adam = {};
  CenterRule center = {};
  double kappa = 0.9;
  /// The weight of the latent term in training; empty: a tenth of what the published rule says.
  std::optional<double> gamma;
};

/// How far a fit has come.
struct FitProgress {
  Index member = 0, members = 0;  ///< which net, from 0
  EpochReport epoch;              ///< its last epoch
  Index done = 0, total = 0;      ///< epochs of all nets
};

namespace detail {

/// Random streams beside those of a Trainer: the order of rows, and the members' seeds.
constexpr std::uint64_t fit_order = 4, fit_seeds = 1000000;

/// Member i's net: every third is a layer shallower. Nets of two depths err on different rows, and
/// their mean ranks better than as many nets alike.
template <class Scalar>
Autoencoder<Scalar> fit_net(Index features, Index i) {
  const std::vector<Index> shallow = {128, 128, 64}, deep = {128, 128, 128, 64};
  return dense_autoencoder<Scalar>(features, i % 3 == 0 ? shallow : deep, identity().spec(),
                                   leaky_relu().spec(), identity().spec());
}

/// The rows that member i trains on, in the scaler's units: `order` is one random order of all
/// rows, from which every member leaves out another fifth. The residuals that whiten its score are
/// those of all rows, so that some come from rows it does not know. A handful of rows can't spare
/// any.
template <class Scalar>
AlignedBuffer<Scalar> fit_rows_of_member(Rows<const Scalar> X, const Scaler<Scalar>& scaler,
                                         const std::vector<Index>& order, Index i) {
  constexpr Index folds = 5, enough = 20;
  std::vector<Index> mine;
  for (Index r = 0; r < X.rows(); ++r) {
    if (X.rows() < enough || r % folds != i % folds)
      mine.push_back(order[static_cast<std::size_t>(r)]);
  }
  AlignedBuffer<Scalar> rows(static_cast<Index>(mine.size()) * X.cols());
  for (std::size_t r = 0; r < mine.size(); ++r) {
    scaler.apply(kernels::best<Scalar>(), X.row(mine[r]), X.cols(),
                 rows.data() + static_cast<Index>(r) * X.cols());
  }
  return rows;
}

/// A tenth of the gamma that the published rule gives, from two nets and a thousand rows at most:
/// untrained nets put the weight of the latent term far too high for trained ones, and there are
/// other members.
template <class Scalar>
GammaRule fit_gamma(const Autoencoder<Scalar>& net, Rows<const Scalar> X, std::uint64_t seed) {
  constexpr Index enough = 1000;
  const Rows<const Scalar> some = X.middle_rows(0, std::min(X.rows(), enough));
  return GammaRule::value(
      0.1 * estimate_gamma<Scalar>(net, {}, some, nullptr, GammaRule::ratio_of_means(2), 1,
                                   [&](int t, Scalar* parameters, Scalar* statistics) {
                                     Random random(seed,
                                                   Stream::gamma + static_cast<std::uint64_t>(t));
                                     net.joined().initialize(random, parameters, statistics);
                                   }));
}

/// Trains member i of a fit, by the calling thread alone.
/// \param progress called as progress(const EpochReport&); returning false stops
/// \param warnings gets what the member's report warns of
template <class Scalar, class Progress>
Detector<Scalar> fit_member(Rows<const Scalar> X, const Scaler<Scalar>& scaler,
                            const std::vector<Index>& order, const FitSettings& settings, Index i,
                            Progress&& progress, std::string& warnings) {
  const Autoencoder<Scalar> net = fit_net<Scalar>(X.cols(), i);
  const AlignedBuffer<Scalar> numbers = fit_rows_of_member(X, scaler, order, i);
  const Rows<const Scalar> rows(numbers.data(), numbers.size() / X.cols(), X.cols());
  Options options;
  options.batch_size = settings.batch_size;
  options.epochs = settings.epochs > 0
                       ? settings.epochs
                       : ceil_div(settings.steps, ceil_div(rows.rows(), options.batch_size));
  options.seed = Random(settings.seed, fit_seeds + static_cast<std::uint64_t>(i)).bits();
  options.threads = 1;
  options.adam = settings.adam;
  options.center = settings.center;
  options.kappa = settings.kappa;
  options.gamma =
      settings.gamma ? GammaRule::value(*settings.gamma) : fit_gamma(net, rows, options.seed);
  Trainer<Scalar> trainer(net, options);
  FitReport report = trainer.fit(rows, progress);
  // The last layer is corrected, and the score made, from all rows.
  options.score = settings.score;
  const TrainerState<Scalar>& state = trainer.state();
  AlignedBuffer<Scalar> parameters = state.parameters;
  undo_attenuation(net, state.statistics, scaler, X, 1, parameters);
  const auto finished =
      finish(net, Dasvdd<Scalar>::name, parameters, state.statistics, state.center.center, scaler,
             state.gamma, 1, state.gamma, options, X, 1, report);
  // finish() has looked at the corrected net, the trainer at its own.
  std::sort(report.warnings.begin(), report.warnings.end());
  report.warnings.erase(std::unique(report.warnings.begin(), report.warnings.end()),
                        report.warnings.end());
  for (const std::string& warning : report.warnings) {
    warnings += sentence(warnings.empty() ? "" : "; ", "net ", i + 1, ": ", warning);
  }
  return Detector<Scalar>(finished.model, finished.threshold);
}

/// What is wrong with settings is said before the first member trains.
inline void check(const FitSettings& settings) {
  require(settings.members >= 1, "members is ", settings.members, ", expected at least 1");
  require(settings.steps >= 1, "steps is ", settings.steps, ", expected at least 1");
  require(settings.epochs >= 0, "epochs is ", settings.epochs,
          ", expected 0 (as steps say) or more");
  Options options;
  options.threads = settings.threads;
  options.batch_size = settings.batch_size;
  options.adam = settings.adam;
  options.center = settings.center;
  options.kappa = settings.kappa;
  if (settings.gamma) options.gamma = GammaRule::value(*settings.gamma);
  options.check();
}

}  // namespace detail

/// Fits a detector to a table of normal rows: standardized, then an ensemble of autoencoders, each
/// trained on four fifths of the rows for a number of steps that does not depend on n, scored by
/// whitened residuals. docs/results.md has the reasons in figures.
/// What training warns of (see FitReport) stands in the detector's model().facts["warnings"].
/// \param X n x d, n at least 2; every number finite; constant features are fine
/// \throws InvalidArgument for rows that can't be trained on
/// \param progress called as progress(const FitProgress&) after each epoch of each member, by one
///   thread at a time; returning false stops all members after their running epoch
template <class Scalar, class Progress>
Detector<Scalar> fit_rows(Rows<const Scalar> X, const FitSettings& settings, Progress&& progress) {
  using detail::require;
  detail::check(settings);
  require(X.cols() > 0, "the training set has no columns");
  detail::require_width(X, X.cols(), "the training set");
  require(X.rows() > 1, "the training set has ", X.rows(), " rows, expected at least 2");
  detail::require_finite(X, "the training set");
  const Scaler<Scalar> scaler =
      settings.standardize ? Scaler<Scalar>::standardizing(X) : Scaler<Scalar>();
  std::vector<Index> order(static_cast<std::size_t>(X.rows()));
  for (std::size_t r = 0; r < order.size(); ++r) order[r] = static_cast<Index>(r);
  Random(settings.seed, detail::fit_order).shuffle(order.data(), order.size());

  const int threads =
      std::min<int>(resolve_threads(settings.threads), static_cast<int>(settings.members));
  std::vector<std::optional<Detector<Scalar>>> members(static_cast<std::size_t>(settings.members));
  std::vector<std::string> warnings(members.size());
  std::mutex mutex;
  FitProgress at;
  at.members = settings.members;
  bool go_on = true;
  parallel(threads, [&](const Team& team) {
    // Member by member in turn: a team of two trains nine nets as five and four.
    for (Index i = team.member(); i < settings.members; i += team.size()) {
      team.guard([&] {
        members[static_cast<std::size_t>(i)] = detail::fit_member(
            X, scaler, order, settings, i,
            [&](const EpochReport& epoch) {
              const std::lock_guard<std::mutex> lock(mutex);
              at.member = i;
              at.epoch = epoch;
              at.total = epoch.epochs * settings.members;
              ++at.done;
              go_on = go_on && detail::keep_going(progress, static_cast<const FitProgress&>(at));
              return go_on;
            },
            warnings[static_cast<std::size_t>(i)]);
      });
    }
  });
  std::vector<Detector<Scalar>> detectors;
  for (auto& member : members) detectors.push_back(*member);
  std::string said;
  for (const std::string& warning : warnings) {
    if (!warning.empty()) said += said.empty() ? warning : "; " + warning;
  }
  std::map<std::string, std::string> facts = detectors.front().model().facts;
  facts["seed"] = detail::sentence(settings.seed);
  facts["gamma_rule"] = settings.gamma ? "value" : "a tenth of ratio_of_means";
  if (!said.empty()) facts["warnings"] = said;
  const Detector<Scalar> fitted = ensemble(detectors, 0, std::move(facts));
  std::vector<Scalar> scores(static_cast<std::size_t>(X.rows()));
  fitted.score(X, scores.data(), settings.threads);
  return fitted.with_threshold(detail::quantile(std::vector<double>(scores.begin(), scores.end()),
                                                Options().training_quantile));
}

/// fit_rows for an Eigen matrix: `auto detector = dasvdd::fit(X);`
template <class Derived, class Progress>
Detector<typename Derived::Scalar> fit(const Eigen::DenseBase<Derived>& X,
                                       const FitSettings& settings, Progress&& progress) {
  return fit_rows<typename Derived::Scalar>(Rows<const typename Derived::Scalar>(X), settings,
                                            progress);
}
template <class Derived>
Detector<typename Derived::Scalar> fit(const Eigen::DenseBase<Derived>& X,
                                       const FitSettings& settings = {}) {
  return fit(X, settings, detail::NoProgress());
}
/// The same for rows of any memory.
template <class Scalar>
Detector<std::remove_const_t<Scalar>> fit(Rows<Scalar> X, const FitSettings& settings = {}) {
  return fit_rows<std::remove_const_t<Scalar>>(X, settings, detail::NoProgress());
}

DASVDD_NAMESPACE_END
