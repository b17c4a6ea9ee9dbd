#pragma once
/// \file
/// Transposed convolution of images.

#include <dasvdd/nn/convolution.hpp>

DASVDD_NAMESPACE_BEGIN

namespace detail {

/// Transposed convolution as torch.nn.ConvTranspose2d: the input gradient of a Conv2d taken as a
/// layer. y[o, a, b] = b[o] + the sum of W[c, o, i, j] x[c, u, v] over all c and all i, j, u, v with
/// u s + i - p = a and v s + j - p = b.
///
/// x: C x H x W, y: O x h x w with h = (H - 1) s - 2 p + k, W: C x O x k x k, b: O. Parameters start
/// as U(-1/sqrt(O k k), 1/sqrt(O k k)), PyTorch's default.
template <class Scalar_>
class ConvTranspose2d : public detail::Convolution<Scalar_> {
 public:
  using Scalar = Scalar_;

  /// \param input C x H x W \param channels O \param kernel k \param stride s \param padding p,
  /// less than k: how much is cut off around the output
  ConvTranspose2d(const Shape& input, Index channels, Index kernel, Index stride = 1,
                  Index padding = 0, bool bias = true)
      : detail::Convolution<Scalar>(
            "conv_transpose2d",
            {output_of(input, channels, kernel, stride, padding), input, kernel, stride, padding},
            bias) {}

  const Shape& input_shape() const override { return map_.map(); }
  const Shape& output_shape() const override { return map_.image(); }

  std::int64_t cost() const override { return map_.transpose_cost(); }
  void forward(const Scalar* w, const Scalar*, Rows<const Scalar> x, Rows<Scalar> y,
               Scalar* scratch) const override {
    map_.transpose(w, this->bias_of(w), x, y, scratch);
  }
  void backward(const Scalar* w, Rows<const Scalar> x, Rows<const Scalar>, Rows<const Scalar> dy,
                Rows<Scalar> dx, Scalar* dw, Scalar* scratch) const override {
    map_.add_weight_gradient(dy, x, dw, scratch);
    this->add_bias_gradient_to(dw, dy, scratch);
    if (dx.data()) map_.correlate(w, nullptr, dy, dx, scratch);
  }

 private:
  using detail::Convolution<Scalar>::map_;

  static Shape output_of(const Shape& in, Index channels, Index kernel, Index stride,
                         Index padding) {
    const char* name = "conv_transpose2d";
    detail::check_shape(name, "input", in);
    detail::check_window(name, channels, kernel, stride, padding);
    const Shape out{channels, (in.height - 1) * stride - 2 * padding + kernel,
                    (in.width - 1) * stride - 2 * padding + kernel};
    detail::check_shape(name, "output", out);
    detail::check_weights(name, in.channels, channels, kernel);
    return out;
  }
};

}  // namespace detail

/// \code
/// auto conv = dasvdd::conv_transpose2d<float>({8, 28, 28}, 1, 5, 1, 2);  // 1 x 28 x 28
/// \endcode
template <class Scalar>
detail::ConvTranspose2d<Scalar> conv_transpose2d(const Shape& input, Index channels, Index kernel,
                                                 Index stride = 1, Index padding = 0,
                                                 bool bias = true) {
  return detail::ConvTranspose2d<Scalar>(input, channels, kernel, stride, padding, bias);
}

DASVDD_NAMESPACE_END
