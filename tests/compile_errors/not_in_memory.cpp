// refused: dasvdd: a batch must lie in memory
#include <dasvdd/core/types.hpp>

void score(dasvdd::Rows<const float>);

void use(const dasvdd::RowMatrix<float>& X) { score(X * 2); }
