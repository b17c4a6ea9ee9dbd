#pragma once
/// \file
/// A scaler's numbers as the model file keeps them.

#include <dasvdd/core/config.hpp>

#include <string>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

struct ScalerTensor {
  std::string name;
  std::vector<double> numbers;
  bool single = false;  ///< one number, not a list of numbers
};

}  // namespace detail
DASVDD_NAMESPACE_END
