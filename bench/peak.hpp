#pragma once
// What this machine can do at most, measured here and now: a speed means something as a share of
// it. Every figure is the best of several short trials, because what disturbs a trial only slows
// it.

#include <dasvdd/kernels/mixed_dispatch.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

#if DASVDD_X86_KERNELS
#include <immintrin.h>
#endif

namespace bench {

namespace detail {

// GCC's own AVX-512 intrinsics start from a register that they leave undefined on purpose.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

/// Keeps a value, and the work behind it, from being optimized away.
inline void keep(const void* p) { __asm__ __volatile__("" : : "g"(p) : "memory"); }

/// Runs `work(thread)` in all threads at once, started together; seconds of the slowest.
template <class Work>
double seconds(int threads, const Work& work) {
  std::atomic<int> waiting{threads};
  std::vector<double> taken(static_cast<std::size_t>(threads));
  const auto run = [&](int thread) {
    --waiting;
    while (waiting > 0) std::this_thread::yield();
    const auto begin = std::chrono::steady_clock::now();
    work(thread);
    const std::chrono::duration<double> d = std::chrono::steady_clock::now() - begin;
    taken[static_cast<std::size_t>(thread)] = d.count();
  };
  std::vector<std::thread> others;
  for (int i = 1; i < threads; ++i) others.emplace_back(run, i);
  run(0);
  for (auto& thread : others) thread.join();
  return *std::max_element(taken.begin(), taken.end());
}

/// Best rate of a hundred trials of about a millisecond, shorter than a time slice, so that some run
/// undisturbed: `work(n)` does n rounds of `per_round` units.
template <class Work>
double best_rate(int threads, double per_round, const Work& work) {
  std::int64_t rounds = 1000;
  while (seconds(1, [&](int) { work(rounds); }) < 0.0005) rounds *= 2;
  double best = 0;
  for (int trial = 0; trial < 100; ++trial) {
    const double s = seconds(threads, [&](int) { work(rounds); });
    best = std::max(best, per_round * static_cast<double>(rounds) * threads / s);
  }
  return best;
}

#if DASVDD_X86_KERNELS
// Twenty independent chains (twelve with sixteen registers) hide the latency of an fma on every CPU. They
// start from numbers that the compiler can't know, or it would leave some of them out, and four rounds stand
// in one turn of the loop, because its counter takes a unit's time too.
__attribute__((target("avx512f"))) inline void fma_rounds_512(std::int64_t rounds) {
  float start[20] = {};
  keep(start);
  const __m512 x = _mm512_set1_ps(0.999f), y = _mm512_set1_ps(1e-3f);
  __m512 a[20];
  DASVDD_UNROLL
  for (int i = 0; i < 20; ++i) a[i] = _mm512_set1_ps(start[i]);
  for (std::int64_t n = 0; n < rounds; n += 4) {
    DASVDD_UNROLL for (int u = 0; u < 4; ++u) {
      DASVDD_UNROLL for (int i = 0; i < 20; ++i) a[i] = _mm512_fmadd_ps(a[i], x, y);
    }
  }
  DASVDD_UNROLL
  for (int i = 1; i < 20; ++i) a[0] = _mm512_add_ps(a[0], a[i]);
  float out[16];
  _mm512_storeu_ps(out, a[0]);
  keep(out);
}

__attribute__((target("avx2,fma"))) inline void fma_rounds_256(std::int64_t rounds) {
  float start[12] = {};
  keep(start);
  const __m256 x = _mm256_set1_ps(0.999f), y = _mm256_set1_ps(1e-3f);
  __m256 a[12];
  DASVDD_UNROLL
  for (int i = 0; i < 12; ++i) a[i] = _mm256_set1_ps(start[i]);
  for (std::int64_t n = 0; n < rounds; n += 4) {
    DASVDD_UNROLL for (int u = 0; u < 4; ++u) {
      DASVDD_UNROLL for (int i = 0; i < 12; ++i) a[i] = _mm256_fmadd_ps(a[i], x, y);
    }
  }
  DASVDD_UNROLL
  for (int i = 1; i < 12; ++i) a[0] = _mm256_add_ps(a[0], a[i]);
  float out[8];
  _mm256_storeu_ps(out, a[0]);
  keep(out);
}

__attribute__((target("avx512f,avx512bf16"))) inline void bf16_rounds(std::int64_t rounds) {
  float start[20] = {};
  keep(start);
  const __m512bh x = (__m512bh)_mm512_set1_epi16(0x3f7f), y = (__m512bh)_mm512_set1_epi16(0x3a83);
  __m512 a[20];
  DASVDD_UNROLL
  for (int i = 0; i < 20; ++i) a[i] = _mm512_set1_ps(start[i]);
  for (std::int64_t n = 0; n < rounds; n += 4) {
    DASVDD_UNROLL for (int u = 0; u < 4; ++u) {
      DASVDD_UNROLL for (int i = 0; i < 20; ++i) a[i] = _mm512_dpbf16_ps(a[i], x, y);
    }
  }
  DASVDD_UNROLL
  for (int i = 1; i < 20; ++i) a[0] = _mm512_add_ps(a[0], a[i]);
  float out[16];
  _mm512_storeu_ps(out, a[0]);
  keep(out);
}

/// Four sums of tiles, as many as there is room for beside two factors each.
__attribute__((target("amx-tile,amx-bf16,avx512f"))) inline void tile_rounds(std::int64_t rounds) {
  struct alignas(64) {
    std::uint8_t palette, start_row, reserved[14];
    std::uint16_t row_bytes[16];
    std::uint8_t rows[16];
  } shape = {1, 0, {}, {64, 64, 64, 64, 64, 64, 64, 64}, {16, 16, 16, 16, 16, 16, 16, 16}};
  keep(&shape);
  _tile_loadconfig(&shape);
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  _tile_zero(4);
  _tile_zero(5);
  _tile_zero(6);
  _tile_zero(7);
  for (std::int64_t n = 0; n < rounds; ++n) {
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }
  _tile_release();
}

__attribute__((target("avx2"))) inline void read_all(const char* p, std::size_t bytes) {
  __m256i a = _mm256_setzero_si256(), b = a, c = a, d = a;
  for (const char* end = p + bytes; p < end; p += 128) {
    a = _mm256_or_si256(a, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
    b = _mm256_or_si256(b, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p + 32)));
    c = _mm256_or_si256(c, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p + 64)));
    d = _mm256_or_si256(d, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p + 96)));
  }
  a = _mm256_or_si256(_mm256_or_si256(a, b), _mm256_or_si256(c, d));
  char out[32];
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), a);
  keep(out);
}
#endif

/// The compiler's own vectors, whatever the flags make of them.
inline void fma_rounds_plain(std::int64_t rounds) {
  typedef float Vector __attribute__((vector_size(16)));
  const Vector x = Vector{} + 0.999f, y = Vector{} + 1e-3f;
  Vector a[12];
  float start[12] = {};
  keep(start);
  for (int i = 0; i < 12; ++i) a[i] = Vector{} + start[i];
  for (std::int64_t n = 0; n < rounds; n += 4) {
    DASVDD_UNROLL for (int u = 0; u < 4; ++u) {
      DASVDD_UNROLL for (int i = 0; i < 12; ++i) a[i] = a[i] * x + y;
    }
  }
  keep(a);
}

inline void read_plain(const char* p, std::size_t bytes) {
  typedef std::uint64_t Vector __attribute__((vector_size(16)));
  Vector a{}, b{};
  for (std::size_t i = 0; i < bytes; i += 32) {
    a |= *reinterpret_cast<const Vector*>(p + i);
    b |= *reinterpret_cast<const Vector*>(p + i + 16);
  }
  a |= b;
  keep(&a);
}

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

}  // namespace detail

/// Float multiply-adds in registers, two operations each, in GFLOP/s.
inline double fma_peak_gflops(int threads) {
#if DASVDD_X86_KERNELS
  if (__builtin_cpu_supports("avx512f")) {
    return 1e-9 * detail::best_rate(threads, 20 * 16 * 2, detail::fma_rounds_512);
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    return 1e-9 * detail::best_rate(threads, 12 * 8 * 2, detail::fma_rounds_256);
  }
#endif
  return 1e-9 * detail::best_rate(threads, 12 * 4 * 2, detail::fma_rounds_plain);
}

/// Multiply-adds of bf16 pairs into float (AVX512-BF16's dot product), in GFLOP/s; 0 where there is
/// none.
inline double bf16_peak_gflops(int threads) {
#if DASVDD_X86_KERNELS
  if (__builtin_cpu_supports("avx512bf16")) {
    return 1e-9 * detail::best_rate(threads, 20 * 32 * 2, detail::bf16_rounds);
  }
#endif
  (void)threads;
  return 0;
}

/// The same by AMX's tiles; 0 where there are none.
inline double amx_peak_gflops(int threads) {
#if DASVDD_X86_KERNELS
  if (dasvdd::detail::kernels::runs_amx()) {
    return 1e-9 * detail::best_rate(threads, 4 * 16 * 16 * 32 * 2, detail::tile_rounds);
  }
#endif
  (void)threads;
  return 0;
}

/// Reads all of a memory that is on a border of 32 bytes, a multiple of 128 long, once.
inline void read_memory(const char* p, std::size_t bytes) {
#if DASVDD_X86_KERNELS
  if (__builtin_cpu_supports("avx2")) return detail::read_all(p, bytes);
#endif
  detail::read_plain(p, bytes);
}

/// Reading `bytes` of memory over and over, each thread its own share, in GB/s: cache speed for a
/// small buffer, that of main memory for one much larger than the last cache.
inline double read_bandwidth_gbs(std::size_t bytes, int threads) {
  const std::size_t share = bytes / static_cast<std::size_t>(threads) / 4096 * 4096;
  std::vector<std::uint64_t> memory(share * static_cast<std::size_t>(threads) / 8 + 8, 1);
  const auto aligned = (reinterpret_cast<std::uintptr_t>(memory.data()) + 63) / 64 * 64;
  const char* data = reinterpret_cast<const char*>(aligned);
  const auto passes = static_cast<int>(std::max<std::size_t>(1, (std::size_t{1} << 24) / bytes));
  double best = 0;
  const int trials = bytes > (std::size_t{1} << 28) ? 4 : 40;
  for (int trial = 0; trial < trials; ++trial) {
    const double s = detail::seconds(threads, [&](int thread) {
      const char* mine = data + share * static_cast<std::size_t>(thread);
      for (int pass = 0; pass < passes; ++pass) read_memory(mine, share);
    });
    best = std::max(best, 1e-9 * static_cast<double>(share) * threads * passes / s);
  }
  return best;
}

}  // namespace bench
