#pragma once
/// \file
/// Numbers in text that may have separators of thousands.

#include <tool/table.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tool {
namespace detail {

/// Whether 1,001 and 1.001 in a table are decimal numbers or whole ones with separators of thousands. A separator has
/// three digits behind it and one to three before it; one number that is written otherwise tells that they are decimal.
class Thousands {
 public:
  /// \param separator of fields. Where that is a comma, numbers with commas are in quotes, as those with thousands are.
  explicit Thousands(std::size_t columns = 0, char separator = 0)
      : columns_(columns), separator_(separator) {}

  void take(std::size_t j, std::string_view field, Index line) {
    if (decimal_) return;
    std::string_view digits = trimmed(field);
    if (!digits.empty() && (digits[0] == '-' || digits[0] == '+')) digits.remove_prefix(1);
    const std::size_t whole = std::min(digits.find_first_not_of("0123456789"), digits.size());
    Column& column = columns_[j];
    if (whole == digits.size()) {
      column.whole = true;
    } else if (digits[whole] == '.' || digits[whole] == ',') {
      const std::string_view behind = digits.substr(whole + 1);
      const bool three =
          behind.size() == 3 && behind.find_first_not_of("0123456789") == std::string_view::npos;
      decimal_ = !three || whole == 0 || whole > 3 || digits[0] == '0';
      column.separates = column.separates || digits[whole] == separator_;
      if (column.line == 0) {
        column.field = std::string(trimmed(field));
        column.line = line;
      }
    }
    const bool doubted = (column.whole && column.line > 0) || column.separates;
    if (!decimal_ && !unclear_ && doubted) unclear_ = j;
  }

  /// A column in which it can't be told, its numbers with a separator being beside whole ones, or in quotes.
  std::optional<std::size_t> unclear() const { return decimal_ ? std::nullopt : unclear_; }
  /// The column's first number with a separator, and the line it is on.
  const std::string& field(std::size_t j) const { return columns_[j].field; }
  Index line(std::size_t j) const { return columns_[j].line; }
  /// What makes one doubt.
  const char* doubt(std::size_t j) const {
    return columns_[j].whole ? ", since other numbers of the column are whole"
                             : ", since commas separate the fields";
  }

  /// Whether a field that is no number has separators of thousands: 1,001,000 or 1,001.5.
  static bool separates(std::string_view field) {
    std::string_view text = trimmed(field);
    if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
    const std::size_t first = text.find_first_of(",.");
    if (first == std::string_view::npos || first == 0 || first > 3) return false;
    if (text.find_first_not_of("0123456789.,") != std::string_view::npos) return false;
    for (std::size_t at = first; at < text.size();) {
      const std::size_t next = std::min(text.find_first_of(",.", at + 1), text.size());
      const bool decimals = next == text.size() && text[at] != text[first];
      if (!decimals && next - at != 4) return false;
      if (next < text.size() && text[at] != text[first]) return false;
      at = next;
    }
    return true;
  }

 private:
  struct Column {
    bool whole = false, separates = false;
    Index line = 0;
    std::string field;
  };
  std::vector<Column> columns_;
  char separator_;
  std::optional<std::size_t> unclear_;
  bool decimal_ = false;
};

}  // namespace detail
}  // namespace tool
