#pragma once
/// \file
/// Mixed precision for x86 CPUs with AMX: tiles of sixteen rows of sixteen sums, whose unit multiplies
/// two of them (16 x 32 and 32 x 16) at once.

#include <dasvdd/kernels/avx512.hpp>
#include <dasvdd/kernels/mixed_table.hpp>

#if DASVDD_X86_KERNELS
#include <immintrin.h>

#define DASVDD_TARGET \
  __attribute__((     \
      target("amx-tile,amx-bf16,avx512bf16,avx512f,avx512dq,avx512vl,avx512bw,avx2,fma")))

DASVDD_NAMESPACE_BEGIN
namespace detail {
namespace kernels {
namespace amx {

constexpr const char* set_name = "amx";
constexpr Index block_rows = 32;

/// The tiles while they are in use: eight, all of sixteen rows of 64 bytes. The process must have been
/// given leave to use them (mixed_dispatch.hpp).
struct Unit {
  DASVDD_TARGET Unit() {
    struct alignas(64) {
      std::uint8_t palette, start_row, reserved[14];
      std::uint16_t row_bytes[16];
      std::uint8_t rows[16];
    } shape = {1, 0, {}, {64, 64, 64, 64, 64, 64, 64, 64}, {16, 16, 16, 16, 16, 16, 16, 16}};
    // The intrinsics don't tell the compiler that tiles are loaded from memory.
    __asm__ __volatile__("" : : "r"(&shape) : "memory");
    _tile_loadconfig(&shape);
  }
  DASVDD_TARGET ~Unit() { _tile_release(); }
  Unit(const Unit&) = delete;
  Unit& operator=(const Unit&) = delete;
};

/// to(r, j) = sum over k of b(r, k) * strip(k, j), j < 32; writes sixteen or thirty-two rows.
DASVDD_TARGET inline void block(Index rows, Index depth, const Bfloat16* strip, const Bfloat16* b,
                                Index b_row, float* to, Index to_stride) {
  const auto b_bytes = static_cast<std::ptrdiff_t>(b_row * 2);
  constexpr std::ptrdiff_t strip_bytes = mixed_panel * 2 * 2;
  const auto to_bytes = static_cast<std::ptrdiff_t>(to_stride * 4);
  _tile_zero(0);
  _tile_zero(1);
  if (rows <= 16) {
    for (Index k = 0; k < depth; k += mixed_depth_unit, strip += mixed_depth_unit * mixed_panel) {
      _tile_loadd(4, b + k, b_bytes);
      _tile_loadd(6, strip, strip_bytes);
      _tile_loadd(7, strip + 32, strip_bytes);
      _tile_dpbf16ps(0, 4, 6);
      _tile_dpbf16ps(1, 4, 7);
    }
  } else {
    const Bfloat16* lower = b + 16 * b_row;
    _tile_zero(2);
    _tile_zero(3);
    for (Index k = 0; k < depth; k += mixed_depth_unit, strip += mixed_depth_unit * mixed_panel) {
      _tile_loadd(4, b + k, b_bytes);
      _tile_loadd(6, strip, strip_bytes);
      _tile_loadd(7, strip + 32, strip_bytes);
      _tile_dpbf16ps(0, 4, 6);
      _tile_loadd(5, lower + k, b_bytes);
      _tile_dpbf16ps(1, 4, 7);
      _tile_dpbf16ps(2, 5, 6);
      _tile_dpbf16ps(3, 5, 7);
    }
    _tile_stored(2, to + 16 * to_stride, to_bytes);
    _tile_stored(3, to + 16 * to_stride + 16, to_bytes);
  }
  _tile_stored(0, to, to_bytes);
  _tile_stored(1, to + 16, to_bytes);
}

#include <dasvdd/kernels/mixed.inc>

}  // namespace amx
}  // namespace kernels
}  // namespace detail
DASVDD_NAMESPACE_END

#undef DASVDD_TARGET
#endif
