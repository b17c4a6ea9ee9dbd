// Layers of users' own: the plain contract and the run-time interface, in every place of a net.

#include "nn/layers.hpp"

#include <dasvdd/nn/packed_network.hpp>

using namespace nn_tests;

namespace {

/// What a layer was asked for; shared by its copies.
struct Log {
  std::atomic<int> calls{0}, without_dx{0}, empty{0};
};

/// The identity that keeps a log, and throws where it is told to.
struct Logged {
  using Scalar = double;
  Index size;
  std::shared_ptr<Log> log = std::make_shared<Log>();
  bool fails = false;
  Index inputs() const { return size; }
  Index outputs() const { return size; }
  Index parameters() const { return 0; }
  void forward(const double*, Rows<const double> x, Rows<double> y) const {
    if (x.rows() == 0) ++log->empty;
    if (fails) throw std::runtime_error("a layer of the user's own failed");
    y.matrix() = x.matrix();
  }
  void backward(const double*, Rows<const double> x, Rows<const double>, Rows<const double> dy,
                Rows<double> dx, double*) const {
    ++log->calls;
    if (x.rows() == 0) ++log->empty;
    if (!dx.data()) ++log->without_dx;
    if (dx.data()) dx.matrix() = dy.matrix();
  }
};

/// Encoder and decoder of `layer` and dense layers; `place` counts where the layer stands.
template <class L>
Autoencoder<double> with_layer(const L& layer, int place) {
  const Index d = layer.inputs();
  Network<double> encoder, decoder;
  if (place == 0) encoder.add(layer).add(dense<double>(layer.outputs(), 4)).add(tanh());
  if (place == 1)
    encoder.add(dense<double>(5, d))
        .add(Activation("silu"))
        .add(layer)
        .add(dense<double>(layer.outputs(), 4));
  if (place == 2) encoder.add(dense<double>(5, d)).add(layer);
  if (place == 3) encoder.add(dense<double>(5, 6)).add(tanh()).add(dense<double>(6, d));
  if (place == 4) encoder.add(dense<double>(5, 4)).add(Activation("gelu"));
  if (place == 5) encoder.add(dense<double>(layer.outputs(), 4));
  if (place == 6) encoder.add(layer);
  const Index features = encoder.inputs(), code = encoder.outputs();
  if (place == 3) decoder.add(layer).add(sigmoid()).add(dense<double>(layer.outputs(), features));
  if (place == 4) {
    decoder.add(dense<double>(code, d)).add(layer).add(dense<double>(layer.outputs(), features));
  }
  if (place == 5) decoder.add(dense<double>(code, d)).add(tanh()).add(layer);
  if (decoder.empty())
    decoder.add(dense<double>(code, 6)).add(tanh()).add(dense<double>(6, features));
  return autoencoder(encoder, decoder);
}

constexpr int places = 7;

}  // namespace

TEST_CASE("gradients of a layer of the plain contract in every place of encoder and decoder") {
  for (int place = 0; place < places; ++place) {
    CAPTURE(place);
    check_gradient(Probe<double>(with_layer(Curve{6}, place), 19, 3));
    check_gradient(Probe<double>(with_layer(Pairs<double>{3}, place), 19, 3));
  }
}

TEST_CASE("gradients of a layer with whole batches and running statistics in every place") {
  for (int place = 0; place < places; ++place) {
    CAPTURE(place);
    check_gradient(Probe<double>(with_layer(BatchNorm(6), place), 19, 3));
  }
}

TEST_CASE("gradients of layers with a training mode and without statistics") {
  check_gradient(Probe<double>(with_layer(Centered(6), 1), 19, 3));
  check_gradient(Probe<double>(with_layer(Doubling(6), 1), 19, 3));
}

TEST_CASE("an activation behind a layer of the user's own is a step of its own") {
  Network<double> net;
  net.add(dense<double>(5, 4)).add(Curve{4}).add(tanh());
  REQUIRE(net.steps().size() == 3);
  CHECK(net.steps()[2].kind == Step<double>::Kind::activation);
  CHECK(net.steps()[2].position == 2);
}

TEST_CASE("layers of the user's own have the same bits by one thread and by several") {
  for (const Index rows : {3, 19}) {  // fewer rows than shards, and more
    CAPTURE(rows);
    Network<double> encoder, decoder;
    encoder.add(dense<double>(5, 6)).add(BatchNorm(6)).add(tanh()).add(Curve{6}).add(Centered(6));
    decoder.add(Curve{6}).add(dense<double>(6, 5)).add(Doubling(5));
    const Probe<double> probe(autoencoder(encoder, decoder), rows, 8);
    const auto gradient = probe.gradient(1);
    const auto outputs = probe.outputs(TrainingPass<double>::Mode::train, 1);
    Probe<double> stepped = probe;
    stepped.adam_step(0.01, 1);
    for (const int threads : {2, 3, 4}) {
      CAPTURE(threads);
      CHECK(same_bits(probe.gradient(threads), gradient));
      CHECK(same_bits(probe.outputs(TrainingPass<double>::Mode::train, threads).output,
                      outputs.output));
      Probe<double> other = probe;
      other.adam_step(0.01, threads);
      CHECK(same_bits(other.parameters, stepped.parameters));
    }
  }
}

TEST_CASE("running statistics move in training and stay in a detector") {
  using Mode = TrainingPass<double>::Mode;
  const Probe<double> probe(with_layer(BatchNorm(6), 0), 19, 3);
  const auto after = probe.statistics_after(Mode::train);
  // The layer stands first, so its batch is the input.
  const double mean = probe.x.col(2).mean();
  const double variance = (probe.x.col(2).array() - mean).square().mean();
  CHECK(after[2] == doctest::Approx(0.1 * mean).epsilon(1e-12));
  CHECK(after[6 + 2] == doctest::Approx(0.9 + 0.1 * variance).epsilon(1e-12));
  CHECK(same_bits(probe.statistics_after(Mode::detect), probe.statistics));
}

TEST_CASE(
    "a training mode is used in training and not in a detector, with statistics and without") {
  using Mode = TrainingPass<double>::Mode;
  const auto first_layer = [](const auto& layer, Mode mode) {
    // The layer is the whole encoder, so the code is its result.
    const Probe<double> probe(with_layer(layer, 6), 19, 3);
    return std::make_pair(probe.outputs(mode, 3).code, probe.x);
  };
  SUBCASE("row by row") {
    const auto [train, x] = first_layer(Doubling(6), Mode::train);
    CHECK(train == 2 * x);
    CHECK(first_layer(Doubling(6), Mode::detect).first == x);
  }
  SUBCASE("the whole batch") {
    const auto [train, x] = first_layer(Centered(6), Mode::train);
    CHECK((train.colwise().mean().array().abs() < 1e-14).all());
    CHECK(first_layer(Centered(6), Mode::detect).first == x);
  }
  SUBCASE("running statistics") {
    const auto [train, x] = first_layer(BatchNorm(6), Mode::train);
    const auto detect = first_layer(BatchNorm(6), Mode::detect).first;
    CHECK((train.colwise().mean().array().abs() < 1e-14).all());
    CHECK((detect.colwise().mean().array().abs() > 1e-3).any());
  }
}

TEST_CASE("the scoring executor gives the bits of the training executor's detector mode") {
  const Probe<double> probe(with_layer(BatchNorm(6), 4), 19, 3);
  const PackedNetwork<double> packed(probe.net(), probe.parameters.data(), probe.statistics.data());
  auto buffers = packed.make_buffers(19);
  const auto result = packed.forward(probe.x, buffers);
  const auto expected = probe.outputs(TrainingPass<double>::Mode::detect, 2);
  CHECK(same_bits<double>(result.code.matrix(), expected.code));
  CHECK(same_bits<double>(result.output.matrix(), expected.output));
}

TEST_CASE("only a net's first layer gets no place for dx, and no layer gets a batch without rows") {
  for (int place = 0; place < places; ++place) {
    CAPTURE(place);
    const Logged layer{5};
    const Probe<double> probe(with_layer(layer, place), 3,
                              3);  // fewer rows than shards and threads
    probe.gradient(4);
    const bool first = place == 0 || place == 6;
    // Three rows are three shards; the gradient of the probe goes through two batches.
    CHECK(layer.log->calls.load() == 6);
    CHECK(layer.log->without_dx.load() == (first ? 6 : 0));
    CHECK(layer.log->empty.load() == 0);
  }
}

TEST_CASE("an exception of a layer comes out, by one thread and by several") {
  Logged layer{5};
  layer.fails = true;
  const Probe<double> probe(with_layer(layer, 1), 7, 3);
  for (const int threads : {1, 3}) {
    CHECK_THROWS_WITH_AS(probe.gradient(threads), "a layer of the user's own failed",
                         std::runtime_error);
  }
}

TEST_CASE("a layer's own start values are used, and zero where it has none") {
  struct Plain : Curve {
    void initialize() const {}  // hides the start values: not the contract's signature
  };
  Network<double> net;
  net.add(Curve{3}).add(Plain{{3}});
  AlignedBuffer<double> parameters(net.parameters());
  Random random(4), same(4);
  net.initialize(random, parameters.data(), nullptr);
  for (Index j = 0; j < 6; ++j) CHECK(parameters[j] == same.uniform(-0.5, 0.5));
  const Index second = net.steps()[1].weight_at;
  for (Index j = 0; j < 6; ++j) CHECK(parameters[second + j] == 0);
}
