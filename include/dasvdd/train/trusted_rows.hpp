#pragma once
/// \file
/// Which training rows to trust where some may be anomalies.

#include <dasvdd/train/fit_nets.hpp>
#include <dasvdd/train/fit_progress.hpp>
#include <dasvdd/train/gamma.hpp>
#include <dasvdd/train/trainer.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// Random streams beside those of a Trainer: the order of a fit's rows, its members' seeds and its
/// screening nets'.
constexpr std::uint64_t fit_order = 4, fit_seeds = 1000000, fit_screening = 2000000;

/// 0 .. n - 1.
inline std::vector<Index> all_rows(Index n) {
  std::vector<Index> rows(static_cast<std::size_t>(n));
  std::iota(rows.begin(), rows.end(), Index(0));
  return rows;
}

/// The numbers of the `count` rows with the lowest scores, ascending; of equal scores the first.
inline std::vector<Index> lowest(const std::vector<double>& scores, Index count) {
  std::vector<Index> rows = all_rows(static_cast<Index>(scores.size()));
  std::stable_sort(rows.begin(), rows.end(), [&](Index a, Index b) {
    return scores[static_cast<std::size_t>(a)] < scores[static_cast<std::size_t>(b)];
  });
  rows.resize(static_cast<std::size_t>(count));
  std::sort(rows.begin(), rows.end());
  return rows;
}

/// The rows of X by number, scaled, one behind the other.
template <class Scalar>
AlignedBuffer<Scalar> gathered(Rows<const Scalar> X, const Scaler<Scalar>& scaler,
                               const std::vector<Index>& numbers) {
  AlignedBuffer<Scalar> rows(static_cast<Index>(numbers.size()) * X.cols());
  for (std::size_t r = 0; r < numbers.size(); ++r) {
    scaler.apply(kernels::best<Scalar>(), X.row(numbers[r]), X.cols(),
                 rows.data() + static_cast<Index>(r) * X.cols());
  }
  return rows;
}

/// The standardizer of the rows by number; of X itself where they are all of its rows.
template <class Scalar>
Scaler<Scalar> scaler_of(Rows<const Scalar> X, const std::vector<Index>& numbers) {
  const Index n = static_cast<Index>(numbers.size());
  if (n == X.rows()) return Scaler<Scalar>::standardizing(X);
  const AlignedBuffer<Scalar> rows = gathered(X, Scaler<Scalar>(), numbers);
  return Scaler<Scalar>::standardizing(Rows<const Scalar>(rows.data(), n, X.cols()));
}

/// Rows left when a share goes, never fewer than two.
inline Index rows_without(Index n, double share) {
  return std::max<Index>(2, n - static_cast<Index>(std::floor(share * static_cast<double>(n))));
}

/// Screening: four rounds of six briefly trained nets each.
struct Screening {
  static constexpr Index rounds = 4, nets = 6, batch_size = 32;
  /// Mini-batches net i trains for. A brief training gives back what most rows have in common, and
  /// not yet what a few have: the longer it goes on, the better small clusters are hidden.
  static Index steps(Index i) { return Index(100) << (i / 2); }
  /// How many of n rows are trusted. Three times the share of anomalies is left out, for no ranking is
  /// perfect; half of all rows at most.
  static Index trusted(Index n, double contamination) {
    return rows_without(n, std::min(3 * contamination, 0.5));
  }
  /// Rows that net i trains on: as many as its steps take, or all that are trusted, several times.
  static Index rows(Index i, Index trusted) { return std::min(trusted, steps(i) * batch_size); }
  static Index epochs(Index i, Index trusted) {
    return ceil_div(steps(i), ceil_div(rows(i, trusted), batch_size));
  }
  /// Those of all nets.
  static Index all_epochs(Index n, double contamination) {
    Index sum = 0;
    for (Index i = 0; i < nets; ++i) {
      sum += epochs(i, n) + (rounds - 1) * epochs(i, trusted(n, contamination));
    }
    return sum;
  }
};

/// r(x) / mean r of one briefly trained net for every row of X; nothing where the net gives back every
/// row and leaves no mean to divide by, or the fit has been stopped.
/// \param trusted numbers of the rows to train on
template <class Scalar>
std::vector<double> brief_scores(Rows<const Scalar> X, const Scaler<Scalar>& scaler,
                                 const std::vector<Index>& trusted, std::uint64_t seed, Index i,
                                 NetsProgress& progress) {
  Options options;
  options.batch_size = Screening::batch_size;
  options.seed = seed;
  options.threads = 1;
  std::vector<Index> some = trusted;
  Random(seed, fit_order).shuffle(some.data(), some.size());
  const Index count = Screening::rows(i, static_cast<Index>(trusted.size()));
  some.resize(static_cast<std::size_t>(count));
  options.epochs = Screening::epochs(i, static_cast<Index>(trusted.size()));
  const AlignedBuffer<Scalar> numbers = gathered(X, scaler, some);
  const Rows<const Scalar> rows(numbers.data(), count, X.cols());
  const Autoencoder<Scalar> net = fit_net<Scalar>(X.cols(), i % 2);
  options.gamma = fit_gamma(net, rows, seed);
  Trainer<Scalar> trainer(net, options);
  progress.follow(NetsProgress::screening, options.epochs,
                  [&](const auto& tell) { return trainer.train(rows, tell); });
  if (progress.stopped()) return {};

  const TrainerState<Scalar>& state = trainer.state();
  const PackedNetwork<Scalar> packed(net, state.parameters.data(), state.statistics.data());
  std::vector<double> scores(static_cast<std::size_t>(X.rows()));
  forward_all(packed, scaler, X, 1, true,
              [&](Index first, Rows<const Scalar> x, const auto& result) {
                for (Index r = 0; r < x.rows(); ++r) {
                  const double score = static_cast<double>(
                      packed.kernels().squared_distance(result.output.row(r), x.row(r), X.cols()));
                  // A row so far out that the net overflows comes last.
                  scores[static_cast<std::size_t>(first + r)] =
                      is_finite(score) ? score : std::numeric_limits<float>::max();
                }
              });
  double mean = 0;
  for (const Index r : trusted) mean += scores[static_cast<std::size_t>(r)];
  mean /= static_cast<double>(trusted.size());
  if (!(mean > 0)) return {};
  for (double& score : scores) score /= mean;
  return scores;
}

/// Numbers of the rows to train on, ascending, where a share of X is anomalies: in each round nets
/// are trained briefly on the rows trusted so far, and those of all rows that they give back best are
/// trusted in the next, as the minimum covariance determinant does with a covariance (Rousseeuw &
/// van Driessen 1999). Where it is stopped, the rows trusted so far.
template <class Scalar>
std::vector<Index> trusted_rows(Rows<const Scalar> X, double contamination, bool standardize,
                                std::uint64_t seed, int threads, NetsProgress& progress) {
  const Index n = X.rows();
  std::vector<Index> trusted = all_rows(n);
  for (Index round = 0; round < Screening::rounds; ++round) {
    const Scaler<Scalar> scaler = standardize ? scaler_of(X, trusted) : Scaler<Scalar>();
    std::vector<std::vector<double>> scores(static_cast<std::size_t>(Screening::nets));
    progress.each(threads, Screening::nets, [&](Index i) {
      const std::uint64_t stream = static_cast<std::uint64_t>(round * Screening::nets + i);
      scores[static_cast<std::size_t>(i)] = brief_scores(
          X, scaler, trusted, Random(seed, fit_screening + stream).bits(), i, progress);
    });
    if (progress.stopped()) break;
    std::vector<double> sums(static_cast<std::size_t>(n));
    for (const auto& of_net : scores) {
      for (std::size_t r = 0; r < of_net.size(); ++r) sums[r] += of_net[r];
    }
    trusted = lowest(sums, Screening::trusted(n, contamination));
  }
  return trusted;
}

}  // namespace detail
DASVDD_NAMESPACE_END
