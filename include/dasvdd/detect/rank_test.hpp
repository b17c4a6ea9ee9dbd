#pragma once
/// \file
/// Whether new values are like old ones: a sequential test of ranks, in bounded memory.

#include <dasvdd/core/finite.hpp>
#include <dasvdd/core/random.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// Tests that new values are exchangeable with reference values, by the places they take among them.
///
/// Null law. n reference values leave n + 1 gaps. If all values are exchangeable, and t new ones have been seen, the
/// next falls into a gap that holds k of them with probability (1 + k) / (n + 1 + t), whatever the values'
/// distribution: Polya's urn. B bins of neighboring gaps follow the same law with the sum of their gaps' 1 + k, and
/// are all that is stored. The urn learns from the stream, so the law is exact for ever. Frequencies of the reference
/// alone are not: they differ from the true ones by about 1 / sqrt(n), which a long stream would find out. Equal values
/// are ordered by a random number each, as smoothed conformal p-values do; otherwise the law would need continuous
/// values.
///
/// Bets. A bet is a distribution function F on [0, 1]. A row multiplies its wealth by (F(b) - F(a)) / (b - a), where
/// (a, b) is the stretch of [0, 1] that the urn gives to the row's bin: the mean of F's density there, whose
/// expectation is 1 whatever came before. Before every row a part of the reserve goes to each bet, so a bet's wealth is a
/// mixture over the row at which a change may have begun (a Shiryaev-Roberts sum whose weights add up to 1 over all
/// time). Wealth and reserve together, the evidence, are a nonnegative martingale that starts at 1: a conformal test
/// martingale (Vovk, Gammerman & Shafer 2005). The chance that it ever reaches 1 / alpha is at most alpha (Ville 1939).
///
/// An update takes O(B) steps, B <= 33 + 2 log2(n + 1); a log2 of n is what it takes to resolve both ends of the
/// reference down to single values.
class RankTest {
 public:
  /// The shapes of change that are bet on.
  static constexpr std::size_t bets = 17;

  /// The whole test in plain numbers.
  struct State {
    std::vector<double> edges;  ///< B - 1 of the reference values, ascending: the bins' borders
    std::vector<double> tie_breaks;  ///< B - 1 in [0, 1): the order among equal values
    std::vector<double> masses;      ///< B: the sum of 1 + k over a bin's gaps
    std::vector<double> wealth;      ///< one a bet
    double peak = 1;                 ///< the most evidence so far
  };

  /// \param reference n >= 1 values, none NaN
  RankTest(const std::vector<double>& reference, Random& random) {
    std::vector<std::pair<double, double>> sorted;
    for (const double value : reference) sorted.emplace_back(value, random.uniform());
    std::sort(sorted.begin(), sorted.end());
    std::size_t below = 0;
    for (const std::size_t rank : edge_ranks(sorted.size())) {
      state_.edges.push_back(sorted[rank - 1].first);
      state_.tie_breaks.push_back(sorted[rank - 1].second);
      state_.masses.push_back(static_cast<double>(rank - below));
      below = rank;
    }
    state_.masses.push_back(static_cast<double>(sorted.size() + 1 - below));
    state_.wealth.assign(bets, 0);
  }

  /// Goes on where `state` was taken. Throws InvalidArgument unless its sizes fit and its numbers can be a test's.
  explicit RankTest(State state) : state_(std::move(state)) {
    const std::size_t bins = state_.masses.size();
    ensure(bins >= 2 && state_.edges.size() + 1 == bins && state_.tie_breaks.size() + 1 == bins &&
               state_.wealth.size() == bets,
           "the state of a rank test has ", state_.edges.size(), " edges, ",
           state_.tie_breaks.size(), " tie breaks, ", bins, " masses and ", state_.wealth.size(),
           " bets, expected B - 1, B - 1, B >= 2 and ", bets);
    for (std::size_t i = 0; i + 1 < bins; ++i) {
      const double edge = state_.edges[i], tie_break = state_.tie_breaks[i];
      const bool ascending = i == 0 || state_.edges[i - 1] < edge ||
                             (state_.edges[i - 1] == edge && state_.tie_breaks[i - 1] <= tie_break);
      ensure(!is_nan(edge) && ascending && tie_break >= 0 && tie_break < 1,
             "the state of a rank test has edge ", i, " at ", edge, " with tie break ", tie_break,
             ", expected ascending edges and tie breaks from 0 to 1");
    }
    for (const double mass : state_.masses) {
      ensure(mass >= 1 && mass < 0x1p53, "the state of a rank test has a mass of ", mass,
             ", expected at least 1");
    }
    for (const double wealth : state_.wealth) {
      ensure(wealth >= 0 && wealth <= most_wealth, "the state of a rank test has a wealth of ",
             wealth, ", expected a number from 0 to ", most_wealth);
    }
    ensure(state_.peak >= 1, "the state of a rank test has a peak of ", state_.peak,
           ", expected at least 1");
  }

  /// What the bets have not yet got after `row` rows, 1 after none. It falls so slowly that a change after 10^6 rows
  /// still finds 1e-8 a row, and is then found later by what a gain of 1e8 takes.
  static double reserve(std::uint64_t row) {
    return 1 / (1 + portable_log(1 + static_cast<double>(row) / 100));
  }
  /// What one row takes from the reserve for each bet, and what it leaves: the same for all tests of a stream.
  struct Stake {
    double each, left;
  };
  /// \param row counted from 1
  static Stake stake(std::uint64_t row) {
    const double left = reserve(row);
    // After some 10^14 rows less than rounding is taken.
    return {(std::max)(0.0, reserve(row - 1) - left) / double(bets), left};
  }

  /// The next value, with its row's stake; returns the evidence after it.
  double add(double value, const Stake& stake, Random& random) {
    const std::size_t bin = find(value, random);
    double below = 0, above = 0;  // whole numbers: exact in any order
    for (std::size_t i = 0; i < bin; ++i) below += state_.masses[i];
    for (std::size_t i = bin + 1; i < state_.masses.size(); ++i) above += state_.masses[i];
    const double mass = state_.masses[bin], total = below + mass + above;
    state_.masses[bin] = mass + 1;

    const auto low = distributions(below / total, (mass + above) / total);
    const auto high = distributions((below + mass) / total, above / total);
    const double stretch = total / mass;
    for (std::size_t i = 0; i < bets; ++i) {
      const double factor = (high[i] - low[i]) * stretch;
      state_.wealth[i] = (std::min)(most_wealth, factor * (state_.wealth[i] + stake.each));
    }
    const double evidence = wealth_and(stake.left);
    state_.peak = (std::max)(state_.peak, evidence);
    return evidence;
  }

  /// The martingale after `row` rows.
  double evidence(std::uint64_t row) const { return wealth_and(reserve(row)); }
  /// The most it has been.
  double peak() const { return state_.peak; }
  const State& state() const { return state_; }

 private:
  /// A ceiling, for a long drift would end in infinity.
  static constexpr double most_wealth = 1e290;

  double wealth_and(double reserve) const {
    for (const double wealth : state_.wealth) reserve += wealth;
    return reserve;
  }

  /// Every bet's F at one place of [0, 1], given by its distances from both ends, for 1 - v has lost the digits that
  /// the upper end needs. In operations that every compiler rounds alike.
  static std::array<double, bets> distributions(double below, double above) {
    const double half_b = std::sqrt(below), quarter_b = std::sqrt(half_b);
    const double half_a = std::sqrt(above), quarter_a = std::sqrt(half_a);
    const double eighth_b = std::sqrt(quarter_b), three_quarters_b = std::sqrt(below * half_b);
    const double eighth_a = std::sqrt(quarter_a), three_quarters_a = std::sqrt(above * half_a);
    const double squared = below * below;
    return {// Up, from far to a little: 1 - above^e, and densities that rise on a line.
            1 - eighth_a, 1 - quarter_a, 1 - half_a, 1 - three_quarters_a,
            std::fma(-below, above, below), std::fma(-0.3 * below, above, below),
            // A share of the rows far up, the others as they were.
            std::fma(0.05, 1 - eighth_a - below, below), std::fma(0.2, 1 - eighth_a - below, below),
            // Down.
            eighth_b, quarter_b, half_b, three_quarters_b, std::fma(below, above, below),
            std::fma(0.3 * below, above, below),
            // Wider: half up, half down. Narrower: density 6 v (1 - v).
            (quarter_b + (1 - quarter_a)) / 2, (half_b + (1 - half_a)) / 2,
            std::fma(squared, std::fma(-2.0, below, 2.0), squared)};
  }

  /// The ranks, from 1, of the reference values that become edges: at all 32nds, and towards both ends at 1/64, 1/128
  /// and so on down to single values.
  static std::vector<std::size_t> edge_ranks(std::size_t n) {
    std::vector<double> levels;
    for (int i = 1; i < 32; ++i) levels.push_back(i / 32.0);
    const double gaps = static_cast<double>(n) + 1;
    for (double tail = 1.0 / 64; tail * gaps >= 0.5; tail /= 2) {
      levels.push_back(tail);
      levels.push_back(1 - tail);
    }
    std::vector<std::size_t> ranks;
    for (const double level : levels) {
      const double rank = std::floor(std::fma(level, gaps, 0.5));
      if (rank >= 1 && rank < gaps) ranks.push_back(static_cast<std::size_t>(rank));
    }
    std::sort(ranks.begin(), ranks.end());
    ranks.erase(std::unique(ranks.begin(), ranks.end()), ranks.end());
    return ranks;
  }

  /// The bin of a value. Its own random number is drawn only where it decides.
  std::size_t find(double value, Random& random) const {
    const auto [first, last] = std::equal_range(state_.edges.begin(), state_.edges.end(), value);
    const auto from = first - state_.edges.begin(), to = last - state_.edges.begin();
    if (from == to) return static_cast<std::size_t>(from);
    const auto ties = state_.tie_breaks.begin();
    return static_cast<std::size_t>(std::upper_bound(ties + from, ties + to, random.uniform()) -
                                    ties);
  }

  State state_;
};

}  // namespace detail
DASVDD_NAMESPACE_END
