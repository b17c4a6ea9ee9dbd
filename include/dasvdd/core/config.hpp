#pragma once
/// \file
/// The table of user macros, the compiler checks and the library's inline namespace.
///
/// Macros a user may define, the same in every translation unit of a program that shares dasvdd
/// objects:
///
/// | macro | who defines it, and when |
/// | --- | --- |
/// | `DASVDD_NO_OPENMP` | one who compiles with -fopenmp for other reasons and wants dasvdd serial (target `dasvdd::serial`) |
/// | `DASVDD_NO_SIMD`   | one who must not have run-time dispatched kernels in the binary: portable kernels only |
/// | `DASVDD_NO_EXTENSIONS` | one who tests with GCC or Clang what compilers without their extensions get: kernels of one number at a time |
/// | `DASVDD_COMPILED`  | the target `dasvdd::compiled`: what that library holds is not compiled again (compiled.hpp) |
/// | `DASVDD_INSTANTIATE` | the sources of that library, for those who build it without CMake: `float` or `double` |
///
/// An environment variable, read once at first use: `DASVDD_KERNELS` (portable, avx2, avx512)
/// chooses the kernels.

#include <dasvdd/core/version.hpp>

// Eigen's own warnings are not its user's: under -Werror they would stop a consumer's build.
#if defined(__GNUC__) || defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wold-style-cast"
#pragma GCC diagnostic ignored "-Wpedantic"
#endif
#include <Eigen/Core>
#if defined(__GNUC__) || defined(__clang__)
#pragma GCC diagnostic pop
#endif

#if !defined(__cpp_exceptions) && !defined(_CPPUNWIND)
#error "dasvdd reports every error as an exception: build without -fno-exceptions"
#endif
#if (defined(_MSVC_LANG) ? _MSVC_LANG : __cplusplus) < 201703L
#error "dasvdd needs C++17: build with -std=c++17 or newer"
#endif

#if defined(_OPENMP) && !defined(DASVDD_NO_OPENMP)
#define DASVDD_OPENMP 1
#include <omp.h>
#else
#define DASVDD_OPENMP 0
#endif

/// Whether the compiler has GCC's extensions: vectors, attributes, inline assembly.
#if !defined(DASVDD_NO_EXTENSIONS) && (defined(__GNUC__) || defined(__clang__))
#define DASVDD_EXTENSIONS 1
#else
#define DASVDD_EXTENSIONS 0
#endif

/// Whether the portable kernels are written in the compiler's vectors, rather than single numbers.
#if DASVDD_EXTENSIONS && !(defined(__i386__) && !defined(__SSE2__))
#define DASVDD_VECTORS 1
#else
#define DASVDD_VECTORS 0
#endif

/// Whether the kernels for single instruction sets can be compiled: they carry their own target
/// attributes.
#if !defined(DASVDD_NO_SIMD) && DASVDD_EXTENSIONS && defined(__x86_64__)
#define DASVDD_X86_KERNELS 1
#else
#define DASVDD_X86_KERNELS 0
#endif

// The inline namespace names everything that changes layout or code, so that two translation units
// built differently hold two libraries side by side; passing objects between them fails to link.
// One part a macro; tests/abi/tag.cmake holds each of them against the flags that change it.
#if DASVDD_OPENMP
#define DASVDD_ABI_THREADS omp
#else
#define DASVDD_ABI_THREADS serial
#endif
#if DASVDD_X86_KERNELS
#define DASVDD_ABI_KERNELS dispatch
#elif DASVDD_VECTORS
#define DASVDD_ABI_KERNELS portable
#else
#define DASVDD_ABI_KERNELS plain
#endif
#if defined(__x86_64__) || defined(_M_X64)
#define DASVDD_ABI_CPU x64
#elif defined(__i386__) || defined(_M_IX86)
#define DASVDD_ABI_CPU x86
#elif defined(__aarch64__) || defined(_M_ARM64)
#define DASVDD_ABI_CPU arm64
#else
#define DASVDD_ABI_CPU other
#endif
// Inline functions differ with the instruction set the compiler may use, and the linker keeps one
// of each name. With an instruction for it, a multiply-add of the portable kernels is fused.
#if defined(__AVX512F__)
#define DASVDD_ABI_TARGET avx512
#elif defined(__AVX2__)
#define DASVDD_ABI_TARGET avx2
#elif defined(__AVX__)
#define DASVDD_ABI_TARGET avx
#else
#define DASVDD_ABI_TARGET base
#endif
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
#define DASVDD_ABI_FMA fma
#else
#define DASVDD_ABI_FMA nofma
#endif
#if defined(__FAST_MATH__)
#define DASVDD_ABI_MATH fast
#elif defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__
#define DASVDD_ABI_MATH finite
#elif defined(__ASSOCIATIVE_MATH__) || defined(__RECIPROCAL_MATH__)
#define DASVDD_ABI_MATH unsafe
#else
#define DASVDD_ABI_MATH ieee
#endif
// The standard library's containers have other layouts in libstdc++'s debug mode and in its old one.
#if defined(_GLIBCXX_DEBUG)
#define DASVDD_ABI_STD stddebug
#elif defined(_GLIBCXX_USE_CXX11_ABI) && !_GLIBCXX_USE_CXX11_ABI
#define DASVDD_ABI_STD stdold
#else
#define DASVDD_ABI_STD std
#endif
// clang-format off
#define DASVDD_ABI_JOIN_(major, minor, patch, threads, kernels, cpu, target, fma, math, std, align, \
                         eigen_major, eigen_minor)                                                  \
  v##major##_##minor##_##patch##_##threads##_##kernels##_##cpu##_##target##_##fma##_##math##_##std##_align##align \
      ##_eigen##eigen_major##_##eigen_minor
// clang-format on
#define DASVDD_ABI_JOIN(major, minor, patch, threads, kernels, cpu, target, fma, math, std, align, \
                        eigen_major, eigen_minor)                                                  \
  DASVDD_ABI_JOIN_(major, minor, patch, threads, kernels, cpu, target, fma, math, std, align,      \
                   eigen_major, eigen_minor)
// Eigen 3.4 has the major version 4, Eigen 5 has 5; EIGEN_WORLD_VERSION is 3 in both.
#define DASVDD_ABI                                                                           \
  DASVDD_ABI_JOIN(DASVDD_VERSION_MAJOR, DASVDD_VERSION_MINOR, DASVDD_VERSION_PATCH,          \
                  DASVDD_ABI_THREADS, DASVDD_ABI_KERNELS, DASVDD_ABI_CPU, DASVDD_ABI_TARGET, \
                  DASVDD_ABI_FMA, DASVDD_ABI_MATH, DASVDD_ABI_STD, EIGEN_MAX_ALIGN_BYTES,    \
                  EIGEN_MAJOR_VERSION, EIGEN_MINOR_VERSION)

/// Whether the library's compiled form holds what this source would else compile anew: see compiled.hpp.
#if defined(DASVDD_COMPILED) && !defined(DASVDD_INSTANTIATE)
#define DASVDD_COMPILED_ELSEWHERE 1
#else
#define DASVDD_COMPILED_ELSEWHERE 0
#endif

// What a program that includes the library costs its compiler is mostly inlining and optimizing what runs seldom.
// DASVDD_NOINLINE: compiled once, called from many places. DASVDD_COLD: runs a few times a fit, so made small, not
// fast; not for what users call, since GCC then takes their code around the call for cold, too.
#if DASVDD_EXTENSIONS
#define DASVDD_NOINLINE __attribute__((noinline))
#define DASVDD_COLD __attribute__((cold, noinline))
#else
#define DASVDD_NOINLINE
#define DASVDD_COLD
#endif

#define DASVDD_NAMESPACE_BEGIN \
  namespace dasvdd {           \
  inline namespace DASVDD_ABI {
#define DASVDD_NAMESPACE_END \
  }                          \
  }
