// More threads than cores, a host program's own parallel region and its own threads: nothing waits for ever, and no
// thread is started that was not asked for.

#include <doctest/doctest.h>

#include "train/support.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

using namespace dasvdd;
using namespace dasvdd::detail;

namespace {

/// Ends the program when its scope takes longer than any run of these tests should: threads that wait for
/// each other for ever can't be stopped otherwise.
class Deadline {
 public:
  explicit Deadline(int seconds)
      : watch_([this, seconds] {
          std::unique_lock<std::mutex> lock(mutex_);
          if (!over_.wait_for(lock, std::chrono::seconds(seconds), [this] { return done_; })) {
            std::fprintf(stderr, "a deadlock: not done after %d seconds\n", seconds);
            std::_Exit(1);
          }
        }) {}
  ~Deadline() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      done_ = true;
    }
    over_.notify_all();
    watch_.join();
  }

 private:
  std::mutex mutex_;
  std::condition_variable over_;
  bool done_ = false;
  std::thread watch_;
};

/// Threads of this process, as the system counts them; 0 where it doesn't say.
int live_threads() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    int count;
    if (word == "Threads:" && status >> count) return count;
  }
  return 0;
}

/// The most threads at any time while f runs, beyond those there were and the one that counts.
template <class F>
int most_new_threads_in(F&& f) {
  const int before = live_threads();
  std::atomic<bool> counting{false}, done{false};
  int most = 0;
  std::thread counter([&] {
    while (!done) {
      most = std::max(most, live_threads());
      counting = true;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  });
  while (!counting) std::this_thread::yield();
  f();
  done = true;
  counter.join();
  return most - before - 1;
}

Options settings(int threads) {
  Options options;
  options.epochs = 3;
  options.batch_size = 100;
  options.threads = threads;
  options.gamma = GammaRule::value(0.1);
  return options;
}

// Enough multiply-adds a mini-batch for a team of sixteen.
Autoencoder<float> wide_net() { return dense_autoencoder<float>(256, {512, 100}, sigmoid()); }

const RowMatrix<float>& rows() {
  static const RowMatrix<float> X = curve<float>(300, 256, 1);
  return X;
}

/// What every run must arrive at.
struct Expected {
  Vector<float> scores;
  Detector<float> detector;
};
const Expected& expected() {
  static const Expected result = [] {
    Trainer<float> trainer(wide_net(), settings(1));
    trainer.fit(rows());
    const auto detector = trainer.detector();
    return Expected{detector.score(rows(), 1), detector};
  }();
  return result;
}

bool right(const Trainer<float>& trainer, int threads) {
  return same_bits(trainer.detector().score(rows(), threads), expected().scores);
}

}  // namespace

#if defined(__linux__)  // elsewhere the tests below watch for deadlocks and results alone
TEST_CASE("the count of threads sees threads come") {
  const Deadline limit(60);
  std::atomic<bool> done{false};
  CHECK(most_new_threads_in([&] {
          std::vector<std::thread> threads;
          for (int i = 0; i < 3; ++i) {
            threads.emplace_back([&] {
              while (!done) std::this_thread::yield();
            });
          }
          std::this_thread::sleep_for(std::chrono::milliseconds(50));
          done = true;
          for (auto& thread : threads) thread.join();
        }) == 3);
}
#endif

#if DASVDD_OPENMP
TEST_CASE("sixteen threads on fewer cores: as many as asked for, and the same bits") {
  const Deadline limit(120);
  expected();
  const int most = most_new_threads_in([] {
    Trainer<float> trainer(wide_net(), settings(16));
    CHECK(trainer.fit(rows()).threads > 4);
    CHECK(right(trainer, 16));
  });
  CHECK(most <= 15);
}

TEST_CASE("in a parallel region of the caller's no thread is added to the region's own") {
  const Deadline limit(120);
  expected();
  std::atomic<int> wrong{0};
  const int most = most_new_threads_in([&] {
#pragma omp parallel num_threads(3)
    {
      Trainer<float> trainer(wide_net(), settings(8));
      trainer.fit(rows());
      if (!right(trainer, 8) || !right(trainer, 0)) ++wrong;
    }
  });
  CHECK(wrong == 0);
  CHECK(most <= 2);
}

TEST_CASE("a callback that asks OpenMP for more threads changes nothing of the run under way") {
  const Deadline limit(120);
  expected();
  const int before = omp_get_max_threads();
  omp_set_num_threads(1);
  Trainer<float> trainer(wide_net(), settings(0));
  const FitReport report = trainer.fit(rows(), [](const EpochReport&) { omp_set_num_threads(8); });
  omp_set_num_threads(before);
  CHECK(report.threads == 1);
  CHECK(right(trainer, 1));
}
#endif

TEST_CASE(
    "threads of the caller's own that score with workspaces and train with one thread start none") {
  const Deadline limit(120);
  expected();
  std::atomic<int> wrong{0};
  const int most = most_new_threads_in([&] {
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        auto workspace = expected().detector.make_workspace();
        Vector<float> scores(rows().rows());
        expected().detector.score(rows(), workspace, scores.data());
        Trainer<float> trainer(wide_net(), settings(1));
        trainer.fit(rows());
        if (!same_bits(scores, expected().scores) || !right(trainer, 1)) ++wrong;
      });
    }
    for (auto& thread : threads) thread.join();
  });
  CHECK(wrong == 0);
  CHECK(most <= 4);
}

TEST_CASE(
    "threads of the caller's own may each train with a team: no more threads than they ask for") {
  const Deadline limit(120);
  expected();
  std::atomic<int> wrong{0};
  const int most = most_new_threads_in([&] {
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i) {
      threads.emplace_back([&] {
        Trainer<float> trainer(wide_net(), settings(4));
        trainer.fit(rows());
        if (!right(trainer, 4)) ++wrong;
      });
    }
    for (auto& thread : threads) thread.join();
  });
  CHECK(wrong == 0);
  CHECK(most <= 3 * 4);
}
