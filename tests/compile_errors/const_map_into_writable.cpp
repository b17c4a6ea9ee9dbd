// refused: dasvdd: a writable batch binds to an lvalue matrix
#include <dasvdd/core/types.hpp>

void fill(dasvdd::Rows<float>);

void use(Eigen::Map<const dasvdd::RowMatrix<float>> X) { fill(X); }
