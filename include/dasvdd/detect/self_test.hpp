#pragma once
/// \file
/// A row for what leaves the library to try itself on: a model file, an ONNX graph, a frozen detector.

#include <dasvdd/core/random.hpp>
#include <dasvdd/detect/detector.hpp>

#include <cmath>
#include <variant>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// A made-up row in the middle of what the detector was made for: within a deviation of the mean where it
/// standardizes, else numbers from 0 to 1.
/// \tparam Number what the other side reads rows in
/// \return d numbers that both it and the detector can hold; perhaps infinite, where the mean is too large
template <class Number, class Scalar>
std::vector<Scalar> row_for_self_test(const Model<Scalar>& model) {
  const auto* standardizer = std::get_if<Standardizer<Scalar>>(&model.scaler.kind());
  Random random(0);
  std::vector<Scalar> row(static_cast<std::size_t>(model.features()));
  for (std::size_t j = 0; j < row.size(); ++j) {
    const double value = standardizer ? std::fma(random.symmetric(1), standardizer->scale()[j],
                                                 standardizer->mean()[j])
                                      : random.uniform();
    row[j] = static_cast<Scalar>(static_cast<Number>(value));
  }
  return row;
}

/// The reconstruction and the latent term of one row's score.
template <class Scalar>
std::vector<double> self_test_terms(const Detector<Scalar>& detector, const Scalar* row) {
  const auto parts = detector.score_parts(Rows<const Scalar>(row, 1, detector.features()), 1);
  return {static_cast<double>(parts.reconstruction[0]), static_cast<double>(parts.latent[0])};
}

}  // namespace detail
DASVDD_NAMESPACE_END
