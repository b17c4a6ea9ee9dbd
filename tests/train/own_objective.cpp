// An objective of a user's own: what it says reaches training, score and model.

#include <dasvdd/objective/reconstruction.hpp>

#include <doctest/doctest.h>

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

}  // namespace

TEST_CASE("an objective of a user's own trains, scores and is named in the model") {
  const auto X = curve<double>(60, 6, 3);
  const auto net = autoencoder(chain(dense<double>(6, 5), leaky_relu(), dense<double>(5, 2)),
                               chain(dense<double>(2, 5), leaky_relu(), dense<double>(5, 6)));
  Options options;
  options.epochs = 3;
  options.batch_size = 20;
  options.threads = 1;
  Trainer<double, Doubled> doubled(net, options);
  Trainer<double, Reconstruction<double>> plain(net, options);

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
