// A static chain and the run-time chain of the same layers are the same net, to the bit.

#include "nn/layers.hpp"

using namespace nn_tests;

namespace {

auto static_net() {
  return autoencoder(chain(dense<double>(9, 20), leaky_relu(), Curve{20}, Activation("elu", 0.5),
                           dense<double, 20, 4>(), tanh()),
                     chain(Dense<double, 4, 11>(), Activation("gelu"), BatchNorm(11),
                           dense<double>(11, 9), sigmoid()));
}

Autoencoder<double> run_time_net() {
  Network<double> encoder, decoder;
  encoder.add(dense<double>(9, 20)).add(Activation("leaky_relu"));
  encoder.add(std::shared_ptr<const Layer<double>>(
      std::make_shared<dasvdd::detail::LayerModel<Curve>>(Curve{20})));
  encoder.add(Activation("elu", 0.5)).add(dense<double>(20, 4)).add(Activation("tanh"));
  decoder.add(dense<double>(4, 11)).add(Activation("gelu"));
  decoder.add(std::shared_ptr<const Layer<double>>(std::make_shared<BatchNorm>(11)));
  decoder.add(dense<double>(11, 9)).add(Activation("sigmoid"));
  return autoencoder(encoder, decoder);
}

/// The same net in any scalar type, without layers of the user's own.
template <class Scalar>
Autoencoder<Scalar> plain_net() {
  return dense_autoencoder<Scalar>(9, {40, 4}, sigmoid(), Activation("gelu"), tanh());
}

template <class A, class B>
double largest_difference(const A& a, const B& b) {
  double largest = 0;
  for (Index i = 0; i < a.size(); ++i) {
    const double difference = static_cast<double>(a.data()[i]) - static_cast<double>(b.data()[i]);
    largest = std::max(largest, std::abs(difference));
  }
  return largest;
}

}  // namespace

TEST_CASE("a static chain and a run-time chain give the same bits") {
  const Probe<double> a(static_net(), 23, 6), b(run_time_net(), 23, 6);
  REQUIRE(a.net().parameters() == b.net().parameters());
  CHECK(same_bits(a.parameters, b.parameters));
  CHECK(same_bits(a.statistics, b.statistics));
  const auto of_a = a.outputs(TrainingPass<double>::Mode::train, 1);
  const auto of_b = b.outputs(TrainingPass<double>::Mode::train, 1);
  CHECK(same_bits(of_a.code, of_b.code));
  CHECK(same_bits(of_a.output, of_b.output));
  CHECK(same_bits(a.gradient(), b.gradient()));
}

TEST_CASE("a static chain keeps its layers by type and knows its sizes") {
  const auto c = chain(dense<double>(9, 20), leaky_relu(0.2), Curve{20}, dense<double, 20, 4>());
  CHECK(c.inputs() == 9);
  CHECK(c.outputs() == 4);
  CHECK(c.layer<1>().parameter() == 0.2);
  CHECK(c.layer<2>().size == 20);
  CHECK(c.network().steps().size() == 3);
}

TEST_CASE("float nets follow double nets") {
  const Probe<double> wide(plain_net<double>(), 23, 6);
  Probe<float> narrow(plain_net<float>(), 23, 6);
  REQUIRE(narrow.net().parameters() == wide.net().parameters());
  // Draws are made in double and rounded.
  CHECK(largest_difference(narrow.parameters, wide.parameters) < 1e-7);
  const auto a = narrow.outputs(TrainingPass<float>::Mode::train, 1);
  const auto b = wide.outputs(TrainingPass<double>::Mode::train, 1);
  // Sums of 40 products of numbers below 1: some ten roundings of 6e-8.
  CHECK(largest_difference(a.code, b.code) < 2e-6);
  CHECK(largest_difference(a.output, b.output) < 2e-6);
  CHECK(largest_difference(narrow.gradient(), wide.gradient()) < 2e-6);
  CHECK(a.output.maxCoeff() - a.output.minCoeff() > 0.1f);  // there is something to compare
}
