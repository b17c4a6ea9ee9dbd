#pragma once
// The little that these tests do with the library: a detector made, handed on and used.

#include <dasvdd/dasvdd.hpp>

#include <vector>

using Detector = dasvdd::Detector<float>;

/// Rows in plain memory: Eigen's own matrices are of one name however they are aligned, so two builds in
/// one program must not both allocate them, with this library or without.
static inline std::vector<float> numbers() {
  std::vector<float> X(64 * 8);
  for (std::size_t i = 0; i < X.size(); ++i) X[i] = static_cast<float>(i * 37 % 101) / 101.0f;
  return X;
}

// Static: each translation unit has its own, and may leave one unused.
static inline Detector make_detector() {
  dasvdd::FitOptions settings;
  settings.steps = 20;
  settings.ensemble_size = 2;
  const std::vector<float> X = numbers();
  return dasvdd::fit(dasvdd::Rows<const float>(X.data(), 64, 8), settings);
}

/// The scores' sum, every row's bits in it.
static inline double score_of(const Detector& detector) {
  const std::vector<float> X = numbers();
  std::vector<float> scores(64);
  detector.score(dasvdd::Rows<const float>(X.data(), 64, 8), scores.data());
  double sum = 0;
  for (std::size_t i = 0; i < 64; ++i) sum += double(scores[i]) * double(i + 1);
  return sum;
}
