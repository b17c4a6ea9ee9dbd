#pragma once
/// \file
/// Columns that number the rows: no features, for new rows have new numbers.

#include <tool/table.hpp>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace tool {
namespace detail {

/// A whole number from 0, or nothing.
inline std::optional<std::size_t> parse_index(const std::string& text) {
  std::size_t index = 0;
  const char* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, index);
  if (error != std::errc() || end != last) return std::nullopt;
  return index;
}

/// What a name says of a column: that it tells rows apart, that it may number them, or nothing.
enum class IndexName { no, count, key };

/// By the names that pandas, R, databases and people give to row numbers, however they are spelled.
inline IndexName index_name(const std::string& name) {
  std::string word;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) || byte >= 0x80 || c == '#') {
      word += static_cast<char>(std::tolower(byte));
    }
  }
  if (word.compare(0, 5, "level") == 0 && parse_index(word.substr(5))) return IndexName::key;
  for (const std::string_view key :
       {"#",        "index",    "idx",   "id",       "uid",      "row",       "rownames",
        "rowname",  "rowid",    "rowno", "rownr",    "rownum",   "rownumber", "rowindex",
        "recordid", "recordno", "recno", "sampleid", "sampleno", "objectid",  "fid"}) {
    if (word == key) return IndexName::key;
  }
  for (const std::string_view count :
       {"no", "nr", "num", "number", "n", "record", "obs", "observation", "sample", "seq", "seqno",
        "serial", "serialno", "key"}) {
    if (word == count) return IndexName::count;
  }
  return IndexName::no;
}
/// 0, 1, 2, ... or 1, 2, 3, ...
inline bool counts_rows(const std::vector<double>& numbers) {
  if (numbers.size() < 2 || (numbers[0] != 0 && numbers[0] != 1)) return false;
  for (std::size_t i = 1; i < numbers.size(); ++i) {
    if (numbers[i] != numbers[i - 1] + 1) return false;
  }
  return true;
}
inline bool whole_and_distinct(std::vector<double> numbers) {
  const bool whole =
      std::all_of(numbers.begin(), numbers.end(), [](double x) { return x == std::floor(x); });
  std::sort(numbers.begin(), numbers.end());
  return whole && std::adjacent_find(numbers.begin(), numbers.end()) == numbers.end();
}
/// Whether numbers go up in equal steps of some size.
inline bool steps_up(const std::vector<double>& numbers) {
  for (std::size_t i = 1; i < numbers.size(); ++i) {
    const double step = numbers[1] - numbers[0];
    if (!(step > 0) || numbers[i] - numbers[i - 1] != step) return false;
  }
  return numbers.size() > 1;
}
/// Whether a column of that name numbers the rows: ten distinct ones and more, shuffled, say, or a part of them.
inline bool numbers_rows(IndexName name, const std::vector<double>& numbers) {
  if (name == IndexName::no) return false;
  if (counts_rows(numbers)) return true;
  if (numbers.size() < 10) return false;
  return name == IndexName::key ? whole_and_distinct(numbers) : steps_up(numbers);
}
/// Whether numbers without a name may be an index: whole ones that differ, or that go up in steps of one in several
/// runs, as pandas joins tables, or any in equal steps.
inline bool looks_like_index(const std::vector<double>& numbers) {
  const std::size_t n = numbers.size();
  const bool whole =
      std::all_of(numbers.begin(), numbers.end(), [](double x) { return x == std::floor(x); });
  std::size_t ones = 0, equal = 0;
  const double step = n > 1 ? numbers[1] - numbers[0] : 0;
  for (std::size_t i = 1; i < n; ++i) {
    const double more = numbers[i] - numbers[i - 1];
    ones += more == 1;
    equal += std::abs(more - step) <= 1e-6 * std::abs(step);
  }
  if (n > 2 && step != 0 && equal == n - 1) return true;
  if (!whole) return false;
  return (n > 2 && 2 * ones >= n - 1) || whole_and_distinct(numbers);
}

}  // namespace detail

/// A sentence for each column of a training set that counts its rows from the first to the last, whatever it is called.
/// \param file as it begins a sentence
inline std::vector<std::string> row_number_warnings(const Table& table, const std::string& file) {
  std::vector<std::string> warnings;
  const Index n = table.X.rows();
  for (Index j = 0; j < table.X.cols() && n >= 20; ++j) {
    if (table.X(1, j) != table.X(0, j) + 1) continue;  // as almost always
    const Eigen::VectorXd column = table.X.col(j);
    if (!detail::counts_rows({column.begin(), column.end()})) continue;
    warnings.push_back(
        file + ": " + table.column_text(j) +
        " counts the rows, so new ones may lie beyond all of these; --drop leaves it out");
  }
  return warnings;
}

}  // namespace tool
