#pragma once
/// \file
/// How rows enter the net: as they are, or by one of the kinds of scaler.

#include <dasvdd/detect/contrast_normalizer.hpp>
#include <dasvdd/detect/softener.hpp>
#include <dasvdd/detect/standardizer.hpp>

#include <cstring>
#include <utility>
#include <variant>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// Leaves rows as they are.
template <class Scalar>
struct AsTheyAre {
  Index features() const { return 0; }
  void apply(const kernels::Table<Scalar>&, const Scalar* row, Index d, Scalar* out) const {
    std::memcpy(out, row, static_cast<std::size_t>(d) * sizeof(Scalar));
  }
  void undo(const kernels::Table<Scalar>&, const Scalar*, Index, Scalar*) const {}
  std::string text() const { return "as they are"; }
  std::vector<ScalerTensor> tensors() const { return {}; }
  friend bool operator==(const AsTheyAre&, const AsTheyAre&) { return true; }
};

/// One kind of scaler. A new kind is a header with a class of these six functions, a place in
/// `Kind`, and a row in io/scaler_tensors.hpp, which makes it again from a file.
template <class Scalar>
class Scaler {
 public:
  using Kind = std::variant<AsTheyAre<Scalar>, Standardizer<Scalar>, ContrastNormalizer<Scalar>,
                            Softener<Scalar>>;

  Scaler() = default;
  Scaler(Kind kind) : kind_(std::move(kind)) {}

  const Kind& kind() const { return kind_; }
  /// Whether rows stay as they are.
  bool empty() const { return std::holds_alternative<AsTheyAre<Scalar>>(kind_); }

  /// Features that a row must have; 0 where rows of any width fit.
  Index features() const {
    return std::visit([](const auto& kind) { return kind.features(); }, kind_);
  }
  /// out = the row as the net takes it; both have d entries.
  void apply(const kernels::Table<Scalar>& k, const Scalar* row, Index d, Scalar* out) const {
    std::visit([&](const auto& kind) { kind.apply(k, row, d, out); }, kind_);
  }
  /// Brings `out`, which is like the row in the net's units, back into the row's own units.
  void undo(const kernels::Table<Scalar>& k, const Scalar* row, Index d, Scalar* out) const {
    std::visit([&](const auto& kind) { kind.undo(k, row, d, out); }, kind_);
  }
  /// How rows enter the net, in words.
  std::string text() const {
    return std::visit([](const auto& kind) { return kind.text(); }, kind_);
  }
  /// Its numbers, for the model file.
  std::vector<ScalerTensor> tensors() const {
    return std::visit([](const auto& kind) { return kind.tensors(); }, kind_);
  }

  /// Whether both do the same to every row.
  friend bool operator==(const Scaler& a, const Scaler& b) { return a.kind_ == b.kind_; }
  friend bool operator!=(const Scaler& a, const Scaler& b) { return !(a == b); }

 private:
  Kind kind_;
};

}  // namespace detail
DASVDD_NAMESPACE_END
