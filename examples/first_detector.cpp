// Lesson: from a table of normal rows to scores. No labels, no net to design, no threshold to guess.

#include "pump.hpp"

#include <cstdio>

int main() {
  // n x d, one row a reading. Only normal rows: the detector learns what is usual.
  const dasvdd::RowMatrix<float> X = pump::readings(2000, 1);
  const dasvdd::Detector<float> detector = dasvdd::fit(X);

  // Rows that training has not seen: a healthy pump, and one that is 30 % worn.
  const dasvdd::RowMatrix<float> healthy = pump::readings(500, 2);
  const dasvdd::RowMatrix<float> worn = pump::readings(500, 3, 0.3);

  // A score has no unit; larger is more anomalous.
  std::printf("mean score   healthy %.3g, worn %.3g\n", detector.score(healthy).mean(),
              detector.score(worn).mean());

  // 1 is an anomaly: a score above that of 99 % of the training rows, until you set your own threshold.
  std::printf("anomalies    healthy %d of 500, worn %d of 500\n", detector.predict(healthy).sum(),
              detector.predict(worn).sum());

  // With labels one can say how well the scores rank: 1 is perfect, 0.5 is chance.
  Eigen::VectorXf scores(1000);
  scores << detector.score(healthy), detector.score(worn);
  Eigen::VectorXi labels(1000);
  labels << Eigen::VectorXi::Zero(500), Eigen::VectorXi::Ones(500);
  const double auc = dasvdd::roc_auc(scores, labels);
  std::printf("ROC-AUC      %.3f\n", auc);
  return auc > 0.9 ? 0 : 1;
}
