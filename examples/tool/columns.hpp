#pragma once
/// \file
/// Which columns of a table are features, which one holds labels, and what their names are.

#include <tool/first_row.hpp>
#include <tool/index_columns.hpp>
#include <tool/table.hpp>
#include <tool/thousands.hpp>

#include <dasvdd/core/utf8.hpp>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <limits>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace tool {
namespace detail {

/// "'a', 'b' and 'c'", the first few of them.
inline std::string name_listing(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i == 5) return text + " and " + std::to_string(names.size() - i) + " more";
    text += (i == 0 ? "" : i + 1 == names.size() ? " and " : ", ") + in_quotes(names[i]);
  }
  return text;
}

/// Puts the features in the order of the model's names. Refuses, by name, those that are missing, that the
/// model does not know, or that are there twice.
/// \param file as it begins a sentence
/// \param names of the features there are, \param used their numbers in the file; sorted alike
inline void match_names(const std::string& file, const std::vector<std::string>& expected,
                        std::vector<std::string>& names, std::vector<std::size_t>& used) {
  std::vector<std::string> missing, unknown;
  std::vector<std::size_t> order;
  std::unordered_map<std::string, std::size_t> place;
  for (std::size_t j = 0; j < names.size(); ++j) place.insert({names[j], j});
  for (const std::string& name : expected) {
    const auto at = place.find(name);
    if (at == place.end()) missing.push_back(name);
    order.push_back(at == place.end() ? 0 : at->second);
  }
  const std::unordered_set<std::string> known(expected.begin(), expected.end());
  std::size_t unnamed = used.size();
  for (std::size_t j = 0; j < names.size(); ++j) {
    if (known.count(names[j]) > 0) continue;
    if (names[j].empty()) unnamed = used[j];
    if (!names[j].empty()) unknown.push_back(names[j]);
  }
  const bool any_unnamed =
      unnamed != used.size() || std::find(names.begin(), names.end(), "") != names.end();
  check(missing.empty(), file, " has no column ", name_listing(missing), ", which the model takes",
        unknown.empty() ? "" : ", but has " + name_listing(unknown));
  check(unknown.empty(), file, " has the column ", name_listing(unknown),
        ", which the model doesn't know; --drop leaves a column out");
  check(!any_unnamed, file, " has a column without a name, number ", unnamed,
        " (from 0), which the model doesn't know; --drop leaves it out");
  std::vector<std::size_t> sorted;
  for (const std::size_t j : order) sorted.push_back(used[j]);
  names = expected;
  used = std::move(sorted);
}

/// Whether a field looks like several with blanks between them, one of them a number.
inline bool has_blanks_between_numbers(const std::string& field) {
  std::istringstream words{field};
  int count = 0, numbers = 0;
  for (std::string word; words >> word; ++count) {
    bool comma = false;
    numbers += parse_decimal(word, comma).has_value();
  }
  return count > 1 && 2 * numbers >= count;
}
inline constexpr const char* separator_advice =
    "commas, semicolons, tabs and | are read; sed 's/^ *//; s/ *$//; s/  */,/g' IN > OUT makes "
    "commas of them";

/// The fields of a line, and its number.
struct FirstLine {
  std::vector<std::string> fields;
  Index line = 0;
};

/// What a table's first row says of its columns: how many there are, which of them are features, which one is
/// the label, and their names.
class Columns {
 public:
  /// \param name of the file, in quotes
  /// \param separator of the fields
  /// \param comment what a comment right before the first row has as fields
  Columns(FirstLine first, char separator, const DataOptions& options, std::string name,
          FirstLine comment = {})
      : name_(std::move(name)), options_(options) {
    commented_ = names_columns(comment.fields, first.fields);
    FirstLine& names = commented_ ? comment : first;
    first_ = std::move(names.fields);
    line_ = names.line;
    trailing_ = first_.size() > 1 && trimmed(first_.back()).empty();
    if (trailing_) first_.pop_back();
    choose();
    // An empty field behind a row's last separator, where the model takes one more, is a missing value.
    const bool lacks = trailing_ && options_.missing && !commented_ &&
                       features() + 1 == options_.features && has_number();
    if (lacks) {
      trailing_ = false;
      first_.emplace_back();
      choose();
    }
    header_ = decide_header();
    if (header_) take_names();
    if (!header_ && options_.header == DataOptions::Header::automatic) watch_.begin(first_, used_);
    thousands_ = Thousands(first_.size(), separator);
  }

  /// Whether the first row is one of numbers: nothing holds names, or a comment before it does.
  bool first_is_row() const { return !header_ || commented_; }
  bool has_label() const { return label_ < first_.size(); }
  Index features() const { return static_cast<Index>(used_.size()); }
  const std::vector<std::string>& feature_names() const { return names_; }
  std::vector<Index> file_columns() const { return {used_.begin(), used_.end()}; }
  const std::vector<std::string>& first() const { return first_; }
  Index line() const { return line_; }
  /// Whether a label's word is what makes one think of a header: the features are numbers.
  bool only_label_is_word() const { return only_label_is_word_; }
  std::string label_word() const { return canonical_label(first_[label_]); }
  /// Asks what the first row is.
  void ask_about_label() const {
    check(false, name_, ", line ", line_, ": ", in_quotes(first_[label_]),
          " may be the name of the labels' column or a label", which_header);
  }

  /// Refuses columns that number the rows, as pandas' index does, unless --columns asks for them.
  /// \param values of the features, row after row
  void check_row_numbers(const std::vector<double>& values) const {
    if (!header_ || !all_ || values.empty()) return;
    std::vector<std::size_t> found;
    for (std::size_t k = 0; k < used_.size(); ++k) {
      const std::size_t j = used_[k];
      const IndexName name = options_.expected.empty() ? index_name(column_name(j)) : IndexName::no;
      if (name == IndexName::no && !is_unnamed(j)) continue;
      std::vector<double> numbers;
      for (std::size_t at = k; at < values.size(); at += used_.size())
        numbers.push_back(values[at]);
      if (is_unnamed(j) ? looks_like_index(numbers) : numbers_rows(name, numbers)) {
        found.push_back(j);
      }
    }
    if (!found.empty()) refuse_index(found);
  }
  /// Of a stream nothing is known but the names: refuses columns without one.
  void check_unnamed() const {
    std::vector<std::size_t> found;
    for (const std::size_t j : used_) {
      if (header_ && all_ && is_unnamed(j)) found.push_back(j);
    }
    if (!found.empty()) refuse_index(found);
  }

  /// Refuses, when all rows are known, what can't be told by one of them.
  void check_all() const {
    const bool few =
        counting_ == Counting::gaps ? counting_rows_ == 0 && rows_ > 1 : 2 * counting_rows_ < rows_;
    check(counting_ == Counting::no || !few, name_, ", line ", line_, ": ", listing(counted_),
          " may be names of columns or a row, since other lines don't count like that",
          which_header);
    check(!watch_.is_other(), name_, ", line ", line_, ": ", listing(used_),
          " may be names of columns or a row, since other lines aren't like that", which_header);
    check_thousands();
  }
  /// Whether the first row of a stream counts and the second, which has decimals, tells that it may be a header.
  void check_second(const std::vector<std::string>& row) const {
    const bool counts = counting_ == Counting::steps && rows_ == 1;
    const bool whole = !counts || all_whole(numbers_of(row, counted_));
    check(whole && !watch_.second_is_other(row), name_, ", line ", line_, ": ",
          listing(whole ? used_ : counted_),
          " may be names of columns or a row, since other lines don't count like that",
          which_header);
  }
  /// Refuses numbers that may have a decimal mark or a separator of thousands.
  void check_thousands() const {
    if (const auto j = thousands_.unclear()) {
      const std::string& field = thousands_.field(*j);
      const std::size_t at = field.find_first_of(",.");
      const std::string whole = field.substr(0, at) + field.substr(at + 1);
      check(false, name_, ", line ", thousands_.line(*j), ", ", text(*j), ": '", field, "' may be ",
            whole, " or ", field.substr(0, at), ".", field.substr(at + 1), thousands_.doubt(*j),
            "; write ", whole, " and all like it so, or ", field, "0 if the ",
            field[at] == ',' ? "comma" : "point", " is a decimal one");
    }
  }

  /// Column j of the file as it stands in a sentence.
  std::string text(std::size_t j) const {
    const bool named = header_ && !column_name(j).empty();
    return named ? "column '" + column_name(j) + "'" : "column " + std::to_string(j) + " (from 0)";
  }
  /// Feature j as it stands in a sentence.
  std::string feature_text(std::size_t j) const { return text(used_[j]); }

  /// Adds a row's numbers to `values`, its label to `labels` and its group to `groups`. \throws FileError
  void take(const std::vector<std::string>& row, Index line, std::vector<double>& values,
            std::vector<std::string>& labels, std::vector<std::string>& groups) {
    check_width(row, line);
    if (watch_.watches() && line != line_) watch_.take(row);
    if (counting_ != Counting::no && line != line_) {
      // A row that lacks values says nothing.
      const bool whole = std::none_of(counted_.begin(), counted_.end(), [&](std::size_t j) {
        const auto number = parse_number(row[j]);
        return is_missing_word(row[j]) || (number && std::isinf(*number));
      });
      rows_ += whole;
      counting_rows_ += whole && counting(numbers_of(row, counted_)) == counting_;
    }
    for (const std::size_t j : used_) {
      if (options_.missing && is_missing_word(row[j])) {
        values.push_back(std::numeric_limits<double>::quiet_NaN());
        continue;
      }
      check(!trimmed(row[j]).empty(), name_, ", line ", line, ", ", text(j), ": the field is empty",
            missing_hint());
      bool comma = false;
      const auto number = parse_decimal(row[j], comma);
      check(number.has_value(), name_, ", line ", line, ", ", text(j), ": '", row[j].substr(0, 40),
            "' is no number", why_no_number(row[j]));
      check(dasvdd::detail::is_finite(*number) || !has_digit(row[j]), name_, ", line ", line, ", ",
            text(j), ": ", row[j].substr(0, 40), " is too large for a number of 64 bits");
      check_decimal(row[j], comma, line, j);
      thousands_.take(j, row[j], line);
      values.push_back(*number);
    }
    if (group_ < first_.size()) {
      groups.emplace_back(trimmed(row[group_]));
      check(!groups.back().empty(), name_, ", line ", line, ": the row's group is empty");
    }
    if (!has_label()) return;
    const bool lacks = is_missing_word(row[label_]) || is_missing_mark(row[label_]);
    check(!options_.with_labels || !lacks, name_, ", line ", line, ", ", text(label_),
          ": the label is missing",
          trimmed(row[label_]).empty() ? "" : " (" + row[label_].substr(0, 40) + ")");
    labels.push_back(canonical_label(row[label_]));
  }

 private:
  const char* missing_hint() const {
    const bool bank = std::string_view(options_.group_option) == "--by" && !options_.group.empty();
    return bank ? " (--by takes no missing values; leave such rows out, or the column by --drop)"
                : " (fit --missing mask or impute takes missing values)";
  }
  static constexpr const char* which_header =
      "; --header yes takes the line for names, --header no for a row";

  /// Whether column j has no name, or the one that pandas reads in place of none. A column behind one with a name is
  /// no index.
  bool is_unnamed(std::size_t j) const {
    const std::string word = column_name(j);
    if (word.compare(0, 9, "Unnamed: ") == 0) {
      return word.size() > 9 && word.find_first_not_of("0123456789.", 9) == std::string::npos;
    }
    for (std::size_t i = 0; i < j; ++i) {
      if (!column_name(i).empty() && !is_unnamed(i)) return false;
    }
    return word.empty();
  }
  void refuse_index(const std::vector<std::size_t>& found) const {
    const std::size_t j = found.front();
    const bool unnamed = column_name(j).empty();
    const std::string which = !unnamed ? text(j)
                              : j == 0 ? "the first column"
                                       : "column " + std::to_string(j) + " (from 0)";
    check(false, name_, ", line ", line_, ": ", which, unnamed ? " has no name and" : "",
          " seems to number the rows, as pandas' index does; --drop ", drop_list(found), " leaves ",
          found.size() == 1 ? "it" : "such columns", " out, --columns names those to take");
  }

  /// Finds the columns that are features, and those of labels and groups.
  void choose() {
    label_ = first_.size();
    if (!options_.label_column.empty()) label_ = resolve(options_.label_column);
    group_ = first_.size();
    if (!options_.group.empty()) group_ = resolve(options_.group);
    check(group_ == first_.size() || group_ != label_, options_.group_option,
          " and --label-column name the same column, ", group_, " (from 0)");
    std::vector<std::size_t> dropped, picked;
    for (const std::string& column : options_.drop) dropped.push_back(resolve(column));
    for (const std::string& column : options_.columns) picked.push_back(resolve(column));
    check(std::find(picked.begin(), picked.end(), label_) == picked.end(), name_,
          ": --columns and --label-column both name column ", label_);
    all_ = picked.empty();
    used_.clear();
    for (std::size_t j = 0; all_ && j < first_.size(); ++j) picked.push_back(j);
    for (const std::size_t j : picked) {
      const bool out = std::find(dropped.begin(), dropped.end(), j) != dropped.end();
      check(all_ || std::find(used_.begin(), used_.end(), j) == used_.end(), name_,
            ": --columns names column ", j, " twice");
      if (j != label_ && j != group_ && !out) used_.push_back(j);
    }
    check(!used_.empty(), name_, " has no column beside the ",
          options_.group.empty() ? "labels" : "groups",
          options_.drop.empty() ? "" : " and those that --drop leaves out");
  }
  bool has_number() const { return std::any_of(first_.begin(), first_.end(), is_number); }

  /// What may be done about a field that is no number.
  std::string why_no_number(const std::string& field) const {
    if (first_.size() == 1 && has_blanks_between_numbers(field))
      return std::string("; ") + separator_advice;
    if (Thousands::separates(field)) return "; write it without separators of thousands";
    if (is_missing_mark(field))
      return "; where a value is missing the field may be empty, or NA" +
             std::string(missing_hint());
    return std::string(is_missing_word(field) ? missing_hint() : "") +
           (options_.label_column.empty()
                ? " (--label-column names a column of labels, --drop one to leave out)"
                : " (--drop leaves a column out)");
  }

  /// Whether a comment holds the names of the columns: as many fields as the first row, which has numbers, and none of
  /// them one.
  bool names_columns(const std::vector<std::string>& comment,
                     const std::vector<std::string>& first) const {
    if (options_.header == DataOptions::Header::no || first.size() < 2) return false;
    if (comment.size() != first.size()) return false;
    const bool words = std::none_of(comment.begin(), comment.end(), [](const std::string& field) {
      return trimmed(field).empty() || is_number(field);
    });
    return words && std::any_of(first.begin(), first.end(), is_number);
  }

  static bool is_number(const std::string& field) {
    bool comma;
    return parse_decimal(field, comma).has_value();
  }
  static bool has_digit(const std::string& field) {
    return field.find_first_of("0123456789") != std::string::npos;
  }
  std::string column_name(std::size_t j) const { return std::string(trimmed(first_[j])); }

  /// The column that an option names.
  std::size_t resolve(const std::string& column) {
    const auto index = parse_index(column);
    if (index && *index < first_.size()) return *index;
    // Numbers alone are no names, unless the command says so.
    const bool words = std::any_of(first_.begin(), first_.end(), [](const std::string& field) {
      return !trimmed(field).empty() && !is_number(field);
    });
    const bool names = options_.header == DataOptions::Header::yes ||
                       (words && options_.header == DataOptions::Header::automatic);
    std::vector<std::size_t> found;
    for (std::size_t j = 0; names && j < first_.size(); ++j) {
      if (trimmed(first_[j]) == column) found.push_back(j);
    }
    if (found.size() == 1) {
      by_name_ = true;
      return found.front();
    }
    check(found.empty(), name_, " has ", found.size(), " columns named ", in_quotes(column), " (",
          found.empty() ? 0 : found[0], " and ", found.empty() ? 0 : found.back(),
          ", from 0); give the index");
    const bool counted = index && *index <= first_.size();
    const bool there =
        !counted && std::any_of(first_.begin(), first_.end(),
                                [&](const std::string& field) { return trimmed(field) == column; });
    check(there || !index.has_value(), name_, " has ", first_.size(), " columns, so none of index ",
          column, " (from 0)");
    check(names, name_, " has no header, so no column '", column, "'",
          there && options_.header == DataOptions::Header::automatic
              ? "; --header yes takes line " + std::to_string(line_) + " for names"
              : "");
    const bool blanks = first_.size() == 1 && trimmed(first_[0]).find(' ') != std::string::npos;
    check(false, name_, " has no column named '", column, "'",
          blanks ? "; in its first line are blanks alone, and " : "",
          blanks ? separator_advice : "");
    return 0;
  }

  /// A header has no number in it, a row of features nothing else; what is neither is asked about.
  bool decide_header() {
    if (options_.header != DataOptions::Header::automatic)
      return options_.header == DataOptions::Header::yes;
    if (by_name_ || commented_) return true;
    check_unnamed_count();
    std::size_t numbers = 0, word = first_.size();
    bool counts = used_.size() >= 3, all_lack = true;
    std::size_t expected = 0;
    for (const std::size_t j : used_) {
      const bool empty = trimmed(first_[j]).empty();
      const bool lacking = options_.missing && !empty && is_missing_word(first_[j]);
      const bool number = lacking || is_number(first_[j]);
      numbers += number;
      if (!number && !empty && word == first_.size()) word = j;
      all_lack = all_lack && (empty || is_missing_word(first_[j]) || is_missing_mark(first_[j]));
      counts = counts && parse_index(std::string(trimmed(first_[j]))) == expected++;
    }
    check(!counts, name_, ", line ", line_, ": 0, 1, 2, ... may be names of columns or a row",
          which_header);
    if (word != first_.size()) {
      check(numbers == 0, name_, ", line ", line_, ", ", "column ", word, " (from 0): '",
            first_[word].substr(0, 40), "' is no number, other fields are", which_header);
      check(!all_lack, name_, ", line ", line_, ": ", trimmed(first_[word]).substr(0, 40),
            " may be a column's name or stand for a missing value", which_header);
      if (has_label() && is_number(first_[label_])) {
        check(false, name_, ", line ", line_, ", column ", label_,
              " (from 0): ", first_[label_].substr(0, 40), " is a number, other fields are words",
              which_header);
      }
      return true;
    }
    only_label_is_word_ = numbers > 0 && has_label() && !is_number(first_[label_]) &&
                          !trimmed(first_[label_]).empty();
    for (std::vector<std::size_t>& columns : looks()) {
      const Counting kind = counting(numbers_of(first_, columns));
      if (kind <= counting_) continue;
      counting_ = kind;
      counted_ = std::move(columns);
    }
    return false;
  }

  /// The columns by which a first row may count: those that are used, with and without the labels and those that are
  /// left out.
  std::vector<std::vector<std::size_t>> looks(std::size_t begin = 0) const {
    std::vector<std::vector<std::size_t>> all(4);
    for (std::size_t j = begin; j < first_.size(); ++j) {
      const bool used = std::find(used_.begin(), used_.end(), j) != used_.end();
      const bool label = j == label_ || j == group_;
      if (used) all[0].push_back(j);
      if (used || label) all[1].push_back(j);
      if (!label) all[2].push_back(j);
      all[3].push_back(j);
    }
    return all;
  }

  /// "0, 1, 2", the first few fields of the first row.
  std::string listing(const std::vector<std::size_t>& columns) const {
    std::string text;
    for (std::size_t k = 0; k < columns.size(); ++k) {
      if (k == 4) return text + ", ...";
      text += (k == 0 ? "" : ", ") + column_name(columns[k]);
    }
    return text;
  }

  /// Asks about an empty field before numbers that count: pandas writes its index and numbered columns so.
  void check_unnamed_count() const {
    if (first_.size() < 2 || !trimmed(first_[0]).empty()) return;
    for (const std::vector<std::size_t>& columns : looks(1)) {
      const bool zero = columns.size() == 1 && parse_number(first_[columns[0]]) == 0.0;
      if (!zero && (columns.size() < 2 || !whole_and_rising(numbers_of(first_, columns)))) continue;
      const bool used = used_.front() == 0;
      check(false, name_, ", line ", line_, ": an empty field and ", listing(columns),
            " may be pandas' index and its numbered columns, or a row; --header yes",
            used ? " with --drop " + drop_list({0}) : "", " takes the line for names",
            used ? " and leaves the index out" : "", ", --header no for a row");
    }
  }

  /// What --drop has to say to leave these columns out as well.
  std::string drop_list(const std::vector<std::size_t>& more) const {
    std::string text;
    for (const std::string& column : options_.drop) text += (text.empty() ? "" : ",") + column;
    for (const std::size_t j : more) text += (text.empty() ? "" : ",") + std::to_string(j);
    return text;
  }

  void take_names() {
    for (const std::size_t j : used_) {
      names_.push_back(column_name(j));
      check(dasvdd::detail::is_utf8(names_.back()), name_, ", line ", line_,
            ": the name of column ", j,
            " (from 0) isn't in UTF-8; iconv -f latin1 -t utf8 converts a file");
    }
    std::unordered_map<std::string, std::size_t> columns;
    for (std::size_t j = 0; j < used_.size(); ++j) {
      const auto [first, fresh] = columns.insert({names_[j], used_[j]});
      check(fresh, name_, " has two columns named ", in_quotes(names_[j]), ", ", first->second,
            " and ", used_[j], " (from 0); --drop leaves one out by its index");
    }
    for (std::size_t j = 0; j < first_.size() && !options_.expected.empty(); ++j) {
      const std::string name = column_name(j);
      const bool taken = std::find(names_.begin(), names_.end(), name) != names_.end();
      const bool known = std::find(options_.expected.begin(), options_.expected.end(), name) !=
                         options_.expected.end();
      check(taken || !known, name_, ": the model takes the column ", in_quotes(name), ", which ",
            j == label_   ? "--label-column takes for labels"
            : j == group_ ? std::string(options_.group_option) + " takes for groups"
            : all_        ? "--drop leaves out"
                          : "--columns leaves out");
    }
    if (!options_.expected.empty()) match_names(name_, options_.expected, names_, used_);
    // A model's names are words: one that is missing is replaced by the column's number.
    for (std::size_t j = 0; j < used_.size(); ++j) {
      if (names_[j].empty()) names_[j] = "column " + std::to_string(used_[j]);
    }
  }

  /// A separator at the end of every line opens no column.
  void check_width(const std::vector<std::string>& row, Index line) {
    const std::size_t columns = first_.size();
    check(row.size() > 1 || columns == 1 || !trimmed(row[0]).empty(), name_, ", line ", line,
          " is empty");
    const bool ends = row.size() == columns + 1 && trimmed(row.back()).empty();
    if (line != line_ && !rows_end_) rows_end_ = ends;
    const bool as_before =
        line == line_ ? (trailing_ || row.size() == columns) : ends == *rows_end_;
    check(as_before || row.size() != columns || !rows_end_, name_, ", line ", line,
          " has no separator at its end, as the lines before it have");
    check((row.size() == columns || ends) && as_before, name_, ", line ", line, " has ", row.size(),
          " fields, expected ", columns, " as in line ", line_,
          trailing_ && row.size() == columns + 1 ? ", which ends with a separator" : "",
          trailing_ && row.size() == columns + 1 && options_.missing
              ? " (NA behind it makes a missing value of it)"
              : "");
  }

  void check_decimal(const std::string& field, bool comma, Index line, std::size_t j) {
    const bool point = !comma && field.find('.') != std::string::npos;
    if (!comma && !point) return;
    if (decimal_line_ == 0) {
      decimal_line_ = line;
      decimal_comma_ = comma;
    }
    check(comma == decimal_comma_, name_, ", line ", line, ", ", text(j), ": '",
          field.substr(0, 40), "' has a decimal ", comma ? "comma" : "point",
          ", numbers before it, from line ", decimal_line_, " on, a ", comma ? "point" : "comma");
  }

  std::vector<std::string> first_, names_;
  std::string name_;
  Index line_ = 0;
  DataOptions options_;
  std::size_t label_ = 0, group_ = 0;  // the number of columns where there is none
  std::vector<std::size_t> used_;
  bool commented_ = false;  // the names are a comment's
  bool by_name_ = false, header_ = false, trailing_ = false, only_label_is_word_ = false;
  bool all_ = true, decimal_comma_ = false;  // whether --columns names none
  std::optional<bool> rows_end_;
  Thousands thousands_;
  FirstRowWatch watch_;                 // of a row that may hold names
  Counting counting_ = Counting::no;    // how the first row counts, where it is a row
  std::vector<std::size_t> counted_;    // by these columns
  Index rows_ = 0, counting_rows_ = 0;  // below it, and those that count as it does
  Index decimal_line_ = 0;
};

/// Leaves the columns that --columns and --drop say, by index, of a table that has no names.
inline void choose_columns(Table& table, const DataOptions& options, const std::string& name) {
  if (options.columns.empty() && options.drop.empty()) return;
  const auto index = [&](const std::string& column) {
    const auto number = parse_index(column);
    check(number.has_value(), name, " has no names, so no column ", in_quotes(column));
    check(*number < static_cast<std::size_t>(table.X.cols()), name, " has ", table.X.cols(),
          " columns, so none of index ", column, " (from 0)");
    return static_cast<Index>(*number);
  };
  std::vector<Index> used, dropped;
  for (const std::string& column : options.columns) {
    used.push_back(index(column));
    check(std::find(used.begin(), used.end() - 1, used.back()) == used.end() - 1, name,
          ": --columns names column ", used.back(), " twice");
  }
  for (const std::string& column : options.drop) dropped.push_back(index(column));
  for (Index j = 0; options.columns.empty() && j < table.X.cols(); ++j) used.push_back(j);
  used.erase(std::remove_if(used.begin(), used.end(),
                            [&](Index j) {
                              return std::find(dropped.begin(), dropped.end(), j) != dropped.end();
                            }),
             used.end());
  check(!used.empty(), name, ": --drop leaves no column");
  dasvdd::RowMatrix<double> X(table.X.rows(), static_cast<Index>(used.size()));
  // Eigen's col() of a table without rows, which a file read in pieces begins with, moves a null pointer.
  for (Index i = 0; i < X.rows(); ++i) {
    for (std::size_t k = 0; k < used.size(); ++k) X(i, static_cast<Index>(k)) = table.X(i, used[k]);
  }
  table.X = std::move(X);
  table.columns = used;
}

}  // namespace detail
}  // namespace tool
