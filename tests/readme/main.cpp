// Calls the functions that README.md's blocks define, as a reader would who pastes them into a program.

#include <dasvdd/dasvdd.hpp>

#include <cstdio>
#include <exception>
#include <string>

// As the blocks define them: another signature there does not link here.
Eigen::VectorXi detect(const dasvdd::RowMatrix<float>& X, const dasvdd::RowMatrix<float>& X_new);
dasvdd::Detector<float> train(const dasvdd::RowMatrix<float>& X);
void serve(const dasvdd::Detector<float>& detector, dasvdd::Rows<const float> rows, float* scores);

namespace {

int failures = 0;

void check(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "README.md: %s\n", what);
  ++failures;
}

/// Rows that vary in `directions` ways only, every value between 0 and 1, as images have them.
dasvdd::RowMatrix<float> rows(dasvdd::Index n, dasvdd::Index d, std::uint64_t seed) {
  constexpr int directions = 3;
  dasvdd::Random pattern(7), random(seed);
  dasvdd::RowMatrix<float> patterns(directions, d);
  for (float& x : patterns.reshaped()) x = static_cast<float>(pattern.uniform());
  dasvdd::RowMatrix<float> X = dasvdd::RowMatrix<float>::Zero(n, d);
  for (dasvdd::Index i = 0; i < n; ++i) {
    for (int k = 0; k < directions; ++k) {
      X.row(i) += static_cast<float>(random.uniform(0, 1.0 / directions)) * patterns.row(k);
    }
  }
  return X;
}

}  // namespace

int main() {
  try {
    dasvdd::RowMatrix<float> X_odd = rows(5, 8, 3);
    X_odd.row(2).array() += 10;
    const Eigen::VectorXi found = detect(rows(120, 8, 1), X_odd);
    check(found.size() == 5 && found.minCoeff() >= 0 && found[2] == 1, "an odd row is not found");

    const auto X = rows(20, 784, 4);
    const auto detector = train(X);
    check(detector.features() == 784, "the MNIST net takes other than 784 features");
    const auto X_new = rows(50, 784, 5);
    const Eigen::VectorXf scores = detector.score(X_new);
    check(scores.size() == 50 && scores.allFinite() && scores.minCoeff() > 0,
          "a score is not a positive number");
    check(scores.minCoeff() < scores.maxCoeff(), "all scores are alike");

    Eigen::VectorXf served(50);
    serve(detector, X_new, served.data());
    check(served == scores, "a row served alone has another score than in a batch");

    // README's false alarm rate needs 99 held-out rows, which a reader with fewer learns from an error.
    bool refused = false;
    try {
      detector.calibrated(rows(98, 784, 6), dasvdd::false_alarm_rate(0.01));
    } catch (const dasvdd::InvalidArgument& error) {
      refused = std::string(error.what()).find("at least 99 held-out") != std::string::npos;
    }
    check(refused, "98 held-out rows are enough for a false alarm rate of 1 %");
    const auto calibrated = detector.calibrated(rows(99, 784, 6), dasvdd::false_alarm_rate(0.01));
    const Eigen::VectorXi anomalies = calibrated.predict(X_new);
    check(anomalies.size() == 50 && anomalies.minCoeff() >= 0 && anomalies.maxCoeff() <= 1,
          "predict gives other than 0 and 1");
    const Eigen::VectorXd p = calibrated.p_value(scores);
    check(p.minCoeff() > 0 && p.maxCoeff() <= 1, "a p-value is not above 0 and at most 1");
    const auto why = calibrated.explain(X_new.row(0));
    check(why.features.size() == 784 && why.expected.size() == 784,
          "explain gives other than a share and an expected value a feature");
    serve(calibrated, X_new, served.data());
    check(served == scores, "a calibrated detector serves other scores");
  } catch (const std::exception& error) {
    check(false, error.what());
  }
  return failures == 0 ? 0 : 1;
}
