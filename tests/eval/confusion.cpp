// Counts and rates at one threshold.

#include <dasvdd/eval/confusion.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace {

const std::vector<float> scores{0.1f, 0.5f, 0.5f, 0.7f, 0.9f, 0.2f, 0.8f};
const std::vector<int> labels{0, 0, 1, 0, 1, 1, 1};

}  // namespace

TEST_CASE("confusion counts score > threshold as an anomaly") {
  const dasvdd::Confusion count = dasvdd::Confusion(scores, labels, 0.5);
  CHECK(count.true_positives == 2);
  CHECK(count.false_positives == 1);
  CHECK(count.true_negatives == 2);
  CHECK(count.false_negatives == 2);
  CHECK(count.precision() == 2.0 / 3.0);
  CHECK(count.recall() == 0.5);
  CHECK(count.f1() == 4.0 / 7.0);
  CHECK(count.false_alarm_rate() == 1.0 / 3.0);
}

TEST_CASE("confusion at infinite thresholds flags all or nothing; empty denominators give 0") {
  const double infinity = std::numeric_limits<double>::infinity();
  const dasvdd::Confusion nothing = dasvdd::Confusion(scores, labels, infinity);
  CHECK(nothing.true_negatives == 3);
  CHECK(nothing.false_negatives == 4);
  CHECK(nothing.precision() == 0.0);
  CHECK(nothing.recall() == 0.0);
  CHECK(nothing.f1() == 0.0);
  const dasvdd::Confusion all = dasvdd::Confusion(scores, labels, -infinity);
  CHECK(all.recall() == 1.0);
  CHECK(all.false_alarm_rate() == 1.0);
}

TEST_CASE("confusion takes one class alone") {
  const std::vector<int> normal(7, 0);
  const dasvdd::Confusion count = dasvdd::Confusion(scores, normal, 0.6);
  CHECK(count.false_alarm_rate() == 3.0 / 7.0);
  CHECK(count.recall() == 0.0);
}

TEST_CASE("a float score is compared with the threshold as it is") {
  // 0.1f lies above 0.1: narrowing the threshold to float would hide that.
  const std::vector<float> score{0.1f};
  CHECK(dasvdd::Confusion(score, std::vector<int>{1}, 0.1).true_positives == 1);
}

TEST_CASE("confusion refuses NaN and sizes that don't match") {
  std::vector<float> broken = scores;
  broken[3] = std::nanf("");
  CHECK_THROWS_WITH_AS(dasvdd::Confusion(scores, labels, std::nan("")),
                       "threshold is NaN, expected a number", dasvdd::InvalidArgument);
  CHECK_THROWS_WITH_AS(dasvdd::Confusion(broken, labels, 0.5),
                       "scores has NaN at index 3; a NaN has no place in a ranking",
                       dasvdd::InvalidArgument);
  CHECK_THROWS_AS(dasvdd::Confusion(scores, std::vector<int>{1}, 0.5), dasvdd::InvalidArgument);
}
