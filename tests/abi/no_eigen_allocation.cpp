// Programs whose parts are built for different instruction sets score into memory of their own, because
// then the library allocates no Eigen matrix (docs/embedding.md). Eigen itself says so here: with
// EIGEN_RUNTIME_NO_MALLOC it asserts where it allocates while that is forbidden.
#include <stdexcept>

#define EIGEN_RUNTIME_NO_MALLOC
#define eigen_assert(condition) \
  ((condition) ? static_cast<void>(0) : throw std::logic_error("Eigen's assertion failed"))

#include "library.hpp"

#include <cstdio>

namespace {

/// Whether action() makes Eigen allocate.
template <class Action>
bool allocates(Action&& action) {
  Eigen::internal::set_is_malloc_allowed(false);
  bool asserted = false;
  try {
    action();
  } catch (const std::logic_error&) {
    asserted = true;
  }
  Eigen::internal::set_is_malloc_allowed(true);
  return asserted;
}

}  // namespace

int main() {
  const Detector detector = make_detector();
  const std::vector<float> X = numbers();
  const dasvdd::Rows<const float> rows(X.data(), 64, 8);
  std::vector<float> scores(64);
  const bool into_memory = allocates([&] {
    detector.score(rows, scores.data());
    auto workspace = detector.make_workspace();
    detector.score(rows, workspace, scores.data());
  });
  const bool into_matrix = allocates([&] { detector.score(rows); });
  std::printf("Eigen allocates: %d for scores in plain memory, %d for an Eigen vector of them\n",
              into_memory, into_matrix);
  return !into_memory && into_matrix ? 0 : 1;
}
