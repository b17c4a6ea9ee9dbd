// The one-line fit for images: its score's form, its scaling, its members.

#include <dasvdd/eval/roc_auc.hpp>

#include <doctest/doctest.h>

#include <algorithm>

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
  CHECK(detector.score(X) == fit_images(X, quick()).score(X));
}

TEST_CASE("a net's terms are divided by their means over the images it was trained on") {
  const RowMatrix<float> X = images(60, false, 4);
  ImageOptions settings = quick();
  settings.ensemble_size = 1;
  const auto parts = fit_images(X, settings).score_parts(X);
  std::vector<Index> order = all_rows(60);
  random_stream(settings.seed, Stream::fit_order).shuffle(order.data(), order.size());
  double reconstruction = 0, latent = 0;
  for (const Index i : all_rows_but(images_left_out(order, 0, 1), 60)) {
    reconstruction += static_cast<double>(parts.reconstruction[i]) / 48;
    latent += static_cast<double>(parts.latent[i]) / 48;
  }
  // Float sums of 48 rows are good to 1e-5.
  CHECK(reconstruction == doctest::Approx(1).epsilon(1e-5));
  CHECK(latent == doctest::Approx(1).epsilon(1e-5));
}

TEST_CASE(
    "each net leaves out other images: a twentieth, or enough for one false alarm in a hundred") {
  struct Row {
    Index n, members, each;
  };
  for (const Row& row :
       {Row{4, 3, 0}, Row{60, 3, 12}, Row{164, 3, 32}, Row{165, 3, 33}, Row{10000, 3, 500},
        Row{10000, 1, 500}, Row{1000, 1, 99}, Row{700, 9, 35}, Row{90, 9, 10}}) {
    const Index n = row.n, members = row.members;
    CAPTURE(n);
    const std::vector<Index> order = all_rows(n);
    std::vector<Index> left_out;
    for (Index i = 0; i < members; ++i) {
      const auto mine = images_left_out(order, i, members);
      CHECK(static_cast<Index>(mine.size()) == row.each);
      left_out.insert(left_out.end(), mine.begin(), mine.end());
    }
    std::sort(left_out.begin(), left_out.end());
    CHECK(std::adjacent_find(left_out.begin(), left_out.end()) == left_out.end());
  }
}

TEST_CASE("fit_images: p-values come from the images that a net was not trained on") {
  const RowMatrix<float> X = images(200, false, 4);
  ImageOptions settings = quick();
  settings.ensemble_size = 3;
  settings.epochs = 20;
  const auto detector = fit_images(X, settings);
  REQUIRE(detector.calibration().scores().size() == 99);
  CHECK(detector.threshold() == detector.calibration().scores().back());
  const auto too_few = [](const Detector<float>& fitted) {
    return fitted.warnings().back().find("a false alarm rate of 0.01 needs 99 rows") == 0;
  };
  CHECK((detector.warnings().empty() || !too_few(detector)));
  const Eigen::VectorXd p = detector.p_value(detector.score(images(1000, false, 9)));
  // Meant are 0.1 and 0.3. The share over one calibration of 99 scatters by sqrt(rate / 99), 0.03 and 0.05.
  CHECK(static_cast<double>((p.array() <= 0.1).count()) / 1000 ==
        doctest::Approx(0.1).epsilon(0.9));
  CHECK(static_cast<double>((p.array() <= 0.3).count()) / 1000 ==
        doctest::Approx(0.3).epsilon(0.5));
  CHECK(too_few(fit_images(images(100, false, 4), settings)));
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

TEST_CASE("fit_images needs a member, and a kind that it knows") {
  const RowMatrix<float> X = images(30, false, 6);
  ImageOptions settings = quick();
  settings.ensemble_size = 0;
  CHECK_THROWS_WITH_AS(fit_images(X, settings), "ensemble_size is 0, expected 1 to 10000",
                       InvalidArgument);
  settings = quick();
  settings.kind = static_cast<ImageOptions::Kind>(7);
  CHECK_THROWS_WITH_AS(fit_images(X, settings),
                       "kind is 7, expected one of the enumerators of Kind", InvalidArgument);
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
