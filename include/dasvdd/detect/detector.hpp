#pragma once
/// \file
/// The fitted detector: an immutable value that scores rows.

#include <dasvdd/core/parallel.hpp>
#include <dasvdd/detect/calibration.hpp>
#include <dasvdd/detect/compact.hpp>
#include <dasvdd/detect/explanation.hpp>
#include <dasvdd/detect/false_discovery.hpp>
#include <dasvdd/detect/feature_names.hpp>
#include <dasvdd/detect/row_scorer.hpp>
#include <dasvdd/detect/workspace.hpp>

#include <atomic>

DASVDD_NAMESPACE_BEGIN

/// A fitted detector. Its score is S(x) = r(x) + gamma q(x); larger is more anomalous. predict()
/// returns 1 for an anomaly.
///
/// fit(), fit_images(), Trainer and load() make detectors; there is no unfitted one. A detector never
/// changes and its copies share the model. Any number of threads may score with one const Detector,
/// each with its own Workspace:
/// \code
/// dasvdd::Workspace<float> workspace = detector.make_workspace();  // once a thread
/// detector.score(rows, workspace, scores);  // allocates nothing, uses this thread only
/// \endcode
/// A row's score has the same bits in any batch and for any number of threads. A row so far out that
/// the net overflows gets the score infinity.
///
/// Functions that take rows throw InvalidArgument, and write nothing, for rows of another width or with
/// NaN or infinity. NaN stands for a missing value where training was told to expect some
/// (FitOptions::missing).
template <class Scalar_>
class Detector {
 public:
  using Scalar = Scalar_;

  /// The two terms of each row's score: score[i] == reconstruction[i] + latent[i], to the bit.
  struct ScoreParts {
    detail::Vector<Scalar> reconstruction;  ///< n: the reconstruction term, weight included
    detail::Vector<Scalar> latent;          ///< n: the latent term, gamma included
  };

  /// Called by what makes detectors: Trainer, fit(), load(), ensemble().
  /// \param first_net what the ensemble's first net alone says of the rows that it left out; nothing
  ///   where the calibration's rows were held out of all nets
  Detector(std::shared_ptr<const detail::Model<Scalar>> model, double threshold,
           Calibration calibration = {}, Calibration first_net = {})
      : model_(std::move(model)),
        threshold_(threshold),
        calibration_(std::make_shared<const Calibration>(std::move(calibration))),
        first_net_(std::make_shared<const Calibration>(std::move(first_net))) {
    detail::ensure(model_ && !model_->members.empty(),
                   "a detector needs a model with at least one member");
    detail::ensure(detail::is_finite(threshold), "the threshold is ", threshold,
                   ", expected a finite number");
    for (std::size_t i = 0; i < model_->members.size(); ++i) validate(model_->members[i], i);
    const auto& names = model_->feature_names;
    detail::check_feature_names(names);
    detail::ensure(names.empty() || static_cast<Index>(names.size()) == features(), "there are ",
                   names.size(), " feature names, the net takes ", features(), " features");
    model_->require_fitting_scaler();
  }

  /// Features d a row must have.
  Index features() const { return model_->features(); }
  /// The features' names, d, as training was told (FitOptions::feature_names); empty where it was told
  /// none. Scoring goes by position: who has names compares them. Kept in the model file.
  const std::vector<std::string>& feature_names() const { return model_->feature_names; }
  const detail::Model<Scalar>& model() const { return *model_; }

  /// What training warned of, one sentence each ("net 3: ..." in an ensemble). Empty after a training
  /// in which nothing looked wrong. Kept in the model file.
  const std::vector<std::string>& warnings() const { return model_->warnings; }
  /// Facts kept in the model file: training options, the seed, and those given to save().
  const std::map<std::string, std::string>& facts() const { return model_->facts; }
  /// The instruction set that scores rows: "avx512", "avx2" or "portable".
  const char* kernels() const { return model_->members.front().network.kernels().name; }

  // ---- scores -----------------------------------------------------------------------------------

  /// The score of each row.
  /// \param X n x d
  /// \param threads 0: as many as OpenMP would use
  /// \return n scores
  detail::Vector<Scalar> score(const detail::AnyRows& X, int threads = 0) const {
    detail::require_width(X, features(), "the batch");
    detail::Vector<Scalar> scores(X.rows());
    score_in_parallel(X, threads, {scores.data(), nullptr, nullptr});
    return scores;
  }
  /// The same, written to the caller's memory: scores[i] = S(X row i). Allocates no Eigen matrix.
  /// \param scores room for n numbers
  void score(const detail::AnyRows& X, Scalar* scores, int threads = 0) const {
    detail::require_width(X, features(), "the batch");
    // Into memory of our own first: a bad row may be found after others were scored.
    detail::AlignedBuffer<Scalar> result(X.rows());
    score_in_parallel(X, threads, {result.data(), nullptr, nullptr});
    std::copy_n(result.data(), result.size(), scores);
  }
  /// The two terms of each row's score, n each.
  ScoreParts score_parts(const detail::AnyRows& X, int threads = 0) const {
    detail::require_width(X, features(), "the batch");
    ScoreParts parts{detail::Vector<Scalar>(X.rows()), detail::Vector<Scalar>(X.rows())};
    score_in_parallel(X, threads, {nullptr, parts.reconstruction.data(), parts.latent.data()});
    return parts;
  }

  /// Memory for one thread to score in.
  /// \param rows the largest batch expected; longer ones are scored in parts. 1 saves memory where
  ///   rows come singly.
  /// \param threads more than 1 lets that many threads share a batch of at most 12 rows where the net has
  ///   megabytes of weights (0: as many as OpenMP would use). For those who score such rows one after the
  ///   other with cores to spare; after a pause, which lets threads fall asleep, it gains little. Smaller
  ///   nets and longer batches are scored by the calling thread alone, whatever is given.
  Workspace<Scalar> make_workspace(Index rows = default_tile, int threads = 1) const {
    detail::ensure(rows >= 1, "make_workspace: rows is ", rows, ", expected at least 1");
    return Workspace<Scalar>(model_, (std::min)(rows, default_tile),
                             threads == 1 ? 1 : detail::resolve_threads(threads));
  }
  /// scores[i] = S(X row i), by the calling thread alone unless the workspace says otherwise. Allocates
  /// nothing.
  void score(const detail::AnyRows& X, Workspace<Scalar>& workspace, Scalar* scores) const {
    validate(X, workspace);
    const detail::FloatingPointMode mode;
    detail::score_rows<Scalar>(workspace, X, {scores, nullptr, nullptr});
  }
  /// The score of one row of d numbers, as score() with a workspace.
  Scalar score_one(const float* row, Workspace<Scalar>& workspace) const {
    return score_of({row, 1, features()}, workspace);
  }
  Scalar score_one(const double* row, Workspace<Scalar>& workspace) const {
    return score_of({row, 1, features()}, workspace);
  }

  // ---- decisions --------------------------------------------------------------------------------

  /// A row whose score is above it is called an anomaly.
  double threshold() const { return threshold_; }
  const Calibration& calibration() const { return *calibration_; }

  /// 1 for an anomaly, 0 for a normal row.
  Eigen::VectorXi predict(const detail::AnyRows& X, int threads = 0) const {
    const detail::Vector<Scalar> scores = score(X, threads);
    Eigen::VectorXi labels(scores.size());
    for (Index i = 0; i < scores.size(); ++i) labels[i] = is_anomaly(scores[i]);
    return labels;
  }
  bool is_anomaly(Scalar score) const { return static_cast<double>(score) > threshold_; }

  /// The probability that a normal row scores at least as high; small means anomalous. Detectors of
  /// fit(), fit_images() and calibrated() have p-values; others throw InvalidArgument.
  double p_value(Scalar score) const { return calibration_->p_value(static_cast<double>(score)); }
  /// p-values of many scores.
  Eigen::VectorXd p_value(const detail::Vector<Scalar>& scores) const {
    Eigen::VectorXd values(scores.size());
    for (Index i = 0; i < scores.size(); ++i) values[i] = p_value(scores[i]);
    return values;
  }

  /// Selects anomalies among the rows so that, of those selected, at most about the share `fdr` is
  /// normal: Benjamini & Hochberg's procedure on their p-values. For batches in which some rows are
  /// worth a look and false ones cost. For rows that come one by one see OnlineSelect.
  ///
  /// The rate holds for p-values of calibrated(); for those of fit() it is measured
  /// (docs/results.md). No p-value is below 1 / (calibration rows + 1): of n rows with k anomalies
  /// some are found only with n / (fdr k) calibration rows or more.
  /// \param X n x d
  /// \param fdr the false discovery rate, in (0, 1): 0.1, say
  /// \return n numbers, 1 for a row that is selected
  /// \throws InvalidArgument also where the detector has no p-values
  Eigen::VectorXi select(const detail::AnyRows& X, double fdr, int threads = 0) const {
    detail::require_false_discovery_rate(fdr);
    calibration_->require_scores();
    const Eigen::VectorXd p = p_value(score(X, threads));
    const std::vector<bool> selected =
        detail::benjamini_hochberg(p.data(), static_cast<std::size_t>(p.size()), fdr);
    Eigen::VectorXi labels(p.size());
    for (Index i = 0; i < p.size(); ++i) labels[i] = selected[static_cast<std::size_t>(i)];
    return labels;
  }

  /// The same detector with p-values, and with a threshold that a new normal row exceeds with
  /// probability at most `alarm`.
  /// \param X_held_out n x d, normal rows that were not trained on
  /// \param alarm false_alarm_rate(0.01), say
  /// \throws InvalidArgument where n is too small for the rate
  Detector calibrated(const detail::AnyRows& X_held_out, detail::FalseAlarmRate alarm,
                      int threads = 0) const {
    detail::ensure(X_held_out.rows() > 0, "calibrated: there are no held-out rows");
    std::vector<Scalar> scores(static_cast<std::size_t>(X_held_out.rows()));
    score(X_held_out, scores.data(), threads);
    Calibration calibration(std::vector<double>(scores.begin(), scores.end()));
    const double threshold = calibration.threshold(alarm);
    return Detector(model_, threshold, std::move(calibration));
  }
  /// The same detector with another threshold, a finite number.
  Detector with_threshold(double threshold) const {
    return Detector(model_, threshold, *calibration_, *first_net_);
  }

  /// The detector whose scores a DriftWatch may compare with its calibration(): for a detector of fit()
  /// or fit_images() its first net alone, with that net's scores of the rows that it left out. The
  /// scores of an ensemble and of left-out rows differ a little, which is enough for a long stream to
  /// look changed. A detector of calibrated() is returned as it is: its promise is exact, while here a
  /// row's own part in the score is taken out in closed form, which rows of few different values
  /// (levels alone) can tell.
  /// \code
  /// const auto watched = detector.watched();
  /// dasvdd::DriftWatch watch(watched.calibration().scores());
  /// if (watch.add(watched.score_one(row, workspace_of_watched))) ...  // the stream has changed
  /// \endcode
  /// \throws InvalidArgument where the detector has no p-values
  Detector watched() const {
    calibration_->require_scores();
    if (first_net_->empty()) return *this;
    auto model = std::make_shared<detail::Model<Scalar>>(*model_);
    model->members.erase(model->members.begin() + 1, model->members.end());
    return Detector(std::move(model), first_net_->scores().back(), *first_net_);
  }
  /// What the first net alone says of the rows it left out; empty where watched() is the detector itself.
  const Calibration& first_net_calibration() const { return *first_net_; }

  // ---- looking inside ---------------------------------------------------------------------------

  /// Splits the score of one row of d numbers by feature.
  Explanation explain(const float* row) const { return explanation_of({row, 1, features()}); }
  Explanation explain(const double* row) const { return explanation_of({row, 1, features()}); }
  template <class Derived>
  Explanation explain(const Eigen::DenseBase<Derived>& row) const {
    using Number = typename Derived::Scalar;
    static_assert(std::is_same_v<Number, float> || std::is_same_v<Number, double>,
                  "dasvdd: a row has float or double numbers");
    detail::ensure(row.size() == features(), "explain: the row has ", row.size(),
                   " numbers, expected ", features());
    const detail::Vector<Number> copy = row.derived().reshaped();
    return explain(copy.data());
  }

  /// Nets in the ensemble; 1 where the detector is a single net.
  Index ensemble_size() const { return static_cast<Index>(model_->members.size()); }
  /// The latent code of each row, n x m, by one net of the ensemble. The nets' codes have nothing in
  /// common.
  /// \param X n x d
  /// \param member the net, from 0
  RowMatrix<Scalar> encode(const detail::AnyRows& X, Index member) const {
    RowMatrix<Scalar> codes(X.rows(), net_of(member, "encode").code());
    each_tile(X, member, [&](Index first, const auto& result) {
      codes.middleRows(first, result.code.rows()) = result.code.matrix();
    });
    return codes;
  }
  /// The same for a detector with one net. Throws InvalidArgument where there are more.
  RowMatrix<Scalar> encode(const detail::AnyRows& X) const { return encode(X, only("encode")); }

  /// Each row as one net of the ensemble reconstructs it, n x d, in the units of X. Where the detector
  /// softens images the reconstructions are blurred too: the mean over a neighborhood can't be undone.
  /// \param X n x d
  /// \param member the net, from 0
  /// \throws InvalidArgument also where the net has no decoder
  RowMatrix<Scalar> reconstruct(const detail::AnyRows& X, Index member) const {
    detail::ensure(net_of(member, "reconstruct").has_decoder(), "reconstruct: net ", member,
                   " of the detector has no decoder");
    RowMatrix<Scalar> output(X.rows(), features());
    const auto& k = model_->members.front().network.kernels();
    each_tile(X, member, [&](Index first, const auto& result) {
      for (Index i = 0; i < result.output.rows(); ++i) {
        Scalar* row = output.data() + (first + i) * features();
        X.visit([&](auto rows) {
          model_->scaler.undo(k, rows.row(first + i), features(), result.output.row(i), row);
        });
      }
    });
    return output;
  }
  /// The same for a detector with one net. Throws InvalidArgument where there are more.
  RowMatrix<Scalar> reconstruct(const detail::AnyRows& X) const {
    return reconstruct(X, only("reconstruct"));
  }

  /// The same detector with the weights of its dense layers rounded to bfloat16 (8 significant bits)
  /// and stored in two bytes each. Arithmetic stays in Scalar. It is faster where rows are scored
  /// singly and the net does not fit in a core's cache, because half as many bytes are read
  /// (docs/performance.md). Batches gain nothing and may be slower.
  ///
  /// Scores change by about a thousandth and have the same bits in any batch and for any number of
  /// threads. Threshold and calibration stay. A compacted detector that is saved and loaded has the same
  /// scores, with weights of full size until compacted() is called again.
  Detector compacted() const {
    return Detector(detail::compacted(*model_), threshold_, *calibration_, *first_net_);
  }

 private:
  static constexpr Index default_tile = detail::kernels::batch_tile;

  const Autoencoder<Scalar>& net_of(Index member, const char* what) const {
    detail::ensure(member >= 0 && member < ensemble_size(), what, ": the member is ", member,
                   ", expected one of 0 to ", ensemble_size() - 1);
    return model_->members[static_cast<std::size_t>(member)].network.net();
  }
  Index only(const char* what) const {
    detail::ensure(ensemble_size() == 1, what, ": the detector is an ensemble of ", ensemble_size(),
                   " nets; name the member, ", what, "(X, 0)");
    return 0;
  }

  void validate(const detail::Member<Scalar>& member, std::size_t i) const {
    const Autoencoder<Scalar>& net = member.network.net();
    detail::ensure(net.inputs() == model_->inputs(), "the members of a detector take ",
                   model_->inputs(), " and ", net.inputs(), " features, expected the same number");
    detail::ensure(member.center.size() == net.code(), "the center of member ", i, " has ",
                   member.center.size(), " numbers, its code ", net.code());
    const Index latent = member.decodes_code() ? net.inputs() : net.code();
    detail::ensure(member.reconstruction.size() == net.inputs() && member.latent.size() == latent,
                   "the score terms of member ", i, " are of ", member.reconstruction.size(),
                   " and ", member.latent.size(), " numbers, its net needs ", net.inputs(), " and ",
                   latent);
    detail::ensure(net.has_decoder() || !member.uses_decoder(), "member ", i,
                   " scores by reconstruction, but its net has no decoder");
  }

  void validate(const detail::AnyRows& X, const Workspace<Scalar>& workspace) const {
    detail::ensure(workspace.model_ == model_, "the workspace was made by another detector");
    detail::require_width(X, features(), "the batch");
    if (!all_finite(X)) model_->scaler.validate(X, "the batch");
  }

  bool all_finite(const detail::AnyRows& X) const {
    const auto& k = model_->members.front().network.kernels();
    const auto finite = [&](const auto* numbers, Index n) {
      // Not the other type's kernels: a program with float nets alone has none in double.
      if constexpr (std::is_same_v<decltype(numbers), const Scalar*>) {
        return k.all_finite(numbers, n);
      } else {
        return detail::all_finite(numbers, n);
      }
    };
    return X.visit([&](auto rows) {
      if (rows.stride() == rows.cols()) return finite(rows.data(), rows.rows() * rows.cols());
      for (Index i = 0; i < rows.rows(); ++i) {
        if (!finite(rows.row(i), rows.cols())) return false;
      }
      return true;
    });
  }

  Scalar score_of(const detail::AnyRows& row, Workspace<Scalar>& workspace) const {
    Scalar result;
    score(row, workspace, &result);
    return result;
  }

  Explanation explanation_of(const detail::AnyRows& row) const {
    Workspace<Scalar> workspace = make_workspace(1);
    validate(row, workspace);
    const detail::FloatingPointMode mode;
    Scalar score, reconstruction, latent;
    detail::RowScorer<Scalar>(workspace).score(row, {&score, &reconstruction, &latent});
    return detail::explain_row(*model_, row, static_cast<double>(score),
                               static_cast<double>(reconstruction), static_cast<double>(latent));
  }

  /// Checks each tile just before scoring it, while it is in the cache. A bad row is therefore found
  /// after others were written to `to`, which must not be the caller's memory.
  void score_in_parallel(const detail::AnyRows& X, int threads,
                         detail::ScoreDestination<Scalar> to) const {
    const int available = detail::resolve_threads(threads);
    if (X.rows() > 0 && X.rows() <= detail::most_shared_rows &&
        detail::worthwhile_sharers(*model_, available) > 1) {
      Workspace<Scalar> workspace = make_workspace(X.rows(), available);
      validate(X, workspace);
      detail::score_rows<Scalar>(workspace, X, to);
      return;
    }
    const int team_size = detail::worthwhile_threads(
        available, detail::saturating_product(detail::row_cost(model_->multiply_adds()), X.rows()));
    // No tile larger than a member's share, so that a short batch keeps all members busy.
    const Index share = detail::ceil_div(std::max<Index>(X.rows(), 1), team_size);
    const Index tile = (std::min)(default_tile, detail::round_up(share, detail::kernels::row_unit));
    const Index tiles = detail::ceil_div(X.rows(), tile);
    std::vector<Workspace<Scalar>> workspaces;
    for (int i = 0; i < team_size; ++i) workspaces.push_back(Workspace<Scalar>(model_, tile));
    std::atomic<bool> finite{true};
    detail::parallel(team_size, [&](const detail::Team& team) {
      detail::RowScorer<Scalar> scorer(workspaces[static_cast<std::size_t>(team.member())]);
      const detail::Range mine = team.share(tiles);
      team.guard([&] {
        for (Index t = mine.first; t < mine.last && finite; ++t) {
          const Index first = t * tile;
          const detail::AnyRows x = X.middle_rows(first, (std::min)(tile, X.rows() - first));
          if (all_finite(x) || model_->scaler.takes(x)) {
            scorer.score(x, to.from(first));
          } else {
            finite = false;
          }
        }
      });
    });
    if (!finite) model_->scaler.validate(X, "the batch");
  }

  /// Calls f(first row, latent codes and outputs of the member) for each tile of X.
  template <class F>
  void each_tile(const detail::AnyRows& X, Index member, F&& f) const {
    Workspace<Scalar> workspace = make_workspace();
    validate(X, workspace);
    const detail::FloatingPointMode mode;
    detail::RowScorer<Scalar>(workspace).each_tile(X, static_cast<std::size_t>(member), f);
  }

  std::shared_ptr<const detail::Model<Scalar>> model_;
  double threshold_;
  std::shared_ptr<const Calibration> calibration_, first_net_;
};

DASVDD_NAMESPACE_END
