#pragma once
/// \file
/// What the kernels ask of a compiler: inlining and unrolling.

#include <dasvdd/core/config.hpp>

// For body.inc, which stands inside a namespace when it is read.
#include <array>
#include <cstddef>
#include <cstring>
#include <limits>
#include <utility>

#if DASVDD_EXTENSIONS
#define DASVDD_INLINE inline __attribute__((always_inline))
#else
#define DASVDD_INLINE inline
#endif

// A tile stays in registers only when its loops are gone before registers are given out; at -O2 no
// compiler does that unasked.
#if DASVDD_EXTENSIONS && defined(__clang__)
#define DASVDD_UNROLL _Pragma("clang loop unroll(full)")
#elif DASVDD_EXTENSIONS
#define DASVDD_UNROLL _Pragma("GCC unroll 32")
#else
#define DASVDD_UNROLL
#endif

// Asks for the cache line at an address that is read soon; the address may be any.
#if DASVDD_EXTENSIONS
#define DASVDD_PREFETCH(address) __builtin_prefetch(address)
#else
#define DASVDD_PREFETCH(address) ((void)(address))
#endif
