#pragma once
/// \file
/// What one may say to fit_images(), and the nets it trains.

#include <dasvdd/train/presets.hpp>

#include <cmath>

DASVDD_NAMESPACE_BEGIN

/// Options of fit_images(); the defaults suit gray and colored square images of any size.
struct ImageOptions : detail::RunOptions {
  /// What images show; decides how they are best learned.
  enum class Kind {
    /// Things on an empty, dark ground, such as digits, clothes, parts on a belt: their outlines are
    /// softened, and a net that reconstructs their normal variation has learned what they are.
    objects,
    /// Photographs, of which a net reconstructs whatever is smooth, normal or not: it trains for few
    /// epochs and with much weight on the latent term, after contrast normalization.
    photographs
  };

  Index ensemble_size = 3;  ///< nets in the ensemble; 1 for the smallest model and the shortest fit
  Kind kind = Kind::objects;
  /// Channels, height, width of the images; empty: a square in one channel, or else in three.
  Shape shape = {0, 0, 0};
  Index epochs = 0;  ///< passes over the images, each member's; 0: what suits the kind

  /// Throws InvalidArgument for too small numbers; the rest depends on the rows.
  void check() const {
    RunOptions::check();
    detail::require(ensemble_size >= 1, "ensemble_size is ", ensemble_size,
                    ", expected at least 1");
    detail::require(epochs >= 0, "epochs is ", epochs,
                    ", expected 0 (what suits the kind) or more");
  }

  /// The shape of images of d numbers: as told, or a square of one channel or of three.
  Shape shape_of(Index d) const {
    using detail::require;
    if (shape != Shape{0, 0, 0}) {
      detail::check_shape("ImageOptions", "shape", shape);
      require(shape.size() == d, "images of ", shape.channels, " x ", shape.height, " x ",
              shape.width, " have ", shape.size(), " numbers, the rows have ", d);
      return shape;
    }
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
};

namespace detail {

/// The best settings known here for images whose rows are pixels from 0 to 1: the published net with
/// a linear code layer and nothing after its last layer, images prepared as their kind asks for, the
/// score whose latent term is whitened. docs/results.md has the figures.
template <class Scalar>
Preset<Scalar> image_preset(const Shape& image,
                            ImageOptions::Kind kind = ImageOptions::Kind::objects) {
  check_shape("the image preset", "image", image);
  const bool objects = kind == ImageOptions::Kind::objects;
  Options options;
  options.batch_size = 200;
  options.epochs = objects ? 60 : 10;
  options.gamma = GammaRule::ratio_of_means(5).times(objects ? 0.2 : 10);
  if (objects) options.soften = image;
  if (!objects) options.contrast_floor = 1e-4;
  options.score = ScoreForm::latent_whitened;
  return {dense_autoencoder<Scalar>(image.size(), {1024, 256, 256}, {}, leaky_relu(), {}), options};
}

}  // namespace detail
DASVDD_NAMESPACE_END
