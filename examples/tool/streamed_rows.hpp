#pragma once
/// \file
/// The rows of a file that is read in pieces, as a command uses them: some left out, pixels divided.

#include <tool/big_file.hpp>
#include <tool/pixel_range.hpp>
#include <tool/places.hpp>

#include <dasvdd/core/row_source.hpp>
#include <dasvdd/fit/fit_options.hpp>
#include <dasvdd/train/source_scan.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

namespace tool {

/// Some of a file's rows: a bit a row. All of them while nothing has been added.
class ChosenBits {
 public:
  /// Says it of the next row.
  void add(bool chosen) {
    if (bits_.size() % part == 0) before_.push_back(count_);
    bits_.push_back(chosen);
    count_ += chosen;
  }
  bool empty() const { return bits_.empty(); }
  Index rows() const { return static_cast<Index>(bits_.size()); }
  Index count() const { return count_; }
  bool has(Index row) const { return empty() || bits_[static_cast<std::size_t>(row)]; }
  /// The number in the file of chosen row i; behind the last row where there is none.
  Index row_of(Index i) const {
    if (empty() || count_ == rows()) return i;
    const auto after = std::upper_bound(before_.begin(), before_.end(), i);
    const Index at = static_cast<Index>(after - before_.begin()) - 1;
    Index row = at * static_cast<Index>(part), left = i - before_[static_cast<std::size_t>(at)];
    for (; row < rows(); ++row) {
      if (has(row) && left-- == 0) break;
    }
    return row;
  }

 private:
  static constexpr std::size_t part = 4096;
  std::vector<bool> bits_;
  std::vector<Index> before_;  // chosen ones before every 4096th row
  Index count_ = 0;
};

/// The lines of a file's rows, which are in order: where comments move them.
class LineNumbers {
 public:
  void add(Index row, Index line) {
    if (row <= last_) return;
    last_ = row;
    const bool moves = moved_.empty() || line - row != moved_.back().by;
    if (moves && moved_.size() < most) moved_.push_back({row, line - row});
    full_ = full_ || moved_.size() == most;
  }
  /// Whether the line of every row is known that has been added.
  bool known() const { return !moved_.empty() && !full_; }
  Index of(Index row) const {
    const auto after = std::upper_bound(moved_.begin(), moved_.end(), row,
                                        [](Index at, const Moved& part) { return at < part.row; });
    return row + std::prev(after)->by;
  }

 private:
  static constexpr std::size_t most = std::size_t(1) << 20;
  struct Moved {
    Index row, by;
  };
  std::vector<Moved> moved_;
  Index last_ = -1;
  bool full_ = false;
};

class StreamedRows {
 public:
  /// \param memory what the command may take, in bytes
  StreamedRows(const BigFile& file, std::string name, double memory)
      : file_(file), name_(std::move(name)), memory_(memory) {}

  const BigFile& file() const { return file_; }
  ChosenBits& chosen() { return chosen_; }
  const ChosenBits& chosen() const { return chosen_; }
  /// The largest number that a detector takes; larger ones are refused by their place in the file.
  void set_largest(double largest) { largest_ = largest; }

  /// Rows that take a tenth of the memory: a window, and a sample of the same size, leave room for nets.
  Index window() const {
    return std::max<Index>(1, static_cast<Index>(memory_ / 10 / row_bytes()));
  }
  /// Rows of a sample that leave room for an ensemble, while two of its nets are in training.
  Index sample(const dasvdd::FitOptions& options) const {
    const double left = memory_ - nets_bytes(options) - 2 * matrices_bytes(options);
    return static_cast<Index>(std::max(left / 4.5 / row_bytes(), 1.0));
  }
  /// How many of its nets may be in training at a time: each has copies of the rows, in float, and their residuals
  /// and outputs.
  int nets_at_a_time(const dasvdd::FitOptions& options, Index sample) const {
    const double rows = row_bytes() * static_cast<double>(sample);
    const double left = memory_ - nets_bytes(options) - rows;
    return static_cast<int>(std::clamp(left / (1.4 * rows + matrices_bytes(options)), 1.0, 1e3));
  }

  /// Looks at all pixels: whole ones from 0 to 255 will be divided by 255, as scale_pixels() does.
  /// \return what they are like; none where they are divided
  PixelRange scale_pixels(std::ostream& err, Pixels model = Pixels::any) {
    PixelRange range;
    const auto pieces = file_.open(0, piece_bytes);
    for (Table piece; pieces->next(piece);) range.add(piece.X);
    if (!range.are_bytes(file_.frame().pixels, model)) return range;
    divisor_ = 255;
    err << "dasvdd: note: " << name_ << " has pixels from 0 to 255: divided by 255\n";
    return PixelRange();
  }
  bool divides_pixels() const { return divisor_ != 1; }

  /// Chooses no longer those of the chosen rows, by their numbers among them, ascending.
  /// \param count how many are chosen now
  void leave(const std::vector<Index>& numbers, Index count) {
    const Index n = chosen_.empty() ? count : chosen_.rows();
    ChosenBits left;
    auto next = numbers.begin();
    for (Index row = 0, at = 0; row < n; ++row) {
      const bool mine = chosen_.has(row);
      const bool out = mine && next != numbers.end() && *next == at;
      next += out;
      at += mine;
      left.add(mine && !out);
    }
    chosen_ = std::move(left);
  }
  /// Where the chosen rows, as they are now, stand in the file. This object must outlive the result.
  dasvdd::detail::Places places(const Table& frame) const {
    dasvdd::detail::Places places = places_of(frame);
    if (has_lines()) {
      places.row = "line";
      places.from = "";
    }
    places.row_of = [this](Index i) { return place_of(chosen_.row_of(i)); };
    return places;
  }
  bool has_lines() const { return lines_.known(); }
  /// The line of a row of the file, where lines are known; else its number.
  Index place_of(Index row) const { return has_lines() ? lines_.of(row) : row; }

  /// One way through the chosen rows.
  class Pass {
   public:
    Pass(const StreamedRows& rows, const ChosenBits& chosen, Index first, bool checks,
         std::size_t bytes)
        : rows_(rows), chosen_(chosen), checks_(checks), pieces_(rows.file_.open(first, bytes)) {}

    /// The next of them; false at the end.
    bool next() {
      while (pieces_->next(piece_)) {
        for (std::size_t i = 0; i < piece_.lines.size(); ++i) {
          rows_.lines_.add(piece_.rows[i], piece_.lines[i]);
        }
        std::vector<Index> numbers;
        for (Index i = 0; i < piece_.X.rows(); ++i) {
          if (chosen_.has(piece_.rows[static_cast<std::size_t>(i)])) numbers.push_back(i);
        }
        if (numbers.empty()) continue;
        if (static_cast<Index>(numbers.size()) < piece_.X.rows()) piece_.keep(numbers);
        if (checks_) check_numbers(piece_, rows_.name_, rows_.largest_);
        if (rows_.divisor_ != 1) piece_.X /= rows_.divisor_;
        return true;
      }
      return false;
    }
    const Table& piece() const { return piece_; }

   private:
    const StreamedRows& rows_;
    const ChosenBits& chosen_;
    bool checks_;
    std::unique_ptr<Pieces> pieces_;
    Table piece_;
  };
  /// For scoring: larger pieces, each number checked.
  Pass scored() const { return Pass(*this, chosen_, 0, true, std::size_t(1) << 23); }

  /// For training. The first pass checks every number. This object, and `chosen`, must outlive the source.
  dasvdd::RowSource source(const ChosenBits& chosen) const {
    const auto begun = std::make_shared<bool>(false);
    const auto pass = [this, &chosen, begun](Index first) {
      const bool checks = !std::exchange(*begun, true);
      const auto rows =
          std::make_shared<Pass>(*this, chosen, chosen.row_of(first), checks, piece_bytes);
      return [rows]() -> dasvdd::detail::AnyRows {
        if (rows->next()) return rows->piece().X;
        return {static_cast<const double*>(nullptr), 0, 1};
      };
    };
    const Index d = file_.frame().X.cols();
    if (file_.seeks()) return {d, pass};
    return {d, [pass] { return pass(0); }};
  }
  dasvdd::RowSource source() const { return source(chosen_); }

  /// Rows of the source in memory.
  static dasvdd::RowMatrix<double> matrix(const dasvdd::detail::RowStore& rows) {
    return rows.rows().as<double>().matrix();
  }

 private:
  static constexpr std::size_t piece_bytes = 1 << 18;

  /// About what the program takes, and the trained nets with their whitening.
  double nets_bytes(const dasvdd::FitOptions& options) const {
    return 5.5e7 + 0.7 * static_cast<double>(options.ensemble_size) * matrices_bytes(options);
  }
  /// What whitening computes with: five matrices of d x d doubles.
  double matrices_bytes(const dasvdd::FitOptions& options) const {
    if (options.score == dasvdd::ScoreForm::balanced) return 0;
    const double d = static_cast<double>(file_.frame().X.cols());
    return 40 * d * d;
  }
  double row_bytes() const { return 8.0 * static_cast<double>(file_.frame().X.cols()); }

  const BigFile& file_;
  std::string name_;
  double memory_, divisor_ = 1, largest_ = 0;
  ChosenBits chosen_;
  mutable LineNumbers lines_;  // the first pass sees them
};

}  // namespace tool
