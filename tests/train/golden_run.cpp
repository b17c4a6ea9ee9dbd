// Thirty epochs on 8x8 digits against PyTorch: loss by loss.

#include "train/golden.hpp"

using namespace dasvdd;
using namespace dasvdd::detail;

TEST_CASE("thirty epochs on digits follow PyTorch's losses to 1e-9") {
  const auto file = golden::read("digits_run");
  const auto net = golden::net<double>(64, {32, 8}, "sigmoid");
  Options options;
  options.batch_size = static_cast<Index>(golden::number(file, "batch"));
  options.kappa = golden::number(file, "kappa");
  options.threads = 2;
  auto trainer = golden::trainer<double>(file, net, golden::number(file, "gamma"), options);
  const auto X = golden::matrix<double>(file, "train");
  const auto losses = file["epoch_loss"].as<double>();
  const Index batches = X.rows() / options.batch_size;  // the reference drops the last short batch
  for (const double expected : losses) {
    double loss = 0;
    for (Index b = 0; b < batches; ++b) {
      loss += trainer.step(X.middleRows(b * options.batch_size, options.batch_size)).loss;
    }
    CHECK(loss / static_cast<double>(batches) == doctest::Approx(expected).epsilon(1e-9));
  }
  golden::check_close(trainer.state().center.center, file["final_centre"].as<double>(), 1e-9,
                      "center");

  const auto& state = trainer.state();
  auto model = std::make_shared<Model<double>>();
  model->members.push_back(
      Member<double>{PackedNetwork<double>(net, state.parameters.data(), state.statistics.data()),
                     state.parameters, state.statistics, state.center.center, state.gamma,
                     ScoreTerm<double>(64, 1, 64), ScoreTerm<double>(8, state.gamma, 1)});
  const Vector<double> scores =
      Detector<double>(model, 0).score(golden::matrix<double>(file, "test"));
  golden::check_close(scores, file["final_scores"].as<double>(), 1e-8, "scores");
  CHECK(roc_auc(scores, file["label"].as<std::int64_t>()) ==
        doctest::Approx(golden::number(file, "roc_auc")).epsilon(1e-12));
}
