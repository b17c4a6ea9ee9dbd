// Scoring with a workspace takes no lock and makes no system call: what a thread with deadlines needs, beside taking no
// memory (allocation.cpp). A child process forbids itself every system call but its end and counts the locks it takes;
// then it scores. The kernel kills it at the first call.

#include "detect/support.hpp"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
    __has_feature(memory_sanitizer)
#define DASVDD_TEST_SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define DASVDD_TEST_SANITIZED 1
#endif

// Sanitizers make calls and take locks of their own.
#if defined(__linux__) && defined(__GLIBC__) && !defined(DASVDD_TEST_SANITIZED)

#include <dlfcn.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <mutex>
#include <shared_mutex>

namespace {

thread_local long locks = 0;

/// The C library's own function of a name.
template <class Function>
Function* real(Function*& found, const char* name) {
  if (!found) found = reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
  return found;
}

}  // namespace

// In place of the C library's, for this program and all libraries it uses.
#define DASVDD_TEST_COUNTED(name, type)      \
  extern "C" int name(type* lock) noexcept { \
    static int (*found)(type*) = nullptr;    \
    ++locks;                                 \
    return real(found, #name)(lock);         \
  }
DASVDD_TEST_COUNTED(pthread_mutex_lock, pthread_mutex_t)
DASVDD_TEST_COUNTED(pthread_mutex_trylock, pthread_mutex_t)
DASVDD_TEST_COUNTED(pthread_rwlock_rdlock, pthread_rwlock_t)
DASVDD_TEST_COUNTED(pthread_rwlock_wrlock, pthread_rwlock_t)
DASVDD_TEST_COUNTED(pthread_spin_lock, pthread_spinlock_t)

using namespace detect_tests;

namespace {

enum Outcome { quiet = 0, locked = 3, refused = 77, called = 100 };

/// From here on each system call but exit_group kills the process. False where the kernel has no such filters.
bool forbid_calls() {
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<unsigned>(offsetof(seccomp_data, nr))),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(SYS_exit_group), 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)};
  const sock_fprog filter = {sizeof program / sizeof program[0], program};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

/// What an action does that nothing but the calling thread should notice.
template <class Action>
Outcome outcome_of(Action&& action) {
  std::fflush(nullptr);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    if (!forbid_calls()) ::_exit(refused);
    locks = 0;
    action();
    ::_exit(locks == 0 ? quiet : locked);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  if (WIFSIGNALED(status)) {
    CHECK(WTERMSIG(status) == SIGSYS);
    return called;
  }
  return static_cast<Outcome>(WEXITSTATUS(status));
}

template <class Scalar>
void check(const Detector<Scalar>& detector, bool lacking = false) {
  auto X = random_rows<Scalar>(1000, detector.features(), 7);
  if (lacking) {
    for (Index i = 0; i < 1000; i += 3) {
      X(i, i % X.cols()) = X(i, 0) = std::numeric_limits<Scalar>::quiet_NaN();
    }
  }
  const RowMatrix<double> wide = X.template cast<double>();
  auto workspace = detector.make_workspace(), one = detector.make_workspace(1);
  Vector<Scalar> scores(1000);
  CHECK(outcome_of([&] {
          detector.score(X, workspace, scores.data());
          detector.score(wide, workspace, scores.data());
          detector.score(X, one, scores.data());
          for (Index i = 0; i < 1000; ++i) {
            scores[i] = detector.score_one(X.row(i).data(), one);
            if (detector.is_anomaly(scores[i])) scores[i] += 1;
          }
        }) == quiet);
}

}  // namespace

TEST_CASE("scoring with a workspace makes no system call and takes no lock") {
  if (outcome_of([] {}) == refused) {
    MESSAGE("this kernel has no filters of system calls: nothing is tested");
    return;
  }
  // What would be seen.
  CHECK(outcome_of([] { static_cast<void>(::write(2, "", 0)); }) == called);
  CHECK(outcome_of([] {
          void* volatile memory = ::malloc(std::size_t(1) << 30);
          std::free(memory);
        }) == called);
  std::mutex mutex;
  CHECK(outcome_of([&] { const std::lock_guard<std::mutex> lock(mutex); }) == locked);
  std::shared_mutex shared;
  CHECK(outcome_of([&] { const std::shared_lock<std::shared_mutex> lock(shared); }) == locked);
  const auto wide = detector_of<float>({published_member(wide_net<float>(), 1)});
  const auto X = random_rows<float>(100000, 37, 7);
  CHECK(outcome_of([&] { wide.score(X); }) != quiet);

  check<float>(wide);
  check<double>(
      detector_of<double>({published_member(wide_net<double>(), 1)}, some_scaler<double>(37)));
  check<float>(detector_of<float>({published_member(small_net<float>(), 1)}));
  check<float>(detector_of<float>(
      {whitened_member(wide_net<float>(), 1), centers_member(wide_net<float>(), 2)},
      some_scaler<float>(37)));
  check<float>(detector_of<float>({whitened_member(wide_net<float>(), 1)},
                                  {some_scaler<float>(37).kind(), MissingRule::mask}),
               true);
  check<float>(wide.compacted());
}

#endif
