#pragma once
/// \file
/// The scaler that options ask for.

#include <dasvdd/detect/scaler.hpp>
#include <dasvdd/train/options.hpp>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// How the rows of a run enter the net; X are those it may look at.
template <class Scalar>
Scaler<Scalar> row_scaler(const Options& options, const AnyRows& X) {
  if (options.standardize) return {Standardizer<Scalar>::of(X), options.missing};
  if (options.contrast_floor > 0) return {ContrastNormalizer<Scalar>(options.contrast_floor)};
  if (options.soften.size() > 0) return {Softener<Scalar>(options.soften)};
  return {Unscaled<Scalar>(), options.missing};
}

}  // namespace detail
DASVDD_NAMESPACE_END
