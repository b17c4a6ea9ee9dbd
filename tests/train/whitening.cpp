#include <dasvdd/train/whitening.hpp>

#include <doctest/doctest.h>

#include "train/support.hpp"

#include <vector>

using namespace dasvdd;
using namespace dasvdd::detail;

TEST_CASE("whitened rows have the identity as covariance, up to the ridge") {
  for (const Index d : {1, 2, 17, 33, 100}) {
    CAPTURE(d);
    const Index n = 20 * d;
    const auto e = correlated(n, d);
    const auto a = detail::whitening_matrix(e.data(), n, d, 1e-3);
    double sum = 0;
    for (Index r = 0; r < n; ++r) {
      for (Index i = 0; i < d; ++i) {
        double y = 0;
        for (Index j = 0; j < d; ++j) {
          y += static_cast<double>(a[i * d + j]) *
               static_cast<double>(e[static_cast<std::size_t>(r * d + j)]);
        }
        sum += y * y;
      }
    }
    // tr(A C A^T) / d = 1 - the ridge's share: a thousandth of the mean variance, against
    // variances that are at least a third of it here.
    CHECK(sum / static_cast<double>(n * d) == doctest::Approx(1).epsilon(0.005));
  }
}

TEST_CASE("residuals of zero are whitened by the identity") {
  const std::vector<float> e(12, 0.f);
  const auto a = detail::whitening_matrix(e.data(), 4, 3);
  for (Index i = 0; i < 3; ++i) {
    for (Index j = 0; j < 3; ++j) CHECK(a[i * 3 + j] == (i == j ? 1.f : 0.f));
  }
}
