#pragma once
/// \file
/// How rows enter the net: one of the kinds of scaler.

#include <dasvdd/core/any_rows.hpp>
#include <dasvdd/detect/contrast_normalizer.hpp>
#include <dasvdd/detect/missing_values.hpp>
#include <dasvdd/detect/softener.hpp>
#include <dasvdd/detect/standardizer.hpp>
#include <dasvdd/detect/unscaled.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
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
  Scaler(Kind kind) : Scaler(std::move(kind), MissingRule::refuse) {}
  /// \param rule what becomes of missing values
  /// \param shares where they are imputed: of each feature the share of training rows that lack it, below 1
  Scaler(Kind kind, MissingRule rule, const std::vector<double>& shares = {})
      : kind_(std::make_shared<const Kind>(std::move(kind))), rule_(rule), shares_(shares) {
    const bool by_feature = std::holds_alternative<Unscaled<Scalar>>(*kind_) ||
                            std::holds_alternative<Standardizer<Scalar>>(*kind_);
    ensure(rule == MissingRule::refuse || by_feature, "rows that are ", text(),
           " can't have missing values: each number has a part in the others");
    const bool imputes = rule == MissingRule::impute;
    ensure(!imputes || (features() > 0 && static_cast<Index>(shares.size()) == features()),
           "the scaler has ", shares.size(), " shares of missing values for ", features(),
           " features, expected one each");
    for (std::size_t j = 0; imputes && j < shares.size(); ++j) {
      ensure(shares[j] >= 0 && shares[j] < 1, "the scaler's share of missing values of feature ", j,
             " is ", shares[j], ", expected 0 to below 1");
      if (shares[j] > 0) indicators_.push_back(static_cast<Index>(j));
    }
  }
  // Copies share the kind, which never changes. No moves: they would leave a scaler without one.
  Scaler(const Scaler&) = default;
  Scaler& operator=(const Scaler&) = default;

  const Kind& kind() const { return *kind_; }
  /// Whether rows stay as they are.
  bool empty() const {
    return rule_ == MissingRule::refuse && std::holds_alternative<Unscaled<Scalar>>(*kind_);
  }
  MissingRule missing() const { return rule_; }
  bool masks() const { return rule_ == MissingRule::mask; }
  /// The features with an indicator behind the row, ascending.
  const std::vector<Index>& indicators() const { return indicators_; }
  /// Numbers that the net gets of a row of d.
  Index inputs(Index d) const { return d + static_cast<Index>(indicators_.size()); }

  /// Features that a row must have; 0 where rows of any width fit.
  Index features() const {
    return std::visit([](const auto& kind) { return kind.features(); }, *kind_);
  }
  /// out = the row as the net takes it: of d numbers, inputs(d).
  template <class Number>
  void apply(const kernels::Table<Scalar>& k, const Number* row, Index d, Scalar* out) const {
    std::visit([&](const auto& kind) { kind.apply(k, row, d, out); }, *kind_);
    if (rule_ != MissingRule::refuse) fill(row, d, out);
  }
  /// The same for each row of X; out's rows are `stride` apart.
  void apply(const kernels::Table<Scalar>& k, const AnyRows& X, Scalar* out, Index stride) const {
    X.visit([&](auto rows) {
      std::visit(
          [&](const auto& kind) {
            for (Index i = 0; i < rows.rows(); ++i) {
              kind.apply(k, rows.row(i), rows.cols(), out + i * stride);
              if (rule_ != MissingRule::refuse) fill(rows.row(i), rows.cols(), out + i * stride);
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
    auto tensors = std::visit([](const auto& kind) { return kind.tensors(); }, *kind_);
    if (masks()) tensors.push_back({"scaler.masks_missing", {1}, true});
    if (rule_ == MissingRule::impute) {
      tensors.push_back({"scaler.row_features", {static_cast<double>(features())}, true});
      tensors.push_back({"scaler.missing_share", shares_});
    }
    return tensors;
  }
  /// The scaler that a model file's tensors describe; an empty one where there are none.
  /// \param file see the class
  /// \param inputs of the model's net
  template <class File>
  static Scaler read(File& file, Index inputs) {
    if (!file.has("scaler.missing_share")) {
      const Scaler found = read_first(file, inputs, static_cast<Kind*>(nullptr));
      if (!file.has("scaler.masks_missing")) return found;
      const double one = file.number("scaler.masks_missing");
      ensure(one == 1, "scaler.masks_missing is ", one, ", expected 1");
      return Scaler(*found.kind_, MissingRule::mask);
    }
    const double number = file.number("scaler.row_features");
    ensure(number >= 1 && number <= static_cast<double>(inputs) && number == std::floor(number),
           "scaler.row_features is ", number, ", expected a whole number from 1 to ", inputs);
    const Index features = static_cast<Index>(number);
    const Scaler found = read_first(file, features, static_cast<Kind*>(nullptr));
    const Scaler scaler(*found.kind_, MissingRule::impute,
                        file.numbers("scaler.missing_share", {features}));
    ensure(scaler.inputs(features) == inputs, "the scaler makes ", scaler.inputs(features),
           " numbers of a row, the net takes ", inputs);
    return scaler;
  }

  // ---- missing values ---------------------------------------------------------------------------

  /// Whether all numbers of X can be had or done without.
  bool takes(const AnyRows& X) const { return first_refused(X).why == nullptr; }
  /// Throws InvalidArgument for the first number that can't; `what` names the batch.
  void validate(const AnyRows& X, const char* what) const {
    if (rule_ == MissingRule::refuse) return require_finite(X, what);
    const Refused bad = first_refused(X);
    if (bad.why == nullptr) return;
    if (bad.column < 0) ensure(false, what, " has row ", bad.row, bad.why);
    ensure(false, what, " has ", non_finite_name(X(bad.row, bad.column)), " in row ", bad.row,
           ", column ", bad.column, bad.why);
  }

  /// Whether both do the same to every row.
  friend bool operator==(const Scaler& a, const Scaler& b) {
    return *a.kind_ == *b.kind_ && a.rule_ == b.rule_ && a.shares_ == b.shares_;
  }
  friend bool operator!=(const Scaler& a, const Scaler& b) { return !(a == b); }

 private:
  struct Refused {
    const char* why = nullptr;
    Index row = 0, column = -1;
  };
  Refused first_refused(const AnyRows& X) const {
    return X.visit([&](auto rows) -> Refused {
      for (Index i = 0; i < rows.rows(); ++i) {
        if (all_finite(rows.row(i), rows.cols())) continue;
        Index there = 0;
        for (Index j = 0; j < rows.cols(); ++j) {
          if (is_finite(rows(i, j))) {
            ++there;
          } else if (!is_nan(static_cast<double>(rows(i, j)))) {
            return {"; a value may be missing (NaN), not infinite", i, j};
          } else if (rule_ == MissingRule::refuse) {
            return {"; every value must be finite", i, j};
          } else if (!masks() && !(shares_[static_cast<std::size_t>(j)] > 0)) {
            return {"; no training row lacked that value, so nothing is known of rows that do", i,
                    j};
          }
        }
        if (there == 0) return {" without a single value", i, -1};
      }
      return {};
    });
  }

  /// Zeros, the mean of what is scaled, where the row lacks a value; and the indicators behind it, scaled as a
  /// feature is.
  template <class Number>
  void fill(const Number* row, Index d, Scalar* out) const {
    for (Index j = 0; j < d; ++j) {
      if (is_missing(row[j])) out[j] = 0;
    }
    for (std::size_t t = 0; t < indicators_.size(); ++t) {
      const double share = shares_[static_cast<std::size_t>(indicators_[t])];
      const double value = (is_missing(row[indicators_[t]]) ? 1 : 0) - share;
      out[d + static_cast<Index>(t)] = static_cast<Scalar>(value / std::sqrt(share * (1 - share)));
    }
  }

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
  MissingRule rule_;
  std::vector<double> shares_;
  std::vector<Index> indicators_;
};

}  // namespace detail
DASVDD_NAMESPACE_END
