// Nets with image layers as model files.

#include <dasvdd/dasvdd.hpp>
#include <dasvdd/io/model_file.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

namespace {

using namespace dasvdd;
using namespace dasvdd::detail;

template <class Scalar>
RowMatrix<Scalar> images(Index n) {
  RowMatrix<Scalar> X(n, 48);
  Random random(7);
  for (Index i = 0; i < X.size(); ++i) X.data()[i] = static_cast<Scalar>(random.uniform());
  return X;
}

/// A net with every image layer, trained a little so that its running statistics have moved.
template <class Scalar>
Detector<Scalar> trained() {
  Network<Scalar> encoder, decoder;
  encoder.add(conv2d<Scalar>({1, 6, 8}, 3, 3, 1, 1, false))
      .add(batch_norm<Scalar>(Shape{3, 6, 8}))
      .add(leaky_relu())
      .add(max_pool2d<Scalar>({3, 6, 8}))
      .add(dense<Scalar>(36, 5));
  decoder.add(dense<Scalar>(5, 24))
      .add(BatchNorm<Scalar>({24, 1, 1}, 1e-3, 0.25, false))
      .add(upsample_nearest2d<Scalar>({2, 3, 4}))
      .add(conv_transpose2d<Scalar>({2, 6, 8}, 1, 5, 1, 2))
      .add(sigmoid());
  Options options;
  options.epochs = 2;
  options.batch_size = 16;
  options.threads = 1;
  Trainer<Scalar> trainer(Autoencoder<Scalar>(encoder, decoder), options);
  trainer.fit(images<Scalar>(40));
  return trainer.detector();
}

/// The sentence that refuses the model where one thing was changed.
std::string refusal(const std::string& from, const std::string& to, const char* negative = "") {
  const TensorFile good = to_tensor_file(trained<float>());
  TensorFile bad;
  for (const Tensor& tensor : good.tensors()) {
    if (tensor.dtype == DType::F64) {
      bad.add(tensor.name, tensor.shape, tensor.as<double>().data());
    } else {
      std::vector<float> values = tensor.as<float>();
      if (tensor.name == negative) values.back() = -0.5f;
      bad.add(tensor.name, tensor.shape, values.data());
    }
  }
  for (auto [key, word] : good.metadata()) {
    const std::size_t at = key == "net" ? word.find(from) : std::string::npos;
    if (at != std::string::npos) word.replace(at, from.size(), to);
    bad.set_metadata(key, word);
  }
  try {
    from_tensor_file<float>(TensorFile::parse(bad.serialize(), "m"));
  } catch (const FileError& error) {
    return error.what();
  }
  return "nothing thrown";
}

}  // namespace

TEST_CASE_TEMPLATE("image layers are read back to the bit, running statistics too", Scalar, float,
                   double) {
  const auto detector = trained<Scalar>();
  const auto again =
      from_tensor_file<Scalar>(TensorFile::parse(to_tensor_file(detector).serialize()));
  CHECK(again.score(images<Scalar>(9)) == detector.score(images<Scalar>(9)));
  CHECK(to_tensor_file(again).serialize() == to_tensor_file(detector).serialize());
  const auto& statistics = again.model().members.front().statistics;
  REQUIRE(statistics.size() > 0);
  CHECK(statistics[0] != 0);  // a mean that has moved
  CHECK(statistics[3] != 1);  // a variance that has
}

TEST_CASE("a channel without variance is read back: batch norm's epsilon stands for it") {
  auto model = std::make_shared<Model<float>>(trained<float>().model());
  Member<float>& member = model->members.front();
  member.statistics[3] = 0;
  const auto net = member.network.net();
  member.network = PackedNetwork<float>(net, member.parameters.data(), member.statistics.data());
  const Detector<float> flat(model, 1);
  const auto again = from_tensor_file<float>(TensorFile::parse(to_tensor_file(flat).serialize()));
  CHECK(again.score(images<float>(9)) == flat.score(images<float>(9)));
}

TEST_CASE("image layers' tensors are named and shaped as torch.nn.Sequential's") {
  const TensorFile file = to_tensor_file(trained<float>());
  CHECK(
      file.metadata("net") ==
      R"({"decoder":[["dense",5,24,1],["batch_norm",24,1,1,0.001,0.25,0],["upsample_nearest2d",2,3,4,2],["conv_transpose2d",2,6,8,1,5,1,2,1],["sigmoid"]],"encoder":[["conv2d",1,6,8,3,3,1,1,0],["batch_norm",3,6,8,1e-05,0.1,1],["leaky_relu",0.01],["max_pool2d",3,6,8,2,2],["dense",36,5,1]]})");
  using Dimensions = std::vector<Index>;
  CHECK(file["encoder.0.weight"].shape == Dimensions{3, 1, 3, 3});
  CHECK_FALSE(file.contains("encoder.0.bias"));
  CHECK(file["encoder.1.weight"].shape == Dimensions{3});
  CHECK(file["encoder.1.bias"].shape == Dimensions{3});
  CHECK(file["encoder.1.running_mean"].shape == Dimensions{3});
  CHECK(file["encoder.1.running_var"].shape == Dimensions{3});
  CHECK_FALSE(file.contains("decoder.1.weight"));
  CHECK(file["decoder.1.running_var"].shape == Dimensions{24});
  CHECK(file["decoder.3.weight"].shape == Dimensions{2, 1, 5, 5});
  CHECK(file["decoder.3.bias"].shape == Dimensions{1});
}

TEST_CASE("image layers that are none are refused") {
  CHECK(refusal("", "") == "nothing thrown");
  CHECK(refusal(R"(["conv2d",1,6,8,3,3,1,1,0])", R"(["conv2d",1,6,8,3,3])") ==
        "'m': layer 0 of the encoder is conv2d but not followed by channels, height, width, output "
        "channels, kernel, stride, padding and 0 or 1 for a bias");
  CHECK(refusal(R"(["conv2d",1,6,8,3,3,1,1,0])", R"(["conv2d",1,6,8,3,3.5,1,1,0])")
            .find("'m': layer 0 of the encoder is conv2d but") == 0);
  CHECK(refusal(R"(["conv2d",1,6,8,3,3,1,1,0])", R"(["conv2d",1,6,8,3,3,0,1,0])") ==
        "'m': conv2d: the stride is 0, expected 1 to 256");
  // The same sizes, another meaning: nothing but the self-test tells.
  CHECK(refusal(R"(["conv2d",1,6,8,3,3,1,1,0])", R"(["conv2d",1,8,6,3,3,1,1,0])")
            .find("'m': the model's self-test row has the ") == 0);
  CHECK(refusal("2,6,8,1,5,1,2,1", "2,6,8,1,3,1,1,1") ==
        "'m': tensor 'decoder.3.weight' is 2 x 1 x 5 x 5, expected 2 x 1 x 3 x 3 as the net says");
  CHECK(refusal("3,6,8,2,2", "3,6,8,2").find("is max_pool2d but not followed by") !=
        std::string::npos);
  CHECK(refusal("2,3,4,2", "2,3,4").find("is upsample_nearest2d but not followed by") !=
        std::string::npos);
  CHECK(refusal("24,1,1,0.001,0.25,0", "24,1,1,0.001,0.25")
            .find("is batch_norm but not followed by") != std::string::npos);
  CHECK(refusal("0.001,0.25", "0.001,2.5") ==
        "'m': batch_norm: momentum is 2.5, expected a number above 0 and at most 1");
  CHECK(refusal("", "", "encoder.1.running_var") ==
        "'m': tensor 'encoder.1.running_var' has the variance -0.5, expected none below 0");
}
