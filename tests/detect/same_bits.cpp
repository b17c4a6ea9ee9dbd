// A row's score is the same to the bit whatever batch it comes in and however many threads work.

#include "detect/support.hpp"

using namespace detect_tests;

namespace {

template <class Scalar>
void check(const Detector<Scalar>& detector) {
  const auto X = random_rows<Scalar>(1000, detector.features(), 7);
  const Vector<Scalar> scores = detector.score(X, 1);
  // Or no team would be compared with anything.
  const Index work = detail::row_cost(detector.model().members[0].network.net().multiply_adds());
  REQUIRE(detail::worthwhile_threads(3, 200 * work) == 3);
  REQUIRE(detail::worthwhile_threads(4, 1000 * work) == 4);
  for (const int threads : {2, 3, 4}) {
    CAPTURE(threads);
    CHECK(same_bits(detector.score(X, threads), scores));
  }
  for (const Index batch : {1, 7, 200}) {
    CAPTURE(batch);
    for (const int threads : {1, 3}) {
      Vector<Scalar> in_batches(1000);
      for (Index first = 0; first < 1000; first += batch) {
        const Index count = std::min(batch, 1000 - first);
        in_batches.segment(first, count) = detector.score(X.middleRows(first, count), threads);
      }
      CHECK(same_bits(in_batches, scores));
    }
  }
  // Another place in memory: no row's bits may hang on its alignment.
  RowMatrix<Scalar> elsewhere(1000, X.cols() + 3);
  elsewhere.rightCols(X.cols()) = X;
  CHECK(same_bits(detector.score(elsewhere.rightCols(X.cols()), 2), scores));
}

}  // namespace

TEST_CASE("the same bits in batches of 1, 7, 200 and 1000 at 1 to 4 threads: published score") {
  check(detector_of<float>({published_member(wide_net<float>(), 1)}, some_scaler<float>(37)));
}
TEST_CASE("the same bits in batches of 1, 7, 200 and 1000 at 1 to 4 threads: in double") {
  check(detector_of<double>({published_member(wide_net<double>(), 1)}));
}
TEST_CASE("the same bits in batches of 1, 7, 200 and 1000 at 1 to 4 threads: ensemble, whitened") {
  check(detector_of<float>(
      {whitened_member(wide_net<float>(), 1), published_member(wide_net<float>(), 2)},
      some_scaler<float>(37)));
}
TEST_CASE("the same bits in batches of 1, 7, 200 and 1000 at 1 to 4 threads: several centers") {
  check(detector_of<float>({centers_member(wide_net<float>(), 1)}, some_scaler<float>(37)));
}
