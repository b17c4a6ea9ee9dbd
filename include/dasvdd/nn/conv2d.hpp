#pragma once
/// \file
/// Convolution of images.

#include <dasvdd/nn/channel_sums.hpp>
#include <dasvdd/nn/correlation.hpp>
#include <dasvdd/nn/layer.hpp>

#include <cmath>

DASVDD_NAMESPACE_BEGIN

namespace detail {

/// Refuses the numbers of a convolution, transposed or not, before its map's shape is worked out.
inline void check_window(const char* layer, Index channels, Index kernel, Index stride,
                         Index padding) {
  constexpr Index most = Index(1) << 16;
  require(channels >= 1 && channels <= most, layer, ": the output channels are ", channels,
          ", expected 1 to ", most);
  require(kernel >= 1 && kernel <= 256, layer, ": the kernel is ", kernel, ", expected 1 to 256");
  require(stride >= 1 && stride <= 256, layer, ": the stride is ", stride, ", expected 1 to 256");
  require(padding >= 0 && padding < kernel, layer, ": the padding is ", padding,
          ", expected at least 0 and less than the kernel, ", kernel);
}

/// Refuses more weights than can be counted safely: as many as a dense layer's at most.
inline void check_weights(const char* layer, Index inputs, Index outputs, Index kernel) {
  constexpr Index most = Index(1) << 40;
  require(inputs <= most / (outputs * kernel * kernel), layer, ": ", outputs, " x ", inputs, " x ",
          kernel, " x ", kernel, " weights are too many, expected at most ", most);
}

/// U(-b, b), b = 1 / sqrt(fan_in), weights before biases.
template <class Scalar>
void draw_convolution(Random& random, Index parameters, Index fan_in, Scalar* w) {
  const double bound = 1 / std::sqrt(static_cast<double>(fan_in));
  for (Index i = 0; i < parameters; ++i) {
    w[i] = static_cast<Scalar>(random.symmetric(bound));
  }
}

}  // namespace detail

/// Convolution as torch.nn.Conv2d: y[o, u, v] = b[o] + sum over c, i, j of
/// W[o, c, i, j] x[c, u s + i - p, v s + j - p], pixels outside the image being zero.
///
/// x: C x H x W, y: O x h x w with h = (H + 2 p - k) / s + 1, rounded down, W: O x C x k x k, b: O.
/// Parameters start as U(-1/sqrt(C k k), 1/sqrt(C k k)), PyTorch's default.
template <class Scalar_>
class Conv2d : public Layer<Scalar_> {
 public:
  using Scalar = Scalar_;

  /// \param input C x H x W \param channels O \param kernel k \param stride s \param padding p,
  /// less than k: further out an output would see nothing but zeros
  /// \param bias false where a BatchNorm follows, which takes any bias out again
  Conv2d(const Shape& input, Index channels, Index kernel, Index stride = 1, Index padding = 0,
         bool bias = true)
      : map_(input, output_of(input, channels, kernel, stride, padding), kernel, stride, padding),
        bias_(bias) {}

  const Shape& input_shape() const { return map_.image(); }
  const Shape& output_shape() const { return map_.map(); }
  bool has_bias() const { return bias_; }

  Index inputs() const override { return input_shape().size(); }
  Index outputs() const override { return output_shape().size(); }
  Index parameters() const override {
    return map_.weights() + (bias_ ? output_shape().channels : 0);
  }
  Index multiply_adds() const override { return map_.weights() * output_shape().plane(); }
  Index scratch(Index) const override {
    return std::max(map_.scratch(), bias_ ? outputs() : Index(0));
  }

  void initialize(Random& random, Scalar* w, Scalar*) const override {
    detail::draw_convolution(random, parameters(), map_.depth(), w);
  }
  void forward(const Scalar* w, const Scalar*, Rows<const Scalar> x, Rows<Scalar> y,
               Scalar* scratch) const override {
    map_.correlate(w, bias_ ? w + map_.weights() : nullptr, x, y, scratch);
  }
  void backward(const Scalar* w, Rows<const Scalar> x, Rows<const Scalar>, Rows<const Scalar> dy,
                Rows<Scalar> dx, Scalar* dw, Scalar* scratch) const override {
    map_.add_weight_gradient(x, dy, dw, scratch);
    if (bias_) detail::add_bias_gradient(output_shape(), dy, dw + map_.weights(), scratch);
    if (dx.data()) map_.transpose(w, nullptr, dy, dx, scratch);
  }

  LayerSpec spec() const override {
    const Shape& in = input_shape();
    return {
        "conv2d",
        {double(in.channels), double(in.height), double(in.width), double(output_shape().channels),
         double(map_.kernel()), double(map_.stride()), double(map_.padding()), bias_ ? 1.0 : 0.0}};
  }
  std::vector<TensorSpec> parameter_tensors() const override {
    const Index k = map_.kernel(), out = output_shape().channels;
    std::vector<TensorSpec> tensors = {{"weight", {out, input_shape().channels, k, k}}};
    if (bias_) tensors.push_back({"bias", {out}});
    return tensors;
  }

 private:
  static Shape output_of(const Shape& in, Index channels, Index kernel, Index stride,
                         Index padding) {
    const char* name = "conv2d";
    detail::check_shape(name, "input", in);
    detail::check_window(name, channels, kernel, stride, padding);
    detail::require(in.height + 2 * padding >= kernel && in.width + 2 * padding >= kernel, name,
                    ": the kernel is ", kernel, ", larger than the padded image of ",
                    in.height + 2 * padding, " x ", in.width + 2 * padding);
    const Shape out{channels, (in.height + 2 * padding - kernel) / stride + 1,
                    (in.width + 2 * padding - kernel) / stride + 1};
    detail::check_shape(name, "output", out);
    detail::check_weights(name, in.channels, channels, kernel);
    return out;
  }

  detail::Correlation<Scalar> map_;
  bool bias_;
};

/// \code
/// auto conv = dasvdd::conv2d<float>({1, 28, 28}, 8, 5, 1, 2);  // 8 x 28 x 28
/// \endcode
template <class Scalar>
Conv2d<Scalar> conv2d(const Shape& input, Index channels, Index kernel, Index stride = 1,
                      Index padding = 0, bool bias = true) {
  return Conv2d<Scalar>(input, channels, kernel, stride, padding, bias);
}

DASVDD_NAMESPACE_END
