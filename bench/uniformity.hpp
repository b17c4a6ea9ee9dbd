#pragma once
/// \file
/// How far p-values are from the uniform distribution.

#include <algorithm>
#include <vector>

/// The Kolmogorov-Smirnov distance: the largest difference between the share of the p-values that is at most u, and u.
/// Of n uniform p-values 95 % of such distances are below 1.358 / sqrt(n).
inline double distance_from_uniform(std::vector<double> p) {
  std::sort(p.begin(), p.end());
  const double n = static_cast<double>(p.size());
  double distance = 0;
  for (std::size_t i = 0; i < p.size(); ++i) {
    const double below = static_cast<double>(i) / n, with = static_cast<double>(i + 1) / n;
    distance = std::max({distance, with - p[i], p[i] - below});
  }
  return distance;
}
