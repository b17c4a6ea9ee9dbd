// Sums, distances, differences and Adam against their definitions.

#include "support.hpp"

#include <algorithm>
#include <cmath>
#include <string>

namespace {

using namespace kernel_tests;

const Index sizes[] = {0, 1, 7, 15, 16, 17, 31, 33, 100};

/// A step late enough in a run that both bias corrections matter.
template <class Scalar>
kernels::AdamStep<Scalar> adam_step() {
  const double beta1 = 0.9, beta2 = 0.999, rate = 1e-3;
  const int t = 3;
  return {Scalar(1 - beta1),
          Scalar(beta2),
          Scalar(1 - beta2),
          Scalar(rate / (1 - std::pow(beta1, t))),
          Scalar(1 / std::sqrt(1 - std::pow(beta2, t))),
          Scalar(1e-8),
          Scalar(1 - rate * 0.01)};
}

template <class Scalar>
struct Parameters {
  std::vector<Scalar> p, m, v;
  explicit Parameters(Index n) {
    Numbers numbers(9);
    p = numbers.vector<Scalar>(n);
    m = numbers.vector<Scalar>(n);
    v = numbers.vector<Scalar>(n);
    for (Scalar& x : v) x = std::fabs(x);
  }
  kernels::AdamState<Scalar> state(Index at = 0) {
    return {p.data() + at, m.data() + at, v.data() + at};
  }
  friend bool same_bits(const Parameters& a, const Parameters& b) {
    return kernel_tests::same_bits(a.p, b.p) && kernel_tests::same_bits(a.m, b.m) &&
           kernel_tests::same_bits(a.v, b.v);
  }
};

}  // namespace

TEST_CASE_TEMPLATE("Adam steps as Kingma and Ba define it", Scalar, float, double) {
  const auto s = adam_step<Scalar>();
  // Six roundings lie between a parameter and its step; a moment sees three.
  const double unit = 4 * std::numeric_limits<Scalar>::epsilon();
  for (const auto* table : kernels::available<Scalar>()) {
    INFO(std::string(table->name));
    for (const Index n : sizes) {
      CAPTURE(n);
      const auto g = Numbers(4).vector<Scalar>(n);
      const Parameters<Scalar> before(n + 1);
      Parameters<Scalar> after = before;
      table->adam(g.data(), n, after.state(), s);
      for (std::size_t i = 0; i < g.size(); ++i) {
        const double m = before.m[i] + double(s.one_minus_beta1) * (double(g[i]) - before.m[i]);
        const double v = double(s.beta2) * before.v[i] + double(s.one_minus_beta2) * g[i] * g[i];
        const double step =
            double(s.rate) * m / (std::sqrt(v) * double(s.denominator_scale) + double(s.epsilon));
        CHECK(std::fabs(after.m[i] - m) <= unit);
        CHECK(std::fabs(after.v[i] - v) <= unit * v);
        CHECK(std::fabs(after.p[i] - (double(s.decay) * before.p[i] - step)) <= unit);
        CHECK(after.p[i] != before.p[i]);
      }
      const auto last = static_cast<std::size_t>(n);
      CHECK(same_bits(after.p[last], before.p[last]));
      CHECK(same_bits(after.m[last], before.m[last]));
      CHECK(same_bits(after.v[last], before.v[last]));
    }
  }
}

TEST_CASE_TEMPLATE("a gradient with Adam is the gradient, then Adam, to the last bit", Scalar,
                   float, double) {
  const auto s = adam_step<Scalar>();
  for (const auto* table : kernels::available<Scalar>()) {
    INFO(std::string(table->name));
    for (const Index rows : {1, 5, 6, 12, 13, 40}) {
      for (const Index cols : {1, 7, 16, 17, 32, 45, 70, 1100}) {
        for (const Index depth : {0, 1, 3, 50, 180, 700}) {
          CAPTURE(rows);
          CAPTURE(cols);
          CAPTURE(depth);
          const Index stride = cols == 17 || cols == 7 ? cols : cols + 3;  // without gaps too
          Numbers numbers(11);
          // One more than there is, so that a depth of 0 has an address too.
          const auto x = numbers.vector<Scalar>(depth * cols + 1);
          const auto g = numbers.vector<Scalar>(depth * rows + 1);
          std::vector<Scalar> strips(
              static_cast<std::size_t>(round_up(cols, table->panel) * depth + 1));
          table->pack_columns(x.data(), cols, cols, depth, strips.data());
          std::vector<Scalar> gradient(static_cast<std::size_t>(rows * stride));
          kernels::Product<Scalar> product{rows, cols, depth,           strips.data(), g.data(),
                                           1,    rows, gradient.data(), stride};
          Parameters<Scalar> apart(rows * stride), fused = apart;
          table->gradient(product);
          for (Index r = 0; r < rows; ++r) {
            table->adam(gradient.data() + r * stride, cols, apart.state(r * stride), s);
          }
          product.out = nullptr;
          table->gradient_adam(product, fused.state(), s);
          CHECK(same_bits(fused, apart));
        }
      }
    }
  }
}

TEST_CASE_TEMPLATE("column sums add row after row", Scalar, float, double) {
  for (const auto* table : kernels::available<Scalar>()) {
    INFO(std::string(table->name));
    for (const Index cols : sizes) {
      for (const Index rows : {0, 1, 3, 20}) {
        const Index stride = cols + 3;
        const auto x = Numbers(2).vector<Scalar>(rows * stride);
        std::vector<Scalar> sums(static_cast<std::size_t>(cols + 1), Scalar(-7)), expected = sums;
        for (Index j = 0; j < cols; ++j) {
          Scalar sum = 0;
          for (Index i = 0; i < rows; ++i) sum += x[static_cast<std::size_t>(i * stride + j)];
          expected[static_cast<std::size_t>(j)] = sum;
        }
        table->column_sums(x.data(), stride, rows, cols, sums.data());
        CHECK(same_bits(sums, expected));
      }
    }
  }
}

TEST_CASE_TEMPLATE("squared distances use sixteen lanes in every table", Scalar, float, double) {
  for (const auto* table : kernels::available<Scalar>()) {
    INFO(std::string(table->name));
    for (const Index n : sizes) {
      CAPTURE(n);
      auto a = Numbers(21).vector<Scalar>(n + 1), b = Numbers(22).vector<Scalar>(n + 1);
      a.back() = nan<Scalar>();  // not to be read
      Scalar lane[16] = {};
      double exact = 0;
      for (Index j = 0; j < n; ++j) {
        const auto i = static_cast<std::size_t>(j);
        const Scalar d = a[i] - b[i];
        lane[j % 16] = std::fma(d, d, lane[j % 16]);
        exact += (double(a[i]) - double(b[i])) * (double(a[i]) - double(b[i]));
      }
      for (int width = 8; width > 0; width /= 2) {
        for (int l = 0; l < width; ++l) lane[l] += lane[l + width];
      }
      const Scalar got = table->squared_distance(a.data(), b.data(), n);
      // n / 16 + 4 roundings of positive sums, and three of each term.
      CHECK(std::fabs(got - exact) <=
            double(n / 16 + 7) * std::numeric_limits<Scalar>::epsilon() * exact);
      if (table != kernels::available<Scalar>().back()) CHECK(same_bits(got, lane[0]));
      if (n > 0) {
        a[static_cast<std::size_t>(n - 1)] = nan<Scalar>();
        CHECK(std::isnan(table->squared_distance(a.data(), b.data(), n)));
      }
    }
  }
}

TEST_CASE_TEMPLATE("strips of samples have each sample's squared distance, to its bits", Scalar,
                   float, double) {
  for (const auto* table : kernels::available<Scalar>()) {
    INFO(std::string(table->name));
    const Index panel = table->panel;
    for (const Index n : {1, 2, 3, 7, 8, 9, 12, 15, 16, 17, 31, 32}) {
      for (const Index strips : {1, 3}) {
        CAPTURE(n);
        const Index samples = strips * panel;
        const auto a = Numbers(41).vector<Scalar>(n * samples),
                   b = Numbers(42).vector<Scalar>(n * samples), one = Numbers(43).vector<Scalar>(n);
        for (const bool one_b : {false, true}) {
          std::vector<double> got(static_cast<std::size_t>(samples + 1), -7);
          table->strip_terms(a.data(), one_b ? one.data() : b.data(), one_b, n, strips, 0.3,
                             got.data());
          for (Index s = 0; s < samples; ++s) {
            std::vector<Scalar> x, y;
            for (Index j = 0; j < n; ++j) {
              const auto at = static_cast<std::size_t>((s / panel * n + j) * panel + s % panel);
              x.push_back(a[at]);
              y.push_back(one_b ? one[static_cast<std::size_t>(j)] : b[at]);
            }
            const Scalar sum = table->squared_distance(x.data(), y.data(), n);
            CHECK(got[static_cast<std::size_t>(s)] == 0.3 * static_cast<double>(sum));
          }
          CHECK(got.back() == -7);
        }
      }
    }
  }
}

TEST_CASE_TEMPLATE("scores are sums of rounded shares, infinite where one is no number", Scalar,
                   float, double) {
  const Scalar infinity = std::numeric_limits<Scalar>::infinity();
  for (const auto* table : kernels::available<Scalar>()) {
    INFO(std::string(table->name));
    for (const Index n : {0, 1, 7, 15, 16, 17, 31, 33}) {
      CAPTURE(n);
      auto a = Numbers(51).vector<double>(n), b = Numbers(52).vector<double>(n);
      for (std::size_t i = 0; i < a.size(); i += 5) a[i] = i % 2 == 0 ? nan<double>() : -infinity;
      for (std::size_t i = 3; i < b.size(); i += 7) b[i] = 1e300;  // overflows a float
      const auto share = [&](double x) {
        const Scalar rounded = static_cast<Scalar>(x);
        return std::isfinite(rounded) ? rounded : infinity;
      };
      std::vector<Scalar> sums(a.size() + 1, Scalar(-7)), shares = sums, expected_sums = sums,
                                                          expected_shares = sums;
      for (std::size_t i = 0; i < a.size(); ++i) {
        expected_shares[i] = share(a[i]);
        expected_sums[i] = share(a[i]) + share(b[i]);
      }
      table->scores(a.data(), nullptr, n, shares.data());
      table->scores(a.data(), b.data(), n, sums.data());
      CHECK(same_bits(shares, expected_shares));
      CHECK(same_bits(sums, expected_sums));
    }
  }
}

TEST_CASE_TEMPLATE("one NaN or infinity among finite numbers is found wherever it stands", Scalar,
                   float, double) {
  using Limits = std::numeric_limits<Scalar>;
  for (const auto* table : kernels::available<Scalar>()) {
    INFO(std::string(table->name));
    for (const Index n : {0, 1, 7, 15, 16, 17, 31, 33, 100}) {
      CAPTURE(n);
      auto x = Numbers(61).vector<Scalar>(n + 1);
      for (std::size_t i = 0; i + 1 < x.size(); i += 3) {
        x[i] = i % 2 == 0 ? Limits::max() : -Limits::denorm_min();
      }
      x.back() = nan<Scalar>();  // not to be read
      CHECK(table->all_finite(x.data(), n));
      for (std::size_t i = 0; i + 1 < x.size(); ++i) {
        for (const Scalar bad : {nan<Scalar>(), -nan<Scalar>(), Limits::signaling_NaN(),
                                 Limits::infinity(), -Limits::infinity()}) {
          const Scalar kept = x[i];
          x[i] = bad;
          CHECK_FALSE(table->all_finite(x.data(), n));
          x[i] = kept;
        }
      }
    }
  }
}

TEST_CASE_TEMPLATE("the first place of the largest number is found wherever it stands", Scalar,
                   float, double) {
  for (const auto* table : kernels::available<Scalar>()) {
    INFO(std::string(table->name));
    for (const Index n : {1, 2, 7, 8, 15, 16, 17, 31, 33, 100, 256}) {
      CAPTURE(n);
      for (const Scalar sign : {Scalar(1), Scalar(-1)}) {  // all above zero, all below
        auto x = Numbers(62).vector<Scalar>(n + 1);
        for (Scalar& value : x) value = sign * (1 + std::abs(value));
        x.back() = std::numeric_limits<Scalar>::infinity();  // not to be read
        const auto end = x.begin() + n;
        CHECK(table->place_of_largest(x.data(), n) == std::max_element(x.begin(), end) - x.begin());
        for (Index i = 0; i < n; ++i) {
          const Scalar kept = x[static_cast<std::size_t>(i)],
                       again = x[static_cast<std::size_t>(i / 2)];
          // Twice: the first counts.
          x[static_cast<std::size_t>(i)] = x[static_cast<std::size_t>(i / 2)] = 9;
          CHECK(table->place_of_largest(x.data(), n) == i / 2);
          x[static_cast<std::size_t>(i / 2)] = again;
          x[static_cast<std::size_t>(i)] = kept;
        }
        x[static_cast<std::size_t>(n / 2)] = nan<Scalar>();
        const Index place = table->place_of_largest(x.data(), n);
        CHECK((place >= 0 && place < n));
        std::fill(x.begin(), x.end(), nan<Scalar>());
        CHECK(table->place_of_largest(x.data(), n) == 0);
      }
    }
  }
}

TEST_CASE_TEMPLATE("differences and standardized rows are rounded once an operation", Scalar, float,
                   double) {
  const Scalar scale = Scalar(0.3);
  for (const auto* table : kernels::available<Scalar>()) {
    INFO(std::string(table->name));
    for (const Index n : sizes) {
      CAPTURE(n);
      const auto a = Numbers(31).vector<Scalar>(n), b = Numbers(32).vector<Scalar>(n),
                 c = Numbers(33).vector<Scalar>(n);
      std::vector<Scalar> difference(a.size() + 1, Scalar(-7)), row = difference;
      auto expected_difference = difference, expected_row = row;
      for (std::size_t i = 0; i < a.size(); ++i) {
        const Scalar d = a[i] - b[i];
        expected_difference[i] = scale * d;
        expected_row[i] = d * c[i];
      }
      table->scaled_difference(a.data(), b.data(), scale, n, difference.data());
      table->standardize(a.data(), b.data(), c.data(), n, row.data());
      CHECK(same_bits(difference, expected_difference));
      CHECK(same_bits(row, expected_row));
      row = a;  // in place
      table->standardize(row.data(), b.data(), c.data(), n, row.data());
      CHECK(std::equal(row.begin(), row.end(), expected_row.begin()));
    }
  }
}

TEST_CASE_TEMPLATE("NaN goes through sums, differences and Adam", Scalar, float, double) {
  for (const auto* table : kernels::available<Scalar>()) {
    INFO(std::string(table->name));
    for (const Index at : {0, 19}) {  // in a whole register and in the rest
      const auto i = static_cast<std::size_t>(at);
      auto a = Numbers(41).vector<Scalar>(20);
      const auto b = Numbers(42).vector<Scalar>(20);
      a[i] = nan<Scalar>();
      std::vector<Scalar> out(20);
      const auto only_there = [&](const std::vector<Scalar>& v) {
        for (std::size_t j = 0; j < v.size(); ++j) {
          if (std::isnan(v[j]) != (i == j)) return false;
        }
        return true;
      };
      table->column_sums(a.data(), 20, 1, 20, out.data());
      CHECK(only_there(out));
      table->scaled_difference(a.data(), b.data(), Scalar(2), 20, out.data());
      CHECK(only_there(out));
      table->standardize(a.data(), b.data(), b.data(), 20, out.data());
      CHECK(only_there(out));
      Parameters<Scalar> parameters(20);
      table->adam(a.data(), 20, parameters.state(), adam_step<Scalar>());
      CHECK(only_there(parameters.p));
    }
  }
}
