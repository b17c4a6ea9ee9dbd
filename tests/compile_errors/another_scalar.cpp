// refused: dasvdd: the batch has another scalar type than the detector or net
#include <dasvdd/core/types.hpp>

void score(dasvdd::Rows<const float>);

void use(const dasvdd::RowMatrix<double>& X) { score(X); }
