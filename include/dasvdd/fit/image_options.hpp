#pragma once
/// \file
/// `ImageOptions`, the options of fit_images(), and the net it trains.

#include <dasvdd/train/presets.hpp>

#include <cmath>

DASVDD_NAMESPACE_BEGIN

/// Options of fit_images(); the defaults suit gray and colored square images of any size.
struct ImageOptions : detail::RunOptions {
  /// What the images show. It decides how they are prepared and how long the nets train.
  enum class Kind {
    /// Objects on an empty, dark ground, such as digits, clothes, parts on a belt. Pixels are softened
    /// (each becomes the root of its neighborhood's mean); 60 epochs.
    objects,
    /// Photographs. A net reconstructs whatever is smooth in them, normal or not: so training is short
    /// (10 epochs), the latent term has much weight, and contrast is normalized.
    photographs
  };

  Index ensemble_size = 3;  ///< nets in the ensemble; 1 for the smallest model and the shortest fit
  Kind kind = Kind::objects;
  /// Channels, height, width of the images; empty: a square in one channel, or else in three.
  Shape shape = {0, 0, 0};
  Index epochs = 0;  ///< passes over the images, of each net; 0: what suits the kind

  /// Throws InvalidArgument for numbers out of range; shape_of() checks the shape.
  void validate() const {
    RunOptions::validate();
    detail::ensure(ensemble_size >= 1 && ensemble_size <= 10000, "ensemble_size is ", ensemble_size,
                   ", expected 1 to 10000");
    detail::ensure(kind == Kind::objects || kind == Kind::photographs, "kind is ",
                   static_cast<int>(kind), ", expected one of the enumerators of Kind");
    detail::ensure(epochs >= 0, "epochs is ", epochs, ", expected 0 (what suits the kind) or more");
  }

  /// The shape of images of d numbers: `shape`, or a square of one channel or of three. Throws
  /// InvalidArgument where neither has d numbers.
  Shape shape_of(Index d) const {
    using detail::ensure;
    if (shape != Shape{0, 0, 0}) {
      detail::check_shape("ImageOptions", "shape", shape);
      ensure(shape.size() == d, "images of ", shape.channels, " x ", shape.height, " x ",
             shape.width, " have ", shape.size(), " numbers, the rows have ", d);
      return shape;
    }
    for (const Index channels : {1, 3}) {
      const Index side =
          static_cast<Index>(std::lround(std::sqrt(static_cast<double>(d / channels))));
      if (channels * side * side == d) return {channels, side, side};
    }
    ensure(false, "images of ", d,
           " numbers are no squares of one channel or three: expected their ",
           "channels, height and width in ImageOptions::shape");
    return {};
  }
};

namespace detail {

/// The net and options of fit_images(), for pixels from 0 to 1: the published net with a linear code
/// layer and a linear last layer, and the score whose latent term is whitened. docs/results.md has the
/// figures.
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
