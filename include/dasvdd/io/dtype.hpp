#pragma once
/// \file
/// The types of number that a tensor in a file may have.

#include <dasvdd/kernels/bfloat16.hpp>

#include <cstddef>
#include <cstdint>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// A tensor's type of number.
enum class DType { F64, I64, F32, BF16, U8 };

/// The name in the file: "F64", "I64", "F32", "BF16", "U8".
inline const char* name_of(DType dtype) {
  switch (dtype) {
    case DType::F64:
      return "F64";
    case DType::I64:
      return "I64";
    case DType::F32:
      return "F32";
    case DType::BF16:
      return "BF16";
    default:
      return "U8";
  }
}

/// Bytes a number takes.
inline std::size_t size_of(DType dtype) {
  switch (dtype) {
    case DType::F64:
    case DType::I64:
      return 8;
    case DType::F32:
      return 4;
    case DType::BF16:
      return 2;
    default:
      return 1;
  }
}

template <class T>
struct DTypeOf;
template <>
struct DTypeOf<double> {
  static constexpr DType value = DType::F64;
};
template <>
struct DTypeOf<std::int64_t> {
  static constexpr DType value = DType::I64;
};
template <>
struct DTypeOf<float> {
  static constexpr DType value = DType::F32;
};
template <>
struct DTypeOf<Bfloat16> {
  static constexpr DType value = DType::BF16;
};
template <>
struct DTypeOf<std::uint8_t> {
  static constexpr DType value = DType::U8;
};

}  // namespace detail
DASVDD_NAMESPACE_END
