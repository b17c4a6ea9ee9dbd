#pragma once
/// \file
/// What `dasvdd score` writes: a header, then one line a row.

#include <tool/table.hpp>

#include <dasvdd/dasvdd.hpp>

#include <algorithm>
#include <numeric>
#include <ostream>
#include <string>
#include <vector>

namespace tool {

/// A word as a field of a csv.
inline std::string csv_field(const std::string& word) {
  if (word.find_first_of(",;\"\r\n") == std::string::npos) return word;
  std::string field = "\"";
  for (const char c : word) field += c == '"' ? std::string(2, c) : std::string(1, c);
  return field + '"';
}

/// Writes score, p-value and decision, and what was asked for besides.
template <class Scalar>
class ScoreLines {
 public:
  /// \param explained the features with the largest shares that a row is explained by; 0 for none
  /// \param selects whether lines say which rows a false discovery rate selects
  ScoreLines(const dasvdd::Detector<Scalar>& detector, Index explained, bool selects)
      : detector_(detector), explained_(explained), selects_(selects) {}

  std::string header() const {
    std::string text = "score,p_value,anomaly";
    if (selects_) text += ",selected";
    for (Index i = 1; i <= explained_; ++i) {
      for (const char* word : {"feature", "share", "observed", "expected"}) {
        text += std::string(",") + word + "_" + std::to_string(i);
      }
    }
    return text + "\n";
  }

  /// \param row its numbers
  /// \param selected without meaning where lines don't say it
  std::string line(const double* row, Scalar score, bool selected) const {
    std::string text = number_text(score) + ",";
    if (!detector_.calibration().empty()) text += number_text(detector_.p_value(score));
    text += detector_.is_anomaly(score) ? ",1" : ",0";
    if (selects_) text += selected ? ",1" : ",0";
    if (explained_ == 0) return text + "\n";
    const dasvdd::Explanation why = detector_.explain(row);
    std::vector<std::size_t> order(why.features.size());
    std::iota(order.begin(), order.end(), std::size_t(0));
    std::partial_sort(order.begin(), order.begin() + explained_, order.end(),
                      [&](std::size_t a, std::size_t b) {
                        const double left = why.features[a], right = why.features[b];
                        return left != right ? left > right : a < b;
                      });
    for (Index i = 0; i < explained_; ++i) {
      const std::size_t j = order[static_cast<std::size_t>(i)];
      const auto& names = detector_.feature_names();
      text += "," + (names.empty() ? std::to_string(j) : csv_field(names[j]));
      // What was observed as the file has it, which float would round; the others are the net's.
      text += "," + number_text(static_cast<Scalar>(why.features[j])) + "," +
              number_text(why.observed[j]) + ",";
      // Of a row so far out that the net overflows nothing was expected.
      if (dasvdd::detail::is_finite(why.expected[j])) text += number_text(why.expected[j]);
    }
    return text + "\n";
  }

 private:
  const dasvdd::Detector<Scalar>& detector_;
  Index explained_;
  bool selects_;
};

}  // namespace tool
