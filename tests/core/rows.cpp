// Rows: what binds to it without a copy, and what it refuses.

#include <dasvdd/core/types.hpp>

#include <doctest/doctest.h>

#include <numeric>
#include <vector>

using dasvdd::Index;
using dasvdd::RowMatrix;
using dasvdd::Rows;

namespace {

/// Entry (i, j) is 100 i + j.
RowMatrix<float> numbered(Index rows, Index cols) {
  RowMatrix<float> x(rows, cols);
  for (Index i = 0; i < rows; ++i) {
    for (Index j = 0; j < cols; ++j) x(i, j) = static_cast<float>(100 * i + j);
  }
  return x;
}

/// Takes its argument as the library's functions do.
Rows<const float> view(Rows<const float> x) { return x; }

/// Same address and same numbers as the Eigen expression.
template <class Matrix>
void check_is(Rows<const float> x, const Matrix& matrix) {
  REQUIRE(x.rows() == matrix.rows());
  REQUIRE(x.cols() == matrix.cols());
  CHECK(x.data() == &matrix.coeffRef(0, 0));
  for (Index i = 0; i < x.rows(); ++i) {
    CHECK(x.row(i) == x.data() + i * x.stride());
    for (Index j = 0; j < x.cols(); ++j) CHECK(x(i, j) == matrix.coeff(i, j));
  }
  CHECK(x.matrix() == matrix);
}

}  // namespace

TEST_CASE("a batch binds without a copy to whatever lies in memory row by row") {
  RowMatrix<float> x = numbered(5, 4);
  SUBCASE("a row-major matrix") {
    check_is(view(x), x);
    CHECK(view(x).stride() == 4);
  }
  SUBCASE("a const row-major matrix") {
    const RowMatrix<float>& c = x;
    check_is(view(c), c);
  }
  SUBCASE("a row-major matrix of fixed size") {
    Eigen::Matrix<float, 2, 3, Eigen::RowMajor> fixed;
    fixed << 1, 2, 3, 4, 5, 6;
    check_is(view(fixed), fixed);
  }
  SUBCASE("a block of rows") {
    auto block = x.middleRows(1, 3);
    check_is(view(block), block);
    check_is(view(x.middleRows(1, 3)), block);
  }
  SUBCASE("a block of columns, whose rows keep their distance") {
    auto block = x.middleCols(1, 2);
    check_is(view(block), block);
    CHECK(view(block).stride() == 4);
  }
  SUBCASE("a single column of a row-major matrix, whose rows lie a row apart") {
    auto column = x.col(2);
    check_is(view(column), column);
    CHECK(view(column).stride() == 4);
  }
  SUBCASE("a block with one column of a row-major matrix") {
    auto block = x.middleCols(2, 1);
    check_is(view(block), block);
  }
  SUBCASE("a single row") {
    auto row = x.row(3);
    check_is(view(row), row);
    Eigen::RowVectorXf vector = row;
    check_is(view(vector), vector);
  }
  SUBCASE("a vector is a batch of one feature") {
    Eigen::VectorXf column(3);
    column << 1, 2, 3;
    check_is(view(column), column);
    CHECK(view(column).cols() == 1);
    CHECK(view(column).stride() == 1);
  }
  SUBCASE("the transpose of a column-major matrix") {
    Eigen::MatrixXf columns = x.transpose();
    auto rows = columns.transpose();
    check_is(view(rows), rows);
    CHECK(view(columns.transpose()).data() == columns.data());
  }
  SUBCASE("a map of raw memory, with room between its rows") {
    std::vector<float> memory(15);
    std::iota(memory.begin(), memory.end(), 0.0f);
    Eigen::Map<RowMatrix<float>, 0, Eigen::OuterStride<>> map(memory.data(), 3, 4,
                                                              Eigen::OuterStride<>(5));
    check_is(view(map), map);
    CHECK(view(map).stride() == 5);
    const Rows<const float> raw(memory.data(), 3, 4, 5);
    check_is(raw, map);
  }
  SUBCASE("an Eigen::Ref") {
    Eigen::Ref<const RowMatrix<float>, 0, Eigen::OuterStride<>> ref(x);
    CHECK(view(ref).data() == x.data());
    CHECK(view(ref).stride() == 4);
  }
}

TEST_CASE("no rows or no columns are a batch too") {
  const RowMatrix<float> no_rows(0, 4), no_columns(3, 0);
  CHECK(view(no_rows).rows() == 0);
  CHECK(view(no_rows).cols() == 4);
  CHECK(view(no_columns).rows() == 3);
  CHECK(view(no_columns).cols() == 0);
  const Rows<const float> none;
  CHECK(none.rows() == 0);
  CHECK(none.data() == nullptr);
}

TEST_CASE("raw memory without a stride is dense, and a part of the rows keeps the stride") {
  const float memory[] = {0, 1, 2, 3, 4, 5, 6, 7};
  const Rows<const float> x(memory, 4, 2);
  CHECK(x.stride() == 2);
  CHECK(x(3, 1) == 7);
  const Rows<const float> part = Rows<const float>(memory, 2, 2, 4).middle_rows(1, 1);
  CHECK(part.rows() == 1);
  CHECK(part.stride() == 4);
  CHECK(part(0, 0) == 4);
}

TEST_CASE("a writable view writes into the matrix, and is a readable one") {
  RowMatrix<float> x = numbered(3, 4);
  Rows<float> w = x;
  w(2, 1) = -7;
  CHECK(x(2, 1) == -7);
  w.matrix()(0, 3) = -8;
  CHECK(x(0, 3) == -8);
  CHECK(view(w).data() == x.data());
  CHECK(view(w).stride() == 4);
}

TEST_CASE("a map of one row again and again, or of rows that overlap, is refused") {
  float row[8] = {};
  const auto again = [&](Index rows, Index stride) {
    return Rows<const float>(Eigen::Map<const RowMatrix<float>, 0, Eigen::OuterStride<>>(
        row, rows, 4, Eigen::OuterStride<>(stride)));
  };
  CHECK_THROWS_WITH_AS(
      again(1000, 0),
      "the batch has rows of 4 numbers, 0 apart; copy it into a dasvdd::RowMatrix first",
      dasvdd::InvalidArgument);
  CHECK_THROWS_AS(again(2, 3), dasvdd::InvalidArgument);
  CHECK_THROWS_AS(again(2, -4), dasvdd::InvalidArgument);
  CHECK(again(2, 4).stride() == 4);
  CHECK(again(1, 0).stride() == 4);  // one row has no next one
}

TEST_CASE("rows with gaps between their columns are refused") {
  RowMatrix<float> x = numbered(4, 6);
  const char* sentence =
      "the batch has gaps between its columns; copy it into a dasvdd::RowMatrix first";
  Eigen::Map<RowMatrix<float>, 0, Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>> every_other(
      x.data(), 4, 3, Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>(6, 2));
  CHECK_THROWS_WITH_AS(view(every_other), sentence, dasvdd::InvalidArgument);
  CHECK_THROWS_WITH_AS(view(every_other.leftCols(2)), sentence, dasvdd::InvalidArgument);
  // A row of a column-major matrix: its numbers lie a column apart.
  Eigen::MatrixXf columns = x;
  CHECK_THROWS_WITH_AS(view(columns.row(1)), sentence, dasvdd::InvalidArgument);
}

TEST_CASE("a batch of another width is refused, and a transposed one is asked about") {
  const RowMatrix<float> x(5, 4);
  const auto check = [&](Index features) {
    dasvdd::detail::require_width(view(x), features, "the batch");
  };
  check(4);
  CHECK_THROWS_WITH_AS(check(6), "the batch is 5 x 4, expected 6 columns (one sample a row)",
                       dasvdd::InvalidArgument);
  CHECK_THROWS_WITH_AS(
      check(5), "the batch is 5 x 4, expected 5 columns (one sample a row); is it transposed?",
      dasvdd::InvalidArgument);
}
