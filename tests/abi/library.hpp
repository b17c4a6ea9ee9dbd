#pragma once
// The little that these tests do with the library: a detector made, handed on and used.

#include <dasvdd/dasvdd.hpp>

using Detector = dasvdd::Detector<float>;

/// Rows without Eigen's random numbers: the two builds must be given the same.
static inline dasvdd::RowMatrix<float> rows() {
  dasvdd::RowMatrix<float> X(64, 8);
  for (int i = 0; i < 64 * 8; ++i) X.data()[i] = static_cast<float>(i * 37 % 101) / 101.0f;
  return X;
}

// Static: each translation unit has its own, and may leave one unused.
static inline Detector make_detector() {
  dasvdd::FitSettings settings;
  settings.steps = 20;
  settings.members = 2;
  return dasvdd::fit(rows(), settings);
}

/// The scores' sum, every row's bits in it.
static inline double score_of(const Detector& detector) {
  const auto scores = detector.score(rows());
  double sum = 0;
  for (int i = 0; i < 64; ++i) sum += double(scores[i]) * (i + 1);
  return sum;
}
