#pragma once
/// \file
/// Comma-separated values (RFC 4180: quotes, doubled quotes, line breaks inside them), every field
/// a number but for one column of labels and those left out. Semicolons, tabs and | separate too, numbers
/// may have decimal commas, and lines that begin with # are comments.

#include <tool/byte_stream.hpp>
#include <tool/columns.hpp>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tool {
namespace detail {

inline constexpr char comment_mark = '#';

/// Whether a line that begins at this place is a comment. Spreadsheets write #N/A for a value that is missing, and
/// other words for one that can't be computed.
inline bool is_comment(const std::string& text, std::size_t at) {
  if (at >= text.size() || text[at] != comment_mark) return false;
  for (const std::string_view word :
       {"#N/A", "#NA", "#n/a", "#DIV/0!", "#VALUE!", "#REF!", "#NUM!", "#NAME?", "#NULL!"}) {
    const std::size_t end = at + word.size();
    if (text.compare(at, word.size(), word) != 0) continue;
    if (end >= text.size() || std::string_view(",;|\t\r\n").find(text[end]) != std::string::npos)
      return false;
  }
  return true;
}

/// The bytes before a file's text: marks that some programs put before UTF-8.
inline std::size_t skip_marks(const std::string& text) {
  std::size_t at = 0;
  while (text.compare(at, 3, "\xef\xbb\xbf") == 0) at += 3;
  return at;
}

/// What a first line as sep=; says, which spreadsheets read and write; else nothing.
inline std::optional<char> said_separator(const std::string& text) {
  std::size_t at = skip_marks(text);
  const bool quoted = at < text.size() && text[at] == '"';
  at += quoted;
  for (const char c : {'s', 'e', 'p', '='}) {
    if (at >= text.size() || (text[at] | (c == '=' ? 0 : 0x20)) != c) return std::nullopt;
    ++at;
  }
  if (at >= text.size() || text[at] == '\r' || text[at] == '\n') return std::nullopt;
  const char separator = text[at++];
  if (quoted && (at >= text.size() || text[at++] != '"')) return std::nullopt;
  if (at < text.size() && text[at] != '\r' && text[at] != '\n') return std::nullopt;
  return separator;
}

/// What separates the fields of a text's first row: a tab where there is one outside of quotes, else a semicolon, else
/// a comma, else |. Commas between two | are decimal ones where all else are numbers.
inline char separator_of(const std::string& text) {
  if (const auto said = said_separator(text)) return *said;
  std::size_t at = skip_marks(text);
  while (at < text.size()) {
    const std::size_t end = std::min(text.find_first_of("\r\n", at), text.size());
    if (!is_comment(text, at) && text.find_first_not_of(" \t", at) < end) break;
    at = end + 1;
  }
  bool semicolon = false, comma = false, bar = false, numbers = true;
  std::string field;
  const auto end_field = [&] {
    bool decimal = false;
    numbers = numbers && (is_missing_word(field) || parse_decimal(field, decimal));
    field.clear();
  };
  for (bool quoted = false; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '"') quoted = !quoted;
    if (quoted || c == '"') continue;
    if (c == '\n' || c == '\r') break;
    if (c == '\t') return c;
    semicolon = semicolon || c == ';';
    comma = comma || c == ',';
    bar = bar || c == '|';
    if (c == '|') end_field();
    if (c != '|' && field.size() < 100) field += c;
  }
  end_field();
  if (semicolon) return ';';
  return bar && (!comma || numbers) ? '|' : ',';
}

/// Whether a place of a text is inside of quotes, for those who look for the ends of rows before they read them.
class CsvQuotes {
 public:
  bool open() const { return open_; }
  /// The next character of a row that is no comment. A quote opens a field, ends it, or is doubled inside of it.
  void take(char c, bool separates) {
    const bool toggles = c == '"' && (open_ || starts_ || closed_);
    closed_ = toggles && open_;
    if (toggles) open_ = !open_;
    starts_ = separates && !open_;
  }

 private:
  bool open_ = false, starts_ = true, closed_ = false;
};

/// Cuts a text into rows of fields and counts its lines.
class CsvRows {
 public:
  /// \param line the text's first line is number `line` of the file
  CsvRows(std::string text, const std::string& name, char separator, Index line = 1)
      : text_(std::move(text)), name_(name), separator_(separator), line_(line) {
    at_ = skip_marks(text_);
    if (line == 1 && said_separator(text_)) {
      check(std::string_view(",;|\t").find(separator) != std::string_view::npos, name_,
            ", line 1 says that fields are separated by ", in_quotes(std::string(1, separator)),
            "; commas, semicolons, tabs and | are read");
      at_ = std::min(text_.find_first_of("\r\n", at_), text_.size());
      end_line();
      at_ = std::min(at_ + 1, text_.size());
    }
    // Blank lines at the very end are no rows; tabs that separate empty fields are one.
    const std::size_t last = text_.find_last_not_of(separator == '\t' ? " \r\n" : " \t\r\n");
    const std::size_t end =
        last == std::string::npos ? std::string::npos : text_.find_first_of("\r\n", last);
    if (last == std::string::npos) text_.resize(at_);
    if (end != std::string::npos) text_.resize(end);
  }

  /// The line that the last row began on, from 1.
  Index line() const { return row_line_; }

  /// The comment on the line right before the first row, and that line; blank where there is none.
  const std::string& comment() const { return comment_; }
  Index comment_line() const { return comment_line_; }

  /// The next row's fields; false when there is none.
  bool next(std::vector<std::string>& fields) {
    fields.clear();
    // Comments, and blank lines before the first row.
    while (at_ < text_.size()) {
      const std::size_t end = std::min(text_.find_first_of("\r\n", at_), text_.size());
      const bool blank = !begun_ && text_.find_first_not_of(" \t", at_) >= end;
      if (!is_comment(text_, at_) && !blank) break;
      if (begun_) check_comment(text_.substr(at_, end - at_), separator_, width_, name_, line_);
      if (!begun_) {
        comment_ = text_.substr(at_, end - at_);
        comment_line_ = line_;
      }
      at_ = end;
      end_line();
      ++at_;
    }
    begun_ = true;
    if (at_ >= text_.size()) return false;
    row_line_ = line_;
    do {
      check(fields.size() < most_fields, name_, ", line ", row_line_, " has more than ",
            most_fields, " fields, which are no features of one row");
      fields.push_back(field());
    } while (at_ < text_.size() && text_[at_++] == separator_);
    if (width_ == 0) width_ = fields.size();
    return true;
  }

  /// Refuses a line that begins with # and is a row otherwise: no row may vanish.
  /// \param width how many fields a row has
  static void check_comment(const std::string& text, char separator, std::size_t width,
                            const std::string& name, Index line) {
    if (width < 2 || text.size() < 2 || text[1] == ' ' || text[1] == '\t') return;
    std::vector<std::string> fields;
    try {
      CsvRows("x" + text.substr(1), "", separator).next(fields);
    } catch (const FileError&) {
      return;  // a quote that is never closed
    }
    if (fields.size() != width) return;
    std::size_t numbers = 0;
    for (std::size_t j = 1; j < width; ++j) {
      bool comma = false;
      const bool number = parse_decimal(fields[j], comma).has_value();
      if (!number && !is_missing_word(fields[j])) return;
      numbers += number;
    }
    check(numbers == 0, name, ", line ", line, ": ", in_quotes(text.substr(0, 40)),
          " may be a comment or a row; write a blank behind the # of a comment, and a field that "
          "begins with # in quotes");
  }

 private:
  /// A small compressed file may hold commas without end, each of which would take 32 bytes.
  static constexpr std::size_t most_fields = 1000000;

  /// Reads up to the separator or line break behind the field. A line break is taken down to its last
  /// character, so that next() steps over a separator and over a line break alike.
  std::string field() {
    std::string value;
    if (at_ < text_.size() && text_[at_] == '"') {
      for (++at_;; ++at_) {
        check(at_ < text_.size(), name_, ", line ", row_line_, ": a quote is never closed");
        if (text_[at_] == '"' && (at_ + 1 >= text_.size() || text_[at_ + 1] != '"')) break;
        if (text_[at_] == '"') ++at_;
        const bool second = text_[at_] == '\n' && text_[at_ - 1] == '\r';
        if ((text_[at_] == '\n' && !second) || text_[at_] == '\r') ++line_;
        value += text_[at_];
      }
      ++at_;
      const bool ends = at_ >= text_.size() || text_[at_] == separator_ || text_[at_] == '\n' ||
                        text_[at_] == '\r';
      check(ends, name_, ", line ", line_, ": text follows a closing quote");
    } else {
      const char stops[] = {separator_, '\r', '\n', '\0'};
      const std::size_t end = std::min(text_.find_first_of(stops, at_), text_.size());
      value = text_.substr(at_, end - at_);
      at_ = end;
    }
    if (at_ < text_.size() && text_[at_] != separator_) end_line();
    // A separator at the very end has an empty field behind it.
    if (at_ + 1 == text_.size() && text_[at_] == separator_) text_ += '\n';
    return value;
  }
  /// Counts the line break that is next, and takes it down to its last character.
  void end_line() {
    if (at_ >= text_.size()) return;
    ++line_;
    if (text_[at_] == '\r' && at_ + 1 < text_.size() && text_[at_ + 1] == '\n') ++at_;
  }

  std::string text_, name_, comment_;
  Index comment_line_ = 0;
  char separator_;
  std::size_t at_ = 0, width_ = 0;
  bool begun_ = false;
  Index line_, row_line_ = 1;
};

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

/// What bytes are that a file of another kind than text in UTF-8 begins with, and what makes csv of it; empty where
/// they may be text.
inline std::string foreign_kind(const std::string& start) {
  using namespace std::string_view_literals;
  const auto begins = [&](std::string_view bytes) {
    return std::string_view(start).substr(0, bytes.size()) == bytes;
  };
  const char* converts = ", expected UTF-8; iconv -f utf-";
  if (begins("\xff\xfe\0\0"sv) || begins("\0\0\xfe\xff"sv))
    return std::string(" is text in UTF-32") + converts + "32 -t utf-8 converts it";
  if (begins("\xff\xfe"sv) || begins("\xfe\xff"sv))
    return std::string(" is text in UTF-16") + converts + "16 -t utf-8 converts it";
  if (begins("\x1f\x8b"sv)) return " is packed with gzip; gzip -dc unpacks it";
  if (begins("\x28\xb5\x2f\xfd"sv)) return " is packed with Zstandard; zstd -dc unpacks it";
  if (begins("\xfd"
             "7zXZ\0"sv))
    return " is packed with xz; xz -dc unpacks it";
  if (start.size() > 6 && begins("BZh"sv) && start.compare(4, 3, "1AY") == 0)
    return " is packed with bzip2; bzip2 -dc unpacks it";
  if (begins("PK\3\4"sv)) return " is a zip archive, as .npz files are";
  if (begins("PAR1"sv)) return " is a Parquet file";
  if (begins("\x89HDF"sv)) return " is an HDF5 file";
  if (begins("MATLAB "sv)) return " is a .mat file";
  return {};
}

/// Refuses a first row of one field that looks like numbers with blanks between them.
inline void check_blanks(const std::vector<std::string>& first, const std::string& name) {
  check(first.size() != 1 || !has_blanks_between_numbers(first[0]), name,
        ": blanks separate the numbers of its first line; ", separator_advice);
}

/// What a comment right before the first row says, where it may be a line of names behind a #.
inline FirstLine names_in_comment(const std::string& comment, Index line, char separator) {
  FirstLine names;
  names.line = line;
  const std::size_t at = comment.find_first_not_of("# \t");
  if (!is_comment(comment, 0) || at == std::string::npos) return names;
  try {
    CsvRows(comment.substr(at), "", separator).next(names.fields);
  } catch (const FileError&) {
    names.fields.clear();  // no names, but a sentence with a quote in it
  }
  // What stands alone behind its separator is the name of row numbers.
  if (at == 1 && !names.fields.empty() && names.fields[0].empty()) names.fields[0] = comment_mark;
  return names;
}
inline FirstLine names_in_comment(const CsvRows& rows, char separator) {
  return names_in_comment(rows.comment(), rows.comment_line(), separator);
}

}  // namespace detail

/// Reads rows of numbers. The first row may be a header (Columns).
/// \throws FileError
inline Table read_csv(ByteStream& stream, const DataOptions& options) {
  const std::string& name = stream.name();
  std::string text = detail::read_all(stream);
  const char separator = detail::separator_of(text);
  detail::CsvRows rows(std::move(text), name, separator);
  std::vector<std::string> first, fields;
  check(rows.next(first), name, " is empty");
  detail::check_blanks(first, name);
  detail::Columns columns({first, rows.line()}, separator, options, name,
                          detail::names_in_comment(rows, separator));

  Table table;
  std::vector<double> values;
  const auto take = [&](const std::vector<std::string>& row) {
    columns.take(row, rows.line(), values, table.labels, table.groups);
    table.lines.push_back(rows.line());
  };
  if (columns.first_is_row()) take(first);
  while (rows.next(fields)) take(fields);

  // A word among numbers is a label where it comes again below.
  if (columns.only_label_is_word() && options.header == DataOptions::Header::automatic &&
      std::count(table.labels.begin(), table.labels.end(), columns.label_word()) == 1) {
    columns.ask_about_label();
  }
  columns.check_row_numbers(values);
  columns.check_all();
  table.names = columns.feature_names();
  table.columns = columns.file_columns();
  const Index features = columns.features();
  table.X = Eigen::Map<const dasvdd::RowMatrix<double>>(values.data(),
                                                        Index(values.size()) / features, features);
  return table;
}

}  // namespace tool
