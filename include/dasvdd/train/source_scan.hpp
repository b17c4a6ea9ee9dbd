#pragma once
/// \file
/// The first pass over a source: checks and counts the rows, and keeps all of them, or a sample.

#include <dasvdd/detect/missing_values.hpp>
#include <dasvdd/detect/standardizer.hpp>
#include <dasvdd/train/row_store.hpp>
#include <dasvdd/train/streams.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <numeric>
#include <utility>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// Mean and deviation of each feature in one pass: sums of x - k and of its square with k the first row. What the
/// difference of the two loses to rounding is bounded, because k is one of the rows: (k - mean)^2 is at most n
/// variances.
class ColumnSums {
 public:
  void add(const AnyRows& rows) {
    rows.visit([&](auto some) {
      const std::size_t d = static_cast<std::size_t>(some.cols());
      if (n_ == 0) {
        first_.assign(some.row(0), some.row(0) + d);
        low_ = high_ = first_;
        sum_.assign(d, 0);
        squares_.assign(d, 0);
        epsilon_ =
            static_cast<double>(std::numeric_limits<typename decltype(some)::Value>::epsilon());
      }
      for (Index i = 0; i < some.rows(); ++i) {
        const auto* row = some.row(i);
        for (std::size_t j = 0; j < d; ++j) {
          const double value = static_cast<double>(row[j]), x = value - first_[j];
          sum_[j] += x;
          squares_[j] = std::fma(x, x, squares_[j]);
          low_[j] = (std::min)(low_[j], value);
          high_[j] = (std::max)(high_[j], value);
        }
      }
      n_ += static_cast<double>(some.rows());
    });
  }

  /// The smallest and the largest number of feature j.
  double low(Index j) const { return low_[static_cast<std::size_t>(j)]; }
  double high(Index j) const { return high_[static_cast<std::size_t>(j)]; }

  template <class Scalar>
  Standardizer<Scalar> standardizer() const {
    std::vector<double> mean(sum_.size()), scale(sum_.size());
    for (std::size_t j = 0; j < sum_.size(); ++j) {
      const double offset = sum_[j] / n_;
      const double variance = std::fma(-offset, offset, squares_[j] / n_);
      const double deviation = std::sqrt((std::max)(variance, 0.0));
      const bool constant =
          Standardizer<Scalar>::is_constant(low_[j], high_[j], deviation, epsilon_);
      mean[j] = low_[j] == high_[j] ? low_[j] : first_[j] + offset;
      scale[j] = constant ? 1 : deviation;
    }
    return {std::move(mean), std::move(scale)};
  }

 private:
  std::vector<double> first_, sum_, squares_, low_, high_;
  double n_ = 0, epsilon_ = 0;
};

/// Throws InvalidArgument for a number that a net can't be trained on.
/// \param narrow whether it is a net in float
/// \param first number of the first of these rows
inline void require_numbers(const AnyRows& rows, bool narrow, Index first) {
  constexpr double most = static_cast<double>((std::numeric_limits<float>::max)());
  const char* what = "the training set";
  rows.visit([&](auto some) {
    for (Index i = 0; i < some.rows(); ++i) {
      bool good = all_finite(some.row(i), some.cols());
      for (Index j = 0; narrow && rows.wide() && j < some.cols(); ++j) {
        good &= std::abs(static_cast<double>(some(i, j))) <= most;
      }
      for (Index j = 0; !good && j < some.cols(); ++j) {
        const auto x = some(i, j);
        ensure(is_finite(x), what, " has ", non_finite_name(x), " in row ", first + i, ", column ",
               j, "; every value must be finite");
        ensure(!narrow || std::abs(static_cast<double>(x)) <= most, what, " has ", x, " in row ",
               first + i, ", column ", j, "; a net in float takes numbers up to ", most);
      }
    }
  });
}

/// Of a source a fit has a sample in memory, or windows; what is missing in the other rows it would learn too late.
inline void require_no_missing_rule(MissingRule rule) {
  ensure(rule == MissingRule::refuse, "missing is ", rule == MissingRule::mask ? "mask" : "impute",
         ", expected refuse: rows of a source can't have missing values");
}

/// What a first pass is for.
struct ScanTask {
  Index most;                 ///< rows to hold
  std::uint64_t seed;         ///< draws them
  bool narrow;                ///< whether nets are in float
  Index block = 0;            ///< rows that a hash is of; 0: no hashes, for there is no second pass
  bool standardizes = false;  ///< whether the features' sums are wanted
};

/// What one pass over a source finds. Where it has no more rows than may be held, `held` has them all, in order; else
/// a sample of so many, each row with the same chance (Vitter 1985, algorithm R), in the source's order.
struct SourceScan {
  Index rows = 0;
  RowStore held;
  std::vector<Index> numbers;         ///< of the rows held, ascending
  Index block = 0;                    ///< rows that a hash is of
  std::vector<std::uint64_t> hashes;  ///< of rows 0 .. block - 1, and so on
  ColumnSums sums;

  bool holds_all() const { return held.count() == rows; }

  /// \param reader of the source's first pass
  /// \throws InvalidArgument for fewer than two rows, or numbers that a net can't be trained on
  static SourceScan of(RowReader& reader, const ScanTask& task) {
    SourceScan scan;
    scan.block = task.block;
    const Index part = task.block > 0 ? task.block : 256;
    Random random = random_stream(task.seed, Stream::sample);
    RowStore block;
    for (; reader.read(part, block) > 0; block.clear()) {
      const AnyRows rows = block.rows();
      require_numbers(rows, task.narrow, scan.rows);
      if (task.block > 0) scan.hashes.push_back(hash_of(block, 0, block.count()));
      if (task.standardizes) scan.sums.add(rows);
      scan.hold(block, task.most, random);
      scan.rows += rows.rows();
    }
    ensure(scan.rows > 0, "the training set is empty");
    ensure(scan.rows > 1, "the training set has one row, expected at least 2");
    if (!scan.holds_all()) scan.sort();
    return scan;
  }

 private:
  void hold(const RowStore& more, Index most, Random& random) {
    const Index all = (std::min)(more.count(), most - held.count());
    held.append(more.rows().middle_rows(0, all));
    for (Index i = 0; i < all; ++i) numbers.push_back(rows + i);
    for (Index i = all; i < more.count(); ++i) {
      const auto place = random.below(static_cast<std::uint64_t>(rows + i) + 1);
      if (place >= static_cast<std::uint64_t>(most)) continue;
      held.replace(static_cast<Index>(place), more, i);
      numbers[static_cast<std::size_t>(place)] = rows + i;
    }
  }
  /// By their numbers, in place: each cycle of the permutation by swaps.
  void sort() {
    std::vector<std::size_t> from(numbers.size());
    std::iota(from.begin(), from.end(), std::size_t(0));
    std::sort(from.begin(), from.end(),
              [&](std::size_t a, std::size_t b) { return numbers[a] < numbers[b]; });
    for (std::size_t i = 0; i < from.size(); ++i) {
      std::size_t at = i;
      while (from[at] != i) {
        const std::size_t next = from[at];
        held.swap(static_cast<Index>(at), static_cast<Index>(next));
        from[at] = at;
        at = next;
      }
      from[at] = at;
    }
    std::sort(numbers.begin(), numbers.end());
  }
};

}  // namespace detail
DASVDD_NAMESPACE_END
