#pragma once
/// \file
/// The published experiments: nets with the options to train them by.

#include <dasvdd/nn/autoencoder.hpp>
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
/// "pima". All have mini-batches of 200 and 300 epochs. docs/method.md says what the rows must look
/// like.
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
  if (name == "mnist" || name == "fashion_mnist") {
    return {dense_autoencoder<Scalar>(784, {1024, 256, 256}, sigmoid()), options};
  }
  if (name == "cifar10") {
    options.center.learning_rate = 0.01;
    return {dense_autoencoder<Scalar>(3072, {1024, 512, 256, 256}, leaky_relu()), options};
  }
  options.center.learning_rate = 0.1;
  if (name == "speech") {
    options.adam.learning_rate = 1e-4;
    return {dense_autoencoder<Scalar>(400, {1024, 512, 256, 256}), options};
  }
  detail::ensure(name == "pima", "the preset is '", name,
                 "', expected mnist, fashion_mnist, cifar10, speech or pima");
  return {dense_autoencoder<Scalar>(8, {10, 4, 4}), options};
}

DASVDD_NAMESPACE_END
