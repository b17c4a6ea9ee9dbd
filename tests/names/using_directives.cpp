// Every public name (docs/api.md), unqualified, in a program that opens dasvdd, Eigen and std: none of them is
// ambiguous. Compiled as C++17, 20 and 23, which add names to std.

#include <dasvdd/dasvdd.hpp>
#include <dasvdd/detect/drift_watch.hpp>
#include <dasvdd/fit/fit_many.hpp>
#include <dasvdd/io/model_file.hpp>
#include <dasvdd/train/mixed_precision.hpp>

#include <Eigen/Dense>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <complex>
#include <filesystem>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <numeric>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

using namespace dasvdd;
using namespace Eigen;
using namespace std;

/// A layer and an objective of a user's own.
struct Shift final : Layer<float> {
  Index inputs() const override { return 2; }
  Index outputs() const override { return 2; }
  void initialize(Random&, float*, float*) const override {}
  void forward(const float*, const float*, Rows<const float>, Rows<float>, float*) const override {}
  void backward(const float*, Rows<const float>, Rows<const float>, Rows<const float>, Rows<float>,
                float*, float*) const override {}
  LayerSpec spec() const override { return {"shift", {}}; }
};
struct Plain : Objective<float> {};

using Types = tuple<Autoencoder<float>, Bank, BankOptions, Calibration, CenterRule,
                    Checkpoint<float>, Confusion, Dasvdd<float>, DeepSvdd<float>, Detector<float>,
                    DriftWatch, EpochReport, Explanation, FileError, FitOptions, FitProgress,
                    FitReport, GammaRule, ImageOptions, InvalidArgument, Network<float>, Options,
                    Reconstruction<float>, RowMatrix<float>, ScoreForm, Shape, Shift, Plain,
                    SoftBoundaryDeepSvdd<float>, Trainer<float>, Workspace<float>>;
static_assert(tuple_size_v<Types> > 0);

void every_function(const RowMatrix<float>& X, const vector<int>& labels) {
  const Bank bank = fit_many(X, vector<string>(8, "group"));
  const Activation f = leaky_relu(), g("gelu");
  const auto net =
      autoencoder(chain(dense<float>(4, 3), f, relu()), chain(dense<float>(3, 4), tanh()));
  const Shape image{1, 8, 8};
  Network<float> encoder;
  encoder.add(conv2d<float>(image, 2, 3)).add(conv_transpose2d<float>({2, 6, 6}, 1, 3));
  encoder.add(batch_norm<float>(image)).add(sigmoid()).add(max_pool2d<float>(image, 2));
  encoder.add(upsample_nearest2d<float>({1, 4, 4}, 2)).add(g);
  auto [paper_net, options] = paper_preset<float>("pima");
  options.precision = mixed_precision();
  Trainer<float> trainer(net, options);
  const Detector<float> one = fit(X), of_images = fit_images(X);
  const auto both = ensemble<float>({one, of_images}, 0).calibrated(X, false_alarm_rate(0.1));
  const auto scores = both.score(X);
  save(both, "model");
  cout << roc_auc(scores, labels) + average_precision(scores, labels) +
              fpr_at_tpr(scores, labels, 0.95) + Confusion(scores, labels, 1).recall()
       << dense_autoencoder<float>(4, {2}).code() << conv_autoencoder<float>(image).code()
       << load<float>("model").features();
}
