// The library as a user's program sees it: one include, one call to fit, one to score.
#include <dasvdd/core/types.hpp>

#include <cstdio>

#if defined(EXPECT_OPENMP) && EXPECT_OPENMP != DASVDD_OPENMP
#error "dasvdd was built with another answer about OpenMP than its CMake target promised"
#endif

int main() {
  const dasvdd::RowMatrix<float> X = dasvdd::RowMatrix<float>::Random(64, 8);
  const dasvdd::Rows<const float> rows(X);
  std::printf("dasvdd %s, %d rows\n", DASVDD_VERSION_STRING, int(rows.rows()));
  return rows.rows() == 64 ? 0 : 1;
}
