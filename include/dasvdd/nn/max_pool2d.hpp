#pragma once
/// \file
/// The largest pixel of each window.

#include <dasvdd/core/finite.hpp>
#include <dasvdd/nn/layer.hpp>
#include <dasvdd/nn/shape.hpp>

#include <algorithm>
#include <limits>
#include <type_traits>

DASVDD_NAMESPACE_BEGIN

namespace detail {

/// Maximum pooling as torch.nn.MaxPool2d: y[c, u, v] = max of x[c, u s + i, v s + j], i, j < k.
///
/// x: C x H x W, y: C x h x w with h = (H - k) / s + 1, rounded down. Among equal pixels the first
/// gets the gradient; a NaN is the largest of all.
template <class Scalar_>
class MaxPool2d : public Layer<Scalar_> {
 public:
  using Scalar = Scalar_;

  /// \param stride s; 0 stands for the kernel, windows side by side
  explicit MaxPool2d(const Shape& input, Index kernel = 2, Index stride = 0)
      : input_(input), kernel_(kernel), stride_(stride == 0 ? kernel : stride) {
    detail::check_shape("max_pool2d", "input", input);
    detail::ensure(kernel >= 1 && kernel <= input.height && kernel <= input.width,
                   "max_pool2d: the kernel is ", kernel, ", expected 1 to the image's ",
                   input.height, " x ", input.width);
    detail::ensure(stride_ >= 1, "max_pool2d: the stride is ", stride, ", expected at least 1");
    output_ = {input.channels, (input.height - kernel) / stride_ + 1,
               (input.width - kernel) / stride_ + 1};
  }

  const Shape& input_shape() const { return input_; }
  const Shape& output_shape() const { return output_; }
  Index inputs() const override { return input_.size(); }
  Index outputs() const override { return output_.size(); }
  std::int64_t multiply_adds() const override {
    return std::int64_t(outputs()) * kernel_ * kernel_;
  }
  /// A comparison is scalar and takes as long as 48 multiply-adds.
  std::int64_t cost() const override { return 48 * multiply_adds(); }

  void forward(const Scalar*, const Scalar*, Rows<const Scalar> x, Rows<Scalar> y,
               Scalar*) const override {
    each_window(x, [&](Index row, Index to, const Scalar* window) {
      y(row, to) = kernel_ == 2 ? maximum(window, two) : maximum(window, kernel_);
    });
  }
  void backward(const Scalar*, Rows<const Scalar> x, Rows<const Scalar>, Rows<const Scalar> dy,
                Rows<Scalar> dx, Scalar*, Scalar*) const override {
    if (!dx.data()) return;
    for (Index i = 0; i < dx.rows(); ++i) std::fill_n(dx.row(i), inputs(), Scalar(0));
    each_window(x, [&](Index row, Index from, const Scalar* window) {
      const Index at = kernel_ == 2 ? largest(window, two) : largest(window, kernel_);
      dx(row, window - x.row(row) + at) += dy(row, from);
    });
  }
  LayerSpec spec() const override {
    return {"max_pool2d",
            {double(input_.channels), double(input_.height), double(input_.width), double(kernel_),
             double(stride_)}};
  }

 private:
  /// Calls f(row, output, first pixel of its window) for every output.
  template <class F>
  void each_window(Rows<const Scalar> x, F&& f) const {
    for (Index row = 0; row < x.rows(); ++row) {
      Index output = 0;
      for (Index c = 0; c < input_.channels; ++c) {
        for (Index u = 0; u < output_.height; ++u) {
          const Scalar* line = x.row(row) + (c * input_.height + u * stride_) * input_.width;
          for (Index v = 0; v < output_.width; ++v) f(row, output++, line + v * stride_);
        }
      }
    }
  }
  /// The usual kernel, known to the compiler.
  static constexpr std::integral_constant<Index, 2> two{};

  // No branches: the branch predictor can't guess which pixel is the largest.
  template <class Kernel>
  Scalar maximum(const Scalar* window, Kernel kernel) const {
    Scalar best = window[0];
    bool any_nan = false;
    for (Index i = 0; i < kernel; ++i) {
      for (Index j = 0; j < kernel; ++j) {
        const Scalar v = window[i * input_.width + j];
        any_nan |= is_nan(v);
        best = v > best ? v : best;
      }
    }
    return any_nan ? std::numeric_limits<Scalar>::quiet_NaN() : best;
  }
  /// Where in the window, counted in pixels of the image, the largest number is.
  template <class Kernel>
  Index largest(const Scalar* window, Kernel kernel) const {
    Index best = 0;
    for (Index i = 0; i < kernel; ++i) {
      for (Index j = 0; j < kernel; ++j) {
        const Index at = i * input_.width + j;
        const bool nan = is_nan(window[at]);
        best += (at - best) * Index((window[at] > window[best]) | nan);
      }
    }
    return best;
  }

  Shape input_, output_{};
  Index kernel_, stride_;
};

}  // namespace detail

template <class Scalar>
detail::MaxPool2d<Scalar> max_pool2d(const Shape& input, Index kernel = 2, Index stride = 0) {
  return detail::MaxPool2d<Scalar>(input, kernel, stride);
}

DASVDD_NAMESPACE_END
