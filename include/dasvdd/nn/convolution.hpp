#pragma once
/// \file
/// What a convolution and a transposed one have in common.

#include <dasvdd/nn/channel_sums.hpp>
#include <dasvdd/nn/correlation.hpp>
#include <dasvdd/nn/layer.hpp>

#include <algorithm>
#include <cmath>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// Refuses the numbers of a convolution, transposed or not, before its map's shape is worked out.
inline void check_window(const char* layer, Index channels, Index kernel, Index stride,
                         Index padding) {
  constexpr Index most = Index(1) << 16;
  ensure(channels >= 1 && channels <= most, layer, ": the output channels are ", channels,
         ", expected 1 to ", most);
  ensure(kernel >= 1 && kernel <= 256, layer, ": the kernel is ", kernel, ", expected 1 to 256");
  ensure(stride >= 1 && stride <= 256, layer, ": the stride is ", stride, ", expected 1 to 256");
  ensure(padding >= 0 && padding < kernel, layer, ": the padding is ", padding,
         ", expected at least 0 and less than the kernel, ", kernel);
}

/// Refuses more weights than can be counted, and windows of which scratch memory could not hold
/// some hundreds.
inline void check_weights(const char* layer, Index inputs, Index outputs, Index kernel) {
  constexpr Index most = most_parameters, most_in_window = most >> 7;
  const std::int64_t window = std::int64_t((std::max)(inputs, outputs)) * kernel * kernel;
  ensure(window <= most_in_window && window * (std::min)(inputs, outputs) <= most, layer, ": ",
         outputs, " x ", inputs, " x ", kernel, " x ", kernel,
         " weights are too many, expected at most ", most, ", and ", most_in_window,
         " for one channel");
}

/// U(-b, b), b = 1 / sqrt(fan_in), weights before biases.
template <class Scalar>
void draw_convolution(Random& random, Index parameters, Index fan_in, Scalar* w) {
  const double bound = 1 / std::sqrt(static_cast<double>(fan_in));
  for (Index i = 0; i < parameters; ++i) {
    w[i] = static_cast<Scalar>(random.symmetric(bound));
  }
}

/// A layer between an image and the map that a correlation makes of it, in one direction or the other.
template <class Scalar_>
class Convolution : public Layer<Scalar_> {
 public:
  using Scalar = Scalar_;

  bool has_bias() const override { return bias_; }
  virtual const Shape& input_shape() const = 0;
  virtual const Shape& output_shape() const = 0;

  Index inputs() const override { return input_shape().size(); }
  Index outputs() const override { return output_shape().size(); }
  Index parameters() const override {
    return map_.weights() + (bias_ ? output_shape().channels : 0);
  }
  std::int64_t multiply_adds() const override {
    return std::int64_t(map_.weights()) * map_.map().plane();
  }
  Index scratch(Index) const override {
    return (std::max)(map_.scratch(), bias_ ? outputs() : Index(0));
  }
  void initialize(Random& random, Scalar* w, Scalar*) const override {
    draw_convolution(random, parameters(), map_.depth(), w);
  }
  LayerSpec spec() const override {
    const Shape& in = input_shape();
    return {
        name_,
        {double(in.channels), double(in.height), double(in.width), double(output_shape().channels),
         double(map_.kernel()), double(map_.stride()), double(map_.padding()), bias_ ? 1.0 : 0.0}};
  }
  std::vector<TensorSpec> parameter_tensors() const override {
    const Index k = map_.kernel();
    std::vector<TensorSpec> tensors = {
        {"weight", {map_.map().channels, map_.image().channels, k, k}}};
    if (bias_) tensors.push_back({"bias", {output_shape().channels}});
    return tensors;
  }

 protected:
  Convolution(const char* name, const Correlation<Scalar>& map, bool bias)
      : map_(map), bias_(bias), name_(name) {}

  const Scalar* bias_of(const Scalar* w) const { return bias_ ? w + map_.weights() : nullptr; }
  void add_bias_gradient_to(Scalar* dw, Rows<const Scalar> dy, Scalar* scratch) const {
    if (bias_) add_bias_gradient(output_shape(), dy, dw + map_.weights(), scratch);
  }

  Correlation<Scalar> map_;

 private:
  bool bias_;
  const char* name_;
};

}  // namespace detail
DASVDD_NAMESPACE_END
