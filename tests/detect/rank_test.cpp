// The sequential test of ranks: its martingale, counted out.

#include <dasvdd/detect/rank_test.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <numeric>

using namespace dasvdd;
using namespace dasvdd::detail;

namespace {

/// The evidence after the first n values were the reference and the others came one by one.
double evidence(const std::vector<double>& values, std::size_t n, Random& random) {
  RankTest test({values.begin(), values.begin() + static_cast<std::ptrdiff_t>(n)}, random);
  double last = 1;
  for (std::size_t i = n; i < values.size(); ++i)
    last = test.add(values[i], RankTest::stake(i - n + 1), random);
  return last;
}

std::vector<double> normals(std::size_t n, Random& random) {
  std::vector<double> values(n);
  for (double& value : values) value = random.normal();
  return values;
}

double mass_of(const RankTest& test) {
  return std::accumulate(test.state().masses.begin(), test.state().masses.end(), 0.0);
}

}  // namespace

TEST_CASE("over all orders of distinct values the evidence is 1 in the mean") {
  for (std::size_t n = 1; n <= 4; ++n) {
    for (std::size_t rows = 1; n + rows <= 7; ++rows) {
      std::vector<double> values(n + rows);
      std::iota(values.begin(), values.end(), 0.0);
      Random random(1);
      double sum = 0, orders = 0, most = 0;
      do {
        const double e = evidence(values, n, random);
        sum += e;
        most = std::max(most, e);
        ++orders;
      } while (std::next_permutation(values.begin(), values.end()));
      CAPTURE(n);
      CAPTURE(rows);
      CHECK(sum / orders == doctest::Approx(1).epsilon(1e-12));
      CHECK(most > 1 + 1e-4);  // it does bet
    }
  }
}

TEST_CASE("over all orders of tied values too") {
  // The mean over the random order of equal values is a sample: five standard errors, which a right test exceeds with
  // probability 6e-7. Ordering equal values one way misses by 20 and more.
  for (const std::vector<double>& multiset :
       {std::vector<double>{0, 0, 0, 1, 1, 1}, {0, 0, 1, 1, 1, 2}, {3, 3, 3, 3, 3, 3}}) {
    double sum = 0, squares = 0, count = 0;
    Random random(2);
    std::vector<double> values = multiset;
    std::vector<std::size_t> order(values.size());
    std::iota(order.begin(), order.end(), 0u);
    do {
      for (std::size_t i = 0; i < order.size(); ++i) values[i] = multiset[order[i]];
      for (int draw = 0; draw < 100; ++draw) {
        const double e = evidence(values, 2, random);
        sum += e;
        squares += e * e;
        ++count;
      }
    } while (std::next_permutation(order.begin(), order.end()));
    const double mean = sum / count;
    const double error = std::sqrt((squares / count - mean * mean) / count);
    CAPTURE(error);
    CHECK(std::abs(mean - 1) <= 5 * error);
  }
}

TEST_CASE("the next row leaves the evidence what it is in the mean, whatever has been seen") {
  Random random(3);
  for (const std::size_t n : {5u, 100u, 3000u}) {
    RankTest test(normals(n, random), random);
    for (std::uint64_t row = 1; row <= 200; ++row) {
      const double before = test.evidence(row - 1), total = mass_of(test);
      const auto state = test.state();
      double mean = 0;
      for (std::size_t bin = 0; bin < state.masses.size(); ++bin) {
        // A value above the bin's lower edge and below its upper one.
        const double value = bin == 0 ? state.edges[0] - 1
                             : bin == state.edges.size()
                                 ? state.edges.back() + 1
                                 : (state.edges[bin - 1] + state.edges[bin]) / 2;
        RankTest next = test;
        mean += state.masses[bin] / total * next.add(value, RankTest::stake(row), random);
        REQUIRE(next.state().masses[bin] == state.masses[bin] + 1);
      }
      // Differences of distribution functions near 1, divided by shares down to 1 / total.
      REQUIRE(mean == doctest::Approx(before).epsilon(1e-11));
      test.add(random.normal() + (row > 100 ? 2 : 0), RankTest::stake(row), random);
    }
    CHECK(test.peak() > 100);
    CHECK(mass_of(test) == static_cast<double>(n + 1 + 200));
  }
}

TEST_CASE("each shape of change is bet on") {
  // 1,000 reference values 0 .. 999 and a few new ones, whose evidence the bets on other shapes don't reach.
  std::vector<double> reference(1000);
  std::iota(reference.begin(), reference.end(), 0.0);
  const auto gained = [&](std::uint64_t rows, auto&& value) {
    Random random(7);
    RankTest test(reference, random);
    double last = 1;
    for (std::uint64_t row = 1; row <= rows; ++row)
      last = test.add(value(row, random), RankTest::stake(row), random);
    return last;
  };
  // All far out, on one side: the next best bet is on both sides, and gains half as much a row.
  CHECK(gained(8, [](auto, auto&) { return 2000.0; }) > 1e12);
  CHECK(gained(8, [](auto, auto&) { return -2000.0; }) > 1e12);
  // By turns on both sides: the next best is on some rows far up and all others as they were.
  CHECK(gained(20, [](auto row, auto&) { return row % 2 == 0 ? 2000.0 : -2000.0; }) > 1e20);
  // The middle: no other density is above 1 there.
  CHECK(gained(40, [](auto row, auto&) { return row % 2 == 0 ? 450.5 : 549.5; }) > 100);
  // One row in 20 far up, the others anywhere: every other bet loses more on those than it gains.
  CHECK(gained(600, [](auto row, auto& random) {
          return row % 20 == 0 ? 2000.0 : 1000 * random.uniform();
        }) > 1e4);
  // Two rows above for every one below, and the other way round: too little for the steeper densities.
  for (const double direction : {1.0, -1.0}) {
    CHECK(gained(1000, [&](auto row, auto& random) {
            return 500 + direction * (row % 3 == 0 ? 500 * random.uniform()
                                                   : 1000 * random.uniform() - 500);
          }) > 100);
  }
}

TEST_CASE("the reserve falls so slowly that a change after a million rows still finds 1e-8 a row") {
  CHECK(RankTest::reserve(0) == 1);
  const double found = RankTest::stake(1000000).each * double(RankTest::bets);
  CHECK(found > 0.9e-8);
  CHECK(found < 1.1e-8);
}

TEST_CASE("bins have as many gaps as lie between their edges, single ones at both ends") {
  Random random(4);
  for (std::size_t n = 1; n <= 5000; n = n * 3 / 2 + 1) {
    CAPTURE(n);
    std::vector<double> values = normals(n, random);
    const RankTest test(values, random);
    const auto& state = test.state();
    std::sort(values.begin(), values.end());
    double below = 0;
    for (std::size_t i = 0; i < state.edges.size(); ++i) {
      below += state.masses[i];
      REQUIRE(values[static_cast<std::size_t>(below) - 1] == state.edges[i]);
    }
    CHECK(mass_of(test) == static_cast<double>(n + 1));
    CHECK(state.masses.front() == 1);
    CHECK(state.masses.back() == 1);
    CHECK(static_cast<double>(state.masses.size()) <=
          33 + 2 * std::log2(static_cast<double>(n + 1)));
    // No bin is more than a 32nd, and half a gap of rounding at each edge.
    CHECK(*std::max_element(state.masses.begin(), state.masses.end()) <=
          static_cast<double>(n + 1) / 32 + 1);
  }
}

TEST_CASE("what a change has gained stays finite, and infinities are values") {
  Random random(5);
  RankTest test(normals(100, random), random);
  const double infinity = std::numeric_limits<double>::infinity();
  for (std::uint64_t row = 1; row <= 100000; ++row) {
    // Each block of rows teaches the urn, so the next must go further the other way.
    test.add((row / 3000) % 2 == 0 ? infinity : -infinity, RankTest::stake(row), random);
  }
  CHECK(is_finite(test.evidence(100000)));
  CHECK(test.peak() > 1e30);
  CHECK(is_finite(test.peak()));
}

TEST_CASE("states that no test can have are refused") {
  Random random(6);
  const RankTest test(normals(50, random), random);
  const auto refused = [&](auto&& spoil, const char* sentence) {
    RankTest::State state = test.state();
    spoil(state);
    CHECK_THROWS_WITH_AS(RankTest{state}, doctest::Contains(sentence), InvalidArgument);
  };
  CHECK_NOTHROW(RankTest{test.state()});
  const double nan = std::nan("");
  refused([](auto& s) { s.edges.pop_back(); }, "edges, ");
  refused([](auto& s) { s.tie_breaks.pop_back(); }, "tie breaks, ");
  refused([](auto& s) { s.wealth.pop_back(); },
          "and 16 bets, expected B - 1, B - 1, B >= 2 and 17");
  refused([](auto& s) { s = {}; }, "has 0 edges");
  refused([&](auto& s) { s.edges[0] = nan; }, "has edge 0 at nan");
  refused([&](auto& s) { s.edges[3] = 1e9; }, "has edge 4 at ");
  refused([](auto& s) { s.tie_breaks[2] = 1.5; }, "with tie break 1.5, expected ascending");
  refused([](auto& s) { s.masses[2] = 0; }, "has a mass of 0, expected at least 1");
  refused([](auto& s) { s.wealth[2] = -1; }, "has a wealth of -1, expected a number from 0");
  refused([&](auto& s) { s.peak = nan; }, "has a peak of nan, expected at least 1");
}
