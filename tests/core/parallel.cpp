// Teams of threads: members, shares, barriers, exceptions.

#include <dasvdd/core/parallel.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <stdexcept>
#include <vector>

#if DASVDD_CAN_FORK
#include <sys/wait.h>
#endif
#if defined(__linux__)
#include <sys/resource.h>
#include <cstdio>
#include <cstdlib>
#endif
// The sanitizers of threads and addresses bear no forks and no limits of memory.
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define DASVDD_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define DASVDD_SANITIZER 1
#endif
#endif
#if !defined(DASVDD_SANITIZER)
#define DASVDD_SANITIZER 0
#endif

using dasvdd::Index;
using dasvdd::detail::parallel;
using dasvdd::detail::Range;
using dasvdd::detail::Team;

TEST_CASE("every member is called once and knows its number and the team's size") {
  for (const int threads : {1, 2, 3, 4}) {
    CAPTURE(threads);
    std::vector<std::atomic<int>> calls(4);
    std::atomic<Index> size{0};
    parallel(threads, [&](const Team& team) {
      ++calls[static_cast<std::size_t>(team.member())];
      size = team.size();
    });
    // The runtime may give fewer threads than asked for, and gives one where there is no OpenMP.
    CHECK(size.load() >= 1);
    CHECK(size.load() <= threads);
#if DASVDD_OPENMP
    CHECK(size.load() == threads);
#else
    CHECK(size.load() == 1);
#endif
    for (int i = 0; i < 4; ++i) {
      CHECK(calls[static_cast<std::size_t>(i)].load() == (i < size.load() ? 1 : 0));
    }
  }
}

TEST_CASE("no more threads are used than are of any use") {
#if DASVDD_OPENMP
  CHECK(dasvdd::detail::resolve_threads(3) == 3);
  CHECK(dasvdd::detail::resolve_threads(1024) == 1024);
  CHECK(dasvdd::detail::resolve_threads(100000) == 1024);
  CHECK(dasvdd::detail::resolve_threads(std::numeric_limits<int>::max()) == 1024);
#endif
}

#if DASVDD_OPENMP && DASVDD_CAN_FORK && !DASVDD_SANITIZER
TEST_CASE("a process forked from one with a team works with the calling thread alone") {
  std::atomic<Index> size{0};
  const auto count = [&] { parallel(2, [&](const Team& team) { size = team.size(); }); };
  count();
  REQUIRE(size.load() == 2);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::alarm(30);  // a team would wait forever
    count();
    ::_exit(static_cast<int>(size.load()));
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 1);
  count();
  CHECK(size.load() == 2);
}
#endif

#if defined(__linux__) && !DASVDD_SANITIZER
TEST_CASE("where the system gives no more threads, the calling thread works alone") {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    // 300 stacks of 8 MB don't fit into 1 GB. Without the trial, OpenMP would end this process.
    struct rlimit stack = {8 << 20, 8 << 20}, memory = {1 << 30, 1 << 30};
    ::setrlimit(RLIMIT_STACK, &stack);
    ::setrlimit(RLIMIT_AS, &memory);
    int threads = 0;
    std::thread([&] { threads = dasvdd::detail::startable_threads(300); }).join();
    ::_exit(threads);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 1);
  CHECK(dasvdd::detail::startable_threads(8) == 8);
}
#endif

#if defined(__linux__) && DASVDD_OPENMP && !DASVDD_SANITIZER
namespace {

int team_of(int threads) {
  int size = 0;
  parallel(threads, [&](const Team& team) {
    if (team.member() == 0) size = static_cast<int>(team.size());
  });
  return size;
}
/// Lets this process have so many bytes more than it has.
void limit_memory(long more) {
  long pages = 0;
  std::FILE* file = std::fopen("/proc/self/statm", "r");
  REQUIRE(file != nullptr);
  REQUIRE(std::fscanf(file, "%ld", &pages) == 1);
  std::fclose(file);
  const rlim_t most = static_cast<rlim_t>(pages * ::sysconf(_SC_PAGESIZE) + more);
  const struct rlimit memory = {most, most};
  REQUIRE(::setrlimit(RLIMIT_AS, &memory) == 0);
}

/// Runs a test case of this program in a process of its own, whose OpenMP has had no team yet. Whether it has passed.
bool passes_alone(const char* test_case, const char* openmp_stack) {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::alarm(120);
    const struct rlimit stack = {8 << 20, 8 << 20};
    ::setrlimit(RLIMIT_STACK, &stack);
    if (openmp_stack) ::setenv("OMP_STACKSIZE", openmp_stack, 1);
    ::execl("/proc/self/exe", "parallel", "--no-skip", "--minimal", test_case,
            static_cast<char*>(nullptr));
    ::_exit(127);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace

TEST_CASE("alone: a team that has shrunk" * doctest::skip()) {
  CHECK(team_of(8) == 8);
  CHECK(team_of(2) == 2);  // OpenMP lets six threads go
  limit_memory(4 << 20);
  CHECK(team_of(2) == 2);
  CHECK(team_of(8) == 1);
}
TEST_CASE("alone: large stacks" * doctest::skip()) {
  limit_memory(1 << 30);
  CHECK(team_of(2) == 2);
  CHECK(team_of(8) == 1);  // seven stacks of 256 MB
}

TEST_CASE("a team that grows again is tried again, and with stacks of OpenMP's size") {
  CHECK(passes_alone("--test-case=alone: a team that has shrunk", nullptr));
  CHECK(passes_alone("--test-case=alone: large stacks", "256M"));
}
#endif

TEST_CASE("the size of OpenMP's stacks is read as OpenMP does") {
  using dasvdd::detail::stack_size_of;
  CHECK(stack_size_of("512") == 512 * 1024);
  CHECK(stack_size_of("100000B") == 100000);
  CHECK(stack_size_of("16k") == 16 * 1024);
  CHECK(stack_size_of(" 3 M ") == 3 << 20);
  CHECK(stack_size_of("1g") == std::size_t(1) << 30);
  for (const char* wrong :
       {"", " ", "M", "-1", "2T", "2MB", "2 M x", "99999999999999999999999", "99999999999999G"}) {
    CAPTURE(wrong);
    CHECK(stack_size_of(wrong) == 0);
  }
}

TEST_CASE("products and sums of costs stop at the largest number") {
  using dasvdd::detail::saturating_product;
  using dasvdd::detail::saturating_sum;
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
  CHECK(saturating_product(3, 4) == 12);
  CHECK(saturating_product(most, 0) == 0);
  CHECK(saturating_product(0, most) == 0);
  CHECK(saturating_product(most, 1) == most);
  CHECK(saturating_product(most / 2, 2) == most - 1);
  CHECK(saturating_product(most / 2 + 1, 2) == most);
  CHECK(saturating_sum(most - 1, 1) == most);
  CHECK(saturating_sum(most, 1) == most);
  CHECK(saturating_sum(2, 3) == 5);
  CHECK(dasvdd::detail::row_cost(most) == most);
}

TEST_CASE("a team of one is the calling thread") {
  const Team team;
  CHECK(team.member() == 0);
  CHECK(team.size() == 1);
  CHECK(team.share(5).first == 0);
  CHECK(team.share(5).last == 5);
  team.barrier();
  CHECK_THROWS_AS(team.guard([] { throw std::runtime_error("as it is"); }), std::runtime_error);
}

TEST_CASE("shares cover everything once, in order, and differ by one at most") {
  for (Index count = 0; count <= 50; ++count) {
    for (Index parts = 1; parts <= 9; ++parts) {
      Index next = 0;
      for (Index part = 0; part < parts; ++part) {
        const Range r = dasvdd::detail::share(count, part, parts);
        REQUIRE(r.first == next);
        REQUIRE(r.size() >= count / parts);
        REQUIRE(r.size() <= count / parts + 1);
        next = r.last;
      }
      REQUIRE(next == count);
    }
  }
}

TEST_CASE("shares of many rows among many members are equal, too") {
  const Index count = Index(1) << 30, parts = 2048;
  for (const Index part : {Index(0), Index(1), parts - 1}) {
    const Range r = dasvdd::detail::share(count, part, parts);
    CHECK(r.first == part * (count / parts));
    CHECK(r.size() == count / parts);
  }
}

TEST_CASE("after a barrier every member sees what all wrote before it") {
  constexpr int threads = 4, phases = 300;
  std::vector<Index> value(threads, 0);  // plain numbers: a missing barrier is a race
  std::atomic<int> wrong{0};
  parallel(threads, [&](const Team& team) {
    const auto me = static_cast<std::size_t>(team.member());
    for (Index phase = 1; phase <= phases; ++phase) {
      value[me] = phase;
      team.barrier();
      for (Index i = 0; i < team.size(); ++i) {
        if (value[static_cast<std::size_t>(i)] != phase) ++wrong;
      }
      team.barrier();
    }
  });
  CHECK(wrong.load() == 0);
  CHECK(value[0] == phases);
}

TEST_CASE("an exception in guarded code comes out when the team has ended") {
  for (const int threads : {1, 3}) {
    CAPTURE(threads);
    std::atomic<int> ended{0};
    std::atomic<Index> size{0};
    const auto job = [&](const Team& team) {
      size = team.size();
      // With one thread there is nobody to wait for: it is thrown at once.
      team.guard([&] {
        if (team.member() == team.size() - 1) throw std::runtime_error("from the last member");
      });
      team.barrier();
      ++ended;
    };
    CHECK_THROWS_WITH_AS(parallel(threads, job), "from the last member", std::runtime_error);
    CHECK(ended.load() == (size.load() > 1 ? size.load() : 0));
  }
}

TEST_CASE("of several exceptions one comes out") {
  CHECK_THROWS_AS(parallel(4,
                           [](const Team& team) {
                             team.guard([] { throw std::runtime_error("one of four"); });
                             team.barrier();
                           }),
                  std::runtime_error);
}

TEST_CASE("threads: 0 is OpenMP's own number, a negative one is refused") {
#if DASVDD_OPENMP
  CHECK(dasvdd::detail::resolve_threads(0) == omp_get_max_threads());
  CHECK(dasvdd::detail::resolve_threads(3) == 3);
#else
  CHECK(dasvdd::detail::resolve_threads(0) == 1);
  CHECK(dasvdd::detail::resolve_threads(3) == 1);
#endif
  CHECK(dasvdd::detail::resolve_threads(1) == 1);
  CHECK_THROWS_WITH_AS(dasvdd::detail::resolve_threads(-2),
                       "threads is -2, expected 0 (all) or a positive number",
                       dasvdd::InvalidArgument);
}

TEST_CASE("inside a parallel region there is one thread: no nested teams") {
  std::atomic<int> most{0}, inner{0};
  parallel(2, [&](const Team& team) {
    if (team.size() == 1) return;  // no OpenMP
    for (const int asked : {0, 1, 8}) {
      const int got = dasvdd::detail::resolve_threads(asked);
      if (got > most) most = got;
      parallel(got, [&](const Team& mine) { inner += static_cast<int>(mine.size()); });
    }
  });
#if DASVDD_OPENMP
  CHECK(most.load() == 1);
  CHECK(inner.load() == 6);
#endif
}

TEST_CASE("a job too small for a team is done by one thread") {
  using dasvdd::detail::worthwhile_threads;
  CHECK(worthwhile_threads(8, 0) == 1);
  CHECK(worthwhile_threads(8, 15999999) == 1);
  CHECK(worthwhile_threads(8, 32000000) == 4);
  CHECK(worthwhile_threads(8, std::int64_t(1) << 40) == 8);
  CHECK(worthwhile_threads(1, std::int64_t(1) << 40) == 1);
}
