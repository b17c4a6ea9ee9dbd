#pragma once
/// \file
/// How far a fit of several nets has come.

#include <dasvdd/core/function_ref.hpp>
#include <dasvdd/core/parallel.hpp>
#include <dasvdd/train/fit_report.hpp>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <mutex>
#include <vector>

DASVDD_NAMESPACE_BEGIN

/// How far fit() or fit_images() has come, after an epoch of one of its nets.
struct FitProgress {
  /// True while the rows to train on are still chosen (FitOptions::contamination). The nets that
  /// choose them are not part of the ensemble.
  bool screening = false;
  Index member = 0;         ///< which net of the ensemble, from 0; 0 while screening
  Index ensemble_size = 0;  ///< nets of the finished ensemble
  EpochReport epoch;        ///< the epoch that has just ended
  Index done = 0;           ///< epochs done, of all nets; skipped ones count when a net ends early
  Index total = 0;          ///< what `done` ends at; the same in every call
};

namespace detail {

/// Adds up the progress of all nets of one fit. They may train at the same time.
class NetsProgress {
 public:
  /// Stands for a net's number in follow() while the fit screens its rows.
  static constexpr Index screening = -1;

  /// \param tell called after each epoch, by one thread at a time; false stops all nets
  NetsProgress(Index ensemble_size, FunctionRef<bool(const FitProgress&)> tell) : tell_(tell) {
    at_.ensemble_size = ensemble_size;
  }

  /// Adds to FitProgress::total. All calls come before the first net begins.
  /// \param kept of these, epochs that an earlier fit has done
  void expect(Index epochs, Index kept = 0) {
    at_.done += kept;
    // A caller who means to stop the fit may ask for any number of epochs: the sum must not overflow.
    at_.total += (std::min)(epochs, (std::numeric_limits<Index>::max)() - at_.total);
  }

  /// Calls f(i) for each of the nets; thread t of T takes the ones at t, t + T, t + 2 T, ... An exception
  /// stops the fit and is thrown again when all threads have ended. After a stop no further net
  /// begins, except net 0: a detector needs one.
  /// \param nets their numbers, ascending
  void each(int threads, const std::vector<Index>& nets, FunctionRef<void(Index)> f) {
    const Index count = static_cast<Index>(nets.size());
    parallel(static_cast<int>(std::min<Index>(threads, count)), [&](const Team& team) {
      for (Index at = team.member(); at < count; at += team.size()) {
        const Index i = nets[static_cast<std::size_t>(at)];
        if (i != 0 && stopped()) break;
        team.guard([&] {
          try {
            f(i);
          } catch (...) {
            fail();
            throw;
          }
        });
      }
    });
  }

  /// Trains one net and reports its epochs. Where training ends early by itself, the epochs left out
  /// count as done.
  /// \param member the net's number in the ensemble, or `screening`
  /// \param epochs what the net was announced with, see expect()
  /// \param train called as train(progress), progress as for Trainer
  FitReport follow(Index member, Index epochs,
                   FunctionRef<FitReport(FunctionRef<bool(const EpochReport&)>)> train) {
    FitReport report = train([&](const EpochReport& epoch) {
      --epochs;
      return advance(member, 1, epoch);
    });
    if (epochs > 0)
      advance(member, epochs, report.epochs.empty() ? EpochReport() : report.epochs.back());
    return report;
  }

  bool stopped() const { return state() != State::going; }
  /// Whether a net or the caller's progress has thrown, so that no detector will be made.
  bool failed() const { return state() == State::failed; }
  /// As if `tell` had said false.
  void stop() {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (state_ == State::going) state_ = State::stopped;
  }
  /// As if a net had thrown.
  void fail() {
    const std::lock_guard<std::mutex> lock(mutex_);
    state_ = State::failed;
  }
  /// What was told last, with `done` and `total` as they are.
  FitProgress now() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return at_;
  }

 private:
  enum class State { going, stopped, failed };

  State state() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return state_;
  }
  bool advance(Index member, Index epochs, const EpochReport& epoch) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (state_ != State::going) return false;
    at_.screening = member == screening;
    at_.member = at_.screening ? 0 : member;
    at_.epoch = epoch;
    at_.done += (std::min)(epochs, at_.total - at_.done);
    state_ = State::failed;  // should it throw
    const FloatingPointMode mode(host_);
    state_ = tell_(at_) ? State::going : State::stopped;
    return state_ == State::going;
  }

  mutable std::mutex mutex_;
  FunctionRef<bool(const FitProgress&)> tell_;
  FloatingPointMode::Host host_;  ///< of the thread that fits, for `tell_`
  FitProgress at_;
  State state_ = State::going;
};

}  // namespace detail
DASVDD_NAMESPACE_END
