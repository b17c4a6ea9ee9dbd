#pragma once
/// \file
/// The piece of a dense step's result, or of its input's gradient, that one thread computes at a time.

#include <dasvdd/core/parallel.hpp>

#include <algorithm>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// Columns first .. first + cols - 1 of a mini-batch's block; `out` points at the first of them in row 0.
template <class Scalar>
struct DenseStrip {
  Index first, cols;
  Scalar* out;
  Index stride;  ///< from row to row
};

/// Calls work(first, cols) for the strips of `panel` columns that are this member's.
template <class Work>
void for_my_strips(const Team& team, Index cols, Index panel, const Work& work) {
  const Range mine = team.share(ceil_div(cols, panel));
  for (Index j = mine.first; j < mine.last; ++j) {
    work(j * panel, (std::min)(panel, cols - j * panel));
  }
}

}  // namespace detail
DASVDD_NAMESPACE_END
