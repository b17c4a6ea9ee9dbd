// A host program of many threads: fits, scores, loads, saves and drift watches at the same time. The thread sanitizer
// looks at it (sh tests/run.sh --sanitize); here the results must be those of one thread.

#include <dasvdd/dasvdd.hpp>
#include <dasvdd/detect/drift_watch.hpp>
#include <dasvdd/io/checkpoint_file.hpp>
#include <dasvdd/io/model_file.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <functional>
#include <thread>
#include <vector>

#include "temporary_folder.hpp"

using namespace dasvdd;

namespace {

RowMatrix<float> some_rows(Index n, std::uint64_t seed) {
  Random random(seed);
  RowMatrix<float> X(n, 6);
  for (Index i = 0; i < X.size(); ++i) X.data()[i] = static_cast<float>(random.normal());
  return X;
}

}  // namespace

TEST_CASE("fits, scores, loads, saves and drift watches may go on at the same time") {
  const TemporaryFolder folder;
  const std::string path = folder / "model", kept = folder / "checkpoint";
  FitOptions options;
  options.ensemble_size = 2;
  options.epochs = 3;
  options.threads = 2;
  const RowMatrix<float> X = some_rows(120, 1), Y = some_rows(200, 2);
  const Detector<float> detector = fit(X, options);
  const auto expected = detector.score(Y);
  const Detector<float> watched = detector.watched();
  const auto watched_scores = watched.score(Y);
  save(detector, path);
  const auto values_of = [&](DriftWatch& watch) {
    std::vector<double> values;
    for (const float score : watched_scores) {
      watch.add(score);
      values.push_back(watch.evidence());
    }
    return values;
  };
  DriftWatch alone(watched.calibration().scores());
  const std::vector<double> evidence = values_of(alone);

  std::atomic<int> wrong{0};
  Checkpoint<float> checkpoint;
  const std::vector<std::function<void()>> jobs = {
      [&] {
        if (fit(X, options, detail::NoProgress(), &checkpoint).score(Y) != expected) ++wrong;
      },
      [&] {
        if (fit(X, options).score(Y, 2) != expected) ++wrong;
      },
      [&] {  // looks at what another thread's fit has reached
        for (int i = 0; i < 20; ++i) {
          if (!checkpoint.content().task.empty()) save(checkpoint, kept);
        }
      },
      [&] {
        for (int i = 0; i < 10; ++i) {
          if (load<float>(path).score(Y, 1) != expected) ++wrong;
        }
      },
      [&] {
        for (int i = 0; i < 10; ++i) save(detector, path);
      },
      [&] {
        auto workspace = detector.make_workspace();
        for (Index i = 0; i < 200; ++i) {
          if (detector.score_one(Y.row(i).data(), workspace) != expected[i]) ++wrong;
        }
        if (detector.score(Y, 2) != expected) ++wrong;
        detector.explain(Y.row(0));
      },
      [&] {
        DriftWatch watch(watched.calibration().scores());
        if (values_of(watch) != evidence) ++wrong;
      }};
  std::vector<std::thread> threads;
  for (const auto& job : jobs) threads.emplace_back(job);
  for (auto& thread : threads) thread.join();
  CHECK(wrong.load() == 0);
  CHECK(load<float>(path).score(Y) == expected);
}
