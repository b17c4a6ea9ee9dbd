#pragma once
/// \file
/// One line from images to a detector.

#include <dasvdd/train/fit.hpp>
#include <dasvdd/train/fit_progress.hpp>
#include <dasvdd/train/fitted_ensemble.hpp>
#include <dasvdd/train/presets.hpp>
#include <dasvdd/train/trainer.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

DASVDD_NAMESPACE_BEGIN

/// What one may say to fit_images(); the defaults suit gray and colored square images of any size.
struct ImageOptions {
  std::uint64_t seed = 0;
  int threads = 0;  ///< 0: what OpenMP would use. Never changes the result.
  Index ensemble_size =
      3;  ///< nets in the ensemble; 1 for the smallest model and the shortest training
  ImageKind kind = ImageKind::objects;
  /// Channels, height, width of the images; empty: a square in one channel, or else in three.
  Shape shape = {0, 0, 0};
  Index epochs = 0;  ///< passes over the images, each member's; 0: as many as the kind's preset has
  detail::Precision precision = {};  ///< mixed_precision() where the CPU has it: these nets are big

  /// Throws InvalidArgument for too few members or epochs; the rest depends on the rows.
  void check() const {
    detail::require(ensemble_size >= 1, "ensemble_size is ", ensemble_size,
                    ", expected at least 1");
    detail::require(epochs >= 0, "epochs is ", epochs, ", expected 0 (as the preset says) or more");
  }
};

namespace detail {

/// The shape of images of d numbers that nobody has told: a square of one channel or of three.
inline Shape square_images(Index d) {
  for (const Index channels : {1, 3}) {
    const Index side =
        static_cast<Index>(std::lround(std::sqrt(static_cast<double>(d / channels))));
    if (channels * side * side == d) return {channels, side, side};
  }
  require(false, "images of ", d,
          " numbers are no squares of one channel or three: expected their ",
          "channels, height and width in ImageOptions::shape");
  return {};
}

/// fit_images, whatever the type of its progress.
template <class Scalar>
Detector<Scalar> fit_image_members(Rows<const Scalar> X, const ImageOptions& settings,
                                   FunctionRef<bool(const FitProgress&)> progress) {
  settings.check();
  require(X.cols() > 0, "the training set has no columns");
  const bool told = settings.shape != Shape{0, 0, 0};
  const Shape shape = told ? settings.shape : square_images(X.cols());
  auto [net, options] = image_preset<Scalar>(shape, settings.kind);
  require(shape.size() == X.cols(), "images of ", shape.channels, " x ", shape.height, " x ",
          shape.width, " have ", shape.size(), " numbers, the rows have ", X.cols());
  if (settings.epochs > 0) options.epochs = settings.epochs;
  options.threads = settings.threads;
  options.precision = settings.precision;

  std::vector<FittedMember<Scalar>> members;
  NetsProgress at(settings.ensemble_size, progress);
  for (Index i = 0; i < settings.ensemble_size; ++i) at.expect(options.epochs);
  for (Index i = 0; i < settings.ensemble_size && !at.stopped(); ++i) {
    options.seed = Random(settings.seed, fit_seeds + static_cast<std::uint64_t>(i)).bits();
    Trainer<Scalar> trainer(net, options);
    FitReport report =
        at.follow(i, options.epochs, [&](const auto& tell) { return trainer.fit(X, tell); });
    members.push_back({trainer.detector(), std::move(report.warnings)});
  }
  return fitted_ensemble(members, {{"seed", sentence(settings.seed)}}, X, settings.threads);
}

}  // namespace detail

/// Fits a detector to normal images: an ensemble of image_preset() nets that differ by their seeds.
/// What training warns of (see FitReport) stands in the detector's model().facts["warnings"].
/// \code
/// dasvdd::ImageOptions settings;
/// settings.precision = dasvdd::mixed_precision();
/// auto detector = dasvdd::fit_images(X, settings);
/// \endcode
/// \param X n x d, an image a row, pixels from 0 to 1, in the order that Shape describes
/// \param progress called as progress(const FitProgress&) after each epoch of each member; returning
///   false ends the fit: the member at work stops after its running epoch, and the detector is made
///   of the members that had begun
/// \throws InvalidArgument for settings out of range or rows that can't be trained on
template <class Scalar, class Progress>
Detector<Scalar> fit_images(Rows<const Scalar> X, const ImageOptions& settings,
                            Progress&& progress) {
  return detail::fit_image_members<Scalar>(
      X, settings, [&](const FitProgress& at) { return detail::keep_going(progress, at); });
}

/// The same for an Eigen matrix: `auto detector = dasvdd::fit_images(X);`
template <class Derived, class Progress>
Detector<typename Derived::Scalar> fit_images(const Eigen::DenseBase<Derived>& X,
                                              const ImageOptions& settings, Progress&& progress) {
  return fit_images<typename Derived::Scalar>(Rows<const typename Derived::Scalar>(X), settings,
                                              progress);
}
template <class Derived>
Detector<typename Derived::Scalar> fit_images(const Eigen::DenseBase<Derived>& X,
                                              const ImageOptions& settings = {}) {
  return fit_images(X, settings, detail::NoProgress());
}

DASVDD_NAMESPACE_END
