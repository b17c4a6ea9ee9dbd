#pragma once
/// \file
/// From the scores of rows that members left out to the calibration of their ensemble.

#include <dasvdd/train/finish.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// The scores that rows get from the members that were not trained on them, one number a row:
/// cross-conformal calibration (Vovk 2015; Barber, Candes, Ramdas & Tibshirani 2021) with the folds'
/// scores in one list.
class LeftOutScores {
 public:
  /// \param rows n, of the whole table
  explicit LeftOutScores(Index rows) : of_row_(static_cast<std::size_t>(rows)) {}

  /// What one member says of the rows it left out, by their numbers in the table.
  void add(const LeftOut& member) {
    for (std::size_t i = 0; i < member.rows.size(); ++i) {
      Row& row = of_row_[static_cast<std::size_t>(member.rows[i])];
      const double score = member.scores[i];
      if (row.count < 2) row.first[row.count] = score;
      row.count += 1;
      row.sum += score;
    }
  }

  /// The scores that the whole ensemble would give the rows, of those that some member left out.
  ///
  /// A row's mean over the few members that left it out has more of their chance in it than a new
  /// row's mean over all M members: compared as they are, too few new rows would come out high. So
  /// the rows' fourth roots g, whose distribution is nearly symmetric, are drawn towards their mean:
  ///     g <- mean g + (g - mean g) sqrt(1 - c (1 / m - 1 / M) / V),
  /// with V the variance of g, m the members that left the row out, and c the variance of one member's
  /// chance: half the mean square of the difference between two members that left out the same row. No
  /// row is drawn by more than half. docs/method.md has what this was measured to do.
  std::vector<double> of_ensemble(std::size_t members) const {
    std::vector<double> roots, shares;
    double chance = 0, pairs = 0;
    for (const Row& row : of_row_) {
      if (row.count == 0) continue;
      const double count = static_cast<double>(row.count);
      roots.push_back(root(row.sum / count));
      shares.push_back(1 / count - 1 / static_cast<double>(members));
      if (row.count < 2) continue;
      const double difference = root(row.first[0]) - root(row.first[1]);
      chance = std::fma(difference, difference, chance);
      pairs += 2;
    }
    double mean = 0, variance = 0;
    for (const double g : roots) mean += g / static_cast<double>(roots.size());
    for (const double g : roots) variance = std::fma(g - mean, g - mean, variance);
    variance /= static_cast<double>(std::max<std::size_t>(roots.size(), 1));
    const double excess = pairs > 0 && variance > 0 ? chance / pairs / variance : 0;
    std::vector<double> scores;
    for (std::size_t i = 0; i < roots.size(); ++i) {
      const double factor = std::sqrt((std::max)(1 - excess * shares[i], 0.25));
      const double g = std::fma(roots[i] - mean, factor, mean);
      scores.push_back(g * g * (g * g));
    }
    return scores;
  }

 private:
  struct Row {
    std::size_t count = 0;
    double sum = 0, first[2] = {0, 0};  ///< of the scores; the first two of them
  };

  static double root(double score) { return std::sqrt(std::sqrt(score)); }

  std::vector<Row> of_row_;
};

}  // namespace detail
DASVDD_NAMESPACE_END
