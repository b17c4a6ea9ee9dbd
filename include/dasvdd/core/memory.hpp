#pragma once
/// \file
/// Owned memory whose alignment and layout depend on no compiler flag.

#include <dasvdd/core/types.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <new>
#include <type_traits>
#include <utility>

#if defined(__linux__)
#include <sys/mman.h>
#endif

DASVDD_NAMESPACE_BEGIN
namespace detail {

constexpr std::size_t huge_page = std::size_t(1) << 21;
constexpr std::size_t buffer_alignment = 64;

inline std::align_val_t alignment_for(std::size_t bytes) {
  return std::align_val_t{bytes < huge_page ? buffer_alignment : huge_page};
}

/// Big buffers are read across rows that lie pages apart, and a step of Adam reads three of them. With pages
/// of 4 KB the translation of addresses costs more than the arithmetic. A system without huge pages
/// ignores this.
inline void ask_for_huge_pages(void* memory, std::size_t bytes) {
#if defined(__linux__)
  (void)::madvise(memory, bytes, MADV_HUGEPAGE);
#else
  (void)memory, (void)bytes;
#endif
}

/// The memory behind an AlignedBuffer, on a 64-byte border or a huge page's; null for no bytes.
DASVDD_NOINLINE inline void* allocate_aligned(std::size_t bytes) {
  if (bytes == 0) return nullptr;
  void* memory = ::operator new(bytes, alignment_for(bytes));
  if (bytes >= huge_page) ask_for_huge_pages(memory, bytes);
  return memory;
}
DASVDD_NOINLINE inline void free_aligned(void* memory, std::size_t bytes) {
  ::operator delete(memory, alignment_for(bytes));
}

/// A fixed-size array of numbers on a 64-byte border, zero at first. A value: copies are deep,
/// moves are cheap. Throws std::bad_alloc where there is too little memory or address space.
///
/// Stands where std::vector or an Eigen vector would, because the first is not aligned and the
/// alignment of the second changes with -march, which corrupts the heap when differently built
/// libraries pass objects.
template <class T>
class AlignedBuffer {
  static_assert(std::is_trivially_copyable_v<T>, "dasvdd: an AlignedBuffer holds plain numbers");

 public:
  static constexpr std::size_t alignment = detail::buffer_alignment;

  AlignedBuffer() = default;
  explicit AlignedBuffer(Index size) : data_(allocate(size)), size_(size) {
    if (size > 0) std::memset(static_cast<void*>(data_), 0, bytes());
  }
  /// rows x cols numbers.
  AlignedBuffer(Index rows, Index cols) : AlignedBuffer(product(rows, cols)) {}
  AlignedBuffer(const AlignedBuffer& other) : data_(allocate(other.size_)), size_(other.size_) {
    if (size_ > 0) std::memcpy(static_cast<void*>(data_), other.data_, bytes());
  }
  AlignedBuffer(AlignedBuffer&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  AlignedBuffer& operator=(AlignedBuffer other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~AlignedBuffer() {
    if (data_) detail::free_aligned(data_, bytes());
  }

  T* data() { return data_; }
  const T* data() const { return data_; }
  Index size() const { return size_; }
  bool empty() const { return size_ == 0; }
  T& operator[](Index i) { return data_[i]; }
  const T& operator[](Index i) const { return data_[i]; }
  T* begin() { return data_; }
  T* end() { return data_ + size_; }
  const T* begin() const { return data_; }
  const T* end() const { return data_ + size_; }

  /// Copies the elements of another buffer of the same size; allocates nothing.
  void copy_from(const AlignedBuffer& other) {
    if (size_ > 0) std::memcpy(static_cast<void*>(data_), other.data_, bytes());
  }

 private:
  std::size_t bytes() const { return static_cast<std::size_t>(size_) * sizeof(T); }
  // No more bytes than an Index counts: pointers into the buffer could not be told apart.
  static constexpr Index most = (std::numeric_limits<Index>::max)() / Index(sizeof(T));
  static Index product(Index rows, Index cols) {
    if (cols > 0 && rows > most / cols) throw std::bad_array_new_length();
    return rows * cols;
  }
  static T* allocate(Index size) {
    if (size > most) throw std::bad_array_new_length();
    return static_cast<T*>(detail::allocate_aligned(static_cast<std::size_t>(size) * sizeof(T)));
  }

  T* data_ = nullptr;
  Index size_ = 0;
};

/// a / b, rounded up. Neither may be negative; both may be as large as an Index.
constexpr Index ceil_div(Index a, Index b) { return a / b + (a % b != 0); }
constexpr Index round_up(Index a, Index multiple) { return ceil_div(a, multiple) * multiple; }

/// a times b, neither negative; the largest number where that is more.
constexpr std::int64_t saturating_product(std::int64_t a, std::int64_t b) {
  constexpr std::int64_t most = (std::numeric_limits<std::int64_t>::max)();
  return b != 0 && a > most / b ? most : a * b;
}
/// a plus b, the same way.
constexpr std::int64_t saturating_sum(std::int64_t a, std::int64_t b) {
  constexpr std::int64_t most = (std::numeric_limits<std::int64_t>::max)();
  return a > most - b ? most : a + b;
}

/// The most features of a layer and the most parameters of a net: products of sizes then fit in an Index,
/// whatever sizes a model file names.
constexpr Index most_features = Index(1) << (sizeof(Index) > 4 ? 24 : 20);
constexpr Index most_parameters = Index(1) << (sizeof(Index) > 4 ? 40 : 28);

/// Tensors of the flat parameter vector start at multiples of this many scalars: a cache line at
/// least, and room to read a bias as whole panels of any kernel.
constexpr Index tensor_alignment = 32;
/// The most outputs in a strip of any kernel.
constexpr Index widest_panel = tensor_alignment;

/// Scalars from row to row of an activation buffer with `cols` columns: whole panels, and an odd
/// number of cache lines, because rows a power of two apart would all compete for the same cache
/// sets.
template <class Scalar>
constexpr Index padded_stride(Index cols) {
  constexpr Index line = Index(64 / sizeof(Scalar));
  const Index stride = round_up(cols, tensor_alignment);
  return (stride / line) % 2 == 0 ? stride + line : stride;
}

}  // namespace detail
DASVDD_NAMESPACE_END
