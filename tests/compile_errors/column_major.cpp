// refused: dasvdd: a batch is n x d with rows as samples, row-major
#include <dasvdd/core/types.hpp>

void score(dasvdd::Rows<const float>);

void use(const Eigen::MatrixXf& X) { score(X); }
