#pragma once
/// \file
/// Some of a batch's rows, by number.

#include <dasvdd/detect/scaler.hpp>
#include <dasvdd/kernels/dispatch.hpp>
#include <dasvdd/train/chosen_rows.hpp>
#include <dasvdd/train/row_numbers.hpp>

#include <cstddef>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// Copies of the rows of X by number, scaled, one behind the other.
template <class Scalar>
class GatheredRows {
 public:
  GatheredRows(const AnyRows& X, const Scaler<Scalar>& scaler, const std::vector<Index>& numbers)
      : d_(X.cols()), data_(static_cast<Index>(numbers.size()) * d_) {
    for (std::size_t r = 0; r < numbers.size(); ++r) {
      scaler.apply_row(kernels::best<Scalar>(), X, numbers[r],
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
Scaler<Scalar> standardizer_of(const AnyRows& X, const std::vector<Index>& numbers) {
  const Index n = static_cast<Index>(numbers.size());
  const auto of = [&](const AnyRows& rows) -> Scaler<Scalar> {
    return {n > X.cols() ? Standardizer<Scalar>::of(rows)
                         : Standardizer<Scalar>::of_one_unit(rows)};
  };
  if (n == X.rows()) return of(X);
  return of(ChosenRows(X, numbers).rows());
}

}  // namespace detail
DASVDD_NAMESPACE_END
