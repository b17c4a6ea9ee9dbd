// refused: dasvdd: a batch is n x d with rows as samples, row-major
#include <dasvdd/fit/fit.hpp>

auto detector(const Eigen::MatrixXf& X) { return dasvdd::fit(X); }
