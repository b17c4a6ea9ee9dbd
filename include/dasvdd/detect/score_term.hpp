#pragma once
/// \file
/// How a vector of differences, a residual xhat - x or a code's offset z - c, becomes one number of
/// the score.

#include <dasvdd/core/memory.hpp>
#include <dasvdd/detect/symmetric_root.hpp>
#include <dasvdd/kernels/dispatch.hpp>

#include <cmath>
#include <cstddef>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// term(e) = weight * ||A e||^2 / divisor, with A the identity (the published score) or a whitening
/// matrix.
///
/// Whitening: with C = L L^T the covariance of e over training rows and A = L^-1, ||A e||^2 = e^T
/// C^-1 e, the squared Mahalanobis length: a direction in which normal rows vary a lot counts
/// little.
template <class Scalar>
class ScoreTerm {
 public:
  /// weight * ||e||^2 / divisor
  ScoreTerm(Index size, double weight, double divisor)
      : size_(size), weight_(weight), divisor_(divisor) {
    detail::require(detail::is_finite(weight) && weight >= 0, "a score term's weight is ", weight,
                    ", expected a finite number that is not negative");
    detail::require(detail::is_finite(divisor) && divisor > 0, "a score term's divisor is ",
                    divisor, ", expected a positive number");
  }
  /// weight * ||A e||^2 / divisor;
  /// \param whitening A, size x size, row by row
  ScoreTerm(Index size, double weight, double divisor, AlignedBuffer<Scalar> whitening)
      : ScoreTerm(size, weight, divisor) {
    detail::require(whitening.size() == size * size, "a whitening matrix has ", whitening.size(),
                    " entries, expected ", size, " x ", size);
    whitening_ = std::move(whitening);
    k_ = &kernels::best<Scalar>();
    packed_ = AlignedBuffer<Scalar>(size, detail::round_up(size, k_->panel));
    k_->pack_rows(whitening_.data(), size, size, size, packed_.data());
  }

  Index size() const { return size_; }
  double weight() const { return weight_; }
  double divisor() const { return divisor_; }
  bool whitened() const { return !whitening_.empty(); }
  /// A, size x size, row by row; empty where it is the identity.
  const AlignedBuffer<Scalar>& whitening() const { return whitening_; }

  /// Scratch scalars that evaluate() needs for `rows` rows.
  Index scratch(Index rows) const {
    return whitened() ? 2 * rows * detail::padded_stride<Scalar>(size_) : 0;
  }

  /// out[i] = term(a_i - b_i) for each row; a `b_stride` of 0 compares every row with the one b (a
  /// center).
  void evaluate(const kernels::Table<Scalar>& k, Rows<const Scalar> a, const Scalar* b,
                Index b_stride, Scalar* scratch, double* out) const {
    const double factor = weight_ / divisor_;
    if (!whitened()) {
      for (Index i = 0; i < a.rows(); ++i) {
        out[i] =
            factor * static_cast<double>(k.squared_distance(a.row(i), b + i * b_stride, size_));
      }
      return;
    }
    const Index stride = detail::padded_stride<Scalar>(size_);
    Scalar* white = scratch + a.rows() * stride;
    whiten(k, a, b, b_stride, scratch);
    // ||A e||^2 is the squared distance from zero; row 0 of the differences is no longer needed and
    // gives the zeros.
    std::memset(static_cast<void*>(scratch), 0, static_cast<std::size_t>(size_) * sizeof(Scalar));
    for (Index i = 0; i < a.rows(); ++i) {
      out[i] = factor * static_cast<double>(k.squared_distance(white + i * stride, scratch, size_));
    }
  }

  /// The same for strips of samples, a: size x panel each, b: the like or one b for all; not whitened.
  void evaluate_strips(const kernels::Table<Scalar>& k, const Scalar* a, const Scalar* b,
                       bool one_b, Index strips, double* out) const {
    k.strip_terms(a, b, one_b, size_, strips, weight_ / divisor_, out);
  }

  /// Writes the differences a_i - b_i and, behind them, A (a_i - b_i), rows padded_stride(size)
  /// apart.
  void whiten(const kernels::Table<Scalar>& k, Rows<const Scalar> a, const Scalar* b,
              Index b_stride, Scalar* scratch) const {
    const Index stride = detail::padded_stride<Scalar>(size_);
    for (Index i = 0; i < a.rows(); ++i) {
      k.scaled_difference(a.row(i), b + i * b_stride, Scalar(1), size_, scratch + i * stride);
    }
    k.product({a.rows(), size_, size_, packed_.data(), scratch, stride, 1,
               scratch + a.rows() * stride, stride},
              nullptr, {});
  }

  /// Each entry's share of term(e): size numbers, none negative, whose sum is the term.
  ///
  /// Whitened, they are the squares of (A^T A)^(1/2) e: among all roots of A^T A the symmetric one keeps its
  /// result nearest to e, entry by entry (Garthwaite & Koch 2016; Kessy, Lewin & Strimmer 2018).
  std::vector<double> shares(const std::vector<double>& e) const {
    std::vector<double> result = whitened() ? SymmetricRoot(whitening_.data(), size_).times(e) : e;
    for (double& u : result) u *= u * (weight_ / divisor_);
    return result;
  }

 private:
  Index size_;
  double weight_, divisor_;
  const kernels::Table<Scalar>* k_ = nullptr;
  AlignedBuffer<Scalar> whitening_, packed_;
};

}  // namespace detail
DASVDD_NAMESPACE_END
