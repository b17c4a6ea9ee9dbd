// One network step, five alternating steps and gamma against PyTorch.

#include "train/golden.hpp"

using namespace dasvdd;
using namespace dasvdd::detail;

namespace {

template <class Scalar>
void check_steps(const std::string& output, double tolerance) {
  const auto file = golden::read("step_" + output);
  const auto net = golden::net<Scalar>(6, {7, 3}, output);
  const double gamma = golden::number(file, "gamma");
  Options options;
  options.kappa = golden::number(file, "kappa");
  options.threads = 1;
  auto trainer = golden::trainer<Scalar>(file, net, gamma, options);
  const auto X = golden::matrix<Scalar>(file, "x");
  const Index share = static_cast<Index>(golden::number(file, "network_share"));

  SUBCASE("every gradient of one network step") {
    const auto gradient = trainer.gradient(X.topRows(share));
    golden::each_tensor(net, "grad_", [&](const std::string& name, Index at, Index count) {
      golden::check_close(golden::part(gradient, at, count), file[name].template as<double>(),
                          tolerance, name);
    });
  }
  SUBCASE("outputs, codes and scores of the given net") {
    const auto& state = trainer.state();
    PackedNetwork<Scalar> packed(net, state.parameters.data(), state.statistics.data());
    auto model = std::make_shared<Model<Scalar>>();
    model->members.push_back(Member<Scalar>{packed, state.parameters, state.statistics,
                                            state.center.center, gamma, ScoreTerm<Scalar>(6, 1, 6),
                                            ScoreTerm<Scalar>(3, gamma, 1)});
    const Detector<Scalar> detector(model, 0);
    const RowMatrix<Scalar> codes = detector.encode(X.topRows(share));
    const RowMatrix<Scalar> outputs = detector.reconstruct(X.topRows(share));
    golden::check_close(codes.template reshaped<Eigen::RowMajor>().eval(),
                        file["code"].template as<double>(), tolerance, "code");
    golden::check_close(outputs.template reshaped<Eigen::RowMajor>().eval(),
                        file["reconstruction"].template as<double>(), tolerance, "reconstruction");
    golden::check_close(detector.score(X), file["scores"].template as<double>(), tolerance,
                        "scores");
  }
  SUBCASE("five alternating steps") {
    for (int s = 1; s <= 5; ++s) {
      const auto report = trainer.step(X);
      if (s == 1) {
        CHECK(report.reconstruction ==
              doctest::Approx(golden::number(file, "reconstruction_loss")).epsilon(tolerance));
        CHECK(report.latent ==
              doctest::Approx(golden::number(file, "svdd_loss")).epsilon(tolerance));
        CHECK(report.loss == doctest::Approx(golden::number(file, "loss")).epsilon(tolerance));
      }
      const std::string name = "adagrad_centre_after_" + std::to_string(s);
      golden::check_close(trainer.state().center.center, file[name].template as<double>(),
                          tolerance, name);
    }
    golden::each_tensor(net, "", [&](const std::string& name, Index at, Index count) {
      golden::check_close(golden::part(trainer.state().parameters, at, count),
                          file[name + "_after_5"].template as<double>(), tolerance, name);
    });
  }
}

}  // namespace

TEST_CASE("a step in double precision is PyTorch's to 1e-10") {
  for (const char* output : {"sigmoid", "leaky_relu", "identity"}) {
    CAPTURE(output);
    check_steps<double>(output, 1e-10);
  }
}

TEST_CASE("a step in float is PyTorch's to 1e-4") {
  for (const char* output : {"sigmoid", "leaky_relu", "identity"}) {
    CAPTURE(output);
    check_steps<float>(output, 1e-4);
  }
}

TEST_CASE("the batch_mean rule puts the center on the mean code of the center share") {
  const auto file = golden::read("step_sigmoid");
  const auto net = golden::net<double>(6, {7, 3}, "sigmoid");
  Options options;
  options.kappa = golden::number(file, "kappa");
  options.center = CenterRule::batch_mean();
  auto trainer = golden::trainer<double>(file, net, golden::number(file, "gamma"), options);
  trainer.step(golden::matrix<double>(file, "x"));
  // The first network step does not depend on the center's rule, so neither does the mean code
  // after it.
  golden::check_close(trainer.state().center.center, file["mean_code_after_1"].as<double>(), 1e-10,
                      "center");
}

TEST_CASE("gamma by both rules from given initializations") {
  const auto file = golden::read("gamma");
  const auto X = golden::matrix<double>(file, "x");
  const auto net = golden::net<double>(6, {7, 3}, "sigmoid");
  const auto center = file["centre"].as<double>();
  std::vector<AlignedBuffer<double>> inits;
  for (int t = 0; t < 3; ++t) {
    inits.emplace_back(net.parameters());
    golden::put_parameters(file, net, "init" + std::to_string(t) + "_", inits.back());
  }
  const auto by = [&](GammaRule rule) {
    return detail::estimate_gamma<double>(
        net, Scaler<double>(), X, center.data(), rule, 1, [&](int t, double* parameters, double*) {
          std::copy(inits[static_cast<std::size_t>(t)].begin(),
                    inits[static_cast<std::size_t>(t)].end(), parameters);
        });
  };
  CHECK(by(GammaRule::ratio_of_means(3)) ==
        doctest::Approx(golden::number(file, "gamma_ratio_of_means_origin")).epsilon(1e-10));
  CHECK(by(GammaRule::mean_of_ratios(3)) ==
        doctest::Approx(golden::number(file, "gamma_mean_of_ratios_centre")).epsilon(1e-10));
}
