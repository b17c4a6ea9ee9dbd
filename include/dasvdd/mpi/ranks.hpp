#pragma once
/// \file
/// `Ranks`: the processes that train one net, as the trainer sees them.

#include <dasvdd/core/error.hpp>

#include <cstdint>
#include <string>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// What a rank sends to, or gets from, each of the ranks: `count[r]` words of 4 bytes at word `at[r]`.
struct RankParts {
  std::vector<int> count, at;

  explicit RankParts(int ranks)
      : count(static_cast<std::size_t>(ranks), 0), at(static_cast<std::size_t>(ranks), 0) {}
  void set(int rank, Index words_at, Index words) {
    ensure(words_at + words <= most, "a message of ", words_at + words,
           " words is too large: MPI counts to ", most);
    at[static_cast<std::size_t>(rank)] = static_cast<int>(words_at);
    count[static_cast<std::size_t>(rank)] = static_cast<int>(words);
  }
  static constexpr std::int64_t most = 2147483647;
};

/// One process on its own. Derived classes join several: all of them call each function, in the same order.
class Ranks {
 public:
  virtual ~Ranks() = default;
  virtual int rank() const { return 0; }
  virtual int size() const { return 1; }
  /// Every rank's part of `all` goes to all ranks. This rank's is in its place already.
  virtual void gather(void* all, const RankParts& parts) { (void)all, (void)parts; }
  /// Part r of `from` goes to rank r, part r of `to` comes from it.
  virtual void exchange(const void* from, const RankParts& out, void* to, const RankParts& in) {
    (void)from, (void)out, (void)to, (void)in;
  }

  bool alone() const { return size() == 1; }
  /// One number of each rank, for all.
  std::vector<std::int64_t> numbers(std::int64_t mine) {
    std::vector<std::int64_t> all(static_cast<std::size_t>(size()));
    all[static_cast<std::size_t>(rank())] = mine;
    RankParts parts(size());
    for (int r = 0; r < size(); ++r) parts.set(r, 2 * r, 2);
    gather(all.data(), parts);
    return all;
  }
  /// Runs f on every rank. Where it throws InvalidArgument on some, all throw the sentence of the first: a rank
  /// that left alone would have the others wait for ever.
  template <class F>
  void together(F&& f) {
    if (alone()) return f();
    std::string wrong;
    try {
      f();
    } catch (const InvalidArgument& error) {
      wrong = error.what();
      if (wrong.empty()) wrong = "invalid argument";
    }
    const std::vector<std::int64_t> lengths = numbers(static_cast<std::int64_t>(wrong.size()));
    for (int r = 0; r < size(); ++r) {
      const std::int64_t length = lengths[static_cast<std::size_t>(r)];
      if (length == 0) continue;
      wrong.resize(static_cast<std::size_t>((length + 3) / 4 * 4));
      RankParts parts(size());
      parts.set(r, 0, static_cast<Index>(wrong.size() / 4));
      gather(&wrong[0], parts);
      wrong.resize(static_cast<std::size_t>(length));
      throw InvalidArgument(sentence("rank ", r, ": ", wrong));
    }
  }
};

}  // namespace detail
DASVDD_NAMESPACE_END
