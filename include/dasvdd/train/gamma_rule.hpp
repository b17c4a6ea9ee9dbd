#pragma once
/// \file
/// Where the weight of the latent term comes from.

#include <dasvdd/core/error.hpp>
#include <dasvdd/core/finite.hpp>

#include <string>

DASVDD_NAMESPACE_BEGIN

/// Where gamma, the weight of the latent term in training, comes from: an estimate from untrained
/// nets (train/gamma.hpp), or a number.
struct GammaRule {
  enum class Kind { ratio_of_means, mean_of_ratios, value };
  Kind kind = Kind::ratio_of_means;
  double number = 0;         ///< Kind::value
  int initializations = 10;  ///< T untrained nets that the estimate looks at
  double factor = 1;         ///< what the estimate, or the number, is multiplied by

  /// mean over T nets of [mean r] / [mean ||z||^2]: the published code's rule.
  static GammaRule ratio_of_means(int initializations = 10) {
    return {Kind::ratio_of_means, 0, initializations};
  }
  /// mean over T nets of mean over rows of r(x) / ||z - c||^2: the paper's formula.
  static GammaRule mean_of_ratios(int initializations = 10) {
    return {Kind::mean_of_ratios, 0, initializations};
  }
  /// A number of the user's own. 0 leaves a plain autoencoder; a very large one collapses the
  /// latent code.
  static GammaRule value(double gamma) { return {Kind::value, gamma}; }

  /// The same rule with its gamma multiplied by `x`. Untrained nets put the latent term's weight so
  /// high that a net hardly learns for its first hundred epochs; a tenth of it saves most of them.
  GammaRule times(double x) const {
    GammaRule rule = *this;
    rule.factor *= x;
    return rule;
  }

  /// The rule in words, for the model file: "ratio_of_means", "0.1 * ratio_of_means", "value".
  std::string text() const {
    const char* name = kind == Kind::ratio_of_means   ? "ratio_of_means"
                       : kind == Kind::mean_of_ratios ? "mean_of_ratios"
                                                      : "value";
    return factor == 1 || kind == Kind::value ? std::string(name)
                                              : detail::sentence(factor, " * ", name);
  }

  void validate() const {
    detail::ensure(
        kind == Kind::ratio_of_means || kind == Kind::mean_of_ratios || kind == Kind::value,
        "gamma's kind is ", static_cast<int>(kind), ", expected one of the enumerators of Kind");
    detail::ensure(detail::is_finite(factor) && factor >= 0, "gamma's factor is ", factor,
                   ", expected a finite number that is not negative");
    if (kind == Kind::value) {
      const double gamma = factor * number;
      detail::ensure(detail::is_finite(gamma) && gamma >= 0, "gamma is ", gamma,
                     ", expected a finite number that is not negative");
    } else {
      detail::ensure(initializations >= 1, "gamma's initializations are ", initializations,
                     ", expected at least 1");
    }
  }
};

DASVDD_NAMESPACE_END
