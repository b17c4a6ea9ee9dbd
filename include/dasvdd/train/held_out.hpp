#pragma once
/// \file
/// Rows that a run keeps out of its training to watch it by.

#include <dasvdd/detect/forward_rows.hpp>
#include <dasvdd/train/chosen_rows.hpp>
#include <dasvdd/train/row_numbers.hpp>
#include <dasvdd/train/streams.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// A random share of X's rows and the others, both in the rows' order; at least one of each kind.
class HeldOut {
 public:
  HeldOut(const AnyRows& X, double share, std::uint64_t seed)
      : HeldOut(X, drawn(X.rows(), share, seed)) {}

  AnyRows watched() const { return watched_.rows(); }
  AnyRows trained() const { return trained_.rows(); }

 private:
  HeldOut(const AnyRows& X, const std::vector<Index>& watched)
      : watched_(X, watched), trained_(X, all_rows_but(watched, X.rows())) {}

  static std::vector<Index> drawn(Index n, double share, std::uint64_t seed) {
    const Index count = std::clamp<Index>(
        static_cast<Index>(std::floor(share * static_cast<double>(n) + 0.5)), 1, n - 2);
    std::vector<Index> order = all_rows(n);
    random_stream(seed, Stream::validation).shuffle(order.data(), order.size());
    order.resize(static_cast<std::size_t>(count));
    std::sort(order.begin(), order.end());
    return order;
  }

  ChosenRows watched_, trained_;
};

/// r_weight * mean r + q_weight * mean q of X's rows, added up in their order.
template <class Scalar>
double mean_loss(const PackedNetwork<Scalar>& net, const Scaler<Scalar>& scaler, const AnyRows& X,
                 const Scalar* center, double r_weight, double q_weight, int threads) {
  const Index n = X.rows(), d = X.cols(), m = net.net().code();
  const auto& k = net.kernels();
  AlignedBuffer<double> r(n), q(n);
  const MissingPlaces missing = scaler.masks() ? MissingPlaces(X) : MissingPlaces();
  forward_rows(net, scaler, X, threads, r_weight > 0,
               [&](Index first, Rows<const Scalar> x, const auto& result) {
                 for (Index i = 0; i < x.rows(); ++i) {
                   if (r_weight > 0) {
                     r[first + i] =
                         static_cast<double>(k.squared_distance(result.output.row(i), x.row(i), d));
                     if (!missing.none()) r[first + i] *= missing.widening(first + i);
                   }
                   q[first + i] =
                       static_cast<double>(k.squared_distance(result.code.row(i), center, m));
                 }
               });
  double sum_r = 0, sum_q = 0;
  for (Index i = 0; i < n; ++i) {
    sum_r += r[i];
    sum_q += q[i];
  }
  const double rows = static_cast<double>(n);
  return std::fma(q_weight, sum_q / rows, r_weight * (sum_r / (rows * static_cast<double>(d))));
}

}  // namespace detail
DASVDD_NAMESPACE_END
