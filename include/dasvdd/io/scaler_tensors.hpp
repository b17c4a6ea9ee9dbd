#pragma once
/// \file
/// The kinds of scaler, made again from a model file's tensors.

#include <dasvdd/detect/scaler.hpp>

#include <cmath>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// The scaler that the file holds; one that leaves rows as they are where it holds none.
/// \param file has(name), number(name), and numbers(name, shape), which check and take a tensor
template <class Scalar, class File>
Scaler<Scalar> read_scaler(File&& file, Index features) {
  if (file.has("scaler.mean") || file.has("scaler.scale")) {
    return {Standardizer<Scalar>(file.numbers("scaler.mean", {features}),
                                 file.numbers("scaler.scale", {features}))};
  }
  if (file.has("scaler.contrast_floor")) {
    return {ContrastNormalizer<Scalar>(file.number("scaler.contrast_floor"))};
  }
  if (file.has("scaler.softened_image")) {
    const std::vector<double> shape = file.numbers("scaler.softened_image", {3});
    for (const double n : shape) {
      require(n >= 1 && n <= 1e9 && n == std::floor(n),
              "the softened image's shape has the number ", n, ", expected whole numbers from 1");
    }
    return {Softener<Scalar>({static_cast<Index>(shape[0]), static_cast<Index>(shape[1]),
                              static_cast<Index>(shape[2])})};
  }
  return {};
}

}  // namespace detail
DASVDD_NAMESPACE_END
