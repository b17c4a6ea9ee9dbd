// Lesson: one detector, many threads of your own. The detector is const and shared; each thread scores in a
// workspace that belongs to it, takes no lock and allocates nothing.

#include "pump.hpp"

#include <cstdio>
#include <thread>
#include <vector>

int main() {
  dasvdd::FitOptions settings;
  settings.ensemble_size = 1;
  settings.steps = 300;
  const dasvdd::Detector<float> detector = dasvdd::fit(pump::readings(2000, 1), settings);

  const dasvdd::RowMatrix<float> X = pump::readings(40000, 2);
  Eigen::VectorXf scores(X.rows());
  const dasvdd::Index workers = 4, share = X.rows() / workers;

  std::vector<std::thread> threads;
  for (dasvdd::Index t = 0; t < workers; ++t) {
    threads.emplace_back([&, t] {
      dasvdd::Workspace<float> workspace = detector.make_workspace();  // once a thread
      const dasvdd::Rows<const float> mine =
          dasvdd::Rows<const float>(X).middle_rows(t * share, share);
      detector.score(mine, workspace, scores.data() + t * share);
    });
  }
  for (std::thread& thread : threads) thread.join();

  // The library's own threads, or none: the scores are the same to the last bit.
  const bool same = scores == detector.score(X);
  std::printf("%td rows by %td threads, %s\n", X.rows(), workers,
              same ? "the same bits as detector.score(X)" : "other bits than detector.score(X)");
  return same ? 0 : 1;
}
