#pragma once
// Several ranks in one process: a thread each.

#include <dasvdd/core/parallel.hpp>
#include <dasvdd/mpi/ranks.hpp>

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <thread>
#include <vector>

/// What the threads share: where each has its memory, and a meeting point.
class ThreadRanks {
 public:
  explicit ThreadRanks(int size) : places_(static_cast<std::size_t>(size)) {}

  /// Calls f(ranks) on a thread for each rank.
  static void run(int size, const std::function<void(dasvdd::detail::Ranks&)>& f) {
    ThreadRanks shared(size);
    std::vector<std::thread> threads;
    for (int r = 0; r < size; ++r) {
      threads.emplace_back([&shared, &f, r] {
        One one(shared, r);
        f(one);
      });
    }
    for (auto& thread : threads) thread.join();
  }

 private:
  using RankParts = dasvdd::detail::RankParts;
  struct Place {
    const char* from = nullptr;
    const RankParts* parts = nullptr;
  };

  class One final : public dasvdd::detail::Ranks {
   public:
    One(ThreadRanks& shared, int rank) : shared_(shared), rank_(rank) {}
    int rank() const override { return rank_; }
    int size() const override { return static_cast<int>(shared_.places_.size()); }
    void gather(void* all, const RankParts& parts) override {
      meet({static_cast<const char*>(all), &parts}, [&](std::size_t r, const Place& place) {
        if (r == static_cast<std::size_t>(rank_)) return;
        copy(place.from, parts.at[r], all, parts.at[r], parts.count[r]);
      });
    }
    void exchange(const void* from, const RankParts& out, void* to, const RankParts& in) override {
      const std::size_t here = static_cast<std::size_t>(rank_);
      meet({static_cast<const char*>(from), &out}, [&](std::size_t r, const Place& place) {
        // As MPI demands.
        if (place.parts->count[here] != in.count[r]) std::abort();
        copy(place.from, place.parts->at[here], to, in.at[r], in.count[r]);
      });
    }

   private:
    template <class F>
    void meet(Place mine, F&& f) {
      shared_.places_[static_cast<std::size_t>(rank_)] = mine;
      shared_.barrier_.wait(size());
      for (std::size_t r = 0; r < shared_.places_.size(); ++r) f(r, shared_.places_[r]);
      shared_.barrier_.wait(size());
    }
    static void copy(const char* from, int from_at, void* to, int to_at, int words) {
      if (words == 0) return;
      std::memcpy(static_cast<char*>(to) + 4 * std::ptrdiff_t(to_at),
                  from + 4 * std::ptrdiff_t(from_at), 4 * static_cast<std::size_t>(words));
    }
    ThreadRanks& shared_;
    int rank_;
  };

  std::vector<Place> places_;
  dasvdd::detail::Barrier barrier_;
};
