#pragma once
/// \file
/// How far a fit of several nets has come.

#include <dasvdd/core/function_ref.hpp>
#include <dasvdd/core/parallel.hpp>
#include <dasvdd/train/fit_report.hpp>

#include <algorithm>
#include <limits>
#include <mutex>

DASVDD_NAMESPACE_BEGIN

/// How far a fit has come.
struct FitProgress {
  /// Whether it still looks for the rows to trust (FitOptions::contamination), by nets that are no
  /// members.
  bool screening = false;
  Index member = 0;   ///< which of its nets, from 0; 0 while screening
  Index members = 0;  ///< how many it will have
  EpochReport epoch;  ///< the last epoch of the net at work
  Index done = 0;  ///< epochs of all nets; those that a net leaves out by ending early are done too
  Index total = 0;  ///< what `done` comes to; the same in every call
};

namespace detail {

/// The one progress of a fit's nets, which may train side by side.
class NetsProgress {
 public:
  /// In place of a member's number.
  static constexpr Index screening = -1;

  /// \param tell false stops all nets
  NetsProgress(Index members, FunctionRef<bool(const FitProgress&)> tell) : tell_(tell) {
    at_.members = members;
  }

  /// Adds to what `done` comes to; before any net begins.
  void expect(Index epochs) {
    // Those who stop a run by its progress may ask for any number of epochs.
    at_.total += std::min(epochs, std::numeric_limits<Index>::max() - at_.total);
  }

  /// Calls f(i) for each of `count` nets, by a team that takes them in turn: two threads train nine as
  /// five and four. An exception stops the fit and is thrown when all have ended. Of a stopped fit the
  /// first net alone is begun still, for a detector has one.
  void each(int threads, Index count, FunctionRef<void(Index)> f) {
    parallel(static_cast<int>(std::min<Index>(threads, count)), [&](const Team& team) {
      for (Index i = team.member(); i < count && (i == 0 || !stopped()); i += team.size()) {
        team.guard([&] {
          try {
            f(i);
          } catch (...) {
            const std::lock_guard<std::mutex> lock(mutex_);
            state_ = State::failed;
            throw;
          }
        });
      }
    });
  }

  /// One net's training, its epochs told of. One that ends early by itself leaves epochs out.
  /// \param train called as train(progress), progress as those of a Trainer
  FitReport follow(Index member, Index epochs,
                   FunctionRef<FitReport(FunctionRef<bool(const EpochReport&)>)> train) {
    FitReport report = train([&](const EpochReport& epoch) {
      --epochs;
      return advance(member, 1, epoch);
    });
    if (epochs > 0) advance(member, epochs, report.epochs.back());
    return report;
  }

  bool stopped() const { return state() != State::going; }
  /// Whether nobody will ask for what was trained.
  bool failed() const { return state() == State::failed; }

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
    at_.done += std::min(epochs, at_.total - at_.done);
    state_ = State::failed;  // should it throw
    state_ = tell_(at_) ? State::going : State::stopped;
    return state_ == State::going;
  }

  mutable std::mutex mutex_;
  FunctionRef<bool(const FitProgress&)> tell_;
  FitProgress at_;
  State state_ = State::going;
};

}  // namespace detail
DASVDD_NAMESPACE_END
