// Many threads of the host program with one const detector.

#include "detect/support.hpp"

#include <dasvdd/nn/conv2d.hpp>

#include <atomic>
#include <limits>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

using namespace detect_tests;

TEST_CASE("eight threads score with one const detector, each with its own workspace") {
  const auto detector = detector_of<float>(
      {published_member(wide_net<float>(), 1), whitened_member(wide_net<float>(), 2)},
      some_scaler<float>(37));
  const auto X = random_rows<float>(300, 37, 7);
  const Vector<float> expected = detector.score(X, 1);
  const double p = detector.calibrated(X, false_alarm_rate(0.1)).p_value(expected[0]);
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      auto workspace = detector.make_workspace(t % 2 == 0 ? 1 : 96);
      Vector<float> scores(300);
      for (int round = 0; round < 3; ++round) {
        detector.score(X, workspace, scores.data());
        if (!same_bits(scores, expected)) ++wrong;
      }
      for (Index i = 0; i < 300; i += 50) {
        if (detector.score_one(X.row(i).data(), workspace) != expected[i]) ++wrong;
      }
      // Copies are made and dropped while others score.
      const auto calibrated = detector.calibrated(X, false_alarm_rate(0.1), 1);
      if (calibrated.p_value(expected[0]) != p) ++wrong;
      if (!same_bits(Detector<float>(calibrated).score(X, 1), expected)) ++wrong;
      if (detector.explain(X.row(3)).score != static_cast<double>(expected[3])) ++wrong;
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(wrong.load() == 0);
}

TEST_CASE("threads of the host program may each start a team of their own") {
  const auto detector = detector_of<float>({published_member(wide_net<float>(), 1)});
  const auto X = random_rows<float>(600, 37, 7);
  const Vector<float> expected = detector.score(X, 1);
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&] {
      if (!same_bits(detector.score(X, 2), expected)) ++wrong;
    });
  }
  for (auto& thread : threads) thread.join();
  CHECK(wrong.load() == 0);
}

TEST_CASE("threads that share the layers of a big net give a row the bits of one thread") {
  const Index d = 500;  // 4 MB of weights in float, strips that no team divides evenly
  const auto check = [&](auto scalar, Scaler<decltype(scalar)> scaler, bool missing) {
    using Scalar = decltype(scalar);
    const auto big = dense_autoencoder<Scalar>(d, {700, 211}, Activation(), leaky_relu(), tanh());
    const auto plain = detector_of<Scalar>(
        {published_member(big, 1), whitened_member(big, 2), centers_member(big, 3)}, scaler);
    RowMatrix<Scalar> X = random_rows<Scalar>(13, d, 7);
    if (missing) X(0, 3) = X(2, 400) = X(2, 401) = std::numeric_limits<Scalar>::quiet_NaN();
    for (const auto& detector : {plain, plain.compacted()}) {
      auto alone = detector.make_workspace(13);
      CHECK(alone.threads(1) == 1);
      for (const int threads : {2, 3, 5}) {
        CAPTURE(threads);
        auto shared = detector.make_workspace(13, threads);
        CHECK(shared.threads(1) == threads);
        CHECK(shared.threads(12) == threads);
        CHECK(shared.threads(13) == 1);  // shared out by rows
        for (const Index n : {1, 3, 12, 13}) {
          CAPTURE(n);
          const RowMatrix<Scalar> some = X.topRows(n);
          Vector<Scalar> expected(n), scores(n);
          detector.score(some, alone, expected.data());
          detector.score(some, shared, scores.data());
          CHECK(same_bits(scores, expected));
          CHECK(same_bits(detector.score(some, threads), expected));
        }
        CHECK(detector.score_one(X.row(0).data(), shared) ==
              detector.score_one(X.row(0).data(), alone));
      }
    }
  };
  check(1.0f, some_scaler<float>(d), false);
  check(1.0, {}, false);
  check(1.0f, {some_scaler<float>(d).kind(), MissingRule::mask}, true);
}

TEST_CASE("layers that are not dense, and nets too small to share, are left to one thread") {
  const auto net = autoencoder(
      Network<float>()
          .add(dense<float>(400, 784))
          .add(conv2d<float>({1, 28, 28}, 2, 3))
          .add(dense<float>(2 * 26 * 26, 300)),
      Network<float>().add(dense<float>(300, 400)).add(tanh()).add(dense<float>(400, 400)));
  const auto detector = detector_of<float>({published_member(net, 1)});
  const auto X = random_rows<float>(2, 400, 3);
  auto shared = detector.make_workspace(2, 2);
  CHECK(shared.threads(2) == 2);
  Vector<float> scores(2);
  detector.score(X, shared, scores.data());
  CHECK(same_bits(scores, detector.score(X, 1)));
  const auto small = detector_of<float>({published_member(wide_net<float>(), 1)});
  CHECK(small.make_workspace(1, 2).threads(1) == 1);
  // Many small nets have megabytes together; the wait behind each layer would cost more than the layer.
  const auto many =
      detector_of<float>(std::vector<Member<float>>(30, published_member(wide_net<float>(), 1)));
  CHECK(many.make_workspace(1, 2).threads(1) == 1);
  CHECK_THROWS_WITH_AS(small.make_workspace(1, -1), doctest::Contains("threads is -1"),
                       InvalidArgument);
}

namespace {

/// The identity, which throws when it is told to.
struct Refusing {
  using Scalar = float;
  Index size;
  std::shared_ptr<std::atomic<bool>> refuses = std::make_shared<std::atomic<bool>>(false);
  Index inputs() const { return size; }
  Index outputs() const { return size; }
  Index parameters() const { return 0; }
  void forward(const float*, Rows<const float> x, Rows<float> y) const {
    if (*refuses) throw std::domain_error("no such row");
    y.matrix() = x.matrix();
  }
  void backward(const float*, Rows<const float>, Rows<const float>, Rows<const float> dy,
                Rows<float> dx, float*) const {
    dx.matrix() = dy.matrix();
  }
};

}  // namespace

TEST_CASE("what a layer of a user's own throws reaches who scores, whatever the threads") {
  const Refusing layer{1024};
  const auto net = autoencoder(
      Network<float>().add(dense<float>(100, 1024)).add(layer).add(dense<float>(1024, 1024)),
      Network<float>().add(dense<float>(1024, 1024)).add(tanh()).add(dense<float>(1024, 100)));
  const auto detector = detector_of<float>({published_member(net, 1), published_member(net, 2)});
  const auto X = random_rows<float>(20, 100, 3);
  const Vector<float> expected = detector.score(X, 1);
  for (const int threads : {1, 2}) {
    CAPTURE(threads);
    auto workspace = detector.make_workspace(1, threads);
    CHECK(workspace.threads(1) == threads);
    *layer.refuses = true;
    const auto one = [&] { return detector.score_one(X.row(0).data(), workspace); };
    CHECK_THROWS_WITH_AS(one(), "no such row", std::domain_error);
    CHECK_THROWS_WITH_AS(detector.score(X.topRows(1), threads), "no such row", std::domain_error);
    CHECK_THROWS_WITH_AS(detector.score(X, threads), "no such row", std::domain_error);
    *layer.refuses = false;
    CHECK(one() == expected[0]);
    CHECK(same_bits(detector.score(X, threads), expected));
  }
}
