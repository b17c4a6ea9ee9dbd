#include <dasvdd/fit/left_out_scores.hpp>

#include <doctest/doctest.h>

#include "train/support.hpp"

using namespace dasvdd;
using namespace dasvdd::detail;

TEST_CASE("a row that several members left out has the mean of their scores, others have none") {
  LeftOutScores scores(4);
  scores.add({{2, 0}, {3, 8}});
  scores.add({{3}, {5}});
  // Every member left each row out: there is nothing of chance to be taken away.
  CHECK(scores.of_ensemble(1).size() == 3);
  const auto of_one = scores.of_ensemble(1);
  CHECK(of_one[0] == doctest::Approx(8));
  CHECK(of_one[1] == doctest::Approx(3));
  CHECK(of_one[2] == doctest::Approx(5));
  scores.add({{2}, {3}});
  CHECK(scores.of_ensemble(3)[1] == doctest::Approx(3));
  CHECK(LeftOutScores(5).of_ensemble(9).empty());
}

TEST_CASE("what two members' chance adds to the spread of the rows is taken away") {
  // Fourth roots of two members' scores: a row's own value, plus or minus 0.2.
  const Index n = 1000;
  Random random(5);
  std::vector<double> own;
  LeftOut first, second;
  for (Index i = 0; i < n; ++i) {
    own.push_back(2 + 0.3 * random.normal());
    const auto score = [&] {
      const double root = own.back() + 0.2 * random.normal();
      return root * root * root * root;
    };
    first.rows.push_back(i);
    first.scores.push_back(score());
    second.rows.push_back(i);
    second.scores.push_back(score());
  }
  LeftOutScores scores(n);
  scores.add(first);
  scores.add(second);
  const auto variance_of_roots = [](const std::vector<double>& x) {
    double mean = 0, squares = 0;
    for (const double s : x) mean += std::pow(s, 0.25) / static_cast<double>(x.size());
    for (const double s : x) squares += std::pow(std::pow(s, 0.25) - mean, 2);
    return squares / static_cast<double>(x.size());
  };
  // Variances 0.09 of the rows and 0.04 of a member's chance: 0.11 with two members, 0.09 + 0.04 / M
  // with M. The mean of two scores has a larger fourth root than its parts', by less than 0.002 here;
  // the variances of a thousand rows scatter by a twentieth.
  CHECK(variance_of_roots(scores.of_ensemble(2)) == doctest::Approx(0.11).epsilon(0.1));
  CHECK(variance_of_roots(scores.of_ensemble(1000000)) == doctest::Approx(0.09).epsilon(0.1));
  const auto drawn = scores.of_ensemble(9), mean = scores.of_ensemble(2);
  for (std::size_t i = 1; i < drawn.size(); ++i)
    CHECK((drawn[i] < drawn[0]) == (mean[i] < mean[0]));
}

TEST_CASE("no row is drawn by more than half, and rows all alike stay") {
  LeftOutScores wild(3);  // members that agree on nothing
  wild.add({{0, 1, 2}, {0, 16, 81}});
  wild.add({{0, 1, 2}, {81, 16, 0}});
  double least = 1e9, most = 0;
  for (const double s : wild.of_ensemble(9)) {
    least = std::min(least, std::pow(s, 0.25));
    most = std::max(most, std::pow(s, 0.25));
  }
  const double before = std::pow(40.5, 0.25) - 2;
  CHECK(most - least == doctest::Approx(before / 2));
  LeftOutScores alike(2);
  alike.add({{0, 1}, {7, 7}});
  alike.add({{0, 1}, {7, 7}});
  for (const double s : alike.of_ensemble(9)) CHECK(s == doctest::Approx(7));
}
