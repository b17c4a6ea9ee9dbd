#pragma once
/// \file
/// How rows enter the net: as they are, standardized feature by feature, or as images are prepared.

#include <dasvdd/core/memory.hpp>
#include <dasvdd/kernels/table.hpp>
#include <dasvdd/nn/shape.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// Per feature a mean and a positive scale, (x - mean) / scale; or, for images, each row's own mean and
/// contrast, or softened pixels. Empty where rows go in as they are.
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

  /// Contrast normalization of rows of any width that have one unit, such as pixels: a row x enters as
  ///     (x - mean) / sqrt(variance + floor),
  /// mean and variance over the row's own d numbers. What is left of an image is its shape, neither
  /// brightness nor contrast.
  /// \param floor keeps images that are nearly flat from being blown up; in units of the variance
  static Scaler contrast(double floor) {
    detail::require(floor > 0 && detail::is_finite(floor), "the contrast's floor is ", floor,
                    ", expected a finite positive number");
    Scaler scaler;
    scaler.contrast_floor_ = floor;
    return scaler;
  }

  /// Softening of images: each pixel becomes the square root of the mean of its neighborhood,
  ///     out(y, x) = sqrt(sum over i, j from -1 to 1 of b_i b_j in(y + i, x + j)),  b = (1, 2, 1) / 4,
  /// channel by channel, with nothing outside the image; a negative mean keeps its sign. A line that is a
  /// pixel off then differs less, and what is dark counts as what is bright does.
  /// \param image what a row holds
  static Scaler softening(const Shape& image) {
    detail::check_shape("the softening", "image", image);
    Scaler scaler;
    scaler.image_ = image;
    return scaler;
  }

  bool empty() const { return mean_.empty() && contrast_floor_ == 0 && !softens(); }
  /// Features that a row must have; 0 where rows of any width fit.
  Index features() const { return softens() ? image_.size() : static_cast<Index>(mean_.size()); }
  const std::vector<double>& mean() const { return mean_; }
  const std::vector<double>& scale() const { return scale_; }
  /// The floor of contrast(); 0 for other scalers.
  double contrast_floor() const { return contrast_floor_; }

  bool softens() const { return image_.size() > 0; }
  /// The images of softening(); of size 0 for other scalers.
  const Shape& image() const { return image_; }

  /// Whether both do the same to every row.
  friend bool operator==(const Scaler& a, const Scaler& b) {
    return a.mean_ == b.mean_ && a.scale_ == b.scale_ && a.contrast_floor_ == b.contrast_floor_ &&
           a.image_ == b.image_;
  }
  friend bool operator!=(const Scaler& a, const Scaler& b) { return !(a == b); }

  /// out = the row as the net takes it, a copy where the scaler is empty; both have d entries.
  void apply(const kernels::Table<Scalar>& k, const Scalar* row, Index d, Scalar* out) const {
    if (contrast_floor_ > 0) {
      normalize_contrast(k, row, d, out);
    } else if (softens()) {
      soften(row, out);
    } else if (empty()) {
      std::memcpy(out, row, static_cast<std::size_t>(d) * sizeof(Scalar));
    } else {
      k.standardize(row, shift_.data(), factor_.data(), d, out);
    }
  }

 private:
  void normalize_contrast(const kernels::Table<Scalar>& k, const Scalar* row, Index d,
                          Scalar* out) const {
    const double count = static_cast<double>(d);
    double sum = 0;
    for (Index j = 0; j < d; ++j) sum += static_cast<double>(row[j]);
    std::fill_n(out, d, static_cast<Scalar>(sum / count));
    const double variance = static_cast<double>(k.squared_distance(row, out, d)) / count;
    k.scaled_difference(row, out, static_cast<Scalar>(1 / std::sqrt(variance + contrast_floor_)), d,
                        out);
  }

  /// Sums of 1, 2, 1 down the columns, then along the rows. Doubling is exact, so the sums are the same
  /// whether a compiler fuses it with the addition or not.
  void soften(const Scalar* row, Scalar* out) const {
    const Index width = image_.width, lines = image_.channels * image_.height;
    for (Index line = 0; line < lines; ++line, row += width, out += width) {
      const bool first = line % image_.height == 0;
      const bool last = line % image_.height == image_.height - 1;
      for (Index x = 0; x < width; ++x) {
        out[x] =
            (first ? Scalar(0) : row[x - width]) + (last ? Scalar(0) : row[x + width]) + 2 * row[x];
      }
      Scalar left = 0;
      for (Index x = 0; x < width; ++x) {
        const Scalar middle = out[x], right = x + 1 < width ? out[x + 1] : Scalar(0);
        const Scalar mean = (left + right + 2 * middle) / 16;
        out[x] = std::copysign(std::sqrt(std::abs(mean)), mean);
        left = middle;
      }
    }
  }

  double contrast_floor_ = 0;
  Shape image_ = {0, 0, 0};
  std::vector<double> mean_, scale_;
  AlignedBuffer<Scalar> shift_, factor_;
};

}  // namespace detail
DASVDD_NAMESPACE_END
