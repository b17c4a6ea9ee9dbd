// The scalers.

#include <dasvdd/detect/scaler.hpp>
#include <dasvdd/kernels/dispatch.hpp>

#include <doctest/doctest.h>

#include <cmath>

using namespace dasvdd;
using namespace dasvdd::detail;

TEST_CASE("a fitted scaler has each feature's mean and population deviation") {
  RowMatrix<double> x(4, 2);
  x << 1, 10, 2, 30, 3, 10, 6, 30;
  const auto scaler = Standardizer<double>::of(x);
  CHECK(scaler.features() == 2);
  CHECK(scaler.mean() == std::vector<double>{3, 20});
  CHECK(scaler.scale()[0] == doctest::Approx(std::sqrt(14 / 4.0)).epsilon(1e-15));
  CHECK(scaler.scale()[1] == 10);
}

TEST_CASE_TEMPLATE("a constant feature gets scale 1, whatever its mean's rounding", Scalar, float,
                   double) {
  // 0.1 is no binary fraction: a sum of a thousand of them divided by a thousand is another number.
  RowMatrix<Scalar> x(1000, 4);
  x.col(0).setConstant(Scalar(0.1));
  x.col(1).setConstant(Scalar(-1e7) / 3);
  x.col(2).setZero();
  x.col(3).setLinSpaced(0, 1);
  const auto scaler = Standardizer<Scalar>::of(x);
  for (const std::size_t j : {0u, 1u, 2u}) {
    CHECK(scaler.scale()[j] == 1);
    CHECK(scaler.mean()[j] == static_cast<double>(x(0, static_cast<Index>(j))));
  }
  CHECK(scaler.scale()[3] == doctest::Approx(std::sqrt(1 / 12.0)).epsilon(1e-2));

  Vector<Scalar> row = x.row(5), out(4);
  scaler.apply(kernels::best<Scalar>(), row.data(), 4, out.data());
  CHECK(out.head(3) == Vector<Scalar>::Zero(3));
}

TEST_CASE_TEMPLATE("standardized rows have mean 0 and deviation 1", Scalar, float, double) {
  // Wider than a register, with a rest.
  RowMatrix<Scalar> x(200, 19);
  for (Index i = 0; i < x.rows(); ++i) {
    for (Index j = 0; j < x.cols(); ++j) {
      const double column = static_cast<double>(j);
      x(i, j) = static_cast<Scalar>(std::sin(static_cast<double>(i) * (column + 1)) * (column + 1) +
                                    column);
    }
  }
  const auto scaler = Standardizer<Scalar>::of(x);
  RowMatrix<Scalar> out(200, 19);
  for (Index i = 0; i < 200; ++i) {
    scaler.apply(kernels::best<Scalar>(), x.row(i).data(), 19, out.row(i).data());
  }
  const double tolerance = std::is_same_v<Scalar, float> ? 1e-5 : 1e-13;
  for (Index j = 0; j < 19; ++j) {
    CHECK(std::abs(static_cast<double>(out.col(j).mean())) < tolerance);
    CHECK(std::abs(static_cast<double>(out.col(j).squaredNorm()) / 200 - 1) < tolerance);
  }
}

TEST_CASE("many rows are scaled as each row alone, wherever rows begin") {
  RowMatrix<float> wide(5, 7);
  for (Index i = 0; i < wide.size(); ++i) wide.data()[i] = static_cast<float>((i * 37) % 19);
  const Rows<const float> X(wide.data(), 5, 4, 7);
  const auto& k = kernels::best<float>();
  for (const Scaler<float>& scaler :
       {Scaler<float>(), Scaler<float>(Standardizer<float>({1, 2, 3, 4}, {0.5, 2, 3, 4})),
        Scaler<float>(ContrastNormalizer<float>(0.25)),
        Scaler<float>(Softener<float>({1, 2, 2}))}) {
    CAPTURE(scaler.text());
    RowMatrix<float> all = RowMatrix<float>::Constant(5, 6, -7);
    scaler.apply(k, X.middle_rows(0, 4), all.data(), 6);
    CHECK(all(4, 0) == -7);
    for (Index i = 0; i < 4; ++i) {
      float one[4];
      scaler.apply(k, X.row(i), 4, one);
      for (Index j = 0; j < 4; ++j) CHECK(all(i, j) == one[j]);
      CHECK(all(i, 4) == -7);
    }
  }
}

TEST_CASE("the empty scaler copies") {
  const Scaler<float> scaler;
  CHECK(scaler.empty());
  const float row[] = {1, 2, 3};
  float out[] = {0, 0, 0};
  scaler.apply(kernels::best<float>(), row, 3, out);
  CHECK(out[2] == 3);
}

TEST_CASE("a mean is right though its sum is rounded: many rows with a large offset") {
  // 1.7e18 nanoseconds, a double in 256 of them.
  const Index n = 200000;
  RowMatrix<double> X(n, 2);
  for (Index i = 0; i < n; ++i) {
    X(i, 0) = 1.7e18 + 256 * static_cast<double>(i % 2001);
    X(i, 1) = static_cast<double>(i % 2001);
  }
  const auto scaler = Standardizer<double>::of(X);
  double mean = 0, square = 0;
  for (Index i = 0; i < n; ++i) mean += X(i, 1) / static_cast<double>(n);
  for (Index i = 0; i < n; ++i)
    square += (X(i, 1) - mean) * (X(i, 1) - mean) / static_cast<double>(n);
  CHECK(std::abs(scaler.mean()[0] - 1.7e18 - 256 * mean) <= 256);
  CHECK(scaler.scale()[0] == doctest::Approx(256 * std::sqrt(square)).epsilon(1e-6));
  CHECK(scaler.scale()[1] == doctest::Approx(std::sqrt(square)).epsilon(1e-12));
}

TEST_CASE("a row's contrast keeps nothing of a large brightness") {
  RowMatrix<double> X(1, 64), far(1, 64);
  for (Index j = 0; j < 64; ++j) X(0, j) = std::sin(0.7 * static_cast<double>(j));
  const ContrastNormalizer<float> scaler(1e-3);
  const auto& k = kernels::best<float>();
  std::vector<float> near(64), out(64);
  scaler.apply(k, X.data(), 64, near.data());
  for (const double offset : {1e6, 1e8}) {
    far = (X.array() + offset).matrix();
    scaler.apply(k, far.data(), 64, out.data());
    for (std::size_t j = 0; j < 64; ++j) CHECK(out[j] == doctest::Approx(near[j]).epsilon(1e-5));
  }
}

TEST_CASE("bad means and scales are refused by feature") {
  const double infinity = std::numeric_limits<double>::infinity(), nan = std::nan("");
  CHECK_THROWS_WITH_AS((Standardizer<float>({0, 0}, {1})),
                       "the scaler has 2 means and 1 scales, expected as many of each",
                       InvalidArgument);
  CHECK_THROWS_WITH_AS((Standardizer<float>({0, 0, 0.5}, {1, 1, 0})),
                       "the scaler's feature 2 has mean 0.5 and scale 0, expected finite numbers "
                       "and a positive scale",
                       InvalidArgument);
  for (const double scale : {-1.0, infinity, nan}) {
    CHECK_THROWS_AS((Standardizer<double>({0}, {scale})), InvalidArgument);
  }
  for (const double mean : {infinity, -infinity, nan}) {
    CHECK_THROWS_AS((Standardizer<double>({mean}, {1})), InvalidArgument);
  }
}

TEST_CASE("numbers that a float can't hold are refused for a float net, not for a double one") {
  for (const double scale : {1e-60, 1e60}) {
    CHECK_THROWS_AS((Standardizer<float>({0}, {scale})), InvalidArgument);
    CHECK((Standardizer<double>({0}, {scale})).features() == 1);
  }
  CHECK_THROWS_AS((Standardizer<float>({1e60}, {1})), InvalidArgument);
}

TEST_CASE_TEMPLATE("a row's contrast is normalized by its own mean and variance", Scalar, float,
                   double) {
  const auto scaler = ContrastNormalizer<Scalar>(0.25);
  CHECK(scaler.features() == 0);  // rows of any width
  const double tolerance = std::is_same_v<Scalar, float> ? 1e-6 : 1e-14;
  // Mean 2, variance 2: (x - 2) / sqrt(2 + 0.25).
  const Vector<Scalar> row = (Vector<Scalar>(5) << 0, 1, 2, 3, 4).finished();
  Vector<Scalar> out(5);
  scaler.apply(kernels::best<Scalar>(), row.data(), 5, out.data());
  for (Index j = 0; j < 5; ++j) {
    const double expected = (static_cast<double>(j) - 2) / 1.5;
    CHECK(static_cast<double>(out[j]) == doctest::Approx(expected).epsilon(tolerance));
  }
  // Without a floor to speak of, brightness and contrast are gone.
  const auto pure = ContrastNormalizer<Scalar>(1e-12);
  const Vector<Scalar> other = (row.array() * Scalar(8) + Scalar(16)).matrix();
  Vector<Scalar> a(5), b(5);
  pure.apply(kernels::best<Scalar>(), row.data(), 5, a.data());
  pure.apply(kernels::best<Scalar>(), other.data(), 5, b.data());
  // The floor is up to a 2e-12th of the variance.
  CHECK((a - b).cwiseAbs().maxCoeff() < Scalar(tolerance + 1e-12));
  // A flat image has none, and is divided by the floor's root alone.
  const Vector<Scalar> flat = Vector<Scalar>::Constant(5, Scalar(0.5));
  pure.apply(kernels::best<Scalar>(), flat.data(), 5, a.data());
  CHECK(a == Vector<Scalar>::Zero(5));
}

TEST_CASE("a contrast's floor is a positive number") {
  for (const double floor : {0.0, -1.0, std::nan(""), std::numeric_limits<double>::infinity()}) {
    CHECK_THROWS_WITH_AS(ContrastNormalizer<float>{floor},
                         doctest::Contains("the contrast's floor is"), InvalidArgument);
  }
}

TEST_CASE_TEMPLATE("a softened pixel is the root of the mean of its neighborhood", Scalar, float,
                   double) {
  const Shape shape{2, 3, 4};
  const auto scaler = Softener<Scalar>(shape);
  CHECK(scaler.features() == 24);
  Vector<Scalar> row(24), out(24);
  for (Index i = 0; i < 24; ++i)
    row[i] = static_cast<Scalar>((7 * i) % 11) / Scalar(11) - Scalar(0.5);
  scaler.apply(kernels::best<Scalar>(), row.data(), 24, out.data());
  const double weights[] = {0.25, 0.5, 0.25};
  bool negative = false;
  for (Index c = 0; c < 2; ++c) {
    for (Index y = 0; y < 3; ++y) {
      for (Index x = 0; x < 4; ++x) {
        double mean = 0;
        for (Index i = -1; i <= 1; ++i) {
          for (Index j = -1; j <= 1; ++j) {
            if (y + i < 0 || y + i >= 3 || x + j < 0 || x + j >= 4) continue;
            mean += weights[i + 1] * weights[j + 1] *
                    static_cast<double>(row[(c * 3 + y + i) * 4 + x + j]);
          }
        }
        negative = negative || mean < 0;
        // Sums of nine numbers below one, and a root that at most doubles their error where it is
        // above 1/4: a few units in the last place.
        CHECK(static_cast<double>(out[(c * 3 + y) * 4 + x]) ==
              doctest::Approx(std::copysign(std::sqrt(std::abs(mean)), mean))
                  .epsilon(std::is_same_v<Scalar, float> ? 1e-5 : 1e-13));
      }
    }
  }
  CHECK(negative);
  CHECK_THROWS_WITH_AS(Softener<Scalar>({1, 0, 4}),
                       doctest::Contains("the softening: the image is 1 x 0 x 4"), InvalidArgument);
}

TEST_CASE("scalers are equal when they do the same") {
  using S = Scaler<float>;
  const S soft(Softener<float>({1, 2, 3})), half(ContrastNormalizer<float>(0.5));
  const S standard(Standardizer<float>({1}, {2}));
  CHECK(soft == S(Softener<float>({1, 2, 3})));
  CHECK(soft != S(Softener<float>({1, 3, 2})));
  CHECK(soft != S());
  CHECK(S() == S());
  CHECK(half == S(ContrastNormalizer<float>(0.5)));
  CHECK(half != S(ContrastNormalizer<float>(0.25)));
  CHECK(half != S());
  CHECK(standard == S(Standardizer<float>({1}, {2})));
  CHECK(standard != S(Standardizer<float>({1}, {3})));
}

TEST_CASE_TEMPLATE("what a scaler did is undone, but for the blur of softened images", Scalar,
                   float, double) {
  const auto& k = kernels::best<Scalar>();
  // A few roundings of numbers up to 9.
  const double tolerance = std::is_same_v<Scalar, float> ? 3e-6 : 1e-14;
  const Scalar row[] = {3, -9, 5, 1};
  for (const Scaler<Scalar>& scaler :
       {Scaler<Scalar>(), Scaler<Scalar>(Standardizer<Scalar>({1, 2, 3, 4}, {0.5, 2, 3, 4})),
        Scaler<Scalar>(ContrastNormalizer<Scalar>(0.25))}) {
    CAPTURE(scaler.text());
    Scalar out[4];
    scaler.apply(k, row, 4, out);
    if (!scaler.empty()) CHECK(std::abs(out[1] - row[1]) > 1);
    scaler.undo(k, row, 4, out, out);
    for (int j = 0; j < 4; ++j) CHECK(std::abs(out[j] - row[j]) <= tolerance);
  }
  // One line of four pixels: the mean over a pixel and its neighbors is left, the sign with it.
  const Scaler<Scalar> softener(Softener<Scalar>({1, 1, 4}));
  Scalar out[4];
  softener.apply(k, row, 4, out);
  softener.undo(k, row, 4, out, out);
  const double means[] = {2 * (2 * 3.0 - 9) / 16, 2 * (3 - 18.0 + 5) / 16, 2 * (-9 + 10.0 + 1) / 16,
                          2 * (5 + 2.0) / 16};
  for (int j = 0; j < 4; ++j) CHECK(std::abs(out[j] - means[j]) <= tolerance);
}
