#pragma once
/// \file
/// The published experiments: nets with the options they were trained with.

#include <dasvdd/nn/presets.hpp>
#include <dasvdd/train/options.hpp>

#include <string>

DASVDD_NAMESPACE_BEGIN

/// A net and how to train it.
template <class Scalar>
struct Preset {
  Autoencoder<Scalar> net;
  Options options;
};

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
Preset<Scalar> paper_preset(const std::string& name) {
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

DASVDD_NAMESPACE_END
