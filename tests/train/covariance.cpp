#include <dasvdd/train/covariance.hpp>

#include <doctest/doctest.h>

#include "train/support.hpp"

#include <Eigen/LU>

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
      const auto a = Covariance(e.data(), n, d, {}, ridge).whitening<float>();
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
  const Covariance covariance(e.data(), 4, 3);
  const auto a = covariance.whitening<float>();
  for (Index i = 0; i < 3; ++i) {
    for (Index j = 0; j < 3; ++j) CHECK(a[i * 3 + j] == (i == j ? 1.f : 0.f));
  }
  CHECK(covariance.lengths_without(e.data(), {0, 3}) == std::vector<double>{0, 0});
}

TEST_CASE("a row is measured by the covariance of all other rows") {
  struct Sizes {
    Index n, d;
  };
  for (const Sizes& sizes : {Sizes{50, 7}, Sizes{20, 30}, Sizes{300, 4}, Sizes{300, 1}}) {
    const Index n = sizes.n, d = sizes.d;
    CAPTURE(n);
    CAPTURE(d);
    const auto e = correlated(n, d);
    const Covariance covariance(e.data(), n, d);
    const std::vector<Index> numbers = {0, 5, n - 1};
    const auto lengths = covariance.lengths_without(e.data(), numbers);
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      std::vector<float> others = e;
      others.erase(others.begin() + numbers[i] * d, others.begin() + (numbers[i] + 1) * d);
      const RowMatrix<double> c = with_ridge(others, n - 1, d, whitening_ridge);
      const Eigen::VectorXd row =
          Rows<const float>(e.data() + numbers[i] * d, 1, d).matrix().cast<double>().transpose();
      const double refitted = row.dot(c.inverse() * row);
      // Exact but for the ridge's change by the row's share s of all squares, which is replaced by one
      // pole: never larger, and smaller by less than b s / (1 - s).
      double share = 0, all = 0;
      for (const float x : e) all += static_cast<double>(x) * static_cast<double>(x);
      share = row.squaredNorm() / all;
      CHECK(lengths[i] <= refitted * (1 + 1e-6));
      CHECK(lengths[i] >= refitted * (1 - share) * (1 - 1e-6));
      // Among few rows, one that has a part in the covariance looks shorter by more than that.
      const RowMatrix<double> whole = with_ridge(e, n, d, whitening_ridge);
      if (n < 100) CHECK(row.dot(whole.inverse() * row) < lengths[i]);
    }
  }
}

TEST_CASE("lengths are drawn by what one more row that the net does not know changes") {
  // 24 rows that the net knows, small; 6 that it does not.
  const Index n = 30, d = 4;
  std::vector<float> e = correlated(n, d);
  for (Index i = 0; i < 24 * d; ++i) e[static_cast<std::size_t>(i)] *= 0.2f;
  const std::vector<Index> numbers = {24, 25, 26, 27, 28, 29};
  const Covariance covariance(e.data(), n, d, {}, 0);  // no ridge: the formulas are exact
  const RowMatrix<double> rows = Rows<const float>(e.data(), n, d).matrix().cast<double>();
  const auto length = [&](Index i, Index j) {
    RowMatrix<double> c = rows.transpose() * rows - rows.row(i).transpose() * rows.row(i);
    if (j != i) c -= rows.row(j).transpose() * rows.row(j);
    c /= static_cast<double>(j != i ? n - 2 : n - 1);
    return rows.row(i).dot(c.inverse() * rows.row(i).transpose());
  };
  double by_one_more = 0, by_one_fewer = 0;
  for (const Index i : numbers) {
    for (const Index j : numbers) {
      if (i == j) continue;
      by_one_more += length(i, i);
      by_one_fewer += length(i, j);
    }
  }
  const double factor = covariance.one_row_more(e.data(), numbers);
  CHECK(factor == doctest::Approx(by_one_more / by_one_fewer).epsilon(1e-9));
  CHECK(factor < 0.8);  // six rows make nearly all of C
  const auto as_new = covariance.lengths_as_new(e.data(), numbers);
  const auto without = covariance.lengths_without(e.data(), numbers);
  for (std::size_t i = 0; i < 6; ++i) CHECK(as_new[i] == factor * without[i]);
  CHECK(covariance.one_row_more(e.data(), {7}) == 1);
  // One row of many that are alike changes next to nothing.
  const auto many = correlated(2000, d);
  CHECK(Covariance(many.data(), 2000, d).one_row_more(many.data(), all_rows(2000)) ==
        doctest::Approx(1).epsilon(2e-3));
}

TEST_CASE("a row that alone has a direction is measured by the ridge, not by itself") {
  // Nine rows of noise in two features, and one row far out in the third.
  const Index n = 10, d = 3;
  std::vector<float> e = correlated(n, d);
  for (Index i = 0; i < n; ++i) e[static_cast<std::size_t>(i * d + 2)] = i == 9 ? 100.f : 0.f;
  const Covariance covariance(e.data(), n, d);
  const auto a = covariance.whitening<float>();
  double with = 0;
  for (Index i = 0; i < d; ++i) {
    double w = 0;
    for (Index j = 0; j < d; ++j) {
      w += static_cast<double>(a[i * d + j]) *
           static_cast<double>(e[static_cast<std::size_t>(9 * d + j)]);
    }
    with += w * w;
  }
  CHECK(with < 10);  // q < n whatever the row
  CHECK(covariance.lengths_without(e.data(), {9}).front() > 100 * with);
}
