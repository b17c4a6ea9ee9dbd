#pragma once
/// \file
/// The fitted detector: an immutable value that scores rows.

#include <dasvdd/core/parallel.hpp>
#include <dasvdd/detect/calibration.hpp>
#include <dasvdd/detect/explanation.hpp>
#include <dasvdd/detect/workspace.hpp>

#include <atomic>

DASVDD_NAMESPACE_BEGIN

/// The two shares of each row's score; score[i] == reconstruction[i] + latent[i], to the bit.
template <class Scalar>
struct ScoreParts {
  Vector<Scalar> reconstruction;  ///< n: the reconstruction term, weight included
  Vector<Scalar> latent;          ///< n: the latent term, gamma included
};

/// A fitted detector: S(x) = r(x) + gamma q(x), larger is more anomalous; predict: 1 is an anomaly.
///
/// There is no unfitted one: Trainer, fit() and load() make detectors. It never changes, copies
/// share the model, and any number of threads may score with one const Detector, each with a
/// Workspace of its own:
/// \code
/// dasvdd::Workspace<float> workspace = detector.make_workspace();  // once a thread
/// detector.score(rows, workspace, scores);  // allocates nothing, uses this thread only
/// \endcode
/// A row's score is the same to the bit whatever batch it comes in and however many threads work.
/// A row so far out that the net overflows gets the score infinity. Rows with NaN or infinity are
/// refused.
template <class Scalar_>
class Detector {
 public:
  using Scalar = Scalar_;

  /// For those who make detectors (Trainer, load, ensemble); others get theirs from them.
  Detector(std::shared_ptr<const Model<Scalar>> model, double threshold,
           Calibration calibration = {})
      : model_(std::move(model)),
        threshold_(threshold),
        calibration_(std::make_shared<const Calibration>(std::move(calibration))) {
    detail::require(model_ && !model_->members.empty(),
                    "a detector needs a model with at least one member");
    detail::require(detail::is_finite(threshold), "the threshold is ", threshold,
                    ", expected a finite number");
    for (std::size_t i = 0; i < model_->members.size(); ++i) check(model_->members[i], i);
    detail::require(model_->scaler.features() == 0 || model_->scaler.features() == features(),
                    "the scaler is for ", model_->scaler.features(), " features, the net takes ",
                    features());
  }

  /// Features d a row must have.
  Index features() const { return model_->features(); }
  const Model<Scalar>& model() const { return *model_; }
  const std::shared_ptr<const Model<Scalar>>& shared_model() const { return model_; }

  // ---- scores -----------------------------------------------------------------------------------

  /// One score a row of X (n x d), by `threads` threads (0: what OpenMP would use).
  Vector<Scalar> score(Rows<const Scalar> X, int threads = 0) const {
    Vector<Scalar> scores(X.rows());
    score_in_parallel(X, threads, {scores.data(), nullptr, nullptr});
    return scores;
  }
  /// The same into memory of the caller's own: scores[i] = S(X row i).
  void score(Rows<const Scalar> X, Scalar* scores, int threads = 0) const {
    const Vector<Scalar> result = score(X, threads);
    std::copy_n(result.data(), result.size(), scores);
  }
  /// Each score's two shares.
  ScoreParts<Scalar> score_parts(Rows<const Scalar> X, int threads = 0) const {
    ScoreParts<Scalar> parts{Vector<Scalar>(X.rows()), Vector<Scalar>(X.rows())};
    score_in_parallel(X, threads, {nullptr, parts.reconstruction.data(), parts.latent.data()});
    return parts;
  }

  /// Buffers for one thread.
  /// \param rows the largest batch they will usually see: one-row services save memory with 1
  Workspace<Scalar> make_workspace(Index rows = default_tile) const {
    detail::require(rows >= 1, "make_workspace: rows is ", rows, ", expected at least 1");
    return Workspace<Scalar>(model_, std::min(rows, default_tile));
  }
  /// scores[i] = S(X row i), by the calling thread alone, without allocating.
  void score(Rows<const Scalar> X, Workspace<Scalar>& workspace, Scalar* scores) const {
    check(X, workspace);
    const FloatingPointMode mode;
    score_rows(X, workspace, {scores, nullptr, nullptr});
  }
  /// The score of one row of d numbers, by the calling thread alone, without allocating.
  Scalar score_one(const Scalar* row, Workspace<Scalar>& workspace) const {
    Scalar result;
    score(Rows<const Scalar>(row, 1, features()), workspace, &result);
    return result;
  }

  // ---- decisions --------------------------------------------------------------------------------

  /// Scores above it are anomalies.
  double threshold() const { return threshold_; }
  const Calibration& calibration() const { return *calibration_; }

  /// 1 for an anomaly, 0 for a normal row.
  Eigen::VectorXi predict(Rows<const Scalar> X, int threads = 0) const {
    const Vector<Scalar> scores = score(X, threads);
    Eigen::VectorXi labels(scores.size());
    for (Index i = 0; i < scores.size(); ++i) labels[i] = is_anomaly(scores[i]);
    return labels;
  }
  bool is_anomaly(Scalar score) const { return static_cast<double>(score) > threshold_; }

  /// The chance that a normal row scores at least as high, after calibrated(); small means
  /// anomalous.
  double p_value(Scalar score) const { return calibration_->p_value(static_cast<double>(score)); }
  /// p-values of many scores.
  Eigen::VectorXd p_value(const Vector<Scalar>& scores) const {
    Eigen::VectorXd values(scores.size());
    for (Index i = 0; i < scores.size(); ++i) values[i] = p_value(scores[i]);
    return values;
  }

  /// The same detector with a threshold that new normal rows pass with probability at most `alarm`,
  /// and with p-values.
  /// \param X_held_out normal rows that training has not seen
  Detector calibrated(Rows<const Scalar> X_held_out, FalseAlarmRate alarm, int threads = 0) const {
    detail::require(X_held_out.rows() > 0, "calibrated: there are no held-out rows");
    std::vector<Scalar> scores(static_cast<std::size_t>(X_held_out.rows()));
    score(X_held_out, scores.data(), threads);
    Calibration calibration(std::vector<double>(scores.begin(), scores.end()));
    const double threshold = calibration.threshold(alarm);
    return Detector(model_, threshold, std::move(calibration));
  }
  /// The same detector with a threshold of the caller's own.
  Detector with_threshold(double threshold) const {
    return Detector(model_, threshold, *calibration_);
  }

  // ---- looking inside ---------------------------------------------------------------------------

  /// Takes the score of one row of d numbers apart.
  Explanation explain(const Scalar* row) const {
    Workspace<Scalar> workspace = make_workspace(1);
    const Rows<const Scalar> X(row, 1, features());
    check(X, workspace);
    const FloatingPointMode mode;
    Explanation e;
    e.features.assign(static_cast<std::size_t>(features()), 0);
    e.residual.assign(static_cast<std::size_t>(features()), 0);
    const double members = static_cast<double>(model_->members.size());
    const Rows<const Scalar> x = scaled_tile(X, workspace);
    for (std::size_t i = 0; i < model_->members.size(); ++i) {
      const auto& member = model_->members[i];
      const auto result = member.network.forward(x, workspace.forward_[i], uses_decoder(member));
      if (uses_decoder(member)) {
        std::vector<double> residual;
        shares(member, member.reconstruction, result.output, x.data(), workspace, members,
               e.features, residual);
        for (std::size_t j = 0; j < residual.size(); ++j) e.residual[j] += residual[j] / members;
      }
      std::vector<double> code, offset;
      shares(member, member.latent, result.code, member.center.data(), workspace, members, code,
             offset);
      // Codes of different members have nothing in common but their place in the list.
      e.code.insert(e.code.end(), code.begin(), code.end());
      e.offset.insert(e.offset.end(), offset.begin(), offset.end());
    }
    Scalar score, reconstruction, latent;
    score_rows(X, workspace, {&score, &reconstruction, &latent});
    e.score = static_cast<double>(score);
    e.reconstruction = static_cast<double>(reconstruction);
    e.latent = static_cast<double>(latent);
    return e;
  }
  template <class Derived>
  Explanation explain(const Eigen::DenseBase<Derived>& row) const {
    static_assert(std::is_same_v<typename Derived::Scalar, Scalar>,
                  "dasvdd: the row has another scalar type");
    detail::require(row.size() == features(), "explain: the row has ", row.size(),
                    " numbers, expected ", features());
    const Vector<Scalar> copy = row.derived().reshaped();
    return explain(copy.data());
  }

  /// Latent codes of the first member, n x m.
  RowMatrix<Scalar> encode(Rows<const Scalar> X) const {
    RowMatrix<Scalar> codes(X.rows(), model_->members.front().network.net().code());
    each_tile(X, [&](Index first, const auto& result) {
      codes.middleRows(first, result.code.rows()) = result.code.matrix();
    });
    return codes;
  }
  /// Reconstructions by the first member, n x d, in the net's units (standardized where the
  /// detector scales).
  RowMatrix<Scalar> reconstruct(Rows<const Scalar> X) const {
    detail::require(model_->members.front().network.net().has_decoder(),
                    "this detector has no decoder");
    RowMatrix<Scalar> output(X.rows(), features());
    each_tile(X, [&](Index first, const auto& result) {
      output.middleRows(first, result.output.rows()) = result.output.matrix();
    });
    return output;
  }

 private:
  /// Large enough to read the weights seldom, small enough that a tile's activations stay in a
  /// core's cache; a multiple of every kernel's rows in registers.
  static constexpr Index default_tile = 96;

  struct Destination {
    Scalar *score, *reconstruction, *latent;  ///< each may be null
    Destination from(Index i) const {
      return {score ? score + i : nullptr, reconstruction ? reconstruction + i : nullptr,
              latent ? latent + i : nullptr};
    }
  };

  static bool uses_decoder(const Member<Scalar>& member) {
    return member.reconstruction.weight() > 0;
  }

  void check(const Member<Scalar>& member, std::size_t i) const {
    const Autoencoder<Scalar>& net = member.network.net();
    detail::require(net.inputs() == features(), "the members of a detector take ", features(),
                    " and ", net.inputs(), " features, expected the same number");
    detail::require(member.center.size() == net.code(), "the center of member ", i, " has ",
                    member.center.size(), " numbers, its code ", net.code());
    detail::require(
        member.reconstruction.size() == net.inputs() && member.latent.size() == net.code(),
        "the score terms of member ", i, " are for ", member.reconstruction.size(),
        " features and a code of ", member.latent.size(), ", its net has ", net.inputs(), " and ",
        net.code());
    detail::require(net.has_decoder() || !uses_decoder(member), "member ", i,
                    " scores by reconstruction, but its net has no decoder");
  }

  void check(Rows<const Scalar> X, const Workspace<Scalar>& workspace) const {
    detail::require(workspace.model_ == model_, "the workspace was made by another detector");
    detail::require_width(X, features(), "the batch");
    if (!all_finite(X)) detail::require_finite(X, "the batch");
  }

  bool all_finite(Rows<const Scalar> X) const {
    const auto& k = model_->members.front().network.kernels();
    if (X.stride() == X.cols()) return k.all_finite(X.data(), X.rows() * X.cols());
    for (Index i = 0; i < X.rows(); ++i) {
      if (!k.all_finite(X.row(i), X.cols())) return false;
    }
    return true;
  }

  /// Each tile is checked just before it is scored, while it is in the cache, so `to` is memory of our own: of
  /// bad rows the caller must see the sentence only.
  void score_in_parallel(Rows<const Scalar> X, int threads, Destination to) const {
    detail::require_width(X, features(), "the batch");
    const int team_size = detail::worthwhile_threads(resolve_threads(threads),
                                                     detail::row_cost(multiply_adds()) * X.rows());
    // No tile larger than a member's share, so that a short batch keeps all members busy.
    const Index share = detail::ceil_div(std::max<Index>(X.rows(), 1), team_size);
    const Index tile = std::min(default_tile, detail::round_up(share, 12));
    const Index tiles = detail::ceil_div(X.rows(), tile);
    std::vector<Workspace<Scalar>> workspaces;
    for (int i = 0; i < team_size; ++i) workspaces.push_back(Workspace<Scalar>(model_, tile));
    std::atomic<bool> finite{true};
    parallel(team_size, [&](const Team& team) {
      Workspace<Scalar>& w = workspaces[static_cast<std::size_t>(team.member())];
      const Range mine = team.share(tiles);
      team.guard([&] {
        for (Index t = mine.first; t < mine.last && finite; ++t) {
          const Index first = t * tile;
          const Rows<const Scalar> x = X.middle_rows(first, std::min(tile, X.rows() - first));
          if (all_finite(x)) {
            score_tile(x, w, to.from(first));
          } else {
            finite = false;
          }
        }
      });
    });
    if (!finite) detail::require_finite(X, "the batch");
  }

  /// Multiply-adds that one row costs.
  Index multiply_adds() const {
    Index sum = 0;
    for (const auto& member : model_->members) {
      sum += member.network.net().multiply_adds();
      if (member.reconstruction.whitened()) sum += features() * features();
    }
    return sum;
  }

  Rows<const Scalar> scaled_tile(Rows<const Scalar> X, Workspace<Scalar>& w) const {
    const auto& k = model_->members.front().network.kernels();
    for (Index i = 0; i < X.rows(); ++i) {
      model_->scaler.apply(k, X.row(i), features(), w.rows_.data() + i * w.stride_);
    }
    return {w.rows_.data(), X.rows(), features(), w.stride_};
  }

  void score_rows(Rows<const Scalar> X, Workspace<Scalar>& w, Destination to) const {
    for (Index first = 0; first < X.rows(); first += w.tile_) {
      const Index count = std::min(w.tile_, X.rows() - first);
      score_tile(X.middle_rows(first, count), w, to.from(first));
    }
  }

  /// The hot path: scale, forward, two terms; an ensemble's score is the mean of its members'.
  void score_tile(Rows<const Scalar> X, Workspace<Scalar>& w, Destination to) const {
    double* term = w.terms_.data();
    double* reconstruction = term + w.tile_;
    double* latent = reconstruction + w.tile_;
    std::fill_n(reconstruction, 2 * w.tile_, 0.0);
    Index done = 0;
    if (!w.narrow_.input.empty()) {
      const Index panel = model_->members.front().network.kernels().panel;
      done = X.rows() / panel * panel;
      if (done > 0) narrow_terms(X.middle_rows(0, done), w, term, reconstruction, latent);
    }
    if (done < X.rows()) {
      terms(X.middle_rows(done, X.rows() - done), w, term, reconstruction + done, latent + done);
    }
    if (model_->members.size() > 1) {
      const double members = static_cast<double>(model_->members.size());
      for (Index r = 0; r < X.rows(); ++r) {
        reconstruction[r] /= members;
        latent[r] /= members;
      }
    }
    // A NaN comes from a net that overflowed on a row far away from all it has seen: the most
    // anomalous score there is.
    const auto& k = model_->members.front().network.kernels();
    if (to.reconstruction) k.scores(reconstruction, nullptr, X.rows(), to.reconstruction);
    if (to.latent) k.scores(latent, nullptr, X.rows(), to.latent);
    if (to.score) k.scores(reconstruction, latent, X.rows(), to.score);
  }

  /// Adds every member's two terms of each row of X.
  /// \param term scratch for one term of the tile
  void terms(Rows<const Scalar> X, Workspace<Scalar>& w, double* term, double* reconstruction,
             double* latent) const {
    const Rows<const Scalar> x = scaled_tile(X, w);
    for (std::size_t i = 0; i < model_->members.size(); ++i) {
      const auto& member = model_->members[i];
      const auto& k = member.network.kernels();
      const auto result = member.network.forward(x, w.forward_[i], uses_decoder(member));
      if (uses_decoder(member)) {
        add_term(i, x.rows(), reconstruction, term, [&](double* out) {
          member.reconstruction.evaluate(k, result.output, x.data(), x.stride(), w.scratch_.data(),
                                         out);
        });
      }
      if (member.latent.weight() > 0) {
        add_term(i, x.rows(), latent, term, [&](double* out) {
          member.latent.evaluate(k, result.code, member.center.data(), 0, w.scratch_.data(), out);
        });
      }
    }
  }

  /// The same for whole strips of rows, to the same bits, by the executor of narrow nets.
  void narrow_terms(Rows<const Scalar> X, Workspace<Scalar>& w, double* term,
                    double* reconstruction, double* latent) const {
    const Index rows = X.rows();
    const auto& k = model_->members.front().network.kernels();
    const Index strips = rows / k.panel;
    detail::NarrowBuffers<Scalar>& b = w.narrow_;
    const Rows<const Scalar> x = model_->scaler.empty() ? X : scaled_tile(X, w);
    k.pack_rows(x.data(), x.stride(), rows, features(), b.input.data());
    for (std::size_t i = 0; i < model_->members.size(); ++i) {
      const auto& member = model_->members[i];
      const bool decode = uses_decoder(member);
      const Scalar* output = detail::narrow_forward(k, member.network.net(),
                                                    member.parameters.data(), decode, strips, b);
      if (decode) {
        add_term(i, rows, reconstruction, term, [&](double* out) {
          member.reconstruction.evaluate_strips(k, output, b.input.data(), false, strips, out);
        });
      }
      if (member.latent.weight() > 0) {
        add_term(i, rows, latent, term, [&](double* out) {
          member.latent.evaluate_strips(k, b.code.data(), member.center.data(), true, strips, out);
        });
      }
    }
  }

  /// Adds a term to the sums over members, given as evaluate(where to put it); `scratch` is for one term.
  template <class F>
  static void add_term(std::size_t member, Index rows, double* sums, double* scratch,
                       F&& evaluate) {
    if (member == 0) {
      evaluate(sums);
      return;
    }
    evaluate(scratch);
    for (Index r = 0; r < rows; ++r) sums[r] += scratch[r];
  }

  /// Adds e_j (A^T A e)_j weight / (divisor members), term(e)'s share of entry j, and sets
  /// `difference` to e.
  void shares(const Member<Scalar>& member, const ScoreTerm<Scalar>& term, Rows<const Scalar> a,
              const Scalar* b, Workspace<Scalar>& w, double members, std::vector<double>& share,
              std::vector<double>& difference) const {
    const std::size_t size = static_cast<std::size_t>(term.size());
    const double factor = term.weight() / (term.divisor() * members);
    share.resize(size, 0);
    difference.resize(size, 0);
    std::vector<double> metric(size);
    for (std::size_t j = 0; j < size; ++j) {
      difference[j] = static_cast<double>(a(0, static_cast<Index>(j))) - static_cast<double>(b[j]);
      metric[j] = difference[j];
    }
    if (term.whitened()) {
      term.whiten(member.network.kernels(), a, b, 0, w.scratch_.data());
      const Scalar* white = w.scratch_.data() + detail::padded_stride<Scalar>(term.size());
      for (std::size_t j = 0; j < size; ++j) {
        metric[j] = 0;
        for (std::size_t i = 0; i < size; ++i) {
          metric[j] =
              std::fma(static_cast<double>(term.whitening()[static_cast<Index>(i * size + j)]),
                       static_cast<double>(white[i]), metric[j]);
        }
      }
    }
    for (std::size_t j = 0; j < size; ++j)
      share[j] = std::fma(factor * difference[j], metric[j], share[j]);
  }

  /// Calls f(first row, result of the first member) for each tile of X.
  template <class F>
  void each_tile(Rows<const Scalar> X, F&& f) const {
    Workspace<Scalar> w = make_workspace();
    check(X, w);
    const FloatingPointMode mode;
    for (Index first = 0; first < X.rows(); first += w.tile_) {
      const Rows<const Scalar> x =
          scaled_tile(X.middle_rows(first, std::min(w.tile_, X.rows() - first)), w);
      f(first, model_->members.front().network.forward(x, w.forward_.front()));
    }
  }

  std::shared_ptr<const Model<Scalar>> model_;
  double threshold_;
  std::shared_ptr<const Calibration> calibration_;
};

DASVDD_NAMESPACE_END
