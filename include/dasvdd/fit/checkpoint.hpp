#pragma once
/// \file
/// `Checkpoint`, what a running fit has reached.

#include <dasvdd/core/any_rows.hpp>
#include <dasvdd/core/checksum.hpp>
#include <dasvdd/core/function_ref.hpp>
#include <dasvdd/objective/dasvdd.hpp>
#include <dasvdd/train/fit_report.hpp>
#include <dasvdd/train/options.hpp>
#include <dasvdd/train/trainer_state.hpp>

#include <cstddef>
#include <initializer_list>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

DASVDD_NAMESPACE_BEGIN

/// What a running fit() or fit_images() has reached: for those whose training takes longer than their
/// machine may run. The fit writes into it after each epoch. Given again to a fit of the same rows and
/// options, the training goes on from there and ends with the same bits as one without a break.
/// \code
/// dasvdd::Checkpoint<float> checkpoint;
/// if (std::filesystem::exists("fit.checkpoint")) dasvdd::load(checkpoint, "fit.checkpoint");
/// auto detector = dasvdd::fit(X, options, [&](const dasvdd::FitProgress& at) {
///   if (at.done % 100 == 0) dasvdd::save(checkpoint, "fit.checkpoint");
/// }, &checkpoint);
/// \endcode
/// save() and load() of a checkpoint are in `<dasvdd/io/checkpoint_file.hpp>`. Any thread may read it
/// while the fit runs.
template <class Scalar>
class Checkpoint {
 public:
  /// One net of the ensemble.
  struct Net {
    detail::TrainerState<Scalar, typename Dasvdd<Scalar>::State> state;
    std::vector<std::string> warnings;
    bool trained = false;        ///< its training has ended
    std::vector<double> losses;  ///< of its epochs, which the warnings at the end look back at
  };
  /// Everything, by the nets' numbers; nothing for a net that has not begun.
  struct Content {
    std::string task;  ///< the rows and options that it belongs to, in words and numbers
    std::vector<std::optional<Net>> nets;
  };

  /// Epochs done, of all nets.
  Index epochs() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    Index sum = 0;
    for (const auto& net : content_.nets) sum += net ? net->state.epochs : 0;
    return sum;
  }
  Content content() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return content_;
  }
  void set_content(Content content) {
    const std::lock_guard<std::mutex> lock(mutex_);
    content_ = std::move(content);
  }

  // ---- for the fit ------------------------------------------------------------------------------

  /// \throws InvalidArgument where it holds what another fit has reached
  void begin(const std::string& task, Index nets) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (content_.task.empty()) {
      content_.task = task;
      content_.nets.resize(static_cast<std::size_t>(nets));
    }
    detail::ensure(content_.task == task && static_cast<Index>(content_.nets.size()) == nets,
                   "the checkpoint belongs to another fit: its rows or its options were others");
  }
  std::optional<Net> net(Index i) const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return content_.nets[static_cast<std::size_t>(i)];
  }
  /// Epochs done of net i.
  Index epochs(Index i) const {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto& net = content_.nets[static_cast<std::size_t>(i)];
    return net ? net->state.epochs : 0;
  }
  /// After an epoch of net i.
  template <class State>
  void keep(Index i, const State& state, double loss) {
    const std::lock_guard<std::mutex> lock(mutex_);
    auto& net = content_.nets[static_cast<std::size_t>(i)];
    if (!net) net.emplace();
    net->state = state;
    net->losses.push_back(loss);
  }
  void keep(Index i, Net net) {
    const std::lock_guard<std::mutex> lock(mutex_);
    content_.nets[static_cast<std::size_t>(i)] = std::move(net);
  }

 private:
  mutable std::mutex mutex_;
  Content content_;
};

namespace detail {

/// Numbers with all of their digits, which tell two that differ apart.
inline std::string in_full(std::initializer_list<double> numbers) {
  std::string text;
  for (const double x : numbers) {
    text += (text.empty() ? "" : " ") + number_text("%.17g", x);
  }
  return text;
}

/// What tells one fit from another: the rows' numbers and all options but the number of threads.
/// \param more options that are not in `of_net`
template <class Scalar>
std::string checkpoint_task(const AnyRows& X, const Options& of_net, const std::string& more) {
  std::uint32_t checksum = 0;
  X.visit([&](auto rows) {
    for (Index i = 0; i < rows.rows(); ++i) {
      checksum = crc32(reinterpret_cast<const unsigned char*>(rows.row(i)),
                       static_cast<std::size_t>(rows.cols()) * sizeof(*rows.row(i)), checksum);
    }
  });
  std::string text = sentence(X.rows(), " x ", X.cols(), " ", checksum_word(checksum), " ",
                              sizeof(Scalar) == 4 ? "float" : "double");
  for (const auto& [key, word] : facts<Scalar>(of_net, "")) text += sentence(", ", key, " ", word);
  // What a model file has no word for, and what its words round.
  const Adam& adam = of_net.adam;
  text += ", numbers ";
  text += in_full({of_net.kappa, of_net.gamma.number, of_net.gamma.factor, of_net.center.decay,
                   of_net.center.learning_rate, adam.learning_rate, adam.beta1, adam.beta2,
                   adam.epsilon, adam.weight_decay, of_net.final_rate, of_net.validation,
                   of_net.contrast_floor});
  for (const std::string& name : of_net.feature_names) text += sentence(", named ", name);
  return text + sentence(", initializations ", of_net.gamma.initializations, ", standardized ",
                         of_net.standardize, ", softened ", of_net.soften.channels, " x ",
                         of_net.soften.height, " x ", of_net.soften.width, ", shuffled ",
                         of_net.shuffle, ", ", more);
}

/// Epochs that the checkpoint has of net i.
template <class Scalar>
Index epochs_kept(const Checkpoint<Scalar>* checkpoint, Index i) {
  return checkpoint ? checkpoint->epochs(i) : 0;
}

/// Trains one net of a fit, or goes on with what the checkpoint has of it, and keeps what it reaches.
/// \param X AnyRows, or RunRows of a source
/// \param checkpoint null: none
/// \param i the net's number
/// \param tell the fit's own progress
template <class Trainer, class Batch, class Scalar>
FitReport train_with(Trainer& trainer, Batch&& X, Checkpoint<Scalar>* checkpoint, Index i,
                     FunctionRef<bool(const EpochReport&)> tell) {
  if (checkpoint == nullptr) return trainer.train(X, tell);
  auto kept = checkpoint->net(i);
  FitReport report;
  std::vector<EpochReport> before;
  if (kept) {
    for (const double loss : kept->losses) {
      before.emplace_back();
      before.back().loss = loss;
    }
    trainer.set_state(std::move(kept->state));
    report.gamma = trainer.state().gamma;
    report.warnings = std::move(kept->warnings);
    report.epochs = before;
    if (kept->trained) return report;
  }
  const auto keep = [&](const EpochReport& epoch) {
    checkpoint->keep(i, trainer.state(), epoch.loss);
    return tell(epoch);
  };
  report = kept ? trainer.resume(X, keep) : trainer.train(X, keep);
  report.epochs.insert(report.epochs.begin(), before.begin(), before.end());
  if (report.stopped) return report;
  typename Checkpoint<Scalar>::Net net{trainer.state(), report.warnings, true, {}};
  for (const EpochReport& epoch : report.epochs) net.losses.push_back(epoch.loss);
  checkpoint->keep(i, std::move(net));
  return report;
}

}  // namespace detail
DASVDD_NAMESPACE_END
