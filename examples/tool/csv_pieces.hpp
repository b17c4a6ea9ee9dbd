#pragma once
/// \file
/// The rows of a csv file in pieces, for files that memory can't hold.

#include <tool/csv.hpp>
#include <tool/pieces.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tool {
namespace detail {

/// Cuts a text into parts of whole rows: before a line that is neither blank nor a comment, behind one that is not blank,
/// with a row before it, outside of quotes. The parts one by one mean what the whole text does.
class CsvParts {
 public:
  CsvParts(ByteStream& stream, std::size_t size) : stream_(stream), size_(size) {}

  /// The next part and the number of its first line; false at the end.
  bool next(std::string& part, Index& line) {
    line = line_;
    for (std::size_t wanted = size_;; wanted *= 2) {
      if (!ended_ && text_.size() < wanted) {
        const std::size_t kept = text_.size();
        text_.resize(wanted);
        text_.resize(kept + stream_.read_some(&text_[kept], wanted - kept));
        ended_ = text_.size() < wanted;
      }
      if (!begun_) separator_ = separator_of(text_);
      if (ended_) {
        begun_ = true;
        part = std::exchange(text_, {});
        return !part.empty();
      }
      const std::size_t cut = last_cut();
      if (cut > 0) {
        begun_ = true;
        part = text_.substr(0, cut);
        text_.erase(0, cut);
        return true;
      }
      check(wanted < longest, stream_.name(), ", line ", line_, " has more than ", longest,
            " bytes");
    }
  }
  /// What separates fields; known when the first part is.
  char separator() const { return separator_; }

 private:
  static constexpr std::size_t longest = std::size_t(1) << 26;

  /// Where the last line begins before which a part may end; 0 where none does. Moves line_ there.
  std::size_t last_cut() {
    CsvQuotes quotes;
    bool comment = false;
    bool blank = true, blank_before = true, row_before = false;
    std::size_t cut = 0, begin = 0;
    Index line = line_, at_cut = line_;
    std::size_t i = skip_marks(text_);
    if (!begun_ && said_separator(text_))
      i = std::min(text_.find_first_of("\r\n", i), text_.size());
    for (; i < text_.size(); ++i) {
      const char c = text_[i];
      if (c == '\n' || c == '\r') {
        // The second half of a line break may be still to come.
        if (c == '\r' && i + 1 == text_.size()) break;
        if (c == '\r' && text_[i + 1] == '\n') ++i;
        ++line;
        if (quotes.open()) continue;
        blank_before = blank;
        begin = i + 1;
        blank = true;
        comment = false;
        quotes = CsvQuotes();
        continue;
      }
      if (blank && c != ' ' && c != '\t') {
        comment = i == begin && is_comment(text_, begin);
        if (!blank_before && row_before && !comment) {
          cut = begin;
          at_cut = line;
        }
        blank = false;
        row_before = row_before || !comment;
      }
      if (!comment) quotes.take(c, c == separator_);
    }
    line_ = at_cut;
    return cut;
  }

  ByteStream& stream_;
  std::size_t size_;
  std::string text_;
  char separator_ = 0;
  bool begun_ = false, ended_ = false;
  Index line_ = 1;
};

/// Reads the rows part by part.
class CsvPieces : public Pieces {
 public:
  CsvPieces(const std::string& path, const DataOptions& options, std::size_t bytes)
      : stream_(path), parts_(stream_, bytes), options_(options) {
    const std::string& name = stream_.name();
    std::vector<std::string> first;
    check(next_row(first), name, " is empty");
    check_blanks(first, name);
    columns_ =
        std::make_unique<Columns>(FirstLine{first, rows_->line()}, parts_.separator(), options_,
                                  name, names_in_comment(*rows_, parts_.separator()));
    frame_.names = columns_->feature_names();
    frame_.columns = columns_->file_columns();
    frame_.X.resize(0, columns_->features());
    if (columns_->first_is_row()) first_ = std::move(first);
  }

  /// A table without rows.
  const Table& frame() const { return frame_; }
  bool has_label() const { return columns_->has_label(); }

  bool next(Table& piece) override {
    piece = frame_;
    std::vector<double> values;
    const auto take = [&](const std::vector<std::string>& row) {
      columns_->take(row, rows_->line(), values, piece.labels, piece.groups);
      piece.lines.push_back(rows_->line());
      piece.rows.push_back(at_++);
    };
    const bool begins = at_ == 0;
    if (first_) take(*first_);
    first_.reset();
    std::vector<std::string> fields;
    // A part may be comments alone.
    while (rows_->next(fields) || (piece.lines.empty() && next_row(fields))) take(fields);
    if (begins) check_first(piece, values);
    if (piece.lines.empty()) columns_->check_all();
    const Index n = static_cast<Index>(piece.lines.size());
    piece.X = Eigen::Map<const dasvdd::RowMatrix<double>>(values.data(), n, columns_->features());
    return n > 0;
  }

 private:
  /// What is asked of a whole file is asked of its beginning.
  void check_first(const Table& piece, const std::vector<double>& values) const {
    if (columns_->only_label_is_word() && options_.header == DataOptions::Header::automatic &&
        std::count(piece.labels.begin(), piece.labels.end(), columns_->label_word()) == 1) {
      columns_->ask_about_label();
    }
    columns_->check_row_numbers(values);
  }

  /// The first row of the next part that has one.
  bool next_row(std::vector<std::string>& fields) {
    std::string part;
    Index line = 1;
    while (parts_.next(part, line)) {
      rows_ = std::make_unique<CsvRows>(std::move(part), stream_.name(), parts_.separator(), line);
      if (rows_->next(fields)) return true;
    }
    return false;
  }

  FileStream stream_;
  CsvParts parts_;
  DataOptions options_;
  std::unique_ptr<CsvRows> rows_;
  std::unique_ptr<Columns> columns_;
  std::optional<std::vector<std::string>> first_;
  Table frame_;
  Index at_ = 0;
};

}  // namespace detail
}  // namespace tool
