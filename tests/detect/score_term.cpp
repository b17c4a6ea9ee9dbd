// A score term with several centers.

#include <dasvdd/detect/score_term.hpp>

#include <doctest/doctest.h>

#include "detect/support.hpp"

using namespace dasvdd;
using namespace dasvdd::detail;
using namespace detect_tests;

namespace {

/// term(row) of each row of X, against the distances written out.
/// \param offset of rows and centers from the origin, in their spread
template <class Scalar>
void check_nearest(Index count, Index d, double offset = 0) {
  RowMatrix<Scalar> X = random_rows<Scalar>(30, d, 3), centers = random_rows<Scalar>(count, d, 4);
  X.array() += static_cast<Scalar>(offset);
  centers.array() += static_cast<Scalar>(offset);
  AlignedBuffer<Scalar> copy(count * d);
  std::copy_n(centers.data(), count * d, copy.data());
  const auto term = ScoreTerm<Scalar>::nearest_of(d, 3, 2, std::move(copy));
  CHECK(term.centers() == count);
  AlignedBuffer<Scalar> scratch(term.scratch(30));
  std::vector<double> out(30);
  term.evaluate(kernels::best<Scalar>(), X, nullptr, 0, scratch.data(), out.data());
  for (Index i = 0; i < 30; ++i) {
    const double least =
        static_cast<double>((centers.rowwise() - X.row(i)).rowwise().squaredNorm().minCoeff());
    CHECK(out[static_cast<std::size_t>(i)] ==
          doctest::Approx(1.5 * least).epsilon(1e-5 * (1 + offset / 10)));
  }
}

}  // namespace

TEST_CASE("a term with several centers is the squared distance from the nearest") {
  for (const Index count : {1, 2, 15, 16, 17, 100}) {
    for (const Index d : {1, 3, 16, 33}) {
      CAPTURE(count);
      CAPTURE(d);
      check_nearest<float>(count, d);
      check_nearest<double>(count, d);
    }
  }
}

TEST_CASE("the nearest of centers that lie close together, far from the origin, is found") {
  // A float's square has seven digits: without the centers' mean taken out, distances of 1 are lost beside 1e8. What
  // is chosen may be further than the nearest by about the offset's last digit, 1e4 / 2^24, times the distance.
  for (const Index count : {2, 17, 100}) {
    CAPTURE(count);
    check_nearest<double>(count, 16, 1e4);
    for (const double offset : {1e2, 1e3}) check_nearest<float>(count, 16, offset);
  }
}

TEST_CASE("of equally near centers one is taken; a row that is a center is at distance zero") {
  AlignedBuffer<double> centers(6);
  const double two_ends[] = {-1, 0, 1, 0, 5, 7};
  std::copy_n(two_ends, 6, centers.data());
  const auto term = ScoreTerm<double>::nearest_of(2, 1, 1, std::move(centers));
  AlignedBuffer<double> scratch(term.scratch(1));
  const double middle[] = {0, 0}, third[] = {5, 7};
  term.for_nearest(kernels::best<double>(), {middle, 1, 2}, scratch.data(),
                   [](Index, const double* c) { CHECK(std::abs(c[0]) == 1); });
  double out = 1;
  term.evaluate(kernels::best<double>(), {third, 1, 2}, nullptr, 0, scratch.data(), &out);
  CHECK(out == 0);
}

TEST_CASE("centers that are no rows of the term's size are refused") {
  for (const Index size : {0, 5}) {
    CHECK_THROWS_WITH_AS(ScoreTerm<float>::nearest_of(2, 1, 1, AlignedBuffer<float>(size)),
                         doctest::Contains("expected 2 for each"), InvalidArgument);
  }
}
