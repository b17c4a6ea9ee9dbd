#pragma once
/// \file
/// How far a fit of several nets has come.

#include <dasvdd/core/function_ref.hpp>
#include <dasvdd/train/fit_report.hpp>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <mutex>
#include <utility>
#include <vector>

DASVDD_NAMESPACE_BEGIN

/// How far a fit has come.
struct FitProgress {
  Index member = 0, members = 0;  ///< which net, from 0
  EpochReport epoch;              ///< its last epoch
  Index done = 0;  ///< epochs of all nets; those that a net leaves out by ending early are done too
  Index total = 0;  ///< what `done` comes to; the same in every call
};

namespace detail {

/// The one progress of a fit's members, which may train side by side.
class MembersProgress {
 public:
  /// \param epochs of each member
  /// \param tell false stops all members
  MembersProgress(std::vector<Index> epochs, FunctionRef<bool(const FitProgress&)> tell)
      : left_(std::move(epochs)), tell_(tell) {
    at_.members = static_cast<Index>(left_.size());
    // Those who stop a run by its progress may ask for any number of epochs.
    constexpr Index most = std::numeric_limits<Index>::max();
    for (const Index left : left_) at_.total += std::min(left, most - at_.total);
  }

  /// After an epoch of a member's; whether it goes on.
  bool epoch_done(Index member, const EpochReport& epoch) {
    const std::lock_guard<std::mutex> lock(mutex_);
    return advance(member, 1, epoch);
  }
  /// After a member's training: one that failed leaves epochs out.
  void member_done(Index member, const FitReport& report) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const Index left = left_[static_cast<std::size_t>(member)];
    if (left > 0) advance(member, left, report.epochs.back());
  }
  bool stopped() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return stopped_;
  }

 private:
  bool advance(Index member, Index epochs, const EpochReport& epoch) {
    if (stopped_) return false;
    left_[static_cast<std::size_t>(member)] -= epochs;
    at_.member = member;
    at_.epoch = epoch;
    at_.done += std::min(epochs, at_.total - at_.done);
    stopped_ = true;  // also where it throws, which the caller shall hear soon
    stopped_ = !tell_(at_);
    return !stopped_;
  }

  mutable std::mutex mutex_;
  std::vector<Index> left_;
  FunctionRef<bool(const FitProgress&)> tell_;
  FitProgress at_;
  bool stopped_ = false;
};

}  // namespace detail
DASVDD_NAMESPACE_END
