#pragma once
/// \file
/// Work outside the interpreter: without the GIL, on no more threads than there are cores for it, also after a fork.

#include <nanobind/nanobind.h>

#include <exception>
#include <optional>
#include <thread>
#include <type_traits>
#include <utility>

namespace nb = nanobind;

namespace dasvdd::python {

/// The threads of one call. Calls that leave their number open (0) share the cores while they run at the same time, so
/// that joblib's threads, say, don't start a team each. No result depends on the number.
class ThreadShare {
 public:
  explicit ThreadShare(int threads);
  ~ThreadShare();
  ThreadShare(const ThreadShare&) = delete;
  ThreadShare& operator=(const ThreadShare&) = delete;

  int threads() const { return threads_; }

 private:
  int threads_;
};

/// Whether this process was forked after the module had been loaded. OpenMP's threads were left behind then, and the
/// thread that called fork would wait for them; a new thread gets new ones.
bool forked();

/// Calls f() on a thread of its own and waits for it.
template <class F>
auto on_new_thread(F&& f) -> decltype(f()) {
  using Result = decltype(f());
  std::exception_ptr error;
  if constexpr (std::is_void_v<Result>) {
    std::thread([&] {
      try {
        f();
      } catch (...) {
        error = std::current_exception();
      }
    }).join();
    if (error) std::rethrow_exception(error);
  } else {
    std::optional<Result> result;
    on_new_thread([&] { result.emplace(f()); });
    return std::move(*result);
  }
}

/// Calls f() without the GIL.
template <class F>
auto without_gil(F&& f) -> decltype(f()) {
  const nb::gil_scoped_release release;
  return forked() ? on_new_thread(f) : f();
}

void bind_threads(nb::module_& m);

}  // namespace dasvdd::python
