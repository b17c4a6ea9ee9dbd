// This library's side of `bench/run.sh speed` and `growth`: measures what it is asked by name, in
// bench/torch_reference.py's form.
//
//   bench_speed train_mnist score_mnist_1 --threads 2
//   bench_speed "train 64-32-16 200 6000"      a net of the caller's own: widths, mini-batch, rows
//   bench_speed "score 64-32-16 100"           rows a call
//   bench_speed "team 64-32-16 100"            the same by a team of --threads, worth it or not
//   bench_speed "fit 250x8" "fit_images 200x784" "score_fit 1" "load_fit 250x8"
//                                              fit() with its defaults on a table of that size, fit_images() on images,
//                                              rows a call through the detector of 250 rows of 8, and its file
//   bench_speed -                              names from standard input, one a line
//
// One JSON line a measurement: {"name", "threads", "value", "best", "unit"}, the median and the best of several
// trials; null for what it doesn't know or this machine can't. The machine's limits are measurements too.

#include "peak.hpp"

#include <dasvdd/dasvdd.hpp>
#include <dasvdd/train/mixed_precision.hpp>
#if __has_include(<nlohmann/json.hpp>)
#include <dasvdd/io/model_file.hpp>
#endif

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <functional>
#include <iostream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace {

using dasvdd::Index;
using Rows = dasvdd::RowMatrix<float>;
/// Whether one thread is measured.
bool alone = true;

/// Seconds since some moment: of one thread its processor time, which other programs on the machine
/// disturb little; of a team the time that passes, since waiting for each other counts.
double now() {
  if (alone) return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
  const auto time = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double>(time).count();
}

/// Least time of one measurement, in seconds.
double least = 1.0;

/// Without a unit: this machine can't.
struct Result {
  double value = 0, best = 0;
  const char* unit = nullptr;
};

/// Seconds a trial, the first of them a warm-up, as a result in `unit`.
Result summarize(std::vector<double> seconds, const std::function<double(double)>& in_unit,
                 const char* unit) {
  if (seconds.size() > 1) seconds.erase(seconds.begin());
  std::sort(seconds.begin(), seconds.end());
  return {in_unit(seconds[seconds.size() / 2]), in_unit(seconds.front()), unit};
}

template <class Work>
std::vector<double> time_trials(Index calls, const Work& work) {
  std::vector<double> seconds;
  double total = 0;
  while (seconds.size() < 3 || total < least || (seconds.size() < 4 && total < 4 * least)) {
    const double start = now();
    for (Index i = 0; i < calls; ++i) work();
    const double taken = now() - start;
    total += taken;
    seconds.push_back(taken / static_cast<double>(calls));
  }
  return seconds;
}

/// A published net and the size of its training set: one MNIST class, PIMA's training rows.
struct Task {
  dasvdd::Autoencoder<float> net;
  Index rows;
  Index batch = 200;
};

Task mnist() {
  using namespace dasvdd;
  return {autoencoder(chain(dense<float>(784, 1024), leaky_relu(), dense<float>(1024, 256),
                            leaky_relu(), dense<float>(256, 256), leaky_relu()),
                      chain(dense<float>(256, 256), leaky_relu(), dense<float>(256, 1024),
                            leaky_relu(), dense<float>(1024, 784), sigmoid())),
          5923};
}

Task pima() {
  using namespace dasvdd;
  return {autoencoder(chain(dense<float>(8, 10), leaky_relu(), dense<float>(10, 4), leaky_relu(),
                            dense<float>(4, 4), leaky_relu()),
                      chain(dense<float>(4, 4), leaky_relu(), dense<float>(4, 10), leaky_relu(),
                            dense<float>(10, 8))),
          461};
}

/// Uniform numbers in [0, 1]: no figure depends on their values.
Rows uniform(Index rows, Index cols) { return (Rows::Random(rows, cols).array() + 1) / 2; }

dasvdd::Options options(int threads, double gamma) {
  dasvdd::Options o;
  o.threads = threads;
  if (gamma > 0) o.gamma = dasvdd::GammaRule::value(gamma);
  return o;
}

/// Epochs of one long run, each a trial.
Result train(const Task& task, int threads, dasvdd::detail::Precision precision = {}) {
  const Rows X = uniform(task.rows, task.net.inputs());
  dasvdd::Options o = options(threads, 0.1);
  o.epochs = 1000000;
  o.batch_size = task.batch;
  o.precision = precision;
  std::vector<double> seconds;
  double total = 0, start = now();
  dasvdd::Trainer(task.net, o).fit(X, [&](const dasvdd::EpochReport& epoch) {
    seconds.push_back(now() - start);
    total += seconds.back();
    start = now();
    return epoch.epoch < 3 || total < least || (epoch.epoch < 4 && total < 4 * least);
  });
  const double rows = static_cast<double>(task.rows);
  return summarize(
      seconds, [rows](double s) { return rows / s; }, "rows/s");
}

/// The part of fit() that estimates gamma, by itself.
Result gamma(const Task& task, int threads) {
  const Rows X = uniform(task.rows, task.net.inputs());
  const dasvdd::detail::AlignedBuffer<float> center(task.net.code());
  const auto initialize = [&](int t, float* parameters, float* statistics) {
    dasvdd::Random random(7, static_cast<std::uint64_t>(t));
    task.net.joined().initialize(random, parameters, statistics);
  };
  const auto estimate = [&] {
    (void)dasvdd::detail::estimate_gamma<float>(task.net, dasvdd::detail::Scaler<float>(), X,
                                                center.data(), dasvdd::GammaRule(), threads,
                                                initialize);
  };
  std::vector<double> seconds;
  for (int trial = 0; trial < 2; ++trial) {
    const double start = now();
    estimate();
    seconds.push_back(now() - start);
  }
  return summarize(
      seconds, [](double s) { return s; }, "s");
}

dasvdd::Detector<float> detector_of(const Task& task) {
  dasvdd::Options o = options(1, 0.1);
  o.epochs = 1;
  dasvdd::Trainer trainer(task.net, o);
  trainer.fit(uniform(400, task.net.inputs()));
  return trainer.detector();
}

/// Calls of `work` that together take long enough for the clock.
template <class Work>
Index enough_calls(const Work& work) {
  work();
  const double start = now();
  work();
  return std::max<Index>(1, static_cast<Index>(1e-3 / (now() - start + 1e-6)));
}

template <class Work>
Result rows_a_second(Index count, const Work& work) {
  const double rows = static_cast<double>(count);
  return summarize(
      time_trials(enough_calls(work), work), [rows](double s) { return rows / s; }, "rows/s");
}

/// By a call for a batch, with memory of its own each time.
Result score(const Task& task, Index count, int threads) {
  const auto detector = detector_of(task);
  const Rows X = uniform(count, task.net.inputs());
  return rows_a_second(count, [&] { (void)detector.score(X, threads); });
}

/// One row at a time with a workspace, as a service does: by the calling thread alone, whatever `threads` is.
Result score_one(const Task& task, const dasvdd::Detector<float>& detector, int threads = 1) {
  const Rows X = uniform(1, task.net.inputs());
  auto workspace = detector.make_workspace(1, threads);
  volatile float sink = 0;
  const auto seconds = time_trials(200, [&] { sink = detector.score_one(X.data(), workspace); });
  return summarize(
      seconds, [](double s) { return s * 1e6; }, "us");
}

/// The least that score_one can take, measured like it: reading as many bytes as the net has parameters.
Result read_parameters(const Task& task) {
  const dasvdd::detail::AlignedBuffer<float> memory(task.net.parameters());
  const auto bytes = static_cast<std::size_t>(memory.size()) * sizeof(float) / 128 * 128;
  const auto seconds = time_trials(
      200, [&] { bench::read_memory(reinterpret_cast<const char*>(memory.data()), bytes); });
  return summarize(
      seconds, [](double s) { return s * 1e6; }, "us");
}

/// As score(), but by a team of that many threads even where the library would not start one.
Result score_by_team(const Task& task, Index count, int threads) {
  const auto detector = detector_of(task);
  const Rows X = uniform(count, task.net.inputs());
  dasvdd::detail::Vector<float> scores(count);
  std::vector<dasvdd::Workspace<float>> workspaces;
  for (int i = 0; i < threads; ++i) workspaces.push_back(detector.make_workspace());
  return rows_a_second(count, [&] {
    dasvdd::detail::parallel(threads, [&](const dasvdd::detail::Team& team) {
      const dasvdd::detail::Range mine = team.share(count);
      if (mine.size() == 0) return;
      detector.score(X.middleRows(mine.first, mine.size()),
                     workspaces[static_cast<std::size_t>(team.member())],
                     scores.data() + mine.first);
    });
  });
}

/// A net of widths "64-32-16", mirrored, LeakyReLU between.
dasvdd::Autoencoder<float> net_of(const std::string& widths) {
  std::istringstream in(widths);
  Index inputs = 0, width;
  char dash;
  in >> inputs;
  std::vector<Index> layers;
  while (in >> dash >> width) layers.push_back(width);
  return dasvdd::dense_autoencoder<float>(inputs, layers, dasvdd::Activation());
}

/// Rows and columns of a table "250x8".
std::pair<Index, Index> size_of(const std::string& text) {
  std::istringstream in(text);
  Index n = 0, d = 0;
  char by;
  in >> n >> by >> d;
  return {n, d};
}

/// Normal rows of a few directions and noise, as tables are: seeded.
Rows table_of(Index n, Index d) {
  dasvdd::Random random(7);
  Rows X(n, d);
  for (Index i = 0; i < n; ++i) {
    const double first = random.normal(), second = random.normal();
    for (Index j = 0; j < d; ++j) {
      const double place = static_cast<double>(j);
      X(i, j) = static_cast<float>(first * std::cos(place) + second * std::sin(2 * place) +
                                   0.3 * random.normal());
    }
  }
  return X;
}

/// fit() from rows to detector, with its defaults.
Result fit_table(const std::string& size, int threads) {
  const auto [n, d] = size_of(size);
  const Rows X = table_of(n, d);
  dasvdd::FitOptions o;
  o.threads = threads;
  std::vector<double> seconds;
  for (int trial = 0; trial < 3; ++trial) {
    const double start = now();
    (void)dasvdd::fit(X, o);
    seconds.push_back(now() - start);
  }
  return summarize(
      seconds, [](double s) { return s; }, "s");
}

/// fit_images() of square images of one channel, with its defaults.
Result fit_pictures(const std::string& size, int threads) {
  const auto [n, d] = size_of(size);
  const Index side = static_cast<Index>(std::lround(std::sqrt(static_cast<double>(d))));
  const Rows X = uniform(n, side * side);
  dasvdd::ImageOptions o;
  o.shape = {1, side, side};
  o.threads = threads;
  const double start = now();
  (void)dasvdd::fit_images(X, o);
  const double taken = now() - start;
  return {taken, taken, "s"};
}

/// Rows a call through the default ensemble of 250 rows of 8 numbers.
Result score_fit(Index rows, int threads) {
  const auto detector = dasvdd::fit(table_of(250, 8));
  const Rows X = table_of(rows, 8);
  if (rows > 1) return rows_a_second(rows, [&] { (void)detector.score(X, threads); });
  auto workspace = detector.make_workspace(1);
  volatile float sink = 0;
  const auto seconds = time_trials(200, [&] { sink = detector.score_one(X.data(), workspace); });
  return summarize(
      seconds, [](double s) { return s * 1e6; }, "us");
}

/// A fitted ensemble's file into a detector.
Result load_fit(const std::string& size) {
#if __has_include(<nlohmann/json.hpp>)
  const auto [n, d] = size_of(size);
  const std::string bytes = dasvdd::detail::to_tensor_file(dasvdd::fit(table_of(n, d))).serialize();
  const auto seconds = time_trials(1, [&] {
    (void)dasvdd::detail::from_tensor_file<float>(dasvdd::detail::TensorFile::parse(bytes));
  });
  return summarize(
      seconds, [](double s) { return s * 1e3; }, "ms");
#else
  (void)size;
  return {};
#endif
}

Result limit(double rate, const char* unit) {
  return rate > 0 ? Result{rate, rate, unit} : Result{};
}

using Measurement = std::function<Result(int threads)>;

const std::map<std::string, Measurement>& measurements() {
  static const std::map<std::string, Measurement> table{
      {"train_mnist", [](int threads) { return train(mnist(), threads); }},
      {"train_mnist_mixed",
       [](int threads) {
         const dasvdd::detail::Precision mixed = dasvdd::mixed_precision();
         return mixed.mixed ? train(mnist(), threads, mixed) : Result{};
       }},
      {"train_pima", [](int threads) { return train(pima(), threads); }},
      {"gamma_mnist", [](int threads) { return gamma(mnist(), threads); }},
      {"score_mnist_10000", [](int threads) { return score(mnist(), 10000, threads); }},
      {"score_mnist_1",
       [](int threads) { return score_one(mnist(), detector_of(mnist()), threads); }},
      {"score_mnist_1_compact",
       [](int threads) { return score_one(mnist(), detector_of(mnist()).compacted(), threads); }},
      {"score_pima_10000", [](int threads) { return score(pima(), 10000, threads); }},
      {"score_pima_1", [](int) { return score_one(pima(), detector_of(pima())); }},
      {"read_mnist_1", [](int) { return read_parameters(mnist()); }},
      {"fma_peak", [](int threads) { return limit(bench::fma_peak_gflops(threads), "GFLOP/s"); }},
      {"bf16_peak", [](int threads) { return limit(bench::bf16_peak_gflops(threads), "GFLOP/s"); }},
      {"amx_peak", [](int threads) { return limit(bench::amx_peak_gflops(threads), "GFLOP/s"); }},
      {"cache_bandwidth",  // over as many bytes as the MNIST net's parameters
       [](int threads) {
         const auto bytes = static_cast<std::size_t>(mnist().net.parameters()) * sizeof(float);
         return limit(bench::read_bandwidth_gbs(bytes, threads), "GB/s");
       }},
      {"memory_bandwidth",
       [](int threads) {
         return limit(bench::read_bandwidth_gbs(std::size_t{1} << 30, threads), "GB/s");
       }},
  };
  return table;
}

/// A measurement of a net of the caller's own; what it isn't is left without a unit.
Result measure_net(const std::string& name, int threads) {
  std::istringstream in(name);
  std::string kind, widths;
  Index batch = 0, rows = 0;
  in >> kind >> widths;
  if (kind == "fit") return fit_table(widths, threads);
  if (kind == "fit_images") return fit_pictures(widths, threads);
  if (kind == "score_fit") return score_fit(std::stol(widths), threads);
  if (kind == "load_fit") return load_fit(widths);
  if (kind == "train" && in >> batch >> rows) return train({net_of(widths), rows, batch}, threads);
  if (kind == "score" && in >> rows) return score({net_of(widths), rows}, rows, threads);
  if (kind == "team" && in >> rows) return score_by_team({net_of(widths), rows}, rows, threads);
  return {};
}

void measure(const std::string& name, int threads) {
  const auto found = measurements().find(name);
  const Result result =
      found == measurements().end() ? measure_net(name, threads) : found->second(threads);
  if (result.unit == nullptr) {
    std::printf(
        "{\"name\": \"%s\", \"threads\": %d, \"value\": null, \"best\": null, \"unit\": null}\n",
        name.c_str(), threads);
  } else {
    std::printf(
        "{\"name\": \"%s\", \"threads\": %d, \"value\": %.6g, \"best\": %.6g, \"unit\": \"%s\"}\n",
        name.c_str(), threads, result.value, result.best, result.unit);
  }
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> names;
  int threads = 1;
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--threads" && i + 1 < argc) {
      threads = std::stoi(argv[++i]);
    } else if (argument == "--seconds" && i + 1 < argc) {
      least = std::stod(argv[++i]);
    } else {
      names.push_back(argument);
    }
  }
  alone = threads == 1;
  if (names == std::vector<std::string>{"-"}) {
    for (std::string name; std::getline(std::cin, name);) measure(name, threads);
  } else {
    for (const std::string& name : names) measure(name, threads);
  }
}
