#include <dasvdd/train/whitening.hpp>

#include <doctest/doctest.h>

#include "train/support.hpp"

#include <vector>

using namespace dasvdd;
using namespace dasvdd::detail;

namespace {

/// The mean of e e^T over E's rows (n x d), with a share of its mean variance added to the diagonal.
RowMatrix<double> with_ridge(const std::vector<float>& E, Index n, Index d, double ridge) {
  const RowMatrix<double> rows = Rows<const float>(E.data(), n, d).matrix().cast<double>();
  RowMatrix<double> c = rows.transpose() * rows / static_cast<double>(n);
  c.diagonal().array() += ridge * c.trace() / static_cast<double>(d);
  return c;
}

}  // namespace

TEST_CASE("a whitening matrix turns the covariance, ridge included, into the identity") {
  for (const Index d : {1, 2, 17, 33, 100}) {
    for (const double ridge : {1e-3, detail::whitening_ridge}) {
      CAPTURE(d);
      CAPTURE(ridge);
      const Index n = 20 * d;
      const auto e = correlated(n, d);
      const auto a = detail::whitening_matrix(e.data(), n, d, ridge);
      const RowMatrix<double> A = Rows<const float>(a.data(), d, d).matrix().cast<double>();
      const RowMatrix<double> white = A * with_ridge(e, n, d, ridge) * A.transpose();
      // A's entries are rounded to float, 6e-8 of each; the covariance's condition, below 20 here,
      // makes at most 1e-5 of that. A ridge left out changes the diagonal by 1e-4 or more.
      CHECK((white - RowMatrix<double>::Identity(d, d)).cwiseAbs().maxCoeff() < 1e-5);
    }
  }
}

TEST_CASE("residuals of zero are whitened by the identity") {
  const std::vector<float> e(12, 0.f);
  const auto a = detail::whitening_matrix(e.data(), 4, 3);
  for (Index i = 0; i < 3; ++i) {
    for (Index j = 0; j < 3; ++j) CHECK(a[i * 3 + j] == (i == j ? 1.f : 0.f));
  }
}
