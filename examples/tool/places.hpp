#pragma once
/// \file
/// Where rows and columns stand in their file: for the library's sentences, and in place of them.

#include <tool/table.hpp>

#include <dasvdd/detect/places.hpp>
#include <dasvdd/detect/scaler.hpp>

#include <string>
#include <vector>

namespace tool {

/// What the library says in place of a table's own row and column numbers.
inline dasvdd::detail::Places places_of(const Table& table) {
  dasvdd::detail::Places places;
  places.columns = table.columns;
  places.rows = table.lines.empty() ? table.rows : table.lines;
  if (table.lines.empty()) {
    places.from = ", from 0";
  } else {
    places.row = "line";
  }
  return places;
}

/// Which values a row may lack.
class MayLack {
 public:
  /// Any, but not all of them.
  MayLack() = default;
  /// None, because features are watched.
  static MayLack nothing(Index features) {
    MayLack none(features);
    none.why_ = "; --watch-rows watches features that are always there";
    return none;
  }
  /// What a detector can do without.
  template <class Scalar>
  explicit MayLack(const dasvdd::detail::Scaler<Scalar>& scaler, Index features)
      : MayLack(features) {
    if (scaler.masks()) lacked_.clear();
    for (const Index j : scaler.indicators()) lacked_[static_cast<std::size_t>(j)] = true;
  }
  /// What some row of a training set lacks: an imputed value has a feature that says whether it was missing.
  explicit MayLack(const dasvdd::RowMatrix<double>& rows) : MayLack(rows.cols()) {
    for (Index i = 0; i < rows.rows(); ++i) {
      for (Index j = 0; j < rows.cols(); ++j) {
        if (dasvdd::detail::is_nan(rows(i, j))) lacked_[static_cast<std::size_t>(j)] = true;
      }
    }
  }

  /// Refuses a row that lacks others.
  /// \param file as it begins a sentence; \param row_text, column_text the places in it
  template <class ColumnText>
  void check_row(const double* row, Index d, const std::string& file, const std::string& row_text,
                 const ColumnText& column_text) const {
    Index there = 0;
    for (Index j = 0; j < d; ++j) {
      const bool missing = dasvdd::detail::is_nan(row[j]);
      there += !missing;
      if (!missing || lacked_.empty() || lacked_[static_cast<std::size_t>(j)]) continue;
      check(false, file, ", ", row_text, ", ", column_text(j), ": the value is missing", why_);
    }
    check(there > 0, file, ", ", row_text, no_value);
  }
  /// The same of each row.
  void check_rows(const Table& table, const std::string& file) const {
    for (Index i = 0; i < table.X.rows(); ++i) {
      const double* row = table.X.data() + i * table.X.cols();
      if (dasvdd::detail::all_finite(row, table.X.cols())) continue;
      check_row(row, table.X.cols(), file, table.row_text(i),
                [&](Index j) { return table.column_text(j); });
    }
  }

 private:
  explicit MayLack(Index features) : lacked_(static_cast<std::size_t>(features), false) {}

  std::vector<bool> lacked_;  // empty: any
  const char* why_ = "; no training row lacked that value, so nothing is known of rows that do";
};

/// Refuses a training set with a column of which nothing is there.
inline void check_columns(const Table& table, const std::string& file) {
  if (table.X.rows() == 0) return;
  for (Index j = 0; j < table.X.cols(); ++j) {
    bool any = false;
    for (Index i = 0; !any && i < table.X.rows(); ++i) any = !dasvdd::detail::is_nan(table.X(i, j));
    check(any, file, ", ", table.column_text(j), " has no value in the ", table.X.rows(),
          " rows to train on; --drop leaves it out");
  }
}

}  // namespace tool
