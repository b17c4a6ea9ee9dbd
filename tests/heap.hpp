#pragma once
// Counts what a program takes from the heap, and lets it fail, where all of it comes from: at malloc and its relatives,
// which operator new calls too. For one source file of a program; DASVDD_TEST_COUNTS_MEMORY says whether it can.

#include <dasvdd/core/memory.hpp>  // Eigen first: what it includes must declare posix_memalign before it is defined

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>

// Sanitizers bring a malloc of their own.
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
    __has_feature(memory_sanitizer)
#define DASVDD_TEST_OTHER_MALLOC 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define DASVDD_TEST_OTHER_MALLOC 1
#endif

#if defined(__GLIBC__) && !defined(DASVDD_TEST_OTHER_MALLOC)
#define DASVDD_TEST_COUNTS_MEMORY 1
#include <malloc.h>

namespace heap {

inline std::atomic<long> allocations{0};
inline std::atomic<long> bytes{0}, most_bytes{0};

/// How many of the calling thread's allocations of at least so many bytes succeed before one fails; negative: all do.
inline thread_local long successes = -1;
inline thread_local std::size_t least_size = 0;
inline void fail_next(long after = 0, std::size_t size = 0) {
  successes = after;
  least_size = size;
}
inline bool failed(std::size_t size) {
  return successes >= 0 && size >= least_size && successes-- == 0;
}

inline void take(std::size_t size) {
  ++allocations;
  const long now = bytes += static_cast<long>(size);
  long most = most_bytes;
  while (now > most && !most_bytes.compare_exchange_weak(most, now)) {
  }
}
inline void* taken(void* memory) {
  take(malloc_usable_size(memory));
  return memory;
}
inline void given_back(void* memory) { bytes -= static_cast<long>(malloc_usable_size(memory)); }

/// Allocations of all threads while f runs.
template <class F>
long allocations_in(F&& f) {
  const long before = allocations;
  f();
  return allocations - before;
}

/// The most bytes that were taken at any time while f ran, beyond those taken before.
template <class F>
long most_bytes_in(F&& f) {
  const long before = bytes;
  most_bytes = before;
  f();
  return most_bytes - before;
}

/// Keeps a compiler from leaving out a pair of new and delete.
inline void keep(const void* memory) {
  static std::atomic<const void*> sink;
  sink = memory;
}

}  // namespace heap

extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
void __libc_free(void*);

void* malloc(std::size_t size) noexcept {
  return heap::failed(size) ? nullptr : heap::taken(__libc_malloc(size));
}
void* calloc(std::size_t count, std::size_t size) noexcept {
  return heap::taken(__libc_calloc(count, size));
}
void* realloc(void* memory, std::size_t size) noexcept {
  heap::given_back(memory);
  return heap::taken(__libc_realloc(memory, size));
}
void* memalign(std::size_t alignment, std::size_t size) noexcept {
  return heap::taken(__libc_memalign(alignment, size));
}
void* aligned_alloc(std::size_t alignment, std::size_t size) noexcept {
  return heap::taken(__libc_memalign(alignment, size));
}
int posix_memalign(void** memory, std::size_t alignment, std::size_t size) noexcept {
  *memory = heap::taken(__libc_memalign(alignment, size));
  return *memory ? 0 : ENOMEM;
}
void free(void* memory) noexcept {
  heap::given_back(memory);
  __libc_free(memory);
}
}

// Aligned memory says how much was asked for: malloc sets aside up to the alignment more, which nobody touches.
void* operator new(std::size_t size, std::align_val_t alignment) {
  const auto border = static_cast<std::size_t>(alignment);
  char* memory =
      heap::failed(size) ? nullptr : static_cast<char*>(__libc_memalign(border, border + size));
  if (!memory) throw std::bad_alloc();
  std::memcpy(memory, &size, sizeof size);
  heap::take(size);
  return memory + border;
}
void operator delete(void* pointer, std::align_val_t alignment) noexcept {
  if (!pointer) return;
  // By way of an integer: the compiler knows of no memory before what operator new gave.
  const auto address = reinterpret_cast<std::uintptr_t>(pointer);
  void* memory = reinterpret_cast<void*>(address - static_cast<std::size_t>(alignment));
  std::size_t size;
  std::memcpy(&size, memory, sizeof size);
  heap::bytes -= static_cast<long>(size);
  __libc_free(memory);
}
void operator delete(void* pointer, std::size_t, std::align_val_t alignment) noexcept {
  ::operator delete(pointer, alignment);
}

#endif
