#pragma once
/// \file
/// One parallel region, and how its members share work. Results never depend on the number of
/// members: which member does a piece of work must not change how it is done.

#include <dasvdd/core/floating_point.hpp>
#include <dasvdd/core/function_ref.hpp>
#include <dasvdd/core/memory.hpp>
#include <dasvdd/core/trial_threads.hpp>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>

#if defined(__unix__) || defined(__APPLE__)
#include <unistd.h>
#define DASVDD_CAN_FORK 1
#else
#define DASVDD_CAN_FORK 0
#endif

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// A range of indices, first to last - 1.
struct Range {
  Index first, last;
  Index size() const { return last - first; }
};

/// Part `part` of `parts` equal parts of 0 .. count - 1 (the later ones are the larger).
inline Range share(Index count, Index part, Index parts) {
  // In 64 bits, for a product need not fit in an Index of 32.
  const auto start = [&](std::int64_t p) { return static_cast<Index>(count * p / parts); };
  return {start(part), start(part + 1)};
}

/// Where a team's members wait for each other. A member spins for a few microseconds, then yields its
/// core, and sleeps at last. OpenMP's own barrier spins for milliseconds, which is slow where other
/// programs, or more members than there are cores, want the same cores.
class Barrier {
 public:
  void wait(Index members) {
    const unsigned round = round_.load(std::memory_order_relaxed);
    if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == members) {
      arrived_.store(0, std::memory_order_relaxed);
      // In one order with a sleeper's two steps: either it sees the new round, or it is seen here.
      round_.store(round + 1, std::memory_order_seq_cst);
      if (sleepers_.load(std::memory_order_seq_cst) > 0) {
        const std::lock_guard<std::mutex> lock(mutex_);
        awake_.notify_all();
      }
      return;
    }
    for (int looks = 0; looks < 2000; ++looks) {
      if (round_.load(std::memory_order_acquire) != round) return;
      pause();
    }
    for (int yields = 0; yields < 20; ++yields) {
      if (round_.load(std::memory_order_acquire) != round) return;
      std::this_thread::yield();
    }
    std::unique_lock<std::mutex> lock(mutex_);
    sleepers_.fetch_add(1, std::memory_order_seq_cst);
    awake_.wait(lock, [&] { return round_.load(std::memory_order_seq_cst) != round; });
    sleepers_.fetch_sub(1, std::memory_order_relaxed);
  }

 private:
  static void pause() {
#if DASVDD_EXTENSIONS && defined(__x86_64__)
    __builtin_ia32_pause();
#endif
  }

  alignas(64) std::atomic<Index> arrived_{0};
  alignas(64) std::atomic<unsigned> round_{0};
  std::atomic<int> sleepers_{0};
  std::mutex mutex_;
  std::condition_variable awake_;
};

/// The first of what several threads have thrown.
class FirstException {
 public:
  /// Calls f; what it throws is kept.
  void guard(FunctionRef<void()> f) {
    try {
      f();
    } catch (...) {
      const std::lock_guard<std::mutex> lock(mutex_);
      if (!first_) first_ = std::current_exception();
    }
  }
  /// Null: nothing was thrown. Called when the threads have ended.
  const std::exception_ptr& get() const { return first_; }

 private:
  std::mutex mutex_;
  std::exception_ptr first_;
};

/// What a team's members share.
struct TeamState {
  Barrier barrier;
  FirstException failure;
};

/// The threads that work on one job; each member holds its own copy.
class Team {
 public:
  /// A team of one: the calling thread.
  Team() = default;

  Index member() const { return member_; }
  Index size() const { return size_; }
  /// This member's part of 0 .. count - 1.
  Range share(Index count) const { return detail::share(count, member_, size_); }
  /// Waits until all members have come here.
  void barrier() const {
    if (size_ > 1) state_->barrier.wait(size_);
  }
  /// Runs code of the user's own: an exception is kept and thrown when the team has ended, because
  /// a member that left early would have the others wait for ever.
  void guard(detail::FunctionRef<void()> f) const {
    if (state_) {
      state_->failure.guard(f);
    } else {
      f();
    }
  }

 private:
  friend void parallel(int threads, detail::FunctionRef<void(const Team&)> f);

  Index member_ = 0;
  Index size_ = 1;
  detail::TeamState* state_ = nullptr;
};

/// More threads than this are never used, however many are asked for: they would only take memory.
constexpr int most_threads = 1024;

/// The number of threads behind a request: 0 stands for what OpenMP would use. One inside a
/// parallel region of the caller's (no nested teams) and without OpenMP.
inline int resolve_threads(int requested) {
  detail::ensure(requested >= 0, "threads is ", requested,
                 ", expected 0 (all) or a positive number");
#if DASVDD_OPENMP
  if (omp_in_parallel()) return 1;
  const int threads = requested == 0 ? omp_get_max_threads() : requested;
  return threads < most_threads ? threads : most_threads;
#else
  return 1;
#endif
}

/// Whether the process was forked from one that had a team. OpenMP's threads are not there in such a child, and a
/// team would wait for them forever.
inline bool forked_from_team() {
#if DASVDD_CAN_FORK
  static const auto of_first_team = ::getpid();
  return of_first_team != ::getpid();
#else
  return false;
#endif
}

/// How many threads OpenMP keeps for teams of the calling thread: as many as the last one had, the calling thread among
/// them. When a team is smaller than the one before, OpenMP lets the others go.
DASVDD_NOINLINE inline int& last_team_size() {
  thread_local int size = 1;
  return size;
}

/// `threads`, or 1 where the system does not give that many. OpenMP ends the whole process when it gets no thread,
/// so they are started here first wherever it would have to start some.
inline int startable_threads(int threads) {
  return threads <= last_team_size() || threads_can_be_had(threads - 1) ? threads : 1;
}

/// How many threads, at most `threads`, make a job of that many multiply-adds faster. Waking a sleeping team
/// can take as long as ten million of them; on a busy machine its last member comes much later still.
inline int worthwhile_threads(int threads, std::int64_t multiply_adds) {
  constexpr std::int64_t least_share = 8000000;
  const std::int64_t most = multiply_adds / least_share;
  return most < threads ? (most < 1 ? 1 : static_cast<int>(most)) : threads;
}

/// The cost of a row, in multiply-adds, where the net takes `multiply_adds` for it. Reading, checking, scaling
/// and scoring the row take as long as two thousand more: most of the time of a tiny net.
inline std::int64_t row_cost(std::int64_t multiply_adds) {
  return saturating_sum(multiply_adds, 2000);
}

/// Calls f(team) once on each of `threads` threads (a positive number), in the kernels'
/// floating-point mode. The team may turn out smaller than asked for: where OpenMP says so, where the system gives
/// no more threads, and in a process that was forked from one that had a team.
inline void parallel(int threads, detail::FunctionRef<void(const Team&)> f) {
#if DASVDD_OPENMP
  if (threads > 1 && !forked_from_team() && startable_threads(threads) > 1) {
    detail::TeamState state;
#pragma omp parallel num_threads(threads)
    {
      const FloatingPointMode mode;
      Team team;
      team.member_ = omp_get_thread_num();
      team.size_ = omp_get_num_threads();
      team.state_ = &state;
      // Where OpenMP may give fewer threads than there are, the next team may have to grow.
      if (team.member_ == 0) last_team_size() = omp_get_dynamic() ? omp_get_num_threads() : threads;
      if (team.size_ == 1) {
        team.guard([&] { f(team); });
      } else {
        f(team);
      }
    }
    if (state.failure.get()) std::rethrow_exception(state.failure.get());
    return;
  }
#endif
  (void)threads;
  const FloatingPointMode mode;
  f(Team());
}

}  // namespace detail
DASVDD_NAMESPACE_END
