#pragma once
// What the tests of the C interface share.

#include <dasvdd/c/dasvdd.h>
#include <dasvdd/core/random.hpp>
#include <dasvdd/core/types.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <string>

namespace c_tests {

struct Free {
  void operator()(dasvdd_detector* detector) const { dasvdd_detector_free(detector); }
  void operator()(dasvdd_workspace* workspace) const { dasvdd_workspace_free(workspace); }
};
using Handle = std::unique_ptr<dasvdd_detector, Free>;
using Workspace = std::unique_ptr<dasvdd_workspace, Free>;

/// Rows near a line in d dimensions, every fifth of those with seed 2 or more off it.
template <class Scalar>
dasvdd::RowMatrix<Scalar> curve(dasvdd::Index n, std::uint64_t seed, dasvdd::Index d = 3) {
  dasvdd::Random random(seed);
  dasvdd::RowMatrix<Scalar> X(n, d);
  for (dasvdd::Index i = 0; i < n; ++i) {
    const double t = random.normal();
    for (dasvdd::Index j = 0; j < d; ++j) {
      const double off = seed > 1 && i % 5 == 4 ? 6 * random.normal() : 0;
      X(i, j) = static_cast<Scalar>(t * static_cast<double>(j + 1) + 0.1 * random.normal() + off);
    }
  }
  return X;
}

inline dasvdd_rows view(const dasvdd::RowMatrix<float>& X) {
  return {X.data(), nullptr, X.rows(), X.cols(), 0};
}
inline dasvdd_rows view(const dasvdd::RowMatrix<double>& X) {
  return {nullptr, X.data(), X.rows(), X.cols(), 0};
}
template <class Scalar>
dasvdd_rows view(const dasvdd::RowMatrix<Scalar>& X, dasvdd::Index first, dasvdd::Index count) {
  dasvdd_rows rows = view(X);
  if (rows.f32) rows.f32 += first * X.cols();
  if (rows.f64) rows.f64 += first * X.cols();
  rows.rows = count;
  return rows;
}

inline dasvdd_fit_options fast_options() {
  dasvdd_fit_options options;
  dasvdd_fit_options_init(&options, sizeof options);
  options.seed = 7;
  options.ensemble_size = 2;
  options.steps = 60;
  options.threads = 1;
  return options;
}

template <class Scalar>
Handle fitted(const dasvdd::RowMatrix<Scalar>& X) {
  const dasvdd_rows rows = view(X);
  const dasvdd_fit_options options = fast_options();
  dasvdd_detector* detector = nullptr;
  dasvdd_error error;
  const dasvdd_status status = dasvdd_fit(&rows, &options, nullptr, nullptr, &detector, &error);
  REQUIRE_MESSAGE(status == DASVDD_OK, error.message);
  return Handle(detector);
}

inline Workspace workspace_of(const dasvdd_detector* detector, std::int64_t rows) {
  dasvdd_workspace* workspace = nullptr;
  if (dasvdd_workspace_new(detector, rows, &workspace, nullptr) != DASVDD_OK) return {};
  return Workspace(workspace);
}

/// The sentence of a call that is refused as an argument; call(error).
template <class Call>
std::string refused(Call&& call) {
  dasvdd_error error;
  CHECK(call(static_cast<dasvdd_error*>(nullptr)) == DASVDD_INVALID_ARGUMENT);
  CHECK(call(&error) == DASVDD_INVALID_ARGUMENT);
  CHECK(error.status == DASVDD_INVALID_ARGUMENT);
  return error.message;
}

inline bool contains(const std::string& text, const char* part) {
  INFO(text);
  const bool there = text.find(part) != std::string::npos;
  CHECK(there);
  return there;
}

}  // namespace c_tests
