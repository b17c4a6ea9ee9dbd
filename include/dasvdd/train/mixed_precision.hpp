#pragma once
/// \file
/// Training in mixed precision; not part of dasvdd.hpp, whose users need not compile its kernels.

#include <dasvdd/kernels/mixed_dispatch.hpp>
#include <dasvdd/train/options.hpp>

#include <string>

DASVDD_NAMESPACE_BEGIN

/// Mixed precision, for Options::precision: the factors of a net's matrix products are rounded to bfloat16, sums,
/// parameters and Adam stay in float. For big nets on CPUs that multiply bfloat16 much faster than float: with AMX,
/// or AVX512-BF16 by AMD (on Intel's CPUs that instruction has half the rate of float's, so that without AMX they
/// train in float unless the set is named). Training in float is what reproduces
/// published figures and gives the same bits on every CPU.
/// \code
/// dasvdd::Options options;
/// options.precision = dasvdd::mixed_precision();
/// \endcode
/// The same seed gives the same bits on CPUs with the same set, whatever the number of threads; name() tells the
/// set, and so does the fact "precision" of the detectors. Where the CPU has none, training is in float, as it is
/// when DASVDD_KERNELS keeps the kernels from AVX-512.
///
/// Looks for AMX first, which takes a word to Linux that holds for the whole process: from then on the stack of a
/// signal handler (sigaltstack) needs about 8 KB more. Those who can't have that name "avx512_bf16".
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
    detail::require(set.runs(), "this CPU can't run mixed precision by ", name);
    return {&set.table()};
  }
  if (known.empty()) known = "no name, since this build has no kernels of mixed precision";
  throw InvalidArgument(detail::sentence("mixed precision by \"", name, "\", expected ", known));
}

DASVDD_NAMESPACE_END
