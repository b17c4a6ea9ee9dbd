#pragma once
/// \file
/// The kernels of mixed precision that this CPU can run.

#include <dasvdd/kernels/amx.hpp>
#include <dasvdd/kernels/avx512_bf16.hpp>
#include <dasvdd/kernels/dispatch.hpp>

#if DASVDD_X86_KERNELS
#include <cpuid.h>
#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif
#endif

DASVDD_NAMESPACE_BEGIN
namespace detail {
namespace kernels {

/// The instruction sets of mixed precision, the fastest first.
enum class MixedSet { amx, avx512_bf16 };

inline const char* name_of(MixedSet set) { return set == MixedSet::amx ? "amx" : "avx512_bf16"; }

namespace detail {

#if DASVDD_X86_KERNELS
/// Linux gives a process the use of AMX's tiles when it asks for it; it can't be given back.
inline bool leave_for_tiles() {
#if defined(__linux__) && defined(SYS_arch_prctl)
  constexpr long request = 0x1023, tile_data = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
  return ::syscall(SYS_arch_prctl, request, tile_data) == 0;
#else
  return false;
#endif
}

inline bool has_tiles() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  constexpr unsigned amx_bf16 = 1u << 22, amx_tile = 1u << 24;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (d & amx_bf16) && (d & amx_tile);
}
#endif

}  // namespace detail

/// Whether this CPU and its operating system can run them. The answer for `amx` asks Linux for the use of its
/// tiles, once for all threads of the process; from then on the stack of a signal handler needs about 8 KB more.
inline bool runs(MixedSet set) {
#if DASVDD_X86_KERNELS
  if (!runs(Set::avx512) || !__builtin_cpu_supports("avx512bf16")) return false;
  return set == MixedSet::avx512_bf16 || (detail::has_tiles() && detail::leave_for_tiles());
#else
  (void)set;
  return false;
#endif
}

/// Whether a set that runs is faster than float on this CPU: Intel's units for AVX512-BF16 have half the rate of
/// those for float, AMD's have twice.
inline bool pays(MixedSet set) {
#if DASVDD_X86_KERNELS
  if (set == MixedSet::avx512_bf16) return __builtin_cpu_is("amd");
#endif
  return set == MixedSet::amx;
}

/// The table of a set; null where no such kernels were compiled.
inline const MixedTable* mixed_table(MixedSet set) {
#if DASVDD_X86_KERNELS
  if (set == MixedSet::amx) return &amx::table();
  if (set == MixedSet::avx512_bf16) return &avx512_bf16::table();
#endif
  (void)set;
  return nullptr;
}

}  // namespace kernels
}  // namespace detail
DASVDD_NAMESPACE_END
