// Training in float on rows of double.

#include "train/support.hpp"

#include <cmath>
#include <limits>

using namespace dasvdd;

namespace {

/// n rows of seconds since 1970 and a value that follows them: one value in two hundred doesn't.
RowMatrix<double> clock_rows(Index n, double start, std::vector<int>* anomalies = nullptr) {
  Random random(3);
  RowMatrix<double> X(n, 2);
  for (Index i = 0; i < n; ++i) {
    const bool odd = anomalies && i % 10 == 4;
    if (anomalies) anomalies->push_back(odd);
    const double t = static_cast<double>(i % 500);
    X(i, 0) = start + t;
    X(i, 1) = std::sin(t / 80 + (odd ? 1.5 : 0)) + 0.02 * random.normal();
  }
  return X;
}

FitOptions quick() {
  FitOptions options;
  options.ensemble_size = 3;
  options.steps = 1000;
  return options;
}

}  // namespace

TEST_CASE("fit<float> of double rows loses nothing of what a column varies by") {
  std::vector<int> anomalies;
  const RowMatrix<double> train = clock_rows(500, 1.7e9), test = clock_rows(500, 1.7e9, &anomalies);
  const Detector<float> detector = fit<float>(train, quick());
  const double area = roc_auc(detector.score(test), anomalies);
  CHECK(area > 0.97);
  // Rounded to float the seconds are 128 apart: four values a column.
  const RowMatrix<float> rounded = train.cast<float>();
  CHECK(roc_auc(fit(rounded, quick()).score(RowMatrix<float>(test.cast<float>())), anomalies) <
        area - 0.01);
  // The same from 0, where a float holds every second.
  std::vector<int> same;
  CHECK(roc_auc(fit<float>(clock_rows(500, 0), quick()).score(clock_rows(500, 0, &same)),
                anomalies) == doctest::Approx(area).epsilon(0.02));
}

TEST_CASE("rows that a float holds train to the same bits in both types") {
  const RowMatrix<float> X = curve<float>(60, 6, 1);
  const RowMatrix<double> wide = X.cast<double>();
  const Detector<float> one = fit(X, quick()), other = fit<float>(wide, quick());
  CHECK(same_bits(one.score(X), other.score(X)));
  CHECK(one.threshold() == other.threshold());

  FitOptions screened = quick();
  screened.contamination = 0.1;
  CHECK(same_bits(fit(X, screened).score(X), fit<float>(wide, screened).score(wide)));

  Options options;
  options.epochs = 5;
  options.batch_size = 16;
  options.validation = 0.2;
  for (const bool standardize : {false, true}) {
    options.standardize = standardize;
    const auto net = dense_autoencoder<float>(6, {8, 3});
    Trainer<float> a(net, options), b(net, options);
    a.fit(X);
    b.fit(wide);
    CHECK(same_bits(a.state().parameters, b.state().parameters));
    a.partial_fit(X, 2);
    b.partial_fit(wide, 2);
    CHECK(same_bits(a.state().parameters, b.state().parameters));
    CHECK(same_bits(a.detector().score(X), b.detector().score(wide)));
    CHECK(same_bits(a.gradient(X), a.gradient(wide)));
  }

  ImageOptions images;
  images.ensemble_size = 1;
  images.epochs = 1;
  images.shape = {1, 2, 3};
  CHECK(same_bits(fit_images(X, images).score(X), fit_images<float>(wide, images).score(X)));
}

TEST_CASE("a number that no float holds is refused by its place before a net in float trains") {
  RowMatrix<double> X = curve<double>(20, 3, 1);
  X(1, 2) = std::numeric_limits<double>::max();
  const char* sentence =
      "the training set has 1.79769e+308 in row 1, column 2; a net in float takes numbers up to "
      "3.40282e+38";
  CHECK_THROWS_WITH_AS(fit<float>(X), sentence, InvalidArgument);
  Trainer<float> trainer(dense_autoencoder<float>(3, {2}));
  CHECK_THROWS_WITH_AS(trainer.fit(X), sentence, InvalidArgument);
}
