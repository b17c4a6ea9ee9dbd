#pragma once
/// \file
/// How batches come from Python and how results go back.

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <dasvdd/core/any_rows.hpp>
#include <dasvdd/core/memory.hpp>
#include <dasvdd/core/types.hpp>

#include <cstdint>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace nb = nanobind;

namespace dasvdd::python {

/// What signatures call an argument that NumPy can make an array of.
class ArrayLike : public nb::object {
 public:
  NB_OBJECT_DEFAULT(ArrayLike, object, "numpy.typing.ArrayLike", is_anything)

 private:
  static bool is_anything(PyObject*) { return true; }
};

/// What signatures call a result.
class Array : public nb::object {
 public:
  NB_OBJECT_DEFAULT(Array, object, "numpy.ndarray", is_anything)

 private:
  static bool is_anything(PyObject*) { return true; }
};

/// Of features; none where they have none.
using Names = std::vector<std::string>;

/// "float32" or "float64".
template <class Scalar>
constexpr const char* dtype_name = sizeof(Scalar) == 4 ? "float32" : "float64";

/// The memory of a Python object, where it is numbers of one type, in one or two dimensions.
template <class Scalar>
class Memory {
 public:
  Memory() = default;
  ~Memory() { release(); }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  /// Whether the object's memory is rows, one number after the other in each; a vector is one row.
  bool take(nb::handle X, int dimensions) {
    if (!PyObject_CheckBuffer(X.ptr())) return false;
    if (PyObject_GetBuffer(X.ptr(), &view_, PyBUF_STRIDES | PyBUF_FORMAT) != 0) {
      PyErr_Clear();
      return false;
    }
    if (is_rows(dimensions)) return true;
    release();
    return false;
  }
  Rows<const Scalar> rows() const { return rows_; }

 private:
  void release() {
    if (view_.obj) PyBuffer_Release(&view_);
    view_ = {};
  }
  bool is_rows(int dimensions) {
    constexpr Py_ssize_t size = sizeof(Scalar);
    constexpr char code = sizeof(Scalar) == 4 ? 'f' : 'd';
    if (view_.ndim != dimensions || !view_.format || view_.format[0] != code || view_.format[1])
      return false;
    const Py_ssize_t* end = view_.shape + dimensions;
    const Py_ssize_t n = dimensions == 2 ? view_.shape[0] : 1, d = end[-1];
    const Py_ssize_t stride = n > 1 ? view_.strides[0] : d * size;
    rows_ = Rows<const Scalar>(static_cast<const Scalar*>(view_.buf), n, d, stride / size);
    return (d <= 1 || view_.strides[dimensions - 1] == size) && stride % size == 0 &&
           stride >= d * size && reinterpret_cast<std::uintptr_t>(view_.buf) % sizeof(Scalar) == 0;
  }

  Py_buffer view_ = {};
  Rows<const Scalar> rows_;
};

/// What dasvdd._arrays makes of an object that can't be used as it is, or refuses.
/// \param names in whose order the columns of a table that has names come back
nb::object converted(const char* function, nb::handle X, const char* what, const char* dtype,
                     const Names& names = {});

/// Rows of a Python object for the time of a call. float32 and float64 that lie in memory one number after the other
/// are used where they are, also where rows have gaps between them (X[:, 2:5], X[::2]): a net in float scales rows of
/// double in double. Everything else is copied as float64 by dasvdd._arrays.
/// \tparam Scalar the detector's type, which is tried first
template <class Scalar>
class Batch {
 public:
  /// \param what begins an error's sentence: "the batch"
  /// \param names of the features, by which the columns of a data frame are found; no other rows have names
  /// \param dimensions 2, or 1 for a single row
  Batch(nb::handle X, const char* what, const Names& names, int dimensions = 2) {
    is_own_ = own_.take(X, dimensions);
    if (is_own_ || other_.take(X, dimensions)) return;
    copy_ = converted(dimensions == 2 ? "as_rows" : "as_vector", X, what, "float64", names);
    is_own_ = own_.take(copy_, dimensions);
    if (!is_own_) other_.take(copy_, dimensions);
  }
  dasvdd::detail::AnyRows rows() const {
    if (is_own_) return own_.rows();
    return other_.rows();
  }

 private:
  using Other = std::conditional_t<sizeof(Scalar) == 4, double, float>;

  nb::object copy_;
  Memory<Scalar> own_;
  Memory<Other> other_;
  bool is_own_ = false;
};

/// Rows of one type: others are copied.
template <class Scalar>
class BatchOf {
 public:
  BatchOf(nb::handle X, const char* what) {
    if (memory_.take(X, 2)) return;
    copy_ = converted("as_rows", X, what, dtype_name<Scalar>);
    memory_.take(copy_, 2);
  }
  Rows<const Scalar> rows() const { return memory_.rows(); }

 private:
  nb::object copy_;
  Memory<Scalar> memory_;
};

/// d numbers of a Python object, of one type. Copied like a batch's.
template <class Scalar>
class Numbers {
 public:
  Numbers(nb::handle x, const char* what) {
    if (memory_.take(x, 1)) return;
    copy_ = converted("as_vector", x, what, dtype_name<Scalar>);
    memory_.take(copy_, 1);
  }
  const Scalar* data() const { return memory_.rows().data(); }
  Index size() const { return memory_.rows().cols(); }
  std::vector<Scalar> vector() const { return {data(), data() + size()}; }

 private:
  nb::object copy_;
  Memory<Scalar> memory_;
};

/// A NumPy array over memory that `owner`, moved to the heap, holds: no number is copied.
/// \param owner has data(), where the numbers begin in row-major order
template <class Owner>
Array array_of(Owner&& owner, std::initializer_list<std::size_t> shape) {
  using Held = std::decay_t<Owner>;
  using Number = std::remove_pointer_t<decltype(owner.data())>;
  auto* held = new Held(std::move(owner));
  nb::capsule keeper(held, [](void* p) noexcept { delete static_cast<Held*>(p); });
  static Number none{};  // NumPy wants an address even for no numbers
  Number* data = held->data() ? held->data() : &none;
  return nb::cast<Array>(nb::ndarray<nb::numpy, Number>(data, shape, keeper).cast());
}
template <class Owner>
Array vector_of(Owner&& owner) {
  const auto size = static_cast<std::size_t>(owner.size());
  return array_of(std::move(owner), {size});
}
template <class Scalar>
Array matrix_of(RowMatrix<Scalar>&& matrix) {
  const auto rows = static_cast<std::size_t>(matrix.rows());
  const auto cols = static_cast<std::size_t>(matrix.cols());
  return array_of(std::move(matrix), {rows, cols});
}

/// An uninitialized array of n numbers. For few numbers this is quicker than an array over memory of the library's.
template <class Scalar>
class NewArray {
 public:
  explicit NewArray(Index size) {
    // Kept for good: looking them up takes longer than scoring a row.
    static const nb::handle empty =
        nb::object(nb::module_::import_("numpy").attr("empty")).release();
    static const nb::handle dtype =
        nb::object(nb::module_::import_("numpy").attr("dtype")(dtype_name<Scalar>)).release();
    array_ = empty(size, dtype);
    if (PyObject_GetBuffer(array_.ptr(), &view_, PyBUF_SIMPLE | PyBUF_WRITABLE) != 0)
      throw nb::python_error();
  }
  ~NewArray() { PyBuffer_Release(&view_); }
  NewArray(const NewArray&) = delete;
  NewArray& operator=(const NewArray&) = delete;

  Scalar* data() const { return static_cast<Scalar*>(view_.buf); }
  Array array() const { return nb::borrow<Array>(array_); }

 private:
  nb::object array_;
  Py_buffer view_ = {};
};

}  // namespace dasvdd::python
