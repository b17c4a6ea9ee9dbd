// Writes detectors of every kind as ONNX files, each with rows and what the library says of them, for check.py:
//   onnx_models FOLDER

#include <dasvdd/dasvdd.hpp>
#include <dasvdd/io/model_file.hpp>
#include <dasvdd/io/onnx.hpp>
#include <dasvdd/nn/conv_autoencoder.hpp>

#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

namespace {

using dasvdd::Index;

/// Rows near a plane, in units of their own; the last tenth lies off it.
template <class Scalar>
dasvdd::RowMatrix<Scalar> table(Index n, Index d, unsigned seed) {
  dasvdd::Random random(seed);
  dasvdd::RowMatrix<Scalar> X(n, d);
  for (Index i = 0; i < n; ++i) {
    const double a = random.normal(), b = random.normal();
    for (Index j = 0; j < d; ++j) {
      const double t = static_cast<double>(j);
      const double off = i >= n - n / 10 ? 2 * random.normal() : 0;
      X(i, j) = static_cast<Scalar>(
          (1 + t) * (a * std::sin(t) + b * std::cos(3 * t) + off + 0.3 * random.normal()) + 10 * t);
    }
  }
  return X;
}

/// Bright disks on a dark ground; the last tenth are squares.
dasvdd::RowMatrix<float> images(Index n, const dasvdd::Shape& shape, unsigned seed) {
  dasvdd::Random random(seed);
  dasvdd::RowMatrix<float> X(n, shape.size());
  for (Index i = 0; i < n; ++i) {
    const double y = random.uniform(0.35, 0.65), x = random.uniform(0.35, 0.65),
                 size = random.uniform(0.15, 0.3);
    Index j = 0;
    for (Index c = 0; c < shape.channels; ++c) {
      for (Index v = 0; v < shape.height; ++v) {
        for (Index u = 0; u < shape.width; ++u, ++j) {
          const double dy = static_cast<double>(v) / static_cast<double>(shape.height) - y;
          const double dx = static_cast<double>(u) / static_cast<double>(shape.width) - x;
          const bool in = i >= n - n / 10 ? std::max(std::fabs(dx), std::fabs(dy)) < size
                                          : dx * dx + dy * dy < size * size;
          X(i, j) = in ? static_cast<float>(random.uniform(0.6, 1)) : 0;
        }
      }
    }
  }
  return X;
}

template <class Scalar>
void write(const std::filesystem::path& folder, const std::string& name,
           const dasvdd::Detector<Scalar>& detector, const dasvdd::RowMatrix<Scalar>& X,
           const dasvdd::detail::OnnxOptions& options = {}) {
  dasvdd::detail::replace_file(folder / (name + ".onnx"),
                               dasvdd::detail::to_onnx(detector, options));
  const auto scores = detector.score(X);
  dasvdd::detail::TensorFile file;
  file.add("x", {X.rows(), X.cols()}, X.data());
  file.add("score", {X.rows()}, scores.data());
  if (!detector.calibration().empty()) {
    const std::vector<double>& calibration = detector.calibration().scores();
    file.add("calibration", {static_cast<Index>(calibration.size())}, calibration.data());
  }
  const double threshold = detector.threshold();
  file.add("threshold", {}, &threshold);
  file.write(folder / (name + ".safetensors"));
  std::printf("%s\n", name.c_str());
}

template <class Scalar>
dasvdd::Detector<Scalar> trained(const dasvdd::Autoencoder<Scalar>& net,
                                 const dasvdd::RowMatrix<Scalar>& X, dasvdd::ScoreForm form,
                                 bool standardize = true) {
  dasvdd::Options options;
  options.epochs = 60;
  options.batch_size = 50;
  options.seed = 3;
  options.gamma = dasvdd::GammaRule::value(0.01);  // the estimate would press all outputs together
  options.score = form;
  options.standardize = standardize;
  dasvdd::Trainer<Scalar> trainer(net, options);
  trainer.fit(X);
  return trainer.detector();
}

template <class Scalar>
void tables(const std::filesystem::path& folder, const std::string& type) {
  using dasvdd::ScoreForm;
  const Index d = 12;
  const auto X = table<Scalar>(600, d, 1), held_out = table<Scalar>(400, d, 2),
             fresh = table<Scalar>(300, d, 3);
  const auto net = dasvdd::dense_autoencoder<Scalar>(d, {24, 4});
  const auto published = trained<Scalar>(net, X, ScoreForm::published);
  const auto calibrated = [&](const dasvdd::Detector<Scalar>& detector) {
    return detector.calibrated(held_out, dasvdd::false_alarm_rate(0.05));
  };
  write(folder, type + "_published", published, fresh);
  write(folder, type + "_matmul", published, fresh, {true, false});
  for (const auto form : {ScoreForm::balanced, ScoreForm::latent_whitened, ScoreForm::whitened,
                          ScoreForm::several_centers}) {
    const auto name = dasvdd::detail::score_form<Scalar>(form).name;
    write(folder, type + "_" + name, calibrated(trained<Scalar>(net, X, form)), fresh);
  }
  for (const char* name : {"relu", "elu", "selu", "silu", "softplus", "tanh", "sigmoid", "gelu"}) {
    if (std::is_same_v<Scalar, double> && name == std::string("gelu")) continue;
    const auto other = dasvdd::dense_autoencoder<Scalar>(d, {24, 4}, {}, dasvdd::Activation(name));
    write(folder, type + "_" + name, trained<Scalar>(other, X, ScoreForm::published), fresh);
  }
  // A net with batch norm over features, and one without a decoder.
  dasvdd::Network<Scalar> encoder, decoder;
  encoder.add(dasvdd::dense<Scalar>(d, 16)).add(dasvdd::batch_norm<Scalar>(16)).add(dasvdd::relu());
  encoder.add(dasvdd::dense<Scalar>(16, 4));
  decoder.add(dasvdd::dense<Scalar>(4, 16)).add(dasvdd::batch_norm<Scalar>(16)).add(dasvdd::relu());
  decoder.add(dasvdd::dense<Scalar>(16, d));
  const auto normalized = dasvdd::autoencoder(encoder, decoder);
  write(folder, type + "_batch_norm",
        calibrated(trained<Scalar>(normalized, X, ScoreForm::several_centers)), fresh);
  if constexpr (std::is_same_v<Scalar, double>) {
    write(folder, "double_as_float", published, fresh, {false, true});
  } else {
    dasvdd::FitOptions options;
    options.epochs = 20;
    const auto ensemble = dasvdd::fit(X, options);
    write(folder, "float_ensemble", ensemble, fresh);
    write(folder, "float_ensemble_matmul", ensemble, fresh, {true, false});
  }
}

void image_models(const std::filesystem::path& folder) {
  for (const Index channels : {1, 3}) {
    const dasvdd::Shape shape{channels, 16, 16};
    const auto X = images(200, shape, 1), fresh = images(100, shape, 2);
    dasvdd::ImageOptions options;
    options.shape = shape;
    options.epochs = 2;
    const std::string suffix = channels == 1 ? "_gray" : "_colored";
    write(folder, "objects" + suffix, dasvdd::fit_images(X, options), fresh);
    options.kind = dasvdd::ImageOptions::Kind::photographs;
    write(folder, "photographs" + suffix, dasvdd::fit_images(X, options), fresh);
    write(folder, "convolutional" + suffix,
          trained<float>(dasvdd::conv_autoencoder<float>(shape, {8, 4}, 8), X,
                         dasvdd::ScoreForm::published, false),
          fresh);
  }
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) {
    std::fputs("usage: onnx_models FOLDER\n", stderr);
    return 2;
  }
  const std::filesystem::path folder = arguments[1];
  std::filesystem::create_directories(folder);
  tables<float>(folder, "float");
  tables<double>(folder, "double");
  image_models(folder);
}
