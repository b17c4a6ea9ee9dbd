#pragma once
/// \file
/// The floating-point mode of computing threads.

#include <dasvdd/core/config.hpp>

#include <cstdint>

#if defined(__x86_64__) || defined(_M_X64)
#include <xmmintrin.h>
#define DASVDD_FLOATING_POINT_MODE 1
#elif DASVDD_EXTENSIONS && defined(__aarch64__)
#define DASVDD_FLOATING_POINT_MODE 1
#else
#define DASVDD_FLOATING_POINT_MODE 0
#endif

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// While it lives, the calling thread rounds to nearest, flushes denormals to zero and traps no
/// exception (a row far out may overflow, see Detector), so that the same numbers come out whatever
/// mode the host program is in, and fading activations cost no time. Afterwards the thread's mode
/// is what it was, flags included. Does nothing on CPUs other than x86-64 and AArch64.
class FloatingPointMode {
 public:
  /// The mode that the calling thread was in when this was made.
  class Host;

  FloatingPointMode() : saved_(read()) { write((saved_ & ~clear_bits) | set_bits); }
  /// While it lives, the calling thread is in that mode: for calls of the host program's code amid computations.
  explicit inline FloatingPointMode(const Host& host);
  ~FloatingPointMode() { write(saved_); }
  FloatingPointMode(const FloatingPointMode&) = delete;
  FloatingPointMode& operator=(const FloatingPointMode&) = delete;

 private:
#if defined(__x86_64__) || defined(_M_X64)
  using Bits = unsigned int;
  // MXCSR: RC; FTZ, DAZ and the six exception masks.
  static constexpr Bits clear_bits = 0x6000, set_bits = 0x8040 | 0x1f80;
  static Bits read() { return _mm_getcsr(); }
  static void write(Bits bits) { _mm_setcsr(bits); }
#elif DASVDD_FLOATING_POINT_MODE
  using Bits = std::uint64_t;
  // FPCR: RMode and the six trap enables; FZ.
  static constexpr Bits clear_bits = (3u << 22) | 0x9f00u, set_bits = 1u << 24;
  static Bits read() {
    Bits bits;
    __asm__ __volatile__("mrs %0, fpcr" : "=r"(bits));
    return bits;
  }
  static void write(Bits bits) { __asm__ __volatile__("msr fpcr, %0" : : "r"(bits)); }
#else
  using Bits = unsigned int;
  static constexpr Bits clear_bits = 0, set_bits = 0;
  static Bits read() { return 0; }
  static void write(Bits) {}
#endif
  Bits saved_;
};

class FloatingPointMode::Host {
 public:
  Host() : bits_(read()) {}

 private:
  friend class FloatingPointMode;
  Bits bits_;
};
inline FloatingPointMode::FloatingPointMode(const Host& host) : saved_(read()) {
  write(host.bits_);
}

}  // namespace detail
DASVDD_NAMESPACE_END
