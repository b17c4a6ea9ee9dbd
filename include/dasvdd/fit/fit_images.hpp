#pragma once
/// \file
/// One line from images to a detector.

#include <dasvdd/fit/batch.hpp>
#include <dasvdd/fit/checkpoint.hpp>
#include <dasvdd/fit/fit_process.hpp>
#include <dasvdd/fit/fitted_ensemble.hpp>
#include <dasvdd/fit/image_options.hpp>
#include <dasvdd/fit/progress.hpp>
#include <dasvdd/train/chosen_rows.hpp>
#include <dasvdd/train/trainer.hpp>
#include <dasvdd/train/training_rows.hpp>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// The numbers of the images that member i of M leaves out: a twentieth, or as many as it takes for 99
/// from all members together, a fifth at most. No two members leave out the same image: a net that
/// sees fewer images ranks worse, so none is left out more than once.
/// \param order all row numbers, in the fit's order
inline std::vector<Index> images_left_out(const std::vector<Index>& order, Index i, Index members) {
  const Index n = static_cast<Index>(order.size()), enough = 99;
  const Index count =
      (std::min)(n / std::max<Index>(5, members), (std::max)(n / 20, ceil_div(enough, members)));
  return {order.begin() + i * count, order.begin() + (i + 1) * count};
}

/// fit_images() for any type of batch and progress.
/// \param process null: one on its own
template <class Scalar>
Detector<Scalar> fit_image_ensemble(const AnyRows& X, const ImageOptions& options,
                                    FunctionRef<bool(const FitProgress&)> progress,
                                    Checkpoint<Scalar>* checkpoint,
                                    FitProcess<Scalar>* process = nullptr) {
  FitProcess<Scalar> alone;
  FitProcess<Scalar>& here = process ? *process : alone;
  std::optional<Preset<Scalar>> preset;
  Options of_member;
  here.begin(
      [&] {
        require_fit<Scalar>(X, options);
        preset = image_preset<Scalar>(options.shape_of(X.cols()), options.kind);
        of_member = preset->options;
        static_cast<RunOptions&>(of_member) = options;
        if (options.epochs > 0) of_member.epochs = options.epochs;
      },
      [&] {
        const Shape shape = options.shape_of(X.cols());
        return checkpoint_task<Scalar>(
            X, of_member,
            sentence("images, kind ", static_cast<int>(options.kind), ", ", shape.channels, " x ",
                     shape.height, " x ", shape.width));
      },
      checkpoint, options.ensemble_size);
  const Autoencoder<Scalar>& net = preset->net;

  std::vector<Index> order = all_rows(X.rows());
  random_stream(options.seed, Stream::fit_order).shuffle(order.data(), order.size());
  std::vector<std::optional<FittedMember<Scalar>>> begun(
      static_cast<std::size_t>(options.ensemble_size));
  NetsProgress at(options.ensemble_size, progress);
  std::vector<double> costs;
  for (Index i = 0; i < options.ensemble_size; ++i) {
    const Index kept = epochs_kept(checkpoint, i);
    at.expect(of_member.epochs, kept);
    costs.push_back(net_cost(net, of_member.epochs - kept, X.rows(), X.rows()));
  }
  // One net after the other, each with all threads.
  const auto fit_net = [&](Index i) {
    of_member.seed = seed_of(options.seed, Stream::members, i);
    LeftOut left_out{images_left_out(order, i, options.ensemble_size), {}};
    const auto detector = [&]() -> std::optional<Detector<Scalar>> {
      const ChosenRows mine(X, all_rows_but(left_out.rows, X.rows()));
      Trainer<Scalar> trainer(net, of_member);
      const FitReport report = at.follow(
          i, of_member.epochs - epochs_kept(checkpoint, i),
          [&](const auto& tell) { return train_with(trainer, mine.rows(), checkpoint, i, tell); });
      // Ended before its first epoch: no part of an ensemble, unless there is nothing else.
      if (report.stopped && trainer.state().epochs == 0 && i > 0) return {};
      return trainer.detector(mine.rows(), report.warnings);
    }();
    if (!detector || at.failed()) return;
    const ChosenRows others(X, left_out.rows);
    left_out.scores =
        finite_scores<Scalar>(scores_of_rows(*detector, others.rows(), options.threads));
    begun[static_cast<std::size_t>(i)] = FittedMember<Scalar>{*detector, std::move(left_out)};
  };
  const std::vector<Index> mine = here.nets(costs);
  here.run(at, [&] {
    for (const Index i : mine) {
      if (i == 0 || !at.stopped()) fit_net(i);
    }
  });
  here.gather(begun);
  std::vector<FittedMember<Scalar>> members;
  for (auto& member : begun) {
    if (member) members.push_back(std::move(*member));
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
/// \param checkpoint gets what the fit reaches, and gives what an earlier one has reached; null: none
/// \return a detector of X's scalar type, with p-values from the images that each net leaves out. Of
///   new normal images about one in a hundred scores above its threshold; fewer than 165 images are
///   too few for that, and warnings() then says so
/// \throws InvalidArgument for options out of range, or rows that can't be trained on
template <class Batch, class Progress = detail::NoProgress>
Detector<detail::BatchScalar<Batch>> fit_images(
    const Batch& X, const ImageOptions& options = {}, Progress&& progress = {},
    Checkpoint<detail::BatchScalar<Batch>>* checkpoint = nullptr) {
  return detail::fit_image_ensemble<detail::BatchScalar<Batch>>(
      detail::rows_of(X), options,
      [&](const FitProgress& at) { return detail::keep_going(progress, at); }, checkpoint);
}
/// The same with the detector's scalar type named: `fit_images<float>(X)` of double rows.
template <class Scalar, class Batch, class Progress = detail::NoProgress>
Detector<Scalar> fit_images(const Batch& X, const ImageOptions& options = {},
                            Progress&& progress = {},
                            detail::NotDeduced<Checkpoint<Scalar>>* checkpoint = nullptr) {
  return detail::fit_image_ensemble<Scalar>(
      detail::rows_of(X), options,
      [&](const FitProgress& at) { return detail::keep_going(progress, at); }, checkpoint);
}

DASVDD_NAMESPACE_END
