// Gradients of nets of dense layers, by one thread and by several.

#include "nn/support.hpp"

using namespace nn_tests;

namespace {

Autoencoder<double> wide() {
  // Widths that are no multiple of any kernel's panel, some below and some above it.
  return dense_autoencoder<double>(37, {70, 45, 3}, sigmoid(), tanh(), Activation("elu"));
}

}  // namespace

TEST_CASE("gradients of dense layers without a bias") {
  Network<double> encoder, decoder;
  encoder.add(dense<double>(5, 7, false)).add(tanh()).add(dense<double>(7, 3, false));
  decoder.add(dense<double>(3, 4)).add(Activation("silu")).add(dense<double>(4, 5, false));
  check_gradient(Probe<double>(autoencoder(encoder, decoder), 11, 3));
}

TEST_CASE("gradients of layers of fixed size") {
  const auto net = autoencoder(chain(dense<double, 5, 7>(), leaky_relu(), dense<double, 7, 3>()),
                               chain(dense<double, 3, 5>(), sigmoid()));
  check_gradient(Probe<double>(net, 11, 3));
}

TEST_CASE("gradients of a net without a decoder") {
  Network<double> encoder;
  encoder.add(dense<double>(5, 7)).add(Activation("gelu"));
  SUBCASE("whose code is a dense layer") {
    encoder.add(dense<double>(7, 3)).add(Activation("softplus"));
  }
  SUBCASE("whose code is an activation alone") {
    encoder.add(dense<double>(7, 3)).add(Activation("silu")).add(Activation("gelu"));
  }
  SUBCASE("of one layer") { encoder = Network<double>().add(dense<double>(5, 3)); }
  check_gradient(Probe<double>(autoencoder(encoder, Network<double>()), 11, 3));
}

TEST_CASE("gradients of a net wider than one panel") {
  check_gradient(Probe<double>(wide(), 13, 4), 150);
}

TEST_CASE("gradients of batches of one and two rows") {
  for (const Index rows : {1, 2}) {
    check_gradient(Probe<double>(dense_autoencoder<double>(5, {7, 3}, sigmoid()), rows, 3));
  }
}

TEST_CASE("gradients and steps have the same bits by one thread and by several") {
  Probe<double> one(wide(), 29, 4);
  const auto gradient = one.gradient(1);
  const auto outputs = one.outputs(TrainingPass<double>::Mode::train, 1);
  Probe<double> stepped = one;
  stepped.adam_step(0.01, 1);
  for (const int threads : {2, 3, 4}) {
    CAPTURE(threads);
    CHECK(same_bits(one.gradient(threads), gradient));
    const auto theirs = one.outputs(TrainingPass<double>::Mode::train, threads);
    CHECK(same_bits(theirs.code, outputs.code));
    CHECK(same_bits(theirs.output, outputs.output));
    Probe<double> other = one;
    other.adam_step(0.01, threads);
    CHECK(same_bits(other.parameters, stepped.parameters));
  }
}

TEST_CASE("every parameter gets a gradient and moves against it by the rate, and no gap does") {
  Probe<double> probe(wide(), 29, 4);
  const auto gradient = probe.gradient();
  const auto before = probe.parameters;
  const double rate = 0.01;
  probe.adam_step(rate);
  std::vector<bool> gap(static_cast<std::size_t>(before.size()), true);
  Index without_gradient = 0, wrong_steps = 0;
  each_tensor(probe.net().joined(), [&](Index first, Index count) {
    for (Index i = first; i < first + count; ++i) {
      gap[static_cast<std::size_t>(i)] = false;
      without_gradient += gradient[i] == 0;
      // Adam's first step is the rate in the direction of -g, up to epsilon / |g|.
      const double expected = before[i] - (gradient[i] > 0 ? rate : -rate);
      wrong_steps += std::abs(probe.parameters[i] - expected) > 1e-3 * rate;
    }
  });
  CHECK(without_gradient == 0);
  CHECK(wrong_steps == 0);
  Index gaps_that_moved = 0;
  for (Index i = 0; i < before.size(); ++i) {
    if (gap[static_cast<std::size_t>(i)]) gaps_that_moved += probe.parameters[i] != 0;
  }
  CHECK(gaps_that_moved == 0);
}

TEST_CASE("steps against the gradient make the loss fall") {
  Probe<double> probe(wide(), 29, 4);
  double loss = probe.loss();
  for (int i = 0; i < 5; ++i) {
    probe.adam_step(1e-3);
    const double next = probe.loss();
    CHECK(next < loss);
    loss = next;
  }
}
