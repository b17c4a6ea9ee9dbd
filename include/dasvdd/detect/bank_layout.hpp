#pragma once
/// \file
/// Where the numbers of one small detector lie in a bank.

#include <dasvdd/nn/autoencoder.hpp>

#include <algorithm>
#include <cstddef>

DASVDD_NAMESPACE_BEGIN
namespace detail {

/// One detector of a bank is a net d-24-6-24-d with a linear code and output, its center, a whitening of its
/// residuals, up to centers() centers and up to kept_scores calibration scores: `floats()` numbers of float,
/// `doubles()` of double and `counts` whole numbers, at the same places in every detector of the bank. As many centers
/// as fit into 8 KB, 96 at most, 8 at least: up to 20 features a detector has no more than 8 KB.
struct BankLayout {
  static constexpr Index hidden = 24, code = 6;
  static constexpr Index most_features = 32;
  static constexpr Index kept_scores = 64;
  /// Calibration scores of one group, before they are thinned: Bank::detector() takes 128 MB for so many. A file of some
  /// kilobytes could speak of any number.
  static constexpr Index most_scores = Index(1) << 24;
  /// Rows of one group: of so many a fifth is left out for those scores.
  static constexpr Index most_rows = 5 * most_scores;
  static constexpr std::size_t most_bytes = 8192;
  static constexpr Index layers = 4;

  Index d;  ///< features

  /// Inputs and outputs of layer l of the net.
  Index inputs(Index l) const { return l == 0 ? d : l == 2 ? code : hidden; }
  Index outputs(Index l) const { return l == 1 ? code : l == 3 ? d : hidden; }

  // ---- floats ------------------------------------------------------------------------------------

  // Matrices are transposed, as kernels take them: what makes strips of them is then a copy.

  /// inputs x outputs.
  Index weight(Index l) const {
    Index at = 0;
    for (Index i = 0; i < l; ++i) at += (inputs(i) + 1) * outputs(i);
    return at;
  }
  Index bias(Index l) const { return weight(l) + inputs(l) * outputs(l); }
  Index center() const { return weight(layers); }
  Index whitening() const { return center() + code; }              ///< d x d, transposed
  Index scores() const { return whitening() + d * d; }             ///< descending
  Index center_columns() const { return scores() + kept_scores; }  ///< d x centers()
  Index floats() const { return center_columns() + centers() * d; }

  Index centers() const {
    const Index room = static_cast<Index>(most_bytes) - doubles() * 8 - counts * 8 - 8;
    const Index whole = (room / 4 - center_columns()) / d / 8 * 8;
    return std::clamp<Index>(whole, 8, 96);
  }

  // ---- doubles -----------------------------------------------------------------------------------

  Index mean() const { return 0; }   ///< d
  Index scale() const { return d; }  ///< d
  Index threshold() const { return 2 * d; }
  Index gamma() const { return 2 * d + 1; }
  Index reconstruction_weight() const { return 2 * d + 2; }
  Index latent_weight() const { return 2 * d + 3; }
  Index doubles() const { return 2 * d + 4; }

  // ---- whole numbers -----------------------------------------------------------------------------

  static constexpr Index rows = 0;  ///< that it was fitted to
  static constexpr Index calibration =
      1;  ///< scores of rows that a net left out, before they were thinned
  static constexpr Index used_centers = 2;
  static constexpr Index counts = 3;

  /// What one detector takes, in memory and, with its checksum, on disk; the key comes on top.
  std::size_t bytes() const {
    return static_cast<std::size_t>(floats()) * 4 +
           static_cast<std::size_t>(doubles() + counts) * 8 + 8;
  }

  /// to(i, j) = from(j, i) for i < lines and j < columns; the lines of both lie their strides apart.
  static void turn(const float* from, Index from_stride, Index lines, Index columns, float* to,
                   Index to_stride) {
    for (Index i = 0; i < lines; ++i) {
      for (Index j = 0; j < columns; ++j) to[i * to_stride + j] = from[j * from_stride + i];
    }
  }

  /// The net. The function is what MemberForm asks for.
  template <class Scalar>
  static Autoencoder<Scalar> net(Index features, Index) {
    return dense_autoencoder<Scalar>(features, {hidden, code}, {}, leaky_relu(), {});
  }
};

}  // namespace detail
DASVDD_NAMESPACE_END
