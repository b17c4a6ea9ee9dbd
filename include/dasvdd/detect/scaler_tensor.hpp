#pragma once
/// \file
/// What a scaler writes into the model file.

#include <dasvdd/core/config.hpp>

#include <string>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

struct ScalerTensor {
  std::string name;  ///< "scaler.mean", say
  std::vector<double> numbers;
  bool single = false;  ///< a tensor of shape [] instead of [n]
};

}  // namespace detail
DASVDD_NAMESPACE_END
