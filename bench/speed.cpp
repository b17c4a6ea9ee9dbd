// This library's side of `bench/run.sh speed`: measures what it is asked by name, in bench/torch_reference.py's form.
//
//   bench_speed train_mnist score_mnist_1 --threads 2
//   bench_speed -                                        names from standard input, one a line
//
// One JSON line a measurement: {"name", "threads", "value", "best", "unit"}, the median and the best of several
// trials; null for a name it doesn't know. The machine's limits are measurements too: fma_peak, bf16_peak,
// read_bandwidth (over as many bytes as the MNIST net's parameters).

#include "peak.hpp"

#include <dasvdd/dasvdd.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <functional>
#include <iostream>
#include <map>
#include <string>
#include <vector>

namespace {

using dasvdd::Index;
using Rows = dasvdd::RowMatrix<float>;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Least time of one measurement, in seconds.
double least = 1.0;

struct Result {
  double value, best;
  const char* unit;
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
    const auto start = Clock::now();
    for (Index i = 0; i < calls; ++i) work();
    total += seconds_since(start);
    seconds.push_back(seconds_since(start) / static_cast<double>(calls));
  }
  return seconds;
}

/// A published net and the size of its training set: one MNIST class, PIMA's training rows.
struct Task {
  dasvdd::Autoencoder<float> net;
  Index rows;
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
Result train(const Task& task, int threads) {
  const Rows X = uniform(task.rows, task.net.inputs());
  dasvdd::Options o = options(threads, 0.1);
  o.epochs = 1000000;
  double total = 0;
  const dasvdd::FitReport report =
      dasvdd::Trainer(task.net, o).fit(X, [&](const dasvdd::EpochReport& epoch) {
        total += epoch.seconds;
        return epoch.epoch < 3 || total < least || (epoch.epoch < 4 && total < 4 * least);
      });
  std::vector<double> seconds;
  for (const auto& epoch : report.epochs) seconds.push_back(epoch.seconds);
  const double rows = static_cast<double>(task.rows);
  return summarize(
      seconds, [rows](double s) { return rows / s; }, "rows/s");
}

Result gamma(const Task& task, int threads) {
  const Rows X = uniform(task.rows, task.net.inputs());
  dasvdd::Options o = options(threads, 0);
  o.epochs = 1;
  dasvdd::Trainer trainer(task.net, o);
  std::vector<double> seconds;
  for (int trial = 0; trial < 2; ++trial) seconds.push_back(trainer.fit(X).gamma_seconds);
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

Result score(const Task& task, Index count, int threads) {
  const auto detector = detector_of(task);
  const Rows X = uniform(count, task.net.inputs());
  if (count == 1) {  // by the calling thread alone, whatever `threads` is
    auto workspace = detector.make_workspace(1);
    volatile float sink = 0;
    const auto seconds = time_trials(200, [&] { sink = detector.score_one(X.data(), workspace); });
    return summarize(
        seconds, [](double s) { return s * 1e6; }, "us");
  }
  const auto seconds = time_trials(1, [&] { (void)detector.score(X, threads); });
  const double rows = static_cast<double>(count);
  return summarize(
      seconds, [rows](double s) { return rows / s; }, "rows/s");
}

Result limit(double rate, const char* unit) { return {rate, rate, unit}; }

using Measurement = std::function<Result(int threads)>;

const std::map<std::string, Measurement>& measurements() {
  static const std::map<std::string, Measurement> table{
      {"train_mnist", [](int threads) { return train(mnist(), threads); }},
      {"train_pima", [](int threads) { return train(pima(), threads); }},
      {"gamma_mnist", [](int threads) { return gamma(mnist(), threads); }},
      {"score_mnist_10000", [](int threads) { return score(mnist(), 10000, threads); }},
      {"score_mnist_1", [](int threads) { return score(mnist(), 1, threads); }},
      {"score_pima_10000", [](int threads) { return score(pima(), 10000, threads); }},
      {"score_pima_1", [](int threads) { return score(pima(), 1, threads); }},
      {"fma_peak", [](int threads) { return limit(bench::fma_peak_gflops(threads), "GFLOP/s"); }},
      {"bf16_peak", [](int threads) { return limit(bench::bf16_peak_gflops(threads), "GFLOP/s"); }},
      {"read_bandwidth",
       [](int threads) {
         const auto bytes = static_cast<std::size_t>(mnist().net.parameters()) * sizeof(float);
         return limit(bench::read_bandwidth_gbs(bytes, threads), "GB/s");
       }},
  };
  return table;
}

void measure(const std::string& name, int threads) {
  const auto found = measurements().find(name);
  if (found == measurements().end()) {
    std::printf(
        "{\"name\": \"%s\", \"threads\": %d, \"value\": null, \"best\": null, \"unit\": null}\n",
        name.c_str(), threads);
  } else {
    const Result result = found->second(threads);
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
  if (names == std::vector<std::string>{"-"}) {
    for (std::string name; std::getline(std::cin, name);) measure(name, threads);
  } else {
    for (const std::string& name : names) measure(name, threads);
  }
}
