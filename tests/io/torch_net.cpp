#include "io/foreign_nets.hpp"

#include <dasvdd/detect/detector.hpp>
#include <dasvdd/io/torch_net.hpp>

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

namespace {

using namespace dasvdd;
using namespace dasvdd::detail;
using namespace foreign_nets;

TorchLayers inferred(const char* activation = "relu") {
  TorchLayers layers;
  layers.activation = activation;
  layers.epsilon = 1e-3;
  return layers;
}
TorchLayers written(const std::string& modules) {
  TorchLayers layers;
  layers.modules = modules;
  return layers;
}

/// Mean squared errors of the net's outputs.
void check_errors(const TensorFile& file, const TorchLayers& layers, const RowMatrix<float>& X,
                  const std::vector<double>& expected) {
  const TorchNet<float> net = TorchReader<float>(file, layers).read();
  const PackedNetwork<float> packed(net.net, net.parameters.data(), net.statistics.data());
  auto buffers = packed.make_buffers(X.rows());
  const auto result = packed.forward(Rows<const float>(X), buffers);
  REQUIRE(X.rows() == static_cast<Index>(expected.size()));
  for (Index i = 0; i < X.rows(); ++i) {
    double sum = 0;
    for (Index j = 0; j < X.cols(); ++j) {
      const double e = static_cast<double>(result.output(i, j)) - static_cast<double>(X(i, j));
      sum += e * e;
    }
    CHECK(sum / static_cast<double>(X.cols()) ==
          doctest::Approx(expected[static_cast<std::size_t>(i)]).epsilon(2e-6));
  }
}

std::string refusal(const TensorFile& file, const TorchLayers& layers) {
  try {
    TorchReader<float>(file, layers).read();
  } catch (const std::exception& error) {
    return error.what();
  }
  return "nothing thrown";
}

/// The net of a table in which one tensor has another name, or none where the new one is empty.
TensorFile renamed(const std::string& from, const std::string& to) {
  const TensorFile good = table_net<float>();
  TensorFile bad;
  for (const Tensor& tensor : good.tensors()) {
    if (tensor.dtype != DType::F32 || (tensor.name == from && to.empty())) continue;
    bad.add(tensor.name == from ? to : tensor.name, tensor.shape, tensor.as<float>().data());
  }
  return bad;
}

}  // namespace

TEST_CASE("a net of linear layers and batch norm is read without a word about its layers") {
  check_errors(table_net<float>(), inferred(), rows(6, 6), table_errors);
  check_errors(table_net<double>(), inferred(), rows(6, 6), table_errors);
  check_errors(table_net<float>("model.net."), inferred(), rows(6, 6), table_errors);
  const TorchNet<float> net = TorchReader<float>(table_net<float>(), inferred()).read();
  CHECK(net.net.code() == 2);
  CHECK(net.net.encoder().steps().back().activation.name() == std::string("relu"));
  CHECK(net.net.decoder().steps().front().inputs == 2);
}

TEST_CASE("a net's modules may be written down, and where the code is") {
  const std::string half = "linear, batch_norm:1e-3, relu, ";
  check_errors(table_net<float>(), written(half + half + "| " + half + "linear"), rows(6, 6),
               table_errors);
  const TorchNet<float> net =
      TorchReader<float>(table_net<float>(), written(half + "| " + half + half + "linear")).read();
  CHECK(net.net.code() == 5);
  check_errors(table_net<float>(), written(half + "|" + half + half + "linear"), rows(6, 6),
               table_errors);
}

TEST_CASE("modules that do nothing in a fitted net count all the same") {
  Writer<float> writer;
  writer.linear(1, 2, 6).linear(4, 6, 2);
  const std::vector<double> same = [&] {
    const TorchNet<float> net =
        TorchReader<float>(Writer<float>(writer).file,
                           written("dropout:0.1,linear,relu|identity,linear"))
            .read();
    const PackedNetwork<float> packed(net.net, net.parameters.data(), nullptr);
    auto buffers = packed.make_buffers(1);
    const RowMatrix<float> x = rows(1, 6);
    const auto result = packed.forward(Rows<const float>(x), buffers);
    std::vector<double> output(result.output.row(0), result.output.row(0) + 6);
    return output;
  }();
  // By hand: y = W4 relu(W1 x + b1) + b4.
  const auto w1 = wave<double>(1, 12), b1 = wave<double>(101, 2), w4 = wave<double>(4, 12),
             b4 = wave<double>(104, 6);
  const RowMatrix<float> x = rows(1, 6);
  for (std::size_t o = 0; o < 6; ++o) {
    double y = b4[o];
    for (std::size_t k = 0; k < 2; ++k) {
      double h = b1[k];
      for (std::size_t j = 0; j < 6; ++j)
        h += w1[k * 6 + j] * static_cast<double>(x(0, static_cast<Index>(j)));
      y += w4[o * 2 + k] * std::max(h, 0.0);
    }
    CHECK(same[o] == doctest::Approx(y).epsilon(1e-6));
  }
}

TEST_CASE("a net of images is read from an encoder and a decoder") {
  TorchLayers layers = written(image_layers);
  layers.image = {1, 3, 5};
  check_errors(image_net(), layers, rows(3, 15), image_errors);
  layers.image = {0, 0, 0};
  CHECK(refusal(image_net(), layers) ==
        "layer 'conv2d:2:1' takes images, but nothing says of which shape: the image's shape does, "
        "or unflatten");
  layers.image = {3, 1, 5};
  CHECK(refusal(image_net(), layers) == "module 0 takes 1 channels, its image has 3");
  // Pooling and upsampling, which have no tensors.
  TorchLayers pooled = written("max_pool2d:2:1,linear|linear,unflatten:1:2:3,upsample:2");
  pooled.image = {1, 4, 6};
  Writer<float> writer;
  writer.linear(1, 2, 15).linear(2, 6, 2);
  const TorchNet<float> net = TorchReader<float>(writer.file, pooled).read();
  CHECK(net.net.inputs() == 24);
  CHECK(net.net.joined().steps().size() == 4);
}

TEST_CASE("what is no such net is refused in a sentence") {
  CHECK(refusal(table_net<float>(), TorchLayers()) ==
        "module 2 has no tensors: say which activation stands there, or all layers");
  CHECK(refusal(table_net<float>(), inferred("sine")).substr(0, 28) ==
        "the activation is 'sine', ex");
  CHECK(refusal(TensorFile(), inferred()) == "there is no tensor in it");
  CHECK(refusal(renamed("9.weight", "last.weight"), inferred()) ==
        "tensor 'last.weight' isn't named as torch.nn.Sequential names its own: '0.weight', "
        "'encoder.0.weight'");
  CHECK(refusal(renamed("9.weight", "head.9.weight"), inferred()) ==
        "the tensors are of 2 nets ('', 'head.'), expected one, or an encoder and a decoder");
  CHECK(refusal(renamed("9.weight", "9.gain"), inferred()) ==
        "module 9 is no Linear and no BatchNorm1d: say all layers");
  for (const char* number : {"10000", "2147483646"}) {
    CHECK(refusal(renamed("9.weight", number + std::string(".weight")), inferred()) ==
          "module " + std::string(number) + " is one too many, expected at most 10000");
  }
  CHECK(refusal(renamed("9.bias", "9.extra"), inferred()) ==
        "tensor '9.extra' belongs to no layer");
  CHECK(refusal(renamed("1.bias", ""), inferred()) ==
        "module 1 has one of factor and shift, expected both or none");
  CHECK(refusal(renamed("1.running_var", ""), inferred()) ==
        "there is no tensor for 'encoder.1.running_var'");
  const std::string half = "linear, batch_norm, relu, ";
  CHECK(refusal(table_net<float>(), written(half + half + half + "linear")) ==
        "the layers have 0 signs |, expected one, between encoder and decoder");
  CHECK(refusal(table_net<float>(), written("|" + half)) ==
        "the encoder or the decoder has no layer, expected at least one each");
  CHECK(refusal(table_net<float>(), written(half + "|" + half)) ==
        "tensor '6.bias' belongs to no layer");
  CHECK(refusal(table_net<float>(), written(half + half + "|" + half + "linear,linear")) ==
        "module 10, 'linear', has no tensor 'weight'");
  CHECK(refusal(table_net<float>(), written("linear:3|linear")) ==
        "layer 'linear:3' has 1 numbers behind its name, expected 0");
  CHECK(refusal(table_net<float>(), written("linear,batch_norm:x|linear")) ==
        "layer 'batch_norm:x' has 'x' behind a colon, expected a number");
  CHECK(refusal(table_net<float>(), written("linear,unflatten:1:2:2.5|linear")) ==
        "layer 'unflatten:1:2:2.5' has the number 2.5, expected whole numbers from 0");
  CHECK(refusal(table_net<float>(), written("conv2d|linear")) ==
        "tensor '0.weight' is 5 x 6, expected 4 dimensions for 'conv2d'");
  Writer<float> equal;
  equal.linear(0, 3, 6).linear(1, 3, 3).linear(2, 6, 3);
  CHECK(refusal(equal.file, inferred()) ==
        "the net has 2 layers that are the narrowest, expected one, the code: say all layers, with "
        "| behind the code");
  Writer<float> oblong;
  oblong.layer("", 0, {2, 1, 3, 2}, 2).linear(1, 15, 4);
  TorchLayers image = written("conv2d|linear");
  image.image = {1, 3, 5};
  CHECK(refusal(oblong.file, image) == "module 0 has a kernel of 3 x 2, expected a square one");
  TensorFile nan = renamed("9.bias", "");
  const std::vector<float> numbers = {1, 2, 3, NAN, 5, 6};
  nan.add("9.bias", {6}, numbers.data());
  CHECK(refusal(nan, inferred()) == "tensor '9.bias' has nan at index 3, expected finite numbers");
  TensorFile negative = renamed("1.running_var", "");
  negative.add("1.running_var", {5}, wave<float>(0, 5).data());
  CHECK(refusal(negative, inferred()).find("tensor '1.running_var' has the variance -") == 0);
  TensorFile whole = renamed("9.bias", "");
  const std::vector<std::int64_t> integers(6);
  whole.add("9.bias", {6}, integers.data());
  CHECK(refusal(whole, inferred()) == "tensor '9.bias' is I64, expected F32 or F64");
}
