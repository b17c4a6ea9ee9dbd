// Activations and their derivatives against the C++ library's functions in long double.

#include "support.hpp"

#include <cmath>
#include <string>

namespace {

using namespace kernel_tests;
using Real = long double;

Real normal_cdf(Real x) { return std::erfc(-x / std::sqrt(2.0L)) / 2; }
Real normal_density(Real x) { return std::exp(-x * x / 2) / std::sqrt(2 * std::acos(-1.0L)); }
Real logistic(Real x) { return 1 / (1 + std::exp(-x)); }

const Real selu_alpha = 1.6732632423543772848170429916717L;
const Real selu_scale = 1.0507009873554804934193349852946L;

Real value(ActivationKind kind, Real x, Real a) {
  switch (kind) {
    case ActivationKind::relu:
      return x > 0 ? x : 0;
    case ActivationKind::leaky_relu:
      return x > 0 ? x : a * x;
    case ActivationKind::elu:
      return x > 0 ? x : a * std::expm1(x);
    case ActivationKind::selu:
      return selu_scale * (x > 0 ? x : selu_alpha * std::expm1(x));
    case ActivationKind::gelu:
      return x * normal_cdf(x);
    case ActivationKind::silu:
      return x * logistic(x);
    case ActivationKind::softplus:
      return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x));
    case ActivationKind::tanh:
      return std::tanh(x);
    case ActivationKind::sigmoid:
      return logistic(x);
    case ActivationKind::identity:
      break;
  }
  return x;
}

Real slope(ActivationKind kind, Real x, Real a) {
  switch (kind) {
    case ActivationKind::relu:
      return x > 0 ? 1 : 0;
    case ActivationKind::leaky_relu:
      return x > 0 ? 1 : a;
    case ActivationKind::elu:
      return x > 0 ? 1 : a * std::exp(x);
    case ActivationKind::selu:
      return selu_scale * (x > 0 ? 1 : selu_alpha * std::exp(x));
    case ActivationKind::gelu:
      return normal_cdf(x) + x * normal_density(x);
    case ActivationKind::silu:
      return logistic(x) * (1 + x * logistic(-x));
    case ActivationKind::softplus:
      return logistic(x);
    case ActivationKind::tanh:
      return 1 / (std::cosh(x) * std::cosh(x));
    case ActivationKind::sigmoid:
      return logistic(x) * logistic(-x);
    case ActivationKind::identity:
      break;
  }
  return 1;
}

const Real parameter = 0.1L;

/// Both signs of numbers from the smallest that matters to saturation, 3 in 1,000 apart.
template <class Scalar>
std::vector<Scalar> arguments() {
  std::vector<Scalar> x;
  for (double v = 1e-6; v < 50; v *= 1.003) {
    x.push_back(static_cast<Scalar>(v));
    x.push_back(static_cast<Scalar>(-v));
  }
  return x;
}

template <class Scalar>
struct Mapped {
  std::vector<Scalar> value, slope;
};

template <class Scalar>
Mapped<Scalar> map(const kernels::Table<Scalar>& table, Activation f,
                   const std::vector<Scalar>& x) {
  const auto n = static_cast<Index>(x.size());
  Mapped<Scalar> out{x, std::vector<Scalar>(x.size(), Scalar(1))};
  table.activate(f, x.data(), n, out.value.data(), n, 1, n);
  const Scalar* source = (f.keeps_argument() ? x : out.value).data();
  table.derivative(f, source, n, out.slope.data(), n, 1, n);
  return out;
}

}  // namespace

TEST_CASE_TEMPLATE("activations and derivatives equal the C++ library's", Scalar, float, double) {
  const auto x = arguments<Scalar>();
  constexpr Real epsilon = std::numeric_limits<Scalar>::epsilon();
  for (const auto* table : kernels::available<Scalar>()) {
    INFO(std::string(table->name));
    for (int kind = 0; kind <= int(ActivationKind::sigmoid); ++kind) {
      CAPTURE(kind);
      const Activation f{ActivationKind(kind), double(parameter)};
      const auto got = map(*table, f, x);
      Real wrong_value = 0, wrong_slope = 0;  // the last argument that comes out wrong
      for (std::size_t i = 0; i < x.size(); ++i) {
        const Real v = value(f.kind(), x[i], parameter), d = slope(f.kind(), x[i], parameter);
        // About three roundings follow the polynomials, whose own error is below one. Only in
        // gelu's lower tail the rounding of x^2 / 2 counts as often as exp multiplies it. What
        // would be smaller than the smallest normal number may come out as that number, times x.
        const Real tail =
            f.kind() == ActivationKind::gelu && x[i] < 0 ? 1 + Real(x[i]) * x[i] / 2 : 1;
        const Real underflow = 100 * Real(std::numeric_limits<Scalar>::min());
        if (!(std::fabs(got.value[i] - v) <= 3 * epsilon * tail * std::fabs(v) + underflow)) {
          wrong_value = x[i];
        }
        // Slopes come from a rounded result: their error is a share of 1, times x in silu's x s (1
        // - s).
        if (!(std::fabs(got.slope[i] - d) <= 2 * epsilon * (1 + std::fabs(Real(x[i]))))) {
          wrong_slope = x[i];
        }
      }
      CHECK(wrong_value == 0);
      CHECK(wrong_slope == 0);
    }
  }
}

TEST_CASE_TEMPLATE("an activation must not turn NaN into a number", Scalar, float, double) {
  const std::vector<Scalar> x{nan<Scalar>(), Scalar(0.5), Scalar(-0.5)};
  for (const auto* table : kernels::available<Scalar>()) {
    INFO(std::string(table->name));
    for (int kind = 0; kind <= int(ActivationKind::sigmoid); ++kind) {
      CAPTURE(kind);
      const Activation f{ActivationKind(kind), 0.1};
      const auto got = map(*table, f, x);
      CHECK(std::isnan(got.value[0]));
      if (f.kind() != ActivationKind::identity) CHECK(std::isnan(got.slope[0]));
      for (const std::size_t i : {1u, 2u}) {
        CHECK(std::isfinite(got.value[i]));
        CHECK(std::isfinite(got.slope[i]));
      }
      // A NaN that comes from above goes on, also where the slope is 0.
      std::vector<Scalar> g(3, nan<Scalar>());
      const std::vector<Scalar> source{Scalar(0.5), Scalar(0), Scalar(-0.5)};
      table->derivative(f, source.data(), 3, g.data(), 3, 1, 3);
      for (const Scalar v : g) CHECK(std::isnan(v));
    }
  }
}

TEST_CASE_TEMPLATE("infinite arguments give an activation's limits", Scalar, float, double) {
  const Scalar infinity = std::numeric_limits<Scalar>::infinity();
  const auto at = [&](const kernels::Table<Scalar>& table, ActivationKind kind, Scalar x) {
    return map(table, {kind, 0.1}, std::vector<Scalar>{x}).value[0];
  };
  for (const auto* table : kernels::available<Scalar>()) {
    INFO(std::string(table->name));
    for (const auto kind : {ActivationKind::relu, ActivationKind::leaky_relu, ActivationKind::elu,
                            ActivationKind::selu, ActivationKind::gelu, ActivationKind::silu,
                            ActivationKind::softplus, ActivationKind::identity}) {
      CAPTURE(int(kind));
      CHECK(at(*table, kind, infinity) == infinity);
    }
    CHECK(at(*table, ActivationKind::tanh, infinity) == 1);
    CHECK(at(*table, ActivationKind::tanh, -infinity) == -1);
    CHECK(at(*table, ActivationKind::sigmoid, infinity) == 1);
    CHECK(at(*table, ActivationKind::sigmoid, -infinity) < Scalar(1e-37));
    CHECK(at(*table, ActivationKind::relu, -infinity) == 0);
    CHECK(at(*table, ActivationKind::elu, -infinity) == -Scalar(0.1));
    CHECK(at(*table, ActivationKind::softplus, -infinity) < Scalar(1e-37));
  }
}

TEST_CASE_TEMPLATE("every table but the portable one gives the same activations to the last bit",
                   Scalar, float, double) {
  auto x = arguments<Scalar>();
  x.push_back(std::numeric_limits<Scalar>::infinity());
  x.push_back(-std::numeric_limits<Scalar>::infinity());
  x.push_back(std::numeric_limits<Scalar>::max());
  x.push_back(nan<Scalar>());
  const auto tables = exact_tables<Scalar>();
  for (const auto* table : tables) {
    for (int kind = 0; kind <= int(ActivationKind::sigmoid); ++kind) {
      CAPTURE(kind);
      const auto first = map(*tables[0], {ActivationKind(kind), 0.1}, x);
      const auto other = map(*table, {ActivationKind(kind), 0.1}, x);
      CHECK(same_bits(first.value, other.value));
      CHECK(same_bits(first.slope, other.slope));
    }
  }
}

TEST_CASE_TEMPLATE("activations map any block, in place too, and nothing beside it", Scalar, float,
                   double) {
  for (const auto* table : kernels::available<Scalar>()) {
    INFO(std::string(table->name));
    for (int kind = 0; kind <= int(ActivationKind::sigmoid); ++kind) {
      CAPTURE(kind);
      const Activation f{ActivationKind(kind), 0.1};
      for (const Index cols : {1, 7, 15, 16, 17, 31, 33}) {
        CAPTURE(cols);
        const Index rows = 3, stride = cols + 5;
        const auto size = static_cast<std::size_t>(rows * stride);
        std::vector<Scalar> x(size, nan<Scalar>()), apart(size, Scalar(-7)), g(size, Scalar(2));
        Numbers numbers(3);
        for (Index i = 0; i < rows; ++i) {
          for (Index j = 0; j < cols; ++j) {
            x[static_cast<std::size_t>(i * stride + j)] = static_cast<Scalar>(4 * numbers.next());
          }
        }
        auto in_place = x;
        table->activate(f, x.data(), stride, apart.data(), stride, rows, cols);
        table->activate(f, in_place.data(), stride, in_place.data(), stride, rows, cols);
        table->derivative(f, x.data(), stride, g.data(), stride, rows, cols);
        for (Index i = 0; i < rows; ++i) {
          for (Index j = 0; j < stride; ++j) {
            const auto at = static_cast<std::size_t>(i * stride + j);
            if (j < cols) {
              const auto alone = map(*table, f, std::vector<Scalar>{x[at]});
              CHECK(same_bits(apart[at], alone.value[0]));
              CHECK(same_bits(in_place[at], alone.value[0]));
              Scalar slope = 2;
              table->derivative(f, &x[at], 1, &slope, 1, 1, 1);
              CHECK(same_bits(g[at], slope));
            } else {
              CHECK(apart[at] == -7);
              CHECK(std::isnan(in_place[at]));
              CHECK(g[at] == 2);
            }
          }
        }
      }
    }
  }
}
