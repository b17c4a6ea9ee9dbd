#pragma once
/// \file
/// The streams of random numbers that one seed gives.

#include <dasvdd/core/random.hpp>
#include <dasvdd/core/types.hpp>

#include <cstdint>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// One stream a purpose, so that no purpose's draws move another's. Those with room behind them
/// are many: the net, member or screening net number i has the stream `purpose + i`.
enum class Stream : std::uint64_t {
  network = 1,          ///< a trainer's parameters
  center = 2,           ///< where its center starts
  order = 3,            ///< the order of its rows
  fit_order = 4,        ///< which rows a fit's members leave out
  validation = 5,       ///< which rows a trainer keeps out
  held_out = 6,         ///< which rows are kept out to calibrate by
  sample = 7,           ///< which rows of a source stand for all of them
  gamma = 1000,         ///< untrained nets that gamma is estimated from
  members = 1000000,    ///< seeds of a fit's members
  screening = 2000000,  ///< seeds of the nets that look for rows to trust
};

inline Random random_stream(std::uint64_t seed, Stream purpose, Index i = 0) {
  return Random(seed, static_cast<std::uint64_t>(purpose) + static_cast<std::uint64_t>(i));
}
/// The seed of net number i.
inline std::uint64_t seed_of(std::uint64_t seed, Stream purpose, Index i) {
  return random_stream(seed, purpose, i).bits();
}

}  // namespace detail
DASVDD_NAMESPACE_END
