#pragma once
/// \file
/// Comma-separated values (RFC 4180: quotes, doubled quotes, line breaks inside them), every field
/// a number but for one column of labels.

#include <tool/byte_stream.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

namespace tool {
namespace detail {

/// Cuts a text into rows of fields and counts its lines.
class CsvRows {
 public:
  CsvRows(std::string text, const std::string& name) : text_(std::move(text)), name_(name) {
    if (text_.compare(0, 3, "\xef\xbb\xbf") == 0)
      at_ = 3;  // the mark some programs put before UTF-8
    // Line breaks at the very end are no rows.
    while (text_.size() > at_ && (text_.back() == '\n' || text_.back() == '\r')) text_.pop_back();
  }

  /// The line that the last row began on, from 1.
  Index line() const { return row_line_; }

  /// The next row's fields; false when there is none.
  bool next(std::vector<std::string>& fields) {
    fields.clear();
    if (at_ >= text_.size()) return false;
    row_line_ = line_;
    do fields.push_back(field());
    while (at_ < text_.size() && text_[at_++] == ',');
    return true;
  }

 private:
  /// Reads up to the comma or line break behind the field. A line break is taken down to its last
  /// character, so that next() steps over a comma and over a line break alike.
  std::string field() {
    std::string value;
    if (at_ < text_.size() && text_[at_] == '"') {
      for (++at_;; ++at_) {
        check(at_ < text_.size(), name_, ", line ", row_line_, ": a quote is never closed");
        if (text_[at_] == '"' && (at_ + 1 >= text_.size() || text_[at_ + 1] != '"')) break;
        if (text_[at_] == '"') ++at_;
        if (text_[at_] == '\n') ++line_;
        value += text_[at_];
      }
      ++at_;
      const bool ends =
          at_ >= text_.size() || text_[at_] == ',' || text_[at_] == '\n' || text_[at_] == '\r';
      check(ends, name_, ", line ", line_, ": text follows a closing quote");
    } else {
      const std::size_t end = std::min(text_.find_first_of(",\r\n", at_), text_.size());
      value = text_.substr(at_, end - at_);
      at_ = end;
    }
    if (at_ < text_.size() && text_[at_] != ',') {
      ++line_;
      if (text_[at_] == '\r' && at_ + 1 < text_.size() && text_[at_ + 1] == '\n') ++at_;
    }
    // A comma at the very end has an empty field behind it.
    if (at_ + 1 == text_.size() && text_[at_] == ',') text_ += '\n';
    return value;
  }

  std::string text_, name_;
  std::size_t at_ = 0;
  Index line_ = 1, row_line_ = 1;
};

/// A whole number from 0, or nothing.
inline std::optional<std::size_t> parse_index(const std::string& text) {
  std::size_t index = 0;
  const char* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, index);
  if (error != std::errc() || end != last) return std::nullopt;
  return index;
}

inline std::string read_all(ByteStream& stream) {
  std::string text;
  for (;;) {
    const std::size_t size = text.size(), step = std::max<std::size_t>(1 << 16, size);
    text.resize(size + step);
    const std::size_t got = stream.read_some(&text[size], step);
    text.resize(size + got);
    if (got < step) return text;
  }
}

}  // namespace detail

/// Reads rows of numbers. The first row is a header when a field of it is a word, neither a number nor
/// empty (a missing value makes no header of a row). A word in the
/// label column alone doesn't make one where it comes again below: then it is a label. \param
/// label_column a header's name or, from 0, an index; empty for none \throws FileError
inline Table read_csv(ByteStream& stream, const std::string& label_column) {
  const std::string& name = stream.name();
  detail::CsvRows rows(detail::read_all(stream), name);
  std::vector<std::string> first, fields;
  check(rows.next(first), name, " is empty");
  const std::size_t columns = first.size();
  const auto is_word = [](const std::string& field) {
    return !trimmed(field).empty() && !parse_number(field);
  };
  bool header = std::any_of(first.begin(), first.end(), is_word);

  std::size_t label = columns;  // none
  if (!label_column.empty()) {
    const auto index = detail::parse_index(label_column);
    if (index && *index < columns) {
      label = *index;
    } else if (header) {
      const auto same = [&](const std::string& field) { return trimmed(field) == label_column; };
      label =
          static_cast<std::size_t>(std::find_if(first.begin(), first.end(), same) - first.begin());
    }
    check(label < columns || index.has_value() || header, name, " has no header, so no column '",
          label_column, "'");
    check(label < columns || index.has_value(), name, " has no column named '", label_column, "'");
    check(label < columns, name, " has ", columns, " columns, so none of index ", label_column,
          " (from 0)");
    check(columns > 1, name, " has no column beside the labels");
  }

  Table table;
  std::vector<float> values;
  const auto column_text = [&](std::size_t j) {
    return header ? "column '" + first[j] + "'" : "column " + std::to_string(j) + " (from 0)";
  };
  const auto take = [&](const std::vector<std::string>& row, Index line) {
    check(row.size() > 1 || columns == 1 || !trimmed(row[0]).empty(), name, ", line ", line,
          " is empty");
    check(row.size() == columns, name, ", line ", line, " has ", row.size(), " fields, expected ",
          columns, " as in line 1");
    for (std::size_t j = 0; j < columns; ++j) {
      const bool empty = trimmed(row[j]).empty();
      check(!empty, name, ", line ", line, ", ", column_text(j), ": the field is empty");
      if (j == label) {
        table.labels.push_back(canonical_label(row[j]));
        continue;
      }
      const auto number = parse_number(row[j]);
      check(number.has_value(), name, ", line ", line, ", ", column_text(j), ": '",
            row[j].substr(0, 40), "' is no number",
            label_column.empty() ? " (--label-column names a column of labels)" : "");
      values.push_back(static_cast<float>(*number));
    }
  };
  const Index first_line = rows.line();
  if (!header) take(first, first_line);
  while (rows.next(fields)) take(fields, rows.line());

  if (header && label < columns) {
    const bool features_alone = std::none_of(first.begin(), first.end(), [&](const std::string& f) {
      return is_word(f) && &f != &first[label];
    });
    const std::string word = canonical_label(first[label]);
    if (features_alone &&
        std::find(table.labels.begin(), table.labels.end(), word) != table.labels.end()) {
      header = false;
      std::vector<float> rest;
      std::vector<std::string> rest_labels;
      rest.swap(values);
      rest_labels.swap(table.labels);
      take(first, first_line);
      values.insert(values.end(), rest.begin(), rest.end());
      table.labels.insert(table.labels.end(), rest_labels.begin(), rest_labels.end());
    }
  }
  if (header) {
    for (std::size_t j = 0; j < columns; ++j) {
      if (j != label) table.names.emplace_back(trimmed(first[j]));
    }
  }
  const auto features = static_cast<Index>(label < columns ? columns - 1 : columns);
  table.X = Eigen::Map<const dasvdd::RowMatrix<float>>(values.data(),
                                                       Index(values.size()) / features, features);
  return table;
}

}  // namespace tool
