#pragma once
/// \file
/// Convolution of images.

#include <dasvdd/nn/convolution.hpp>

DASVDD_NAMESPACE_BEGIN

namespace detail {

/// Convolution as torch.nn.Conv2d: y[o, u, v] = b[o] + sum over c, i, j of
/// W[o, c, i, j] x[c, u s + i - p, v s + j - p], pixels outside the image being zero.
///
/// x: C x H x W, y: O x h x w with h = (H + 2 p - k) / s + 1, rounded down, W: O x C x k x k, b: O.
/// Parameters start as U(-1/sqrt(C k k), 1/sqrt(C k k)), PyTorch's default.
template <class Scalar_>
class Conv2d : public detail::Convolution<Scalar_> {
 public:
  using Scalar = Scalar_;

  /// \param input C x H x W \param channels O \param kernel k \param stride s \param padding p,
  /// less than k: further out an output would see nothing but zeros
  /// \param bias false where a BatchNorm follows, which takes any bias out again
  Conv2d(const Shape& input, Index channels, Index kernel, Index stride = 1, Index padding = 0,
         bool bias = true)
      : detail::Convolution<Scalar>(
            "conv2d",
            {input, output_of(input, channels, kernel, stride, padding), kernel, stride, padding},
            bias) {}

  const Shape& input_shape() const override { return map_.image(); }
  const Shape& output_shape() const override { return map_.map(); }

  std::int64_t cost() const override { return map_.correlate_cost(); }
  void forward(const Scalar* w, const Scalar*, Rows<const Scalar> x, Rows<Scalar> y,
               Scalar* scratch) const override {
    map_.correlate(w, this->bias_of(w), x, y, scratch);
  }
  void backward(const Scalar* w, Rows<const Scalar> x, Rows<const Scalar>, Rows<const Scalar> dy,
                Rows<Scalar> dx, Scalar* dw, Scalar* scratch) const override {
    map_.add_weight_gradient(x, dy, dw, scratch);
    this->add_bias_gradient_to(dw, dy, scratch);
    if (dx.data()) map_.transpose(w, nullptr, dy, dx, scratch);
  }

 private:
  using detail::Convolution<Scalar>::map_;

  static Shape output_of(const Shape& in, Index channels, Index kernel, Index stride,
                         Index padding) {
    const char* name = "conv2d";
    detail::check_shape(name, "input", in);
    detail::check_window(name, channels, kernel, stride, padding);
    detail::ensure(in.height + 2 * padding >= kernel && in.width + 2 * padding >= kernel, name,
                   ": the kernel is ", kernel, ", larger than the padded image of ",
                   in.height + 2 * padding, " x ", in.width + 2 * padding);
    const Shape out{channels, (in.height + 2 * padding - kernel) / stride + 1,
                    (in.width + 2 * padding - kernel) / stride + 1};
    detail::check_shape(name, "output", out);
    detail::check_weights(name, in.channels, channels, kernel);
    return out;
  }
};

}  // namespace detail

/// \code
/// auto conv = dasvdd::conv2d<float>({1, 28, 28}, 8, 5, 1, 2);  // 8 x 28 x 28
/// \endcode
template <class Scalar>
detail::Conv2d<Scalar> conv2d(const Shape& input, Index channels, Index kernel, Index stride = 1,
                              Index padding = 0, bool bias = true) {
  return detail::Conv2d<Scalar>(input, channels, kernel, stride, padding, bias);
}

DASVDD_NAMESPACE_END
