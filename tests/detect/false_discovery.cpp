// Selection at a false discovery rate: reference numbers, counted out, and simulated with conformal p-values.

#include <dasvdd/core/random.hpp>
#include <dasvdd/detect/calibration.hpp>
#include <dasvdd/detect/false_discovery.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

using namespace dasvdd;
using namespace dasvdd::detail;

namespace {

const double infinity = std::numeric_limits<double>::infinity();

std::vector<bool> select(const std::vector<double>& p, double fdr) {
  return benjamini_hochberg(p.data(), p.size(), fdr);
}

/// Mean and standard error of numbers that come one by one.
class Mean {
 public:
  void add(double x) {
    ++n_;
    sum_ += x;
    squares_ += x * x;
  }
  double value() const { return sum_ / n_; }
  double error() const { return std::sqrt(std::max(0.0, squares_ / n_ - value() * value()) / n_); }

 private:
  double n_ = 0, sum_ = 0, squares_ = 0;
};

/// The shares of a selection that simulations average.
struct Shares {
  Mean wrong, recent_wrong, found;
};

/// Rows of which about the share `planted` lie 4 standard deviations above the others, with their p-values
/// out of `n` normal calibration rows of their own.
struct RowStream {
  RowStream(std::uint64_t seed, std::size_t n, double planted, std::size_t rows) {
    Random random(seed);
    std::vector<double> scores(n);
    for (double& score : scores) score = random.normal();
    const Calibration calibration(scores);
    for (std::size_t i = 0; i < rows; ++i) {
      anomaly.push_back(random.uniform() < planted);
      p.push_back(calibration.p_value(random.normal() + (anomaly[i] ? 4 : 0)));
    }
  }

  /// Adds this stream's shares, given what was selected; a selection's weight halves in 0.7 `memory` rows.
  void judge(const std::vector<bool>& selected, double memory, Shares& shares) const {
    double normal = 0, all = 0, recent_normal = 0, recent = 0, anomalies = 0;
    for (std::size_t i = 0; i < p.size(); ++i) {
      const bool wrong = selected[i] && !anomaly[i];
      normal += wrong;
      all += selected[i];
      recent_normal = (1 - 1 / memory) * recent_normal + wrong;
      recent = (1 - 1 / memory) * recent + selected[i];
      anomalies += anomaly[i];
    }
    shares.wrong.add(normal / std::max(all, 1.0));
    shares.recent_wrong.add(recent_normal / std::max(recent, 1.0));
    if (anomalies > 0) shares.found.add((all - normal) / anomalies);
  }

  std::vector<bool> anomaly;
  std::vector<double> p;
};

std::vector<bool> select_online(OnlineSelect rule, const std::vector<double>& p) {
  std::vector<bool> selected;
  for (const double value : p) selected.push_back(rule.add(value));
  return selected;
}

/// At most 0.1, and 3 standard errors: a true rate of 0.1 exceeds that with probability 0.001.
void check_rate(const Mean& rate) { CHECK(rate.value() <= 0.1 + 3 * rate.error()); }

/// What a rule has done up to some row of a stream, in which anomalies have p-value 0 and are thus always selected.
struct Path {
  OnlineSelect rule;
  double chance = 1;
  double normal = 0, all = 0;  ///< selected, with weights that decay
};

/// The expected share of normal rows among the selected after each row, every path counted with its probability.
/// Which rows are anomalies, `pattern` says by its bits.
void count_out(const Path& path, unsigned pattern, std::size_t row, double decay,
               std::vector<double>& rates) {
  if (row == rates.size()) return;
  const double level = path.rule.level();
  const bool anomaly = (pattern >> row & 1) != 0;
  for (const bool selected : {true, false}) {
    Path next = path;
    next.chance *= selected ? (anomaly ? 1 : level) : (anomaly ? 0 : 1 - level);
    if (next.chance == 0) continue;
    REQUIRE(next.rule.add(!selected ? 1 : anomaly ? 0 : level) == selected);
    next.normal = decay * path.normal + (selected && !anomaly);
    next.all = decay * path.all + selected;
    rates[row] += next.chance * next.normal / std::max(next.all, 1.0);
    count_out(next, pattern, row + 1, decay, rates);
  }
}

}  // namespace

TEST_CASE("Benjamini and Hochberg select what scipy's adjusted p-values say") {
  // golden/make_false_discovery.py, scipy 1.17.1: p-values out of 39 calibration rows, and
  // scipy.stats.false_discovery_control of them.
  std::vector<double> p = {31, 14, 8,  15, 4,  2,  2, 35, 26, 5,  1,  29,
                           1,  3,  27, 7,  29, 14, 4, 3,  22, 31, 19, 34};
  for (double& value : p) value /= 40;
  const std::vector<double> adjusted = {0.8454545454545455,
                                        0.6428571428571428,
                                        0.43636363636363634,
                                        0.6428571428571428,
                                        0.30000000000000004,
                                        0.3,
                                        0.3,
                                        0.875,
                                        0.8454545454545455,
                                        0.3333333333333333,
                                        0.3,
                                        0.8454545454545455,
                                        0.3,
                                        0.3,
                                        0.8454545454545455,
                                        0.42,
                                        0.8454545454545455,
                                        0.6428571428571428,
                                        0.30000000000000004,
                                        0.3,
                                        0.8250000000000001,
                                        0.8454545454545455,
                                        0.76,
                                        0.875};
  // Below, at and above every adjusted value: 1e-9 is far above their rounding and below their distances.
  for (const double at : adjusted) {
    for (const double fdr : {at - 1e-9, at, at + 1e-9}) {
      CAPTURE(fdr);
      std::vector<bool> expected;
      for (const double value : adjusted) expected.push_back(value <= fdr * (1 + 1e-12));
      CHECK(select(p, fdr) == expected);
    }
  }
}

TEST_CASE("a p-value equal to its level is selected, however both are rounded") {
  for (int n = 1; n <= 60; ++n) {
    for (int k = 1; k <= n; ++k) {
      for (const int tenths : {1, 2, 3, 7}) {
        // k rows of exactly k fdr / n and n - k of 1: all of the k, or none if one rounding is the wrong way.
        std::vector<double> p(static_cast<std::size_t>(n), 1.0);
        std::fill_n(p.begin(), k, tenths * k / (10.0 * n));
        const std::vector<bool> selected = select(p, tenths / 10.0);
        CAPTURE(n);
        CAPTURE(k);
        CHECK(std::count(selected.begin(), selected.end(), true) == k);
        std::fill_n(p.begin(), k, tenths * k / (10.0 * n) + 1e-9);
        const std::vector<bool> none = select(p, tenths / 10.0);
        CHECK(std::count(none.begin(), none.end(), true) == 0);
      }
    }
  }
  CHECK(select({}, 0.1).empty());
}

TEST_CASE("p-values and rates out of their range are refused") {
  CHECK_THROWS_WITH_AS(select({0.5, 1.5}, 0.1), "p-value 1 is 1.5, expected a number from 0 to 1",
                       InvalidArgument);
  CHECK_THROWS_WITH_AS(select({std::nan("")}, 0.1),
                       "p-value 0 is nan, expected a number from 0 to 1", InvalidArgument);
  for (const double fdr : {0.0, 1.0, -1.0, std::nan("")}) {
    CHECK_THROWS_AS(select({0.5}, fdr), InvalidArgument);
    CHECK_THROWS_AS(OnlineSelect(fdr, 100), InvalidArgument);
  }
  CHECK_THROWS_WITH_AS(OnlineSelect(1.5, 100),
                       "the false discovery rate is 1.5, expected a number between 0 and 1",
                       InvalidArgument);
  CHECK_THROWS_WITH_AS(OnlineSelect(0.1, 100, 0.5), "the memory is 0.5 rows, expected at least 1",
                       InvalidArgument);
  OnlineSelect rule(0.1, 100);
  const double level = rule.level();
  CHECK_THROWS_WITH_AS(rule.add(-0.5), "the p-value is -0.5, expected a number from 0 to 1",
                       InvalidArgument);
  CHECK_THROWS_AS(rule.add(std::nan("")), InvalidArgument);
  CHECK(rule.level() == level);
  CHECK(rule.state().rows == 0);
}

TEST_CASE("the online rule's levels are LORD++'s") {
  // golden/make_false_discovery.py, online-fdr 1.0.0: LordPlusPlus(0.1, 0.05) with the sequence of OnlineSelect.
  const double p[] = {0.00043, 0.0019,  0.35348, 0.00093, 0.00116, 0.28584, 0.16297, 0.63314,
                      0.50074, 0.04608, 0.24182, 0.0767,  0.0003,  0.2576,  0.0752,  1e-05,
                      0.0003,  0.00195, 0.52566, 0.3968,  0.00091, 0.41297, 0.56665, 0.09925,
                      0.95471, 0.49625, 0.0772,  0.00079, 0.00144, 0.00161, 0.68179, 0.83872};
  const double levels[] = {0.001,
                           0.00198,
                           0.0039404,
                           0.003861592,
                           0.00578436016,
                           0.007668672956800001,
                           0.007515299497664,
                           0.00736499350771072,
                           0.007217693637556505,
                           0.007073339764805375,
                           0.0069318729695092675,
                           0.006793235510119082,
                           0.0066573707999167,
                           0.008524223383918367,
                           0.008353738916239998,
                           0.008186664137915198,
                           0.010022930855156894,
                           0.011822472238053758,
                           0.013586022793292681,
                           0.013314302337426826,
                           0.01304801629067829,
                           0.014787055964864723,
                           0.01449131484556743,
                           0.014201488548656082,
                           0.01391745877768296,
                           0.013639109602129301,
                           0.013366327410086715,
                           0.01309900086188498,
                           0.014837020844647282,
                           0.016540280427754333,
                           0.018209474819199246,
                           0.01784528532281526};
  OnlineSelect rule(0.1, 1999);
  for (std::size_t i = 0; i < 32; ++i) {
    // 32 updates by one rounding each.
    CHECK(rule.level() == doctest::Approx(levels[i]).epsilon(1e-13));
    CHECK(rule.add(p[i]) == (p[i] <= levels[i]));
  }
}

TEST_CASE("the online rule's levels are its formula, from a list of all selected rows") {
  const double fdr = 0.2, w = fdr / 2;
  for (const std::size_t calibration_rows : {1u, 99u, 999u}) {
    for (const double memory : {1.0, 3.0, 100.0, 1e9, infinity}) {
      CAPTURE(calibration_rows);
      CAPTURE(memory);
      const double d = 1 - 1 / memory, m = std::max(1.0, fdr * double(calibration_rows + 1) / 4);
      const auto spent = [&](std::size_t age) {
        return std::pow(d, double(age)) * std::pow(1 - 1 / m, double(age - 1)) / m;
      };
      OnlineSelect rule(fdr, calibration_rows, memory);
      Random random(5);
      std::vector<std::size_t> selected;
      for (std::size_t t = 1; t <= 300; ++t) {
        double level = w * (1 - d) + w * spent(t);
        for (std::size_t i = 0; i < selected.size(); ++i) {
          level += (i > 0 && memory == infinity ? fdr : fdr - w) * spent(t - selected[i]);
        }
        REQUIRE(rule.level() == doctest::Approx(level).epsilon(1e-11));
        if (random.uniform() < 0.1) {
          // 0 is selected at every level, 0 itself included.
          REQUIRE(rule.add(0));
          selected.push_back(t);
        } else {
          REQUIRE(!rule.add(0.9));
        }
      }
      CHECK(rule.state().rows == 300);
      CHECK(rule.state().selected == selected.size());
      CHECK(selected.size() > 15);
    }
  }
}

TEST_CASE(
    "the online rule's rate, counted out: at most fdr after every row, wherever the anomalies "
    "are") {
  for (const double memory : {1.0, 2.5, 20.0, infinity}) {
    for (const double fdr : {0.1, 0.9}) {
      const OnlineSelect rule(fdr, 19, memory);
      double most = 0;
      for (unsigned pattern = 0; pattern < 128; ++pattern) {
        std::vector<double> rates(8, 0);
        count_out({rule}, pattern, 0, 1 - 1 / memory, rates);
        most = std::max(most, *std::max_element(rates.begin(), rates.end()));
      }
      CAPTURE(memory);
      CAPTURE(fdr);
      CHECK(most <= fdr);
      CHECK(most > fdr / 10);  // eight rows see only a part of what there is to spend
    }
  }
}

TEST_CASE("a memory keeps the level up, and always selects what lies above all calibration rows") {
  OnlineSelect endless(0.1, 1999), keeping(0.1, 1999, 0.1 * 2000 / 2);
  CHECK(OnlineSelect(endless.state()).add(1 / 2000.0));
  for (int i = 0; i < 100000; ++i) {
    endless.add(1);
    keeping.add(1);
  }
  CHECK_FALSE(endless.add(1 / 2000.0));
  CHECK(keeping.add(1 / 2000.0));
}

TEST_CASE("an online selection goes on from its state to the same bits") {
  OnlineSelect whole(0.1, 1999, 50);
  Random random(3);
  for (int i = 0; i < 500; ++i) whole.add(random.uniform() < 0.1 ? 1e-4 : random.uniform());
  OnlineSelect resumed(whole.state());
  for (int i = 0; i < 500; ++i) {
    const double p = random.uniform() < 0.1 ? 1e-4 : random.uniform();
    CHECK(whole.level() == resumed.level());
    CHECK(whole.add(p) == resumed.add(p));
  }
  CHECK(whole.state().selected == resumed.state().selected);
  CHECK(whole.state().selected > 80);

  auto state = whole.state();
  state.fund = std::nan("");
  CHECK_THROWS_AS(OnlineSelect{state}, InvalidArgument);
  state = whole.state();
  state.selected = 2000;
  CHECK_THROWS_WITH_AS(OnlineSelect{state}, doctest::Contains("2000 of 1000 rows selected"),
                       InvalidArgument);
  state = whole.state();
  state.span = 0;
  CHECK_THROWS_WITH_AS(OnlineSelect{state}, doctest::Contains("a span of 0, a fund of "),
                       InvalidArgument);
  state = whole.state();
  state.fdr = 0;
  CHECK_THROWS_AS(OnlineSelect{state}, InvalidArgument);
}

TEST_CASE("Benjamini and Hochberg hold 0.1 with p-values out of one calibration sample") {
  for (const std::size_t n : {200u, 2000u}) {
    for (const double planted : {0.01, 0.05, 0.2}) {
      Shares shares;
      for (std::uint64_t seed = 0; seed < 400; ++seed) {
        const RowStream stream(seed, n, planted, 1000);
        stream.judge(select(stream.p, 0.1), infinity, shares);
      }
      CAPTURE(n);
      CAPTURE(planted);
      check_rate(shares.wrong);
      // Selecting none would hold any rate. With 200 calibration rows, 1 % anomalies can't be found: no p-value is
      // below 1/201, and for k = 10 of 1,000 rows 1/1000 is asked for.
      if (n == 2000 || planted == 0.2) CHECK(shares.found.value() > 0.6);
      MESSAGE(n, " calibration rows, ", planted, " planted: ", shares.wrong.value(), " +- ",
              shares.wrong.error(), " wrong, ", shares.found.value(), " found");
    }
  }
}

TEST_CASE("the online rule holds 0.1 with p-values out of one calibration sample") {
  for (const std::size_t n : {200u, 2000u}) {
    for (const double planted : {0.01, 0.05, 0.2}) {
      for (const double memory : {infinity, 1000.0, 0.1 * double(n + 1) / 2}) {
        Shares shares;
        for (std::uint64_t seed = 0; seed < 200; ++seed) {
          const RowStream stream(seed, n, planted, 2000);
          stream.judge(select_online(OnlineSelect(0.1, n, memory), stream.p), memory, shares);
        }
        CAPTURE(n);
        CAPTURE(planted);
        CAPTURE(memory);
        check_rate(shares.recent_wrong);
        // Over the whole stream it is promised without end of memory; a long memory comes near to it.
        if (memory >= 1000) check_rate(shares.wrong);
        if (memory < 1000) CHECK(shares.found.value() > 0.6);
        MESSAGE(n, " calibration rows, ", planted, " planted, memory ", memory, ": ",
                shares.wrong.value(), " +- ", shares.wrong.error(), " wrong, recently ",
                shares.recent_wrong.value(), " +- ", shares.recent_wrong.error(), ", ",
                shares.found.value(), " found");
      }
    }
  }
}
