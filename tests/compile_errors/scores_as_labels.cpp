// refused: dasvdd: labels are integers or bools, nonzero for an anomaly
#include <dasvdd/eval/roc_auc.hpp>

#include <vector>

double area(const std::vector<float>& scores, const std::vector<int>& labels) {
  return dasvdd::roc_auc(labels, scores);
}
