// accepted
// What the other files here do wrongly, done right: their errors are no accident of the build.
#include <dasvdd/fit/fit.hpp>
#include <dasvdd/fit/fit_images.hpp>

void score(dasvdd::Rows<const float>);
void fill(dasvdd::Rows<float>);

auto net() {
  using namespace dasvdd;
  return autoencoder(chain(dense<float, 8, 4>(), relu(), dense<float, 4, 2>()),
                     chain(dense<float>(2, 8), sigmoid()));
}

void batches(dasvdd::RowMatrix<float>& X, const Eigen::MatrixXf& columns) {
  score(X);
  score(dasvdd::RowMatrix<float>(columns));
  score(columns.transpose());
  fill(X);
}

template <class Batch>
void fits(const Batch& X) {
  const auto stop = [](const dasvdd::FitProgress&) { return false; };
  const auto look = [](const dasvdd::FitProgress&) {};
  dasvdd::fit(X);
  dasvdd::fit(X, {});
  dasvdd::fit(X, {}, stop);
  dasvdd::fit(X, dasvdd::FitOptions(), look);
  dasvdd::fit_images(X);
  dasvdd::fit_images(X, {});
  dasvdd::fit_images(X, {}, stop);
  dasvdd::fit_images(X, dasvdd::ImageOptions(), look);
}

void use(const dasvdd::RowMatrix<float>& X, dasvdd::RowMatrix<double>& Y, const double* rows) {
  fits(X);
  fits(Y);
  fits(X.topRows(3));
  fits(dasvdd::Rows<const float>(X));
  fits(dasvdd::Rows<double>(Y));
  fits(Eigen::Map<const dasvdd::RowMatrix<double>>(rows, 10, 3));
  const dasvdd::Detector<float> detector = dasvdd::fit<float>(Y);
  detector.score(Y);
  dasvdd::fit<float>(Y, {}, [](const dasvdd::FitProgress&) { return false; });
  dasvdd::fit_images<float>(Y, {}, [](const dasvdd::FitProgress&) { return false; });
}
