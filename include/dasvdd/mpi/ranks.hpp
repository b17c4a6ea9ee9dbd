#pragma once
/// \file
/// `Ranks`: the processes that train together, as a trainer or a fit sees them.

#include <dasvdd/core/error.hpp>
#include <dasvdd/core/types.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <stdexcept>
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
  /// The same by a thread that sleeps while it waits for the other ranks, because another one has work to do.
  virtual void gather_asleep(void* all, const RankParts& parts) { gather(all, parts); }
  /// Part r of `from` goes to rank r, part r of `to` comes from it.
  virtual void exchange(const void* from, const RankParts& out, void* to, const RankParts& in) {
    (void)from, (void)out, (void)to, (void)in;
  }

  bool alone() const { return size() == 1; }
  /// Some numbers of each rank, as many of each, for all: those of rank 0 first.
  /// \param asleep see gather_asleep()
  std::vector<std::int64_t> numbers(const std::vector<std::int64_t>& mine, bool asleep = false) {
    const std::size_t count = mine.size();
    std::vector<std::int64_t> all(count * static_cast<std::size_t>(size()));
    std::copy(mine.begin(), mine.end(), all.begin() + static_cast<std::ptrdiff_t>(count) * rank());
    RankParts parts(size());
    const Index words = 2 * static_cast<Index>(count);
    for (int r = 0; r < size(); ++r) parts.set(r, words * r, words);
    if (asleep) {
      gather_asleep(all.data(), parts);
    } else {
      gather(all.data(), parts);
    }
    return all;
  }
  /// One number of each rank, for all.
  std::vector<std::int64_t> numbers(std::int64_t mine) {
    return numbers(std::vector<std::int64_t>{mine});
  }
  /// Texts, as many on each rank, each of which some rank has and the others have empty: for all. Where several have
  /// one, it is the first's.
  void texts(std::vector<std::string>& all) {
    if (alone()) return;
    const std::size_t count = all.size();
    std::vector<std::int64_t> mine;
    for (const std::string& text : all) mine.push_back(static_cast<std::int64_t>(text.size()));
    const std::vector<std::int64_t> lengths = numbers(mine);
    // Each rank's own lie one behind the other, in whole words.
    struct Place {
      int rank = -1;
      std::size_t at = 0, length = 0;
    };
    std::vector<Place> places(count);
    RankParts parts(size());
    std::size_t words = 0;
    for (int r = 0; r < size(); ++r) {
      const std::size_t first = words;
      for (std::size_t k = 0; k < count; ++k) {
        const auto length =
            static_cast<std::size_t>(lengths[static_cast<std::size_t>(r) * count + k]);
        if (length == 0 || places[k].rank >= 0) continue;
        places[k] = {r, words, length};
        words += (length + 3) / 4;
      }
      parts.set(r, static_cast<Index>(first), static_cast<Index>(words - first));
    }
    std::vector<std::uint32_t> buffer(words);
    for (std::size_t k = 0; k < count; ++k) {
      if (places[k].rank == rank())
        std::memcpy(buffer.data() + places[k].at, all[k].data(), places[k].length);
    }
    gather(buffer.data(), parts);
    for (std::size_t k = 0; k < count; ++k) {
      if (places[k].rank < 0 || places[k].rank == rank()) continue;
      all[k].assign(reinterpret_cast<const char*>(buffer.data() + places[k].at), places[k].length);
    }
  }
  /// Runs f on every rank. Where it throws on some, all throw: a rank that left alone would have the others wait for
  /// ever. Of InvalidArgument all throw the first's sentence, of another exception its own rank throws that.
  template <class F>
  void together(F&& f) {
    if (alone()) return f();
    std::exception_ptr mine;
    bool invalid = false;
    try {
      f();
    } catch (const InvalidArgument&) {
      mine = std::current_exception();
      invalid = true;
    } catch (...) {
      mine = std::current_exception();
    }
    const std::vector<std::string> all = failures(mine);
    if (mine && !invalid) std::rethrow_exception(mine);
    throw_first(all);
  }
  /// Where some ranks have failed, throws on all: what the rank has thrown itself, else the sentence of the first.
  /// \param mine null: this rank has not
  void throw_of_any(const std::exception_ptr& mine) {
    const std::vector<std::string> all = alone() ? std::vector<std::string>() : failures(mine);
    if (mine) std::rethrow_exception(mine);
    throw_first(all);
  }

 private:
  /// What each rank has thrown: empty, or a letter for the type before the sentence.
  std::vector<std::string> failures(const std::exception_ptr& mine) {
    std::vector<std::string> all(static_cast<std::size_t>(size()));
    if (mine) {
      std::string& here = all[static_cast<std::size_t>(rank())];
      try {
        std::rethrow_exception(mine);
      } catch (const InvalidArgument& error) {
        here = sentence("a", error.what());
      } catch (const std::exception& error) {
        here = sentence("e", error.what());
      } catch (...) {
        here = "ean exception of another kind";
      }
    }
    texts(all);
    return all;
  }
  static void throw_first(const std::vector<std::string>& all) {
    for (std::size_t r = 0; r < all.size(); ++r) {
      if (all[r].empty()) continue;
      const std::string text = sentence("rank ", r, ": ", all[r].substr(1));
      if (all[r].front() == 'a') throw InvalidArgument(text);
      throw std::runtime_error(text);
    }
  }
};

}  // namespace detail
DASVDD_NAMESPACE_END
