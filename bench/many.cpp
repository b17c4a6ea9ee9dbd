// Many small detectors: what one costs to fit and to keep, what ten thousand cost to score, and how well one detects.
//   bench_many --speed [FOLDER]        JSON: milliseconds and bytes; FOLDER gets the bank's file for a moment
//   bench_many --quality FOLDER SET... JSON: {SET: mean ROC-AUC of three seeds, milliseconds a fit}, of the arrays
//                                      FOLDER/SET.train.npy, SET.test.npy and SET.labels.npy
// Times of one thread are its CPU time, so that others on the machine don't count.

#include <tool/read_table.hpp>

#include <dasvdd/eval/roc_auc.hpp>
#include <dasvdd/fit/fit_many.hpp>
#include <dasvdd/io/bank_file.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace {

using dasvdd::Index;

double cpu_ms() { return 1e3 * static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }
double wall_ms() {
  return std::chrono::duration<double, std::milli>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

double median(std::vector<double> x) {
  std::nth_element(x.begin(), x.begin() + static_cast<std::ptrdiff_t>(x.size() / 2), x.end());
  return x[x.size() / 2];
}

/// Medians of so many measurements by either clock.
std::pair<double, double> medians(int times, const std::function<void()>& work) {
  std::vector<double> cpu, wall;
  for (int i = 0; i < times; ++i) {
    const double c = cpu_ms(), w = wall_ms();
    work();
    cpu.push_back(cpu_ms() - c);
    wall.push_back(wall_ms() - w);
  }
  return {median(cpu), median(wall)};
}

/// Windows of `d` values of a made-up metric: two periods and noise that remembers.
dasvdd::RowMatrix<float> windows(Index n, Index d, std::uint64_t seed) {
  dasvdd::Random random(seed);
  std::vector<double> series;
  double noise = 0;
  const double period = 50 + 200 * random.uniform(), phase = 6 * random.uniform();
  for (Index i = 0; i < n + d; ++i) {
    noise = 0.8 * noise + 0.3 * random.normal();
    const double t = static_cast<double>(i);
    series.push_back(std::sin(6.2831853 * t / period + phase) + 0.5 * std::sin(0.9 * t) + noise);
  }
  dasvdd::RowMatrix<float> X(n, d);
  for (Index i = 0; i < n; ++i) {
    for (Index j = 0; j < d; ++j)
      X(i, j) = static_cast<float>(series[static_cast<std::size_t>(i + j)]);
  }
  return X;
}

/// A bank of `count` detectors that are those of `bank`, again and again.
dasvdd::Bank repeated(const dasvdd::Bank& bank, Index count) {
  const auto& from = bank.content();
  auto to = std::make_shared<dasvdd::detail::BankContent>();
  to->layout = from.layout;
  to->floats = dasvdd::detail::AlignedBuffer<float>(count, from.layout.floats());
  for (Index i = 0; i < count; ++i) {
    const Index g = i % bank.size();
    char key[16];
    std::snprintf(key, sizeof key, "%08d", static_cast<int>(i));
    to->keys.add(key);
    std::copy_n(from.floats_of(g), from.layout.floats(),
                to->floats.data() + i * from.layout.floats());
    to->doubles.insert(to->doubles.end(), from.doubles_of(g),
                       from.doubles_of(g) + from.layout.doubles());
    to->counts.insert(to->counts.end(), from.counts_of(g),
                      from.counts_of(g) + dasvdd::detail::BankLayout::counts);
  }
  return dasvdd::Bank(std::move(to));
}

int speed(const std::filesystem::path& folder) {
  constexpr Index d = 6, most = 1440, few = 200, fitted = 60, detectors = 10000;
  dasvdd::BankOptions options;
  options.threads = 1;
  double fit_ms[2];
  std::vector<dasvdd::Bank> banks;
  const Index rows[2] = {most, few};
  for (int k = 0; k < 2; ++k) {
    std::vector<double> times;
    dasvdd::RowMatrix<float> all(fitted * rows[k], d);
    std::vector<Index> offsets = {0};
    for (Index g = 0; g < fitted; ++g) {
      const auto X = windows(rows[k], d, static_cast<std::uint64_t>(g));
      all.middleRows(g * rows[k], rows[k]) = X;
      offsets.push_back((g + 1) * rows[k]);
      const double before = cpu_ms();
      dasvdd::fit_many(X, std::vector<Index>{0, rows[k]}, options);
      times.push_back(cpu_ms() - before);
    }
    fit_ms[k] = median(times);
    banks.push_back(dasvdd::fit_many(all, offsets));
  }
  const dasvdd::Bank bank = repeated(banks.front(), detectors);
  const dasvdd::RowMatrix<float> X = windows(detectors, d, 1000);
  std::vector<Index> places(static_cast<std::size_t>(detectors));
  for (Index i = 0; i < detectors; ++i) places[static_cast<std::size_t>(i)] = i;
  std::vector<float> scores(places.size());
  auto workspace = bank.make_workspace();
  const auto one =
      medians(21, [&] { bank.score_many(X, places.data(), workspace, scores.data()); });
  const std::vector<std::string> keys = bank.keys();
  const auto by_key = medians(21, [&] { bank.score_many(X, keys); });

  const std::filesystem::path file = folder / "many.bank";
  const double save = medians(3, [&] { dasvdd::save(bank, file); }).first;
  const double bytes = static_cast<double>(std::filesystem::file_size(file));
  dasvdd::Bank back;
  const double load = medians(3, [&] { dasvdd::load(back, file); }).first;
  const double load_one = medians(21, [&] { dasvdd::load(back, file, {keys[7777]}); }).first;
  std::filesystem::remove(file);
  std::printf(
      "{\"fit_ms_1440\": %.2f, \"fit_ms_200\": %.2f, \"bytes_memory\": %zu, \"bytes_file\": %.0f, "
      "\"score_10000_ms_1_thread\": %.2f, \"score_10000_wall_ms_1_thread\": %.2f, "
      "\"score_10000_wall_ms_by_key_all_threads\": %.2f, \"save_ms\": %.1f, \"load_ms\": %.1f, "
      "\"load_one_ms\": %.3f}\n",
      fit_ms[0], fit_ms[1], bank.detector_bytes(), bytes / static_cast<double>(detectors),
      one.first, one.second, by_key.second, save, load, load_one);
  return 0;
}

int quality(const std::string& folder, const std::vector<std::string>& sets) {
  std::printf("{");
  for (std::size_t s = 0; s < sets.size(); ++s) {
    const auto rows = [&](const char* part) {
      tool::DataOptions options;
      options.with_labels = false;
      return tool::read_table(folder + "/" + sets[s] + "." + part + ".npy", options).X;
    };
    const dasvdd::RowMatrix<double> train = rows("train"), test = rows("test");
    const std::vector<std::string> labels =
        tool::read_labels(folder + "/" + sets[s] + ".labels.npy");
    Eigen::VectorXi anomaly(test.rows());
    for (Index i = 0; i < test.rows(); ++i) anomaly[i] = labels[static_cast<std::size_t>(i)] != "0";
    constexpr int seeds = 3;
    double auc = 0, ms = 0, alarms = 0;
    for (int seed = 0; seed < seeds; ++seed) {
      dasvdd::BankOptions options;
      options.threads = 1;
      options.seed = static_cast<std::uint64_t>(seed);
      const double before = cpu_ms();
      const dasvdd::Bank bank =
          dasvdd::fit_many(train, std::vector<Index>{0, train.rows()}, options);
      ms += (cpu_ms() - before) / seeds;
      const auto scores = bank.score(test, "0");
      auc += dasvdd::roc_auc(scores, anomaly) / seeds;
      double above = 0;
      for (Index i = 0; i < test.rows(); ++i)
        above += anomaly[i] == 0 && static_cast<double>(scores[i]) > bank.threshold(0);
      alarms += above / static_cast<double>(test.rows() - anomaly.sum()) / seeds;
    }
    const dasvdd::detail::BankLayout layout{train.cols()};
    std::printf(
        "%s\"%s\": {\"roc_auc\": %.6f, \"fit_ms\": %.2f, \"bytes\": %zu, \"false_alarms\": %.5f}",
        s > 0 ? ", " : "", sets[s].c_str(), auc, ms, layout.bytes(), alarms);
  }
  std::printf("}\n");
  return 0;
}

}  // namespace

int main(int argc, char** argv) try {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (!words.empty() && words[0] == "--speed")
    return speed(words.size() > 1 ? words[1] : std::filesystem::temp_directory_path().string());
  if (words.size() > 2 && words[0] == "--quality")
    return quality(words[1], {words.begin() + 2, words.end()});
  std::fprintf(stderr, "usage: bench_many --speed [FOLDER] | --quality FOLDER SET...\n");
  return 2;
} catch (const std::exception& error) {
  std::fprintf(stderr, "bench_many: %s\n", error.what());
  return 1;
}
