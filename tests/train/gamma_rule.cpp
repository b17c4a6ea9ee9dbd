// A gamma rule in words, as model files have it.

#include <dasvdd/train/gamma_rule.hpp>

#include <doctest/doctest.h>

#include "train/support.hpp"

using namespace dasvdd;

TEST_CASE("a gamma rule's words name the rule and its factor") {
  CHECK(GammaRule().text() == "ratio_of_means");
  CHECK(GammaRule::ratio_of_means(2).times(0.1).text() == "0.1 * ratio_of_means");
  CHECK(GammaRule::mean_of_ratios().text() == "mean_of_ratios");
  CHECK(GammaRule::mean_of_ratios().times(0.5).times(6).text() == "3 * mean_of_ratios");
  // The number itself is the member's gamma, which the model file has too.
  CHECK(GammaRule::value(3).times(2).text() == "value");
}

TEST_CASE("an estimate looks at ten untrained nets unless told otherwise") {
  CHECK(GammaRule().initializations == 10);
  CHECK(GammaRule::ratio_of_means().initializations == 10);
  CHECK(GammaRule::mean_of_ratios().initializations == 10);
}

TEST_CASE("a rule's factor multiplies its gamma, and the detector's facts have the rule's words") {
  const auto X = curve<double>(60, 6, 1);
  const auto run = [&](const GammaRule& rule) {
    Options options;
    options.epochs = 1;
    options.gamma = rule;
    Trainer<double> trainer(dense_autoencoder<double>(6, {8, 3}, {}), options);
    const double gamma = trainer.fit(X).gamma;
    CHECK(trainer.detector().model().facts.at("gamma_rule") == rule.text());
    return gamma;
  };
  for (const GammaRule& rule :
       {GammaRule::ratio_of_means(2), GammaRule::mean_of_ratios(2), GammaRule::value(0.5)}) {
    // A quarter is exact.
    CHECK(run(rule.times(0.25)) == 0.25 * run(rule));
  }
}
