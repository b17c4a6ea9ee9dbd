// refused: dasvdd: a batch has float or double numbers
#include <dasvdd/detect/detector.hpp>

auto scores(const dasvdd::Detector<float>& detector, const dasvdd::RowMatrix<int>& X) {
  return detector.score(X);
}
