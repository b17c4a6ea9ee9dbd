#pragma once
/// \file
/// The scaler that leaves rows as they are.

#include <dasvdd/detect/scaler_tensor.hpp>
#include <dasvdd/kernels/table.hpp>

#include <cstring>
#include <optional>
#include <string>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// x <- x
template <class Scalar>
struct Unscaled {
  /// Rows of any width fit.
  Index features() const { return 0; }
  void apply(const kernels::Table<Scalar>&, const Scalar* row, Index d, Scalar* out) const {
    std::memcpy(out, row, static_cast<std::size_t>(d) * sizeof(Scalar));
  }
  void undo(const kernels::Table<Scalar>&, const Scalar*, Index, Scalar*) const {}
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
