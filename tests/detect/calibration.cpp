// Thresholds and p-values: the guarantee, counted out.

#include <dasvdd/detect/calibration.hpp>

#include <doctest/doctest.h>

#include <limits>
#include <string>

using namespace dasvdd;
using namespace dasvdd::detail;

namespace {

std::string refusal(const Calibration& calibration, double rate) {
  try {
    calibration.threshold(false_alarm_rate(rate));
  } catch (const InvalidArgument& e) {
    return e.what();
  }
  return "";
}

/// The share of the n + 1 equally likely places of a new row among n + 1 scores for which `event`
/// holds, given the other n as calibration scores.
template <class Event>
double chance(const std::vector<double>& all, Event&& event) {
  int count = 0;
  for (std::size_t place = 0; place < all.size(); ++place) {
    std::vector<double> held_out = all;
    held_out.erase(held_out.begin() + static_cast<std::ptrdiff_t>(place));
    count += event(Calibration(held_out), all[place]);
  }
  return count / static_cast<double>(all.size());
}

}  // namespace

TEST_CASE("a normal row passes the threshold with probability at most the rate, and hardly less") {
  for (std::size_t n = 1; n <= 60; ++n) {
    std::vector<double> distinct, tied;
    for (std::size_t i = 0; i <= n; ++i) {
      distinct.push_back(static_cast<double>(i));
      tied.push_back(static_cast<double>(i / 3));
    }
    for (const double rate : {0.5, 1.0 / 3, 0.25, 0.1, 0.05, 0.02, 0.9, 0.999}) {
      if (static_cast<double>(n + 1) * rate < 1 - 1e-9) {
        CHECK(refusal(Calibration(std::vector<double>(n, 0)), rate) != "");
        continue;
      }
      const auto alarm = [&](const Calibration& c, double score) {
        return score > c.threshold(false_alarm_rate(rate));
      };
      const double exact = chance(distinct, alarm);
      CAPTURE(n);
      CAPTURE(rate);
      CHECK(exact <= rate + 1e-12);
      CHECK(exact > rate - 1 / static_cast<double>(n + 1) - 1e-12);  // as near as n rows allow
      CHECK(chance(tied, alarm) <= rate + 1e-12);
    }
  }
}

TEST_CASE("a p-value is at most p with probability at most p") {
  for (const std::size_t n : {1u, 2u, 7u, 20u}) {
    std::vector<double> distinct, tied;
    for (std::size_t i = 0; i <= n; ++i) {
      distinct.push_back(static_cast<double>(i));
      tied.push_back(static_cast<double>(i / 2));
    }
    for (std::size_t k = 1; k <= n + 1; ++k) {
      const double p = static_cast<double>(k) / static_cast<double>(n + 1);
      const auto event = [&](const Calibration& c, double s) { return c.p_value(s) <= p + 1e-12; };
      CHECK(chance(distinct, event) == doctest::Approx(p));
      CHECK(chance(tied, event) <= p + 1e-12);
    }
  }
}

TEST_CASE("p-values by hand: ties count against the row, and none is 0") {
  const Calibration calibration({3, 1, 2, 2});
  CHECK(calibration.scores() == std::vector<double>{1, 2, 2, 3});
  const double infinity = std::numeric_limits<double>::infinity();
  CHECK(calibration.p_value(infinity) == 0.2);
  CHECK(calibration.p_value(3.5) == 0.2);
  CHECK(calibration.p_value(3) == 0.4);
  CHECK(calibration.p_value(2) == 0.8);
  CHECK(calibration.p_value(1) == 1);
  CHECK(calibration.p_value(-infinity) == 1);
}

TEST_CASE("too few rows for a rate: the sentence says how many are needed") {
  CHECK(refusal(Calibration({1, 2, 3}), 0.01) ==
        "a false alarm rate of 0.01 needs at least 99 held-out normal rows, got 3");
  CHECK(refusal(Calibration(std::vector<double>(98, 0)), 0.01) != "");
  CHECK(refusal(Calibration(std::vector<double>(99, 0)), 0.01) == "");
  CHECK(refusal(Calibration({1}), 1e-7) ==
        "a false alarm rate of 1e-07 needs at least 9999999 held-out normal rows, got 1");
  CHECK(
      refusal(Calibration({1}), 1e-300) ==
      "a false alarm rate of 1e-300 needs at least 999999999999999999 held-out normal rows, got 1");
  CHECK(refusal(Calibration(), 0.5) ==
        "a false alarm rate of 0.5 needs at least 1 held-out normal rows, got 0");
}

TEST_CASE("rates outside 0 to 1, and scores that are no numbers, are refused") {
  for (const double rate : {0.0, 1.0, -0.1, 1.5, std::nan("")}) {
    CHECK_THROWS_AS(false_alarm_rate(rate), InvalidArgument);
  }
  CHECK_THROWS_WITH_AS(false_alarm_rate(1.5),
                       "the false alarm rate is 1.5, expected a number between 0 and 1",
                       InvalidArgument);
  // What stood behind the last score before the vector became shorter does not count.
  std::vector<double> shorter{1, 2, std::nan("")};
  shorter.pop_back();
  CHECK_NOTHROW(Calibration(std::move(shorter)));
  const double infinity = std::numeric_limits<double>::infinity();
  CHECK_THROWS_WITH_AS(Calibration({1, std::nan("")}),
                       "calibration score 1 is NaN, expected a finite number", InvalidArgument);
  CHECK_THROWS_WITH_AS(Calibration({infinity}),
                       "calibration score 0 is infinity, expected a finite number",
                       InvalidArgument);
  CHECK_THROWS_WITH_AS(Calibration({1}).p_value(std::nan("")),
                       "the score is NaN, expected a number or infinity", InvalidArgument);
  CHECK_THROWS_WITH_AS(
      Calibration().p_value(1),
      "the detector has no held-out scores for a p-value; make it with calibrated()",
      InvalidArgument);
}

TEST_CASE("a rate next to 1 gives the lowest threshold there is") {
  const Calibration calibration({1, 2, 3, 4});
  CHECK(calibration.threshold(false_alarm_rate(0.999)) == 1);
  CHECK(calibration.threshold(false_alarm_rate(1 - 1e-15)) == 1);
}
