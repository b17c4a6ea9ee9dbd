#pragma once
/// \file
/// Some of a batch's rows, by number.

#include <dasvdd/detect/scaler.hpp>
#include <dasvdd/kernels/dispatch.hpp>
#include <dasvdd/train/chosen_rows.hpp>
#include <dasvdd/train/row_numbers.hpp>

#include <cstddef>
#include <limits>
#include <utility>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// Copies of the rows of X by number, scaled, one behind the other. Missing values that are masked stay missing: the
/// trainer masks them.
template <class Scalar>
class GatheredRows {
 public:
  GatheredRows(const AnyRows& X, const Scaler<Scalar>& scaler, const std::vector<Index>& numbers)
      : d_(scaler.inputs(X.cols())), data_(static_cast<Index>(numbers.size()) * d_) {
    for (std::size_t r = 0; r < numbers.size(); ++r) {
      Scalar* out = data_.data() + static_cast<Index>(r) * d_;
      scaler.apply_row(kernels::best<Scalar>(), X, numbers[r], out);
      if (!scaler.masks()) continue;
      X.visit([&](auto rows) {
        for (Index j = 0; j < d_; ++j) {
          if (is_missing(rows(numbers[r], j))) out[j] = std::numeric_limits<Scalar>::quiet_NaN();
        }
      });
    }
  }

  Rows<const Scalar> rows() const { return {data_.data(), data_.size() / d_, d_}; }

 private:
  Index d_;
  AlignedBuffer<Scalar> data_;
};

/// The scaler of rows that were scaled already, and may still lack values that are to be masked.
template <class Scalar>
Scaler<Scalar> scaled_already(const Scaler<Scalar>& by) {
  if (!by.masks()) return {};
  return {Unscaled<Scalar>(), MissingRule::mask};
}

/// The standardizer of the rows by number; of X itself where they are all of its rows. With fewer rows
/// than features no scale is below the features' median.
/// \param rule what becomes of missing values; each feature that a row of X lacks has an indicator where they are
///   imputed
template <class Scalar>
Scaler<Scalar> standardizer_of(const AnyRows& X, const std::vector<Index>& numbers,
                               MissingRule rule) {
  const Index n = static_cast<Index>(numbers.size());
  std::vector<double> shares;
  if (rule == MissingRule::impute) {
    for (const double rows : MissingPlaces(X).present(X.rows())) {
      shares.push_back(1 - rows / static_cast<double>(X.rows()));
    }
  }
  const auto of = [&](const AnyRows& rows) -> Scaler<Scalar> {
    return {n > X.cols() ? Standardizer<Scalar>::of(rows) : Standardizer<Scalar>::of_one_unit(rows),
            rule, shares};
  };
  if (n == X.rows()) return of(X);
  return of(ChosenRows(X, numbers).rows());
}

}  // namespace detail
DASVDD_NAMESPACE_END
