#pragma once
/// \file
/// The scaler of photographs: contrast normalization.

#include <dasvdd/core/finite.hpp>
#include <dasvdd/core/memory.hpp>
#include <dasvdd/detect/scaler_tensor.hpp>
#include <dasvdd/kernels/table.hpp>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// Contrast normalization, for rows whose numbers share one unit, such as pixels:
///     x <- (x - mean) / sqrt(variance + floor),
/// with mean and variance over the row's own d numbers. It removes an image's brightness and contrast.
template <class Scalar>
class ContrastNormalizer {
 public:
  /// \param floor positive, in units of the variance; keeps the noise of nearly flat images small
  explicit ContrastNormalizer(double floor) : floor_(floor) {
    require(floor > 0 && is_finite(floor), "the contrast's floor is ", floor,
            ", expected a finite positive number");
  }

  double floor() const { return floor_; }

  /// Rows of any width fit.
  Index features() const { return 0; }
  void apply(const kernels::Table<Scalar>& k, const Scalar* row, Index d, Scalar* out) const {
    const double deviation = measure(k, row, d, out);
    k.scaled_difference(row, out, static_cast<Scalar>(1 / deviation), d, out);
  }
  /// By the row's own mean and deviation, which the net has not seen.
  void undo(const kernels::Table<Scalar>& k, const Scalar* row, Index d, Scalar* out) const {
    AlignedBuffer<Scalar> mean(d);
    const double deviation = measure(k, row, d, mean.data());
    for (Index j = 0; j < d; ++j) {
      out[j] = static_cast<Scalar>(
          std::fma(static_cast<double>(out[j]), deviation, static_cast<double>(mean[j])));
    }
  }
  std::string text() const { return "contrast normalized"; }
  std::vector<ScalerTensor> tensors() const { return {{"scaler.contrast_floor", {floor_}, true}}; }
  template <class File>
  static std::optional<ContrastNormalizer> read(File& file, Index) {
    if (!file.has("scaler.contrast_floor")) return {};
    return ContrastNormalizer(file.number("scaler.contrast_floor"));
  }
  friend bool operator==(const ContrastNormalizer& a, const ContrastNormalizer& b) {
    return a.floor_ == b.floor_;
  }

 private:
  /// sqrt(variance + floor), and the mean in every place of `mean`.
  double measure(const kernels::Table<Scalar>& k, const Scalar* row, Index d, Scalar* mean) const {
    const double count = static_cast<double>(d);
    double sum = 0;
    for (Index j = 0; j < d; ++j) sum += static_cast<double>(row[j]);
    std::fill_n(mean, d, static_cast<Scalar>(sum / count));
    return std::sqrt(static_cast<double>(k.squared_distance(row, mean, d)) / count + floor_);
  }

  double floor_;
};

}  // namespace detail
DASVDD_NAMESPACE_END
