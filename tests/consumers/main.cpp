// The library as a user's program sees it: one include, one call to fit, one to score.
#include <dasvdd/dasvdd.hpp>

#include <cstdio>

#if EXPECT_OPENMP != DASVDD_OPENMP
#error "dasvdd was built with another answer about OpenMP than its CMake target promised"
#endif

int main() {
  const dasvdd::RowMatrix<float> X = dasvdd::RowMatrix<float>::Random(64, 8);
  dasvdd::FitOptions settings;
  settings.steps = 20;  // enough to be run, not to be good
  const auto detector = dasvdd::fit(X, settings);
  const Eigen::VectorXf scores = detector.score(X);
  std::printf("dasvdd %s: %d scores, mean %g\n", DASVDD_VERSION_STRING, int(scores.size()),
              double(scores.mean()));
  return scores.size() == 64 && scores.minCoeff() > 0 ? 0 : 1;
}
