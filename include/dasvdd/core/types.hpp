#pragma once
/// \file
/// Matrix types, and `Rows`: the view through which batches enter the library.

#include <dasvdd/core/error.hpp>
#include <dasvdd/core/finite.hpp>

#include <cstddef>
#include <type_traits>

DASVDD_NAMESPACE_BEGIN

/// Signed index and size type, Eigen's.
using Index = Eigen::Index;
static_assert(sizeof(Index) == sizeof(std::ptrdiff_t),
              "dasvdd: Eigen::Index is narrower than a pointer; compile without "
              "EIGEN_DEFAULT_DENSE_INDEX_TYPE");

/// A batch: n x d, one sample a row, stored row by row (NumPy's and PyTorch's bytes).
template <class Scalar>
using RowMatrix = Eigen::Matrix<Scalar, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

namespace detail {

/// A column of numbers: scores, a latent code, a center.
template <class Scalar>
using Vector = Eigen::Matrix<Scalar, Eigen::Dynamic, 1>;

}  // namespace detail

/// A non-owning view of a batch (rows are samples): pointer, n rows, d columns, and the distance
/// from row to row in scalars. `Scalar` may be const. Cheap to copy; the bytes must outlive it.
///
/// Binds without a copy to a row-major Eigen matrix or map, to a block of rows or columns of one,
/// to the transpose of a column-major matrix, and to raw memory. A column-major n x d matrix does
/// not bind: Eigen would copy it silently, so the copy is left to the caller:
/// `RowMatrix<float>(X)`.
template <class Scalar>
class Rows {
 public:
  using Value = std::remove_const_t<Scalar>;

  Rows() = default;

  /// \param data first element of the first row
  /// \param stride scalars from one row to the next, at least `cols` (0 stands for `cols`)
  Rows(Scalar* data, Index rows, Index cols, Index stride = 0)
      : data_(data), rows_(rows), cols_(cols), stride_(stride == 0 ? cols : stride) {}

  /// Binds to an Eigen expression that lies in memory row by row.
  template <class Derived>
  Rows(const Eigen::DenseBase<Derived>& matrix)
      : Rows(address(matrix.derived()), matrix.rows(), matrix.cols(),
             row_stride(matrix.derived())) {}
  template <class Derived>
  Rows(Eigen::DenseBase<Derived>& matrix)
      : Rows(address(matrix.derived()), matrix.rows(), matrix.cols(),
             row_stride(matrix.derived())) {}
  /// A writable view is also a readable one.
  template <class Other, class = std::enable_if_t<std::is_same_v<const Other, Scalar> &&
                                                  !std::is_const_v<Other>>>
  Rows(const Rows<Other>& other) : Rows(other.data(), other.rows(), other.cols(), other.stride()) {}

  Scalar* data() const { return data_; }
  Index rows() const { return rows_; }
  Index cols() const { return cols_; }
  Index stride() const { return stride_; }
  Scalar* row(Index i) const { return data_ + i * stride_; }
  Scalar& operator()(Index i, Index j) const { return data_[i * stride_ + j]; }

  /// Rows `first` to `first + count - 1`.
  Rows middle_rows(Index first, Index count) const {
    return Rows(data_ + first * stride_, count, cols_, stride_);
  }

  /// The same bytes as an Eigen map.
  auto matrix() const {
    using Matrix =
        std::conditional_t<std::is_const_v<Scalar>, const RowMatrix<Value>, RowMatrix<Value>>;
    return Eigen::Map<Matrix, 0, Eigen::OuterStride<>>(data_, rows_, cols_,
                                                       Eigen::OuterStride<>(stride_));
  }

 private:
  template <class Derived>
  static constexpr bool in_memory = (int(Derived::Flags) & int(Eigen::DirectAccessBit)) != 0;

  /// Where the matrix begins, after all that can be said of its type. What was refused is not
  /// compiled further: its errors would bury the sentence.
  template <class Matrix>
  static Scalar* address(Matrix& matrix) {
    using Derived = std::remove_const_t<Matrix>;
    constexpr bool same_scalar = std::is_same_v<typename Derived::Scalar, Value>;
    constexpr bool writable =
        !std::is_const_v<Matrix> && (int(Derived::Flags) & int(Eigen::LvalueBit)) != 0;
    static_assert(same_scalar,
                  "dasvdd: the batch has another scalar type than the detector or net; "
                  "convert it with X.cast<float>() or X.cast<double>()");
    static_assert(bool(Derived::IsRowMajor) || Derived::ColsAtCompileTime == 1,
                  "dasvdd: a batch is n x d with rows as samples, row-major; "
                  "copy with dasvdd::RowMatrix<float>(X), or pass X.transpose() of a d x n "
                  "column-major matrix");
    static_assert(in_memory<Derived>,
                  "dasvdd: a batch must lie in memory; evaluate the expression into a "
                  "dasvdd::RowMatrix first");
    static_assert(std::is_const_v<Scalar> || writable,
                  "dasvdd: a writable batch binds to an lvalue matrix");
    if constexpr (same_scalar && in_memory<Derived> && (std::is_const_v<Scalar> || writable)) {
      return matrix.data();
    } else {
      return nullptr;
    }
  }
  template <class Derived>
  static Index row_stride(const Derived& matrix) {
    if constexpr (in_memory<Derived>) {
      // A single column has its rows one inner stride apart whatever its storage order says.
      detail::ensure(
          Derived::IsRowMajor == 0 || matrix.cols() <= 1 || matrix.innerStride() == 1,
          "the batch has gaps between its columns; copy it into a dasvdd::RowMatrix first");
      const Index stride = Derived::IsRowMajor ? matrix.outerStride() : matrix.innerStride();
      if (matrix.rows() <= 1) return 0;
      detail::ensure(stride >= matrix.cols(), "the batch has rows of ", matrix.cols(), " numbers, ",
                     stride, " apart; copy it into a dasvdd::RowMatrix first");
      return stride;
    } else {
      return 0;
    }
  }

  Scalar* data_ = nullptr;
  Index rows_ = 0;
  Index cols_ = 0;
  Index stride_ = 0;
};

namespace detail {

/// Refuses a batch whose width is not `features`; `what` names the argument.
template <class Scalar>
void require_width(Rows<const Scalar> batch, Index features, const char* what) {
  ensure(batch.rows() >= 0 && batch.stride() >= batch.cols(), what, " has ", batch.rows(),
         " rows of ", batch.cols(), " numbers, ", batch.stride(),
         " apart; expected rows that don't overlap");
  if (batch.cols() == features) return;
  const bool transposed = batch.rows() == features;
  ensure(false, what, " is ", batch.rows(), " x ", batch.cols(), ", expected ", features,
         " columns (one sample a row)", transposed ? "; is it transposed?" : "");
}

/// Refuses a batch with a NaN or an infinity in it, naming the first by row and column (both from
/// 0).
template <class Scalar>
void require_finite(Rows<const Scalar> batch, const char* what) {
  // Rows without gaps are one long run: short rows would cost more for their loops than for their numbers.
  if (batch.stride() == batch.cols() && all_finite(batch.data(), batch.rows() * batch.cols()))
    return;
  for (Index i = 0; i < batch.rows(); ++i) {
    if (all_finite(batch.row(i), batch.cols())) continue;
    for (Index j = 0; j < batch.cols(); ++j) {
      if (is_finite(batch(i, j))) continue;
      ensure(false, what, " has ", non_finite_name(batch(i, j)), " in row ", i, ", column ", j,
             "; every value must be finite");
    }
  }
}

}  // namespace detail
DASVDD_NAMESPACE_END
