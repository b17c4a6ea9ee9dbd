// The generator: its bits, its distributions, its logarithm.

#include <dasvdd/core/random.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <vector>

using dasvdd::Random;

namespace {

double mean_of(const std::vector<double>& x, int power) {
  double sum = 0;
  for (const double v : x) sum += std::pow(v, power);
  return sum / static_cast<double>(x.size());
}

/// Sum over the cells of (count - expected)^2 / expected.
double chi_square(const std::vector<int>& counts, double expected) {
  double sum = 0;
  for (const int c : counts) sum += (c - expected) * (c - expected) / expected;
  return sum;
}

}  // namespace

TEST_CASE("the generator is xoshiro256++ behind splitmix64") {
  // Seed 0, stream 0 are the values other implementations publish; the rest comes from a
  // transcription of both papers' definitions in another language.
  struct {
    std::uint64_t seed, stream, bits[4];
  } const expected[] = {
      {0, 0, {0x53175d61490b23df, 0x61da6f3dc380d507, 0x5c0fdf91ec9a7bfc, 0x02eebf8c3bbe5e1a}},
      {7, 0, {0x0e2c1a002aae913d, 0x2c0fc8ddfa4e9e14, 0xb7b311b3b0d45872, 0x6d5d9f6a6318013c}},
      {7, 1, {0x381c859f7bdf9f8e, 0x1cf1571a30cf591c, 0xf442b739f9a97385, 0x4e117f9ea7a612b6}},
  };
  for (const auto& e : expected) {
    Random random(e.seed, e.stream);
    for (const std::uint64_t bits : e.bits) CHECK(random.bits() == bits);
  }
}

TEST_CASE("first numbers of seed 7, the same bits on every platform") {
  Random uniform(7);
  CHECK(uniform.uniform() == 0x1.c583400555d20p-5);
  CHECK(uniform.uniform() == 0x1.607e46efd274cp-3);
  CHECK(uniform.uniform() == 0x1.6f66236761a8bp-1);

  Random between(7);
  CHECK(between.uniform(-0.25, 0.75) == 0x1.c583400555d20p-5 - 0.25);  // exact: one fma

  Random below(7);
  // 0x...3d & 15 = 13 is drawn again, 0x...14 & 15 = 4 is taken.
  CHECK(below.below(10) == 4);
}

TEST_CASE("first normal numbers of seed 7, the same bits on every platform") {
  Random random(7);
  CHECK(random.normal() == 1.674036445441065);
  CHECK(random.normal() == 0.5378981681989655);
  CHECK(random.normal() == 1.2079282540944534);
}

TEST_CASE("a shuffle of seed 7") {
  std::vector<int> x(10);
  std::iota(x.begin(), x.end(), 0);
  Random(7).shuffle(x.data(), x.size());
  CHECK(x == std::vector<int>{3, 8, 5, 7, 0, 1, 6, 9, 2, 4});
}

TEST_CASE("a shuffle is a permutation, and every order of three comes equally often") {
  Random random(11);
  std::vector<int> x(1000);
  std::iota(x.begin(), x.end(), 0);
  auto sorted = x;
  random.shuffle(x.data(), x.size());
  CHECK(x != sorted);
  std::sort(x.begin(), x.end());
  CHECK(x == sorted);

  random.shuffle(x.data(), 0);
  random.shuffle(x.data(), 1);
  CHECK(x == sorted);

  std::vector<int> counts(6, 0);
  for (int i = 0; i < 6000; ++i) {
    int t[] = {0, 1, 2};
    random.shuffle(t, 3);
    ++counts[static_cast<std::size_t>(2 * t[0] + (t[1] > t[2]))];
  }
  CHECK(chi_square(counts, 1000) < 20.5);  // 5 degrees of freedom: 0.1 % of seeds exceed this
}

TEST_CASE("uniform numbers fill the range from 0 to below 1 evenly") {
  Random random(1);
  std::vector<double> x(100000);
  for (double& v : x) v = random.uniform();
  CHECK(*std::min_element(x.begin(), x.end()) >= 0);
  CHECK(*std::max_element(x.begin(), x.end()) < 1);
  // Four standard errors of the moments: sqrt(1/12 / n), sqrt(4/45 / n), sqrt(9/112 / n).
  CHECK(std::abs(mean_of(x, 1) - 1.0 / 2) < 4 * std::sqrt(1.0 / 12 / 1e5));
  CHECK(std::abs(mean_of(x, 2) - 1.0 / 3) < 4 * std::sqrt(4.0 / 45 / 1e5));
  CHECK(std::abs(mean_of(x, 3) - 1.0 / 4) < 4 * std::sqrt(9.0 / 112 / 1e5));
  for (int i = 0; i < 1000; ++i) {
    const double v = random.uniform(-0.125, 0.25);
    CHECK(v >= -0.125);
    CHECK(v <= 0.25);
  }
}

TEST_CASE("symmetric numbers are those of uniform(), to the bit") {
  Random a(7), b(7);
  for (int i = 0; i < 100000; ++i) {
    const double bound = 1 / std::sqrt(1.0 + i % 3000);
    const double x = a.symmetric(bound), y = b.uniform(-bound, bound);
    if (std::memcmp(&x, &y, sizeof x) != 0) FAIL_CHECK(i << ": " << x << " and " << y);
  }
  CHECK(a.state() == b.state());
}

TEST_CASE("normal numbers have a normal's moments, tail and symmetry") {
  Random random(2);
  std::vector<double> x(200000);
  for (double& v : x) v = random.normal();
  const double n = static_cast<double>(x.size());
  // Four standard errors: the variance of x^k is E x^2k - (E x^k)^2 = 1, 2, 15, 96.
  CHECK(std::abs(mean_of(x, 1)) < 4 * std::sqrt(1 / n));
  CHECK(std::abs(mean_of(x, 2) - 1) < 4 * std::sqrt(2 / n));
  CHECK(std::abs(mean_of(x, 3)) < 4 * std::sqrt(15 / n));
  CHECK(std::abs(mean_of(x, 4) - 3) < 4 * std::sqrt(96 / n));
  for (const double border : {1.0, 2.0, 3.0, 4.0}) {
    const double p = std::erfc(border / std::sqrt(2.0)) / 2;
    const double slack = 4 * std::sqrt(p * (1 - p) / n);
    const auto above = std::count_if(x.begin(), x.end(), [&](double v) { return v > border; });
    const auto under = std::count_if(x.begin(), x.end(), [&](double v) { return v < -border; });
    CHECK(std::abs(static_cast<double>(above) / n - p) < slack);
    CHECK(std::abs(static_cast<double>(under) / n - p) < slack);
  }
}

TEST_CASE("below() is unbiased where a remainder would not be") {
  // 64 bits modulo 3 * 2^62 would give the first third twice as often.
  Random random(3);
  std::vector<int> thirds(3, 0);
  for (int i = 0; i < 30000; ++i) {
    const std::uint64_t draw = random.below(std::uint64_t(3) << 62);
    ++thirds[static_cast<std::size_t>(draw >> 62)];
  }
  CHECK(chi_square(thirds, 10000) < 13.8);  // 2 degrees of freedom, 0.1 %

  std::vector<int> counts(7, 0);
  for (int i = 0; i < 70000; ++i) ++counts[static_cast<std::size_t>(random.below(7))];
  CHECK(chi_square(counts, 10000) < 22.5);  // 6 degrees of freedom, 0.1 %

  for (int i = 0; i < 100; ++i) CHECK(random.below(1) == 0);
  CHECK(random.below(std::numeric_limits<std::uint64_t>::max()) <
        std::numeric_limits<std::uint64_t>::max());
}

TEST_CASE("seeds and streams differ") {
  std::vector<std::uint64_t> first;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    for (std::uint64_t stream = 0; stream < 20; ++stream) {
      first.push_back(Random(seed, stream).bits());
    }
  }
  std::sort(first.begin(), first.end());
  CHECK(std::adjacent_find(first.begin(), first.end()) == first.end());
}

TEST_CASE("a copy has the same future, and a state put back too") {
  Random random(5);
  random.normal();
  Random copy = random;
  const auto state = random.state();
  const std::uint64_t next = random.bits();
  CHECK(copy.bits() == next);
  Random other(99);
  other.set_state(state);
  CHECK(other.bits() == next);
  CHECK_THROWS_WITH_AS(other.set_state({0, 0, 0, 0}), "the random state is all zero",
                       dasvdd::InvalidArgument);
}

TEST_CASE("portable_log is the logarithm to 2 ulp") {
  const auto check = [](double x) {
    const long double exact = std::log(static_cast<long double>(x));
    const double computed = dasvdd::detail::portable_log(x);
    const double rounded = static_cast<double>(exact);
    const double ulp = std::nextafter(std::abs(rounded), INFINITY) - std::abs(rounded);
    const double error = static_cast<double>(std::abs(computed - exact)) / ulp;
    CHECK_MESSAGE(error <= 2, "log ", x, " is off by ", error, " ulp");
  };
  Random random(6);
  for (int i = 0; i < 20000; ++i) {
    check(random.uniform(0, 1) + 0x1p-60);  // what normal() asks for
    check(std::ldexp(1 + random.uniform(), static_cast<int>(random.below(2044)) - 1022));
    check(1 + random.uniform(-1, 1) * 0x1p-10);  // the logarithm's zero
  }
  check(std::numeric_limits<double>::min());
  check(std::numeric_limits<double>::max());
  check(1 + 0x1p-52);
  check(1 - 0x1p-53);
  check(std::sqrt(0.5));
  CHECK(dasvdd::detail::portable_log(1) == 0);
}
