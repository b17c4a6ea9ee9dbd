// refused: dasvdd: a batch is a row-major Eigen matrix (dasvdd::RowMatrix<float>) or dasvdd::Rows
#include <dasvdd/fit/fit.hpp>

#include <vector>

auto detector = dasvdd::fit(std::vector<float>(80));
