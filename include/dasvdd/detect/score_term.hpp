#pragma once
/// \file
/// How a vector of differences, a residual xhat - x or a code's offset z - c, becomes one number of
/// the score.

#include <dasvdd/core/memory.hpp>
#include <dasvdd/detect/masked_length.hpp>
#include <dasvdd/detect/symmetric_root.hpp>
#include <dasvdd/kernels/dispatch.hpp>
#include <dasvdd/nn/forward_cost.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// What tells the nearest of several centers. With m the centers' mean and d = c - m, the center c nearest to a has the
/// largest a d - (m d + ||d||^2 / 2). Where centers lie close together, far from the origin, the difference of lengths
/// would be lost in a c - ||c||^2 / 2.
template <class Scalar>
struct NearestForm {
  AlignedBuffer<Scalar> offsets;  ///< d, count x size, row by row
  AlignedBuffer<Scalar> bias;     ///< count: -(m d + ||d||^2 / 2)

  /// \param centers count x size, row by row
  NearestForm(const Scalar* centers, Index count, Index size) : offsets(count, size), bias(count) {
    AlignedBuffer<double> mean(size);
    for (Index c = 0; c < count; ++c) {
      for (Index j = 0; j < size; ++j)
        mean[j] += static_cast<double>(centers[c * size + j]) / static_cast<double>(count);
    }
    for (Index c = 0; c < count; ++c) {
      double sum = 0;
      for (Index j = 0; j < size; ++j) {
        Scalar& d = offsets[c * size + j];
        d = static_cast<Scalar>(static_cast<double>(centers[c * size + j]) - mean[j]);
        const double wide = static_cast<double>(d);
        sum = std::fma(std::fma(wide, 0.5, mean[j]), wide, sum);
      }
      bias[c] = static_cast<Scalar>(-sum);
    }
  }
};

/// What memory and time a ScoreTerm takes, known before there is one.
struct TermSize {
  Index size;  ///< numbers of the vector
  bool whitened = false;
  Index centers = 0;

  /// Scratch scalars for `rows` rows.
  template <class Scalar>
  std::int64_t scratch(Index rows) const {
    if (centers > 0) return saturating_product(rows, padded_stride<Scalar>(centers));
    return whitened ? saturating_product(2 * rows, padded_stride<Scalar>(size)) : 0;
  }
  /// Bytes that packing adds to the matrix or to the centers.
  template <class Scalar>
  std::int64_t padding_bytes() const {
    const Index columns = centers > 0 ? centers : whitened ? size : 0;
    const std::int64_t added = round_up(columns, kernels::best<Scalar>().panel) - columns;
    return saturating_product(size, added * std::int64_t(sizeof(Scalar)));
  }
  /// What a row takes, in multiply-adds as forward_cost() counts them.
  /// \param masks whether the row's entries may be missing
  std::int64_t cost(bool masks) const {
    const std::int64_t plain = cost_of_number * (std::int64_t(size) + centers);
    if (centers > 0) return saturating_sum(plain, product_cost(size, centers));
    if (!whitened) return plain;
    const std::int64_t product = saturating_sum(plain, product_cost(size, size));
    return masks ? saturating_sum(product, masked_cost(size)) : product;
  }
};

/// term(e) = weight * ||A e||^2 / divisor, with A the identity (the published score) or a whitening
/// matrix; or the distance to the nearest of several centers, weight * min_k ||a - c_k||^2 / divisor.
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
    detail::ensure(detail::is_finite(weight) && weight >= 0, "a score term's weight is ", weight,
                   ", expected a finite number that is not negative");
    detail::ensure(detail::is_finite(divisor) && divisor > 0, "a score term's divisor is ", divisor,
                   ", expected a positive number");
  }
  /// weight * ||A e||^2 / divisor;
  /// \param whitening A, size x size, row by row
  ScoreTerm(Index size, double weight, double divisor, AlignedBuffer<Scalar> whitening)
      : ScoreTerm(size, weight, divisor) {
    detail::ensure(whitening.size() == size * size, "a whitening matrix has ", whitening.size(),
                   " entries, expected ", size, " x ", size);
    whitening_ = std::move(whitening);
    k_ = &kernels::best<Scalar>();
    packed_ = AlignedBuffer<Scalar>(size, detail::round_up(size, k_->panel));
    k_->pack_rows(whitening_.data(), size, size, size, packed_.data());
  }

  /// weight * min_k ||a - c_k||^2 / divisor
  /// \param centers c_k, any number x size, row by row
  static ScoreTerm nearest_of(Index size, double weight, double divisor,
                              AlignedBuffer<Scalar> centers) {
    ScoreTerm term(size, weight, divisor);
    detail::ensure(centers.size() > 0 && centers.size() % size == 0, "the centers have ",
                   centers.size(), " numbers, expected ", size, " for each");
    term.centers_ = std::move(centers);
    const auto& k = kernels::best<Scalar>();
    const Index count = term.count_ = term.centers_.size() / size,
                padded = detail::round_up(count, k.panel);
    term.packed_ = AlignedBuffer<Scalar>(size, padded);
    term.bias_ = AlignedBuffer<Scalar>(padded);
    const NearestForm<Scalar> form(term.centers_.data(), count, size);
    std::copy_n(form.bias.data(), count, term.bias_.data());
    k.pack_rows(form.offsets.data(), size, count, size, term.packed_.data());
    return term;
  }

  Index size() const { return size_; }
  double weight() const { return weight_; }
  double divisor() const { return divisor_; }
  bool whitened() const { return !whitening_.empty(); }
  /// A, size x size, row by row; empty where it is the identity.
  const AlignedBuffer<Scalar>& whitening() const { return whitening_; }

  /// How many centers the nearest is taken of; 0 where the term has none of its own.
  Index centers() const { return count_; }
  /// c_k, centers() x size, row by row.
  const AlignedBuffer<Scalar>& center_rows() const { return centers_; }

  /// Multiply-adds that one row costs, beside the order of its size.
  Index multiply_adds() const { return (whitened() ? size_ * size_ : 0) + centers_.size(); }
  /// Scratch scalars that evaluate() needs for `rows` rows.
  Index scratch(Index rows) const {
    return static_cast<Index>(term_size().template scratch<Scalar>(rows));
  }
  TermSize term_size() const { return {size_, whitened(), count_}; }

  /// out[i] = term(a_i - b_i) for each row; a `b_stride` of 0 compares every row with the one b (a
  /// center). A term with centers of its own does not look at b.
  void evaluate(const kernels::Table<Scalar>& k, Rows<const Scalar> a, const Scalar* b,
                Index b_stride, Scalar* scratch, double* out) const {
    const double factor = weight_ / divisor_;
    if (centers() > 0) {
      for_nearest(k, a, scratch, [&](Index i, const Scalar* c) {
        out[i] = factor * static_cast<double>(k.squared_distance(a.row(i), c, size_));
      });
      return;
    }
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

  /// What evaluate() has made of row i, where entries of the row's e are missing and were zeros: the mean over the
  /// others in place of the sum, weight * masked_length / divisor * d / (d - count).
  /// \param rows, scratch those of the call of evaluate()
  /// \param value what it gave
  /// \param missing, count the missing entries
  /// \param work size() + masked_scratch(size()) numbers
  double masked(double value, Index i, Index rows, const Scalar* scratch, const Index* missing,
                Index count, double* work) const {
    const double d = static_cast<double>(size_);
    const double widening = d / (d - static_cast<double>(count));
    if (!whitened()) return value * widening;
    std::copy_n(scratch + (rows + i) * detail::padded_stride<Scalar>(size_), size_, work);
    return weight_ / divisor_ * widening *
           masked_length(whitening_.data(), size_, size_, missing, count, work, nullptr,
                         work + size_);
  }

  /// The same for strips of samples, a: size x panel each, b: the like or one b for all; not whitened.
  void evaluate_strips(const kernels::Table<Scalar>& k, const Scalar* a, const Scalar* b,
                       bool one_b, Index strips, double* out) const {
    k.strip_terms(a, b, one_b, size_, strips, weight_ / divisor_, out);
  }

  /// Calls f(i, the center nearest to row i of a) for each row; of equally near ones any.
  template <class F>
  void for_nearest(const kernels::Table<Scalar>& k, Rows<const Scalar> a, Scalar* scratch,
                   F&& f) const {
    // As nearest_of() prepared it: the nearest center has the largest sum of product and bias.
    const Index count = centers(), stride = detail::padded_stride<Scalar>(count);
    k.product({a.rows(), count, size_, packed_.data(), a.data(), a.stride(), 1, scratch, stride},
              bias_.data(), {});
    for (Index i = 0; i < a.rows(); ++i) {
      f(i, centers_.data() + k.place_of_largest(scratch + i * stride, count) * size_);
    }
  }

  /// The entries' shares of the distance of `a` to the nearest center: their squared differences.
  std::vector<double> shares_of_nearest(const kernels::Table<Scalar>& k, const Scalar* a) const {
    AlignedBuffer<Scalar> buffer(scratch(1));
    std::vector<double> result(static_cast<std::size_t>(size_));
    for_nearest(k, {a, 1, size_}, buffer.data(), [&](Index, const Scalar* center) {
      for (Index j = 0; j < size_; ++j) {
        const double difference = static_cast<double>(a[j]) - static_cast<double>(center[j]);
        result[static_cast<std::size_t>(j)] = difference * difference * (weight_ / divisor_);
      }
    });
    return result;
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
  /// Missing entries are zeros and have none.
  std::vector<double> shares(const std::vector<double>& e,
                             const std::vector<Index>& missing = {}) const {
    std::vector<double> result = e;
    if (whitened() && missing.empty()) {
      result = SymmetricRoot(whitening_.data(), size_).times(e);
    } else if (whitened()) {
      result =
          SymmetricRoot(without_columns(whitening_.data(), size_, missing).data(), size_).times(e);
    }
    const double d = static_cast<double>(size_);
    const double widening = d / (d - static_cast<double>(missing.size()));
    for (double& u : result) u *= u * (weight_ / divisor_) * widening;
    return result;
  }

 private:
  Index size_, count_ = 0;  // numbers of a row; centers
  double weight_, divisor_;
  const kernels::Table<Scalar>* k_ = nullptr;
  AlignedBuffer<Scalar> whitening_, centers_;
  AlignedBuffer<Scalar> packed_, bias_;  // of the matrix or the centers, as the kernels take them
};

}  // namespace detail
DASVDD_NAMESPACE_END
