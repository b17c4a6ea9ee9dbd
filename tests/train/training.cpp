// That training trains: losses fall, every parameter moves, each share of a mini-batch does its own
// work.

#include <doctest/doctest.h>

#include "train/support.hpp"

#include <dasvdd/nn/batch_norm.hpp>

using namespace dasvdd;
using namespace dasvdd::detail;

namespace {

Options options_for(Index epochs, Index batch) {
  Options options;
  options.epochs = epochs;
  options.batch_size = batch;
  options.seed = 1;
  options.threads = 1;
  return options;
}

const auto small_net = [] { return dense_autoencoder<double>(6, {8, 3}, Activation()); };

}  // namespace

TEST_CASE("a healthy run: loss falls, every parameter moves, scores differ, nothing to warn of") {
  const auto X = curve<double>(400, 6, 3);
  Options options = options_for(60, 50);
  // Three code units behind a LeakyReLU start close to zero, and the estimate divides by their square.
  options.gamma = GammaRule::value(0.1);
  Trainer<double> trainer(small_net(), options);
  const auto before = trainer.state().parameters;
  Index calls = 0;
  const FitReport report = trainer.fit(X, [&](const EpochReport& e) {
    ++calls;
    CHECK(e.epoch == calls);
    CHECK(e.epochs == 60);
  });
  for (const auto& warning : report.warnings) MESSAGE(warning);
  CHECK(report.healthy());
  CHECK(calls == 60);
  CHECK(report.epochs.size() == 60);
  CHECK(report.epochs.back().loss < 0.5 * report.epochs.front().loss);
  for (const auto& e : report.epochs) {
    CHECK(e.loss == doctest::Approx(e.reconstruction + report.gamma * e.latent).epsilon(1e-12));
  }
  for (const auto& step : trainer.net().joined().steps()) {
    Index moved = 0;
    for (Index i = 0; i < step.weights(); ++i) {
      moved += trainer.state().parameters[step.weight_at + i] != before[step.weight_at + i];
    }
    for (Index i = 0; i < step.outputs; ++i) {
      moved += trainer.state().parameters[step.bias_at + i] != before[step.bias_at + i];
    }
    CHECK(moved == step.weights() + step.outputs);
  }
  const auto detector = trainer.detector();
  const Vector<double> scores = detector.score(X);
  CHECK(scores.maxCoeff() > 2 * scores.minCoeff());
  // Rows off the curve score higher than every row on it.
  RowMatrix<double> off = X.topRows(20);
  off.col(0).array() += 2;
  CHECK(detector.score(off).minCoeff() > scores.maxCoeff());
  // The threshold is the 0.99 quantile of the 400 training scores: four lie above.
  CHECK((scores.array() > detector.threshold()).count() == 4);
  CHECK(static_cast<Index>(report.center.size()) == 3);
  CHECK(report.center[0] == trainer.state().center.center[0]);
}

TEST_CASE("the loss is the mean over the network share, before the update") {
  const auto X = curve<double>(10, 6, 4);
  Trainer<double> trainer(small_net(), options_for(1, 10));
  auto state = trainer.state();
  state.gamma = 0.3;
  trainer.set_state(state);
  // kappa 0.9 of ten rows: nine; the tenth row may be anything.
  RowMatrix<double> other = X;
  other.row(9).setConstant(0.1);
  Trainer<double> same = trainer;
  const auto a = trainer.step(X), b = same.step(other);
  CHECK(a.loss == b.loss);
  CHECK(same_bits(trainer.state().parameters, same.state().parameters));
  CHECK_FALSE(same_bits(trainer.state().center.center, same.state().center.center));
}

TEST_CASE("kappa 1 moves the center by all rows; a fixed center stays") {
  const auto X = curve<double>(10, 6, 4);
  Options options = options_for(1, 10);
  options.kappa = 1;
  options.center = CenterRule::batch_mean();
  Trainer<double> trainer(small_net(), options);
  trainer.step(X);
  const auto& state = trainer.state();
  PackedNetwork<double> net(trainer.net(), state.parameters.data(), state.statistics.data());
  auto buffers = net.make_buffers(10);
  const auto codes = net.forward(X, buffers).code.matrix();
  for (Index j = 0; j < 3; ++j) {
    CHECK(state.center.center[j] == doctest::Approx(codes.col(j).mean()).epsilon(1e-12));
  }
  options.center = CenterRule::fixed();
  Trainer<double> fixed(small_net(), options);
  const auto start = fixed.state().center.center;
  fixed.step(X);
  CHECK(same_bits(fixed.state().center.center, start));
}

TEST_CASE("the last short batch trains, also when it is the only one") {
  const auto X = curve<double>(7, 6, 5);
  Trainer<double> only(small_net(), options_for(1, 200));
  const auto before = only.state().parameters;
  const auto report = only.fit(X);
  CHECK_FALSE(same_bits(only.state().parameters, before));
  CHECK(std::isfinite(report.epochs.front().loss));
  CHECK(std::isfinite(report.center[0]));

  // Seven rows in batches of five: the two last rows move the net as well.
  Options options = options_for(1, 5);
  options.shuffle = false;
  options.gamma = GammaRule::value(0.1);
  Trainer<double> whole(small_net(), options), first(small_net(), options);
  auto state = first.state();
  state.gamma = 0.1;
  whole.fit(X);
  first.set_state(state);
  first.step(X.topRows(5));
  CHECK_FALSE(same_bits(whole.state().parameters, first.state().parameters));
  first.step(X.bottomRows(2));
  CHECK(same_bits(whole.state().parameters, first.state().parameters));
}

TEST_CASE("standardizing changes what the net sees, not what the user passes") {
  RowMatrix<double> X = curve<double>(100, 6, 6);
  RowMatrix<double> shifted = X;
  shifted.col(2) = 1000 * X.col(2).array() - 77;
  Options options = options_for(5, 50);
  options.standardize = true;
  Trainer<double> a(small_net(), options), b(small_net(), options);
  a.fit(X);
  b.fit(shifted);
  const Vector<double> sa = a.detector().score(X), sb = b.detector().score(shifted);
  for (Index i = 0; i < sa.size(); ++i) CHECK(sb[i] == doctest::Approx(sa[i]).epsilon(1e-6));
}

TEST_CASE("Reconstruction: no gamma, a center that stays, the score is the reconstruction error") {
  const auto X = curve<double>(100, 6, 7);
  Trainer trainer(small_net(), options_for(5, 50), Reconstruction<double>());
  const auto start = trainer.state().center.center;
  const auto report = trainer.fit(X);
  CHECK(report.gamma == 0);
  CHECK(same_bits(trainer.state().center.center, start));
  const auto detector = trainer.detector();
  const auto parts = detector.score_parts(X);
  CHECK(parts.latent.isZero(0));
  const RowMatrix<double> output = detector.reconstruct(X);
  for (Index i = 0; i < X.rows(); ++i) {
    CHECK(parts.reconstruction[i] ==
          doctest::Approx((output.row(i) - X.row(i)).squaredNorm() / 6).epsilon(1e-12));
  }
}

TEST_CASE("the learning rate falls in a straight line to its final share") {
  // One step an epoch. Adam moves a parameter by rate * m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) +
  // epsilon): with the moments after the step, the rate can be told from the move.
  const Index epochs = 5;
  const auto X = curve<double>(40, 6, 8);
  for (const double final_rate : {1.0, 0.1}) {
    CAPTURE(final_rate);
    Options options = options_for(epochs, 40);
    options.final_rate = final_rate;
    Trainer<double> trainer(small_net(), options);
    auto before = trainer.state().parameters;
    trainer.fit(X, [&](const EpochReport& epoch) {
      const double t = static_cast<double>(epoch.epoch),
                   part = (t - 1) / static_cast<double>(epochs);
      const double rate = options.adam.learning_rate * (1 + part * (final_rate - 1));
      const auto& state = trainer.state();
      Index told = 0;
      for (Index i = 0; i < before.size(); ++i) {
        const double m = state.first_moments[i] / (1 - std::pow(0.9, t));
        const double v = state.second_moments[i] / (1 - std::pow(0.999, t));
        if (std::abs(m) < 1e-6) continue;  // a gap between tensors, or a move lost in rounding
        const double move = before[i] - state.parameters[i];
        // Moves of 1e-5 or more, of parameters below 1 that are rounded to 1e-16.
        CHECK(move * (std::sqrt(v) + 1e-8) / m == doctest::Approx(rate).epsilon(1e-6));
        ++told;
      }
      CHECK(told > 50);
      before = state.parameters;
    });
  }
}

TEST_CASE("progress that returns false stops after its epoch, and there is a detector") {
  const auto X = curve<double>(100, 6, 9);
  Trainer<double> trainer(small_net(), options_for(50, 50));
  const auto report = trainer.fit(X, [](const EpochReport& e) { return e.epoch < 3; });
  CHECK(report.stopped);
  CHECK(report.epochs.size() == 3);
  CHECK(trainer.state().epochs == 3);
  CHECK(trainer.detector().score(X).allFinite());
}

TEST_CASE("a run whose progress says stop after the last epoch has not been stopped") {
  const auto X = curve<double>(100, 6, 9);
  Trainer<double> trainer(small_net(), options_for(3, 50));
  const auto report = trainer.fit(X, [](const EpochReport& e) { return e.epoch < 3; });
  CHECK(report.epochs.size() == 3);
  CHECK_FALSE(report.stopped);
}

TEST_CASE("a detector is not changed by training that follows") {
  const auto X = curve<double>(100, 6, 9);
  Trainer<double> trainer(small_net(), options_for(5, 50));
  trainer.fit(X);
  const auto detector = trainer.detector();
  const Vector<double> before = detector.score(X);
  trainer.partial_fit(X, 5);
  CHECK(same_bits(detector.score(X), before));
  CHECK_FALSE(same_bits(trainer.detector().score(X), before));
}

TEST_CASE("those who call step() themselves get the detector of the net as it stands") {
  const auto X = curve<double>(100, 6, 9);
  Options options = options_for(1, 100);
  options.shuffle = false;
  options.gamma = GammaRule::value(0.1);
  Trainer<double> stepped(small_net(), options), fitted(small_net(), options);
  fitted.fit(X);
  auto state = stepped.state();
  state.gamma = 0.1;
  stepped.set_state(state);
  stepped.step(X);
  CHECK_THROWS_WITH_AS(stepped.detector(), doctest::Contains("there is no detector before fit"),
                       InvalidArgument);
  const auto detector = stepped.detector(X);
  CHECK(same_bits(detector.score(X), fitted.detector().score(X)));
  CHECK(detector.threshold() == fitted.detector().threshold());
  CHECK(detector.facts().at("batch_size") == "100");
}

TEST_CASE("train is fit without its detector") {
  const auto X = curve<double>(100, 6, 9);
  Trainer<double> fitted(small_net(), options_for(3, 50)), trained(small_net(), options_for(3, 50));
  const FitReport fit = fitted.fit(X), train = trained.train(X);
  CHECK(same_bits(trained.state().parameters, fitted.state().parameters));
  CHECK(train.center == fit.center);
  CHECK(train.epochs.size() == 3);
  CHECK_THROWS_AS(trained.detector(), InvalidArgument);
  CHECK(same_bits(trained.detector(X).score(X), fitted.detector().score(X)));

  // All rows alike: what fit warns of is its look at the scores.
  const RowMatrix<double> alike = RowMatrix<double>::Constant(20, 6, 0.3);
  CHECK_FALSE(fitted.fit(alike).healthy());
  CHECK(trained.train(alike).healthy());
  Index calls = 0;
  CHECK(trained.train(X, [&](const EpochReport&) { return ++calls < 2; }).stopped);
  CHECK(calls == 2);
}

TEST_CASE("center steps that wait for the next mini-batch give the bits of those taken at once") {
  const auto X = curve<double>(110, 6, 3);  // the last mini-batch is short
  Options options = options_for(2, 30);
  check_fit_is_its_steps(small_net(), options, X);
  SUBCASE("the whole mini-batch in both steps: nothing waits") {
    options.kappa = 1;
    check_fit_is_its_steps(small_net(), options, X);
  }
  SUBCASE("batch normalization, which in a network step asks who is beside a row: nothing waits") {
    Network<double> encoder, decoder;
    encoder.add(dense<double>(6, 8)).add(batch_norm<double>(8)).add(dense<double>(8, 3));
    decoder.add(dense<double>(3, 6));
    check_fit_is_its_steps(autoencoder(encoder, decoder), options, X);
  }
}
