// accepted
// What the other files here do wrongly, done right: their errors are no accident of the build.
#include <dasvdd/nn/autoencoder.hpp>

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
