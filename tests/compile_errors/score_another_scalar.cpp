// refused: dasvdd: the batch has another scalar type than the detector or net
#include <dasvdd/detect/detector.hpp>

auto scores(const dasvdd::Detector<float>& detector, const dasvdd::RowMatrix<double>& X) {
  return detector.score(X);
}
