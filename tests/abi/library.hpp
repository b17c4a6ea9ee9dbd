#pragma once
// The little that these tests use of the library: a type of its, made and handed on.

#include <dasvdd/core/types.hpp>

using Detector = dasvdd::Rows<const float>;

// Static: each translation unit has its own, and may leave one unused.
static inline Detector make_detector() {
  static const float values[] = {1, 2, 3, 4};
  return Detector(values, 2, 2);
}

static inline double score_of(const Detector& detector) { return double(detector(1, 1)); }
