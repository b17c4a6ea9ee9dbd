// Each warning of FitReport, from a real run that deserves it.

#include <doctest/doctest.h>

#include "train/support.hpp"

using namespace dasvdd;
using namespace dasvdd::detail;

namespace {

FitReport run(const RowMatrix<float>& X, const Options& options) {
  Trainer<float> trainer(dense_autoencoder<float>(6, {8, 3}, Activation()), options);
  return trainer.fit(X);
}

Options settings(Index epochs) {
  Options options;
  options.epochs = epochs;
  options.batch_size = 50;
  options.threads = 1;
  return options;
}

bool warns(const FitReport& report, const char* words) {
  for (const auto& warning : report.warnings) {
    if (warning.find(words) != std::string::npos) return true;
  }
  return false;
}

}  // namespace

TEST_CASE("a code pulled onto the center by a huge gamma has collapsed") {
  Options options = settings(200);
  options.gamma = GammaRule::value(1e4);
  const auto X = curve<float>(200, 6, 1);
  CHECK(warns(run(X, options), "the latent code has collapsed"));
  options.gamma = {};
  CHECK_FALSE(warns(run(X, options), "the latent code has collapsed"));
}

TEST_CASE("codes without a decoder that are all the same have collapsed") {
  Network<float> encoder;
  encoder.add(dense<float>(6, 8, false)).add(leaky_relu()).add(dense<float>(8, 3, false));
  const auto report = [&](const RowMatrix<float>& X) {
    return Trainer(autoencoder(encoder), settings(3), DeepSvdd<float>()).fit(X);
  };
  const char* words = "the latent code has collapsed: all rows have the same code";
  CHECK(warns(report(RowMatrix<float>::Constant(50, 6, 0.3f)), words));
  CHECK_FALSE(warns(report(curve<float>(50, 6, 1)), words));
}

TEST_CASE("a loss that rises") {
  // One step an epoch: the first loss is the untrained net's, then the steps overshoot.
  Options options = settings(4);
  options.batch_size = 200;
  options.adam.learning_rate = 1;
  const auto X = curve<float>(200, 6, 1);
  CHECK(warns(run(X, options), "the loss is rising"));
  options.adam.learning_rate = 1e-3;
  CHECK_FALSE(warns(run(X, options), "the loss is rising"));
}

TEST_CASE("rows that are all alike get constant scores") {
  const RowMatrix<float> X = RowMatrix<float>::Constant(50, 6, 0.3f);
  const auto report = run(X, settings(3));
  CHECK(warns(report, "the scores of the training rows are constant"));
}

TEST_CASE("a loss that is no number stops the run and keeps the last good net; Adam starts anew") {
  Options options = settings(5);
  options.gamma = GammaRule::value(0.1);
  RowMatrix<float> X = curve<float>(200, 6, 1);
  Trainer<float> trainer(dense_autoencoder<float>(6, {8, 3}, Activation()), options);
  trainer.fit(X);
  const auto good = trainer.state().parameters;
  const auto center = trainer.state().center.center;
  X *= 1e25f;  // squares overflow a float
  const auto report = trainer.partial_fit(X, 3);
  CHECK(warns(report, "training stopped in epoch 1"));
  CHECK(warns(report, "the net overflows on training rows"));
  CHECK_FALSE(warns(report, "constant"));
  CHECK_THROWS_WITH_AS(trainer.detector(), doctest::Contains("nor after one whose scores overflow"),
                       InvalidArgument);
  CHECK_THROWS_WITH_AS(trainer.detector(X), doctest::Contains("there is no threshold"),
                       InvalidArgument);
  CHECK(report.epochs.size() == 1);
  CHECK(same_bits(trainer.state().parameters, good));
  CHECK(same_bits(trainer.state().center.center, center));
  CHECK(trainer.state().epochs == 5);
  for (float v : trainer.state().second_moments) REQUIRE(v == 0);
  X = curve<float>(200, 6, 1);
  const auto more = trainer.partial_fit(X, 3);
  CHECK(more.epochs.size() == 3);
  CHECK(more.epochs[2].loss < more.epochs[0].loss);
}
