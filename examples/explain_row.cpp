// Lesson: why did this row get its score? A score splits exactly into shares of its features.

#include "pump.hpp"

#include <cstdio>

int main() {
  dasvdd::FitOptions settings;
  settings.ensemble_size = 2;  // a small ensemble is enough here
  settings.steps = 500;
  const auto detector = dasvdd::fit(pump::readings(2000, 1), settings);

  // A healthy reading in which one sensor has drifted.
  dasvdd::RowMatrix<float> X = pump::readings(1, 2);
  X(0, 4) += 15;  // temperature

  const dasvdd::Explanation why = detector.explain(X.row(0));
  std::printf("score %.2f (threshold %.2f)\n", why.score, detector.threshold());
  std::size_t largest = 0;
  for (std::size_t j = 0; j < why.features.size(); ++j) {
    // What the nets make of the whole row: where one sensor is off, this is what the others speak for.
    std::printf("  %-12s share %7.2f   reading %8.2f   expected %8.2f\n", pump::features[j],
                why.features[j], why.observed[j], why.expected[j]);
    if (why.features[j] > why.features[largest]) largest = j;
  }
  std::printf("look at the %s sensor first\n", pump::features[largest]);
  return largest == 4 ? 0 : 1;
}
