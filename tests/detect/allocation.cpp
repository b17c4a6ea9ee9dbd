// Scoring with a workspace allocates nothing.

#include "detect/support.hpp"
#include "heap.hpp"

#include <dasvdd/detect/compact.hpp>

#include <limits>

#if DASVDD_TEST_COUNTS_MEMORY

using namespace detect_tests;
using heap::allocations_in;
using heap::keep;

namespace {

template <class Scalar>
void check(const Detector<Scalar>& detector) {
  auto X = random_rows<Scalar>(1000, detector.features(), 7);
  if (detector.model().scaler.masks()) {
    for (Index i = 0; i < 1000; i += 3)
      X(i, i % X.cols()) = std::numeric_limits<Scalar>::quiet_NaN();
  }
  auto workspace = detector.make_workspace();
  Vector<Scalar> scores(1000);
  CHECK(allocations_in([&] { detector.score(X, workspace, scores.data()); }) == 0);
  CHECK(allocations_in([&] { detector.score(X.topRows(1), workspace, scores.data()); }) == 0);
  CHECK(allocations_in([&] { scores[0] = detector.score_one(X.data(), workspace); }) == 0);
  // What load() compares with its limit.
  const long taken = heap::most_bytes_in([&] { keep(&(workspace = detector.make_workspace())); });
  CHECK(taken == workspace_size(detector.model(), workspace.tile()).bytes());
  auto one = detector.make_workspace(1);
  CHECK(allocations_in([&] { detector.score(X, one, scores.data()); }) == 0);
  // Rows of the other type are converted in the workspace.
  using Other = std::conditional_t<std::is_same_v<Scalar, float>, double, float>;
  const RowMatrix<Other> Y = X.template cast<Other>();
  CHECK(allocations_in([&] { detector.score(Y, workspace, scores.data()); }) == 0);
  CHECK(allocations_in([&] { scores[0] = detector.score_one(Y.data(), one); }) == 0);
  CHECK(allocations_in([&] { detector.is_anomaly(scores[0]); }) == 0);
}

}  // namespace

TEST_CASE("the counter counts every way to get memory") {
  CHECK(allocations_in([] {}) == 0);
  CHECK(allocations_in([] {
          void* memory = std::malloc(10);
          keep(memory);
          memory = std::realloc(memory, 1000);
          keep(memory);
          std::free(memory);
        }) == 2);
  CHECK(allocations_in([] {
          void* memory = std::calloc(10, 10);
          keep(memory);
          std::free(memory);
        }) == 1);
  CHECK(allocations_in([] {
          int* number = new int(3);
          keep(number);
          delete number;
        }) == 1);
  CHECK(allocations_in([] {
          const AlignedBuffer<float> buffer(100);
          keep(buffer.data());
        }) == 1);
  CHECK(allocations_in([] {
          const Eigen::VectorXf vector = Eigen::VectorXf::Zero(1000);
          keep(vector.data());
        }) == 1);
  void* memory = nullptr;
  CHECK(allocations_in([&] {
          if (posix_memalign(&memory, 64, 100) != 0) memory = nullptr;
          keep(memory);
          std::free(memory);
        }) == 1);
}

TEST_CASE("what makes its own buffers does allocate: the counter sees the detector's memory") {
  const auto detector = detector_of<float>({published_member(small_net<float>(), 1)});
  const auto X = random_rows<float>(10, 9, 1);
  CHECK(allocations_in([&] { detector.score(X, 1); }) > 0);
  CHECK(allocations_in([&] { keep(detector.encode(X).data()); }) > 0);
}

TEST_CASE("scoring with a workspace allocates nothing: run-time net, published score") {
  check(detector_of<float>({published_member(wide_net<float>(), 1)}));
  check(detector_of<double>({published_member(wide_net<double>(), 1)}));
}

TEST_CASE("scoring with a workspace allocates nothing: static net, scaled rows") {
  const auto net = autoencoder(
      chain(dense<float, 9, 20>(), Activation("gelu"), tanh(), dense<float, 20, 4>(), leaky_relu()),
      chain(dense<float, 4, 9>(), sigmoid()));
  check(detector_of<float>({published_member(net, 1)}, some_scaler<float>(9)));
}

TEST_CASE("scoring with a workspace allocates nothing: whitened score, ensemble") {
  check(detector_of<float>(
      {whitened_member(wide_net<float>(), 1), published_member(wide_net<float>(), 2)}));
}

TEST_CASE("scoring with a workspace allocates nothing: several centers") {
  check(detector_of<float>({centers_member(wide_net<float>(), 1)}));
}

TEST_CASE("scoring with a workspace allocates nothing: rows that lack values") {
  const Scaler<float> masking(some_scaler<float>(37).kind(), MissingRule::mask);
  check(detector_of<float>({whitened_member(wide_net<float>(), 1)}, masking));
  check(detector_of<float>({published_member(wide_net<float>(), 1)}, masking));
}

TEST_CASE("scoring with a workspace allocates nothing: weights of two bytes") {
  check(detector_of<float>({published_member(wide_net<float>(), 1)}).compacted());
}

TEST_CASE("a compact detector takes three quarters of the memory") {
  const auto net = dense_autoencoder<float>(200, {400, 100}, sigmoid());
  const long before = heap::bytes;
  const auto detector = detector_of<float>({published_member(net, 1)});
  const long whole = heap::bytes - before;
  const auto small = detector.compacted();
  const double part =
      static_cast<double>(heap::bytes - before - whole) / static_cast<double>(whole);
  CHECK(part < 0.8);
  CHECK(part > 0.7);
}

#endif
