// Quantiles of numbers that occur.

#include <dasvdd/core/quantile.hpp>

#include <doctest/doctest.h>

using dasvdd::InvalidArgument;

TEST_CASE("a quantile is the smallest score that at least that share does not exceed") {
  using dasvdd::detail::quantile;
  const std::vector<double> ten = {9, 8, 7, 6, 5, 4, 3, 2, 1, 0};
  CHECK(quantile(ten, 0.99) == 9);
  CHECK(quantile(ten, 0.9) == 8);  // 0.9 * 10 is 9 in spite of its rounding
  CHECK(quantile(ten, 0.91) == 9);
  CHECK(quantile(ten, 0.5) == 4);
  CHECK(quantile(ten, 0.51) == 5);
  CHECK(quantile(ten, 1e-6) == 0);
  CHECK(quantile(ten, 0) == 0);
  CHECK(quantile({7}, 0.5) == 7);
  CHECK_THROWS_WITH_AS(quantile({}, 0.5), "a quantile needs at least one score", InvalidArgument);
}
