#pragma once
/// \file
/// The scaler of tables: a mean and a scale a feature.

#include <dasvdd/core/any_rows.hpp>
#include <dasvdd/core/memory.hpp>
#include <dasvdd/detect/missing_values.hpp>
#include <dasvdd/detect/scaler_tensor.hpp>
#include <dasvdd/kernels/table.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// Standardization: x_j <- (x_j - mean_j) / scale_j.
template <class Scalar>
class Standardizer {
 public:
  /// \param mean, scale d numbers each
  /// \throws InvalidArgument unless all are finite and every scale is positive
  Standardizer(std::vector<double> mean, std::vector<double> scale)
      : mean_(std::move(mean)),
        scale_(std::move(scale)),
        shift_(static_cast<Index>(mean_.size())),
        factor_(static_cast<Index>(mean_.size())),
        wide_shift_(static_cast<Index>(mean_.size())) {
    ensure(mean_.size() == scale_.size(), "the scaler has ", mean_.size(), " means and ",
           scale_.size(), " scales, expected as many of each");
    for (std::size_t j = 0; j < mean_.size(); ++j) {
      const Constants c(mean_[j], scale_[j]);
      ensure(c.good(scale_[j]), "the scaler's feature ", j, " has mean ", mean_[j], " and scale ",
             scale_[j], ", expected finite numbers and a positive scale");
      shift_[static_cast<Index>(j)] = c.shift;
      factor_[static_cast<Index>(j)] = c.factor;
      wide_shift_[static_cast<Index>(j)] = c.wide_shift;
    }
  }

  /// What a row of float (of double) is scaled with: (x - shift) * factor, (x - wide_shift) * factor.
  struct Constants {
    Scalar shift, factor;
    double wide_shift;

    Constants(double mean, double scale)
        : shift(static_cast<Scalar>(mean)), factor(static_cast<Scalar>(1 / scale)) {
      const double rounded = static_cast<double>(shift);
      wide_shift = std::abs(mean - rounded) <= same_as_float * scale ? rounded : mean;
    }
    /// Both are used in the net's scalar type; the factor must not be flushed to zero there.
    bool good(double scale) const {
      return scale > 0 && is_finite(scale) && is_finite(shift) && is_finite(factor) &&
             factor >= (std::numeric_limits<Scalar>::min)();
    }
  };

  /// Mean and standard deviation (divisor n, not n - 1) of each feature of the n x d rows; a constant
  /// feature gets scale 1.
  static Standardizer of(const AnyRows& x) {
    auto [mean, deviation] = x.visit([](auto rows) { return moments(rows); });
    for (double& s : deviation) s = s > 0 ? s : 1;
    return Standardizer(std::move(mean), std::move(deviation));
  }
  /// The same with no scale below the median deviation of the features that vary. For tables with fewer
  /// rows than features, whose features mostly share a unit (embeddings, spectra): a deviation that a
  /// few rows show too small would make every new row look far off in that feature.
  static Standardizer of_one_unit(const AnyRows& x) {
    auto [mean, deviation] = x.visit([](auto rows) { return moments(rows); });
    std::vector<double> varying;
    for (const double s : deviation) {
      if (s > 0) varying.push_back(s);
    }
    std::sort(varying.begin(), varying.end());
    const double median = varying.empty() ? 1 : varying[varying.size() / 2];
    for (double& s : deviation) s = (std::max)(s, median);
    return Standardizer(std::move(mean), std::move(deviation));
  }
  /// Whether a feature from low to high has no more than rounding in its deviation.
  /// \param epsilon of the rows' type
  static bool is_constant(double low, double high, double deviation, double epsilon) {
    // The mean of a constant may be rounded; its deviation is then rounding noise instead of zero. So is a
    // feature that differs by one rounding here and there.
    const double rounding = 1.5 * epsilon * (std::max)(std::abs(low), std::abs(high));
    return high - low <= rounding || deviation < least_deviation;
  }
  /// Features of a smaller deviation are taken for constant: one divided by it, or its square in double, overflows.
  static constexpr double least_deviation = std::is_same_v<Scalar, float> ? 1e-34 : 1e-150;
  /// The deviation of a feature about its mean, which is corrected where the sum that it comes from was rounded: of many
  /// rows with a large offset, timestamps in nanoseconds say.
  /// \param rest mean of the differences from that mean, \param square mean of their squares
  static double corrected_deviation(double& mean, double rest, double square) {
    if (rest * rest <= 1e-12 * square) return std::sqrt(square);
    mean += rest;
    return std::sqrt((std::max)(square - rest * rest, 0.0));
  }
  const std::vector<double>& mean() const { return mean_; }
  const std::vector<double>& scale() const { return scale_; }

  Index features() const { return static_cast<Index>(mean_.size()); }
  /// In the net's scalar type. Of a row of double for a net in float the mean is subtracted in double,
  /// so that what a feature varies by is not rounded away beside its mean.
  template <class Number>
  void apply(const kernels::Table<Scalar>& k, const Number* row, Index d, Scalar* out) const {
    scale(k, row, d, shift_.data(), wide_shift_.data(), factor_.data(), out);
  }
  /// The same with constants that lie elsewhere: d of each of Constants.
  template <class Number>
  static void scale(const kernels::Table<Scalar>& k, const Number* row, Index d,
                    const Scalar* shift, const double* wide_shift, const Scalar* factor,
                    Scalar* out) {
    if constexpr (std::is_same_v<Number, Scalar>) {
      k.standardize(row, shift, factor, d, out);
    } else if constexpr (std::is_same_v<Number, double>) {
      for (Index j = 0; j < d; ++j) {
        out[j] = static_cast<Scalar>(row[j] - wide_shift[j]) * factor[j];
      }
    } else {
      std::copy_n(row, d, out);
      k.standardize(out, shift, factor, d, out);
    }
  }
  template <class Number, class Out>
  void undo(const kernels::Table<Scalar>&, const Number*, Index d, const Scalar* from,
            Out* out) const {
    for (Index j = 0; j < d; ++j) {
      const std::size_t at = static_cast<std::size_t>(j);
      out[j] = static_cast<Out>(std::fma(static_cast<double>(from[j]), scale_[at], mean_[at]));
    }
  }
  std::string text() const { return "standardized"; }
  std::vector<ScalerTensor> tensors() const {
    return {{"scaler.mean", mean_}, {"scaler.scale", scale_}};
  }
  template <class File>
  static std::optional<Standardizer> read(File& file, Index features) {
    if (!file.has("scaler.mean") && !file.has("scaler.scale")) return {};
    return Standardizer(file.numbers("scaler.mean", {features}),
                        file.numbers("scaler.scale", {features}));
  }
  friend bool operator==(const Standardizer& a, const Standardizer& b) {
    return a.mean_ == b.mean_ && a.scale_ == b.scale_;
  }

 private:
  /// Mean and standard deviation of each feature, which is 0 where it is constant. Of values that are there: missing
  /// ones are passed over.
  template <class Number>
  static std::pair<std::vector<double>, std::vector<double>> moments(Rows<const Number> x) {
    const Index n = x.rows(), d = x.cols();
    const std::size_t size = static_cast<std::size_t>(d);
    std::vector<double> mean(size, 0), scale(size, 0), low(size), high(size), count(size, 0);
    for (Index i = 0; i < n; ++i) {
      for (Index j = 0; j < d; ++j) {
        if (is_missing(x(i, j))) continue;
        const std::size_t at = static_cast<std::size_t>(j);
        const double value = static_cast<double>(x(i, j));
        mean[at] += value;
        if (count[at] == 0 || value < low[at]) low[at] = value;
        if (count[at] == 0 || value > high[at]) high[at] = value;
        count[at] += 1;
      }
    }
    for (std::size_t j = 0; j < size; ++j) {
      count[j] = (std::max)(count[j], 1.0);
      mean[j] /= count[j];
    }
    std::vector<double> rest(size, 0);
    for (Index i = 0; i < n; ++i) {
      for (Index j = 0; j < d; ++j) {
        if (is_missing(x(i, j))) continue;
        const std::size_t at = static_cast<std::size_t>(j);
        const double difference = static_cast<double>(x(i, j)) - mean[at];
        scale[at] = std::fma(difference, difference, scale[at]);
        rest[at] += difference;
      }
    }
    for (std::size_t j = 0; j < size; ++j) {
      const double deviation =
          corrected_deviation(mean[j], rest[j] / count[j], scale[j] / count[j]);
      const bool constant = is_constant(
          low[j], high[j], deviation, static_cast<double>(std::numeric_limits<Number>::epsilon()));
      if (low[j] == high[j]) mean[j] = low[j];
      scale[j] = constant ? 0 : deviation;
    }
    return {std::move(mean), std::move(scale)};
  }

  /// A mean rounded to the net's type that is off by no more than this share of the scale serves rows of
  /// double, too: rows that a float holds then score the same bits in both types.
  static constexpr double same_as_float = 1e-3;

  std::vector<double> mean_, scale_;
  AlignedBuffer<Scalar> shift_, factor_;  ///< the mean and 1 / scale in the net's type
  AlignedBuffer<double> wide_shift_;      ///< the mean, for rows of double
};

}  // namespace detail
DASVDD_NAMESPACE_END
