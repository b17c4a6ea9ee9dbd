#pragma once
/// \file
/// `AnyRows`: a batch as functions take it that convert its numbers while they read them.

#include <dasvdd/core/types.hpp>

#include <cstddef>
#include <type_traits>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// A view of rows of float or of double, whichever the caller has. Binds without a copy to what Rows
/// binds to. A net in float that is given double rows scales them in double: what a column varies by
/// is kept where its offset is large (timestamps, pressures, coordinates).
///
/// Not a template: what takes it is compiled once.
class AnyRows {
 public:
  AnyRows(Rows<const float> rows) : AnyRows(rows, false) {}
  AnyRows(Rows<const double> rows) : AnyRows(rows, true) {}
  AnyRows(Rows<float> rows) : AnyRows(Rows<const float>(rows)) {}
  AnyRows(Rows<double> rows) : AnyRows(Rows<const double>(rows)) {}
  template <class Derived>
  AnyRows(const Eigen::DenseBase<Derived>& matrix) : AnyRows(view(matrix)) {}
  /// n rows of d numbers, `stride` apart (0 stands for d).
  AnyRows(const float* data, Index n, Index d, Index stride = 0)
      : AnyRows(Rows<const float>(data, n, d, stride)) {}
  AnyRows(const double* data, Index n, Index d, Index stride = 0)
      : AnyRows(Rows<const double>(data, n, d, stride)) {}

  Index rows() const { return rows_; }
  Index cols() const { return cols_; }
  Index stride() const { return stride_; }
  /// Whether the numbers are double.
  bool wide() const { return wide_; }
  /// Whether the numbers are of this type.
  template <class Scalar>
  bool holds() const {
    return wide_ == std::is_same_v<Scalar, double>;
  }
  /// The rows in the type they hold.
  template <class Scalar>
  Rows<const Scalar> as() const {
    return {static_cast<const Scalar*>(data_), rows_, cols_, stride_};
  }
  /// Calls f(Rows<const float>) or f(Rows<const double>).
  template <class F>
  decltype(auto) visit(F&& f) const {
    return wide_ ? f(as<double>()) : f(as<float>());
  }
  double operator()(Index i, Index j) const {
    return wide_ ? as<double>()(i, j) : static_cast<double>(as<float>()(i, j));
  }

  /// Rows `first` to `first + count - 1`.
  AnyRows middle_rows(Index first, Index count) const {
    AnyRows some = *this;
    const Index size = static_cast<Index>(wide_ ? sizeof(double) : sizeof(float));
    some.data_ = static_cast<const char*>(data_) + first * stride_ * size;
    some.rows_ = count;
    return some;
  }

 private:
  template <class Scalar>
  AnyRows(Rows<const Scalar> rows, bool wide)
      : data_(rows.data()),
        rows_(rows.rows()),
        cols_(rows.cols()),
        stride_(rows.stride()),
        wide_(wide) {}

  /// What was refused is not compiled further: its errors would bury the sentence.
  template <class Derived>
  static auto view(const Eigen::DenseBase<Derived>& matrix) {
    using Scalar = typename Derived::Scalar;
    constexpr bool known = std::is_same_v<Scalar, float> || std::is_same_v<Scalar, double>;
    static_assert(known,
                  "dasvdd: a batch has float or double numbers; convert it with X.cast<float>() or "
                  "X.cast<double>()");
    if constexpr (known) {
      return Rows<const Scalar>(matrix);
    } else {
      return Rows<const float>();
    }
  }

  const void* data_;
  Index rows_, cols_, stride_;
  bool wide_;
};

/// require_width and require_finite of rows of either type.
inline void require_width(const AnyRows& batch, Index features, const char* what) {
  batch.visit([&](auto rows) { require_width(rows, features, what); });
}
inline void require_finite(const AnyRows& batch, const char* what) {
  batch.visit([&](auto rows) { require_finite(rows, what); });
}

}  // namespace detail
DASVDD_NAMESPACE_END
