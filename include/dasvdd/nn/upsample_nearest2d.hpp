#pragma once
/// \file
/// Each pixel as a square of equal pixels.

#include <dasvdd/nn/layer.hpp>
#include <dasvdd/nn/shape.hpp>

#include <algorithm>

DASVDD_NAMESPACE_BEGIN

namespace detail {

/// Upsampling as torch.nn.UpsamplingNearest2d: y[c, a, b] = x[c, a / s, b / s], rounded down.
///
/// x: C x H x W, y: C x sH x sW. A pixel's gradient is the sum of its square's.
template <class Scalar_>
class UpsampleNearest2d : public Layer<Scalar_> {
 public:
  using Scalar = Scalar_;

  explicit UpsampleNearest2d(const Shape& input, Index scale = 2) : input_(input), scale_(scale) {
    detail::check_shape("upsample_nearest2d", "input", input);
    detail::ensure(scale >= 1 && scale <= 256, "upsample_nearest2d: the scale is ", scale,
                   ", expected 1 to 256");
    output_ = {input.channels, input.height * scale, input.width * scale};
    detail::check_shape("upsample_nearest2d", "output", output_);
  }

  const Shape& input_shape() const { return input_; }
  const Shape& output_shape() const { return output_; }
  Index inputs() const override { return input_.size(); }
  Index outputs() const override { return output_.size(); }
  std::int64_t multiply_adds() const override { return outputs(); }

  void forward(const Scalar*, const Scalar*, Rows<const Scalar> x, Rows<Scalar> y,
               Scalar*) const override {
    for (Index row = 0; row < x.rows(); ++row) {
      const Scalar* from = x.row(row);
      Scalar* to = y.row(row);
      for (Index line = 0; line < input_.channels * input_.height; ++line, from += input_.width) {
        for (Index v = 0; v < input_.width; ++v) std::fill_n(to + v * scale_, scale_, from[v]);
        for (Index i = 1; i < scale_; ++i) std::copy_n(to, output_.width, to + i * output_.width);
        to += scale_ * output_.width;
      }
    }
  }
  void backward(const Scalar*, Rows<const Scalar>, Rows<const Scalar>, Rows<const Scalar> dy,
                Rows<Scalar> dx, Scalar*, Scalar*) const override {
    if (!dx.data()) return;
    for (Index row = 0; row < dy.rows(); ++row) {
      const Scalar* from = dy.row(row);
      Scalar* to = dx.row(row);
      for (Index line = 0; line < input_.channels * input_.height; ++line) {
        for (Index v = 0; v < input_.width; ++v) {
          Scalar sum = 0;
          for (Index i = 0; i < scale_; ++i) {
            for (Index j = 0; j < scale_; ++j) sum += from[i * output_.width + v * scale_ + j];
          }
          *to++ = sum;
        }
        from += scale_ * output_.width;
      }
    }
  }
  LayerSpec spec() const override {
    return {"upsample_nearest2d",
            {double(input_.channels), double(input_.height), double(input_.width), double(scale_)}};
  }

 private:
  Shape input_, output_{};
  Index scale_;
};

}  // namespace detail

template <class Scalar>
detail::UpsampleNearest2d<Scalar> upsample_nearest2d(const Shape& input, Index scale = 2) {
  return detail::UpsampleNearest2d<Scalar>(input, scale);
}

DASVDD_NAMESPACE_END
