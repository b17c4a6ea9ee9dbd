#pragma once
/// \file
/// What Deep SVDD needs to know of all training rows' codes: their mean, and their distances from the
/// center.

#include <dasvdd/detect/forward_rows.hpp>

#include <algorithm>
#include <cstddef>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// The mean code of X's rows, m. The rows are added up in their order, whatever the threads.
template <class Scalar>
AlignedBuffer<Scalar> mean_code(const PackedNetwork<Scalar>& net, const Scaler<Scalar>& scaler,
                                const AnyRows& X, int threads) {
  const Index n = X.rows(), m = net.net().code();
  AlignedBuffer<Scalar> codes(n * m), mean(m);
  forward_rows(net, scaler, X, threads, false,
               [&](Index first, Rows<const Scalar> x, const auto& result) {
                 for (Index i = 0; i < x.rows(); ++i) {
                   std::copy_n(result.code.row(i), m, codes.data() + (first + i) * m);
                 }
               });
  AlignedBuffer<double> sum(m);
  for (Index i = 0; i < n; ++i) {
    for (Index j = 0; j < m; ++j) sum[j] += static_cast<double>(codes[i * m + j]);
  }
  for (Index j = 0; j < m; ++j) mean[j] = static_cast<Scalar>(sum[j] / static_cast<double>(n));
  return mean;
}

/// q = ||z - c||^2 of X's rows, n.
template <class Scalar>
std::vector<double> squared_distances(const PackedNetwork<Scalar>& net,
                                      const Scaler<Scalar>& scaler, const AnyRows& X,
                                      const Scalar* center, int threads) {
  std::vector<double> q(static_cast<std::size_t>(X.rows()));
  forward_rows(
      net, scaler, X, threads, false, [&](Index first, Rows<const Scalar> x, const auto& result) {
        for (Index i = 0; i < x.rows(); ++i) {
          q[static_cast<std::size_t>(first + i)] = static_cast<double>(
              net.kernels().squared_distance(result.code.row(i), center, net.net().code()));
        }
      });
  return q;
}

}  // namespace detail
DASVDD_NAMESPACE_END
