// scikit-learn's values for whole rankings (tests/golden/make_golden.py), ties, constants and
// extremes included.

#include <dasvdd/eval/average_precision.hpp>
#include <dasvdd/eval/fpr_at_tpr.hpp>
#include <dasvdd/eval/roc_auc.hpp>
#include <dasvdd/io/tensor_file.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <vector>

TEST_CASE("rankings get scikit-learn's ROC-AUC, average precision and FPR at 95 % TPR") {
  const auto file = dasvdd::detail::TensorFile::read(DASVDD_TEST_DATA "/ranking.safetensors");
  for (const std::string name : {"plain", "ties", "constant", "perfect", "reversed"}) {
    CAPTURE(name);
    const auto scores = file[name + ".score"].as<double>();
    const auto labels = file[name + ".label"].as<std::int64_t>();
    const auto expected = [&](const char* measure) {
      return doctest::Approx(std::stod(file.metadata(name + measure))).epsilon(1e-12);
    };
    // Both sides sum a few hundred doubles near 1: their rounding stays below 1e-13.
    CHECK(dasvdd::roc_auc(scores, labels) == expected(".roc_auc"));
    CHECK(dasvdd::average_precision(scores, labels) == expected(".average_precision"));
    CHECK(dasvdd::fpr_at_tpr(scores, labels) == expected(".fpr_at_95_tpr"));
  }
}
