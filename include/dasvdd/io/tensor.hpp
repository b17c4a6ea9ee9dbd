#pragma once
/// \file
/// One tensor of a file, as bytes and as numbers.

#include <algorithm>
#include <cstring>
#include <dasvdd/core/types.hpp>
#include <dasvdd/io/dtype.hpp>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// A name from a file, fit to stand in a sentence: short and printable whatever the file says.
inline std::string in_quotes(std::string_view name) {
  std::string text = "'";
  for (const char c : name.substr(0, 80)) text += (c >= 0 && c < ' ') || c == 127 ? '?' : c;
  return text + (name.size() > 80 ? "...'" : "'");
}

/// How an error about a file begins: its name, nothing for one made in memory.
inline std::string error_prefix(const std::string& source) {
  return source.empty() ? std::string() : in_quotes(source) + ": ";
}

/// "2 x 3", or "a single number" for no dimensions at all.
inline std::string shape_text(const std::vector<Index>& shape) {
  if (shape.empty()) return "a single number";
  std::string text = std::to_string(shape[0]);
  for (std::size_t i = 1; i < shape.size(); ++i) text += " x " + std::to_string(shape[i]);
  return text;
}

/// The product of a shape's sizes times `scale`; false when it doesn't fit.
inline bool checked_volume(const std::vector<Index>& shape, std::size_t scale,
                           std::size_t& volume) {
  volume = scale;
  if (std::find(shape.begin(), shape.end(), 0) != shape.end()) return volume = 0, true;
  for (const Index size : shape) {
    const auto factor = static_cast<std::size_t>(size);
    if (volume > std::size_t((std::numeric_limits<Index>::max)()) / factor) return false;
    volume *= factor;
  }
  return true;
}

/// One tensor of a TensorFile: a name, a type, a shape (empty: a single number) and the row-major
/// bytes.
struct Tensor {
  std::string name;
  DType dtype = DType::F32;
  std::vector<Index> shape;
  std::vector<unsigned char> bytes;
  std::string source;  ///< what an error calls the file: its name, empty for one made in memory

  /// Numbers in it.
  Index size() const { return static_cast<Index>(bytes.size() / size_of(dtype)); }

  /// A copy of the numbers, row-major. `T` is double, std::int64_t, float, Bfloat16 or
  /// std::uint8_t.
  /// \throws FileError when the tensor is of another type
  template <class T>
  std::vector<T> as() const {
    constexpr DType expected = detail::DTypeOf<T>::value;
    if (dtype != expected) fail(name_of(dtype), name_of(expected));
    std::vector<T> values(bytes.size() / sizeof(T));
    if (!values.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
    return values;
  }

  /// A copy of the numbers of a tensor that must have the shape `expected`.
  /// \throws FileError when the tensor is of another type or shape
  template <class T>
  std::vector<T> as(const std::vector<Index>& expected) const {
    if (shape != expected) fail(detail::shape_text(shape), detail::shape_text(expected));
    return as<T>();
  }

  /// A copy of a tensor of two dimensions as a matrix.
  /// \throws FileError when the tensor is of another type or number of dimensions
  template <class T>
  RowMatrix<T> matrix() const {
    if (shape.size() != 2) fail(detail::shape_text(shape), "two dimensions");
    const std::vector<T> values = as<T>();
    return Eigen::Map<const RowMatrix<T>>(values.data(), shape[0], shape[1]);
  }

 private:
  template <class Got, class Expected>
  [[noreturn]] void fail(const Got& got, const Expected& expected) const {
    throw FileError(detail::sentence(detail::error_prefix(source), "tensor ",
                                     detail::in_quotes(name), " is ", got, ", expected ",
                                     expected));
  }
};

}  // namespace detail
DASVDD_NAMESPACE_END
