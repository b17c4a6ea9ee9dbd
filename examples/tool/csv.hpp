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
  /// \param line the text's first line is number `line` of the file
  CsvRows(std::string text, const std::string& name, Index line = 1)
      : text_(std::move(text)), name_(name), line_(line) {
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
  Index line_, row_line_ = 1;
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

/// What a csv's first row says of the others: how many fields they have, which of them is the label, and the
/// columns' names.
class CsvColumns {
 public:
  /// \param label_column a header's name or, from 0, an index; empty for none
  CsvColumns(std::vector<std::string> first, const std::string& label_column, std::string name)
      : first_(std::move(first)),
        name_(std::move(name)),
        label_(first_.size()),
        label_is_given_(!label_column.empty()) {
    header_ = std::any_of(first_.begin(), first_.end(), is_word);
    if (!label_is_given_) return;
    const std::size_t columns = first_.size();
    const auto index = parse_index(label_column);
    if (index && *index < columns) {
      label_ = *index;
    } else if (header_) {
      label_by_name_ = true;
      const auto same = [&](const std::string& field) { return trimmed(field) == label_column; };
      label_ = static_cast<std::size_t>(std::find_if(first_.begin(), first_.end(), same) -
                                        first_.begin());
    }
    check(has_label() || index.has_value() || header_, name_, " has no header, so no column '",
          label_column, "'");
    check(has_label() || index.has_value(), name_, " has no column named '", label_column, "'");
    check(has_label(), name_, " has ", columns, " columns, so none of index ", label_column,
          " (from 0)");
    check(columns > 1, name_, " has no column beside the labels");
  }

  /// Whether the first row holds names. A field that is a word, neither a number nor empty, makes it so (a
  /// missing value makes no header of a row).
  bool header() const { return header_; }
  bool has_label() const { return label_ < first_.size(); }
  Index features() const { return static_cast<Index>(first_.size()) - (has_label() ? 1 : 0); }
  const std::vector<std::string>& first() const { return first_; }
  /// Whether the label's field is the only word of the first row: then it may be a label, not a name.
  bool only_label_is_word() const {
    return has_label() && is_word(first_[label_]) &&
           std::count_if(first_.begin(), first_.end(), is_word) == 1;
  }
  /// Whether the label's column was found by its name, not by its index.
  bool label_by_name() const { return label_by_name_; }
  std::string label_word() const { return canonical_label(first_[label_]); }
  /// The first row turns out to be data.
  void first_is_data() { header_ = false; }

  /// Column j as it stands in a sentence.
  std::string text(std::size_t j) const {
    return header_ ? "column '" + first_[j] + "'" : "column " + std::to_string(j) + " (from 0)";
  }
  /// The column of a feature.
  std::size_t column(std::size_t feature) const { return feature + (feature >= label_ ? 1 : 0); }
  std::vector<std::string> feature_names() const {
    std::vector<std::string> names;
    if (!header_) return names;
    for (std::size_t j = 0; j < first_.size(); ++j) {
      if (j != label_) names.emplace_back(trimmed(first_[j]));
    }
    return names;
  }

  /// Adds a row's numbers to `values` and its label to `labels`. \throws FileError
  void take(const std::vector<std::string>& row, Index line, std::vector<float>& values,
            std::vector<std::string>& labels) const {
    const std::size_t columns = first_.size();
    check(row.size() > 1 || columns == 1 || !trimmed(row[0]).empty(), name_, ", line ", line,
          " is empty");
    check(row.size() == columns, name_, ", line ", line, " has ", row.size(), " fields, expected ",
          columns, " as in line 1");
    for (std::size_t j = 0; j < columns; ++j) {
      const bool empty = trimmed(row[j]).empty();
      check(!empty, name_, ", line ", line, ", ", text(j), ": the field is empty");
      if (j == label_) {
        labels.push_back(canonical_label(row[j]));
        continue;
      }
      const auto number = parse_number(row[j]);
      check(number.has_value(), name_, ", line ", line, ", ", text(j), ": '", row[j].substr(0, 40),
            "' is no number", label_is_given_ ? "" : " (--label-column names a column of labels)");
      values.push_back(static_cast<float>(*number));
    }
  }

 private:
  static bool is_word(const std::string& field) {
    return !trimmed(field).empty() && !parse_number(field);
  }

  std::vector<std::string> first_;
  std::string name_;
  std::size_t label_;  // the number of columns where there is none
  bool label_is_given_, label_by_name_ = false, header_ = false;
};

}  // namespace detail

/// Reads rows of numbers. The first row may be a header (CsvColumns). A word in the label column alone doesn't
/// make one of it where it comes again below: then it is a label.
/// \param label_column a header's name or, from 0, an index; empty for none
/// \throws FileError
inline Table read_csv(ByteStream& stream, const std::string& label_column) {
  const std::string& name = stream.name();
  detail::CsvRows rows(detail::read_all(stream), name);
  std::vector<std::string> first, fields;
  check(rows.next(first), name, " is empty");
  detail::CsvColumns columns(std::move(first), label_column, name);

  Table table;
  std::vector<float> values;
  const Index first_line = rows.line();
  if (!columns.header()) columns.take(columns.first(), first_line, values, table.labels);
  while (rows.next(fields)) columns.take(fields, rows.line(), values, table.labels);

  if (columns.header() && columns.only_label_is_word() &&
      std::find(table.labels.begin(), table.labels.end(), columns.label_word()) !=
          table.labels.end()) {
    columns.first_is_data();
    std::vector<float> rest;
    std::vector<std::string> rest_labels;
    rest.swap(values);
    rest_labels.swap(table.labels);
    columns.take(columns.first(), first_line, values, table.labels);
    values.insert(values.end(), rest.begin(), rest.end());
    table.labels.insert(table.labels.end(), rest_labels.begin(), rest_labels.end());
  }
  table.names = columns.feature_names();
  const Index features = columns.features();
  table.X = Eigen::Map<const dasvdd::RowMatrix<float>>(values.data(),
                                                       Index(values.size()) / features, features);
  return table;
}

}  // namespace tool
