#pragma once
/// \file
/// Trains one net on rows that several processes hold; the bits are one process's.

#include <dasvdd/core/quantile.hpp>
#include <dasvdd/mpi/shard_batches.hpp>
#include <dasvdd/mpi/shard_moments.hpp>
#include <dasvdd/mpi/sharded_step.hpp>
#include <dasvdd/mpi/shards.hpp>
#include <dasvdd/train/trainer.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

DASVDD_NAMESPACE_BEGIN

/// Trainer for rows that lie on several ranks, which all call it in the same way:
/// \code
/// MPI_Init(&argc, &argv);
/// dasvdd::MpiRanks ranks;  // <dasvdd/mpi/mpi_ranks.hpp>; of MPI_COMM_WORLD
/// dasvdd::ShardedTrainer<float> trainer(net, options, ranks);
/// const auto [first, last] = trainer.rows_of_rank(n);  // of n rows this rank holds first .. last - 1
/// trainer.fit(read_rows(first, last));
/// dasvdd::Detector<float> detector = trainer.detector();  // the same on all ranks
/// \endcode
/// The rows are cut into a fixed number of shards, of which a rank holds several. A mini-batch takes its part of every
/// shard, and all sums are made by shards (mpi/shards.hpp): the result depends on the number of shards, not on that
/// of ranks or threads. With one shard it is Trainer's.
///
/// Nets of dense layers and activations, in their own numbers, with a score that needs no matrix of all rows
/// (published, balanced); no rows are held out to watch the training by. What can't be is refused in a sentence.
/// Options::stop of any rank ends the training on all, after their epoch.
template <class Scalar_, class Objective = Dasvdd<Scalar_>>
class ShardedTrainer {
 public:
  using Scalar = Scalar_;
  using State = typename Trainer<Scalar, Objective>::State;
  static constexpr Index usual_shards = 16;

  /// \param ranks must outlive the trainer
  /// \param shards a power of two, no less than the ranks; more of them cost time, see docs/scale.md
  ShardedTrainer(Autoencoder<Scalar> net, Options options, detail::Ranks& ranks,
                 Index shards = usual_shards, Objective objective = Objective())
      : net_(std::move(net)),
        options_(std::move(options)),
        objective_(objective),
        shards_(ranks, shards),
        state_(fresh().state()) {
    using detail::ensure;
    for (const auto& step : net_.joined().steps()) {
      ensure(step.kind != detail::Step<Scalar>::Kind::layer,
             "a net that several ranks train has dense layers and activations only");
    }
    ensure(options_.precision.mixed == nullptr,
           "a net that several ranks train is trained in its own numbers, not in mixed precision");
    ensure(options_.validation == 0, "validation is ", options_.validation,
           ", expected 0: rows that several ranks hold are all trained on");
    ensure(options_.missing == Options::Missing::refuse,
           "a net that several ranks train takes no rows with missing values");
    const auto form = detail::score_form<Scalar>(options_.score);
    ensure(!form.needs_codes && !form.needs_residuals && !form.needs_outputs, "the score form ",
           form.name,
           " needs a matrix of all rows; several ranks make the published score, or the "
           "balanced one");
    ensure(options_.batch_size >= shards, "the batch size is ", options_.batch_size,
           ", expected at least one row of each of the ", shards, " shards");
  }

  const Autoencoder<Scalar>& net() const { return net_; }
  const Options& options() const { return options_; }
  /// Of n rows, in their order, those that a rank holds: `first` to `last - 1`.
  detail::Range rows_of_rank(Index n, int rank) const {
    detail::Shards shards = shards_;
    shards.set_rows(n);
    return shards.rows_of_rank(rank);
  }
  detail::Range rows_of_rank(Index n) const { return rows_of_rank(n, shards_.ranks().rank()); }

  /// As in Trainer, on the rows that this rank holds. Nobody looks for values far from all others, because the ranks' rows
  /// are not compared.
  /// \throws InvalidArgument on all ranks, before anything has changed
  /// \param progress called on every rank; where it returns false on any, all stop, and where it throws on any, all
  ///   throw, as for an objective of your own that throws (at the end of its epoch): the rank's own exception, or a
  ///   std::runtime_error (InvalidArgument for one) that names the rank and has the sentence
  template <class Progress>
  FitReport fit(const detail::AnyRows& X, Progress&& progress) {
    FitReport report = train(X, progress);
    const auto start = Clock::now();
    detector_ = finish(X, report);
    report.seconds += seconds_since(start);
    return report;
  }
  FitReport fit(const detail::AnyRows& X) { return fit(X, detail::NoProgress()); }

  /// The detector of the net as it stands, the same on all ranks.
  Detector<Scalar> detector() const {
    detail::ensure(detector_.has_value(),
                   "there is no detector before fit, nor after one whose scores overflow");
    return *detector_;
  }
  /// \param X the rows that this rank holds, whose scores the threshold comes from
  Detector<Scalar> detector(const detail::AnyRows& X, std::vector<std::string> warnings = {}) {
    check_rows(X);
    FitReport report;
    report.gamma = state_.gamma;
    report.warnings = std::move(warnings);
    return detail::finished(finish(X, report));
  }

  /// fit() without its end.
  template <class Progress>
  FitReport train(const detail::AnyRows& X, Progress&& progress) {
    return train_anew(
        X, [&](const EpochReport& epoch) { return detail::keep_going(progress, epoch); });
  }
  FitReport train(const detail::AnyRows& X) { return train(X, detail::NoProgress()); }

  /// Goes on with a train() that was stopped, whatever number of ranks it had.
  template <class Progress>
  FitReport resume(const detail::AnyRows& X, Progress&& progress) {
    const auto start = Clock::now();
    check_rows(X);
    shards_.ranks().together([&] {
      detail::ensure(state_.epochs > 0 && state_.epochs <= options_.epochs,
                     "resume: the state is of ", state_.epochs, " epochs, expected 1 to ",
                     options_.epochs);
    });
    FitReport report;
    run_epochs(
        X, state_.epochs,
        [&](const EpochReport& epoch) { return detail::keep_going(progress, epoch); }, report);
    report.seconds = seconds_since(start);
    return report;
  }

  /// The whole state, the same on all ranks.
  const State& state() const { return state_; }
  void set_state(State state) {
    auto trainer = fresh();
    trainer.set_state(std::move(state));
    state_ = trainer.state();
    detector_.reset();
  }

 private:
  using Clock = std::chrono::steady_clock;
  using Progress = detail::FunctionRef<bool(const EpochReport&)>;
  using Good = detail::GoodState<Scalar, typename Objective::State>;
  using Step = detail::ShardedStep<Scalar, Objective>;

  static double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
  }
  /// Checks net, options and states, and makes a fresh state.
  Trainer<Scalar, Objective> fresh() const {
    return Trainer<Scalar, Objective>(net_, options_, objective_);
  }
  int all_threads() const { return detail::resolve_threads(options_.threads); }
  detail::PackedNetwork<Scalar> network() const {
    return detail::PackedNetwork<Scalar>(net_, state_.parameters.data(), state_.statistics.data());
  }
  detail::Training<Scalar, Objective> training() { return {net_, options_, objective_, state_}; }

  /// Finds out how many rows there are, and checks those that are here.
  void check_rows(const detail::AnyRows& X) {
    detail::Ranks& ranks = shards_.ranks();
    const std::vector<std::int64_t> held = ranks.numbers(X.rows());
    Index n = 0;
    for (const std::int64_t rows : held) n += static_cast<Index>(rows);
    ranks.together([&] {
      if (n < 2) detail::require_training_rows<Scalar>(X, net_.inputs());
      detail::ensure(n >= shards_.count(), "the training set has ", n,
                     " rows, expected at least one in each of the ", shards_.count(), " shards");
      const detail::Range mine = rows_of_rank(n);
      detail::ensure(mine.size() == X.rows(), "there are ", X.rows(), " rows of ", n, ", expected ",
                     mine.size(), " (rows_of_rank)");
      if (X.rows() > 1) return detail::require_training_rows<Scalar>(X, net_.inputs());
      // One row of many: the check of a training set asks for two.
      detail::require_width(X, net_.inputs(), "the training set");
      detail::require_finite(X, "the training set");
    });
    shards_.set_rows(n);
  }

  detail::Scaler<Scalar> scaler_of(const detail::AnyRows& X) const {
    if (options_.standardize) return {detail::standardizer_over_shards<Scalar>(shards_, X)};
    return detail::row_scaler<Scalar>(options_, X);
  }
  detail::GammaSums gamma_sums(const double* r, const double* q) const {
    const auto sums = detail::sums_over_shards(shards_, 3, [&](Index i, double* sum) {
      sum[0] += r[i];
      sum[1] += q[i];
      sum[2] += r[i] / q[i];
    });
    return {sums[0], sums[1], sums[2], static_cast<double>(shards_.rows())};
  }

  FitReport train_anew(const detail::AnyRows& X, Progress progress) {
    const auto start = Clock::now();
    check_rows(X);
    const auto scaler = scaler_of(X);
    const double gamma =
        Objective::estimates_gamma
            ? detail::estimate_gamma<Scalar>(
                  net_, scaler, X, options_.gamma, all_threads(), options_.seed,
                  [&](const double* r, const double* q, Index) { return gamma_sums(r, q); })
            : 0;
    FitReport report;
    report.gamma_seconds = seconds_since(start);
    warn_of_rounding(X, report.warnings);
    state_ = fresh().state();
    state_.scaler = scaler;
    state_.gamma = gamma;
    if constexpr (Objective::starts_center) start_center(X);
    run_epochs(X, 0, progress, report);
    report.seconds = seconds_since(start);
    return report;
  }

  /// As of all ranks' rows, by two rows that span them.
  void warn_of_rounding(const detail::AnyRows& X, std::vector<std::string>& warnings) const {
    const Index d = X.cols();
    const std::vector<double> ends = detail::ends_over_shards(shards_, X);
    const std::vector<float> floats(ends.begin(), ends.end());
    detail::warn_of_rounding(
        X.wide() ? detail::AnyRows(ends.data(), 2, d) : detail::AnyRows(floats.data(), 2, d),
        std::is_same_v<Scalar, float>, options_.standardize, {}, options_.feature_names, {},
        warnings);
  }

  void start_center(const detail::AnyRows& X) {
    const Index m = net_.code();
    detail::AlignedBuffer<Scalar> codes(X.rows(), m);
    detail::forward_rows(network(), state_.scaler, X, all_threads(), false,
                         [&](Index first, Rows<const Scalar> x, const auto& result) {
                           for (Index i = 0; i < x.rows(); ++i) {
                             std::copy_n(result.code.row(i), m, codes.data() + (first + i) * m);
                           }
                         });
    const auto sums = detail::sums_over_shards(shards_, m, [&](Index i, double* sum) {
      for (Index j = 0; j < m; ++j) sum[j] += static_cast<double>(codes[i * m + j]);
    });
    for (Index j = 0; j < m; ++j) {
      state_.center.center[j] = static_cast<Scalar>(sums[static_cast<std::size_t>(j)] /
                                                    static_cast<double>(shards_.rows()));
    }
    objective_.start_center(state_.center.center.data(), m);
  }

  void run_epochs(const detail::AnyRows& X, Index first, Progress progress, FitReport& report) {
    detector_.reset();
    report.gamma = state_.gamma;
    const detail::ShardBatches batches(shards_, options_.batch_size, [&](Index rows) {
      return detail::BatchStep<Scalar, Objective>::network_share(options_.kappa, rows);
    });
    const int threads = detail::worthwhile_threads(
        all_threads(), detail::saturating_product(net_.multiply_adds(), 6 * batches.largest()));
    std::optional<Step> step;
    std::vector<Index> order;
    Good good;
    shards_.ranks().together([&] {  // memory may be short on one
      step.emplace(net_, shards_, batches, threads);
      order.resize(static_cast<std::size_t>(X.rows()));
      good.keep(state_);
    });
    for (Index epoch = first; epoch < options_.epochs; ++epoch) {
      EpochReport done;
      try {
        done = run_epoch(*step, batches, X, order, epoch, threads, report);
      } catch (...) {
        good.put_back(state_);
        throw;
      }
      if (!detail::is_finite(done.loss) ||
          !detail::all_finite(state_.center.center.data(), net_.code())) {
        report.epochs.push_back(done);
        report.warnings.push_back(detail::not_finite_warning(epoch + 1));
        good.put_back(state_);
        break;
      }
      ++state_.epochs;
      objective_.after_epoch(state_.objective, state_.epochs, [&] { return distances(X); });
      good.keep(state_);
      report.epochs.push_back(done);
      if (!all_go_on(progress, done)) {
        report.stopped = epoch + 1 < options_.epochs;
        break;
      }
    }
    report.center.assign(state_.center.center.begin(), state_.center.center.end());
  }

  bool asked_to_stop() const {
    return options_.stop != nullptr && options_.stop->load(std::memory_order_relaxed);
  }
  /// Asks every rank whether to go on: `progress`, and whether its options say stop. Where `progress` throws on some, all
  /// throw.
  bool all_go_on(Progress progress, const EpochReport& done) {
    detail::Ranks& ranks = shards_.ranks();
    if (ranks.alone()) return progress(done) && !asked_to_stop();
    enum Answer { stops, goes_on, failed };
    Answer here = failed;
    std::exception_ptr failure;
    try {
      here = progress(done) && !asked_to_stop() ? goes_on : stops;
    } catch (...) {
      failure = std::current_exception();
    }
    const auto answers = ranks.numbers(here);
    const auto count = [&](Answer answer) {
      return std::count(answers.begin(), answers.end(), static_cast<std::int64_t>(answer));
    };
    if (count(failed) > 0) ranks.throw_of_any(failure);
    return count(stops) == 0;
  }
  std::vector<double> distances(const detail::AnyRows& X) const {
    const auto mine = detail::squared_distances(network(), state_.scaler, X,
                                                state_.center.center.data(), all_threads());
    const auto all = shards_.gather_rows(mine.data());
    return std::vector<double>(all.begin(), all.end());
  }

  /// The rows of each shard in a new order: drawn from a generator of the shard's own, so that no rank need draw for
  /// the others. One shard is put in order as Trainer does.
  void draw_order(std::vector<Index>& order) {
    std::iota(order.begin(), order.end(), Index(0));
    if (!options_.shuffle) return;
    if (shards_.count() == 1) return state_.order.shuffle(order.data(), order.size());
    const std::uint64_t seed = state_.order.bits();
    const detail::Range mine = shards_.mine();
    for (Index s = mine.first; s < mine.last; ++s) {
      const detail::Range rows = shards_.local_rows_of(s);
      Random(seed, static_cast<std::uint64_t>(s))
          .shuffle(order.data() + rows.first, static_cast<std::size_t>(rows.size()));
    }
  }

  EpochReport run_epoch(Step& step, const detail::ShardBatches& batches, const detail::AnyRows& X,
                        std::vector<Index>& order, Index epoch, int threads, FitReport& report) {
    const auto start = Clock::now();
    draw_order(order);
    const double steps =
        static_cast<double>(batches.count()) * static_cast<double>(options_.epochs);
    std::vector<detail::EpochSums> sums(static_cast<std::size_t>(shards_.count()));
    detail::parallel(threads, [&](const detail::Team& team) {
      if (team.member() == 0) report.threads = team.size();
      Index waiting = -1;
      for (Index b = 0; b < batches.count(); ++b) {
        const double part = static_cast<double>(epoch * batches.count() + b) / steps;
        const double rate =
            options_.adam.learning_rate * std::fma(part, options_.final_rate - 1, 1.0);
        step(team, training(), X, order.data(), b, rate, sums, waiting);
      }
      step.move_center(team, training(), X, order.data(), waiting);
    });
    shards_.ranks().throw_of_any(step.failure());
    step.gather_moments(state_);
    EpochReport done{epoch + 1, options_.epochs};
    sum_of(sums).fill(done, objective_, state_);
    done.seconds = seconds_since(start);
    return done;
  }

  detail::EpochSums sum_of(const std::vector<detail::EpochSums>& sums) const {
    constexpr Index width = 4;
    std::vector<double> table(sums.size() * width);
    for (std::size_t s = 0; s < sums.size(); ++s) {
      const detail::EpochSums& sum = sums[s];
      const double row[width] = {sum.reconstruction, sum.latent, sum.extra,
                                 static_cast<double>(sum.rows)};
      std::copy_n(row, width, table.data() + s * width);
    }
    shards_.sum(table.data(), width);
    return {table[0], table[1], table[2], static_cast<Index>(table[3])};
  }

  /// detail::finish(), with the terms of all ranks' rows.
  std::optional<Detector<Scalar>> finish(const detail::AnyRows& X, FitReport& report) const {
    const auto trained =
        detail::trained_net(net_, state_, state_.parameters, state_.scaler, objective_);
    const auto form = detail::score_form<Scalar>(options_.score);
    detail::PackedNetwork<Scalar> packed = network();
    const detail::RowTerms<Scalar> mine =
        detail::terms_of_rows(packed, trained, form, X, all_threads());
    detail::RowTerms<Scalar> all;
    all.residual = shards_.gather_rows(mine.residual.data());
    all.distance = shards_.gather_rows(mine.distance.data());
    detail::ScoreTerms<Scalar> score = form.terms(trained, all);
    std::vector<double> scores = detail::scores_of_terms(score, trained, all);
    detail::diagnose(diagnosis(trained, mine, all, scores, X), trained.decodes(), report);
    const double threshold = detail::quantile(std::move(scores), options_.training_quantile);
    if (!detail::is_finite(threshold)) return {};

    auto model = std::make_shared<detail::Model<Scalar>>();
    model->members.push_back(detail::Member<Scalar>{
        std::move(packed), state_.parameters, state_.statistics, state_.center.center, state_.gamma,
        std::move(score.reconstruction), std::move(score.latent)});
    model->scaler = state_.scaler;
    model->facts = detail::facts<Scalar>(options_, Objective::name);
    model->facts["shards"] = detail::sentence(shards_.count());
    model->warnings = report.warnings;
    model->feature_names = options_.feature_names;
    return Detector<Scalar>(std::move(model), threshold);
  }

  detail::Diagnosis diagnosis(const detail::TrainedNet<Scalar>& trained,
                              const detail::RowTerms<Scalar>& mine,
                              const detail::RowTerms<Scalar>& all,
                              const std::vector<double>& scores, const detail::AnyRows& X) const {
    const auto& k = detail::kernels::best<Scalar>();
    const double n = static_cast<double>(scores.size());
    detail::Diagnosis seen = detail::Diagnosis::of_scores(scores);
    if (trained.decodes()) {
      seen.residual = detail::mean_of(all.residual, static_cast<double>(net_.inputs()));
      seen.variance = detail::variance_over_shards(shards_, k, state_.scaler, X);
      return seen;
    }
    const Index m = net_.code();
    const Rows<const Scalar> codes(mine.codes.data(), X.rows(), m);
    const detail::AlignedBuffer<Scalar> origin(m);
    seen.residual = static_cast<double>(m) * detail::variance_over_shards<Scalar>(
                                                 shards_, k, detail::Scaler<Scalar>(), codes);
    const auto square = detail::sums_over_shards(shards_, 1, [&](Index i, double* total) {
      *total += static_cast<double>(k.squared_distance(codes.row(i), origin.data(), m));
    });
    seen.variance = square[0] / n;
    return seen;
  }

  Autoencoder<Scalar> net_;
  Options options_;
  Objective objective_;
  detail::Shards shards_;
  State state_;
  std::optional<Detector<Scalar>> detector_;
};

DASVDD_NAMESPACE_END
