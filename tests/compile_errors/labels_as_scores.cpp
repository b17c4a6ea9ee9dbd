// refused: dasvdd: scores are float or double (are scores and labels in the wrong order?)
#include <dasvdd/eval/roc_auc.hpp>

#include <vector>

double area(const std::vector<float>& scores, const std::vector<int>& labels) {
  return dasvdd::roc_auc(labels, scores);
}
