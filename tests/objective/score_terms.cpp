// The objectives' terms and gradients against plain loops in double.

#include <dasvdd/kernels/dispatch.hpp>
#include <dasvdd/objective/dasvdd.hpp>
#include <dasvdd/objective/reconstruction.hpp>

#include <doctest/doctest.h>
#include <dasvdd/core/random.hpp>

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

using namespace dasvdd;
using namespace dasvdd::detail;

namespace {

template <class Scalar>
RowMatrix<Scalar> random_rows(Index rows, Index cols, std::uint64_t seed) {
  Random random(seed);
  RowMatrix<Scalar> x(rows, cols);
  for (Index i = 0; i < x.size(); ++i) x.data()[i] = static_cast<Scalar>(random.normal());
  return x;
}

template <class Scalar>
struct Batch {
  static constexpr Index n = 7, d = 37, m = 5;
  RowMatrix<Scalar> x = random_rows<Scalar>(n, d, 1), output = random_rows<Scalar>(n, d, 2);
  RowMatrix<Scalar> code = random_rows<Scalar>(n, m, 3), center = random_rows<Scalar>(1, m, 4);

  /// \param rows those to write, of the first `count`
  typename Objective<Scalar>::Input input(double gamma, Range rows, Index count = n) const {
    const auto first = [count](const RowMatrix<Scalar>& all) {
      return Rows<const Scalar>(all).middle_rows(0, count);
    };
    return {first(x), first(output), first(code), center.data(),
            gamma,    rows.first,    rows.last,   &kernels::best<Scalar>()};
  }
};

/// What an objective wrote; NaN where it wrote nothing.
template <class Scalar>
struct Written {
  static constexpr Scalar nothing = std::numeric_limits<Scalar>::quiet_NaN();
  Vector<Scalar> r = Vector<Scalar>::Constant(Batch<Scalar>::n, nothing);
  Vector<Scalar> q = r;
  // Rows lie further apart than they are wide, as in the trainer's buffers.
  RowMatrix<Scalar> dx = RowMatrix<Scalar>::Constant(Batch<Scalar>::n, 48, nothing);
  RowMatrix<Scalar> dz = RowMatrix<Scalar>::Constant(Batch<Scalar>::n, 48, nothing);

  typename Objective<Scalar>::Output output() {
    return {r.data(), q.data(), Rows<Scalar>(dx.data(), dx.rows(), Batch<Scalar>::d, 48),
            Rows<Scalar>(dz.data(), dz.rows(), Batch<Scalar>::m, 48)};
  }
  bool operator==(const Written& other) const {
    const auto same = [](const auto& a, const auto& b) {
      return std::memcmp(a.data(), b.data(), static_cast<std::size_t>(a.size()) * sizeof(Scalar)) ==
             0;
    };
    return same(r, other.r) && same(q, other.q) && same(dx, other.dx) && same(dz, other.dz);
  }
};

template <class Objective, class Scalar = typename Objective::Scalar>
Written<Scalar> run(const Batch<Scalar>& batch, double gamma, const std::vector<Range>& ranges) {
  Written<Scalar> written;
  for (const Range rows : ranges) {
    Objective()(batch.input(gamma, rows), {}, written.output());
  }
  return written;
}

/// \param gamma the weight of the latent term
template <class Scalar>
void check(const Batch<Scalar>& b, const Written<Scalar>& w, double gamma) {
  // Sums of 37 products of a few units: some ten roundings in float, in double far fewer.
  const double tolerance = std::is_same_v<Scalar, float> ? 3e-6 : 1e-14;
  const auto close = [&](Scalar a, double expected) {
    return std::abs(static_cast<double>(a) - expected) <=
           tolerance * std::max(1.0, std::abs(expected));
  };
  const double n = b.n, d = b.d;
  for (Index i = 0; i < b.n; ++i) {
    double r = 0, q = 0;
    for (Index j = 0; j < b.d; ++j) {
      const double e = static_cast<double>(b.output(i, j)) - static_cast<double>(b.x(i, j));
      r += e * e / d;
      REQUIRE(close(w.dx(i, j), 2 * e / (d * n)));
    }
    for (Index j = 0; j < b.m; ++j) {
      const double e = static_cast<double>(b.code(i, j)) - static_cast<double>(b.center(0, j));
      q += e * e;
      REQUIRE(close(w.dz(i, j), 2 * gamma * e / n));
    }
    CHECK(close(w.r[i], r));
    CHECK(close(w.q[i], q));
    // Nothing is written behind a row.
    CHECK(w.dx(i, b.d) != w.dx(i, b.d));
    CHECK(w.dz(i, b.m) != w.dz(i, b.m));
  }
}

const std::vector<Range> all_rows = {{0, Batch<float>::n}};

}  // namespace

TEST_CASE_TEMPLATE("DASVDD's terms and gradients are the formulas'", Scalar, float, double) {
  const Batch<Scalar> batch;
  for (const double gamma : {0.3, 1.0, 250.0}) {
    check(batch, run<Dasvdd<Scalar>>(batch, gamma, all_rows), gamma);
  }
}

TEST_CASE("with gamma 0 DASVDD is the autoencoder, which knows no gamma") {
  const Batch<double> batch;
  const auto dasvdd = run<Dasvdd<double>>(batch, 0, all_rows);
  check(batch, dasvdd, 0);
  CHECK(run<Reconstruction<double>>(batch, 0, all_rows) == dasvdd);
  CHECK(run<Reconstruction<double>>(batch, 5, all_rows) == dasvdd);
}

TEST_CASE("rows in several ranges give the same bits as all at once, each range its own rows") {
  const Batch<float> batch;
  const auto at_once = run<Dasvdd<float>>(batch, 0.3, all_rows);
  CHECK(run<Dasvdd<float>>(batch, 0.3, {{4, 7}, {0, 1}, {1, 1}, {1, 4}}) == at_once);
  const auto part = run<Dasvdd<float>>(batch, 0.3, {{2, 4}});
  for (Index i = 0; i < Batch<float>::n; ++i) {
    const bool mine = i >= 2 && i < 4;
    CHECK((part.r[i] == at_once.r[i]) == mine);
    CHECK((part.q[i] == at_once.q[i]) == mine);
    CHECK((part.dx(i, 0) == at_once.dx(i, 0)) == mine);
    CHECK((part.dz(i, 0) == at_once.dz(i, 0)) == mine);
  }
}

TEST_CASE("every row counts in the gradient of a mean, whose weight is one over the batch") {
  // One row alone and the same row seven times: its gradient is a seventh.
  Batch<double> batch;
  batch.x.rowwise() = batch.x.row(0).eval();
  batch.output.rowwise() = batch.output.row(0).eval();
  batch.code.rowwise() = batch.code.row(0).eval();
  const auto seven = run<Dasvdd<double>>(batch, 2, all_rows);
  Written<double> one;
  Dasvdd<double>()(batch.input(2, {0, 1}, 1), {}, one.output());
  for (Index i = 0; i < batch.n; ++i) {
    CHECK(seven.r[i] == one.r[0]);
    CHECK(seven.q[i] == one.q[0]);
    CHECK(7 * seven.dx(i, 3) == doctest::Approx(one.dx(0, 3)).epsilon(1e-14));
    CHECK(7 * seven.dz(i, 3) == doctest::Approx(one.dz(0, 3)).epsilon(1e-14));
  }
}

TEST_CASE("the weights in the score are those in the gradient") {
  CHECK(Dasvdd<float>().reconstruction_weight() == 1);
  CHECK(Dasvdd<float>().latent_weight(0.25) == 0.25);
  CHECK(Reconstruction<float>().reconstruction_weight() == 1);
  CHECK(Reconstruction<float>().latent_weight(0.25) == 0);
}
