#pragma once
/// \file
/// What a training minimizes: the contract of an objective, and its usual answers.

#include <dasvdd/core/parallel.hpp>
#include <dasvdd/kernels/table.hpp>

#include <cmath>

DASVDD_NAMESPACE_BEGIN

/// Base of all objectives. A class derived from it says how the two terms of a row,
///     r(x) = ||xhat - x||^2 / d   and   q(x) = ||z - c||^2,
/// become a loss, and changes those of the answers below that differ for it. `Trainer` takes it as
/// its second template argument.
/// \code
/// template <class Scalar>
/// struct Doubled : dasvdd::Objective<Scalar> {  // L = mean of 2 r(x)
///   using typename dasvdd::Objective<Scalar>::Input;
///   using typename dasvdd::Objective<Scalar>::Output;
///   using typename dasvdd::Objective<Scalar>::State;
///   static constexpr const char* name = "doubled";  // for sentences and the model file
///   void operator()(const Input& in, const State&, const Output& out) const {
///     in.reconstruction_term(2, out);
///     in.latent_term(0, out);
///   }
///   double reconstruction_weight() const { return 2; }   // of r in the loss and the score
///   double latent_weight(double) const { return 0; }     // of q, given gamma
/// };
/// \endcode
template <class Scalar_>
class Objective {
 public:
  using Scalar = Scalar_;

  /// What an objective writes: the terms of each row, and the gradients of the mean loss over the n
  /// rows of the mini-batch.
  struct Output {
    Scalar* reconstruction;        ///< n: r(x)
    Scalar* latent;                ///< n: q(x)
    Rows<Scalar> output_gradient;  ///< n x d: dL/d(xhat)
    /// n x m: dL/dz, without the share that comes back through the decoder
    Rows<Scalar> latent_gradient;
  };

  /// What it reads: the rows of a mini-batch's network step, and what the net made of them. The
  /// rows `first` to `last - 1` are those to write; threads share the others.
  struct Input {
    Rows<const Scalar> x;       ///< n x d
    Rows<const Scalar> output;  ///< n x d: the reconstruction xhat
    Rows<const Scalar> code;    ///< n x m: the latent code z
    const Scalar* center;       ///< m
    double gamma;
    Index first, last;
    const detail::kernels::Table<Scalar>* kernels;  ///< behind the two functions below
    /// n: d over the values that the row has, null where no row lacks one. Where one is missing, `output` is `x`.
    const Scalar* widening = nullptr;

    /// Writes r, and its gradient times `weight`: weight 2 (xhat - x) / (d n).
    void reconstruction_term(double weight, const Output& out) const {
      const Index d = x.cols();
      const Scalar scale = static_cast<Scalar>(2 * weight / static_cast<double>(d * x.rows()));
      for (Index i = first; i < last; ++i) {
        out.reconstruction[i] =
            kernels->squared_distance(output.row(i), x.row(i), d) / static_cast<Scalar>(d);
        const Scalar more = widening ? widening[i] : Scalar(1);
        out.reconstruction[i] *= more;
        kernels->scaled_difference(output.row(i), x.row(i), scale * more, d,
                                   out.output_gradient.row(i));
      }
    }
    /// Writes q, and its gradient times `weight`: weight 2 (z - c) / n.
    void latent_term(double weight, const Output& out) const {
      const Index m = code.cols();
      const Scalar scale = static_cast<Scalar>(2 * weight / static_cast<double>(x.rows()));
      for (Index i = first; i < last; ++i) {
        out.latent[i] = kernels->squared_distance(code.row(i), center, m);
        kernels->scaled_difference(code.row(i), center, scale, m, out.latent_gradient.row(i));
      }
    }
  };

  /// Means over the rows of an epoch's network steps.
  struct Means {
    double reconstruction = 0;  ///< of r
    double latent = 0;          ///< of q
    double extra = 0;           ///< of what extra() gives
  };

  /// What the objective remembers from epoch to epoch, besides the net and the center: a value,
  /// part of the trainer's state. One that remembers something has a State of its own, and the
  /// next three functions with it.
  struct State {};
  /// What a row adds to Means::extra, from its q.
  template <class AnyState>
  double extra(Scalar, const AnyState&) const {
    return 0;
  }
  /// The loss of rows with these means, given the weights of r and q.
  template <class AnyState>
  double loss(const Means& means, double r_weight, double q_weight, const AnyState&) const {
    return std::fma(q_weight, means.latent, r_weight * means.reconstruction);
  }
  /// After each epoch.
  /// \param epochs how many are done
  /// \param distances called as distances(): q of all training rows, a std::vector<double>
  template <class AnyState, class Distances>
  void after_epoch(AnyState&, Index epochs, Distances&& distances) const {
    (void)epochs, (void)distances;
  }

  /// Whether the trainer estimates gamma before it starts.
  static constexpr bool estimates_gamma = false;
  /// Whether there are center steps, which take the rows of a mini-batch behind the first kappa B.
  static constexpr bool moves_center = false;
  /// Whether loss and score need the decoder. Without it the net has none.
  static constexpr bool uses_decoder = true;
  /// Whether the net may have biases.
  static constexpr bool allows_biases = true;
  /// Whether the center starts on the untrained net's mean code instead of a normal draw. The
  /// objective then has start_center, see DeepSvdd.
  static constexpr bool starts_center = false;
};

DASVDD_NAMESPACE_END
