// How nets are put together, what is refused, and where their parameters start.

#include "nn/layers.hpp"

using namespace nn_tests;

TEST_CASE("an activation joins the dense layer before it, and positions count it") {
  Network<float> net;
  net.add(dense<float>(8, 40)).add(leaky_relu()).add(dense<float>(40, 3)).add(tanh()).add(relu());
  REQUIRE(net.steps().size() == 3);
  CHECK(net.inputs() == 8);
  CHECK(net.outputs() == 3);
  const auto& s = net.steps();
  CHECK(s[0].activation.kind() == ActivationKind::leaky_relu);
  CHECK(s[0].activation.parameter() == 0.01);
  CHECK(s[0].position == 0);
  CHECK(s[1].activation.kind() == ActivationKind::tanh);
  CHECK(s[1].position == 2);
  CHECK(s[2].kind == Step<float>::Kind::activation);
  CHECK(s[2].activation.kind() == ActivationKind::relu);
  CHECK(s[2].position == 4);
  // Weight 320, bias 40, weight 120, bias 3: each on a border of 32.
  CHECK(s[0].weight_at == 0);
  CHECK(s[0].bias_at == 320);
  CHECK(s[1].weight_at == 384);
  CHECK(s[1].bias_at == 512);
  CHECK(net.parameters() == 544);
}

TEST_CASE("sizes that don't meet are refused by layer number") {
  Network<float> net;
  net.add(dense<float>(8, 4)).add(relu());
  CHECK_THROWS_WITH_AS(net.add(dense<float>(5, 2)),
                       "layer 2 of the net takes 5 inputs, the layer before it gives 4",
                       InvalidArgument);
  CHECK_THROWS_WITH_AS(net.add(Pairs<float>{3}),
                       "layer 2 of the net takes 6 inputs, the layer before it gives 4",
                       InvalidArgument);
  CHECK(net.steps().size() == 1);  // and the net is what it was
  CHECK(net.parameters() == 64);
  net.add(dense<float>(4, 2));
  CHECK(net.outputs() == 2);
  CHECK_THROWS_WITH_AS(chain(dense<float>(8, 4), dense<float>(3, 2)),
                       "layer 1 of the net takes 3 inputs, the layer before it gives 4",
                       InvalidArgument);
}

TEST_CASE("a net can't start with an activation, nor hold a null layer") {
  Network<float> net;
  const char* sentence = "an activation can't be the first layer of a net: nothing says its size";
  CHECK_THROWS_WITH_AS(net.add(relu()), sentence, InvalidArgument);
  CHECK_THROWS_WITH_AS(net.add(Activation("tanh")), sentence, InvalidArgument);
  CHECK_THROWS_WITH_AS(net.add(std::shared_ptr<const Layer<float>>()), "a layer of a net is null",
                       InvalidArgument);
  CHECK(net.empty());
}

TEST_CASE("dense layers of impossible sizes are refused") {
  CHECK_THROWS_WITH_AS(dense<float>(0, 3), "dense layer: sizes are 0 and 3, expected at least 1",
                       InvalidArgument);
  CHECK_THROWS_AS(dense<float>(3, -1), InvalidArgument);
  CHECK_THROWS_WITH_AS(dense<float>(3, Index(1) << 25),
                       "dense layer: sizes are 3 and 33554432, expected at most 16777216",
                       InvalidArgument);
  CHECK_THROWS_WITH_AS(
      dense<float>(Index(1) << 24, Index(1) << 17),
      "dense layer: sizes are 16777216 and 131072, expected at most 1099511627776 weights",
      InvalidArgument);
  CHECK_THROWS_WITH_AS((Dense<float, 8, 4>(8, 5)),
                       "dense layer: sizes are 8 and 5, its type says 8 and 4", InvalidArgument);
  CHECK(Dense<float, 8, 4>().parameters() == 36);
  CHECK(dense<float>(8, 4, false).parameters() == 32);
}

TEST_CASE("a net with more parameters than can be counted is refused, and stays as it was") {
  Network<float> net;
  net.add(dense<float>(Index(1) << 16, Index(1) << 24, false));
  const Index before = net.parameters();
  CHECK_THROWS_WITH_AS(net.add(dense<float>(Index(1) << 24, 2)),
                       "layer 1 of the net has 33554432 parameters after 1099511627776 of the "
                       "layers before it, expected at most 1099511627776 in all",
                       InvalidArgument);
  CHECK(net.parameters() == before);
  CHECK(net.steps().size() == 1);
}

TEST_CASE("encoder and decoder that don't meet are refused") {
  Network<float> encoder, decoder;
  CHECK_THROWS_WITH_AS(autoencoder(encoder, decoder), "the encoder has no layer", InvalidArgument);
  encoder.add(dense<float>(5, 3));
  decoder.add(dense<float>(4, 5));
  CHECK_THROWS_WITH_AS(autoencoder(encoder, decoder),
                       "the decoder takes a code of 4 numbers, the encoder gives 3",
                       InvalidArgument);
  CHECK_THROWS_WITH_AS(autoencoder(encoder, Network<float>().add(dense<float>(3, 6))),
                       "the decoder gives 6 features, the encoder takes 5", InvalidArgument);
  const auto half = autoencoder(encoder, Network<float>());
  CHECK(!half.has_decoder());
  CHECK(half.code() == 3);
  CHECK(half.parameters() == encoder.parameters());
}

TEST_CASE("an autoencoder's parameters are the encoder's, then the decoder's") {
  Network<double> encoder, decoder;
  encoder.add(dense<double>(5, 6)).add(BatchNorm(6)).add(tanh()).add(dense<double>(6, 3));
  decoder.add(Curve{3}).add(dense<double>(3, 5)).add(sigmoid()).add(BatchNorm(5));
  const auto net = autoencoder(encoder, decoder);
  CHECK(net.inputs() == 5);
  CHECK(net.code() == 3);
  CHECK(net.code_steps() == 4);
  CHECK(net.encoder_parameters() == encoder.parameters());
  CHECK(net.parameters() == encoder.parameters() + decoder.parameters());
  CHECK(net.statistics() == encoder.statistics() + decoder.statistics());
  const auto& joined = net.joined().steps();
  REQUIRE(joined.size() == encoder.steps().size() + decoder.steps().size());
  for (std::size_t i = 0; i < decoder.steps().size(); ++i) {
    const auto& s = joined[encoder.steps().size() + i];
    const auto& d = decoder.steps()[i];
    CHECK(s.kind == d.kind);
    CHECK(s.activation.kind() == d.activation.kind());
    CHECK(s.weight_at == encoder.parameters() + d.weight_at);
    if (s.layer) CHECK(s.statistics_at == encoder.statistics() + d.statistics_at);
  }
}

TEST_CASE("the paper's nets: a mirrored decoder, LeakyReLU behind every layer but the last") {
  const auto net = dense_autoencoder<float>(784, {1024, 256, 64}, sigmoid());
  const Index widths[] = {784, 1024, 256, 64, 256, 1024, 784};
  const auto& steps = net.joined().steps();
  REQUIRE(steps.size() == 6);
  for (std::size_t i = 0; i < 6; ++i) {
    CHECK(steps[i].inputs == widths[i]);
    CHECK(steps[i].outputs == widths[i + 1]);
    CHECK(steps[i].bias);
    CHECK(steps[i].activation.kind() ==
          (i < 5 ? ActivationKind::leaky_relu : ActivationKind::sigmoid));
  }
  CHECK(net.code_steps() == 3);
  CHECK_THROWS_WITH_AS(dense_autoencoder<float>(784, {}, sigmoid()),
                       "the encoder's widths are empty, expected at least the code's size",
                       InvalidArgument);
}

TEST_CASE("parameters start as U(-1/sqrt(in), 1/sqrt(in)), weight before bias, gaps zero") {
  Network<double> net;
  net.add(dense<double>(50, 61)).add(relu()).add(dense<double>(61, 7));
  AlignedBuffer<double> p(net.parameters());
  Random random(9);
  net.initialize(random, p.data(), nullptr);

  // The draws in their order, whatever the layout.
  Random same(9);
  Index wrong = 0;
  std::vector<bool> gap(static_cast<std::size_t>(p.size()), true);
  each_tensor(net, [&](Index first, Index count) {
    const double bound = 1 / std::sqrt(first < net.steps()[1].weight_at ? 50.0 : 61.0);
    for (Index i = first; i < first + count; ++i) {
      gap[static_cast<std::size_t>(i)] = false;
      wrong += p[i] != same.uniform(-bound, bound);
    }
  });
  CHECK(wrong == 0);
  Index filled_gaps = 0;
  for (Index i = 0; i < p.size(); ++i) filled_gaps += gap[static_cast<std::size_t>(i)] && p[i] != 0;
  CHECK(filled_gaps == 0);

  const double bound = 1 / std::sqrt(50.0), n = 50 * 61;
  double sum = 0, squares = 0, largest = 0;
  for (Index i = 0; i < 50 * 61; ++i) {
    sum += p[i];
    squares += p[i] * p[i];
    largest = std::max(largest, std::abs(p[i]));
  }
  CHECK(largest <= bound);
  CHECK(largest > 0.99 * bound);
  // Four standard errors of a uniform's mean and second moment.
  CHECK(std::abs(sum / n) < 4 * bound / std::sqrt(3 * n));
  CHECK(std::abs(squares / n - bound * bound / 3) < 4 * bound * bound * std::sqrt(4 / 45.0 / n));

  AlignedBuffer<double> other(net.parameters());
  Random another(10);
  net.initialize(another, other.data(), nullptr);
  each_tensor(net, [&](Index first, Index) { CHECK(other[first] != p[first]); });
}
