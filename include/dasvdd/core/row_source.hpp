#pragma once
/// \file
/// `RowSource`: training rows that come block by block, and as often as they are asked for: for data that no memory
/// holds.

#include <dasvdd/core/any_rows.hpp>

#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// One way through a source's rows.
class RowPass {
 public:
  RowPass(std::function<AnyRows()> next, Index d) : next_(std::move(next)), d_(d) {}

  /// The next rows, until the next call; none at the end.
  /// \throws InvalidArgument where they are of another width or type than those before
  AnyRows next() {
    const AnyRows block = next_();
    if (block.rows() == 0) return block;
    require_width(block, d_, "a block of the row source");
    ensure(!begun_ || block.wide() == wide_, "the row source gives rows of ",
           block.wide() ? "double" : "float", " after rows of ", wide_ ? "double" : "float",
           ", expected one type");
    begun_ = true;
    wide_ = block.wide();
    return block;
  }

 private:
  std::function<AnyRows()> next_;
  Index d_;
  bool begun_ = false, wide_ = false;
};

}  // namespace detail

/// Rows of d numbers in blocks, for `fit` and `Trainer::fit` in place of a matrix that memory can't hold.
/// \code
/// dasvdd::RowSource source(d, [&] {                               // begins a pass
///   auto file = std::make_shared<MyReader>("big.bin");
///   return [file]() -> dasvdd::Rows<const float> {                // the next block; no rows at the end
///     return {file->data(), file->read(1000), d};
///   };
/// });
/// auto detector = dasvdd::fit(source);
/// \endcode
/// Each pass gives the same rows in the same order, in blocks of any size, all of float or all of double. A block
/// stays as it is until the next one is asked for. Passes are begun and read by one thread, the one that called fit;
/// several may be open at a time.
class RowSource {
 public:
  /// \param d numbers in a row
  /// \param open begins a pass and gives what reads it. Either open(), which begins with the first row; or, where rows
  ///   are found without reading those before, open(Index first), which begins with that row: blocks of rows are then
  ///   shuffled over the whole of the source. It may start to fetch rows: those it is asked for first are
  ///   read soon after.
  template <class Open, class = std::enable_if_t<std::is_invocable_v<Open&> ||
                                                 std::is_invocable_v<Open&, Index>>>
  RowSource(Index d, Open open) : d_(d), seeks_(std::is_invocable_v<Open&, Index>) {
    detail::ensure(d >= 1, "a row source has rows of ", d, " numbers, expected at least 1");
    const auto shared = std::make_shared<Open>(std::move(open));
    open_ = [shared](Index first) {
      if constexpr (std::is_invocable_v<Open&, Index>) {
        return reading((*shared)(first));
      } else {
        static_cast<void>(first);
        return reading((*shared)());
      }
    };
  }
  /// Rows in memory, or in a file that is mapped into it; they must outlive the source.
  explicit RowSource(const detail::AnyRows& X)
      : RowSource(X.cols(), [X](Index first) {
          bool given = false;
          return [X, first, given]() mutable {
            const Index from = given ? X.rows() : first;
            given = true;
            return X.middle_rows(from, X.rows() - from);
          };
        }) {}

  Index cols() const { return d_; }
  /// Whether a pass may begin anywhere.
  bool seeks() const { return seeks_; }
  /// Begins a pass; with row number `first` where the source can.
  detail::RowPass open(Index first = 0) const { return {open_(first), d_}; }

 private:
  template <class Next>
  static std::function<detail::AnyRows()> reading(Next next) {
    using Block = std::decay_t<decltype(next())>;
    constexpr bool view =
        std::is_same_v<Block, detail::AnyRows> || std::is_same_v<Block, Rows<float>> ||
        std::is_same_v<Block, Rows<const float>> || std::is_same_v<Block, Rows<double>> ||
        std::is_same_v<Block, Rows<const double>>;
    static_assert(view,
                  "dasvdd: what reads a row source returns dasvdd::Rows<const float> or "
                  "dasvdd::Rows<const double>, a view of memory that stays");
    return [next = std::move(next)]() mutable -> detail::AnyRows { return next(); };
  }

  Index d_;
  bool seeks_;
  std::function<std::function<detail::AnyRows()>(Index)> open_;
};

DASVDD_NAMESPACE_END
