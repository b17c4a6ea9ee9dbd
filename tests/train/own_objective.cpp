// An objective of a user's own: what it says reaches training, score and model.

#include <dasvdd/objective/reconstruction.hpp>

#include <doctest/doctest.h>

#include <stdexcept>

#include "train/refusing_objective.hpp"
#include "train/support.hpp"

using namespace dasvdd;
using namespace dasvdd::detail;

namespace {

/// L = mean of 2 r(x). It answers none of Trainer's questions itself.
struct Doubled : Objective<double> {
  static constexpr const char* name = "doubled";
  void operator()(const Input& in, const State&, const Output& out) const {
    in.reconstruction_term(2, out);
    in.latent_term(0, out);
  }
  double reconstruction_weight() const { return 2; }
  double latent_weight(double) const { return 0; }
};

/// L = mean of scale r(x) + 3 q(x), by loops of its own. It remembers a scale, which it halves after every
/// epoch, and what it was told then.
struct Remembering : Objective<double> {
  static constexpr const char* name = "remembering";
  struct State {
    double scale = 1;
    Index epochs = 0;
    std::vector<double> distances;
  };

  void operator()(const Input& in, const State& state, const Output& out) const {
    const Index d = in.x.cols(), m = in.code.cols();
    const double n = static_cast<double>(in.x.rows());
    for (Index i = in.first; i < in.last; ++i) {
      out.reconstruction[i] = out.latent[i] = 0;
      for (Index j = 0; j < d; ++j) {
        const double e = in.output(i, j) - in.x(i, j);
        out.reconstruction[i] += e * e / static_cast<double>(d);
        out.output_gradient.row(i)[j] = state.scale * 2 * e / (static_cast<double>(d) * n);
      }
      for (Index j = 0; j < m; ++j) {
        const double e = in.code(i, j) - in.center[j];
        out.latent[i] += e * e;
        out.latent_gradient.row(i)[j] = 3 * 2 * e / n;
      }
    }
  }
  double extra(double latent, const State&) const { return 3 * latent; }
  double loss(const Means& means, double, double, const State& state) const {
    return state.scale * means.reconstruction + means.extra;
  }
  template <class Distances>
  void after_epoch(State& state, Index epochs, Distances&& distances) const {
    state.scale /= 2;
    state.epochs = epochs;
    state.distances = distances();
  }
  double reconstruction_weight() const { return 1; }
  double latent_weight(double) const { return 3; }
};

/// The same loss as Remembering's before its first epoch, by the library's functions.
struct Plain : Objective<double> {
  static constexpr const char* name = "plain";
  void operator()(const Input& in, const State&, const Output& out) const {
    in.reconstruction_term(1, out);
    in.latent_term(3, out);
  }
  double reconstruction_weight() const { return 1; }
  double latent_weight(double) const { return 3; }
};

Autoencoder<double> small_net() {
  return autoencoder(chain(dense<double>(6, 5), leaky_relu(), dense<double>(5, 2)),
                     chain(dense<double>(2, 5), leaky_relu(), dense<double>(5, 6)));
}

Options short_run() {
  Options options;
  options.epochs = 3;
  options.batch_size = 20;
  options.threads = 1;
  return options;
}

}  // namespace

TEST_CASE("an objective of a user's own trains, scores and is named in the model") {
  const auto X = curve<double>(60, 6, 3);
  Trainer<double, Doubled> doubled(small_net(), short_run());
  Trainer<double, Reconstruction<double>> plain(small_net(), short_run());

  // Twice a number is exact, and so is all that comes of it on its way back through the net.
  const auto twice = doubled.gradient(X), once = plain.gradient(X);
  REQUIRE(twice.size() == once.size());
  double largest = 0;
  for (Index i = 0; i < once.size(); ++i) {
    CHECK(twice[i] == 2 * once[i]);
    largest = std::max(largest, std::abs(once[i]));
  }
  CHECK(largest > 0.01);

  const FitReport report = doubled.fit(X);
  CHECK(report.gamma == 0);
  for (const EpochReport& epoch : report.epochs) CHECK(epoch.loss == 2 * epoch.reconstruction);
  CHECK(report.epochs.back().loss < report.epochs.front().loss);
  const auto detector = doubled.detector();
  CHECK(detector.facts().at("objective") == "doubled");
  const Vector<double> r = (detector.reconstruct(X) - X).rowwise().squaredNorm() / 6;
  // Sums of six squares in another order.
  CHECK((detector.score(X) - 2 * r).cwiseAbs().maxCoeff() < 1e-14 * detector.score(X).maxCoeff());
}

TEST_CASE("an objective of a user's own needs no kernels: loops over its input do") {
  const auto X = curve<double>(60, 6, 3);
  Trainer<double, Remembering> own(small_net(), short_run());
  Trainer<double, Plain> plain(small_net(), short_run());
  const auto by_loops = own.gradient(X), by_library = plain.gradient(X);
  REQUIRE(by_loops.size() == by_library.size());
  // Sums in another order, of numbers below 1.
  for (Index i = 0; i < by_loops.size(); ++i) CHECK(std::abs(by_loops[i] - by_library[i]) < 1e-14);
}

TEST_CASE("what an objective remembers is its own, from epoch to epoch") {
  const auto X = curve<double>(60, 6, 3);
  Trainer<double, Remembering> trainer(small_net(), short_run());
  CHECK(trainer.state().objective.epochs == 0);
  double scale = 1;
  trainer.fit(X, [&](const EpochReport& epoch) {
    // An epoch's loss is by the state before its end.
    CHECK(epoch.loss ==
          doctest::Approx(scale * epoch.reconstruction + 3 * epoch.latent).epsilon(1e-12));
    const auto& state = trainer.state();
    CHECK(state.objective.scale == (scale /= 2));
    CHECK(state.objective.epochs == epoch.epoch);
    const PackedNetwork<double> net(trainer.net(), state.parameters.data(),
                                    state.statistics.data());
    auto buffers = net.make_buffers(X.rows());
    const RowMatrix<double> codes = net.forward(X, buffers).code.matrix();
    REQUIRE(state.objective.distances.size() == 60);
    for (Index i = 0; i < 60; ++i) {
      double q = 0;
      for (Index j = 0; j < 2; ++j) q += std::pow(codes(i, j) - state.center.center[j], 2);
      CHECK(state.objective.distances[static_cast<std::size_t>(i)] ==
            doctest::Approx(q).epsilon(1e-12));
    }
  });
  // A fresh start forgets, going on doesn't.
  trainer.partial_fit(X, 2);
  CHECK(trainer.state().objective.scale == 1. / 32);
  CHECK(trainer.state().objective.epochs == 5);
  trainer.fit(X);
  CHECK(trainer.state().objective.scale == 1. / 8);
}

TEST_CASE("an objective's state is in checkpoints: training goes on to the same bits") {
  const auto X = curve<double>(60, 6, 3);
  Trainer<double, Remembering> first(small_net(), short_run()), other(small_net(), short_run());
  first.fit(X);
  other.set_state(first.state());
  first.partial_fit(X, 2);
  other.partial_fit(X, 2);
  CHECK(same_bits(other.state().parameters, first.state().parameters));
  CHECK(other.state().objective.scale == first.state().objective.scale);
}

TEST_CASE(
    "an objective's state goes back with the net: to the best epoch, and before a failed one") {
  auto X = curve<double>(60, 6, 3);
  Options options = short_run();
  // Steps too small to change a number, and a center that stays: the first epoch is the best.
  options.adam.learning_rate = 1e-30;
  options.validation = 0.25;
  Trainer<double, Remembering> watched(small_net(), options);
  CHECK(watched.fit(X).best_epoch == 1);
  CHECK(watched.state().objective.scale == 0.5);
  CHECK(watched.state().objective.epochs == 1);

  Trainer<double, Remembering> failing(small_net(), short_run());
  failing.fit(X);
  X *= 1e200;  // squares overflow a double
  CHECK_FALSE(failing.partial_fit(X, 1).healthy());
  CHECK(failing.state().objective.epochs == 3);
  CHECK(failing.state().objective.scale == 1. / 8);
}

TEST_CASE("what an objective of a user's own throws reaches the caller, whatever the threads") {
  const auto X = curve<double>(200, 6, 3);
  const auto net = dense_autoencoder<double>(6, {3000, 3});  // worth two threads
  for (const bool in_call : {true, false}) {
    for (const int threads : {1, 2}) {
      CAPTURE(in_call);
      CAPTURE(threads);
      Options options = short_run();
      options.batch_size = 100;
      options.threads = threads;
      Refusing<double> objective;
      (in_call ? objective.in_call : objective.in_extra) = true;
      Trainer<double, Refusing<double>> trainer(net, options, objective);
      const auto before = trainer.state().parameters;
      CHECK_THROWS_WITH_AS(trainer.fit(X), "no such row", std::domain_error);
      CHECK(trainer.state().epochs == 0);
      CHECK(same_bits(trainer.state().parameters, before));
      CHECK_THROWS_WITH_AS(trainer.step(X), "no such row", std::domain_error);
      if (in_call) CHECK_THROWS_WITH_AS(trainer.gradient(X), "no such row", std::domain_error);
    }
  }
}
