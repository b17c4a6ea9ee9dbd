#include "tool/support.hpp"

#include <dasvdd/io/onnx.hpp>

using namespace tool_tests;
using dasvdd::detail::to_onnx;

namespace {

/// As if it were trained.
template <class Scalar>
dasvdd::Detector<Scalar> detector_of(const char* activation = "leaky_relu") {
  using namespace dasvdd::detail;
  const auto net = dasvdd::dense_autoencoder<Scalar>(5, {3}, {}, dasvdd::Activation(activation),
                                                     dasvdd::Activation(activation));
  AlignedBuffer<Scalar> parameters(net.parameters());
  dasvdd::Random random(1);
  net.joined().initialize(random, parameters.data(), nullptr);
  auto model = std::make_shared<Model<Scalar>>();
  PackedNetwork<Scalar> packed(net, parameters.data(), nullptr);
  model->members.push_back(Member<Scalar>{std::move(packed),
                                          std::move(parameters),
                                          {},
                                          AlignedBuffer<Scalar>(3),
                                          1,
                                          ScoreTerm<Scalar>(5, 1, 5),
                                          ScoreTerm<Scalar>(3, 1, 1)});
  return {std::move(model), 0.5};
}

}  // namespace

TEST_CASE("tool: export writes the model's graph") {
  const TemporaryFolder folder;
  const std::string model = folder / "m", onnx = folder / "m.onnx";
  const dasvdd::Detector<float> detector = detector_of<float>();
  save(detector, model);
  const Outcome plain = dasvdd_tool({"export", model, "-o", onnx});
  CHECK(plain.status == 0);
  CHECK(plain.err.empty());
  CHECK(content(onnx) == to_onnx(detector));
  CHECK(plain.out ==
        "opset 11\nbytes " + std::to_string(content(onnx).size()) + "\nmodel " + onnx + "\n");
  CHECK(dasvdd_tool({"export", model, "-o", onnx, "--matmul"}).status == 0);
  CHECK(content(onnx) == to_onnx(detector, {true, false}));

  const dasvdd::Detector<double> in_double = detector_of<double>();
  save(in_double, model);
  CHECK(dasvdd_tool({"export", model, "-o", onnx}).status == 0);
  CHECK(content(onnx) == to_onnx(in_double));
  CHECK(dasvdd_tool({"export", model, "-o", onnx, "--float32"}).status == 0);
  CHECK(content(onnx) == to_onnx(in_double, {false, true}));

  save(detector_of<double>("gelu"), model);
  check_failure({"export", model, "-o", onnx}, 2, "'" + model + "': gelu in double");
  check_failure({"export", model}, 2, "-o is required");
  check_failure({"export", folder / "none", "-o", onnx}, 2, "there is no such file");
  check_failure({"export", model, "-o", folder / "no/m.onnx"}, 2, "there is no folder");
  check_failure({"export", folder.put("text", "no model at all"), "-o", onnx}, 2, "safetensors");
}
