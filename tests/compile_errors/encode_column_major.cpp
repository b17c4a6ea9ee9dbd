// refused: dasvdd: a batch is n x d with rows as samples, row-major
#include <dasvdd/detect/detector.hpp>

auto codes(const dasvdd::Detector<float>& detector, const Eigen::MatrixXf& X) {
  return detector.encode(X, 0);
}
