#pragma once
/// \file
/// The symmetric square root of a matrix A^T A times a vector: what splits a whitened length by feature.

#include <dasvdd/core/memory.hpp>
#include <dasvdd/kernels/dispatch.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <utility>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// sqrt(T) e_1 for a symmetric tridiagonal T without negative eigenvalues; e_1 is the first unit vector.
/// By QL steps with implicit shifts (Dubrulle, Martin & Wilkinson 1968).
/// \param diagonal k numbers, \param beside k - 1 numbers beside the diagonal
inline std::vector<double> root_of_tridiagonal(std::vector<double> diagonal,
                                               std::vector<double> beside) {
  const std::size_t size = diagonal.size();
  beside.resize(size, 0);
  // Row j is eigenvector j.
  std::vector<double> vectors(size * size, 0);
  for (std::size_t i = 0; i < size; ++i) vectors[i * size + i] = 1;
  constexpr int most_steps = 60;  // an eigenvalue takes two or three
  for (std::size_t l = 0; l < size; ++l) {
    for (int step = 0; step < most_steps; ++step) {
      std::size_t m = l;
      while (m + 1 < size &&
             std::abs(beside[m]) > std::numeric_limits<double>::epsilon() *
                                       (std::abs(diagonal[m]) + std::abs(diagonal[m + 1]))) {
        ++m;
      }
      if (m == l) break;
      double g = (diagonal[l + 1] - diagonal[l]) / (2 * beside[l]);
      g = diagonal[m] - diagonal[l] + beside[l] / (g + std::copysign(std::hypot(g, 1.0), g));
      double sine = 1, cosine = 1, p = 0;
      bool split = false;
      for (std::size_t i = m; i-- > l;) {
        const double f = sine * beside[i], b = cosine * beside[i];
        const double r = std::hypot(f, g);
        beside[i + 1] = r;
        if (r == 0) {
          diagonal[i + 1] -= p;
          beside[m] = 0;
          split = true;
          break;
        }
        sine = f / r;
        cosine = g / r;
        g = diagonal[i + 1] - p;
        const double t = std::fma(diagonal[i] - g, sine, 2 * cosine * b);
        p = sine * t;
        diagonal[i + 1] = g + p;
        g = std::fma(cosine, t, -b);
        double* low = vectors.data() + i * size;
        double* high = low + size;
        for (std::size_t k = 0; k < size; ++k) {
          const double h = high[k];
          high[k] = std::fma(sine, low[k], cosine * h);
          low[k] = std::fma(cosine, low[k], -sine * h);
        }
      }
      if (split) continue;
      diagonal[l] -= p;
      beside[l] = g;
      beside[m] = 0;
    }
  }
  std::vector<double> result(size, 0);
  for (std::size_t j = 0; j < size; ++j) {
    const double* vector = vectors.data() + j * size;
    const double factor = std::sqrt((std::max)(diagonal[j], 0.0)) * vector[0];
    for (std::size_t i = 0; i < size; ++i) result[i] = std::fma(factor, vector[i], result[i]);
  }
  return result;
}

/// (A^T A)^(1/2) for a square A, ready to be multiplied by vectors. Matrix products are in A's type, the rest in double.
template <class Scalar>
class SymmetricRoot {
 public:
  /// \param a size x size, row by row
  SymmetricRoot(const Scalar* a, Index size)
      : size_(size),
        width_(round_up(size, products().panel)),
        forth_(size * width_),
        back_(size * width_) {
    AlignedBuffer<Scalar> transposed(size * size);
    for (Index i = 0; i < size; ++i) {
      for (Index j = 0; j < size; ++j) transposed[i * size + j] = a[j * size + i];
    }
    products().pack_columns(transposed.data(), size, size, size, forth_.data());
    products().pack_columns(a, size, size, size, back_.data());
  }

  /// The product with `vector`, by Lanczos's method: on the space that A^T A spans from the vector it is
  /// a small tridiagonal matrix, whose root is taken. The space grows until the result stands still.
  std::vector<double> times(const std::vector<double>& vector) const {
    const std::size_t size = static_cast<std::size_t>(size_);
    const double length = std::sqrt(dot(vector, vector));
    std::vector<double> result(size, 0);
    if (!(length > 0)) return result;
    std::vector<std::vector<double>> basis;
    std::vector<double> next(size);
    for (std::size_t i = 0; i < size; ++i) next[i] = vector[i] / length;
    std::vector<double> diagonal, beside, root;
    // Roots of growing matrices: a root costs more than a step, so not each step is followed by one.
    for (std::size_t check = 4;;) {
      basis.push_back(next);
      const std::size_t steps = basis.size();
      next = product(basis.back());
      diagonal.push_back(dot(next, basis.back()));
      for (const auto& b : basis) add(-dot(next, b), b, next);
      const double rest = std::sqrt(dot(next, next));
      const bool last = steps == size || !(rest > exhausted * diagonal.front());
      if (last || steps == check) {
        const std::vector<double> before = std::move(root);
        root = root_of_tridiagonal(diagonal, beside);
        if (last || stands_still(before, root)) break;
        check += std::max<std::size_t>(4, check / 4);
      }
      beside.push_back(rest);
      for (double& x : next) x /= rest;
    }
    for (std::size_t k = 0; k < root.size(); ++k) {
      for (std::size_t i = 0; i < size; ++i) {
        result[i] = std::fma(length * root[k], basis[k][i], result[i]);
      }
    }
    return result;
  }

 private:
  /// Below this share of the first length, what is left of a new direction is rounding.
  static constexpr double exhausted =
      16 * static_cast<double>(std::numeric_limits<Scalar>::epsilon());

  static const kernels::ProductTable<Scalar>& products() {
    return kernels::best_products<Scalar>();
  }

  /// A^T A v.
  std::vector<double> product(const std::vector<double>& v) const {
    AlignedBuffer<Scalar> first(width_), middle(width_), result(width_);
    std::transform(v.begin(), v.end(), first.data(),
                   [](double x) { return static_cast<Scalar>(x); });
    products().product_add(
        {1, size_, size_, forth_.data(), first.data(), width_, 1, middle.data(), width_});
    products().product_add(
        {1, size_, size_, back_.data(), middle.data(), width_, 1, result.data(), width_});
    return {result.data(), result.data() + size_};
  }
  static double dot(const std::vector<double>& a, const std::vector<double>& b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) sum = std::fma(a[i], b[i], sum);
    return sum;
  }
  static void add(double factor, const std::vector<double>& v, std::vector<double>& to) {
    for (std::size_t i = 0; i < v.size(); ++i) to[i] = std::fma(factor, v[i], to[i]);
  }
  /// The basis is orthonormal, so changes are measured on its coefficients. The length of the result is
  /// exact at each step: what changes is how the features share it.
  static bool stands_still(const std::vector<double>& before, const std::vector<double>& now) {
    double change = 0, all = 0;
    for (std::size_t k = 0; k < now.size(); ++k) {
      const double difference = now[k] - (k < before.size() ? before[k] : 0);
      change = std::fma(difference, difference, change);
      all = std::fma(now[k], now[k], all);
    }
    return change <= 1e-8 * all;  // 1e-4 of the length: shares are read, not computed with
  }

  Index size_, width_;
  AlignedBuffer<Scalar> forth_, back_;  // A^T and A in strips: a row v times them is A v and A^T v
};

}  // namespace detail
DASVDD_NAMESPACE_END
