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
#include <type_traits>
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
    ensure(floor > 0 && is_finite(floor), "the contrast's floor is ", floor,
           ", expected a finite positive number");
  }

  double floor() const { return floor_; }

  /// Rows of any width fit.
  Index features() const { return 0; }
  template <class Number>
  void apply(const kernels::Table<Scalar>& k, const Number* row, Index d, Scalar* out) const {
    const Moments of = moments(k, row, d, out);
    const Scalar factor = static_cast<Scalar>(1 / of.deviation);
    if constexpr (std::is_same_v<Number, Scalar>) {
      k.scaled_difference(row, out, factor, d, out);
    } else {
      for (Index j = 0; j < d; ++j) out[j] *= factor;
    }
  }
  /// By the row's own mean and deviation, which the net has not seen.
  template <class Number, class Out>
  void undo(const kernels::Table<Scalar>& k, const Number* row, Index d, const Scalar* from,
            Out* out) const {
    AlignedBuffer<Scalar> unused(d);
    const Moments of = moments(k, row, d, unused.data());
    for (Index j = 0; j < d; ++j) {
      out[j] = static_cast<Out>(std::fma(static_cast<double>(from[j]), of.deviation, of.mean));
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
  struct Moments {
    double mean, deviation;  ///< deviation: sqrt(variance + floor)
  };

  /// Leaves in `out` the mean in every place, or, of a row of another type, the row without its mean.
  template <class Number>
  Moments moments(const kernels::Table<Scalar>& k, const Number* row, Index d, Scalar* out) const {
    const double count = static_cast<double>(d);
    double sum = 0;
    for (Index j = 0; j < d; ++j) sum += static_cast<double>(row[j]);
    const double mean = static_cast<double>(static_cast<Scalar>(sum / count));
    const auto deviation_of = [&](Scalar squares) {
      return std::sqrt(static_cast<double>(squares) / count + floor_);
    };
    if constexpr (std::is_same_v<Number, Scalar>) {
      std::fill_n(out, d, static_cast<Scalar>(mean));
      return {mean, deviation_of(k.squared_distance(row, out, d))};
    } else {
      const double deviation = deviation_of(squares_about(mean, row, d, out));
      // A mean whose rounding would be seen, as beside a large offset, isn't rounded.
      if (std::abs(sum / count - mean) <= same_as_float * deviation) return {mean, deviation};
      return {sum / count, deviation_of(squares_about(sum / count, row, d, out))};
    }
  }
  /// Leaves the row without its mean in `out`, and gives the sum of squares: in the kernel's sixteen lanes, so that
  /// numbers that a float holds give the bits they would give as floats.
  template <class Number>
  static Scalar squares_about(double mean, const Number* row, Index d, Scalar* out) {
    Scalar lanes[16] = {};
    for (Index j = 0; j < d; ++j) {
      out[j] = static_cast<Scalar>(static_cast<double>(row[j]) - mean);
      lanes[j % 16] = std::fma(out[j], out[j], lanes[j % 16]);
    }
    for (int half = 8; half > 0; half /= 2) {
      for (int lane = 0; lane < half; ++lane) lanes[lane] += lanes[lane + half];
    }
    return lanes[0];
  }

  /// The share of the deviation by which a mean may be off, as Standardizer has it.
  static constexpr double same_as_float = 1e-3;

  double floor_;
};

}  // namespace detail
DASVDD_NAMESPACE_END
