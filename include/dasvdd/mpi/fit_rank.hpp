#pragma once
/// \file
/// `FitRank`: one rank of a fit whose nets several ranks train.

#include <dasvdd/core/checksum.hpp>
#include <dasvdd/fit/fit_process.hpp>
#include <dasvdd/io/checkpoint_file.hpp>
#include <dasvdd/io/model_file.hpp>
#include <dasvdd/mpi/net_shares.hpp>
#include <dasvdd/mpi/ranks.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <limits>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// What a rank trains in a thread of its own, while the calling thread, which alone may talk to other ranks, waits for
/// it a little while at a time.
class TrainingThread {
 public:
  explicit TrainingThread(FunctionRef<void()> train) {
    try {
      thread_ = std::thread([this, train] {
        std::exception_ptr failure;
        try {
          train();
        } catch (...) {
          failure = std::current_exception();
        }
        end(std::move(failure));
      });
    } catch (...) {
      end(std::current_exception());  // no thread, or no memory for one
    }
  }
  ~TrainingThread() { join(); }
  TrainingThread(const TrainingThread&) = delete;
  TrainingThread& operator=(const TrainingThread&) = delete;

  /// Waits until it has ended, for so long at most. Whether it has.
  bool ended_after(std::chrono::duration<double> most) {
    std::unique_lock<std::mutex> lock(mutex_);
    return awake_.wait_for(lock, most, [&] { return ended_; });
  }
  void join() {
    if (thread_.joinable()) thread_.join();
  }
  /// What it has thrown; null: nothing.
  std::exception_ptr failure() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return failure_;
  }

 private:
  void end(std::exception_ptr failure) {
    const std::lock_guard<std::mutex> lock(mutex_);
    failure_ = std::move(failure);
    ended_ = true;
    awake_.notify_all();
  }

  mutable std::mutex mutex_;
  std::condition_variable awake_;
  bool ended_ = false;
  std::exception_ptr failure_;
  std::thread thread_;
};

/// One of the ranks that fit an ensemble together. Each trains its nets as one process would, in a thread, and every few
/// milliseconds all ranks meet and tell how far they are, and whether to stop. What they have made goes to all as the
/// bytes of files, which give the same bits back.
template <class Scalar>
class FitRank final : public FitProcess<Scalar> {
 public:
  /// \param stop the options' own; null: none
  /// \param tell called on all ranks in the same way, by their calling threads; false on any stops all
  FitRank(Ranks& ranks, const std::atomic<bool>* stop, FunctionRef<bool(const FitProgress&)> tell)
      : ranks_(ranks), asked_to_stop_(stop), tell_(tell) {}

  /// For the options of this rank's nets: true where that of any rank is.
  const std::atomic<bool>* stop() const { return &stop_; }

  void begin(FunctionRef<void()> check, FunctionRef<std::string()> task,
             Checkpoint<Scalar>* checkpoint, Index nets) override {
    std::string text;
    ranks_.together([&] {
      check();
      text = task();
      if (checkpoint) checkpoint->begin(text, nets);
    });
    text += sentence(", nets ", nets, ", kept");
    for (Index i = 0; i < nets; ++i) text += sentence(" ", epochs_kept(checkpoint, i));
    const auto sums =
        ranks_.numbers(crc32(reinterpret_cast<const unsigned char*>(text.data()), text.size(), 0));
    for (std::size_t r = 1; r < sums.size(); ++r) {
      ensure(sums[r] == sums[0], "rank ", r,
             " has other rows, other options or another checkpoint than rank 0: all ranks fit the "
             "same");
    }
  }

  std::vector<Index> nets(const std::vector<double>& costs) override {
    const std::vector<int> ranks = ranks_of_nets(costs, ranks_.size());
    std::vector<Index> mine;
    for (std::size_t i = 0; i < ranks.size(); ++i) {
      if (ranks[i] == ranks_.rank()) mine.push_back(static_cast<Index>(i));
    }
    return mine;
  }

  void run(NetsProgress& progress, FunctionRef<void()> train) override {
    if (kept_ < 0) kept_ = told_ = progress.now().done;
    const auto start = Clock::now();
    TrainingThread training(train);
    std::exception_ptr failure;  // of the caller's progress
    for (bool all_ended = false;;) {
      // A rank that has ended waits for the next meeting: for a twentieth of the time that has passed at most.
      using Seconds = std::chrono::duration<double>;
      const Seconds passed = Clock::now() - start;
      const Seconds pause(all_ended ? 0 : (std::min)((std::max)(passed.count() / 20, 1e-3), 0.1));
      const bool ended = training.ended_after(pause);
      if (!failure && ended) failure = training.failure();
      const Meeting all = meet({ended, static_cast<bool>(failure), says_stop_,
                                asked_to_stop_ && asked_to_stop_->load(std::memory_order_relaxed)},
                               progress.now().done);
      if (all.failed) {
        stop_ = true;
        progress.fail();
        training.join();
        ranks_.throw_of_any(failure ? failure : training.failure());
      }
      // A stop is told of at once, though no epoch may have ended: the caller may want to save what there is.
      const bool news = all.done != told_ || (all.stop && !stop_);
      if (all.stop) stop_ = true;
      if (all.stop || all.says_stop) progress.stop();
      all_ended = all.ended;
      if (!news && all_ended) break;
      if (!news) continue;
      told_ = all.done;
      FitProgress at = progress.now();
      at.done = told_;
      try {
        says_stop_ = !tell_(at) || says_stop_;
      } catch (...) {
        failure = std::current_exception();
      }
    }
  }

  void gather(std::vector<std::optional<FittedMember<Scalar>>>& of_nets) override {
    std::vector<std::string> texts(2 * of_nets.size());
    ranks_.together([&] {
      for (std::size_t i = 0; i < of_nets.size(); ++i) {
        if (!of_nets[i]) continue;
        texts[2 * i] = to_tensor_file(of_nets[i]->detector).serialize();
        texts[2 * i + 1] = text_of(of_nets[i]->left_out);
      }
    });
    ranks_.texts(texts);
    for (std::size_t i = 0; i < of_nets.size(); ++i) {
      if (of_nets[i] || texts[2 * i].empty()) continue;
      of_nets[i] = FittedMember<Scalar>{
          from_tensor_file<Scalar>(TensorFile::parse(texts[2 * i]), {}, LoadLimits::none()),
          left_out_of(texts[2 * i + 1])};
    }
  }
  void gather(std::vector<std::vector<double>>& scores_of_nets) override {
    std::vector<std::string> texts;
    for (const auto& scores : scores_of_nets) texts.push_back(bytes_of(scores));
    ranks_.texts(texts);
    for (std::size_t i = 0; i < texts.size(); ++i) {
      scores_of_nets[i].resize(texts[i].size() / sizeof(double));
      std::copy_n(texts[i].data(), texts[i].size(),
                  reinterpret_cast<char*>(scores_of_nets[i].data()));
    }
  }

 private:
  using Clock = std::chrono::steady_clock;

  /// What a rank says when all meet, and then what all have said: ended where all have, the others where any does.
  struct Meeting {
    bool ended = false;      ///< its nets are done
    bool failed = false;     ///< something has thrown
    bool says_stop = false;  ///< its `tell` has said false
    bool stop = false;       ///< its options' `stop` is true
    Index done = 0;          ///< epochs, of all ranks
  };

  Meeting meet(const Meeting& mine, Index done) {
    const std::vector<std::int64_t> said =
        ranks_.numbers({mine.ended, mine.failed, mine.says_stop, mine.stop,
                        static_cast<std::int64_t>(done - kept_)},
                       true);
    Meeting all;
    all.ended = true;
    all.done = kept_;
    for (std::size_t at = 0; at < said.size(); at += 5) {
      all.ended = all.ended && said[at] != 0;
      all.failed = all.failed || said[at + 1] != 0;
      all.says_stop = all.says_stop || said[at + 2] != 0;
      all.stop = all.stop || said[at + 3] != 0;
      all.done += static_cast<Index>(said[at + 4]);
    }
    return all;
  }

  static std::string bytes_of(const std::vector<double>& numbers) {
    return {reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(double)};
  }
  /// Of what an ensemble is made of: the terms of the scores are a bank's alone.
  static std::string text_of(const LeftOut& left_out) {
    TensorFile file;
    const std::vector<std::int64_t> rows(left_out.rows.begin(), left_out.rows.end());
    const auto size = [](const auto& list) {
      return std::vector<Index>{static_cast<Index>(list.size())};
    };
    file.add("rows", size(rows), rows.data());
    file.add("scores", size(left_out.scores), left_out.scores.data());
    return file.serialize();
  }
  static LeftOut left_out_of(const std::string& text) {
    const TensorFile file = TensorFile::parse(text);
    const auto rows = file["rows"].template as<std::int64_t>();
    return {std::vector<Index>(rows.begin(), rows.end()), file["scores"].template as<double>()};
  }

  Ranks& ranks_;
  const std::atomic<bool>* asked_to_stop_;
  FunctionRef<bool(const FitProgress&)> tell_;
  std::atomic<bool> stop_{false};
  bool says_stop_ = false;
  Index kept_ = -1;  ///< epochs that were done before the fit; below 0 where it has not begun
  Index told_ = 0;   ///< epochs that the last call of `tell` was of
};

/// Brings what the ranks have reached of their nets into the checkpoint of rank 0. All ranks call it in the same way,
/// while they fit or after.
template <class Scalar>
void gather_nets(Checkpoint<Scalar>& checkpoint, Ranks& ranks) {
  if (ranks.alone()) return;
  const auto content = checkpoint.content();
  const std::size_t count = content.nets.size();
  // How far each net is: none, so many epochs, trained.
  std::vector<std::int64_t> mine;
  for (const auto& net : content.nets) {
    mine.push_back(!net           ? -1
                   : net->trained ? (std::numeric_limits<std::int64_t>::max)()
                                  : static_cast<std::int64_t>(net->state.epochs));
  }
  const std::vector<std::int64_t> all = ranks.numbers(mine);
  std::vector<std::string> texts(count);
  for (std::size_t k = 0; k < count; ++k) {
    std::int64_t furthest = all[k];
    int owner = 0;
    for (int r = 1; r < ranks.size(); ++r) {
      const std::int64_t there = all[static_cast<std::size_t>(r) * count + k];
      if (there > furthest) {
        furthest = there;
        owner = r;
      }
    }
    if (owner == 0 || owner != ranks.rank()) continue;
    Checkpoint<Scalar> one;
    one.set_content({content.task, {content.nets[k]}});
    texts[k] = to_tensor_file(one).serialize();
  }
  ranks.texts(texts);
  if (ranks.rank() != 0) return;
  for (std::size_t k = 0; k < count; ++k) {
    if (texts[k].empty()) continue;
    try {
      const TensorFile file = TensorFile::parse(texts[k]);
      const auto sent = CheckpointReader<Scalar>(file).content();
      const auto& net = sent.nets.front();
      if (net) checkpoint.keep(static_cast<Index>(k), *net);
    } catch (const InvalidArgument&) {
      // A net that is about to leave the numbers: what was kept of it before is good to go on from.
    }
  }
}

}  // namespace detail
DASVDD_NAMESPACE_END
