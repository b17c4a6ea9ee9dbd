#pragma once
/// \file
/// The instruction sets there are kernels of mixed precision for.

#include <dasvdd/kernels/amx.hpp>
#include <dasvdd/kernels/avx512_bf16.hpp>
#include <dasvdd/kernels/dispatch.hpp>

#include <array>

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

struct MixedRow {
  const char* name;
  /// Whether this CPU and its operating system can run them.
  bool (*runs)();
  /// Whether they are faster than float where they run, and DASVDD_KERNELS does not forbid them.
  bool (*pays)();
  TableFunction<MixedTable> table;
};

#if DASVDD_X86_KERNELS

/// Linux gives a process the use of AMX's tiles when it asks for it; it can't be given back.
inline bool ask_for_tiles() {
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

inline bool runs_avx512_bf16() { return runs_avx512() && __builtin_cpu_supports("avx512bf16"); }
/// Asks Linux for the use of the tiles, once for all threads of the process; from then on the stack
/// of a signal handler needs about 8 KB more.
inline bool runs_amx() { return runs_avx512_bf16() && has_tiles() && ask_for_tiles(); }

inline bool pays_amx() { return best_set() == Set::avx512; }
/// Intel's units for AVX512-BF16 have half the rate of those for float, AMD's have twice.
inline bool pays_avx512_bf16() { return best_set() == Set::avx512 && __builtin_cpu_is("amd"); }

/// The fastest first. A new set is a header and a row.
inline constexpr std::array<MixedRow, 2> mixed_sets = {{
    {"amx", runs_amx, pays_amx, amx::table},
    {"avx512_bf16", runs_avx512_bf16, pays_avx512_bf16, avx512_bf16::table},
}};

#else

inline constexpr std::array<MixedRow, 0> mixed_sets = {};

#endif

}  // namespace kernels
}  // namespace detail
DASVDD_NAMESPACE_END
