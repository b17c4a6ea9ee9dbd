#pragma once
/// \file
/// Normalization over the mini-batch.

#include <dasvdd/kernels/dispatch.hpp>
#include <dasvdd/nn/channel_sums.hpp>
#include <dasvdd/nn/layer.hpp>

#include <cmath>

DASVDD_NAMESPACE_BEGIN

namespace detail {

/// Batch normalization (Ioffe & Szegedy 2015) as torch.nn.BatchNorm1d and BatchNorm2d, per channel
/// c: y = w[c] (x - m[c]) / sqrt(v[c] + eps) + b[c].
///
/// In the network step m and v are the mini-batch's mean and biased variance over its rows and the
/// channel's pixels. Running values follow them, r += momentum (batch - r), with the unbiased variance.
/// A detector and the center step use the running values, so a row's score depends on no other row.
/// Where a mini-batch has one number of a channel, y = b and the running values stay.
///
/// A table's row has features() channels of one pixel. w: C, starts at 1, b: C, starts at 0; both
/// are left out where `affine` is false. Running mean: C, starts at 0; running variance: C, at 1.
template <class Scalar_>
class BatchNorm : public Layer<Scalar_> {
 public:
  using Scalar = Scalar_;

  explicit BatchNorm(const Shape& shape, double epsilon = 1e-5, double momentum = 0.1,
                     bool affine = true)
      : shape_(shape), epsilon_(epsilon), momentum_(momentum), affine_(affine) {
    detail::check_shape("batch_norm", "input", shape);
    detail::ensure(epsilon > 0 && epsilon < 1e6, "batch_norm: epsilon is ", epsilon,
                   ", expected a positive number below 1e6");
    detail::ensure(momentum > 0 && momentum <= 1, "batch_norm: momentum is ", momentum,
                   ", expected a number above 0 and at most 1");
  }

  const Shape& shape() const { return shape_; }
  bool affine() const { return affine_; }
  /// 1 / sqrt(variance + eps)
  Scalar inverse_deviation(Scalar variance) const {
    return static_cast<Scalar>(1 / std::sqrt(static_cast<double>(variance) + epsilon_));
  }
  Index inputs() const override { return shape_.size(); }
  Index outputs() const override { return shape_.size(); }
  Index parameters() const override { return affine_ ? 2 * shape_.channels : 0; }
  Index statistics() const override { return 2 * shape_.channels; }
  std::int64_t multiply_adds() const override { return 4 * shape_.size(); }
  Index scratch(Index) const override { return 6 * line() + 2 * shape_.channels; }
  bool whole_batch() const override { return true; }

  void initialize(Random&, Scalar* w, Scalar* statistics) const override {
    const Index c = shape_.channels;
    if (affine_) std::fill_n(w, c, Scalar(1)), std::fill_n(w + c, c, Scalar(0));
    std::fill_n(statistics, c, Scalar(0));
    std::fill_n(statistics + c, c, Scalar(1));
  }

  void forward(const Scalar* w, const Scalar* statistics, Rows<const Scalar> x, Rows<Scalar> y,
               Scalar* scratch) const override {
    normalize(w, statistics, statistics + shape_.channels, x, y, scratch);
  }
  void forward_training(const Scalar* w, Scalar* statistics, Rows<const Scalar> x, Rows<Scalar> y,
                        Scalar* scratch) const override {
    Scalar *mean = scratch + 6 * line(), *variance = mean + shape_.channels;
    moments(x, mean, variance, scratch);
    normalize(w, mean, variance, x, y, scratch);
    const double n = static_cast<double>(x.rows() * shape_.plane());
    if (statistics == nullptr || n < 2) return;
    for (Index c = 0; c < shape_.channels; ++c) {
      follow(mean[c], 1, statistics[c]);
      follow(variance[c], n / (n - 1), statistics[shape_.channels + c]);
    }
  }

  /// With u = (x - m) / sqrt(v + eps) and means over the batch, per channel:
  ///     db = sum dy,   dw = sum dy u,   dx = w / sqrt(v + eps) (dy - mean dy - u mean(dy u))
  void backward(const Scalar* w, Rows<const Scalar> x, Rows<const Scalar>, Rows<const Scalar> dy,
                Rows<Scalar> dx, Scalar* dw, Scalar* scratch) const override {
    const auto& k = kernels::best<Scalar>();
    const Index size = shape_.size(), channels = shape_.channels;
    const double n = static_cast<double>(x.rows() * shape_.plane());
    Scalar *mean = scratch + 6 * line(), *variance = mean + channels;
    moments(x, mean, variance, scratch);
    Scalar *means = scratch, *inverse = means + line(), *sums = inverse + line(),
           *products = sums + line(), *t = products + line(), *zeros = t + line();
    spread(mean, means);
    for (Index c = 0; c < channels; ++c) variance[c] = inverse_deviation(variance[c]);
    spread(variance, inverse);
    for (Scalar* to : {sums, products, zeros}) std::fill_n(to, size, Scalar(0));
    for (Index i = 0; i < x.rows(); ++i) {
      k.standardize(x.row(i), means, inverse, size, t);  // u
      k.standardize(dy.row(i), zeros, t, size, t);       // dy u
      detail::add_line(dy.row(i), size, sums);
      detail::add_line(t, size, products);
    }
    // From here on per channel: sums becomes mean dy, products mean(dy u) / sqrt(v + eps), inverse
    // the factor of all.
    for (Index c = 0; c < channels; ++c) {
      const Index first = c * shape_.plane(), count = shape_.plane();
      const double sum = detail::channel_sum(sums + first, count);
      const double product = detail::channel_sum(products + first, count);
      if (affine_) {
        dw[c] += static_cast<Scalar>(product);
        dw[channels + c] += static_cast<Scalar>(sum);
      }
      std::fill_n(sums + first, count, static_cast<Scalar>(sum / n));
      std::fill_n(products + first, count, static_cast<Scalar>(product / n) * variance[c]);
      if (affine_) std::fill_n(inverse + first, count, variance[c] * w[c]);
    }
    for (Index i = 0; dx.data() && i < x.rows(); ++i) {
      k.standardize(x.row(i), means, products, size, t);  // u mean(dy u)
      detail::add_line(sums, size, t);
      k.standardize(dy.row(i), t, inverse, size, dx.row(i));
    }
  }

  LayerSpec spec() const override {
    return {"batch_norm",
            {double(shape_.channels), double(shape_.height), double(shape_.width), epsilon_,
             momentum_, affine_ ? 1.0 : 0.0}};
  }
  std::vector<TensorSpec> parameter_tensors() const override {
    if (!affine_) return {};
    return {{"weight", {shape_.channels}}, {"bias", {shape_.channels}}};
  }
  std::vector<TensorSpec> statistics_tensors() const override {
    return {{"running_mean", {shape_.channels}}, {"running_var", {shape_.channels}}};
  }

 private:
  /// A row's numbers in scratch, up to the next one's border.
  Index line() const { return detail::round_up(shape_.size(), detail::tensor_alignment); }

  /// running += momentum (factor batch - running).
  void follow(Scalar batch, double factor, Scalar& running) const {
    const double r = static_cast<double>(running);
    running = static_cast<Scalar>(
        std::fma(momentum_, std::fma(factor, static_cast<double>(batch), -r), r));
  }

  /// One number a channel becomes one a feature.
  void spread(const Scalar* channels, Scalar* features) const {
    for (Index c = 0; c < shape_.channels; ++c, features += shape_.plane()) {
      std::fill_n(features, shape_.plane(), channels[c]);
    }
  }

  /// Mean and biased variance of every channel, in two passes: the squares are of differences.
  void moments(Rows<const Scalar> x, Scalar* mean, Scalar* variance, Scalar* scratch) const {
    const auto& k = kernels::best<Scalar>();
    const Index size = shape_.size();
    const double n = static_cast<double>(x.rows() * shape_.plane());
    Scalar *sums = scratch, *means = sums + line(), *difference = means + line(),
           *square = difference + line();
    const auto per_channel = [&](Scalar* to) {
      for (Index c = 0; c < shape_.channels; ++c) {
        to[c] =
            static_cast<Scalar>(detail::channel_sum(sums + c * shape_.plane(), shape_.plane()) / n);
      }
    };
    std::fill_n(sums, size, Scalar(0));
    for (Index i = 0; i < x.rows(); ++i) detail::add_line(x.row(i), size, sums);
    per_channel(mean);
    spread(mean, means);
    std::fill_n(sums, size, Scalar(0));
    for (Index i = 0; i < x.rows(); ++i) {
      k.scaled_difference(x.row(i), means, Scalar(1), size, difference);
      k.standardize(x.row(i), means, difference, size, square);
      detail::add_line(square, size, sums);
    }
    per_channel(variance);
  }

  /// y = (x - mean) (w / sqrt(variance + eps)) + b.
  void normalize(const Scalar* w, const Scalar* mean, const Scalar* variance, Rows<const Scalar> x,
                 Rows<Scalar> y, Scalar* scratch) const {
    const auto& k = kernels::best<Scalar>();
    Scalar *means = scratch, *factors = means + line(), *shifts = factors + line();
    spread(mean, means);
    if (affine_) spread(w + shape_.channels, shifts);
    for (Index c = 0; c < shape_.channels; ++c) {
      const Scalar inverse = inverse_deviation(variance[c]);
      std::fill_n(factors + c * shape_.plane(), shape_.plane(), affine_ ? inverse * w[c] : inverse);
    }
    for (Index i = 0; i < x.rows(); ++i) {
      k.standardize(x.row(i), means, factors, shape_.size(), y.row(i));
      if (affine_) detail::add_line(shifts, shape_.size(), y.row(i));
    }
  }

  Shape shape_;
  double epsilon_, momentum_;
  bool affine_;
};

}  // namespace detail

/// For images: one mean and variance a channel.
template <class Scalar>
detail::BatchNorm<Scalar> batch_norm(const Shape& shape) {
  return detail::BatchNorm<Scalar>(shape);
}
/// For tables: one mean and variance a feature.
template <class Scalar>
detail::BatchNorm<Scalar> batch_norm(Index features) {
  return detail::BatchNorm<Scalar>(Shape{features, 1, 1});
}

DASVDD_NAMESPACE_END
