// refused: dasvdd: Eigen::Index is narrower than a pointer
// with: -DEIGEN_DEFAULT_DENSE_INDEX_TYPE=int
#include <dasvdd/core/types.hpp>
