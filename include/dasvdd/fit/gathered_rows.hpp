#pragma once
/// \file
/// Some of a batch's rows, by number.

#include <dasvdd/detect/scaler.hpp>
#include <dasvdd/kernels/dispatch.hpp>

#include <cstddef>
#include <numeric>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// 0 .. n - 1.
inline std::vector<Index> all_rows(Index n) {
  std::vector<Index> rows(static_cast<std::size_t>(n));
  std::iota(rows.begin(), rows.end(), Index(0));
  return rows;
}

/// Those of 0 .. n - 1 that are not in `rows`, ascending.
inline std::vector<Index> all_rows_but(const std::vector<Index>& rows, Index n) {
  std::vector<bool> among(static_cast<std::size_t>(n));
  for (const Index row : rows) among[static_cast<std::size_t>(row)] = true;
  std::vector<Index> others;
  for (Index row = 0; row < n; ++row) {
    if (!among[static_cast<std::size_t>(row)]) others.push_back(row);
  }
  return others;
}

/// Copies of the rows of X by number, scaled, one behind the other.
template <class Scalar>
class GatheredRows {
 public:
  GatheredRows(Rows<const Scalar> X, const Scaler<Scalar>& scaler,
               const std::vector<Index>& numbers)
      : d_(X.cols()), data_(static_cast<Index>(numbers.size()) * d_) {
    for (std::size_t r = 0; r < numbers.size(); ++r) {
      scaler.apply(kernels::best<Scalar>(), X.row(numbers[r]), d_,
                   data_.data() + static_cast<Index>(r) * d_);
    }
  }

  Rows<const Scalar> rows() const { return {data_.data(), data_.size() / d_, d_}; }

 private:
  Index d_;
  AlignedBuffer<Scalar> data_;
};

/// The standardizer of the rows by number; of X itself where they are all of its rows. With fewer rows
/// than features no scale is below the features' median.
template <class Scalar>
Scaler<Scalar> standardizer_of(Rows<const Scalar> X, const std::vector<Index>& numbers) {
  const Index n = static_cast<Index>(numbers.size());
  const auto of = [&](Rows<const Scalar> rows) -> Scaler<Scalar> {
    const auto standardizer = Standardizer<Scalar>::of(rows);
    return {n > X.cols() ? standardizer : standardizer.with_scales_from_median()};
  };
  if (n == X.rows()) return of(X);
  return of(GatheredRows<Scalar>(X, Scaler<Scalar>(), numbers).rows());
}

}  // namespace detail
DASVDD_NAMESPACE_END
