#pragma once
/// \file
/// One line from rows to a detector.

#include <dasvdd/detect/ensemble.hpp>
#include <dasvdd/train/trainer.hpp>

DASVDD_NAMESPACE_BEGIN

/// What one may say to fit(); the defaults suit a table of any width and length.
struct FitSettings {
  std::uint64_t seed = 0;
  int threads = 0;    ///< 0: what OpenMP would use. Never changes the result.
  Index members = 5;  ///< nets in the ensemble; 1 for those who need the smallest model
  Index steps =
      1500;  ///< mini-batches each member is trained for, at least; rounded up to whole epochs
  ScoreForm score = ScoreForm::whitened;
};

/// Fits a detector to a table of normal rows: standardized, an ensemble of autoencoders, gamma
/// estimated, trained for a number of steps that does not depend on n. \param X n x d, n at least
/// 2; every number finite; constant features are fine \throws InvalidArgument for rows that can't
/// be trained on
template <class Scalar>
Detector<Scalar> fit_rows(Rows<const Scalar> X, const FitSettings& settings = {}) {
  using detail::require;
  require(settings.members >= 1, "members is ", settings.members, ", expected at least 1");
  require(settings.steps >= 1, "steps is ", settings.steps, ", expected at least 1");
  require(X.rows() > 1, "the training set has ", X.rows(), " rows, expected at least 2");
  require(X.cols() > 0, "the training set has no columns");
  detail::require_finite(X, "the training set");
  Options options;
  options.batch_size = 128;
  options.epochs = detail::ceil_div(settings.steps, detail::ceil_div(X.rows(), options.batch_size));
  options.standardize = true;
  options.score = settings.score;
  options.threads = 1;
  const auto net = dense_autoencoder<Scalar>(X.cols(), {128, 128, 64}, identity().spec(),
                                             leaky_relu().spec(), identity().spec());
  const int threads =
      std::min<int>(resolve_threads(settings.threads), static_cast<int>(settings.members));
  std::vector<std::optional<Detector<Scalar>>> members(static_cast<std::size_t>(settings.members));
  parallel(threads, [&](const Team& team) {
    // Member by member in turn: a team of two trains five nets as three and two.
    for (Index i = team.member(); i < settings.members; i += team.size()) {
      team.guard([&] {
        Options mine = options;
        mine.seed = settings.seed + 0x9e3779b97f4a7c15u * static_cast<std::uint64_t>(i);
        Trainer<Scalar> trainer(net, mine);
        trainer.fit(X);
        members[static_cast<std::size_t>(i)] = trainer.detector();
      });
    }
  });
  std::vector<Detector<Scalar>> detectors;
  for (auto& member : members) detectors.push_back(*member);
  const Detector<Scalar> fitted = ensemble(detectors, 0);
  const Vector<Scalar> scores = fitted.score(X, settings.threads);
  return fitted.with_threshold(detail::quantile(std::vector<double>(scores.begin(), scores.end()),
                                                options.training_quantile));
}

/// fit_rows for an Eigen matrix: `auto detector = dasvdd::fit(X);`
template <class Derived>
Detector<typename Derived::Scalar> fit(const Eigen::DenseBase<Derived>& X,
                                       const FitSettings& settings = {}) {
  return fit_rows<typename Derived::Scalar>(Rows<const typename Derived::Scalar>(X), settings);
}
template <class Scalar>
Detector<std::remove_const_t<Scalar>> fit(Rows<Scalar> X, const FitSettings& settings = {}) {
  return fit_rows<std::remove_const_t<Scalar>>(X, settings);
}

DASVDD_NAMESPACE_END
