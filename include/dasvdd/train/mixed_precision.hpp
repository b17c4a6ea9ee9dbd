#pragma once
/// \file
/// Training in mixed precision. Not part of dasvdd.hpp: only programs that include it compile its kernels.

#include <dasvdd/kernels/mixed_dispatch.hpp>
#include <dasvdd/train/options.hpp>

#include <string>

DASVDD_NAMESPACE_BEGIN

/// Mixed precision, for Options::precision: the factors of matrix products are rounded to bfloat16; sums,
/// parameters and Adam stay in float.
///
/// Use it for large nets on CPUs that multiply bfloat16 faster than float: those with AMX, and AMD's with
/// AVX512-BF16. Intel's AVX512-BF16 has half the rate of float, so without AMX these CPUs train in float unless
/// the set is named. Train in float to reproduce published figures, or for the same bits on every CPU.
/// \code
/// dasvdd::Options options;
/// options.precision = dasvdd::mixed_precision();
/// \endcode
/// The same seed gives the same bits on CPUs with the same set, on any number of threads. name() names the set, and
/// so does the fact "precision" of a detector. Training is in float where the CPU has no set, and where
/// DASVDD_KERNELS excludes AVX-512.
///
/// Side effect: Linux grants AMX on request, to the whole process. Afterwards the stack of a signal handler
/// (sigaltstack) needs about 8 KB more. To avoid that, name "avx512_bf16".
/// \param name the set, "amx" or "avx512_bf16"; null for the fastest
/// \throws InvalidArgument for a name that is unknown or that this CPU can't run
inline detail::Precision mixed_precision(const char* name = nullptr) {
  using detail::kernels::MixedSet;
  if (name == nullptr) {
    if (detail::kernels::best_set() != detail::kernels::Set::avx512) return {};
    for (const MixedSet set : {MixedSet::amx, MixedSet::avx512_bf16}) {
      if (detail::kernels::runs(set) && detail::kernels::pays(set))
        return {detail::kernels::mixed_table(set)};
    }
    return {};
  }
  for (const MixedSet set : {MixedSet::amx, MixedSet::avx512_bf16}) {
    if (std::string(name) != detail::kernels::name_of(set)) continue;
    detail::require(detail::kernels::runs(set), "this CPU can't run mixed precision by ", name);
    return {detail::kernels::mixed_table(set)};
  }
  throw InvalidArgument(
      detail::sentence("mixed precision by \"", name, "\", expected amx or avx512_bf16"));
}

DASVDD_NAMESPACE_END
