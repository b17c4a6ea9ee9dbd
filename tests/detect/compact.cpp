// Detectors with weights of two bytes: the scores of the rounded weights, in every batch.

#include "detect/support.hpp"

#include <dasvdd/detect/compact.hpp>
#include <dasvdd/nn/batch_norm.hpp>
#include <dasvdd/nn/conv2d.hpp>

#include <cmath>

using namespace detect_tests;

namespace {

/// Of a net with weights in strips of every kind, published and whitened terms, a scaler and a calibration.
template <class Scalar>
Detector<Scalar> some_detector() {
  const auto net = wide_net<Scalar>();
  const auto held_out = random_rows<Scalar>(60, net.inputs(), 3);
  return detector_of<Scalar>({published_member(net, 1), whitened_member(net, 2)},
                             some_scaler<Scalar>(net.inputs()))
      .calibrated(held_out, FalseAlarmRate{0.1});
}

/// The largest difference of two rows of scores, as a share of the first.
template <class Scalar>
double distance(const Vector<Scalar>& a, const Vector<Scalar>& b) {
  return ((a - b).array().abs() / a.array().abs()).maxCoeff();
}

}  // namespace

TEST_CASE_TEMPLATE("a compact detector scores by weights of eight significant bits", Scalar, float,
                   double) {
  const auto detector = some_detector<Scalar>();
  const auto small = detector.compacted();
  const auto X = random_rows<Scalar>(200, detector.features(), 7);
  const Vector<Scalar> scores = detector.score(X, 1), rounded = small.score(X, 1);
  // A weight moves by 2^-9 of itself at most, and a score is a sum over hundreds of them.
  CHECK(distance(scores, rounded) < 0x1p-8);
  CHECK(distance(scores, rounded) > 1e-6);

  // The same scores as by the rounded weights in full size, which is what is saved.
  Model<Scalar> model = small.model();
  for (auto& member : model.members) {
    const Autoencoder<Scalar> net = member.network.net();
    member.network = PackedNetwork<Scalar>(net, member.parameters.data(), member.statistics.data());
  }
  const Detector<Scalar> full(std::make_shared<const Model<Scalar>>(std::move(model)), 1);
  if (std::string(kernels::best<Scalar>().name) == "portable") {
    CHECK(distance(full.score(X, 1), rounded) < 1e-5);
  } else {
    CHECK(same_bits(full.score(X, 1), rounded));
  }
}

TEST_CASE("a compact detector keeps threshold, calibration and biases, and is made once for all") {
  const auto detector = some_detector<float>();
  const auto small = detector.compacted();
  CHECK(small.threshold() == detector.threshold());
  CHECK(small.p_value(1.0f) == detector.p_value(1.0f));
  const auto X = random_rows<float>(20, detector.features(), 7);
  CHECK(same_bits(small.compacted().score(X, 1), small.score(X, 1)));
  const auto& net = detector.model().members[0].network.net();
  for (const auto& step : net.joined().steps()) {
    if (!step.bias) continue;
    CHECK(std::memcmp(small.model().members[0].parameters.data() + step.bias_at,
                      detector.model().members[0].parameters.data() + step.bias_at,
                      static_cast<std::size_t>(step.outputs) * sizeof(float)) == 0);
  }
  // The detector it was made of is what it was.
  CHECK(same_bits(detector.score(X, 1), some_detector<float>().score(X, 1)));
}

TEST_CASE_TEMPLATE(
    "a compact detector's scores are the same alone, in a batch and by any number of threads",
    Scalar, float, double) {
  const auto small = some_detector<Scalar>().compacted();
  const auto X = random_rows<Scalar>(200, small.features(), 7);
  const Vector<Scalar> scores = small.score(X, 1);
  CHECK(same_bits(small.score(X, 3), scores));
  auto workspace = small.make_workspace(1);
  bool same = true;
  for (Index i = 0; i < X.rows(); ++i) {
    same = same && small.score_one(X.row(i).data(), workspace) == scores[i];
  }
  CHECK(same);
}

TEST_CASE("a compact detector of a net with image layers keeps their weights") {
  const auto net =
      autoencoder(chain(conv2d<float>(Shape{1, 6, 6}, 3, 3), batch_norm<float>(Shape{3, 4, 4}),
                        leaky_relu(), dense<float>(48, 5)),
                  chain(dense<float>(5, 36)));
  const auto detector = detector_of<float>({published_member(net, 1)});
  const auto small = detector.compacted();
  const auto X = random_rows<float>(30, 36, 7);
  CHECK(distance(detector.score(X, 1), small.score(X, 1)) < 0x1p-8);
  const auto& steps = net.joined().steps();
  REQUIRE(steps[0].kind == Step<float>::Kind::layer);
  CHECK(std::memcmp(small.model().members[0].parameters.data(),
                    detector.model().members[0].parameters.data(),
                    static_cast<std::size_t>(steps[0].layer->parameters()) * sizeof(float)) == 0);
}
