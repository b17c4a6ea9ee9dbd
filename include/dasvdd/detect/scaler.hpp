#pragma once
/// \file
/// How rows enter the net: one of the kinds of scaler.

#include <dasvdd/core/any_rows.hpp>
#include <dasvdd/detect/contrast_normalizer.hpp>
#include <dasvdd/detect/softener.hpp>
#include <dasvdd/detect/standardizer.hpp>
#include <dasvdd/detect/unscaled.hpp>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// A scaler of one kind; rows stay as they are by default.
///
/// A new kind is a header like standardizer.hpp with a class of these functions, and a place in `Kind`:
/// - `Index features() const`: numbers a row must have; 0 where rows of any width fit
/// - `apply(k, row, d, out) const`: out = the row in the net's units, both of d numbers; the row's are
///   float or double
/// - `undo(k, row, d, from, out) const`: out = `from`, which resembles the row in the net's units, in
///   the row's own units; out's numbers are float or double, and it may be `from`
/// - `std::string text() const`: the kind in words
/// - `std::vector<ScalerTensor> tensors() const`: its numbers for the model file
/// - `static std::optional<Kind> read(file, features)`: the scaler that a model file's tensors describe,
///   nothing where they are not there; file has has(name), number(name) and numbers(name, shape), which
///   refuse what is no finite number, or of another shape
/// - `operator==`: whether both do the same to every row
template <class Scalar>
class Scaler {
 public:
  using Kind = std::variant<Unscaled<Scalar>, Standardizer<Scalar>, ContrastNormalizer<Scalar>,
                            Softener<Scalar>>;

  Scaler() : Scaler(Kind()) {}
  Scaler(Kind kind) : kind_(std::make_shared<const Kind>(std::move(kind))) {}
  // Copies share the kind, which never changes. No moves: they would leave a scaler without one.
  Scaler(const Scaler&) = default;
  Scaler& operator=(const Scaler&) = default;

  const Kind& kind() const { return *kind_; }
  /// Whether rows stay as they are.
  bool empty() const { return std::holds_alternative<Unscaled<Scalar>>(*kind_); }

  /// Features that a row must have; 0 where rows of any width fit.
  Index features() const {
    return std::visit([](const auto& kind) { return kind.features(); }, *kind_);
  }
  /// out = the row as the net takes it; both have d numbers.
  template <class Number>
  void apply(const kernels::Table<Scalar>& k, const Number* row, Index d, Scalar* out) const {
    std::visit([&](const auto& kind) { kind.apply(k, row, d, out); }, *kind_);
  }
  /// The same for each row of X; out's rows are `stride` apart.
  void apply(const kernels::Table<Scalar>& k, const AnyRows& X, Scalar* out, Index stride) const {
    X.visit([&](auto rows) {
      std::visit(
          [&](const auto& kind) {
            for (Index i = 0; i < rows.rows(); ++i) {
              kind.apply(k, rows.row(i), rows.cols(), out + i * stride);
            }
          },
          *kind_);
    });
  }
  /// The same for row i of X.
  void apply_row(const kernels::Table<Scalar>& k, const AnyRows& X, Index i, Scalar* out) const {
    X.visit([&](auto rows) { apply(k, rows.row(i), rows.cols(), out); });
  }
  /// out = `from`, which resembles the row in the net's units, in the row's own units.
  template <class Number, class Out>
  void undo(const kernels::Table<Scalar>& k, const Number* row, Index d, const Scalar* from,
            Out* out) const {
    std::visit([&](const auto& kind) { kind.undo(k, row, d, from, out); }, *kind_);
  }
  /// The kind in words.
  std::string text() const {
    return std::visit([](const auto& kind) { return kind.text(); }, *kind_);
  }
  /// Its numbers, for the model file.
  std::vector<ScalerTensor> tensors() const {
    return std::visit([](const auto& kind) { return kind.tensors(); }, *kind_);
  }
  /// The scaler that a model file's tensors describe; an empty one where there are none.
  /// \param file see the class
  /// \param features of the model's net
  template <class File>
  static Scaler read(File& file, Index features) {
    return read_first(file, features, static_cast<Kind*>(nullptr));
  }

  /// Whether both do the same to every row.
  friend bool operator==(const Scaler& a, const Scaler& b) { return *a.kind_ == *b.kind_; }
  friend bool operator!=(const Scaler& a, const Scaler& b) { return !(a == b); }

 private:
  /// Asks each kind until one finds its tensors.
  template <class File, class... Kinds>
  static Scaler read_first(File& file, Index features, std::variant<Kinds...>*) {
    Scaler found;
    const auto take = [&](auto kind) {
      if (kind) found = Scaler(*std::move(kind));
      return kind.has_value();
    };
    static_cast<void>((take(Kinds::read(file, features)) || ...));
    return found;
  }

  std::shared_ptr<const Kind> kind_;
};

}  // namespace detail
DASVDD_NAMESPACE_END
