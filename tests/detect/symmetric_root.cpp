// (A^T A)^(1/2) e against Eigen's root of the whole matrix.

#include "detect/support.hpp"

#include <Eigen/Eigenvalues>

using namespace detect_tests;

namespace {

// Steps end when they change the vector by less than 1e-4 of its length, and its largest entry is at least a seventh of
// the length for most random vectors of up to 200 numbers.
constexpr double near = 1e-3;

/// By a decomposition of the whole matrix.
Eigen::VectorXd dense_root_times(const Eigen::MatrixXd& a, const Eigen::VectorXd& e) {
  return Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>(a.transpose() * a).operatorSqrt() * e;
}

/// The largest difference, relative to the vector's largest entry.
double difference(const RowMatrix<double>& a, const Eigen::VectorXd& e) {
  const std::vector<double> u =
      SymmetricRoot(a.data(), a.rows()).times(std::vector<double>(e.begin(), e.end()));
  const Eigen::VectorXd expected = dense_root_times(a, e);
  return (Eigen::Map<const Eigen::VectorXd>(u.data(), e.size()) - expected).cwiseAbs().maxCoeff() /
         expected.cwiseAbs().maxCoeff();
}

/// The inverse Cholesky factor of a random covariance whose eigenvalues spread over `decades`.
RowMatrix<double> whitening(Index d, std::uint64_t seed, double decades) {
  const Eigen::MatrixXd g = random_rows<double>(d, d, seed);
  const Eigen::MatrixXd q = Eigen::HouseholderQR<Eigen::MatrixXd>(g).householderQ();
  Eigen::VectorXd values(d);
  for (Index i = 0; i < d; ++i) {
    values[i] = std::pow(10, -decades * static_cast<double>(i) / static_cast<double>(d));
  }
  const Eigen::MatrixXd c = q * values.asDiagonal() * q.transpose();
  return c.llt().matrixL().solve(Eigen::MatrixXd::Identity(d, d));
}

}  // namespace

TEST_CASE("the symmetric root times a vector is that of the whole matrix") {
  for (const Index d : {1, 2, 7, 60, 200}) {
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
      CAPTURE(d);
      const Eigen::VectorXd e = random_rows<double>(d, 1, seed + 100);
      CHECK(difference(whitening(d, seed, 2), e) < near);
      CHECK(difference(whitening(d, seed, 5), e) < near);
      // Any square matrix has a root of A^T A, triangular or not.
      CHECK(difference(random_rows<double>(d, d, seed), e) < near);
    }
  }
}

TEST_CASE("the symmetric root of a matrix of floats") {
  const Index d = 120;
  const RowMatrix<float> a = whitening(d, 3, 2).cast<float>();
  const Eigen::VectorXd e = random_rows<double>(d, 1, 4);
  const std::vector<double> u = SymmetricRoot(a.data(), d).times({e.begin(), e.end()});
  const Eigen::VectorXd expected = dense_root_times(a.cast<double>(), e);
  const Eigen::Map<const Eigen::VectorXd> got(u.data(), d);
  CHECK((got - expected).norm() < near * expected.norm());
  // The length, on which shares are split, is exact but for the products' rounding.
  CHECK(got.norm() == doctest::Approx((a.cast<double>() * e).norm()).epsilon(1e-5));
}

TEST_CASE("the symmetric root of the identity, of a diagonal and of zero") {
  const Index d = 9;
  const RowMatrix<double> one = RowMatrix<double>::Identity(d, d);
  const Eigen::VectorXd e = random_rows<double>(d, 1, 3);
  const std::vector<double> numbers(e.begin(), e.end());
  const std::vector<double> same = SymmetricRoot(one.data(), d).times(numbers);
  for (std::size_t j = 0; j < 9; ++j) CHECK(same[j] == doctest::Approx(numbers[j]));

  RowMatrix<double> diagonal = one;
  for (Index j = 0; j < d; ++j) diagonal(j, j) = static_cast<double>(j) - 4;
  const std::vector<double> scaled = SymmetricRoot(diagonal.data(), d).times(numbers);
  for (std::size_t j = 0; j < 9; ++j) {
    CHECK(scaled[j] == doctest::Approx(numbers[j] * std::abs(static_cast<double>(j) - 4)));
  }

  const std::vector<double> zeros(9, 0);
  CHECK(SymmetricRoot(one.data(), d).times(zeros) == zeros);
  CHECK(SymmetricRoot(RowMatrix<double>(RowMatrix<double>::Zero(d, d)).data(), d).times(numbers) ==
        zeros);
}
