#pragma once
/// \file
/// The library's layers beside dense ones and activations, made again from what a model file says
/// of them.

#include <dasvdd/nn/batch_norm.hpp>
#include <dasvdd/nn/conv2d.hpp>
#include <dasvdd/nn/conv_transpose2d.hpp>
#include <dasvdd/nn/max_pool2d.hpp>
#include <dasvdd/nn/upsample_nearest2d.hpp>

#include <cmath>
#include <memory>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// The layer of that name; null where the library has none.
/// \param where begins the sentence: "layer 3 of the encoder"
/// \throws InvalidArgument for numbers that are none of such a layer
template <class Scalar>
std::shared_ptr<const Layer<Scalar>> make_image_layer(const LayerSpec& spec,
                                                      const std::string& where) {
  const std::vector<double>& n = spec.numbers;
  // The layers check their sizes; here they need only be whole and small enough to be an Index.
  const auto validate = [&](std::size_t sizes, std::size_t others, const char* expected) {
    bool right = n.size() == sizes + others;
    for (std::size_t i = 0; right && i < sizes; ++i) {
      right = n[i] >= 0 && n[i] <= 1e9 && n[i] == std::floor(n[i]);
    }
    ensure(right, where, " is ", spec.name, " but not followed by ", expected);
  };
  const auto size = [&](std::size_t i) { return static_cast<Index>(n[i]); };
  const auto shape = [&] { return Shape{size(0), size(1), size(2)}; };
  if (spec.name == "conv2d" || spec.name == "conv_transpose2d") {
    validate(8, 0,
             "channels, height, width, output channels, kernel, stride, padding and 0 or 1 for a "
             "bias");
    if (spec.name == "conv2d") {
      return std::make_shared<Conv2d<Scalar>>(shape(), size(3), size(4), size(5), size(6),
                                              n[7] != 0);
    }
    return std::make_shared<ConvTranspose2d<Scalar>>(shape(), size(3), size(4), size(5), size(6),
                                                     n[7] != 0);
  }
  if (spec.name == "max_pool2d") {
    validate(5, 0, "channels, height, width, kernel and stride");
    return std::make_shared<MaxPool2d<Scalar>>(shape(), size(3), size(4));
  }
  if (spec.name == "upsample_nearest2d") {
    validate(4, 0, "channels, height, width and scale");
    return std::make_shared<UpsampleNearest2d<Scalar>>(shape(), size(3));
  }
  if (spec.name == "batch_norm") {
    validate(3, 3, "channels, height, width, epsilon, momentum and 0 or 1 for factor and shift");
    return std::make_shared<BatchNorm<Scalar>>(shape(), n[3], n[4], n[5] != 0);
  }
  return nullptr;
}

}  // namespace detail
DASVDD_NAMESPACE_END
