#pragma once
/// \file
/// Trains an autoencoder and its center on normal rows.

#include <dasvdd/detect/detector.hpp>
#include <dasvdd/objective/dasvdd.hpp>
#include <dasvdd/train/batch_step.hpp>
#include <dasvdd/train/codes.hpp>
#include <dasvdd/train/finish.hpp>
#include <dasvdd/train/fit_report.hpp>
#include <dasvdd/train/gamma.hpp>
#include <dasvdd/train/held_out.hpp>
#include <dasvdd/train/options.hpp>
#include <dasvdd/train/rounded_features.hpp>
#include <dasvdd/train/run_rows.hpp>
#include <dasvdd/train/streams.hpp>
#include <dasvdd/train/trainer_state.hpp>
#include <dasvdd/train/training_rows.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

DASVDD_NAMESPACE_BEGIN

/// Trains a net with an objective (Dasvdd unless told otherwise). Changes as it works; detectors it
/// gives do not.
/// \code
/// dasvdd::Trainer trainer(net, options);
/// dasvdd::FitReport report = trainer.fit(X);  // X: n x d, normal rows only
/// for (auto& warning : report.warnings) std::cerr << warning << '\n';
/// auto detector = trainer.detector();
/// \endcode
/// A mini-batch of B rows is one step on its first kappa B rows and one of the center on the others:
/// batch_step.hpp.
template <class Scalar_, class Objective = Dasvdd<Scalar_>>
class Trainer {
 public:
  using Scalar = Scalar_;
  /// What a checkpoint holds: everything that training remembers, a value.
  using State = detail::TrainerState<Scalar, typename Objective::State>;
  static_assert(std::is_same_v<typename Objective::Scalar, Scalar>,
                "dasvdd: net and objective share one scalar type: both float or both double");

  /// Throws InvalidArgument for an option out of range, or a net that doesn't suit the objective.
  explicit Trainer(Autoencoder<Scalar> net, Options options = {}, Objective objective = Objective())
      : net_(std::move(net)), options_(options), objective_(objective) {
    options_.validate();
    options_.check_width(net_.inputs());
    detail::ensure(!Objective::uses_decoder || net_.has_decoder(), "the objective ",
                   Objective::name, " needs a net with a decoder");
    detail::ensure(Objective::uses_decoder || !net_.has_decoder(), "the objective ",
                   Objective::name, " trains no decoder: leave it out of the net");
    detail::ensure((std::is_same_v<Scalar, float>) || !options_.precision.mixed,
                   "mixed precision trains nets in float; this net is in double");
    detail::ensure(objective_.reconstruction_weight() > 0 || options_.score == ScoreForm::published,
                   "the objective ", Objective::name,
                   " has the published score only: the other forms are made of residuals");
    detail::ensure(options_.soften.size() == 0 || options_.soften.size() == net_.inputs(),
                   "images to soften have ", options_.soften.size(), " numbers, the net takes ",
                   net_.inputs());
    detail::ensure(
        Objective::allows_biases || !net_.joined().has_bias(), "the objective ", Objective::name,
        " needs a net without biases, which could map every row to the center: build it of "
        "dense<float>(inputs, outputs, false)");
    reset();
  }

  const Autoencoder<Scalar>& net() const { return net_; }
  const Options& options() const { return options_; }

  /// Trains from a fresh start: scaler, gamma, initialization, the center's start, then
  /// options.epochs epochs, then the detector.
  /// \param X n x d, normal rows, n at least 2, every number finite
  /// \param progress called as progress(const EpochReport&) after each epoch; returning false stops
  /// \throws InvalidArgument before anything has changed
  template <class Progress>
  FitReport fit(const detail::AnyRows& X, Progress&& progress) {
    detail::RunRows rows(X);
    return fit_anew(rows,
                    [&](const EpochReport& epoch) { return detail::keep_going(progress, epoch); });
  }
  FitReport fit(const detail::AnyRows& X) { return fit(X, detail::NoProgress()); }
  /// The same on rows that memory can't hold: options.window of them are in memory at a time. Each epoch reads the
  /// source once, and one pass before them counts, checks and scales the rows. Gamma, the score's form and
  /// the threshold come from a sample of the window's size, drawn by the seed.
  /// \throws InvalidArgument also where a later pass gives other rows than the first; the net is then the one of the
  ///   last whole epoch
  template <class Progress = detail::NoProgress>
  FitReport fit(const RowSource& source, Progress&& progress = {}) {
    detail::RunRows rows(require_width(source), options_, in_float);
    return fit_anew(rows,
                    [&](const EpochReport& epoch) { return detail::keep_going(progress, epoch); });
  }

  /// Continues the training on new rows, with the scaler, gamma and center there are. The learning
  /// rate falls to options.final_rate over these epochs anew; options.validation and patience hold
  /// as in fit().
  /// \param epochs passes over X
  template <class Progress>
  FitReport partial_fit(const detail::AnyRows& X, Index epochs, Progress&& progress) {
    detail::RunRows rows(X);
    return go_on(rows, epochs,
                 [&](const EpochReport& epoch) { return detail::keep_going(progress, epoch); });
  }
  FitReport partial_fit(const detail::AnyRows& X, Index epochs = 1) {
    return partial_fit(X, epochs, detail::NoProgress());
  }

  /// The detector of the net as it stands; its threshold is the training quantile of the last run's
  /// rows. Later training leaves it as it is.
  Detector<Scalar> detector() const {
    detail::ensure(detector_.has_value(),
                   "there is no detector before fit, nor after one whose scores overflow");
    return *detector_;
  }
  /// The detector of the net as it stands, for those who call step() or train() themselves; score form
  /// and threshold come from X.
  /// \param warnings of the training, for Detector::warnings()
  Detector<Scalar> detector(const detail::AnyRows& X,
                            std::vector<std::string> warnings = {}) const {
    check_rows(X);
    FitReport report;
    report.gamma = state_.gamma;
    report.warnings = std::move(warnings);
    return detail::finished(finish(X, report));
  }
  /// The same with a sample of a source's rows.
  Detector<Scalar> detector(const RowSource& source, std::vector<std::string> warnings = {}) const {
    const detail::RunRows rows(require_width(source), options_, in_float);
    return detector(rows.known(), std::move(warnings));
  }

  // ---- for those who write their own training loop, and for tests -------------------------------

  /// fit() without its end: makes no detector, and the report says nothing of the net's scores. For
  /// those who change the trained net, or score it their own way.
  template <class Progress>
  FitReport train(const detail::AnyRows& X, Progress&& progress) {
    detail::RunRows rows(X);
    return train(rows, progress);
  }
  FitReport train(const detail::AnyRows& X) { return train(X, detail::NoProgress()); }
  template <class Progress = detail::NoProgress>
  FitReport train(const RowSource& source, Progress&& progress = {}) {
    detail::RunRows rows(require_width(source), options_, in_float);
    return train(rows, progress);
  }
  template <class Progress>
  FitReport train(detail::RunRows& rows, Progress&& progress) {
    return train_anew(
        rows, [&](const EpochReport& epoch) { return detail::keep_going(progress, epoch); });
  }

  /// Goes on with a train() that was stopped, from a state that set_state() put back: on the same rows,
  /// to options.epochs epochs in all, with the bits of one that was not stopped. (partial_fit() instead
  /// adds epochs, on any rows.)
  /// \throws InvalidArgument before anything has changed, also with options.validation: what held-out rows
  ///   said of earlier epochs is no part of the state
  template <class Progress>
  FitReport resume(const detail::AnyRows& X, Progress&& progress) {
    detail::RunRows rows(X);
    return resume(rows, progress);
  }
  template <class Progress>
  FitReport resume(const RowSource& source, Progress&& progress) {
    detail::RunRows rows(require_width(source), options_, in_float);
    return resume(rows, progress);
  }
  template <class Progress>
  FitReport resume(detail::RunRows& rows, Progress&& progress) {
    const auto start = Clock::now();
    check_run(rows);
    detail::ensure(options_.validation == 0, "a training with validation can't be resumed");
    detail::ensure(state_.epochs > 0 && state_.epochs <= options_.epochs,
                   "resume: the state is of ", state_.epochs, " epochs, expected 1 to ",
                   options_.epochs);
    FitReport report;
    run_epochs(
        rows, nothing(), state_.epochs, options_.epochs,
        [&](const EpochReport& epoch) { return detail::keep_going(progress, epoch); }, report);
    report.seconds = seconds_since(start);
    return report;
  }

  const State& state() const { return state_; }
  /// Puts a state back. Throws InvalidArgument where its sizes are not this net's.
  void set_state(State state) {
    const bool fits = state.parameters.size() == net_.parameters() &&
                      state.first_moments.size() == net_.parameters() &&
                      state.second_moments.size() == net_.parameters() &&
                      state.statistics.size() == net_.statistics() &&
                      state.center.center.size() == net_.code() &&
                      state.center.squared_sum.size() == net_.code();
    detail::ensure(fits, "the state belongs to another net: it has ", state.parameters.size(),
                   " parameters and ", state.center.center.size(), " code units, expected ",
                   net_.parameters(), " and ", net_.code());
    detail::ensure(state.scaler.features() == 0 || state.scaler.features() == net_.inputs(),
                   "the state's scaler is for ", state.scaler.features(),
                   " features, the net takes ", net_.inputs());
    state_ = std::move(state);
    detector_.reset();
  }

  /// One mini-batch step on the rows of X in their order, with the current gamma.
  EpochReport step(const detail::AnyRows& X) {
    check_rows(X);
    prepare_steps(X.rows());
    detector_.reset();
    take_file_order(X.rows());
    EpochReport report{1, 1};
    detail::EpochSums sums;
    detail::parallel(team_size(X.rows()), [&](const detail::Team& team) {
      detail::RowNumbers waiting;
      batch_step_(team, training(), X, {order_.data(), X.rows()}, options_.adam.learning_rate, sums,
                  waiting);
      batch_step_.move_center(team, training(), X, waiting);
    });
    sums.fill(report, objective_, state_);
    return report;
  }

  /// The gradient of the mean objective over all rows of X, the center fixed, in the net's flat
  /// layout. Changes nothing.
  detail::AlignedBuffer<Scalar> gradient(const detail::AnyRows& X) {
    check_rows(X);
    prepare_steps(X.rows());
    detail::AlignedBuffer<Scalar> result(net_.parameters());
    take_file_order(X.rows());
    detail::AlignedBuffer<Scalar> statistics = state_.statistics;
    detail::parallel(team_size(X.rows()), [&](const detail::Team& team) {
      const auto x = batch_step_.gather(team, training(), X, {order_.data(), X.rows()});
      batch_step_.network_gradients(team, training(), x, x.rows(), statistics.data(),
                                    {result.data()});
    });
    return result;
  }

 private:
  using Clock = std::chrono::steady_clock;
  using Progress = detail::FunctionRef<bool(const EpochReport&)>;  ///< false stops
  using Good = detail::GoodState<Scalar, typename Objective::State>;

  static double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
  }
  void check_rows(const detail::AnyRows& X) const {
    detail::require_training_rows<Scalar>(X, net_.inputs(), options_.missing);
  }
  static constexpr bool in_float = std::is_same_v<Scalar, float>;
  const RowSource& require_width(const RowSource& source) const {
    detail::ensure(source.cols() == net_.inputs(), "the row source has rows of ", source.cols(),
                   " numbers, the net takes ", net_.inputs());
    return source;
  }
  detail::AnyRows nothing() const {
    return {static_cast<const Scalar*>(nullptr), 0, net_.inputs()};
  }
  /// Rows to train on, of which options.validation may take some.
  void check_run(const detail::RunRows& X) const {
    if (X.knows_all()) check_rows(X.known());
    detail::ensure(options_.validation == 0 || X.rows() > 2,
                   "the training set has 2 rows, expected at least 3: validation takes one");
    detail::ensure(options_.validation == 0 || X.knows_all(), "validation is ", options_.validation,
                   ", expected 0 for a row source of more rows (", X.rows(), ") than the window (",
                   X.known().rows(), "): held-out rows are in memory");
  }

  void reset() {
    using detail::Stream;
    const Index p = net_.parameters();
    state_ = State();
    state_.parameters = state_.first_moments = state_.second_moments =
        detail::AlignedBuffer<Scalar>(p);
    state_.statistics = detail::AlignedBuffer<Scalar>(net_.statistics());
    Random random = detail::random_stream(options_.seed, Stream::network);
    net_.joined().initialize(random, state_.parameters.data(), state_.statistics.data());
    state_.center = detail::CenterState<Scalar>::drawn(
        net_.code(), detail::random_stream(options_.seed, Stream::center));
    state_.order = detail::random_stream(options_.seed, Stream::order);
    detector_.reset();
  }

  int all_threads() const { return detail::resolve_threads(options_.threads); }
  /// Threads for mini-batches of that many rows: a step is three products a weight, worth twice as much
  /// because its team stays awake for a whole epoch.
  int team_size(Index rows) const {
    return detail::worthwhile_threads(all_threads(),
                                      detail::saturating_product(net_.multiply_adds(), 6 * rows));
  }
  detail::Training<Scalar, Objective> training() { return {net_, options_, objective_, state_}; }
  void prepare_steps(Index rows) {
    batch_step_.prepare(net_, rows, (std::max)(1, all_threads()), options_.precision,
                        state_.scaler.masks());
  }
  void take_file_order(Index rows) {
    order_.resize(static_cast<std::size_t>(rows));
    std::iota(order_.begin(), order_.end(), Index(0));
  }

  /// The net with the parameters as they are.
  detail::PackedNetwork<Scalar> network() const {
    return detail::PackedNetwork<Scalar>(net_, state_.parameters.data(), state_.statistics.data());
  }
  /// The net's detector, its score and threshold made from X.
  std::optional<Detector<Scalar>> finish(const detail::AnyRows& X, FitReport& report) const {
    const auto trained =
        detail::trained_net(net_, state_, state_.parameters, state_.scaler, objective_);
    return detail::finish(trained, options_, X, all_threads(), report);
  }

  // ---- a run: a start, epochs, an end -----------------------------------------------------------

  FitReport fit_anew(detail::RunRows& X, Progress progress) {
    const auto start = Clock::now();
    FitReport report = train_anew(X, progress);
    detector_ = finish(X.known(), report);
    report.seconds = seconds_since(start);
    return report;
  }

  FitReport train_anew(detail::RunRows& X, Progress progress) {
    const auto start = Clock::now();
    check_run(X);
    const auto scaler = X.template scaler<Scalar>(options_);
    // A run's gamma is decided before anything has changed: its estimate may fail.
    const double gamma = Objective::estimates_gamma ? detail::estimate_gamma<Scalar>(
                                                          net_, scaler, X.known(), options_.gamma,
                                                          all_threads(), options_.seed)
                                                    : 0;
    FitReport report;
    report.gamma_seconds = seconds_since(start);
    if (options_.standardize) {
      detail::warn_of(X.far_values(), X.rows(), X.places(), options_.feature_names, {},
                      report.warnings);
    }
    detail::warn_of_rounding(X.known(), in_float, options_.standardize, X.places(),
                             options_.feature_names, {}, report.warnings);
    reset();
    state_.scaler = scaler;
    state_.gamma = gamma;
    if constexpr (Objective::starts_center) {
      state_.center.center = detail::mean_code(network(), scaler, X.known(), all_threads());
      objective_.start_center(state_.center.center.data(), net_.code());
    }
    run(X, options_.epochs, progress, report);
    report.seconds = seconds_since(start);
    return report;
  }

  FitReport go_on(detail::RunRows& X, Index epochs, Progress progress) {
    const auto start = Clock::now();
    detail::ensure(state_.epochs > 0, "partial_fit goes on with a fitted net; call fit first");
    detail::ensure(epochs >= 1, "partial_fit: epochs is ", epochs, ", expected at least 1");
    check_run(X);
    FitReport report;
    run(X, epochs, progress, report);
    detector_ = finish(X.known(), report);
    report.seconds = seconds_since(start);
    return report;
  }

  void run(detail::RunRows& X, Index epochs, Progress progress, FitReport& report) {
    if (options_.validation > 0) {
      const detail::HeldOut split(X.known(), options_.validation, options_.seed);
      detail::RunRows trained(split.trained());
      run_epochs(trained, split.watched(), 0, epochs, progress, report);
    } else {
      run_epochs(X, nothing(), 0, epochs, progress, report);
    }
  }

  /// \param watched rows that decide which epoch's net is kept; none: the last's
  /// \param first epochs of this run that are done
  void run_epochs(detail::RunRows& X, const detail::AnyRows& watched, Index first, Index epochs,
                  Progress progress, FitReport& report) {
    detector_.reset();
    report.gamma = state_.gamma;
    report.epochs.reserve(static_cast<std::size_t>(std::min<Index>(epochs, 10000)));
    const Index largest = (std::min)(options_.batch_size, X.rows());
    prepare_steps(largest);
    // Decided once: `progress` may change what OpenMP would use, and the buffers are for so many.
    const int threads = team_size(largest);
    Good good, best;
    good.keep(state_);
    for (Index epoch = first; epoch < epochs; ++epoch) {
      bool cut = false;
      EpochReport done = run_epoch(X, epoch, epochs, threads, good, report, cut);
      if (!finite(done)) {
        report.epochs.push_back(done);
        report.warnings.push_back(detail::not_finite_warning(epoch + 1));
        good.put_back(state_);
        break;
      }
      if (cut) {
        report.stopped = true;
        break;
      }
      ++state_.epochs;
      objective_.after_epoch(state_.objective, state_.epochs, [&] {
        return detail::squared_distances(network(), state_.scaler, X.known(),
                                         state_.center.center.data(), all_threads());
      });
      good.keep(state_);
      const bool patient = watched.rows() == 0 || watch(watched, done, best, report);
      report.epochs.push_back(done);
      if (!progress(done) || !patient) {
        report.stopped = epoch + 1 < epochs;
        break;
      }
    }
    if (report.best_epoch > 0) best.put_back(state_);
    report.center.assign(state_.center.center.begin(), state_.center.center.end());
    batch_step_.release();
    order_ = {};
  }

  /// One pass over the rows.
  /// \param good what to fall back to if a layer of the user's own throws
  /// \param cut becomes true where options.stop ended it before its last mini-batch
  EpochReport run_epoch(detail::RunRows& X, Index epoch, Index epochs, int threads,
                        const Good& good, FitReport& report, bool& cut) {
    const auto start = Clock::now();
    const Index batches = detail::ceil_div(X.rows(), options_.batch_size);
    const double steps = static_cast<double>(batches) * static_cast<double>(epochs);
    detail::EpochSums sums;
    Index step = epoch * batches;
    // All members must end after the same mini-batch: the first one looks, before the barriers of a step, and the
    // others read behind them. Of two places, so that it may look again while they read.
    bool last[2] = {false, false};
    const auto train_on = [&](const detail::AnyRows& rows) {
      const Index in_window = detail::ceil_div(rows.rows(), options_.batch_size);
      detail::parallel(threads, [&](const detail::Team& team) {
        if (team.member() == 0) report.threads = team.size();
        detail::RowNumbers waiting;
        for (Index b = 0; b < in_window; ++b) {
          if (team.member() == 0) {
            last[b % 2] = options_.stop && options_.stop->load(std::memory_order_relaxed);
          }
          const Index first = b * options_.batch_size;
          const Index count = (std::min)(options_.batch_size, rows.rows() - first);
          const double part = static_cast<double>(step + b) / steps;
          const double rate =
              options_.adam.learning_rate * std::fma(part, options_.final_rate - 1, 1.0);
          batch_step_(team, training(), rows, {order_.data() + first, count}, rate, sums, waiting);
          if (last[b % 2]) {
            if (team.member() == 0) cut = step + b + 1 < (epoch + 1) * batches;
            break;
          }
        }
        batch_step_.move_center(team, training(), rows, waiting);
      });
      step += in_window;
      return !cut;
    };
    try {
      X.each_window(options_.shuffle ? &state_.order : nullptr, order_, train_on);
    } catch (...) {
      good.put_back(state_);
      throw;
    }
    EpochReport done{epoch + 1, epochs};
    sums.fill(done, objective_, state_);
    done.seconds = seconds_since(start);
    return done;
  }

  bool finite(const EpochReport& done) const {
    return detail::is_finite(done.loss) &&
           detail::all_finite(state_.center.center.data(), net_.code());
  }

  /// Looks at the held-out rows after an epoch and keeps the best. Whether to go on.
  bool watch(const detail::AnyRows& rows, EpochReport& done, Good& best, FitReport& report) const {
    done.validation_loss = detail::mean_loss(
        network(), state_.scaler, rows, state_.center.center.data(),
        objective_.reconstruction_weight(), objective_.latent_weight(state_.gamma), all_threads());
    const bool better =
        report.best_epoch == 0 ||
        done.validation_loss <
            report.epochs[static_cast<std::size_t>(report.best_epoch) - 1].validation_loss;
    if (better) {
      best.keep(state_);
      report.best_epoch = done.epoch;
    }
    return options_.patience == 0 || done.epoch - report.best_epoch < options_.patience;
  }

  Autoencoder<Scalar> net_;
  Options options_;
  Objective objective_;
  State state_;
  std::optional<Detector<Scalar>> detector_;

  detail::BatchStep<Scalar, Objective> batch_step_;
  std::vector<Index> order_;
};

template <class Scalar>
Trainer(Autoencoder<Scalar>) -> Trainer<Scalar>;
template <class Scalar>
Trainer(Autoencoder<Scalar>, Options) -> Trainer<Scalar>;
template <class Scalar, class Objective>
Trainer(Autoencoder<Scalar>, Options, Objective) -> Trainer<Scalar, Objective>;

DASVDD_NAMESPACE_END
