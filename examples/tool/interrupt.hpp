#pragma once
/// \file
/// Ctrl-C while a training runs: the first ends it in order, the second at once.

#include <atomic>
#include <csignal>
#include <stdexcept>
#include <string>

#if defined(__unix__) || defined(__APPLE__)
#include <signal.h>
#endif

namespace tool {

/// The training was ended by a signal; what there was is saved. The exit status is 128 and the signal's number.
class Interrupted : public std::runtime_error {
 public:
  Interrupted(int signal, const std::string& sentence)
      : std::runtime_error(sentence), status_(128 + signal) {}
  int status() const { return status_; }

 private:
  int status_;
};

/// While it lives, SIGINT and SIGTERM are noted, and each ends the process when it comes again.
class Interrupt {
 public:
  Interrupt() {
    came_ = 0;
    stop_ = false;
#if defined(__unix__) || defined(__APPLE__)
    struct sigaction action {};
    action.sa_handler = note;
    action.sa_flags = SA_RESTART | static_cast<int>(SA_RESETHAND);
    sigemptyset(&action.sa_mask);
    for (int i = 0; i < 2; ++i) {
      ::sigaction(signals[i], nullptr, &old_[i]);
      // A program whose caller has them ignored (nohup) goes on ignoring them.
      if (old_[i].sa_handler != SIG_IGN) ::sigaction(signals[i], &action, nullptr);
    }
#endif
  }
  ~Interrupt() {
#if defined(__unix__) || defined(__APPLE__)
    for (int i = 0; i < 2; ++i) ::sigaction(signals[i], &old_[i], nullptr);
#endif
  }
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  /// The signal that came, 0 for none.
  int signal() const { return came_; }
  /// True when one has: for the options of a fit.
  const std::atomic<bool>* stop() const { return &stop_; }

 private:
  static void note(int signal) {
    came_ = signal;
    stop_.store(true, std::memory_order_relaxed);
  }
  static_assert(std::atomic<bool>::is_always_lock_free, "a signal's handler sets it");
  static inline std::atomic<bool> stop_{false};
  static inline volatile std::sig_atomic_t came_ = 0;
#if defined(__unix__) || defined(__APPLE__)
  static constexpr int signals[2] = {SIGINT, SIGTERM};
  struct sigaction old_[2];
#endif
};

}  // namespace tool
