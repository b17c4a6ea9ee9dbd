#pragma once
/// \file
/// Which training rows to trust where some may be anomalies.

#include <dasvdd/fit/fit_options.hpp>
#include <dasvdd/fit/fit_process.hpp>
#include <dasvdd/fit/gathered_rows.hpp>
#include <dasvdd/fit/member_nets.hpp>
#include <dasvdd/fit/progress.hpp>
#include <dasvdd/train/trainer.hpp>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// Of rows' numbers the `count` with the lowest scores, ascending; of equal scores the first.
inline std::vector<Index> lowest(const std::vector<double>& scores, std::vector<Index> rows,
                                 Index count) {
  std::stable_sort(rows.begin(), rows.end(), [&](Index a, Index b) {
    return scores[static_cast<std::size_t>(a)] < scores[static_cast<std::size_t>(b)];
  });
  rows.resize(static_cast<std::size_t>(count));
  std::sort(rows.begin(), rows.end());
  return rows;
}

/// Rows left without a share of them, never fewer than two.
inline Index rows_without(Index n, double share) {
  return std::max<Index>(2, n - static_cast<Index>(std::floor(share * static_cast<double>(n))));
}

/// Screening: four rounds of six briefly trained nets each.
struct Screening {
  static constexpr Index rounds = 4, nets = 6, batch_size = 32;
  /// Mini-batches net i trains for. A brief training reconstructs what most rows have in common, and
  /// not yet what a few have. A longer one hides small clusters better.
  static Index steps(Index i) { return Index(100) << (i / 2); }
  /// How many of n rows are trusted. Three times the share of anomalies is left out, because no
  /// ranking is perfect; half of all rows at most.
  static Index trusted(Index n, double contamination) {
    return rows_without(n, (std::min)(3 * contamination, 0.5));
  }
  /// Rows that net i trains on: as many as its steps take, or all that are trusted, several times.
  static Index rows(Index i, Index trusted) { return (std::min)(trusted, steps(i) * batch_size); }
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

/// r(x) / mean r of one briefly trained net for every row of X; nothing where the net reconstructs
/// every row exactly, so that there is no mean to divide by, or where the fit has been stopped.
/// \param trusted numbers of the rows to train on
/// \param stop see RunOptions
template <class Scalar>
std::vector<double> brief_scores(const AnyRows& X, const Scaler<Scalar>& scaler,
                                 const std::vector<Index>& trusted, std::uint64_t seed, Index i,
                                 NetsProgress& progress, const std::atomic<bool>* stop) {
  Options options;
  options.batch_size = Screening::batch_size;
  options.seed = seed;
  options.threads = 1;
  options.stop = stop;
  std::vector<Index> some = trusted;
  random_stream(seed, Stream::fit_order).shuffle(some.data(), some.size());
  const Index count = Screening::rows(i, static_cast<Index>(trusted.size()));
  some.resize(static_cast<std::size_t>(count));
  options.epochs = Screening::epochs(i, static_cast<Index>(trusted.size()));
  const GatheredRows<Scalar> mine(X, scaler, some);
  const Rows<const Scalar> rows = mine.rows();
  const Index d = rows.cols();
  const Autoencoder<Scalar> net = member_net<Scalar>(d, i % 2);
  options.gamma = member_gamma(FitOptions().gamma, net, scaled_already(scaler), rows, seed);
  if (scaler.masks()) options.missing = MissingRule::mask;
  const MissingPlaces missing = scaler.masks() ? MissingPlaces(X) : MissingPlaces();
  Trainer<Scalar> trainer(net, options);
  progress.follow(NetsProgress::screening, options.epochs,
                  [&](const auto& tell) { return trainer.train(rows, tell); });
  if (progress.stopped()) return {};

  const auto& state = trainer.state();
  const PackedNetwork<Scalar> packed(net, state.parameters.data(), state.statistics.data());
  std::vector<double> scores(static_cast<std::size_t>(X.rows()));
  forward_rows(packed, scaler, X, 1, true,
               [&](Index first, Rows<const Scalar> x, const auto& result) {
                 for (Index r = 0; r < x.rows(); ++r) {
                   double score = static_cast<double>(
                       packed.kernels().squared_distance(result.output.row(r), x.row(r), d));
                   if (!missing.none()) score *= missing.widening(first + r);
                   // A row so far out that the net overflows comes last.
                   scores[static_cast<std::size_t>(first + r)] =
                       is_finite(score) ? score : (std::numeric_limits<float>::max)();
                 }
               });
  double mean = 0;
  for (const Index r : trusted) mean += scores[static_cast<std::size_t>(r)];
  mean /= static_cast<double>(trusted.size());
  if (!(mean > 0)) return {};
  for (double& score : scores) score /= mean;
  return scores;
}

/// Numbers of the rows to train on, ascending, where a share of some rows is anomalies: in each round nets
/// are trained briefly on the rows trusted so far, and those of all that they reconstruct best
/// are trusted in the next, as the minimum covariance determinant does with a covariance (Rousseeuw &
/// van Driessen 1999). Where it is stopped, the rows trusted so far.
/// \param rows numbers of the rows of X that may be trusted, ascending
/// \param contamination the share of them that is anomalies
template <class Scalar>
std::vector<Index> trusted_rows(const AnyRows& X, const std::vector<Index>& rows,
                                double contamination, const FitOptions& options, int threads,
                                NetsProgress& progress, FitProcess<Scalar>& process) {
  const Index n = X.rows(), candidates = static_cast<Index>(rows.size());
  std::vector<Index> trusted = rows;
  for (Index round = 0; round < Screening::rounds; ++round) {
    const Scaler<Scalar> scaler = options.standardize
                                      ? standardizer_of<Scalar>(X, trusted, options.missing)
                                      : Scaler<Scalar>();
    std::vector<std::vector<double>> scores(static_cast<std::size_t>(Screening::nets));
    std::vector<double> costs;
    for (Index i = 0; i < Screening::nets; ++i) {
      const Index count = static_cast<Index>(trusted.size());
      costs.push_back(net_cost(member_net<Scalar>(X.cols(), i % 2), Screening::epochs(i, count),
                               Screening::rows(i, count), n));
    }
    const std::vector<Index> mine = process.nets(costs);
    process.run(progress, [&] {
      progress.each(threads, mine, [&](Index i) {
        const Index net = round * Screening::nets + i;
        scores[static_cast<std::size_t>(i)] =
            brief_scores(X, scaler, trusted, seed_of(options.seed, Stream::screening, net), i,
                         progress, options.stop);
      });
    });
    if (progress.stopped()) break;
    process.gather(scores);
    std::vector<double> sums(static_cast<std::size_t>(n));
    for (const auto& of_net : scores) {
      for (std::size_t r = 0; r < of_net.size(); ++r) sums[r] += of_net[r];
    }
    trusted = lowest(sums, rows, Screening::trusted(candidates, contamination));
  }
  return trusted;
}

}  // namespace detail
DASVDD_NAMESPACE_END
