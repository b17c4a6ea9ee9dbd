#include <dasvdd/train/linear_algebra.hpp>

#include <doctest/doctest.h>

#include "train/support.hpp"

#include <string>
#include <vector>

using namespace dasvdd;
using namespace dasvdd::detail;

namespace {

bool products_are_fused() { return std::string(kernels::best<double>().name) != "portable"; }

// Sizes around the edges of panels and blocks.
const std::vector<Index> sizes = {1, 2, 7, 15, 16, 17, 31, 32, 33, 64, 65, 100};

}  // namespace

TEST_CASE("cholesky and inverse give the bits of the textbook's loops") {
  for (const Index d : sizes) {
    CAPTURE(d);
    const auto e = correlated(d + 3, d);
    auto c = detail::mean_products(e.data(), e.data(), d + 3, d);
    detail::add_ridge(c, 1e-3);

    std::vector<double> l(static_cast<std::size_t>(d * d)), x(l);
    const auto at = [d](std::vector<double>& m, Index i, Index j) -> double& {
      return m[static_cast<std::size_t>(i * d + j)];
    };
    for (Index i = 0; i < d; ++i) {
      for (Index j = 0; j <= i; ++j) {
        double sum = c.row(i)[j];
        for (Index k = 0; k < j; ++k) sum = std::fma(-at(l, i, k), at(l, j, k), sum);
        at(l, i, j) = i == j ? std::sqrt(sum) : sum / at(l, j, j);
      }
    }
    for (Index i = 0; i < d; ++i) {
      at(x, i, i) = 1 / at(l, i, i);
      for (Index j = 0; j < i; ++j) {
        double sum = 0;
        for (Index k = j; k < i; ++k) sum = std::fma(-at(l, i, k), at(x, k, j), sum);
        at(x, i, j) = sum * at(x, i, i);
      }
    }

    detail::cholesky(c);
    const auto inverse = detail::inverse_of_lower(c);
    // Products that round twice agree with fused ones but for some ulps.
    const double tolerance = products_are_fused() ? 0 : 1e-12;
    for (Index i = 0; i < d; ++i) {
      for (Index j = 0; j < d; ++j) {
        if (j <= i) CHECK(std::abs(c.row(i)[j] - at(l, i, j)) <= tolerance);
        CHECK(std::abs(inverse.row(i)[j] - at(x, i, j)) <= tolerance);
      }
    }
  }
}

TEST_CASE("second moments are the mean of e e^T, whatever tiles the rows come in") {
  for (const Index n : {1, 2, 255, 256, 257, 600}) {
    const Index d = 5;
    const auto e = correlated(n, d);
    const auto c = detail::mean_products(e.data(), e.data(), n, d);
    for (Index i = 0; i < d; ++i) {
      for (Index j = 0; j < d; ++j) {
        double sum = 0;
        for (Index r = 0; r < n; ++r) {
          sum += static_cast<double>(e[static_cast<std::size_t>(r * d + i)]) *
                 static_cast<double>(e[static_cast<std::size_t>(r * d + j)]);
        }
        // n terms of size one in double: rounding stays far below 1e-12.
        CHECK(c.row(i)[j] == doctest::Approx(sum / static_cast<double>(n)).epsilon(1e-12));
      }
    }
  }
}

TEST_CASE("solve_positive solves, for one right side or many") {
  for (const Index d : sizes) {
    for (const Index columns : {1, 3, 40}) {
      CAPTURE(d);
      CAPTURE(columns);
      const auto e = correlated(3 * d, d), r = correlated(d, columns);
      auto c = detail::mean_products(e.data(), e.data(), 3 * d, d);
      detail::add_ridge(c, 0.1);
      detail::PaddedMatrix right(d, columns);
      for (Index i = 0; i < d; ++i) std::copy_n(r.data() + i * columns, columns, right.row(i));
      const auto back = detail::product(c, detail::solve_positive(c, right));
      for (Index i = 0; i < d; ++i) {
        for (Index j = 0; j < columns; ++j) {
          // The ridge bounds C's condition by some hundreds.
          CHECK(back.row(i)[j] == doctest::Approx(right.row(i)[j]).epsilon(1e-10));
        }
      }
    }
  }
}

TEST_CASE("products of matrices that are not square, and transposed") {
  detail::PaddedMatrix a(2, 3), b(3, 2);
  for (Index i = 0; i < 2; ++i) {
    for (Index j = 0; j < 3; ++j) {
      a.row(i)[j] = static_cast<double>(3 * i + j);
      b.row(j)[i] = static_cast<double>(2 * j + i);
    }
  }
  const auto c = detail::product(a, b);
  CHECK(c.row(0)[0] == 10);
  CHECK(c.row(0)[1] == 13);
  CHECK(c.row(1)[0] == 28);
  CHECK(c.row(1)[1] == 40);
  const auto again = detail::transposed_product(detail::transposed(a), b);
  for (Index i = 0; i < 2; ++i) {
    for (Index j = 0; j < 2; ++j) CHECK(again.row(i)[j] == c.row(i)[j]);
  }
}
