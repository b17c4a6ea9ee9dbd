// One small detector a group: what the others are doesn't matter, and one that can't be had costs a sentence.

#include "denormals.hpp"
#include "heap.hpp"

#include <dasvdd/fit/fit_many.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <set>
#include <string>
#include <vector>

namespace {

using namespace dasvdd;

RowMatrix<float> normal_rows(Index n, Index d, std::uint64_t seed) {
  RowMatrix<float> X(n, d);
  Random random(seed);
  for (Index i = 0; i < n; ++i) {
    // Correlated features, far from the origin.
    const double common = random.normal();
    for (Index j = 0; j < d; ++j) {
      X(i, j) =
          static_cast<float>(50 + 3 * static_cast<double>(j) + common + 0.5 * random.normal());
    }
  }
  return X;
}

/// Rows of `groups` groups of `n` rows, in turn: group g has the rows g, g + groups, ...
std::vector<std::string> keys_in_turn(Index groups, Index n) {
  std::vector<std::string> keys;
  for (Index i = 0; i < groups * n; ++i) keys.push_back("m" + std::to_string(i % groups));
  return keys;
}

BankOptions quick(Index steps = 12) {
  BankOptions options;
  options.steps = steps;
  options.threads = 1;
  return options;
}

/// All that a group's detector consists of.
std::vector<double> numbers(const Bank& bank, const std::string& key) {
  const auto& content = bank.content();
  const auto& layout = content.layout;
  const Index g = bank.find(key);
  REQUIRE(g >= 0);
  std::vector<double> all(content.floats_of(g), content.floats_of(g) + layout.floats());
  all.insert(all.end(), content.doubles_of(g), content.doubles_of(g) + layout.doubles());
  for (Index i = 0; i < detail::BankLayout::counts; ++i)
    all.push_back(static_cast<double>(content.counts_of(g)[i]));
  return all;
}

std::string sentence_of(const Bank& bank, const std::string& key) {
  for (const auto& refused : bank.refused()) {
    if (refused.key == key) return refused.sentence;
  }
  return "not refused";
}

template <class Action>
std::string refusal(Action&& action) {
  try {
    action();
  } catch (const InvalidArgument& error) {
    return error.what();
  }
  return "nothing thrown";
}

}  // namespace

TEST_CASE(
    "a group's detector has the same bits on any number of threads, whatever the other groups") {
  const auto X = normal_rows(7 * 60, 4, 1);
  const auto keys = keys_in_turn(7, 60);
  const Bank one = fit_many(X, keys, quick());
  BankOptions options = quick();
  options.threads = 3;
  const Bank three = fit_many(X, keys, options);
  REQUIRE(one.size() == 7);
  for (const std::string& key : one.keys()) CHECK(numbers(one, key) == numbers(three, key));

  // Alone, and with offsets in place of keys.
  RowMatrix<float> alone(60, 4);
  for (Index i = 0; i < 60; ++i) alone.row(i) = X.row(7 * i + 3);
  const Bank single = fit_many(alone, std::vector<std::string>(60, "m3"), quick());
  CHECK(numbers(single, "m3") == numbers(one, "m3"));
  const Bank by_offsets = fit_many(alone, std::vector<Index>{0, 30, 60}, quick());
  const Bank by_key =
      fit_many(RowMatrix<float>(alone.bottomRows(30)), std::vector<std::string>(30, "1"), quick());
  CHECK(by_offsets.keys() == std::vector<std::string>{"0", "1"});
  CHECK(numbers(by_offsets, "1") == numbers(by_key, "1"));

  // Key and seed are what it is drawn from.
  CHECK(numbers(fit_many(alone, std::vector<std::string>(60, "m4"), quick()), "m4") !=
        numbers(one, "m3"));
  options = quick();
  options.seed = 1;
  CHECK(numbers(fit_many(X, keys, options), "m3") != numbers(one, "m3"));
}

TEST_CASE("a group that can't be fitted costs its sentence") {
  auto X = normal_rows(6 * 30, 3, 2);
  auto keys = keys_in_turn(6, 30);
  const Bank whole = fit_many(X, keys, quick());
  constexpr float infinity = std::numeric_limits<float>::infinity();
  X(0 + 6 * 4, 1) = std::numeric_limits<float>::quiet_NaN();
  X(1 + 6 * 2, 2) = -infinity;
  for (Index i = 2; i < X.rows(); i += 6) X.row(i) << 1, 2, 3;
  for (std::size_t i = 3; i < keys.size(); i += 6) keys[i] = i < 30 ? "short" : "m5";
  const Bank bank = fit_many(X, keys, quick());
  CHECK(bank.size() == 2);
  CHECK(bank.refused().size() == 4);
  CHECK(sentence_of(bank, "m0") == "has NaN in row 24, column 1; every value must be finite");
  CHECK(sentence_of(bank, "m1") == "has -infinity in row 13, column 2; every value must be finite");
  CHECK(sentence_of(bank, "m2") == "is constant: all its rows are the same");
  CHECK(sentence_of(bank, "short") == "has 5 rows, expected at least 20");
  CHECK(numbers(bank, "m4") == numbers(whole, "m4"));
  CHECK(bank.find("m0") == -1);

  // Their rows have no score; a key that never was is a mistake.
  const RowMatrix<float> rows = normal_rows(3, 3, 9);
  const auto scores = bank.score_many(rows, {"m4", "m2", "m4"});
  CHECK(scores[0] > 0);
  CHECK(std::isnan(scores[1]));
  CHECK(bank.predict(rows, {"m4", "m2", "m4"})[1] == -1);
  CHECK(refusal([&] {
          bank.score_many(rows, {"m4", "m9", "m4"});
        }) == "row 1 is of the group 'm9', of which the bank of 2 groups has no detector");
  CHECK(refusal([&] { bank.score(rows, "m2"); }) ==
        "the group 'm2' has no detector: it is constant: all its rows are the same");
  CHECK(refusal([&] { bank.score(rows, "x"); }) == "the bank of 2 groups has no group 'x'");

  // All of them: an empty bank with the sentences.
  const Bank none = fit_many(RowMatrix<float>(X.topRows(5)),
                             std::vector<std::string>{"a", "b", "a", "b", "c"}, quick());
  CHECK(none.size() == 0);
  CHECK(sentence_of(none, "c") == "has 1 row, expected at least 20");
}

TEST_CASE("banks of some groups each are joined to the bank of one fit over all") {
  // The last four groups have 29 rows.
  auto X = normal_rows(9 * 30 - 4, 3, 11);
  auto keys = keys_in_turn(9, 30);
  keys.resize(static_cast<std::size_t>(X.rows()));
  for (Index i = 4; i < X.rows(); i += 9) X.row(i) << 1, 2, 3;
  for (Index i = 7; i < X.rows(); i += 9) X.row(i) << 3, 2, 1;
  BankOptions options = quick();
  options.feature_names = {"a", "b", "c"};
  const Bank whole = fit_many(X, keys, options);
  REQUIRE(whole.size() == 7);

  // Neither part's groups lie together in the order of the keys; the third has none that could be fitted.
  const std::vector<std::set<Index>> groups = {{8, 2, 5, 4}, {0, 1, 3, 6}, {7}};
  std::vector<Bank> parts;
  for (const auto& mine : groups) {
    RowMatrix<float> rows(static_cast<Index>(mine.size()) * 30, 3);
    std::vector<std::string> of_rows;
    for (Index i = 0; i < X.rows(); ++i) {
      if (mine.count(i % 9) == 0) continue;
      rows.row(static_cast<Index>(of_rows.size())) = X.row(i);
      of_rows.push_back(keys[static_cast<std::size_t>(i)]);
    }
    rows.conservativeResize(static_cast<Index>(of_rows.size()), 3);
    parts.push_back(fit_many(rows, of_rows, options));
  }
  for (const auto& order : {parts, std::vector<Bank>{parts[2], parts[1], parts[0]}}) {
    const Bank joined = Bank::joined(order);
    CHECK(joined.keys() == whole.keys());
    CHECK(joined.features() == 3);
    CHECK(joined.feature_names() == whole.feature_names());
    CHECK(joined.facts() == whole.facts());
    for (const std::string& key : whole.keys()) CHECK(numbers(joined, key) == numbers(whole, key));
    CHECK(joined.score_many(X.topRows(4), {"m8", "m1", "m0", "m2"}) ==
          whole.score_many(X.topRows(4), {"m8", "m1", "m0", "m2"}));
    REQUIRE(joined.refused().size() == 2);
    CHECK(joined.refused()[0].key == "m4");
    CHECK(sentence_of(joined, "m4") == "is constant: all its rows are the same");
    CHECK(sentence_of(joined, "m7") == "is constant: all its rows are the same");
  }
  CHECK(Bank::joined({parts[2]}).size() == 0);
}

TEST_CASE("banks that don't belong together are not joined") {
  const auto X = normal_rows(4 * 20, 3, 12);
  const Bank bank = fit_many(X, keys_in_turn(4, 20), quick());
  const auto of = [&](const std::string& key, const BankOptions& options) {
    return fit_many(RowMatrix<float>(X.topRows(30)), std::vector<std::string>(30, key), options);
  };
  CHECK(refusal([&] { Bank::joined({}); }) == "there are no banks to join");
  CHECK(refusal([&] {
          Bank::joined({of("x", quick()), bank, of("m2", quick())});
        }) ==
        "the group 'm2' is in bank 1 and in bank 2; all rows of a group must be fitted in "
        "one place");
  // One that was refused is a group, too.
  const Bank refused = fit_many(RowMatrix<float>(X.topRows(3)), {"m2", "m2", "m2"}, quick());
  CHECK(refusal([&] { Bank::joined({bank, refused}); }).find("the group 'm2' is in bank 0") == 0);
  BankOptions options = quick();
  options.seed = 7;
  CHECK(refusal([&] {
          Bank::joined({bank, of("x", options)});
        }) == "bank 1 was fitted otherwise than bank 0: seed 7, steps 12, not seed 0, steps 12");
  options = quick();
  options.feature_names = {"a", "b", "c"};
  CHECK(refusal([&] {
          Bank::joined({bank, of("x", options)});
        }) == "bank 1 has other feature names than bank 0");
  const Bank narrow = fit_many(normal_rows(30, 2, 1), std::vector<std::string>(30, "x"), quick());
  CHECK(refusal([&] { Bank::joined({bank, narrow}); }) == "bank 1 is of 2 features, bank 0 of 3");
}

TEST_CASE("bad arguments are refused before anything is trained") {
  const auto X = normal_rows(40, 3, 3);
  const std::vector<std::string> keys(40, "a");
  CHECK(refusal([&] { fit_many(X, std::vector<std::string>(39, "a")); }) ==
        "there are 39 keys for 40 rows, expected one a row");
  CHECK(refusal([&] {
          fit_many(X, std::vector<Index>{0, 30});
        }) == "the offsets of groups must begin with 0 and end with 40, the number of rows");
  CHECK(refusal([&] {
          fit_many(X, std::vector<Index>{0, 30, 20, 40});
        }) == "offset 2 is 20, below the one before it, 30");
  // More rows than there is memory for their numbers.
  CHECK(refusal([&] {
          fit_many(X, std::vector<Index>{0, Index(1) << 50, 40});
        }) == "offset 2 is 40, below the one before it, 1125899906842624");
  CHECK(refusal([&] { fit_many(normal_rows(40, 33, 1), keys); }).find("at most 32") !=
        std::string::npos);
  BankOptions options = quick(-1);
  CHECK(refusal([&] { fit_many(X, keys, options); }).find("steps is -1") == 0);
  options = quick();
  options.least_rows = 5;
  CHECK(refusal([&] { fit_many(X, keys, options); }).find("least_rows is 5") == 0);
  options = quick();
  options.feature_names = {"a", "b"};
  CHECK(refusal([&] { fit_many(X, keys, options); }) == "there are 2 feature names for 3 features");
}

TEST_CASE("a group has no more rows than its file may speak of") {
  constexpr Index most = detail::BankLayout::most_rows;
  CHECK(detail::size_refusal(most, 20).empty());
  CHECK(detail::size_refusal(most + 1, 20) == "has 83886081 rows, expected at most 83886080");
  CHECK(most - detail::Folds::rows(most, 0) == detail::BankLayout::most_scores);
}

TEST_CASE("progress counts groups and ends a fit") {
  const auto X = normal_rows(5 * 20, 2, 4);
  std::vector<Index> done;
  const Bank bank = fit_many(X, keys_in_turn(5, 20), quick(), [&](const FitProgress& at) {
    CHECK(half_of_smallest() > 0);  // in the program's own floating-point mode
    CHECK(at.total == 5);
    done.push_back(at.done);
    return at.done < 3;
  });
  CHECK(done == std::vector<Index>{1, 2, 3});
  CHECK(bank.size() == 3);
  CHECK(sentence_of(bank, "m4") == "was not fitted: the fit was stopped before");
}

TEST_CASE("a row's score doesn't depend on its batch, and is that of the group's own Detector") {
  const auto X = normal_rows(3 * 80, 5, 5);
  const auto keys = keys_in_turn(3, 80);
  const Bank bank = fit_many(X, keys, quick(60));
  const auto scores = bank.score_many(X, keys, 2);
  const std::vector<Index> groups = bank.places(keys, X.rows());
  auto workspace = bank.make_workspace();
  for (Index i = 0; i < X.rows(); ++i) {
    float alone;
    bank.score_many(X.middleRows(i, 1), &groups[static_cast<std::size_t>(i)], workspace, &alone);
    CHECK(alone == scores[i]);
  }
  for (const std::string& key : bank.keys()) {
    const Detector<float> detector = bank.detector(key);
    const auto of_detector = detector.score(X);
    const auto of_bank = bank.score(X, key);
    // Of two centers equally near, the detector takes either; rounding apart they give one score.
    for (Index i = 0; i < X.rows(); ++i)
      CHECK(of_bank[i] == doctest::Approx(of_detector[i]).epsilon(1e-5));
    const Index g = bank.find(key);
    CHECK(detector.threshold() == bank.threshold(g));
    for (Index i = 0; i < X.rows(); ++i)
      CHECK(detector.p_value(of_bank[i]) == bank.p_value(g, of_bank[i]));
  }
  // Rows of double are scaled in double: the offset doesn't hide what the features vary by.
  RowMatrix<double> far = X.cast<double>();
  far.array() += 1e9;
  const Bank wide = fit_many(far, keys, quick(60));
  const auto of_wide = wide.score_many(far, keys);
  CHECK(std::isfinite(of_wide[0]));
  CHECK((of_wide - scores).cwiseAbs().maxCoeff() < 0.2f * scores.maxCoeff());
}

#if DASVDD_TEST_COUNTS_MEMORY
TEST_CASE("scoring with a bank's workspace allocates nothing") {
  const auto X = normal_rows(4 * 30, 6, 6);
  const auto keys = keys_in_turn(4, 30);
  const Bank bank = fit_many(X, keys, quick());
  const std::vector<Index> groups = bank.places(keys, X.rows());
  const RowMatrix<double> doubles = X.cast<double>();
  auto workspace = bank.make_workspace();
  std::vector<float> scores(groups.size());
  CHECK(heap::allocations_in(
            [&] { bank.score_many(X, groups.data(), workspace, scores.data()); }) == 0);
  CHECK(heap::allocations_in(
            [&] { bank.score_many(doubles, groups.data(), workspace, scores.data()); }) == 0);
}
#endif

TEST_CASE("a detector takes at most 8 KB for up to 20 features") {
  for (Index d = 1; d <= detail::BankLayout::most_features; ++d) {
    const detail::BankLayout layout{d};
    CAPTURE(d);
    CHECK(layout.centers() >= 8);
    if (d <= 20) CHECK(layout.bytes() <= 8192);
    if (d <= 10) CHECK(layout.centers() == 96);
  }
}

TEST_CASE("thinned scores give p-values that are never too small, and exact at the top") {
  Random random(3);
  for (const Index n : {1, 5, 63, 64, 65, 99, 288, 494, 5000, 100000}) {
    CAPTURE(n);
    std::vector<double> scores;
    for (Index i = 0; i < n; ++i) scores.push_back(random.uniform());
    const auto ranks = detail::kept_ranks(n, 64);
    REQUIRE(static_cast<Index>(ranks.size()) == (std::min)(n, Index(64)));
    CHECK(ranks.front() == 1);
    CHECK(ranks.back() == n);
    const auto kept = detail::thinned_scores(scores, 64);
    REQUIRE(kept.size() == ranks.size());
    const Calibration exact(scores), filled(detail::filled_scores(ranks, kept.data()));
    CHECK(static_cast<Index>(filled.scores().size()) == n);
    double worst = 1;
    for (Index i = 0; i < 2000; ++i) {
      const float score = static_cast<float>(random.uniform(-0.1, 1.1));
      const double p = exact.p_value(static_cast<double>(score));
      const Index above = detail::most_not_below(ranks, kept.data(), score);
      const double thinned = (1 + static_cast<double>(above)) / (1 + static_cast<double>(n));
      CHECK(thinned == filled.p_value(static_cast<double>(score)));
      CHECK(thinned >= p);
      if (p * static_cast<double>(n + 1) < 33) CHECK(thinned == p);
      worst = (std::max)(worst, thinned / p);
    }
    // Ranks grow by 3 / 128 of a rank's size for each doubling above 32, and by one for rounding up.
    CHECK(worst < (n <= 512 ? 1.13 : 1.45));
  }
}

// Rows of the same kind as the training rows have p-values of at most p with a probability of at most p. Each of 150
// groups has its own chance: its share of new rows with p <= 0.05 has a standard deviation of some sqrt(0.05 / n), 0.035
// for 40 calibration scores, and 40 new rows add the same again. So the mean over 150 groups has 0.004, and 0.05 + 0.012
// is three of them. Below 0.03 the p-values would be of little use.
TEST_CASE("p-values of small and of large groups hold for new rows") {
  struct Case {
    Index groups, rows;
  };
  for (const Case c : {Case{150, 40}, Case{40, 500}}) {
    CAPTURE(c.rows);
    const Index fresh = 40, d = 4;
    const auto X = normal_rows(c.groups * c.rows, d, 7);
    const Bank bank = fit_many(X, keys_in_turn(c.groups, c.rows), quick(60));
    REQUIRE(bank.size() == c.groups);
    const auto keys = keys_in_turn(c.groups, fresh);
    const auto scores = bank.score_many(normal_rows(c.groups * fresh, d, 8), keys);
    const auto places = bank.places(keys, scores.size());
    double small = 0, above = 0;
    for (Index i = 0; i < scores.size(); ++i) {
      const Index g = places[static_cast<std::size_t>(i)];
      small += bank.p_value(g, scores[i]) <= 0.05;
      above += static_cast<double>(scores[i]) > bank.threshold(g);
    }
    const double n = static_cast<double>(scores.size());
    CHECK(bank.calibration_size(0) == (c.rows < 495 ? c.rows : 100));
    CHECK(small / n < 0.062);
    CHECK(small / n > 0.03);
    // One in 41 rows of the small groups, one in a hundred of the others; the same three deviations.
    CHECK(above / n < (c.rows < 495 ? 0.033 : 0.017));
    MESSAGE(c.rows << " rows: p <= 0.05 in " << small / n << ", above the threshold " << above / n);
  }
}
