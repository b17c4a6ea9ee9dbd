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
  using detail::kernels::mixed_sets;
  if (name == nullptr) {
    for (const auto& set : mixed_sets) {
      if (set.pays() && set.runs()) return {&set.table()};
    }
    return {};
  }
  std::string known;
  for (const auto& set : mixed_sets) {
    known += std::string(known.empty() ? "one of " : ", ") + set.name;
    if (std::string(name) != set.name) continue;
    detail::ensure(set.runs(), "this CPU can't run mixed precision by ", name);
    return {&set.table()};
  }
  if (known.empty()) known = "no name, since this build has no kernels of mixed precision";
  throw InvalidArgument(detail::sentence("mixed precision by \"", name, "\", expected ", known));
}

DASVDD_NAMESPACE_END
