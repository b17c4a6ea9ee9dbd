// Many threads of the host program with one const detector.

#include "detect/support.hpp"

#include <atomic>
#include <thread>

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
