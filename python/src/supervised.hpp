#pragma once
/// \file
/// Long calls that can be followed, stopped and interrupted.

#include <nanobind/nanobind.h>

#include <dasvdd/core/function_ref.hpp>

#include <atomic>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <string>

namespace nb = nanobind;

namespace dasvdd::python {

/// Runs long work on a thread of its own, without the GIL. The calling thread waits for it and meanwhile answers its
/// reports with the caller's Python function, and looks for Ctrl-C ten times a second. Where no thread is to be had the
/// calling thread works, and looks for Ctrl-C at each report.
///
/// The work ends at the report that follows a stop, so memory that it reads is no longer in use when the call returns
/// or raises.
class Supervised {
 public:
  /// \param progress called with a report, returns False to stop; or None
  /// \param on_interrupt "raise": Ctrl-C raises KeyboardInterrupt; "keep": it stops the work, a second one raises
  Supervised(nb::object progress, const std::string& on_interrupt);

  /// Calls work() and waits for its end; throws what it throws, or what the Python function or a signal's handler raised.
  void run(detail::FunctionRef<void()> work);

  /// Called by the work, by one thread at a time: whether to go on. `report()` makes the Python object.
  bool ask(detail::FunctionRef<nb::object()> report);

 private:
  void answer();
  void tell(detail::FunctionRef<nb::object()> report);
  void look_for_signals();
  void stop_with(nb::python_error error);

  nb::object progress_;
  bool keeps_;
  bool alone_ = false;  ///< no thread was to be had
  std::atomic<bool> stopped_{false};
  bool interrupted_ = false;
  std::optional<nb::python_error> raised_;
  std::exception_ptr failure_;  ///< what telling has thrown that is no Python exception

  std::mutex mutex_;  // of what follows
  std::condition_variable asked_, answered_;
  const detail::FunctionRef<nb::object()>* question_ = nullptr;
  bool done_ = false;
};

}  // namespace dasvdd::python
