#include <dasvdd/train/centers.hpp>

#include <doctest/doctest.h>

#include "train/support.hpp"

using namespace dasvdd;
using namespace dasvdd::detail;

TEST_CASE("centers are means of the rows nearest to them") {
  // Two clumps; the rows not named lie far away and must not matter.
  const std::vector<float> Y = {0, 0, 0, 2, 500, 500, 10, 10, 10, 14, -500, 3};
  const auto centers = centers_of(Y.data(), 2, {0, 1, 3, 4}, 2);
  CHECK(std::vector<float>(centers.begin(), centers.end()) == std::vector<float>{0, 1, 10, 12});
}

TEST_CASE("a center that no row is nearest to stays where it is") {
  const std::vector<float> Y = {1, 1, 1, 1};  // four equal rows, all nearest to the first center
  const auto centers = centers_of(Y.data(), 1, {0, 1, 2, 3}, 2);
  CHECK(centers[0] == 1);
  CHECK(centers[1] == 1);
}

TEST_CASE("there are as many centers as memory allows, at most half the rows, at least one") {
  CHECK(center_count(100000, 3) == 256);
  CHECK(center_count(100, 3) == 50);
  CHECK(center_count(3, 3) == 1);
  CHECK(center_count(1, 3) == 1);
  CHECK(center_count(100000, 512) == 32);
  CHECK(center_count(100000, 100000) == 16);
}

TEST_CASE("of many rows every second, third, ... makes the centers") {
  // 20,001 rows: every third, 6,667 of them. The others are a thousand away.
  std::vector<float> Y;
  std::vector<Index> numbers;
  for (Index i = 0; i < 20001; ++i) {
    Y.push_back(i % 3 == 0 ? static_cast<float>(i % 2) : 1000.f);
    numbers.push_back(i);
  }
  const auto centers = centers_of(Y.data(), 1, numbers, 4);
  for (const float c : centers) CHECK(c <= 1);
}
