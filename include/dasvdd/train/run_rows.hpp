#pragma once
/// \file
/// The rows of a run: all of them in memory, or a source's, of which a window is.

#include <dasvdd/core/function_ref.hpp>
#include <dasvdd/detect/places.hpp>
#include <dasvdd/train/far_values.hpp>
#include <dasvdd/train/row_scaler.hpp>
#include <dasvdd/train/source_far_values.hpp>
#include <dasvdd/train/source_scan.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// Rows that take 32 MB.
inline Index usual_window(Index d, bool wide) {
  return std::max<Index>(1, (Index(1) << 25) / (d * (wide ? 8 : 4)));
}

/// What a trainer trains on. Rows in memory are one window. A source with more rows than the window goes through it
/// epoch by epoch:
///     block    B rows that follow each other: a whole number of mini-batches, about W / 16
///     window   floor(W / B) blocks, copied, its rows shuffled among themselves
/// Where the source can begin anywhere, blocks are drawn in random order, without replacement; in a window they stand
/// in the source's order. Else windows are the source's rows in turn. A block with other bytes than in the first pass
/// is refused.
class RunRows {
 public:
  /// A view.
  explicit RunRows(const AnyRows& X) : known_(X), rows_(X.rows()) {}
  /// The first pass over the source, which must outlive this.
  /// \param narrow whether the net is in float
  RunRows(const RowSource& source, const Options& options, bool narrow)
      : known_(static_cast<const float*>(nullptr), 0, source.cols()), source_(&source) {
    require_no_missing_rule(options.missing);
    RowReader reader(source.open());
    const bool wide = reader.more() && reader.wide();
    const Index window = options.window > 0 ? options.window : usual_window(source.cols(), wide);
    const Index batch = options.batch_size;
    const Index block = (std::max)(batch, window / 16 / batch * batch);
    blocks_ = std::max<Index>(1, window / block);
    scan_ = SourceScan::of(reader, {window, options.seed, narrow, block, options.standardize});
    known_ = scan_.held.rows();
    rows_ = scan_.rows;
    if (scan_.holds_all()) {
      source_ = nullptr;
      scan_.numbers.clear();
    }
  }
  RunRows(const RunRows&) = delete;
  RunRows& operator=(const RunRows&) = delete;

  Index rows() const { return rows_; }
  /// All rows; or a sample of a source's, which stands for them: in gamma's estimate, in the score's form, in
  /// the threshold.
  const AnyRows& known() const { return known_; }
  bool knows_all() const { return source_ == nullptr; }
  /// The far values of all rows; of a source that isn't standardized there are no sums to find them by.
  std::vector<FarValues> far_values() const {
    return knows_all() ? detail::far_values(known_) : detail::far_values(scan_, *source_);
  }
  /// Where the rows stand in a file.
  const Places& places() const { return places_; }
  void set_places(Places places) { places_ = std::move(places); }
  /// What tells a source's rows from others; 0 where all are known.
  std::uint64_t checksum() const {
    std::uint64_t sum = 0;
    for (const std::uint64_t hash : scan_.hashes) sum = sum * 31 + hash;
    return knows_all() ? 0 : sum;
  }
  /// The scaler that options ask for: of all rows.
  template <class Scalar>
  Scaler<Scalar> scaler(const Options& options) const {
    if (knows_all() || !options.standardize) return row_scaler<Scalar>(options, known_);
    return {scan_.sums.standardizer<Scalar>(), options.missing};
  }

  /// One way through all rows.
  /// \param random null: in their own order
  /// \param use called as use(rows) for each window, when `order` has the numbers of its rows; whether to go on
  void each_window(Random* random, std::vector<Index>& order,
                   FunctionRef<bool(const AnyRows&)> use) {
    const auto ordered = [&](const AnyRows& window) {
      // From the rows' own order each time: an epoch depends on the generator alone, not on the epochs before it.
      order.resize(static_cast<std::size_t>(window.rows()));
      std::iota(order.begin(), order.end(), Index(0));
      if (random) random->shuffle(order.data(), order.size());
      return use(window);
    };
    if (knows_all()) {
      ordered(known_);
    } else if (random && source_->seeks()) {
      drawn_windows(*random, ordered);
    } else {
      windows_in_turn(ordered);
    }
  }

 private:
  Index block_count() const { return static_cast<Index>(scan_.hashes.size()); }
  Index block_rows(Index b) const { return (std::min)(scan_.block, rows_ - b * scan_.block); }

  void windows_in_turn(FunctionRef<bool(const AnyRows&)> use) {
    RowReader reader(source_->open());
    for (Index first = 0; first < block_count(); first += blocks_) {
      window_.clear();
      const Index last = (std::min)(first + blocks_, block_count());
      for (Index b = first; b < last; ++b) read(reader, b);
      if (!use(window_.rows())) return;
    }
    ensure(!reader.more(), "the row source gave ", rows_,
           " rows in its first pass and gives more in a later one; each pass must give the same");
  }

  void drawn_windows(Random& random, FunctionRef<bool(const AnyRows&)> use) {
    std::vector<Index> drawn(static_cast<std::size_t>(block_count()));
    std::iota(drawn.begin(), drawn.end(), Index(0));
    // A short block stays the last one: mini-batches before it are whole.
    const bool short_block = rows_ % scan_.block != 0;
    random.shuffle(drawn.data(), drawn.size() - (short_block ? 1 : 0));
    std::vector<std::pair<Index, RowReader>> next;
    const auto begin = [&](std::size_t first) {
      const std::size_t last = (std::min)(first + static_cast<std::size_t>(blocks_), drawn.size());
      std::sort(drawn.begin() + static_cast<std::ptrdiff_t>(first),
                drawn.begin() + static_cast<std::ptrdiff_t>(last));
      next.clear();
      for (std::size_t i = first; i < last; ++i) {
        next.emplace_back(drawn[i], source_->open(drawn[i] * scan_.block));
      }
      return last;
    };
    for (std::size_t at = begin(0); !next.empty();) {
      window_.clear();
      for (auto& [block, reader] : next) {
        RowReader mine = std::move(reader);  // its memory goes when the block has been copied
        read(mine, block);
      }
      // The source may fetch the rows of the next window while this one is used.
      if (at < drawn.size()) {
        at = begin(at);
      } else {
        next.clear();
      }
      if (!use(window_.rows())) return;
    }
  }

  /// Appends block b to the window.
  void read(RowReader& reader, Index b) {
    const Index expected = block_rows(b), first = b * scan_.block, at = window_.count();
    if (window_.count() == 0) {
      window_.reserve((std::min)(blocks_ * scan_.block, rows_), known_.cols(), known_.wide());
    }
    const Index got = reader.read(expected, window_);
    ensure(got == expected, "the row source gave ", rows_,
           " rows in its first pass and ends after row ", first + got - 1,
           " in a later one; each pass must give the same");
    ensure(window_.wide() == known_.wide() &&
               hash_of(window_, at, got) == scan_.hashes[static_cast<std::size_t>(b)],
           "the row source gives other numbers in rows ", first, " to ", first + got - 1,
           " than in its first pass; each pass must give the same");
  }

  AnyRows known_;
  Index rows_ = 0, blocks_ = 1;
  const RowSource* source_ = nullptr;  ///< null: known_ has all rows
  SourceScan scan_;
  Places places_;
  RowStore window_;
};

}  // namespace detail
DASVDD_NAMESPACE_END
