#pragma once
/// \file
/// What a program that links `dasvdd::compiled` does not compile again; the last of dasvdd.hpp's includes.
///
/// Sources with DASVDD_COMPILED defined find the templates below for float and double in that library, which
/// is made of one source for each of the two:
/// \code
/// #define DASVDD_INSTANTIATE float
/// #include <dasvdd/dasvdd.hpp>
/// \endcode
/// The names are those that headers alone give, so both forms may meet in one program, and a library of other
/// flags is missed by the linker (core/config.hpp).

#include <dasvdd/fit/fit.hpp>
#include <dasvdd/fit/fit_images.hpp>

#if defined(DASVDD_COMPILED) || defined(DASVDD_INSTANTIATE)

#define DASVDD_TEMPLATES(prefix, Scalar)                                                          \
  prefix const detail::kernels::Table<Scalar>& detail::kernels::table<Scalar>(                    \
      detail::kernels::Set);                                                                      \
  prefix const detail::kernels::ProductTable<Scalar>& detail::kernels::products<Scalar>(          \
      detail::kernels::Set);                                                                      \
  prefix const detail::kernels::CompactTable<Scalar>& detail::kernels::compact<Scalar>(           \
      detail::kernels::Set);                                                                      \
  prefix const Scalar* detail::narrow_forward<Scalar>(                                            \
      const detail::kernels::Table<Scalar>&, const Autoencoder<Scalar>&, const Scalar*, bool,     \
      Index, detail::NarrowBuffers<Scalar>&);                                                     \
  prefix class detail::RowScorer<Scalar>;                                                         \
  prefix Explanation detail::explain_row<Scalar>(const detail::Model<Scalar>&,                    \
                                                 const detail::AnyRows&, double, double, double); \
  prefix class Detector<Scalar>;                                                                  \
  prefix class Trainer<Scalar>;                                                                   \
  prefix Detector<Scalar> detail::fit_table<Scalar>(                                              \
      const detail::AnyRows&, const FitOptions&, detail::FunctionRef<bool(const FitProgress&)>,   \
      Checkpoint<Scalar>*, const detail::Places&, detail::FitProcess<Scalar>*);                   \
  prefix Detector<Scalar> detail::fit_source<Scalar>(                                             \
      const RowSource&, const FitOptions&, detail::FunctionRef<bool(const FitProgress&)>,         \
      Checkpoint<Scalar>*);                                                                       \
  prefix Detector<Scalar> detail::fit_image_ensemble<Scalar>(                                     \
      const detail::AnyRows&, const ImageOptions&, detail::FunctionRef<bool(const FitProgress&)>, \
      Checkpoint<Scalar>*, detail::FitProcess<Scalar>*)

DASVDD_NAMESPACE_BEGIN
#if defined(DASVDD_INSTANTIATE)
DASVDD_TEMPLATES(template, DASVDD_INSTANTIATE);
#else
DASVDD_TEMPLATES(extern template, float);
DASVDD_TEMPLATES(extern template, double);
#endif
DASVDD_NAMESPACE_END

#undef DASVDD_TEMPLATES
#endif
