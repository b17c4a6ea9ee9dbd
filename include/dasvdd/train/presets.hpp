#pragma once
/// \file
/// Nets with the options to train them by: the published experiments, and one for images.

#include <dasvdd/nn/presets.hpp>
#include <dasvdd/train/options.hpp>

#include <string>

DASVDD_NAMESPACE_BEGIN

namespace detail {

/// A net and how to train it.
template <class Scalar>
struct Preset {
  Autoencoder<Scalar> net;
  Options options;
};

}  // namespace detail

/// An experiment of the DASVDD paper by name: "mnist", "fashion_mnist", "cifar10", "speech" or
/// "pima". All have batches of 200 and 300 epochs; what the rows must look like is in
/// docs/method.md.
/// \code
/// auto [net, options] = dasvdd::paper_preset<float>("mnist");
/// options.seed = 7;
/// dasvdd::Trainer trainer(net, options);
/// \endcode
/// \throws InvalidArgument for another name
template <class Scalar>
detail::Preset<Scalar> paper_preset(const std::string& name) {
  Options options;
  options.epochs = 300;
  options.batch_size = 200;
  options.kappa = 0.9;
  options.adam.learning_rate = 1e-3;
  options.center.learning_rate = 1;
  if (name == "mnist" || name == "fashion_mnist") return {mnist_net<Scalar>(), options};
  if (name == "cifar10") {
    options.center.learning_rate = 0.01;
    return {cifar10_net<Scalar>(), options};
  }
  options.center.learning_rate = 0.1;
  if (name == "speech") {
    options.adam.learning_rate = 1e-4;
    return {speech_net<Scalar>(), options};
  }
  detail::require(name == "pima", "the preset is '", name,
                  "', expected mnist, fashion_mnist, cifar10, speech or pima");
  return {pima_net<Scalar>(), options};
}

/// What images show; decides how they are best learned.
enum class ImageKind {
  /// Things on an empty, dark ground, such as digits, clothes, parts on a belt: their outlines are
  /// softened, and a net that gives their normal variation back has learned what they are.
  objects,
  /// Photographs, of which a net gives back whatever is smooth, normal or not: it trains shortly and
  /// with much weight on the latent term, and each one's brightness and contrast are taken away.
  photographs
};

/// The best settings known here for images whose rows are pixels from 0 to 1: the published net with a
/// linear code and nothing after its last layer, images prepared as their kind asks for, the score whose
/// latent term is whitened. fit_images() trains several of them; docs/results.md has the figures.
template <class Scalar>
detail::Preset<Scalar> image_preset(const Shape& image, ImageKind kind = ImageKind::objects) {
  detail::check_shape("the image preset", "image", image);
  const bool objects = kind == ImageKind::objects;
  Options options;
  options.batch_size = 200;
  options.epochs = objects ? 60 : 10;
  options.gamma = GammaRule::ratio_of_means(5).times(objects ? 0.2 : 10);
  if (objects) options.soften = image;
  if (!objects) options.contrast_floor = 1e-4;
  options.score = ScoreForm::latent_whitened;
  return {dense_autoencoder<Scalar>(image.size(), {1024, 256, 256}, identity().spec(),
                                    leaky_relu().spec(), identity().spec()),
          options};
}

DASVDD_NAMESPACE_END
