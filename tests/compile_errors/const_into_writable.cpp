// refused: dasvdd: a writable batch binds to an lvalue matrix
#include <dasvdd/core/types.hpp>

void fill(dasvdd::Rows<float>);

void use(const dasvdd::RowMatrix<float>& X) { fill(X); }
