#pragma once
/// \file
/// Means over rows that lie on several ranks.

#include <dasvdd/detect/standardizer.hpp>
#include <dasvdd/mpi/shards.hpp>
#include <dasvdd/train/diagnosis.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <utility>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// `width` sums over all rows: add(i, sums) adds row i of this rank's to a shard's sums.
template <class Add>
std::vector<double> sums_over_shards(const Shards& shards, Index width, Add&& add) {
  std::vector<double> table(static_cast<std::size_t>(shards.count() * width), 0);
  const Range mine = shards.mine();
  for (Index s = mine.first; s < mine.last; ++s) {
    const Range rows = shards.local_rows_of(s);
    for (Index i = rows.first; i < rows.last; ++i) add(i, table.data() + s * width);
  }
  shards.sum(table.data(), width);
  table.resize(static_cast<std::size_t>(width));
  return table;
}

/// The least value of each feature among all rows, then the greatest of each. \param X this rank's
inline std::vector<double> ends_over_shards(const Shards& shards, const AnyRows& X) {
  const Index d = X.cols(), width = 2 * d;
  std::vector<double> ends(static_cast<std::size_t>(shards.count() * width));
  const Range mine = shards.mine();
  X.visit([&](auto rows) {
    for (Index s = mine.first; s < mine.last; ++s) {
      double* low = ends.data() + s * width;
      const Range here = shards.local_rows_of(s);
      for (Index i = here.first; i < here.last; ++i) {
        for (Index j = 0; j < d; ++j) {
          const double value = static_cast<double>(rows(i, j));
          low[j] = i == here.first ? value : (std::min)(low[j], value);
          low[d + j] = i == here.first ? value : (std::max)(low[d + j], value);
        }
      }
    }
  });
  shards.gather(ends.data(), width);
  double* all = ends.data();
  for (Index s = 1; s < shards.count(); ++s) {
    const double* low = all + s * width;
    for (Index j = 0; j < d; ++j) {
      all[j] = (std::min)(all[j], low[j]);
      all[d + j] = (std::max)(all[d + j], low[d + j]);
    }
  }
  ends.resize(static_cast<std::size_t>(width));
  return ends;
}

/// Standardizer::of all rows. \param X this rank's
template <class Scalar>
Standardizer<Scalar> standardizer_over_shards(const Shards& shards, const AnyRows& X) {
  const Index d = X.cols();
  const double n = static_cast<double>(shards.rows());
  return X.visit([&](auto rows) {
    using Number = std::remove_const_t<std::remove_reference_t<decltype(rows(0, 0))>>;
    std::vector<double> mean = sums_over_shards(shards, d, [&](Index i, double* sums) {
      for (Index j = 0; j < d; ++j) sums[j] += static_cast<double>(rows(i, j));
    });
    for (double& m : mean) m /= n;
    // Sums of squares and of differences.
    std::vector<double> scale = sums_over_shards(shards, 2 * d, [&](Index i, double* sums) {
      for (Index j = 0; j < d; ++j) {
        const double difference =
            static_cast<double>(rows(i, j)) - mean[static_cast<std::size_t>(j)];
        sums[j] = std::fma(difference, difference, sums[j]);
        sums[d + j] += difference;
      }
    });
    const std::vector<double> ends = ends_over_shards(shards, X);
    for (Index j = 0; j < d; ++j) {
      const double low = ends[static_cast<std::size_t>(j)];
      const double high = ends[static_cast<std::size_t>(d + j)];
      const std::size_t at = static_cast<std::size_t>(j);
      const double rest = scale[static_cast<std::size_t>(d + j)] / n;
      const double deviation =
          Standardizer<Scalar>::corrected_deviation(mean[at], rest, scale[at] / n);
      const bool constant = Standardizer<Scalar>::is_constant(
          low, high, deviation, static_cast<double>(std::numeric_limits<Number>::epsilon()));
      if (low == high) mean[at] = low;
      scale[at] = constant || !(deviation > 0) ? 1 : deviation;
    }
    scale.resize(static_cast<std::size_t>(d));
    return Standardizer<Scalar>(std::move(mean), std::move(scale));
  });
}

/// variance() of all rows. \param X this rank's
template <class Scalar>
double variance_over_shards(const Shards& shards, const kernels::Table<Scalar>& k,
                            const Scaler<Scalar>& scaler, const AnyRows& X) {
  const Index d = X.cols();
  const double n = static_cast<double>(shards.rows());
  AlignedBuffer<Scalar> row(d), mean(d);
  const auto sum = sums_over_shards(shards, d, [&](Index i, double* sums) {
    scaler.apply_row(k, X, i, row.data());
    for (Index j = 0; j < d; ++j) sums[j] += static_cast<double>(row[j]);
  });
  for (Index j = 0; j < d; ++j) {
    mean[j] = static_cast<Scalar>(sum[static_cast<std::size_t>(j)] / n);
  }
  const auto total = sums_over_shards(shards, 1, [&](Index i, double* sums) {
    scaler.apply_row(k, X, i, row.data());
    *sums += static_cast<double>(k.squared_distance(row.data(), mean.data(), d));
  });
  return total[0] / (n * static_cast<double>(d));
}

}  // namespace detail
DASVDD_NAMESPACE_END
