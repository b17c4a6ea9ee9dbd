#pragma once
/// \file
/// `Table`: what every reader of the tool gives: rows, perhaps their labels, perhaps the columns'
/// names.

#include <dasvdd/core/types.hpp>

#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tool {

using dasvdd::FileError;
using dasvdd::Index;

/// A data set as read from a file.
struct Table {
  dasvdd::RowMatrix<float> X;  ///< n x d; of images the pixels / 255
  std::vector<std::string>
      labels;  ///< one a row, as canonical_label writes them; empty when there are none
  std::vector<std::string> names;  ///< one a column; empty when the file names none
  bool images = false;
  Index channels = 1, height = 0, width = 0;  ///< of one image
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

/// A file's name as it stands in a sentence.
inline std::string in_quotes(const std::string& name) { return "'" + name + "'"; }

/// Throws FileError with the joined parts unless `condition` holds.
template <class... Parts>
void check(bool condition, const Parts&... parts) {
  if (condition) return;
  std::ostringstream text;
  (text << ... << parts);
  throw FileError(text.str());
}

}  // namespace tool
