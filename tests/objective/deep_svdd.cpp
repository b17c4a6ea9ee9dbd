// Deep SVDD's terms and gradients against plain loops, and the rule for its center.

#include <dasvdd/core/random.hpp>
#include <dasvdd/kernels/dispatch.hpp>
#include <dasvdd/objective/soft_boundary_deep_svdd.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

using namespace dasvdd;
using namespace dasvdd::detail;

namespace {

constexpr Index n = 9, m = 5;

struct Batch {
  RowMatrix<double> code{n, m};
  std::vector<double> center = std::vector<double>(m);
  std::vector<double> r = std::vector<double>(n, 7.0), q = std::vector<double>(n, 7.0);
  RowMatrix<double> gradient = RowMatrix<double>::Constant(n, m, 7.0);

  Batch() {
    Random random(3);
    for (Index i = 0; i < code.size(); ++i) code.data()[i] = random.normal();
    for (double& c : center) c = random.normal();
  }
  double distance(Index i) const {
    double sum = 0;
    for (Index j = 0; j < m; ++j) {
      const double e = code(i, j) - center[static_cast<std::size_t>(j)];
      sum += e * e;
    }
    return sum;
  }
  /// By an objective, rows in two ranges.
  template <class Objective>
  void run(const Objective& objective, const typename Objective::State& state) {
    const typename Objective::Output out{r.data(), q.data(), gradient, gradient};
    for (const Range rows : {Range{4, n}, Range{0, 4}}) {
      objective(
          {code, code, code, center.data(), 123, rows.first, rows.last, &kernels::best<double>()},
          state, out);
    }
  }
};

}  // namespace

TEST_CASE("Deep SVDD's loss is the mean distance, which knows no gamma") {
  Batch b;
  b.run(DeepSvdd<double>(), {});
  for (Index i = 0; i < n; ++i) {
    const auto row = static_cast<std::size_t>(i);
    CHECK(b.r[row] == 0);
    CHECK(b.q[row] == doctest::Approx(b.distance(i)).epsilon(1e-14));
    for (Index j = 0; j < m; ++j) {
      const double e = b.code(i, j) - b.center[static_cast<std::size_t>(j)];
      CHECK(b.gradient(i, j) == doctest::Approx(2 * e / n).epsilon(1e-14));
    }
  }
  CHECK(DeepSvdd<double>().reconstruction_weight() == 0);
  CHECK(DeepSvdd<double>().latent_weight(123) == 1);
}

TEST_CASE("the soft boundary's gradient is the slope of its loss, zero inside the sphere") {
  Batch b;
  // Between the fifth and the sixth of nine distances, so that no row lies on the boundary.
  std::vector<double> sorted;
  for (Index i = 0; i < n; ++i) sorted.push_back(b.distance(i));
  std::sort(sorted.begin(), sorted.end());
  const double squared_radius = 0.5 * (sorted[4] + sorted[5]), nu = 0.2;
  const SoftBoundaryDeepSvdd<double> objective(nu);
  b.run(objective, {squared_radius});
  const auto loss = [&] {
    double sum = 0;
    for (Index i = 0; i < n; ++i) sum += std::max(0.0, b.distance(i) - squared_radius);
    return squared_radius + sum / (nu * n);
  };
  double excess = 0;
  Index outside = 0;
  for (Index i = 0; i < n; ++i) {
    const double q = b.q[static_cast<std::size_t>(i)];
    CHECK(b.r[static_cast<std::size_t>(i)] == 0);
    CHECK(q == doctest::Approx(b.distance(i)).epsilon(1e-14));
    excess += objective.extra(q, {squared_radius}) / n;
    outside += !b.gradient.row(i).isZero(0);
    CHECK(b.gradient.row(i).isZero(0) == (q < squared_radius));
  }
  CHECK(outside == 4);
  CHECK(objective.loss({0, 0, excess}, 0, 1, {squared_radius}) ==
        doctest::Approx(loss()).epsilon(1e-14));
  // The loss is a square of each number: central differences are exact up to rounding, 1e-16 / h.
  const double h = 1e-4;
  for (Index i = 0; i < b.code.size(); ++i) {
    double& z = b.code.data()[i];
    const double at = z;
    z = at + h;
    const double above = loss();
    z = at - h;
    const double slope = (above - loss()) / (2 * h);
    z = at;
    CHECK(b.gradient.data()[i] == doctest::Approx(slope).epsilon(1e-9));
  }
}

TEST_CASE("Deep SVDD's center keeps every coordinate at least 0.1 from zero") {
  std::vector<float> center = {0.5f, -0.5f, 0.03f, -0.03f, 0.0f, 0.1f, -0.1f, 9.0f};
  DeepSvdd<float>::start_center(center.data(), 7);
  CHECK(center == std::vector<float>{0.5f, -0.5f, 0.1f, -0.1f, 0.1f, 0.1f, -0.1f, 9.0f});
}

TEST_CASE("a soft boundary out of range") {
  CHECK_THROWS_WITH_AS(SoftBoundaryDeepSvdd<float>(0), doctest::Contains("nu is 0"),
                       InvalidArgument);
  CHECK_THROWS_WITH_AS(SoftBoundaryDeepSvdd<float>(1), doctest::Contains("nu is 1"),
                       InvalidArgument);
  CHECK_THROWS_WITH_AS(SoftBoundaryDeepSvdd<float>(0.1, 0), doctest::Contains("warm-up is 0"),
                       InvalidArgument);
}
