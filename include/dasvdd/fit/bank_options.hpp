#pragma once
/// \file
/// `BankOptions`, the options of fit_many().

#include <dasvdd/core/error.hpp>
#include <dasvdd/core/types.hpp>
#include <dasvdd/detect/feature_names.hpp>

#include <cstdint>
#include <string>
#include <vector>

DASVDD_NAMESPACE_BEGIN

/// Options of fit_many(). Values out of range are refused before anything is trained.
struct BankOptions {
  /// Covers everything drawn; each group's own seed is made of it and the group's key.
  std::uint64_t seed = 0;
  int threads = 0;  ///< 0: what OpenMP would use. Never changes the result.
  /// Mini-batches of 32 rows that a net trains for, rounded up to whole epochs; 0: 1,200, or 400 for each of the five
  /// nets of a group with fewer than 495 rows.
  Index steps = 0;
  Index least_rows = 20;  ///< groups with fewer rows are refused
  /// One name a feature, kept with the bank; none where features have no names.
  std::vector<std::string> feature_names = {};

  void validate() const {
    using detail::ensure;
    ensure(threads >= 0, "threads is ", threads, ", expected 0 (all) or a positive number");
    ensure(steps >= 0, "steps is ", steps, ", expected 0 (what suits) or a positive number");
    ensure(least_rows >= 10, "least_rows is ", least_rows, ", expected at least 10");
    detail::check_feature_names(feature_names);
  }
};

DASVDD_NAMESPACE_END
