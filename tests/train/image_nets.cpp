// Nets with image layers and batch norm in training, and the published nets.

#include <doctest/doctest.h>

#include "train/support.hpp"

#include <cstring>
#include <string>
#include <vector>

using namespace dasvdd;
using namespace dasvdd::detail;

namespace {

/// Gray images of 8 x 8: a bright bar, upright where `upright`, else lying.
template <class Scalar>
RowMatrix<Scalar> bars(Index n, bool upright, std::uint64_t seed) {
  Random random(seed);
  RowMatrix<Scalar> X(n, 64);
  for (Index i = 0; i < n; ++i) {
    const Index at = static_cast<Index>(random.below(8));
    for (Index y = 0; y < 8; ++y) {
      for (Index x = 0; x < 8; ++x) {
        const double bar = (upright ? x : y) == at ? 0.8 : 0.1;
        X(i, y * 8 + x) = static_cast<Scalar>(bar + 0.1 * random.uniform());
      }
    }
  }
  return X;
}

Options options_for(Index epochs) {
  Options options;
  options.epochs = epochs;
  options.batch_size = 20;
  options.seed = 1;
  options.threads = 1;
  return options;
}

/// Every (weights, biases included) parameter of a net, gaps left out.
template <class Scalar>
std::vector<Index> trained_parameters(const Network<Scalar>& net) {
  std::vector<Index> all;
  for (const auto& s : net.steps()) {
    const Index count = s.layer                               ? s.layer->parameters()
                        : s.kind == Step<Scalar>::Kind::dense ? s.weights()
                                                              : 0;
    for (Index i = 0; i < count; ++i) all.push_back(s.weight_at + i);
    for (Index i = 0; s.bias && i < s.outputs; ++i) all.push_back(s.bias_at + i);
  }
  return all;
}

}  // namespace

TEST_CASE(
    "a convolutional net learns: the loss falls, all parameters move, anomalies score higher") {
  const auto X = bars<float>(200, true, 1);
  Trainer<float> trainer(conv_autoencoder<float>({1, 8, 8}, {4, 3}, 6), options_for(20));
  const auto before = trainer.state().parameters;
  const FitReport report = trainer.fit(X);
  CHECK(report.healthy());
  CHECK(report.epochs.back().loss < 0.5 * report.epochs.front().loss);
  Index stayed = 0;
  for (const Index i : trained_parameters(trainer.net().joined())) {
    stayed += trainer.state().parameters[i] == before[i];
  }
  CHECK(stayed == 0);
  const auto detector = trainer.detector();
  const Vector<float> normal = detector.score(bars<float>(50, true, 2));
  const Vector<float> lying = detector.score(bars<float>(50, false, 3));
  CHECK(lying.minCoeff() > normal.mean());
  CHECK(lying.mean() > 1.5 * normal.mean());
}

TEST_CASE("Trainer's gradient of a convolutional net against central differences") {
  const auto X = bars<double>(6, true, 1);
  Options options = options_for(1);
  options.gamma = GammaRule::value(0.3);
  Trainer<double> trainer(conv_autoencoder<double>({1, 8, 8}, {3, 2}, 4), options);
  auto state = trainer.state();
  state.gamma = 0.3;
  trainer.set_state(state);
  const auto gradient = trainer.gradient(X);
  CHECK(same_bits(trainer.state().statistics, state.statistics));  // a look, not a step
  // The loss by the net's own training pass, so that batch norm takes the batch's statistics.
  const auto& net = trainer.net();
  const auto loss = [&](const AlignedBuffer<double>& parameters) {
    TrainingPass<double> pass(net.joined(), net.code_steps(), X.rows(), 1);
    auto statistics = state.statistics;
    pass.forward(Team(), TrainingPass<double>::Mode::train, parameters.data(), statistics.data(), X,
                 pass.steps());
    double sum = 0;
    for (Index i = 0; i < X.rows(); ++i) {
      for (Index j = 0; j < 64; ++j) {
        const double e = pass.output(X.rows())(i, j) - X(i, j);
        sum += e * e / 64;
      }
      for (Index j = 0; j < net.code(); ++j) {
        const double e = pass.code(X.rows())(i, j) - state.center.center[j];
        sum += 0.3 * e * e;
      }
    }
    return sum / static_cast<double>(X.rows());
  };
  // Rounding, 1e-16 L / h, and the third derivative, h^2, are both some 1e-10.
  const double h = 1e-6;
  double worst = 0, largest = 0;
  for (const Index i : trained_parameters(net.joined())) {
    auto shifted = state.parameters;
    shifted[i] += h;
    const double above = loss(shifted);
    shifted[i] -= 2 * h;
    const double slope = (above - loss(shifted)) / (2 * h);
    worst = std::max(worst, std::abs(slope - gradient[i]));
    largest = std::max(largest, std::abs(slope));
  }
  CHECK(largest > 0.01);
  CHECK(worst < 1e-7);
}

TEST_CASE("running statistics follow the network step's rows, and no gradient moves them") {
  const auto X = bars<double>(10, true, 1);
  Network<double> encoder, decoder;
  encoder.add(batch_norm<double>(Shape{1, 8, 8})).add(dense<double>(64, 3));
  decoder.add(dense<double>(3, 64));
  Options options = options_for(1);
  options.gamma = GammaRule::value(0.1);
  Trainer<double> trainer(Autoencoder<double>(encoder, decoder), options);
  REQUIRE(trainer.state().statistics.size() >= 2);
  CHECK(trainer.state().statistics[0] == 0);
  CHECK(trainer.state().statistics[1] == 1);
  trainer.step(X);
  const auto rows = X.topRows(9).array();  // kappa = 0.9: the last row moves the center alone
  const double mean = rows.mean();
  const double variance = (rows - mean).square().sum() / (9 * 64 - 1);
  CHECK(trainer.state().statistics[0] == doctest::Approx(0.1 * mean).epsilon(1e-12));
  CHECK(trainer.state().statistics[1] == doctest::Approx(0.9 + 0.1 * variance).epsilon(1e-12));
}

TEST_CASE("gamma of a net with batch norm is that of the batch's own statistics") {
  const auto X = bars<double>(30, true, 1);
  const auto net = conv_autoencoder<double>({1, 8, 8}, {3}, 4);
  const auto initialize = [&](int t, double* parameters, double* statistics) {
    Random random(7, static_cast<std::uint64_t>(t));
    net.joined().initialize(random, parameters, statistics);
  };
  const auto gamma = [&](int threads) {
    return detail::estimate_gamma<double>(net, Scaler<double>(), X, nullptr,
                                          GammaRule::ratio_of_means(2), threads, initialize);
  };
  double expected = 0;
  for (int t = 0; t < 2; ++t) {
    AlignedBuffer<double> parameters(net.parameters()), statistics(net.statistics());
    initialize(t, parameters.data(), statistics.data());
    TrainingPass<double> pass(net.joined(), net.code_steps(), 30, 1);
    pass.forward(Team(), TrainingPass<double>::Mode::train, parameters.data(), statistics.data(), X,
                 pass.steps());
    const double r = (pass.output(30).matrix() - X).squaredNorm() / 64;
    expected += r / pass.code(30).matrix().squaredNorm() / 2;
  }
  CHECK(gamma(1) == doctest::Approx(expected).epsilon(1e-12));
  // More rows than a batch has, and threads.
  const auto many = bars<double>(500, true, 2);
  const auto of_many = [&](int threads) {
    return detail::estimate_gamma<double>(net, Scaler<double>(), many, nullptr,
                                          GammaRule::ratio_of_means(2), threads, initialize);
  };
  CHECK(of_many(1) == doctest::Approx(expected).epsilon(0.2));
  CHECK(of_many(3) == of_many(1));
}

TEST_CASE("a convolutional net trains to the same bits by any number of threads") {
  const auto X = bars<float>(100, true, 1);
  const auto train = [&](int threads) {
    Options options = options_for(2);
    options.threads = threads;
    Trainer<float> trainer(conv_autoencoder<float>({1, 8, 8}, {4, 3}, 6), options);
    trainer.fit(X);
    return trainer.state();
  };
  const auto one = train(1);
  for (const int threads : {2, 3, 4}) {
    CAPTURE(threads);
    const auto other = train(threads);
    CHECK(same_bits(other.parameters, one.parameters));
    CHECK(same_bits(other.statistics, one.statistics));
    CHECK(other.gamma == one.gamma);
  }
}

TEST_CASE_TEMPLATE(
    "a convolutional net has one checksum, whatever the instruction set and compiler", Scalar,
    float, double) {
  // The portable kernels promise closeness, not bits.
  if (std::string(kernels::best<Scalar>().name) == "portable") return;
  Network<Scalar> encoder, decoder;
  encoder.add(conv2d<Scalar>({1, 8, 8}, 6, 5, 1, 2))
      .add(batch_norm<Scalar>(Shape{6, 8, 8}))
      .add(leaky_relu())
      .add(max_pool2d<Scalar>({6, 8, 8}))
      .add(conv2d<Scalar>({6, 4, 4}, 5, 3, 2, 1))
      .add(dense<Scalar>(20, 7));
  decoder.add(dense<Scalar>(7, 16))
      .add(batch_norm<Scalar>(16))
      .add(upsample_nearest2d<Scalar>({1, 4, 4}))
      .add(conv_transpose2d<Scalar>({1, 8, 8}, 3, 3, 2, 1))
      .add(conv2d<Scalar>({3, 15, 15}, 1, 3, 2, 1))
      .add(sigmoid());
  Trainer<Scalar> trainer(Autoencoder<Scalar>(encoder, decoder), options_for(2));
  const auto X = bars<Scalar>(50, true, 1);
  trainer.fit(X);
  const Vector<Scalar> scores = trainer.detector().score(X);
  std::uint64_t sum = 14695981039346656037u;  // FNV-1a
  const auto add = [&sum](const Scalar* numbers, Index count) {
    std::vector<unsigned char> bytes(static_cast<std::size_t>(count) * sizeof(Scalar));
    std::memcpy(bytes.data(), numbers, bytes.size());
    for (const unsigned char byte : bytes) sum = (sum ^ byte) * 1099511628211u;
  };
  add(trainer.state().parameters.data(), trainer.state().parameters.size());
  add(trainer.state().statistics.data(), trainer.state().statistics.size());
  add(scores.data(), scores.size());
  // A number to be replaced whenever the arithmetic changes on purpose; what counts is that all agree.
  CHECK(sum == (sizeof(Scalar) == 4 ? 17002793684077342736u : 4642618411602785779u));
}

TEST_CASE("the LeNet-type nets have the published widths") {
  const auto mnist = conv_autoencoder<float>({1, 28, 28});
  CHECK(mnist.inputs() == 784);
  CHECK(mnist.code() == 32);
  std::vector<Index> widths;
  for (const auto& s : mnist.joined().steps()) {
    if (s.kind != Step<float>::Kind::activation) widths.push_back(s.outputs);
  }
  CHECK(widths == std::vector<Index>{8 * 784, 8 * 784, 8 * 196, 4 * 196, 4 * 196, 4 * 49, 32,
                                     4 * 49, 4 * 196, 8 * 196, 8 * 196, 8 * 784, 784});
  CHECK(mnist.joined().steps().back().activation.kind() == ActivationKind::sigmoid);
  const auto cifar = conv_autoencoder<float>({3, 32, 32}, Activation());
  CHECK(cifar.inputs() == 3072);
  CHECK(cifar.code() == 128);
  CHECK(cifar.encoder().steps()[0].outputs == 32 * 32 * 32);
  CHECK(cifar.encoder().steps()[11].outputs == 128 * 4 * 4);
  CHECK_THROWS_WITH_AS(
      conv_autoencoder<float>({1, 28, 30}),
      "conv_autoencoder: 2 blocks halve the image as many times, but 28 x 30 can't "
      "be divided by 4",
      InvalidArgument);
  CHECK_THROWS_WITH_AS(conv_autoencoder<float>({1, 8, 8}, {}, 4),
                       "conv_autoencoder: the blocks' channels are 0 numbers, expected 1 to 24",
                       InvalidArgument);
}

TEST_CASE("the paper's nets and options by name") {
  struct Published {
    const char* name;
    std::vector<Index> widths;
    ActivationKind output;
    double rate, center_rate;
  };
  const Published published[] = {
      {"mnist", {784, 1024, 256, 256}, ActivationKind::sigmoid, 1e-3, 1},
      {"fashion_mnist", {784, 1024, 256, 256}, ActivationKind::sigmoid, 1e-3, 1},
      {"cifar10", {3072, 1024, 512, 256, 256}, ActivationKind::leaky_relu, 1e-3, 0.01},
      {"speech", {400, 1024, 512, 256, 256}, ActivationKind::identity, 1e-4, 0.1},
      {"pima", {8, 10, 4, 4}, ActivationKind::identity, 1e-3, 0.1},
  };
  for (const Published& p : published) {
    CAPTURE(p.name);
    const auto [net, options] = paper_preset<float>(p.name);
    std::vector<Index> widths = {net.inputs()};
    for (const auto& s : net.joined().steps()) widths.push_back(s.outputs);
    std::vector<Index> expected = p.widths;
    expected.insert(expected.end(), p.widths.rbegin() + 1, p.widths.rend());
    CHECK(widths == expected);
    CHECK(net.code_steps() == static_cast<Index>(p.widths.size()) - 1);
    CHECK(net.joined().steps().back().activation.kind() == p.output);
    // LeakyReLU everywhere else, the code layer included.
    CHECK(net.encoder().steps().back().activation.kind() == ActivationKind::leaky_relu);
    CHECK(options.adam.learning_rate == p.rate);
    CHECK(options.center.learning_rate == p.center_rate);
    CHECK(options.epochs == 300);
    CHECK(options.batch_size == 200);
    CHECK(options.kappa == 0.9);
  }
  CHECK_THROWS_WITH_AS(
      paper_preset<float>("imagenet"),
      "the preset is 'imagenet', expected mnist, fashion_mnist, cifar10, speech or "
      "pima",
      InvalidArgument);
}
