#pragma once
/// \file
/// How a row is scored: the hot path.

#include <dasvdd/detect/forward_rows.hpp>
#include <dasvdd/detect/workspace.hpp>

#include <algorithm>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// Where the scores of a batch go; each may be null.
template <class Scalar>
struct ScoreDestination {
  Scalar *score, *reconstruction, *latent;

  ScoreDestination from(Index i) const {
    return {score ? score + i : nullptr, reconstruction ? reconstruction + i : nullptr,
            latent ? latent + i : nullptr};
  }
};

/// Scores rows in a workspace with the model it was made for, by the calling thread alone or by the members
/// of a team, who share out the strips of every dense layer. Each tile of rows is scaled, goes through every
/// net of the model and gets its two terms. Allocates nothing. The
/// caller has checked that rows are finite and of the model's width, and holds a FloatingPointMode.
template <class Scalar>
class RowScorer {
 public:
  /// \param team whose members all make a scorer of the same workspace and call score() alike
  explicit RowScorer(Workspace<Scalar>& workspace, const Team& team = Team())
      : model_(*workspace.model_),
        w_(workspace),
        k_(model_.members.front().network.kernels()),
        team_(team) {}

  void score(const AnyRows& X, ScoreDestination<Scalar> to) {
    for (Index first = 0; first < X.rows(); first += w_.tile_) {
      score_tile(tile_of(X, first), to.from(first));
    }
  }

  /// Calls f(first row, latent codes and outputs of a member) for each tile of X.
  template <class F>
  void each_tile(const AnyRows& X, std::size_t member, F&& f) {
    for (Index first = 0; first < X.rows(); first += w_.tile_) {
      const Rows<const Scalar> x = scaled(tile_of(X, first));
      f(first, model_.members[member].network.forward(x, w_.forward_));
    }
  }

 private:
  AnyRows tile_of(const AnyRows& X, Index first) const {
    return X.middle_rows(first, (std::min)(w_.tile_, X.rows() - first));
  }

  Rows<const Scalar> scaled(const AnyRows& X) {
    if (leads()) model_.scaler.apply(k_, X, w_.rows_.data(), w_.stride_);
    team_.barrier();
    return {w_.rows_.data(), X.rows(), model_.inputs(), w_.stride_};
  }

  /// Whether the calling thread does what only one member of the team may do.
  bool leads() const { return team_.member() == 0; }

  /// An ensemble's score is the mean of its members'.
  void score_tile(const AnyRows& X, ScoreDestination<Scalar> to) {
    double* term = w_.terms_.data();
    double* reconstruction = term + w_.tile_;
    double* latent = reconstruction + w_.tile_;
    if (leads()) std::fill_n(reconstruction, 2 * w_.tile_, 0.0);
    Index done = 0;
    if (!w_.narrow_.input.empty() && team_.size() == 1 && !lacks(X)) {
      done = X.rows() / k_.panel * k_.panel;
      if (done > 0) narrow_terms(X.middle_rows(0, done), term, reconstruction, latent);
    }
    if (done < X.rows()) {
      terms(X.middle_rows(done, X.rows() - done), term, reconstruction + done, latent + done);
    }
    if (!leads()) return;
    if (model_.members.size() > 1) {
      const double members = static_cast<double>(model_.members.size());
      for (Index r = 0; r < X.rows(); ++r) {
        reconstruction[r] /= members;
        latent[r] /= members;
      }
    }
    // NaN means that the net overflowed on a row far from all it has seen: scores() makes it infinity.
    if (to.reconstruction) k_.scores(reconstruction, nullptr, X.rows(), to.reconstruction);
    if (to.latent) k_.scores(latent, nullptr, X.rows(), to.latent);
    if (to.score) k_.scores(reconstruction, latent, X.rows(), to.score);
  }

  /// Adds every member's two terms of each row of X.
  /// \param term scratch for one term of the tile
  void terms(const AnyRows& X, double* term, double* reconstruction, double* latent) {
    const Rows<const Scalar> x = scaled(X);
    const bool lacking = lacks(X);
    for (std::size_t i = 0; i < model_.members.size(); ++i) {
      const auto& member = model_.members[i];
      const auto result = member.network.forward(x, w_.forward_, member.uses_decoder(), team_);
      if (leads() && member.uses_decoder()) {
        add_term(i, x.rows(), reconstruction, term, [&](double* out) {
          if (lacking) leave_no_residual(X, result.output, w_.rows_.data(), w_.stride_);
          member.reconstruction.evaluate(k_, result.output, x.data(), x.stride(),
                                         w_.scratch_.data(), out);
          if (lacking) {
            mask(X, member.reconstruction, out);
            put_zeros_back(X);
          }
        });
      }
      if (leads() && member.latent.weight() > 0) {
        add_term(i, x.rows(), latent, term, [&](double* out) {
          member.latent.evaluate(k_, member.decodes_code() ? result.output : result.code,
                                 member.center.data(), 0, w_.scratch_.data(), out);
        });
      }
      team_.barrier();  // the next net's results take the place of these
    }
  }

  /// Whether some of the rows lack values that are to be masked.
  bool lacks(const AnyRows& X) const {
    return model_.scaler.masks() && !X.visit([](auto rows) {
      for (Index i = 0; i < rows.rows(); ++i) {
        if (!all_finite(rows.row(i), rows.cols())) return false;
      }
      return true;
    });
  }
  /// What the next net gets in place of missing values, after leave_no_residual().
  void put_zeros_back(const AnyRows& X) {
    X.visit([&](auto rows) {
      for (Index i = 0; i < rows.rows(); ++i) {
        for (Index j = 0; j < rows.cols(); ++j) {
          if (is_missing(rows(i, j))) w_.rows_[i * w_.stride_ + j] = 0;
        }
      }
    });
  }
  /// The terms of rows that lack values, from what evaluate() made of them.
  void mask(const AnyRows& X, const ScoreTerm<Scalar>& term, double* out) {
    X.visit([&](auto rows) {
      for (Index i = 0; i < rows.rows(); ++i) {
        Index count = 0;
        for (Index j = 0; j < rows.cols(); ++j) {
          if (is_missing(rows(i, j))) w_.missing_[count++] = j;
        }
        if (count == 0) continue;
        out[i] = term.masked(out[i], i, rows.rows(), w_.scratch_.data(), w_.missing_.data(), count,
                             w_.masked_.data());
      }
    });
  }

  /// The same for whole strips of rows, to the same bits, by the executor of narrow nets.
  void narrow_terms(const AnyRows& X, double* term, double* reconstruction, double* latent) {
    const Index rows = X.rows();
    const Index strips = rows / k_.panel;
    NarrowBuffers<Scalar>& b = w_.narrow_;
    const bool as_they_are = model_.scaler.empty() && X.holds<Scalar>();
    const Rows<const Scalar> x = as_they_are ? X.as<Scalar>() : scaled(X);
    k_.pack_rows(x.data(), x.stride(), rows, x.cols(), b.input.data());
    for (std::size_t i = 0; i < model_.members.size(); ++i) {
      const auto& member = model_.members[i];
      const bool decode = member.uses_decoder();
      const Scalar* output =
          narrow_forward(k_, member.network.net(), member.parameters.data(), decode, strips, b);
      if (decode) {
        add_term(i, rows, reconstruction, term, [&](double* out) {
          member.reconstruction.evaluate_strips(k_, output, b.input.data(), false, strips, out);
        });
      }
      if (member.latent.weight() > 0) {
        add_term(i, rows, latent, term, [&](double* out) {
          member.latent.evaluate_strips(k_, b.code.data(), member.center.data(), true, strips, out);
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

  const Model<Scalar>& model_;
  Workspace<Scalar>& w_;
  const kernels::Table<Scalar>& k_;
  Team team_;
};

/// Scores rows in a workspace, by as many threads as it was made for where they are few rows of a big net.
template <class Scalar>
void score_rows(Workspace<Scalar>& workspace, const AnyRows& X, ScoreDestination<Scalar> to) {
  const int threads = workspace.threads(X.rows());
  if (threads < 2) {
    RowScorer<Scalar>(workspace).score(X, to);
    return;
  }
  parallel(threads, [&](const Team& team) { RowScorer<Scalar>(workspace, team).score(X, to); });
}

}  // namespace detail
DASVDD_NAMESPACE_END
