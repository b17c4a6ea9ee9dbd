// The one-line fit for images: its score's form, its scaling, its members.

#include <dasvdd/eval/roc_auc.hpp>

#include <doctest/doctest.h>

#include "train/support.hpp"

using namespace dasvdd;
using namespace dasvdd::detail;

namespace {

/// n images of 6 x 6 pixels: a bar at a place and of a slant drawn at random, or where `odd`, a spot;
/// each of its own contrast, on a ground of its own brightness up to `ground`.
RowMatrix<float> images(Index n, bool odd, std::uint64_t seed, double ground = 0.4) {
  constexpr Index side = 6;
  Random random(seed);
  RowMatrix<float> X(n, side * side);
  for (Index i = 0; i < n; ++i) {
    const double place = 1.5 + 2 * random.uniform(), slant = random.uniform() - 0.5;
    const double row = 1.5 + 2 * random.uniform();
    const double brightness = ground * random.uniform(), contrast = 0.1 + 0.5 * random.uniform();
    for (Index y = 0; y < side; ++y) {
      for (Index x = 0; x < side; ++x) {
        const double dy = static_cast<double>(y), dx = static_cast<double>(x);
        const double off =
            odd ? (dx - place) * (dx - place) + (dy - row) * (dy - row)
                : (dx - place - slant * (dy - 2.5)) * (dx - place - slant * (dy - 2.5));
        X(i, y * side + x) = static_cast<float>(brightness + contrast / (1 + off));
      }
    }
  }
  return X;
}

ImageOptions quick() {
  ImageOptions settings;
  settings.ensemble_size = 2;
  settings.epochs = 3;
  settings.threads = 1;
  return settings;
}

}  // namespace

TEST_CASE("fit_images tells spots from bars, whatever their contrast") {
  std::vector<int> anomaly(200, 0);
  std::fill(anomaly.begin() + 100, anomaly.end(), 1);
  for (const ImageOptions::Kind kind :
       {ImageOptions::Kind::objects, ImageOptions::Kind::photographs}) {
    CAPTURE(static_cast<int>(kind));
    const double ground =
        kind == ImageOptions::Kind::objects ? 0 : 0.4;  // objects lie on a dark one
    RowMatrix<float> test(200, 36);
    test << images(100, false, 2, ground), images(100, true, 3, ground);
    ImageOptions settings;
    settings.ensemble_size = 1;
    settings.epochs = 30;
    settings.kind = kind;
    const auto detector = fit_images(images(400, false, 1, ground), settings);
    CHECK(roc_auc(detector.score(test), anomaly) > 0.95);
    if (kind == ImageOptions::Kind::photographs) {
      // Twice the contrast changes nothing that the floor, 1e-4, does not let through.
      const RowMatrix<float> twice = 2 * test;
      CHECK(roc_auc(detector.score(twice), anomaly) > 0.95);
    }
  }
}

TEST_CASE("members have seeds of their own and one scaler; the score splits into its two terms") {
  const RowMatrix<float> X = images(60, false, 4);
  const auto detector = fit_images(X, quick());
  REQUIRE(detector.model().members.size() == 2);
  CHECK_FALSE(
      same_bits(detector.model().members[0].parameters, detector.model().members[1].parameters));
  CHECK(detector.model().scaler == Scaler<float>(Softener<float>({1, 6, 6})));
  CHECK(detector.facts().at("score") == "latent_whitened");
  CHECK(detector.facts().at("gamma_rule") == "0.2 * ratio_of_means");
  const auto parts = detector.score_parts(X);
  CHECK(detector.score(X) == parts.reconstruction + parts.latent);
  // Each term is divided by its mean over the training rows; float sums of 60 rows are good to 1e-5.
  CHECK(parts.reconstruction.mean() == doctest::Approx(1).epsilon(1e-5));
  CHECK(parts.latent.mean() == doctest::Approx(1).epsilon(1e-5));
  CHECK(detector.score(X) == fit_images(X, quick()).score(X));
}

TEST_CASE("fit_images: progress counts every member's epochs, and false stops") {
  const RowMatrix<float> X = images(30, false, 5);
  std::vector<Index> done;
  fit_images(X, quick(), [&](const FitProgress& at) {
    CHECK(at.total == 6);
    CHECK(at.ensemble_size == 2);
    CHECK_FALSE(at.screening);
    CHECK(at.member == at.done / 4);
    done.push_back(at.done);
  });
  CHECK(done == std::vector<Index>{1, 2, 3, 4, 5, 6});
  const auto detector = fit_images(X, quick(), [](const FitProgress& at) { return at.done < 2; });
  CHECK(detector.model().members.size() == 1);
}

TEST_CASE("fit_images: a stopped fit has the members that had begun") {
  const RowMatrix<float> X = images(30, false, 5);
  ImageOptions settings = quick();
  settings.ensemble_size = 3;
  // In the second member's first epoch of three.
  const auto stopped = fit_images(X, settings, [](const FitProgress& at) { return at.done < 4; });
  CHECK(stopped.model().members.size() == 2);
}

TEST_CASE("photographs have a preset of their own") {
  const auto [net, options] =
      detail::image_preset<float>({1, 6, 6}, ImageOptions::Kind::photographs);
  CHECK(net.inputs() == 36);
  CHECK(options.gamma.factor == 10);
  ImageOptions settings;
  settings.ensemble_size = 1;
  settings.kind = ImageOptions::Kind::photographs;
  const auto detector = fit_images(images(30, false, 7), settings);
  CHECK(detector.facts().at("epochs") == "10");
  CHECK(detector.facts().at("gamma_rule") == "10 * ratio_of_means");
  CHECK(detector.model().scaler == Scaler<float>(ContrastNormalizer<float>(1e-4)));
}

TEST_CASE("fit_images takes the shape it is told, or else squares of one channel or three") {
  ImageOptions settings = quick();
  settings.ensemble_size = 1;
  settings.epochs = 1;
  const auto image = [&](Index columns) {
    const auto detector =
        fit_images(RowMatrix<float>(RowMatrix<float>::Ones(4, columns)), settings);
    return std::get<Softener<float>>(detector.model().scaler.kind()).image();
  };
  CHECK(image(36) == Shape{1, 6, 6});
  CHECK(image(27) == Shape{3, 3, 3});
  CHECK_THROWS_WITH_AS(image(35), doctest::Contains("images of 35 numbers are no squares"),
                       InvalidArgument);
  settings.shape = {1, 5, 7};
  CHECK(image(35) == Shape{1, 5, 7});
  CHECK_THROWS_WITH_AS(image(36), "images of 1 x 5 x 7 have 35 numbers, the rows have 36",
                       InvalidArgument);
  settings.shape = {1, -5, -7};
  CHECK_THROWS_WITH_AS(image(35), doctest::Contains("the shape is 1 x -5 x -7"), InvalidArgument);
}

TEST_CASE("fit_images needs a member") {
  ImageOptions settings = quick();
  settings.ensemble_size = 0;
  CHECK_THROWS_WITH_AS(fit_images(images(30, false, 6), settings),
                       "ensemble_size is 0, expected at least 1", InvalidArgument);
}

TEST_CASE("a rule of gamma times a factor gives the rule's estimate times it") {
  const RowMatrix<double> X = curve<double>(40, 4, 7);
  const auto gamma = [&](GammaRule rule) {
    Options options;
    options.epochs = 1;
    options.gamma = rule;
    return Trainer<double>(dasvdd::dense_autoencoder<double>(4, {5, 2}, Activation()), options)
        .fit(X)
        .gamma;
  };
  for (const GammaRule rule :
       {GammaRule::ratio_of_means(2), GammaRule::mean_of_ratios(2), GammaRule::value(0.3)}) {
    CHECK(gamma(rule.times(0.25)) == 0.25 * gamma(rule));
    CHECK(rule.times(0.5).times(8).factor == 4);
  }
  CHECK_THROWS_WITH_AS(gamma(GammaRule::value(1e300).times(1e300)),
                       "gamma is inf, expected a finite number that is not negative",
                       InvalidArgument);
  CHECK_THROWS_WITH_AS(gamma(GammaRule::value(2).times(-1)),
                       "gamma's factor is -1, expected a finite number that is not negative",
                       InvalidArgument);
}
