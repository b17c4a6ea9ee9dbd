#pragma once
/// \file
/// The standardizer a detector carries: rows enter the net as (x - mean) / scale.

#include <dasvdd/core/memory.hpp>
#include <dasvdd/kernels/table.hpp>

#include <cmath>
#include <limits>
#include <vector>

DASVDD_NAMESPACE_BEGIN

/// Per feature a mean and a positive scale; empty where rows go in as they are.
template <class Scalar>
class Scaler {
 public:
  /// Leaves rows as they are.
  Scaler() = default;

  /// \throws InvalidArgument unless both have one entry a feature, all finite and every scale
  /// positive
  Scaler(std::vector<double> mean, std::vector<double> scale)
      : mean_(std::move(mean)),
        scale_(std::move(scale)),
        shift_(static_cast<Index>(mean_.size())),
        factor_(static_cast<Index>(mean_.size())) {
    detail::require(mean_.size() == scale_.size(), "the scaler has ", mean_.size(), " means and ",
                    scale_.size(), " scales, expected as many of each");
    for (std::size_t j = 0; j < mean_.size(); ++j) {
      // Both must be numbers of the net's scalar type too, the factor one that is not flushed to
      // zero.
      const Scalar shift = static_cast<Scalar>(mean_[j]);
      const Scalar factor = static_cast<Scalar>(1 / scale_[j]);
      const bool good = scale_[j] > 0 && detail::is_finite(scale_[j]) && detail::is_finite(shift) &&
                        detail::is_finite(factor) && factor >= std::numeric_limits<Scalar>::min();
      detail::require(good, "the scaler's feature ", j, " has mean ", mean_[j], " and scale ",
                      scale_[j], ", expected finite numbers and a positive scale");
      shift_[static_cast<Index>(j)] = shift;
      factor_[static_cast<Index>(j)] = factor;
    }
  }

  /// Mean and standard deviation (of the n rows, not n - 1) of each feature; a constant feature
  /// gets scale 1.
  static Scaler standardizing(Rows<const Scalar> x) {
    const Index n = x.rows(), d = x.cols();
    const std::size_t size = static_cast<std::size_t>(d);
    std::vector<double> mean(size, 0), scale(size, 0), low(size), high(size);
    for (Index i = 0; i < n; ++i) {
      for (Index j = 0; j < d; ++j) {
        const std::size_t at = static_cast<std::size_t>(j);
        const double value = static_cast<double>(x(i, j));
        mean[at] += value;
        if (i == 0 || value < low[at]) low[at] = value;
        if (i == 0 || value > high[at]) high[at] = value;
      }
    }
    for (double& m : mean) m /= static_cast<double>(n);
    for (Index i = 0; i < n; ++i) {
      for (Index j = 0; j < d; ++j) {
        const std::size_t at = static_cast<std::size_t>(j);
        const double difference = static_cast<double>(x(i, j)) - mean[at];
        scale[at] = std::fma(difference, difference, scale[at]);
      }
    }
    for (std::size_t j = 0; j < size; ++j) {
      // A constant's mean may be off by a rounding, and then its deviation is no zero but noise.
      const double deviation = std::sqrt(scale[j] / static_cast<double>(n));
      const bool constant = low[j] == high[j] || deviation < 1e-30;
      if (low[j] == high[j]) mean[j] = low[j];
      scale[j] = constant ? 1 : deviation;
    }
    return Scaler(std::move(mean), std::move(scale));
  }

  bool empty() const { return mean_.empty(); }
  Index features() const { return static_cast<Index>(mean_.size()); }
  const std::vector<double>& mean() const { return mean_; }
  const std::vector<double>& scale() const { return scale_; }

  /// out = (row - mean) / scale, or a copy where the scaler is empty; both have d entries.
  void apply(const kernels::Table<Scalar>& k, const Scalar* row, Index d, Scalar* out) const {
    if (empty()) {
      std::memcpy(out, row, static_cast<std::size_t>(d) * sizeof(Scalar));
    } else {
      k.standardize(row, shift_.data(), factor_.data(), d, out);
    }
  }

 private:
  std::vector<double> mean_, scale_;
  AlignedBuffer<Scalar> shift_, factor_;
};

DASVDD_NAMESPACE_END
