#pragma once
/// \file
/// Which rank trains which nets of an ensemble.

#include <dasvdd/core/types.hpp>

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <utility>
#include <vector>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// The rank of each net: the longest nets first, each for the rank that has least to do. Then two nets change places,
/// as long as that takes something from the rank that has most.
/// \param costs how long each net takes, in any unit
inline std::vector<int> ranks_of_nets(const std::vector<double>& costs, int ranks) {
  const std::size_t count = costs.size();
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t(0));
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return costs[a] > costs[b]; });
  std::vector<double> loads(static_cast<std::size_t>(ranks));
  std::vector<std::size_t> of_net(count);
  for (const std::size_t net : order) {
    of_net[net] =
        static_cast<std::size_t>(std::min_element(loads.begin(), loads.end()) - loads.begin());
    loads[of_net[net]] += costs[net];
  }
  const auto change = [&] {
    const auto most =
        static_cast<std::size_t>(std::max_element(loads.begin(), loads.end()) - loads.begin());
    for (std::size_t a = 0; a < count; ++a) {
      for (std::size_t b = 0; of_net[a] == most && b < count; ++b) {
        const double less = costs[a] - costs[b];
        const std::size_t other = of_net[b];
        // By more than rounding, or they might change places for ever.
        if (less <= 0 || loads[other] + less >= loads[most] * (1 - 1e-9)) continue;
        std::swap(of_net[a], of_net[b]);
        loads[most] -= less;
        loads[other] += less;
        return true;
      }
    }
    return false;
  };
  while (change()) {
  }
  return std::vector<int>(of_net.begin(), of_net.end());
}

}  // namespace detail
DASVDD_NAMESPACE_END
