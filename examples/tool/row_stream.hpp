#pragma once
/// \file
/// Rows of standard input one by one, as soon as each is there: csv or .npy, which the first byte tells.

#include <tool/csv.hpp>
#include <tool/npy.hpp>

#include <dasvdd/core/finite.hpp>

#include <cerrno>
#include <cstring>
#include <iostream>
#include <istream>
#include <memory>
#include <string>
#include <vector>

#if defined(__unix__) || defined(__APPLE__)
#include <unistd.h>
#endif

namespace tool {

/// Hands over rows one after the other. It keeps one row at a time, and waits for no byte behind a row's last.
class RowStream {
 public:
  virtual ~RowStream() = default;

  /// The next row's numbers, all of them finite, or NaN where rows may lack values; false at the end.
  /// \throws FileError one sentence that names the line of a csv, or the row
  virtual bool next(std::vector<double>& row) = 0;
  /// Where the last row stands, "line 14" say.
  virtual std::string row_text() const = 0;
  virtual std::string column_text(Index j) const = 0;
  /// "standard input, line 14".
  std::string where() const { return std::string(name) + ", " + row_text(); }

  static constexpr const char* name = "standard input";
};

namespace detail {

/// Standard input as bytes.
class InputStream : public ByteStream {
 public:
  InputStream(std::istream& in, const char* name) : ByteStream(name, 1e300), in_(in) {}

 private:
  std::size_t fetch(char* to, std::size_t count) override {
    in_.read(to, static_cast<std::streamsize>(count));
    return static_cast<std::size_t>(in_.gcount());
  }
  std::istream& in_;
};

class CsvRowStream : public RowStream {
 public:
  CsvRowStream(std::istream& in, Index features, const DataOptions& options)
      : in_(*in.rdbuf()), features_(features), options_(options) {}

  bool next(std::vector<double>& row) override {
    for (std::string text; read_record(text);) {
      const bool begins = separator_ == 0;
      if (begins) separator_ = separator_of(text);
      if (first_line_ == 1 && said_separator(text)) {
        CsvRows(text, name, separator_);
        continue;
      }
      CsvRows parser(text, name, separator_, first_line_);
      std::vector<std::string> fields;
      if (!parser.next(fields)) continue;
      if (!columns_) {
        check_blanks(fields, name);
        // Unlike in a file, nothing is known of the labels to come: a word in the label's column alone is one.
        columns_ =
            std::make_unique<Columns>(FirstLine{fields, first_line_}, separator_, options_, name,
                                      names_in_comment(comment_, comment_line_, separator_));
        columns_->check_unnamed();
        check(columns_->features() == features_, name, ", line ", first_line_, " has ",
              columns_->features(), " features, the model takes ", features_);
        if (!columns_->first_is_row()) continue;
      }
      row.clear();
      columns_->take(fields, first_line_, row, labels_, labels_);
      columns_->check_second(fields);
      columns_->check_thousands();
      labels_.clear();
      bool any = false;
      for (std::size_t j = 0; j < row.size(); ++j) {
        if (options_.missing && dasvdd::detail::is_nan(row[j])) continue;
        any = true;
        check(dasvdd::detail::is_finite(row[j]), name, ", line ", first_line_, ", ",
              columns_->feature_text(j), ": every value must be finite");
      }
      check(any, name, ", line ", first_line_, no_value);
      return true;
    }
    return false;
  }
  std::string row_text() const override { return "line " + std::to_string(first_line_); }
  std::string column_text(Index j) const override {
    return columns_->feature_text(static_cast<std::size_t>(j));
  }

 private:
  static constexpr int end = std::char_traits<char>::eof();
  static constexpr std::size_t longest = std::size_t(1) << 26;

  /// One row's text, which has line breaks inside of quotes only. Empty lines are passed over before the first row,
  /// and where the end follows, as in a file.
  bool read_record(std::string& text) {
    Index empty = 0;
    for (;;) {
      first_line_ = line_;
      if (!read_text(text)) return false;
      if (first_line_ == 1) text.erase(0, skip_marks(text));
      if (is_comment(text, 0)) {
        if (columns_) {
          CsvRows::check_comment(text, separator_, columns_->first().size(), name, first_line_);
        }
        comment_ = text;
        comment_line_ = first_line_;
        continue;
      }
      if (text.find_first_not_of(" \t") != std::string::npos) break;
      comment_.clear();
      if (empty == 0 && columns_) empty = first_line_;
    }
    check(empty == 0, name, ", line ", empty, " is empty");
    return true;
  }

  /// Up to a line break outside of quotes; false where nothing is left.
  bool read_text(std::string& text) {
    text.clear();
    CsvQuotes quotes;
    bool comment = false;
    std::size_t begin = 0;
    for (;;) {
      const int next = in_.sbumpc();
      look(next);
      if (next == end) return !text.empty();
      const char c = static_cast<char>(next);
      // The second half of a line break. Waiting for it would keep the row back.
      const bool second = after_return_ && c == '\n';
      after_return_ = c == '\r';
      if (second && !quotes.open() && text.empty()) continue;
      if ((c == '\n' && !second) || c == '\r') ++line_;
      if (!quotes.open() && (c == '\n' || c == '\r')) return true;
      comment = comment || (text.size() == begin && c == comment_mark);
      // A mark before UTF-8 is no part of the first field.
      const bool mark =
          line_ == 1 && text.size() < begin + 3 && c == "\xef\xbb\xbf"[text.size() - begin];
      if (mark) {
        text += c;
        if (text.size() == begin + 3) begin += 3;
        continue;
      }
      const bool separates =
          separator_ == 0 ? c == ',' || c == ';' || c == '\t' || c == '|' : c == separator_;
      if (!comment) quotes.take(c, separates);
      text += c;
      check(text.size() < longest, name, ", line ", first_line_, " has more than ", longest,
            " bytes");
    }
  }

  /// Refuses what is no text by its first bytes, as soon as they are there. Four tell UTF-32 from UTF-16.
  void look(int next) {
    if (start_.size() >= 8) return;
    const bool ends = next == end || next == '\n' || next == '\r';
    if (next != end) start_ += static_cast<char>(next);
    if (!ends && start_.size() < 4) return;
    const std::string foreign = foreign_kind(start_);
    const char* read = "; csv in UTF-8 and .npy are read from it";
    check(foreign.empty(), name, foreign, read);
    check(start_.find('\0') == std::string::npos, name, " is of no known kind", read);
  }

  std::streambuf& in_;
  std::string start_;  // the first bytes
  Index features_;
  DataOptions options_;
  char separator_ = 0;  // 0: the first row is still to come
  std::unique_ptr<Columns> columns_;
  std::vector<std::string> labels_;
  std::string comment_;  // before the first row
  Index comment_line_ = 0;
  Index line_ = 1, first_line_ = 1;
  bool after_return_ = false;
};

class NpyRowStream : public RowStream {
 public:
  NpyRowStream(std::istream& in, Index features, bool missing)
      : in_(in, name),
        header_(read_npy_header(in_)),
        number_(number_reader(header_)),
        missing_(missing) {
    check(header_.is_number(), name, " has the dtype '", header_.descr, "', expected numbers");
    check(header_.shape.size() == 2, name, " has ", header_.shape.size(),
          " dimension(s), expected 2: one sample a row");
    check(
        !header_.fortran_order || header_.shape[0] <= 1 || header_.shape[1] <= 1, name,
        " is in Fortran order, column by column, so no row is whole before the end; score a file");
    check(header_.shape[1] == features, name, " has rows of ", header_.shape[1],
          " numbers, the model takes ", features);
    bytes_.resize(static_cast<std::size_t>(features) * header_.bytes);
  }

  bool next(std::vector<double>& row) override {
    if (at_ == header_.shape[0]) {
      in_.finish();
      return false;
    }
    in_.read(&bytes_[0], bytes_.size());
    row.clear();
    bool any = false;
    for (std::size_t at = 0; at < bytes_.size(); at += header_.bytes) {
      turn_bytes(&bytes_[at], header_);
      row.push_back(number_(bytes_.data() + at));
      if (missing_ && dasvdd::detail::is_nan(row.back())) continue;
      any = true;
      check(dasvdd::detail::is_finite(row.back()), name, ", row ", at_, ", column ",
            at / header_.bytes, " (both from 0): every value must be finite");
    }
    check(any, name, ", row ", at_, " (from 0)", no_value);
    ++at_;
    return true;
  }
  std::string row_text() const override { return "row " + std::to_string(at_ - 1) + " (from 0)"; }
  std::string column_text(Index j) const override {
    return "column " + std::to_string(j) + " (from 0)";
  }

 private:
  InputStream in_;
  NpyHeader header_;
  ToDouble number_;
  bool missing_;
  std::string bytes_;
  Index at_ = 0;
};

}  // namespace detail

/// Refuses standard input that can't be read: a folder, say, or none at all.
inline void check_standard_input(const std::istream& in) {
#if defined(__unix__) || defined(__APPLE__)
  char none;
  const bool reads = in.rdbuf() != std::cin.rdbuf() || ::read(STDIN_FILENO, &none, 0) == 0;
  check(reads, "standard input can't be read: ", std::strerror(errno));
#else
  static_cast<void>(in);
#endif
}

/// The rows of standard input.
/// \param features numbers that a row must have
/// \param options of a csv: which columns are features
inline std::unique_ptr<RowStream> open_rows(std::istream& in, Index features,
                                            const DataOptions& options) {
  const int first = in.peek();
  if (first == static_cast<unsigned char>(npy_magic[0])) {
    const bool none = options.label_column.empty() && options.columns.empty() &&
                      options.drop.empty() && options.header == DataOptions::Header::automatic;
    check(none,
          "standard input is no csv file, so --label-column, --columns, --drop and --header don't "
          "fit");
    return std::make_unique<detail::NpyRowStream>(in, features, options.missing);
  }
  in.clear();  // peek() at an empty input leaves its mark
  return std::make_unique<detail::CsvRowStream>(in, features, options);
}

}  // namespace tool
