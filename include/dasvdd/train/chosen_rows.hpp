#pragma once
/// \file
/// Some of a batch's rows, by number, as they are.

#include <dasvdd/core/any_rows.hpp>
#include <dasvdd/core/memory.hpp>

#include <algorithm>
#include <cstddef>
#include <type_traits>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// Copies of the rows of X by number, one behind the other, in the type of X.
class ChosenRows {
 public:
  ChosenRows(const AnyRows& X, const std::vector<Index>& numbers)
      : n_(static_cast<Index>(numbers.size())), d_(X.cols()) {
    X.visit([&](auto rows) {
      using Scalar = typename decltype(rows)::Value;
      AlignedBuffer<Scalar> copies(n_, d_);
      for (Index i = 0; i < n_; ++i) {
        std::copy_n(rows.row(numbers[static_cast<std::size_t>(i)]), d_, copies.data() + i * d_);
      }
      if constexpr (std::is_same_v<Scalar, double>) {
        doubles_ = std::move(copies);
      } else {
        floats_ = std::move(copies);
      }
    });
    wide_ = X.wide();
  }

  AnyRows rows() const {
    if (wide_) return {doubles_.data(), n_, d_};
    return {floats_.data(), n_, d_};
  }

 private:
  Index n_, d_;
  bool wide_;
  AlignedBuffer<float> floats_;  // one of the two holds them
  AlignedBuffer<double> doubles_;
};

}  // namespace detail
DASVDD_NAMESPACE_END
