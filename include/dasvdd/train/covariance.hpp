#pragma once
/// \file
/// The covariance that whitens a score term, with and without the row that is measured.

#include <dasvdd/detect/masked_length.hpp>
#include <dasvdd/detect/missing_values.hpp>
#include <dasvdd/train/linear_algebra.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// The ridge of a score's whitening, as a share of the mean variance. It bounds the weight of directions
/// in which training rows hardly vary, and makes the covariance of fewer rows than features invertible.
constexpr double whitening_ridge = 0.1;

/// C = the mean of e e^T over E's rows (n x d) + rho t I, with t the mean of its diagonal.
///
/// Where entries are missing, and zeros in E, entry j of each row is taken times sqrt(n / n_j), n_j the rows that have
/// it. The variances are then means over the rows that have the entry. Covariances are drawn towards zero, by
/// sqrt(n_j n_k) / n where entries are missing independently; means over the rows that have both would be right for
/// each pair, but the matrix of them need not be positive.
class Covariance {
 public:
  template <class Scalar>
  Covariance(const Scalar* E, Index n, Index d, const MissingPlaces& missing = {},
             double ridge = whitening_ridge)
      : n_(static_cast<double>(n)), inverse_(d, d) {
    if (!missing.none()) present_ = missing.present(n);
    PaddedMatrix c = mean_products(E, E, n, d);
    for (Index i = 0; !missing.none() && i < d; ++i) {
      for (Index j = 0; j < d; ++j)
        c.row(i)[j] *= std::sqrt(n_ / present(i)) * std::sqrt(n_ / present(j));
    }
    for (Index i = 0; i < d; ++i) squares_ += n_ * c.row(i)[i];
    ridge_ = ridge * squares_ / (n_ * static_cast<double>(d));
    add_ridge(c, ridge);
    cholesky(c);
    inverse_ = inverse_of_lower(c);
  }

  /// A = L^-1 with L L^T = C, so that e^T C^-1 e = ||A e||^2. d x d, row by row.
  template <class Scalar>
  AlignedBuffer<Scalar> whitening() const {
    const Index d = inverse_.rows;
    AlignedBuffer<Scalar> a(d * d);
    for (Index i = 0; i < d; ++i) {
      for (Index j = 0; j < d; ++j) a[i * d + j] = static_cast<Scalar>(inverse_.row(i)[j]);
    }
    return a;
  }

  /// e^T C_-^-1 e of rows of E by number, each with C_-, the covariance of all other rows: so a row
  /// that the net was not trained on is measured as a new row is.
  ///
  /// With q = e^T C^-1 e, z = C^-1 e and s = ||e||^2 / (sum of all rows' ||e||^2),
  ///     C_- = n / (n - 1) (C - e e^T / n - s rho t I).
  /// Without its last term the inverse is Sherman and Morrison's: b = q / (1 - q / n). With it,
  /// b(s) = sum of u^2 / (mu - s rho t) over the eigenvalues mu. That is replaced by
  ///     b(s) = b / (1 - s kappa),    kappa = rho t ||z||^2 / (q (1 - q / n)) <= 1,
  /// which has the same value and slope at s = 0 and is never larger.
  ///
  /// A row that lacks entries is measured by the others, see masked_length(), and its length is widened to d entries.
  /// What it has a part in C by is as much more as the share of rows that have its entries is less.
  template <class Scalar>
  std::vector<double> lengths_without(const Scalar* E, const std::vector<Index>& numbers,
                                      const MissingPlaces& missing = {}) const {
    constexpr Index tile = 256;
    const Index d = inverse_.rows, count = static_cast<Index>(numbers.size());
    const PaddedMatrix upper = transposed(inverse_);
    std::vector<double> lengths(numbers.size());
    AlignedBuffer<double> work(missing.none() ? 0 : 2 * d + masked_scratch(d));
    for (Index first = 0; first < count; first += tile) {
      const Index rows = (std::min)(tile, count - first);
      PaddedMatrix e(rows, d);
      for (Index r = 0; r < rows; ++r) {
        const Scalar* row = E + numbers[static_cast<std::size_t>(first + r)] * d;
        for (Index j = 0; j < d; ++j) e.row(r)[j] = static_cast<double>(row[j]);
      }
      PaddedMatrix w = product(e, upper);
      for (Index r = 0; !missing.none() && r < rows; ++r) {
        const Index row = numbers[static_cast<std::size_t>(first + r)];
        if (missing.count(row) == 0) continue;
        masked_length(inverse_.row(0), inverse_.stride, d, missing.columns(row), missing.count(row),
                      w.row(r), work.data(), work.data() + d);
      }
      const PaddedMatrix z = product(w, inverse_);
      for (Index r = 0; r < rows; ++r) {
        double& length = lengths[static_cast<std::size_t>(first + r)];
        const double ee = squares(e.row(r), d), q = squares(w.row(r), d), zz = squares(z.row(r), d);
        if (missing.none()) {
          length = length_without(ee, q, zz, 1);
          continue;
        }
        const Index row = numbers[static_cast<std::size_t>(first + r)];
        length = length_without(ee, q, zz, 1 / share_of(missing, row)) * missing.widening(row);
      }
    }
    return lengths;
  }

  /// e^T C^-1 e of a new row for each of these rows, if the row were new: lengths_without(), drawn by one_row_more().
  template <class Scalar>
  std::vector<double> lengths_as_new(const Scalar* E, const std::vector<Index>& numbers,
                                     const MissingPlaces& missing = {}) const {
    std::vector<double> lengths = lengths_without(E, numbers, missing);
    const double factor = one_row_more(E, numbers);
    for (double& length : lengths) length *= factor;
    return lengths;
  }

  /// How much shorter rows like these get when one more of them has a part in C.
  ///
  /// lengths_without() measures a row by n - 1 rows, of which the other left-out ones are one fewer than those that a
  /// new row is measured by. Where the net knows its training rows, few left-out rows make most of C, and one of
  /// them more or less matters. The step from n - 1 to n rows is taken to be that from n - 2 to n - 1: the mean of
  /// e_i^T C_-i^-1 e_i over that of e_i^T C_-ij^-1 e_i, with C_-ij made without rows i and j. With
  /// g_ij = e_i^T C^-1 e_j / n (and the ridge left as it is, Sherman, Morrison and Woodbury)
  ///     e_i^T C_-i^-1 e_i / (n - 1) = 1 / (1 - g_ii) - 1,
  ///     e_i^T C_-ij^-1 e_i / (n - 2) = (1 - g_jj) / ((1 - g_ii) (1 - g_jj) - g_ij^2) - 1.
  /// Over at most 64 of the rows, whose missing entries are zeros; 1 where there are fewer than two.
  template <class Scalar>
  double one_row_more(const Scalar* E, const std::vector<Index>& numbers) const {
    constexpr Index most = 64;
    constexpr double least = 1e-9;  // rounding must leave the differences positive
    const Index d = inverse_.rows, all = static_cast<Index>(numbers.size());
    const Index count = (std::min)(most, all);
    if (count < 2) return 1;
    PaddedMatrix e(count, d);
    for (Index r = 0; r < count; ++r) {
      const Scalar* row = E + numbers[static_cast<std::size_t>(r * all / count)] * d;
      for (Index j = 0; j < d; ++j) e.row(r)[j] = static_cast<double>(row[j]);
    }
    const PaddedMatrix w = product(e, transposed(inverse_));
    const PaddedMatrix g = product(w, transposed(w));
    double by_one_more = 0, by_one_fewer = 0;
    for (Index i = 0; i < count; ++i) {
      const double rest = (std::max)(1 - g.row(i)[i] / n_, least);
      for (Index j = 0; j < count; ++j) {
        if (j == i) continue;
        const double others = (std::max)(1 - g.row(j)[j] / n_, least), both = g.row(i)[j] / n_;
        const double left = (std::max)(rest * others - both * both, least * rest * others);
        by_one_more += (n_ - 1) * (1 / rest - 1);
        by_one_fewer += (n_ - 2) * (others / left - 1);
      }
    }
    return by_one_more > 0 && by_one_fewer > 0 ? by_one_more / by_one_fewer : 1;
  }

 private:
  static double squares(const double* x, Index d) {
    double sum = 0;
    for (Index j = 0; j < d; ++j) sum = std::fma(x[j], x[j], sum);
    return sum;
  }

  double present(Index j) const { return (std::max)(present_[static_cast<std::size_t>(j)], 1.0); }
  /// The mean share of rows that have an entry, over the entries that this row has.
  double share_of(const MissingPlaces& missing, Index row) const {
    const Index d = inverse_.rows;
    double sum = 0;
    for (Index j = 0; j < d; ++j) sum += present(j) / n_;
    for (Index t = 0; t < missing.count(row); ++t) sum -= present(missing.columns(row)[t]) / n_;
    return sum / static_cast<double>(d - missing.count(row));
  }

  /// \param part how much larger than 1 / n the row's part in C is
  double length_without(double ee, double q, double zz, double part) const {
    if (!(q > 0)) return 0;
    constexpr double least = 1e-9;  // rounding must leave these differences positive
    const double rest = (std::max)(1 - part * q / n_, least);
    const double share = (std::min)(part * ee / squares_, 1 - least);
    const double kappa = (std::min)(ridge_ * zz / (q * rest), 1.0);
    return (n_ - 1) / n_ * q / rest / (1 - share * kappa);
  }

  double n_, squares_ = 0, ridge_ = 0;
  std::vector<double> present_;  // rows that have each entry; empty where all have all
  PaddedMatrix inverse_;
};

}  // namespace detail
DASVDD_NAMESPACE_END
