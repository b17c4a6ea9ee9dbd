#pragma once
/// \file
/// Rows that a run keeps out of its training to watch it by.

#include <dasvdd/detect/forward_rows.hpp>
#include <dasvdd/train/streams.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// A random share of X's rows and the others, both in the rows' order; at least one of each kind.
template <class Scalar>
class HeldOut {
 public:
  HeldOut(Rows<const Scalar> X, double share, std::uint64_t seed) : d_(X.cols()) {
    const Index n = X.rows();
    const Index count = std::clamp<Index>(
        static_cast<Index>(std::floor(share * static_cast<double>(n) + 0.5)), 1, n - 2);
    std::vector<Index> order(static_cast<std::size_t>(n));
    std::iota(order.begin(), order.end(), Index(0));
    random_stream(seed, Stream::validation).shuffle(order.data(), order.size());
    std::sort(order.begin(), order.begin() + count);
    std::sort(order.begin() + count, order.end());
    watched_ = AlignedBuffer<Scalar>(count, d_);
    trained_ = AlignedBuffer<Scalar>(n - count, d_);
    for (Index i = 0; i < n; ++i) {
      Scalar* to = i < count ? watched_.data() + i * d_ : trained_.data() + (i - count) * d_;
      std::copy_n(X.row(order[static_cast<std::size_t>(i)]), d_, to);
    }
  }

  Rows<const Scalar> watched() const { return {watched_.data(), watched_.size() / d_, d_}; }
  Rows<const Scalar> trained() const { return {trained_.data(), trained_.size() / d_, d_}; }

 private:
  Index d_;
  AlignedBuffer<Scalar> watched_, trained_;
};

/// r_weight * mean r + q_weight * mean q of X's rows, added up in their order.
template <class Scalar>
double mean_loss(const PackedNetwork<Scalar>& net, const Scaler<Scalar>& scaler,
                 Rows<const Scalar> X, const Scalar* center, double r_weight, double q_weight,
                 int threads) {
  const Index n = X.rows(), d = X.cols(), m = net.net().code();
  const auto& k = net.kernels();
  AlignedBuffer<double> r(n), q(n);
  forward_rows(net, scaler, X, threads, r_weight > 0,
               [&](Index first, Rows<const Scalar> x, const auto& result) {
                 for (Index i = 0; i < x.rows(); ++i) {
                   if (r_weight > 0) {
                     r[first + i] =
                         static_cast<double>(k.squared_distance(result.output.row(i), x.row(i), d));
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
