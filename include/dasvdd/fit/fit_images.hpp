#pragma once
/// \file
/// One line from images to a detector.

#include <dasvdd/fit/batch.hpp>
#include <dasvdd/fit/fitted_ensemble.hpp>
#include <dasvdd/fit/image_options.hpp>
#include <dasvdd/fit/progress.hpp>
#include <dasvdd/train/trainer.hpp>

#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// fit_images() for any type of batch and progress.
template <class Scalar>
Detector<Scalar> fit_image_ensemble(Rows<const Scalar> X, const ImageOptions& options,
                                    FunctionRef<bool(const FitProgress&)> progress) {
  options.check();
  require(X.cols() > 0, "the training set has no columns");
  const Shape shape = options.shape_of(X.cols());
  auto [net, of_member] = image_preset<Scalar>(shape, options.kind);
  static_cast<RunOptions&>(of_member) = options;
  if (options.epochs > 0) of_member.epochs = options.epochs;

  std::vector<Detector<Scalar>> members;
  NetsProgress at(options.ensemble_size, progress);
  for (Index i = 0; i < options.ensemble_size; ++i) at.expect(of_member.epochs);
  for (Index i = 0; i < options.ensemble_size && !at.stopped(); ++i) {
    of_member.seed = seed_of(options.seed, Stream::members, i);
    Trainer<Scalar> trainer(net, of_member);
    at.follow(i, of_member.epochs, [&](const auto& tell) { return trainer.fit(X, tell); });
    members.push_back(trainer.detector());
  }
  return fitted_ensemble(members, {{"seed", sentence(options.seed)}}, X, options.threads);
}

}  // namespace detail

/// Fits a detector to normal images: `auto detector = dasvdd::fit_images(X);`
///
/// An ensemble of the published net is trained; the images are prepared as their kind asks for
/// (ImageOptions::Kind). Detector::warnings() of the result says what looked wrong.
/// \code
/// dasvdd::ImageOptions options;
/// options.precision = dasvdd::mixed_precision();  // <dasvdd/train/mixed_precision.hpp>
/// auto detector = dasvdd::fit_images(X, options);
/// \endcode
/// \param X n x d, n at least 2, one image a row in the order that Shape describes, pixels from 0 to 1,
///   of float or double: a row-major Eigen matrix or Rows
/// \param progress called as progress(const FitProgress&) after each epoch of each net. Returning
///   false ends the fit: the net in training finishes its epoch, and the detector is made of the nets
///   that had begun.
/// \return a detector of X's scalar type, whose threshold is the 0.99 quantile of the training rows'
///   scores
/// \throws InvalidArgument for options out of range, or rows that can't be trained on
template <class Batch, class Progress = detail::NoProgress>
Detector<detail::BatchScalar<Batch>> fit_images(const Batch& X, const ImageOptions& options = {},
                                                Progress&& progress = {}) {
  return detail::fit_image_ensemble<detail::BatchScalar<Batch>>(
      detail::rows_of(X), options,
      [&](const FitProgress& at) { return detail::keep_going(progress, at); });
}

DASVDD_NAMESPACE_END
