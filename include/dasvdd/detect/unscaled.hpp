#pragma once
/// \file
/// The scaler that leaves rows as they are.

#include <dasvdd/detect/scaler_tensor.hpp>
#include <dasvdd/kernels/table.hpp>

#include <cstring>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// x <- x
template <class Scalar>
struct Unscaled {
  /// Rows of any width fit.
  Index features() const { return 0; }
  template <class Number>
  void apply(const kernels::Table<Scalar>&, const Number* row, Index d, Scalar* out) const {
    if constexpr (std::is_same_v<Number, Scalar>) {
      std::memcpy(out, row, static_cast<std::size_t>(d) * sizeof(Scalar));
    } else {
      for (Index j = 0; j < d; ++j) out[j] = static_cast<Scalar>(row[j]);
    }
  }
  template <class Number, class Out>
  void undo(const kernels::Table<Scalar>&, const Number*, Index d, const Scalar* from,
            Out* out) const {
    for (Index j = 0; j < d; ++j) out[j] = static_cast<Out>(from[j]);
  }
  std::string text() const { return "unscaled"; }
  std::vector<ScalerTensor> tensors() const { return {}; }
  /// Never chosen by a tensor: it is what a file without a scaler's tensors means.
  template <class File>
  static std::optional<Unscaled> read(File&, Index) {
    return {};
  }
  friend bool operator==(const Unscaled&, const Unscaled&) { return true; }
};

}  // namespace detail
DASVDD_NAMESPACE_END
