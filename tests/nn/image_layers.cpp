// Image layers against PyTorch's vectors, central differences and plain loops.

#include "nn/support.hpp"

#include <dasvdd/io/tensor_file.hpp>
#include <dasvdd/nn/batch_norm.hpp>
#include <dasvdd/nn/conv2d.hpp>
#include <dasvdd/nn/conv_transpose2d.hpp>
#include <dasvdd/nn/max_pool2d.hpp>
#include <dasvdd/nn/packed_network.hpp>
#include <dasvdd/nn/upsample_nearest2d.hpp>

#include <limits>
#include <string>

using namespace nn_tests;

namespace {

TensorFile golden() {
  return TensorFile::read(std::string(DASVDD_TEST_DATA) + "/conv.safetensors");
}
Index number(const TensorFile& file, const std::string& key) {
  return static_cast<Index>(std::stod(file.metadata(key)));
}

/// Parameters, a batch with gaps between its rows, and what a layer makes of them.
template <class Scalar>
struct Call {
  const Layer<Scalar>& layer;
  RowMatrix<Scalar> x;
  AlignedBuffer<Scalar> w, statistics;

  Call(const Layer<Scalar>& l, const RowMatrix<Scalar>& batch)
      : layer(l), x(batch), w(l.parameters()), statistics(l.statistics()) {
    Random random(1);
    layer.initialize(random, w.data(), statistics.data());
  }

  AlignedBuffer<Scalar> scratch() const {
    AlignedBuffer<Scalar> result(layer.scratch(x.rows()));
    // Whatever is in it must not count.
    for (Scalar& v : result) v = std::numeric_limits<Scalar>::quiet_NaN();
    return result;
  }
  RowMatrix<Scalar> forward(bool training = true) {
    RowMatrix<Scalar> y(x.rows(), layer.outputs() + 3);
    y.setConstant(7);
    const Rows<Scalar> to(y.data(), x.rows(), layer.outputs(), y.cols());
    if (training) {
      layer.forward_training(w.data(), statistics.data(), x, to, scratch().data());
    } else {
      layer.forward(w.data(), statistics.data(), x, to, scratch().data());
    }
    CHECK((y.rightCols(3).array() == 7).all());  // not a number beside the image
    return y.leftCols(layer.outputs());
  }
  struct Gradients {
    RowMatrix<Scalar> dx;
    std::vector<double> dw;
  };
  Gradients backward(const RowMatrix<Scalar>& dy) {
    const RowMatrix<Scalar> y = forward();
    RowMatrix<Scalar> dx(x.rows(), layer.inputs() + 3);
    dx.setConstant(7);
    AlignedBuffer<Scalar> dw(layer.parameters());
    layer.backward(w.data(), x, y, dy, {dx.data(), x.rows(), layer.inputs(), dx.cols()}, dw.data(),
                   scratch().data());
    CHECK((dx.rightCols(3).array() == 7).all());
    // Without a place for dx the parameters' gradient is the same; it is added to what is there.
    AlignedBuffer<Scalar> twice = dw;
    layer.backward(w.data(), x, y, dy, {nullptr, x.rows(), layer.inputs()}, twice.data(),
                   scratch().data());
    for (Index i = 0; i < dw.size(); ++i) CHECK(twice[i] == doctest::Approx(2 * dw[i]));
    return {dx.leftCols(layer.inputs()), std::vector<double>(dw.begin(), dw.end())};
  }
};

template <class Values>
void check_close(const Values& ours, const std::vector<double>& theirs, const std::string& what) {
  REQUIRE(static_cast<std::size_t>(ours.size()) == theirs.size());
  double worst = 0, largest = 0;
  for (std::size_t i = 0; i < theirs.size(); ++i) {
    const double difference = std::abs(static_cast<double>(ours.data()[i]) - theirs[i]);
    worst = std::isnan(difference) ? INFINITY : std::max(worst, difference);
    largest = std::max(largest, std::abs(theirs[i]));
  }
  INFO(what, ": largest difference ", worst, " of ", largest);
  CHECK(largest > 0);
  CHECK(worst <= 1e-10 * std::max(1.0, largest));
}

/// The layer's forward and backward pass against the file's tensors `name`.x, .w, .b, .out, ...
void check_golden(const TensorFile& file, const std::string& name, const Layer<double>& layer) {
  INFO(name);
  const auto values = [&](const std::string& part) { return file[name + "." + part].as<double>(); };
  const Index rows = file[name + ".x"].shape[0];
  const auto batch = [&](const std::string& part) {
    const std::vector<double> v = values(part);
    return RowMatrix<double>(
        Eigen::Map<const RowMatrix<double>>(v.data(), rows, static_cast<Index>(v.size()) / rows));
  };
  Call<double> call(layer, batch("x"));
  std::vector<double> dw;
  for (const char* tensor : {"w", "b"}) {
    if (!file.contains(name + "." + tensor)) continue;
    const std::vector<double> v = values(tensor);
    std::copy(v.begin(), v.end(), call.w.data() + dw.size());
    const std::vector<double> d = values(std::string("d") + tensor);
    dw.insert(dw.end(), d.begin(), d.end());
  }
  REQUIRE(static_cast<Index>(dw.size()) == layer.parameters());
  check_close(call.forward(), values("out"), "out");
  const auto gradients = call.backward(batch("dout"));
  check_close(gradients.dx, values("dx"), "dx");
  if (!dw.empty()) check_close(gradients.dw, dw, "dw");
}

double padded_pixel(const RowMatrix<double>& x, Index row, const Shape& s, Index c, Index y,
                    Index z) {
  const bool inside = y >= 0 && y < s.height && z >= 0 && z < s.width;
  return inside ? x(row, (c * s.height + y) * s.width + z) : 0;
}

/// A convolution by its definition.
RowMatrix<double> convolve(const Conv2d<double>& layer, Index kernel, Index stride, Index padding,
                           const double* w, const RowMatrix<double>& x) {
  const Shape in = layer.input_shape(), out = layer.output_shape();
  RowMatrix<double> y(x.rows(), out.size());
  for (Index row = 0; row < x.rows(); ++row) {
    for (Index o = 0; o < out.channels; ++o) {
      for (Index u = 0; u < out.height; ++u) {
        for (Index v = 0; v < out.width; ++v) {
          double sum = layer.has_bias() ? w[layer.parameters() - out.channels + o] : 0;
          for (Index c = 0; c < in.channels; ++c) {
            for (Index i = 0; i < kernel; ++i) {
              for (Index j = 0; j < kernel; ++j) {
                sum +=
                    w[((o * in.channels + c) * kernel + i) * kernel + j] *
                    padded_pixel(x, row, in, c, u * stride + i - padding, v * stride + j - padding);
              }
            }
          }
          y(row, (o * out.height + u) * out.width + v) = sum;
        }
      }
    }
  }
  return y;
}

/// sum of a * b.
double dot(const RowMatrix<double>& a, const RowMatrix<double>& b) {
  return (a.array() * b.array()).sum();
}

/// A small convolutional autoencoder with every kind of layer.
template <class Scalar>
Autoencoder<Scalar> conv_net() {
  Network<Scalar> encoder, decoder;
  encoder.add(conv2d<Scalar>({2, 6, 8}, 3, 3, 1, 1, false))
      .add(batch_norm<Scalar>(Shape{3, 6, 8}))
      .add(leaky_relu())
      .add(max_pool2d<Scalar>({3, 6, 8}))
      .add(conv2d<Scalar>({3, 3, 4}, 4, 3, 2, 1))
      .add(tanh())
      .add(dense<Scalar>(16, 5));
  decoder.add(dense<Scalar>(5, 12))
      .add(batch_norm<Scalar>(12))
      .add(Activation("silu"))
      .add(upsample_nearest2d<Scalar>({1, 3, 4}, 2))
      .add(conv_transpose2d<Scalar>({1, 6, 8}, 3, 3, 1, 1))
      .add(tanh())
      .add(max_pool2d<Scalar>({3, 6, 8}))
      .add(conv_transpose2d<Scalar>({3, 3, 4}, 2, 4, 2, 1))
      .add(sigmoid());
  return autoencoder(encoder, decoder);
}

template <class F>
std::string refusal(F&& f) {
  try {
    f();
  } catch (const InvalidArgument& error) {
    return error.what();
  }
  return "nothing thrown";
}

}  // namespace

TEST_CASE("image layers give PyTorch's results and gradients") {
  const TensorFile file = golden();
  const auto window = [&](const std::string& name, const char* what) {
    return number(file, name + "." + what);
  };
  check_golden(
      file, "conv2d",
      Conv2d<double>({3, 8, 7}, 4, 5, window("conv2d", "stride"), window("conv2d", "padding")));
  check_golden(file, "conv2d_stride2",
               Conv2d<double>({3, 9, 8}, 4, 3, window("conv2d_stride2", "stride"),
                              window("conv2d_stride2", "padding")));
  check_golden(file, "conv_transpose2d",
               ConvTranspose2d<double>({4, 4, 5}, 3, 4, window("conv_transpose2d", "stride"),
                                       window("conv_transpose2d", "padding")));
  check_golden(
      file, "max_pool2d",
      MaxPool2d<double>({3, 6, 8}, window("max_pool2d", "kernel"), window("max_pool2d", "stride")));
  check_golden(file, "upsample_nearest2d",
               UpsampleNearest2d<double>({3, 3, 4}, window("upsample_nearest2d", "scale")));
  check_golden(file, "batch_norm1d_train",
               BatchNorm<double>({5, 1, 1}, std::stod(file.metadata("batch_norm1d_train.eps"))));
}

TEST_CASE("convolutions of all kernels, strides and paddings are what their definition says") {
  // Widths around a panel's (8 to 32), strides above the kernel, maps of one pixel, pixels that no
  // window meets.
  const Shape images[] = {{1, 5, 5}, {3, 7, 4}, {2, 9, 35}, {5, 4, 11}};
  Index checked = 0;
  for (const Shape& image : images) {
    for (Index kernel = 1; kernel <= 5; ++kernel) {
      for (Index stride = 1; stride <= 4; ++stride) {
        for (Index padding = 0; padding < std::min<Index>(kernel, 4); ++padding) {
          if (std::min(image.height, image.width) + 2 * padding < kernel) continue;
          CAPTURE(image.width);
          CAPTURE(kernel);
          CAPTURE(stride);
          CAPTURE(padding);
          const Conv2d<double> layer(image, 1 + checked % 5, kernel, stride, padding,
                                     checked % 2 == 0);
          Call<double> call(layer, random_rows<double>(2, image.size(), 5));
          const auto expected = convolve(layer, kernel, stride, padding, call.w.data(), call.x);
          // Sums of at most 125 products of numbers around 1.
          REQUIRE((call.forward() - expected).cwiseAbs().maxCoeff() < 1e-12);
          // The gradients by what defines them: the layer is linear in x and in w.
          const auto dy = random_rows<double>(2, layer.outputs(), 6);
          const auto gradients = call.backward(dy);
          RowMatrix<double> without_bias = expected;
          if (layer.has_bias()) {
            for (Index o = 0; o < layer.output_shape().channels; ++o) {
              const Index plane = layer.output_shape().plane();
              without_bias.middleCols(o * plane, plane).array() -=
                  call.w[layer.parameters() - layer.output_shape().channels + o];
            }
          }
          REQUIRE(dot(gradients.dx, call.x) ==
                  doctest::Approx(dot(dy, without_bias)).epsilon(1e-9));
          double by_w = 0;
          for (std::size_t i = 0; i < gradients.dw.size(); ++i) {
            by_w += gradients.dw[i] * call.w[static_cast<Index>(i)];
          }
          REQUIRE(by_w == doctest::Approx(dot(dy, expected)).epsilon(1e-9));
          ++checked;
        }
      }
    }
  }
  CHECK(checked > 150);
}

TEST_CASE("a transposed convolution is the input gradient of a convolution, plus its bias") {
  for (const Index stride : {1, 2, 3}) {
    for (const Index kernel : {1, 3, 4}) {
      for (Index padding = 0; padding < std::min<Index>(kernel, 2); ++padding) {
        CAPTURE(stride);
        CAPTURE(kernel);
        CAPTURE(padding);
        const ConvTranspose2d<double> layer({3, 4, 6}, 2, kernel, stride, padding);
        const Conv2d<double> back(layer.output_shape(), 3, kernel, stride, padding, false);
        REQUIRE(back.output_shape() == layer.input_shape());
        Call<double> call(layer, random_rows<double>(3, layer.inputs(), 5));
        Call<double> other(back, random_rows<double>(3, back.inputs(), 6));
        std::copy_n(call.w.data(), back.parameters(), other.w.data());
        const RowMatrix<double> y = call.forward();
        RowMatrix<double> expected = other.backward(call.x).dx;
        const Index plane = layer.output_shape().plane();
        for (Index o = 0; o < 2; ++o) {
          expected.middleCols(o * plane, plane).array() += call.w[back.parameters() + o];
        }
        CHECK((y - expected).cwiseAbs().maxCoeff() < 1e-13);
        // Its own input gradient is the convolution.
        CHECK(same_bits<double>(call.backward(other.x).dx, other.forward()));
      }
    }
  }
}

TEST_CASE("max pooling: windows that overlap, the first of equal pixels, and NaN") {
  const MaxPool2d<double> layer({1, 3, 4}, 2, 1);
  REQUIRE(layer.output_shape() == Shape{1, 2, 3});
  RowMatrix<double> x(1, 12), dy(1, 6);
  x << 1, 5, 5, 0, 2, 5, 3, 0, 9, 1, 1, 1;
  dy << 1, 10, 100, 1000, 10000, 100000;
  Call<double> call(layer, x);
  RowMatrix<double> y(1, 6), dx(1, 12);
  y << 5, 5, 5, 9, 5, 3;
  dx << 0, 11, 100, 0, 0, 10000, 100000, 0, 1000, 0, 0, 0;
  CHECK(call.forward() == y);
  CHECK(call.backward(dy).dx == dx);
  call.x(0, 0) = std::numeric_limits<double>::quiet_NaN();
  CHECK(std::isnan(call.forward()(0, 0)));
  CHECK(call.forward()(0, 1) == 5);
  // The last pixel of one window, the first of another, behind larger numbers and before them.
  call.x(0, 0) = 1;
  call.x(0, 5) = std::numeric_limits<double>::quiet_NaN();
  for (const Index output : {0, 1, 3, 4}) CHECK(std::isnan(call.forward()(0, output)));
  CHECK(call.forward()(0, 2) == 5);
  CHECK(call.backward(dy).dx(0, 5) == 1 + 10 + 1000 + 10000);
}

TEST_CASE("upsampling by three: each pixel as a square, each square's sum as gradient") {
  const UpsampleNearest2d<double> layer({2, 2, 3}, 3);
  REQUIRE(layer.output_shape() == Shape{2, 6, 9});
  Call<double> call(layer, random_rows<double>(2, 12, 5));
  const RowMatrix<double> y = call.forward();
  const auto dy = random_rows<double>(2, layer.outputs(), 6);
  const RowMatrix<double> dx = call.backward(dy).dx;
  RowMatrix<double> sums = RowMatrix<double>::Zero(2, 12);
  Index wrong = 0;
  for (Index row = 0; row < 2; ++row) {
    for (Index i = 0; i < layer.outputs(); ++i) {
      const Index c = i / 54, a = i % 54 / 9, b = i % 9;
      const Index from = (c * 2 + a / 3) * 3 + b / 3;
      wrong += y(row, i) != call.x(row, from);
      sums(row, from) += dy(row, i);
    }
  }
  CHECK(wrong == 0);
  CHECK((dx - sums).cwiseAbs().maxCoeff() < 1e-14);
}

TEST_CASE("gradients of a convolutional autoencoder with every kind of image layer") {
  check_gradient(Probe<double>(conv_net<double>(), 7, 3));
}

TEST_CASE("gradients of batch norm without factor and shift, and of a batch of one number") {
  Network<double> encoder, decoder;
  encoder.add(BatchNorm<double>({2, 2, 3}, 1e-3, 0.1, false)).add(tanh()).add(dense<double>(12, 4));
  decoder.add(dense<double>(4, 12));
  SUBCASE("seven rows") { check_gradient(Probe<double>(autoencoder(encoder, decoder), 7, 3)); }
  SUBCASE("one row of several pixels") {
    check_gradient(Probe<double>(autoencoder(encoder, decoder), 1, 3));
  }
  SUBCASE("one number") {
    const BatchNorm<double> layer({4, 1, 1});
    Call<double> call(layer, random_rows<double>(1, 4, 5));
    call.w[4 + 2] = 0.5;
    CHECK(call.forward()(0, 2) == 0.5);
    for (Index c = 0; c < 4; ++c) CHECK(call.statistics[c] == 0);
    for (Index c = 4; c < 8; ++c) CHECK(call.statistics[c] == 1);
    CHECK(call.backward(random_rows<double>(1, 4, 6)).dx.isZero());
  }
}

TEST_CASE(
    "batch norm: batch statistics in training, running ones in a detector, moved by momentum") {
  const Shape shape{3, 2, 5};
  const BatchNorm<double> layer(shape, 1e-4, 0.3);
  Call<double> call(layer, (3 + 2 * random_rows<double>(9, 30, 5).array()).matrix());
  for (Index c = 0; c < 3; ++c) call.w[c] = 0.5 + double(c), call.w[3 + c] = -double(c);
  double running_mean[3] = {0, 0, 0}, running_var[3] = {1, 1, 1};
  for (int step = 0; step < 3; ++step) {
    call.x.array() += 0.5;
    const RowMatrix<double> y = call.forward();
    for (Index c = 0; c < 3; ++c) {
      const auto pixels = call.x.middleCols(c * 10, 10).array();
      const double mean = pixels.mean(), squares = (pixels - mean).square().sum();
      const RowMatrix<double> expected =
          ((pixels - mean) / std::sqrt(squares / 90 + 1e-4) * call.w[c] + call.w[3 + c]).matrix();
      CHECK((y.middleCols(c * 10, 10) - expected).cwiseAbs().maxCoeff() < 1e-12);
      running_mean[c] = 0.7 * running_mean[c] + 0.3 * mean;
      running_var[c] = 0.7 * running_var[c] + 0.3 * squares / 89;  // the unbiased one
      CHECK(call.statistics[c] == doctest::Approx(running_mean[c]).epsilon(1e-12));
      CHECK(call.statistics[3 + c] == doctest::Approx(running_var[c]).epsilon(1e-12));
    }
  }
  const auto statistics = call.statistics;
  const RowMatrix<double> y = call.forward(false);
  CHECK(same_bits(call.statistics, statistics));
  for (Index c = 0; c < 3; ++c) {
    const RowMatrix<double> expected = ((call.x.middleCols(c * 10, 10).array() - running_mean[c]) /
                                            std::sqrt(running_var[c] + 1e-4) * call.w[c] +
                                        call.w[3 + c])
                                           .matrix();
    CHECK((y.middleCols(c * 10, 10) - expected).cwiseAbs().maxCoeff() < 1e-12);
  }
  // Where they must stay there is no place for them.
  RowMatrix<double> z(9, 30);
  layer.forward_training(call.w.data(), nullptr, call.x, z, call.scratch().data());
  CHECK(same_bits<double>(z, call.forward()));
}

TEST_CASE("image layers start as PyTorch's do") {
  Network<float> net;
  net.add(conv2d<float>({3, 8, 8}, 16, 5, 1, 2))
      .add(conv_transpose2d<float>({16, 8, 8}, 20, 3, 1, 1))
      .add(batch_norm<float>(Shape{20, 8, 8}));
  AlignedBuffer<float> w(net.parameters()), statistics(net.statistics());
  Random random(3);
  net.initialize(random, w.data(), statistics.data());
  const auto check_uniform = [&](std::size_t step, double bound) {
    const auto& s = net.steps()[step];
    double largest = 0, sum = 0;
    for (Index i = 0; i < s.layer->parameters(); ++i) {
      const double v = static_cast<double>(w[s.weight_at + i]);
      largest = std::max(largest, std::abs(v));
      sum += v * v;
    }
    CHECK(largest <= bound);
    CHECK(largest > 0.99 * bound);
    // A uniform number's variance, over 1,200 draws and more known to 3 % or better.
    CHECK(sum / double(s.layer->parameters()) == doctest::Approx(bound * bound / 3).epsilon(0.1));
  };
  check_uniform(0, 1 / std::sqrt(75.0));
  check_uniform(1, 1 / std::sqrt(180.0));  // PyTorch counts a transposed kernel's outputs
  const auto& norm = net.steps()[2];
  for (Index c = 0; c < 20; ++c) {
    CHECK(w[norm.weight_at + c] == 1);
    CHECK(w[norm.weight_at + 20 + c] == 0);
    CHECK(statistics[norm.statistics_at + c] == 0);
    CHECK(statistics[norm.statistics_at + 20 + c] == 1);
  }
}

TEST_CASE("image layers have the same bits by one thread and by several, and for a row alone") {
  for (const Index rows : {3, 19}) {
    const Probe<float> probe(conv_net<float>(), rows, 8);
    const auto gradient = probe.gradient(1);
    const auto outputs = probe.outputs(TrainingPass<float>::Mode::train, 1);
    for (const int threads : {2, 3, 4}) {
      CAPTURE(threads);
      CHECK(same_bits(probe.gradient(threads), gradient));
      CHECK(same_bits(probe.outputs(TrainingPass<float>::Mode::train, threads).output,
                      outputs.output));
    }
    const PackedNetwork<float> packed(probe.net(), probe.parameters.data(),
                                      probe.statistics.data());
    auto buffers = packed.make_buffers(rows);
    const RowMatrix<float> together = packed.forward(probe.x, buffers).output.matrix();
    CHECK(same_bits(together, probe.outputs(TrainingPass<float>::Mode::detect, 2).output));
    for (Index i = 0; i < rows; ++i) {
      const RowMatrix<float> alone = probe.x.row(i);
      CHECK(packed.forward(alone, buffers).output.matrix().row(0) == together.row(i));
    }
  }
}

TEST_CASE("image layers in a static chain and in a run-time chain are the same net") {
  const auto encoder = chain(conv2d<double>({1, 6, 6}, 2, 3, 1, 1), leaky_relu(),
                             max_pool2d<double>({2, 6, 6}), dense<double>(18, 4));
  const auto decoder =
      chain(dense<double>(4, 9), batch_norm<double>(9), upsample_nearest2d<double>({1, 3, 3}),
            conv_transpose2d<double>({1, 6, 6}, 1, 3, 1, 1), sigmoid());
  CHECK(encoder.layer<0>().output_shape() == Shape{2, 6, 6});
  Network<double> e, d;
  e.add(encoder.layer<0>()).add(leaky_relu()).add(encoder.layer<2>()).add(dense<double>(18, 4));
  d.add(dense<double>(4, 9)).add(decoder.layer<1>()).add(decoder.layer<2>());
  d.add(decoder.layer<3>()).add(sigmoid());
  const Probe<double> fixed(autoencoder(encoder, decoder), 9, 3), loose(autoencoder(e, d), 9, 3);
  CHECK(same_bits(fixed.parameters, loose.parameters));
  CHECK(same_bits(fixed.gradient(), loose.gradient()));
  CHECK(fixed.net().joined().steps().size() == 9);
}

TEST_CASE("a net's multiply-adds count a weight of a convolution once a place") {
  Network<float> net;
  net.add(dense<float>(4, 9)).add(conv2d<float>({1, 3, 3}, 2, 3, 1, 1)).add(relu());
  CHECK(net.multiply_adds() == 36 + 9 * 2 * 9);
  CHECK(conv_transpose2d<float>({2, 3, 3}, 1, 3, 1, 1).multiply_adds() == 9 * 2 * 9);
}

TEST_CASE("layers without parameters have no bias") {
  CHECK_FALSE(max_pool2d<double>({1, 4, 4}).has_bias());
  CHECK_FALSE(upsample_nearest2d<double>({1, 4, 4}).has_bias());
  CHECK(batch_norm<double>(3).has_bias());
}

TEST_CASE("image layers refuse what they can't be with a sentence") {
  using D = double;
  CHECK(refusal([] {
          conv2d<D>({0, 5, 5}, 1, 3);
        }) ==
        "conv2d: the input is 0 x 5 x 5 (channels, height, width), expected at least 1 each and at "
        "most 16777216 in all");
  CHECK(refusal([] {
          conv2d<D>({1, 5000, 5000}, 1, 3);
        }).find("conv2d: the input is 1 x 5000") == 0);
  CHECK(refusal([] { conv2d<D>({1, Index(1) << 62, 4}, 1, 3); }).find("conv2d: the input") == 0);
  CHECK(refusal([] {
          conv2d<D>({1, 5, 5}, 0, 3);
        }) == "conv2d: the output channels are 0, expected 1 to 65536");
  CHECK(refusal([] {
          conv2d<D>({1, 5, 5}, 1, 0);
        }) == "conv2d: the kernel is 0, expected 1 to 256");
  CHECK(refusal([] {
          conv2d<D>({1, 5, 5}, 1, 3, 0);
        }) == "conv2d: the stride is 0, expected 1 to 256");
  CHECK(refusal([] {
          conv2d<D>({1, 5, 5}, 1, 3, 1, 3);
        }) == "conv2d: the padding is 3, expected at least 0 and less than the kernel, 3");
  CHECK(refusal([] {
          conv2d<D>({1, 5, 4}, 1, 7, 1, 1);
        }) == "conv2d: the kernel is 7, larger than the padded image of 7 x 6");
  CHECK(refusal([] { conv2d<D>({1, 4096, 4096}, 2, 1); }).find("conv2d: the output is 2 x") == 0);
  CHECK(refusal([] {
          conv2d<D>({65536, 1, 1}, 257, 256, 256, 255);
        }) ==
        "conv2d: 257 x 65536 x 256 x 256 weights are too many, expected at most 1099511627776, and "
        "8589934592 for one channel");
  CHECK(refusal([] {
          conv2d<D>({262144, 1, 1}, 1, 256, 256, 255);
        }).find("are too many") != std::string::npos);
  // As many in one channel's window as there may be.
  CHECK(refusal([] { conv2d<D>({131072, 1, 1}, 1, 256, 256, 255); }) == "nothing thrown");
  CHECK(refusal([] {
          conv_transpose2d<D>({262144, 1, 1}, 1, 256);
        }).find("conv_transpose2d: 1 x 262144 x 256 x 256 weights are too many") == 0);
  CHECK(refusal([] {
          conv_transpose2d<D>({1, 1, 1}, 1, 3, 1, 2);
        }) ==
        "conv_transpose2d: the output is 1 x -1 x -1 (channels, height, width), expected at least "
        "1 each and at most 16777216 in all");
  CHECK(refusal([] {
          conv_transpose2d<D>({1, 5, 5}, 1, 3, 1, -1);
        }) ==
        "conv_transpose2d: the padding is -1, expected at least 0 and less than the kernel, 3");
  CHECK(refusal([] {
          max_pool2d<D>({1, 5, 4}, 5);
        }) == "max_pool2d: the kernel is 5, expected 1 to the image's 5 x 4");
  CHECK(refusal([] {
          max_pool2d<D>({1, 5, 4}, 0);
        }) == "max_pool2d: the kernel is 0, expected 1 to the image's 5 x 4");
  CHECK(refusal([] {
          max_pool2d<D>({1, 5, 4}, 2, -1);
        }) == "max_pool2d: the stride is -1, expected at least 1");
  CHECK(refusal([] {
          upsample_nearest2d<D>({1, 5, 4}, 0);
        }) == "upsample_nearest2d: the scale is 0, expected 1 to 256");
  CHECK(refusal([] {
          upsample_nearest2d<D>({1, 1024, 1024}, 8);
        }).find("upsample_nearest2d: the output is 1 x 8192") == 0);
  CHECK(refusal([] { batch_norm<D>(0); }).find("batch_norm: the input is 0 x 1 x 1") == 0);
  CHECK(refusal([] {
          BatchNorm<D>({1, 1, 1}, 0);
        }) == "batch_norm: epsilon is 0, expected a positive number below 1e6");
  CHECK(refusal([] {
          BatchNorm<D>({1, 1, 1}, 1e-5, 1.5);
        }) == "batch_norm: momentum is 1.5, expected a number above 0 and at most 1");
  Network<D> net;
  net.add(conv2d<D>({1, 8, 8}, 2, 3));
  CHECK(refusal([&] {
          net.add(max_pool2d<D>({2, 8, 8}));
        }) == "layer 1 of the net takes 128 inputs, the layer before it gives 72");
}
