#pragma once
/// \file
/// `Table`: what every reader of the tool gives: rows, perhaps their labels, perhaps the columns'
/// names.

#include <dasvdd/core/finite.hpp>
#include <dasvdd/core/types.hpp>

#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <ostream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace tool {

using dasvdd::FileError;
using dasvdd::Index;

/// What the command line says about a data file.
struct DataOptions {
  enum class Header { automatic, yes, no };
  std::string label_column;  ///< of a csv: name or index; empty for none
  std::string labels_path;   ///< a file of labels beside the data; empty for none
  bool with_labels =
      true;  ///< false: labels are left out, and not even looked at where that can be helped
  Header header = Header::automatic;      ///< whether a csv's first row holds names
  std::vector<std::string> columns = {};  ///< the features, by name or index; empty for all others
  std::vector<std::string> drop = {};     ///< columns to leave out, by name or index
  std::string key = "X";                  ///< the array of an .npz or .mat
  std::string label_key = "y";            ///< the array of labels there
  bool label_key_given = false;           ///< it must then be there
  std::string group = {};  ///< of a csv: the column that names a row's group, by name or
                           ///< index; of other files so many rows are a group; empty for none
  const char* group_option = "--group";    ///< what the command calls it
  std::vector<std::string> expected = {};  ///< the model's feature names; empty where it has none
  Index features = 0;                      ///< how many the model takes; 0 where there is none
  bool missing =
      false;  ///< whether rows may lack values: NaN, or in a csv a field that is_missing_word()
};

/// What a table's numbers are as pixels: of one byte each, divided by 255 already, or anything else.
enum class Pixels { any, bytes, divided };

/// A data set as read from a file.
struct Table {
  dasvdd::RowMatrix<double> X;  ///< n x d; of IDX images the pixels / 255
  std::vector<std::string>
      labels;  ///< one a row, as canonical_label writes them; empty when there are none
  std::vector<std::string> groups;  ///< one a row, the name of its group; empty when there are none
  std::vector<std::string> names;   ///< one a feature; empty when the file names none
  bool images = false;
  Index channels = 1, height = 0, width = 0;  ///< of one image
  Pixels pixels = Pixels::any;
  std::vector<Index> lines;    ///< of a csv: the line each row begins on, from 1; else empty
  std::vector<Index> rows;     ///< each row's number in the file, from 0; empty for 0, 1, 2, ...
  std::vector<Index> columns;  ///< each feature's number in the file, from 0; empty for 0, 1, ...

  /// Where row i stands in the file: "line 14", or "row 13 (from 0)".
  std::string row_text(Index i) const {
    const auto at = static_cast<std::size_t>(i);
    if (!lines.empty()) return "line " + std::to_string(lines[at]);
    return "row " + std::to_string(rows.empty() ? i : rows[at]) + " (from 0)";
  }
  /// Feature j: "column 'b'", or "column 1 (from 0)".
  std::string column_text(Index j) const {
    const auto at = static_cast<std::size_t>(j);
    if (!names.empty()) return "column '" + names[at] + "'";
    return "column " + std::to_string(columns.empty() ? j : columns[at]) + " (from 0)";
  }

  /// Leaves the rows of these numbers, in their order.
  void keep(const std::vector<Index>& numbers) { *this = chosen(numbers); }
  /// The rows of these numbers as a table.
  Table chosen(const std::vector<Index>& numbers) const {
    Table part;
    part.names = names;
    part.columns = columns;
    part.images = images;
    part.pixels = pixels;
    part.channels = channels;
    part.height = height;
    part.width = width;
    part.X.resize(static_cast<Index>(numbers.size()), X.cols());
    for (std::size_t r = 0; r < numbers.size(); ++r) {
      const auto at = static_cast<std::size_t>(numbers[r]);
      part.X.row(static_cast<Index>(r)) = X.row(numbers[r]);
      if (!labels.empty()) part.labels.push_back(labels[at]);
      if (!groups.empty()) part.groups.push_back(groups[at]);
      if (!lines.empty()) part.lines.push_back(lines[at]);
      part.rows.push_back(rows.empty() ? numbers[r] : rows[at]);
    }
    return part;
  }
};

/// Without the blanks around it.
inline std::string_view trimmed(std::string_view text) {
  const char* blanks = " \t\r\n";
  const std::size_t first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

/// The number that a field holds ("nan" and "inf" are numbers, as in Python), nothing when it is
/// none.
inline std::optional<double> parse_number(std::string_view field) {
  std::string_view text = trimmed(field);
  if (text.size() > 1 && text[0] == '+' && text[1] != '-' && text[1] != '+') text.remove_prefix(1);
  if (text.empty()) return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end != text.data() + text.size() || error == std::errc::invalid_argument) return std::nullopt;
  // Too large or too small for a double is a number all the same: infinity or zero.
  if (error == std::errc::result_out_of_range)
    return std::strtod(std::string(text).c_str(), nullptr);
  return value;
}

/// The same for a number that may have a decimal comma in place of its point; `comma` says whether.
inline std::optional<double> parse_decimal(std::string_view field, bool& comma) {
  comma = false;
  if (const auto number = parse_number(field)) return number;
  std::string text(trimmed(field));
  const std::size_t at = text.find(',');
  if (at == std::string::npos || text.find_first_of(",.", at + 1) != std::string::npos ||
      text.find('.') < at) {
    return std::nullopt;
  }
  text[at] = '.';
  comma = true;
  return parse_number(text);
}

/// A number as short as reads back the same.
template <class Number>
std::string number_text(Number value) {
  char text[64];
  return std::string(text, std::to_chars(text, text + sizeof text, value).ptr);
}

/// The label of a number: 8, 8.0 and -0 are "8", "8" and "0".
inline std::string canonical_label(double value) {
  if (value == std::floor(value) && std::fabs(value) < 1e15) {
    return std::to_string(static_cast<long long>(value));
  }
  return number_text(value);
}

/// The label of a word: numbers are equal when their values are, everything else when the letters
/// are.
inline std::string canonical_label(std::string_view word) {
  if (const auto number = parse_number(word)) return canonical_label(*number);
  return std::string(trimmed(word));
}

/// Words from a file, fit for a terminal, which control bytes would make do something: each is shown as \x1b.
inline std::string printable(std::string_view text) {
  std::string shown;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7f) {
      shown += c;
      continue;
    }
    char code[8];
    std::snprintf(code, sizeof code, "\\x%02x", byte);
    shown += code;
  }
  return shown;
}

/// A file's name as it stands in a sentence.
inline std::string in_quotes(const std::string& name) { return "'" + name + "'"; }

/// Throws FileError with the joined parts unless `condition` holds.
template <class... Parts>
void check(bool condition, const Parts&... parts) {
  if (condition) return;
  std::ostringstream text;
  (text << ... << parts);
  const std::string sentence = text.str();
  // A zero byte would end the sentence.
  throw FileError(sentence.find('\0') == std::string::npos ? sentence : printable(sentence));
}

/// What is said of a row that lacks all of its values.
inline constexpr const char* no_value = ": the row has no value at all; leave it out";

/// Refuses a table with a number that no detector takes, by its place in the file.
/// \param name the file's, in quotes
/// \param most the largest number of the detector's type
/// \param missing whether NaN stands for a value that is missing
inline void check_numbers(const Table& table, const std::string& name, double most,
                          bool missing = false) {
  for (Index i = 0; i < table.X.rows(); ++i) {
    if (dasvdd::detail::all_finite(table.X.data() + i * table.X.cols(), table.X.cols()) &&
        table.X.row(i).cwiseAbs().maxCoeff() <= most) {
      continue;
    }
    for (Index j = 0; j < table.X.cols(); ++j) {
      const double x = table.X(i, j);
      if (missing && std::isnan(x)) continue;
      check(dasvdd::detail::is_finite(x), name, ", ", table.row_text(i), ", ", table.column_text(j),
            ": ", dasvdd::detail::non_finite_name(x), "; every value must be finite");
      check(std::abs(x) <= most, name, ", ", table.row_text(i), ", ", table.column_text(j), ": ", x,
            " is too large for a detector in float, which takes numbers up to ", most);
    }
    check(!table.X.row(i).array().isNaN().all(), name, ", ", table.row_text(i), no_value);
  }
}

/// Whether a field, or a label, says that there is none: a question mark, or what pandas, R and spreadsheets write for
/// a missing value, as nan, NA, null, None and #N/A are.
inline bool is_missing_word(std::string_view field) {
  const std::string_view text = trimmed(field);
  if (const auto number = parse_number(text)) return std::isnan(*number);
  if (text == "None") return true;  // "none" may be a label
  std::string word(text);
  for (char& c : word) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  for (const std::string_view missing :
       {"",       "?",      "na",       "n/a",     "null",    "nat",     "<na>",
        "#n/a",   "#na",    "#n/a n/a", "#div/0!", "#value!", "#ref!",   "#num!",
        "#name?", "#null!", "1.#ind",   "-1.#ind", "1.#qnan", "-1.#qnan"}) {
    if (word == missing) return true;
  }
  return false;
}

/// Whether a field holds a mark that some put where a value is missing, and that is none of those words.
inline bool is_missing_mark(std::string_view field) {
  const std::string_view text = trimmed(field);
  return !text.empty() && text.find_first_not_of("-.") == std::string_view::npos;
}

/// Says warnings, a line each.
inline void warn(const std::vector<std::string>& warnings, std::ostream& err) {
  for (const std::string& warning : warnings)
    err << "dasvdd: warning: " << printable(warning) << '\n';
}

}  // namespace tool
