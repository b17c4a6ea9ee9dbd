// refused: dasvdd: a net computes in float or double
#include <dasvdd/fit/fit.hpp>

auto detector(const dasvdd::RowMatrix<int>& X) { return dasvdd::fit(X); }
