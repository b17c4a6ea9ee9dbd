#include "supervised.hpp"

#include <dasvdd/core/error.hpp>

#include <chrono>
#include <exception>
#include <thread>
#include <utility>

namespace dasvdd::python {

Supervised::Supervised(nb::object progress, const std::string& on_interrupt)
    : progress_(std::move(progress)), keeps_(on_interrupt == "keep") {
  detail::ensure(keeps_ || on_interrupt == "raise", "on_interrupt is \"", on_interrupt,
                 "\", expected \"raise\" or \"keep\"");
}

void Supervised::run(detail::FunctionRef<void()> work) {
  std::exception_ptr error;
  {
    const nb::gil_scoped_release release;
    const auto guarded = [&] {
      try {
        work();
      } catch (...) {
        error = std::current_exception();
      }
    };
    std::thread worker;
    try {
      worker = std::thread([&] {
        guarded();
        const std::lock_guard<std::mutex> lock(mutex_);
        done_ = true;
        asked_.notify_one();
      });
    } catch (const std::exception&) {
      alone_ = true;  // no thread, or no memory for one
    }
    if (alone_) guarded();
    for (bool done = alone_; !done;) {
      bool question;
      {
        std::unique_lock<std::mutex> lock(mutex_);
        asked_.wait_for(lock, std::chrono::milliseconds(100), [&] { return done_ || question_; });
        done = done_;
        question = question_ != nullptr;
      }
      const nb::gil_scoped_acquire acquire;
      look_for_signals();
      if (question) answer();
    }
    if (!alone_) worker.join();
  }
  if (raised_) throw std::move(*raised_);
  if (failure_) std::rethrow_exception(failure_);
  if (error) std::rethrow_exception(error);
}

bool Supervised::ask(detail::FunctionRef<nb::object()> report) {
  if (alone_) {
    const nb::gil_scoped_acquire acquire;
    look_for_signals();
    tell(report);
    return !stopped_;
  }
  if (stopped_ || progress_.is_none()) return !stopped_;
  std::unique_lock<std::mutex> lock(mutex_);
  question_ = &report;
  asked_.notify_one();
  answered_.wait(lock, [&] { return question_ == nullptr; });
  return !stopped_;
}

/// Holds the GIL.
void Supervised::answer() {
  tell(*question_);
  const std::lock_guard<std::mutex> lock(mutex_);
  question_ = nullptr;
  answered_.notify_one();
}

/// Holds the GIL. Throws nothing: who waits for the answer would wait for ever.
void Supervised::tell(detail::FunctionRef<nb::object()> report) {
  if (stopped_ || progress_.is_none()) return;
  try {
    const nb::object go_on = progress_(report());
    if (!go_on.is_none() && !nb::cast<bool>(nb::bool_(go_on))) stopped_ = true;
  } catch (nb::python_error& error) {
    stop_with(std::move(error));
  } catch (...) {
    stopped_ = true;
    failure_ = std::current_exception();
  }
}

void Supervised::look_for_signals() {
  if (PyErr_CheckSignals() != 0) stop_with(nb::python_error());
}

void Supervised::stop_with(nb::python_error error) {
  stopped_ = true;
  const bool first = !interrupted_;
  interrupted_ = true;
  if (keeps_ && first && error.matches(PyExc_KeyboardInterrupt)) return;
  if (!raised_) raised_.emplace(std::move(error));
}

}  // namespace dasvdd::python
