#pragma once
/// \file
/// The two terms every objective here is made of, row by row, with their gradients.

#include <dasvdd/core/parallel.hpp>
#include <dasvdd/kernels/table.hpp>

DASVDD_NAMESPACE_BEGIN

/// What an objective reads: a mini-batch's network share and what the net made of it.
template <class Scalar>
struct ObjectiveInput {
  Rows<const Scalar> x;       ///< n x d
  Rows<const Scalar> output;  ///< n x d, the reconstruction xhat
  Rows<const Scalar> code;    ///< n x m
  const Scalar* center;       ///< m
  double squared_radius = 0;  ///< R^2, for objectives that have a radius
};

/// What it writes: the terms of each row, and the gradients of the mean objective over the n rows.
template <class Scalar>
struct ObjectiveOutput {
  Scalar* reconstruction;        ///< n: r(x)
  Scalar* latent;                ///< n: q(x)
  Rows<Scalar> output_gradient;  ///< n x d: dL/d(xhat)
  Rows<Scalar>
      latent_gradient;  ///< n x m: dL/dz without the share that comes back through the decoder
};

namespace detail {

/// r = ||xhat - x||^2 / d and dr/d(xhat) = 2 (xhat - x) / d, times weight / n.
template <class Scalar>
void reconstruction_term(const kernels::Table<Scalar>& k, const ObjectiveInput<Scalar>& in,
                         double weight, Range rows, const ObjectiveOutput<Scalar>& out) {
  const Index d = in.x.cols();
  const Scalar scale = static_cast<Scalar>(2 * weight / static_cast<double>(d * in.x.rows()));
  for (Index i = rows.first; i < rows.last; ++i) {
    out.reconstruction[i] =
        k.squared_distance(in.output.row(i), in.x.row(i), d) / static_cast<Scalar>(d);
    k.scaled_difference(in.output.row(i), in.x.row(i), scale, d, out.output_gradient.row(i));
  }
}

/// q = ||z - c||^2 and dq/dz = 2 (z - c), times weight / n.
template <class Scalar>
void latent_term(const kernels::Table<Scalar>& k, const ObjectiveInput<Scalar>& in, double weight,
                 Range rows, const ObjectiveOutput<Scalar>& out) {
  const Index m = in.code.cols();
  const Scalar scale = static_cast<Scalar>(2 * weight / static_cast<double>(in.x.rows()));
  for (Index i = rows.first; i < rows.last; ++i) {
    out.latent[i] = k.squared_distance(in.code.row(i), in.center, m);
    k.scaled_difference(in.code.row(i), in.center, scale, m, out.latent_gradient.row(i));
  }
}

}  // namespace detail
DASVDD_NAMESPACE_END
