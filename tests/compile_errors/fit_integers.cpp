// refused: dasvdd: a batch to fit has float or double numbers
// without: incomplete type
#include <dasvdd/fit/fit.hpp>

auto detector(const dasvdd::RowMatrix<int>& X) { return dasvdd::fit(X); }
