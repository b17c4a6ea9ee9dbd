// This library's side of `bench/run.sh quality`: trains and tests what it is asked, one cell of a table a line.
//
//   bench_quality --data DIR --fashion DIR --threads 1 < cells
//
// A cell is `SET TARGET SEED SETTINGS`, four words:
//   mnist 8 0 -                  the paper's net and options; class 8 is normal
//   mnist 8 0 kappa=0.5,gamma=10x    changes to them, see Settings
//   adbench 4_breastw 0 -        dasvdd::fit with its defaults
//   adbench 4_breastw 0 contamination=0.05    that share of the training rows are anomalies
//   folder wide/spectra 0 decisions=1   fit() on DIR/wide/spectra.npz, with what its p-values decide: arrays X and y, or
//                                train, test and test_labels; label 0 is normal
//   adbench 4_breastw 0 split=dte    the split of published tables, see dte_split
//   adbench 4_breastw 0 published=1   the published form, for a table: see train_published_table
//   pima - 0 scaled=1            speech - 0 -
//   fashion 6 0 best=1           cifar10 6 0 best=1    dasvdd::fit_images for the kind of image the set has
// Each is answered by a JSON line: cell, roc_auc, average_precision, seconds (of training), rows, features and what
// training warned of; or cell and error.

#include <dasvdd/dasvdd.hpp>
#include <dasvdd/train/mixed_precision.hpp>
#include <nlohmann/json.hpp>

#include <tool/command.hpp>

#include "uniformity.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <map>
#include <numeric>
#include <optional>
#include <set>
#include <sstream>

namespace {

using dasvdd::Autoencoder;
using dasvdd::Index;
using Rows = dasvdd::RowMatrix<float>;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

struct Folders {
  std::string data, fashion;
};

// ---- data -----------------------------------------------------------------------------------------------------------

struct Split {
  Rows train, test;
  std::vector<int> anomaly;  // of the test rows
  double contamination = 0;  // the share of training rows that are anomalies
};

/// Every ceil(n / most)-th of the numbers.
std::vector<Index> thinned(const std::vector<Index>& rows, Index most) {
  const Index n = static_cast<Index>(rows.size()), step = n > most ? (n + most - 1) / most : 1;
  std::vector<Index> some;
  for (Index i = 0; i < n; i += step) some.push_back(rows[static_cast<std::size_t>(i)]);
  return some;
}
std::vector<Index> every_second(const std::vector<Index>& rows, std::size_t first) {
  std::vector<Index> some;
  for (std::size_t i = first; i < rows.size(); i += 2) some.push_back(rows[i]);
  return some;
}
template <class Scalar>
Rows taken(const dasvdd::RowMatrix<Scalar>& X, const std::vector<Index>& rows) {
  Rows some(static_cast<Index>(rows.size()), X.cols());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    some.row(static_cast<Index>(i)) = X.row(rows[i]).template cast<float>();
  }
  return some;
}

Split split_of(const dasvdd::RowMatrix<double>& X, const std::vector<Index>& train,
               const std::vector<Index>& normal, const std::vector<Index>& anomalies) {
  std::vector<Index> test = normal;
  test.insert(test.end(), anomalies.begin(), anomalies.end());
  Split split{taken(X, train), taken(X, test), std::vector<int>(test.size(), 1)};
  std::fill_n(split.anomaly.begin(), normal.size(), 0);
  return split;
}

/// A table's split without a random number: normal rows in file order, the even-numbered train, the
/// odd-numbered and every anomaly test; very long sets thinned.
/// \param contamination not negative: the even-numbered anomalies are kept for the training rows, of
///   which they get that share if there are enough, and the odd-numbered alone test
Split table_split(const tool::Table& table, double contamination) {
  std::vector<Index> normal, anomalies;
  for (Index i = 0; i < table.X.rows(); ++i) {
    (table.labels[static_cast<std::size_t>(i)] == "0" ? normal : anomalies).push_back(i);
  }
  anomalies = thinned(anomalies, 10000);
  std::vector<Index> train = thinned(every_second(normal, 0), 50000);
  const std::vector<Index> test = thinned(every_second(normal, 1), 50000);
  if (contamination < 0) return split_of(table.X, train, test, anomalies);
  const std::vector<Index> spare = every_second(anomalies, 0);
  const double clean = static_cast<double>(train.size());
  const double wanted = std::round(contamination / (1 - contamination) * clean);
  const std::size_t count = std::min(spare.size(), static_cast<std::size_t>(wanted));
  // Evenly from all that are kept: sets list anomalies of one kind together.
  for (std::size_t i = 0; i < count; ++i) train.push_back(spare[i * spare.size() / count]);
  Split split = split_of(table.X, train, test, every_second(anomalies, 1));
  split.contamination = static_cast<double>(count) / static_cast<double>(train.size());
  return split;
}

/// Number i of a sequence of 64 random bits, so simple that bench/comparators.py draws the same rows (splitmix64).
std::uint64_t drawn_bits(std::uint64_t seed, std::uint64_t i) {
  std::uint64_t z = (seed << 32) + (i + 1) * 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

/// The split behind the tables of Livernoche et al. (2024, arXiv 2305.18593): the first half of the normal rows in file
/// order trains, the second half and every anomaly test. A table of fewer than 1,000 rows is first drawn up to 1,000
/// with replacement, so that copies of training rows are among the test rows: scores there are too good.
Split dte_split(const tool::Table& table, std::uint64_t seed) {
  constexpr std::uint64_t least = 1000;
  const std::uint64_t n = table.labels.size();
  std::vector<Index> normal, anomalies;
  for (std::uint64_t i = 0; i < std::max(n, least); ++i) {
    const std::uint64_t row = n < least ? drawn_bits(seed, i) % n : i;
    (table.labels[row] == "0" ? normal : anomalies).push_back(static_cast<Index>(row));
  }
  const auto half = normal.begin() + static_cast<std::ptrdiff_t>(normal.size() / 2);
  return split_of(table.X, {normal.begin(), half}, {half, normal.end()}, anomalies);
}

/// The paper's: rows by label, anomalies first, the first 307 test.
Split pima_split(const tool::Table& table) {
  std::vector<Index> order(table.labels.size());
  std::iota(order.begin(), order.end(), Index(0));
  const auto anomaly = [&](Index i) { return table.labels[static_cast<std::size_t>(i)] != "0"; };
  const auto border = std::stable_partition(order.begin(), order.end(), anomaly);
  constexpr std::ptrdiff_t tested = 307;
  tool::check(border - order.begin() < tested && order.end() - order.begin() > tested,
              "PIMA is not the set of 768 rows and 268 anomalies");
  return split_of(table.X, {order.begin() + tested, order.end()}, {border, order.begin() + tested},
                  {order.begin(), border});
}

/// Tables as read, the last one kept: cells of one set come one after the other.
class Data {
 public:
  explicit Data(Folders folders) : folders_(std::move(folders)) {}

  /// \param dte tables alone: see dte_split()
  /// \param held_out no test image is looked at: see held_out_split()
  Split split(const std::string& set, const std::string& target, std::uint64_t seed,
              double contamination, bool dte, bool held_out) {
    tool::check(!dte || set == "adbench" || set == "folder", "split=dte is for tables, ", set,
                " is none");
    if (set == "mnist" || set == "fashion") {
      return held_out ? held_out_split(set, target) : image_split(set, target);
    }
    if (set == "cifar10") return cifar_split(target);
    if (set == "pima") return pima_split(table(folders_.data + "/pima/pima.csv", "8"));
    if (set == "speech") return table_split(table(folders_.data + "/speech.npz"), -1);
    tool::check(set == "adbench" || set == "folder", "the set is '", set,
                "', expected mnist, fashion, cifar10, pima, speech, adbench or folder");
    const std::string path =
        folders_.data + (set == "adbench" ? "/adbench/" : "/") + target + ".npz";
    if (has_own_split(path)) {
      tool::check(!dte && contamination < 0, tool::in_quotes(path),
                  " has a split of its own: arrays train, test and test_labels");
      return own_split(path);
    }
    return dte ? dte_split(table(path), seed) : table_split(table(path), contamination);
  }

 private:
  const tool::Table& table(const std::string& path, const std::string& label_column = {}) {
    tool::DataOptions options;
    options.label_column = label_column;
    return read(path, options);
  }
  static bool has_own_split(const std::string& path) {
    return tool::ZipArchive(path).contains("train.npy");
  }
  static Split own_split(const std::string& path) {
    const tool::ZipArchive archive(path);
    const auto member = [&](const char* name) {
      tool::check(archive.contains(name), archive.name(), " has no array ", name, "; it holds ",
                  archive.listing());
      return tool::ZipMember(archive, name);
    };
    tool::ZipMember train = member("train.npy"), test = member("test.npy"),
                    labels = member("test_labels.npy");
    Split split{tool::read_npy_rows(train).X.cast<float>(),
                tool::read_npy_rows(test).X.cast<float>(),
                tool::anomalies(tool::read_npy_labels(labels), "0")};
    tool::check(split.anomaly.size() == static_cast<std::size_t>(split.test.rows()), archive.name(),
                " has ", split.test.rows(), " test rows but ", split.anomaly.size(), " labels");
    return split;
  }
  const tool::Table& images(const std::string& set, const std::string& part) {
    const std::string folder = set == "mnist" ? folders_.data + "/mnist" : folders_.fashion;
    tool::DataOptions options;
    options.labels_path = folder + "/" + part + "-labels-idx1-ubyte.gz";
    return read(folder + "/" + part + "-images-idx3-ubyte.gz", options);
  }
  /// Within the training images: of the class's own every fifth tests, the others train; of other
  /// classes' every twentieth tests.
  Split held_out_split(const std::string& set, const std::string& target) {
    const tool::Table& table = images(set, "train");
    std::vector<Index> train, normal, anomalies;
    Index mine = 0, others = 0;
    for (Index i = 0; i < table.X.rows(); ++i) {
      if (table.labels[static_cast<std::size_t>(i)] == target) {
        (mine++ % 5 == 4 ? normal : train).push_back(i);
      } else if (others++ % 20 == 19) {
        anomalies.push_back(i);
      }
    }
    tool::check(!normal.empty(), "no training image has the label '", target, "'");
    return split_of(table.X, train, normal, anomalies);
  }
  /// Train and test split of images as one table, training images first.
  Split image_split(const std::string& set, const std::string& target) {
    const tool::Table& train = images(set, "train");
    std::vector<Index> mine;
    for (Index i = 0; i < train.X.rows(); ++i) {
      if (train.labels[static_cast<std::size_t>(i)] == target) mine.push_back(i);
    }
    tool::check(!mine.empty(), "no training image has the label '", target, "'");
    const Rows rows = taken(train.X, mine);  // reading another table may drop this one
    const tool::Table& test = images(set, "t10k");
    return {rows, test.X.cast<float>(), tool::anomalies(test.labels, target)};
  }
  Split cifar_split(const std::string& target) {
    const std::string folder = folders_.data + "/cifar10/";
    if (cifar_train_.rows() == 0) {
      for (int k = 1; k <= 5; ++k) {
        const tool::Table part =
            tool::read_table(folder + "data_batch_" + std::to_string(k) + ".bin", {});
        const Index before = cifar_train_.rows();
        cifar_train_.conservativeResize(before + part.X.rows(), part.X.cols());
        cifar_train_.bottomRows(part.X.rows()) = part.X.cast<float>();
        cifar_labels_.insert(cifar_labels_.end(), part.labels.begin(), part.labels.end());
      }
    }
    std::vector<Index> mine;
    for (Index i = 0; i < cifar_train_.rows(); ++i) {
      if (cifar_labels_[static_cast<std::size_t>(i)] == target) mine.push_back(i);
    }
    tool::check(!mine.empty(), "no training image has the label '", target, "'");
    const tool::Table& test = read(folder + "test_batch.bin", {});
    return {taken(cifar_train_, mine), test.X.cast<float>(), tool::anomalies(test.labels, target)};
  }
  const tool::Table& read(const std::string& path, const tool::DataOptions& options) {
    const auto found = tables_.find(path);
    if (found != tables_.end()) return found->second;
    if (tables_.size() >= 4) tables_.clear();
    tool::Table table = tool::read_table(path, options);
    tool::check(!table.labels.empty(), tool::in_quotes(path), " has no labels");
    return tables_[path] = std::move(table);
  }

  Folders folders_;
  std::map<std::string, tool::Table> tables_;
  Rows cifar_train_;
  std::vector<std::string> cifar_labels_;
};

/// The paper's CIFAR-10: each image less its mean, divided by the root of its sum of squares a pixel.
void normalize_as_published(Rows& images) {
  const float d = static_cast<float>(images.cols());
  for (Index i = 0; i < images.rows(); ++i) {
    auto row = images.row(i);
    row.array() -= row.mean();
    const float norm = row.norm() / d;
    if (norm > 0) row /= norm;
  }
}

// ---- what a cell changes --------------------------------------------------------------------------------------------

/// `key=value,key=value`, or `-` for nothing. Keys: objective (dasvdd, reconstruction, deep_svdd,
/// soft_boundary), epochs, kappa, code, center (fixed, batch_mean), gamma (a number, or 10x: ten
/// times the rule's), gamma_rule (mean_of_ratios), initializations, score (balanced), scaled,
/// contamination, expected (FitOptions::contamination), published, precision (mixed), validation,
/// final_rate, weight_decay, best (fit_images), split (dte), decisions; for MNIST and Fashion-MNIST prepare (softened, contrast, none): one net
/// of image_preset() with its images prepared so, and held_out: judged on training images alone; weights (compact): of
/// two bytes when it scores.
class Settings {
 public:
  explicit Settings(const std::string& text) {
    static const std::set<std::string> known = {
        "objective",  "epochs",          "kappa",      "code",       "center",        "gamma",
        "gamma_rule", "initializations", "score",      "scaled",     "contamination", "expected",
        "published",  "precision",       "validation", "final_rate", "weight_decay",  "best",
        "prepare",    "held_out",        "weights",    "decisions",  "split"};
    std::istringstream parts(text == "-" ? "" : text);
    for (std::string part; std::getline(parts, part, ',');) {
      const std::size_t equals = part.find('=');
      tool::check(equals != std::string::npos && known.count(part.substr(0, equals)) == 1,
                  "the setting '", part, "' is none that bench_quality knows");
      values_[part.substr(0, equals)] = part.substr(equals + 1);
    }
  }

  bool has(const char* key) const { return values_.count(key) == 1; }
  std::string word(const char* key, const char* otherwise) const {
    return has(key) ? values_.at(key) : otherwise;
  }
  double number(const char* key, double otherwise) const {
    if (!has(key)) return otherwise;
    const auto value = tool::parse_number(values_.at(key));
    tool::check(value.has_value(), "the setting ", key, " is '", values_.at(key),
                "', expected a number");
    return *value;
  }
  /// The number before an x, as in "gamma=10x"; nothing where there is no x.
  std::optional<double> factor(const char* key) const {
    const std::string text = word(key, "");
    if (text.empty() || text.back() != 'x') return {};
    const auto value = tool::parse_number(text.substr(0, text.size() - 1));
    tool::check(value.has_value(), key, " is '", text, "', expected a number or one and an x");
    return value;
  }

 private:
  std::map<std::string, std::string> values_;
};

dasvdd::Options changed(dasvdd::Options options, const Settings& s) {
  options.epochs = static_cast<Index>(s.number("epochs", static_cast<double>(options.epochs)));
  options.kappa = s.number("kappa", options.kappa);
  options.validation = s.number("validation", 0);
  options.final_rate = s.number("final_rate", 1);
  options.adam.weight_decay = s.number("weight_decay", 0);
  options.standardize = s.number("scaled", 0) != 0;
  const std::string center = s.word("center", "adagrad"), rule = s.word("gamma_rule", "published"),
                    score = s.word("score", "published");
  tool::check(center == "adagrad" || center == "fixed" || center == "batch_mean", "the center is '",
              center, "'");
  tool::check(rule == "published" || rule == "mean_of_ratios", "the rule of gamma is '", rule, "'");
  tool::check(score == "published" || score == "balanced", "the score is '", score, "'");
  if (center == "fixed") options.center = dasvdd::CenterRule::fixed();
  if (center == "batch_mean") options.center = dasvdd::CenterRule::batch_mean();
  const int nets = static_cast<int>(s.number("initializations", 10));
  options.gamma = rule == "published" ? dasvdd::GammaRule::ratio_of_means(nets)
                                      : dasvdd::GammaRule::mean_of_ratios(nets);
  if (score == "balanced") options.score = dasvdd::ScoreForm::balanced;
  const std::string precision = s.word("precision", "own");
  tool::check(precision == "own" || precision == "mixed", "the precision is '", precision, "'");
  if (precision == "mixed") options.precision = dasvdd::mixed_precision();
  return options;
}

/// The net's encoder without biases, for Deep SVDD.
Autoencoder<float> encoder_without_biases(const Autoencoder<float>& net) {
  dasvdd::Network<float> encoder;
  for (const auto& step : net.encoder().steps()) {
    encoder.add(dasvdd::dense<float>(step.inputs, step.outputs, false)).add(step.activation);
  }
  return Autoencoder<float>(encoder, {});
}

// ---- a cell ---------------------------------------------------------------------------------------------------------

struct Trained {
  dasvdd::Detector<float> detector;
  std::vector<std::string> warnings;
  double seconds;
};

template <class Objective>
Trained train(const Autoencoder<float>& net, const dasvdd::Options& options,
              const Objective& objective, const Rows& X) {
  dasvdd::Trainer<float, Objective> trainer(net, options, objective);
  const auto report = trainer.fit(X);
  return {trainer.detector(), report.warnings, report.seconds};
}

/// A net of the paper, with the cell's changes.
Trained train_published(const std::string& set, std::uint64_t seed, int threads, const Settings& s,
                        const Rows& X) {
  auto [net, options] = dasvdd::paper_preset<float>(set == "fashion" ? "fashion_mnist" : set);
  options = changed(options, s);
  options.seed = seed;
  options.threads = threads;
  if (s.has("code")) {
    tool::check(X.cols() == 784, "another code size is for images");
    net = dasvdd::dense_autoencoder<float>(
        784, {1024, 256, static_cast<Index>(s.number("code", 0))}, dasvdd::sigmoid());
  }
  const std::string gamma = s.word("gamma", "");
  if (const auto factor = s.factor("gamma")) {
    options.gamma = options.gamma.times(*factor);
  } else if (!gamma.empty()) {
    options.gamma = dasvdd::GammaRule::value(s.number("gamma", 0));
  }
  const std::string objective = s.word("objective", "dasvdd");
  if (objective == "dasvdd") return train(net, options, dasvdd::Dasvdd<float>(), X);
  if (objective == "reconstruction") return train(net, options, dasvdd::Reconstruction<float>(), X);
  options.adam.weight_decay = 1e-6;
  net = encoder_without_biases(net);
  if (objective == "deep_svdd") return train(net, options, dasvdd::DeepSvdd<float>(), X);
  tool::check(objective == "soft_boundary", "the objective is '", objective, "'");
  return train(net, options, dasvdd::SoftBoundaryDeepSvdd<float>(), X);
}

/// The published form for a table, for which the paper names no net: one net d-128-128-64 with LeakyReLU after
/// every layer of the encoder, 1,500 steps of 128 rows, its rule for gamma and its score.
Trained train_published_table(std::uint64_t seed, int threads, const Settings& s, const Rows& X) {
  dasvdd::Options options;
  options.batch_size = 128;
  const Index steps = (X.rows() + options.batch_size - 1) / options.batch_size;
  options.epochs = (1500 + steps - 1) / steps;
  options = changed(options, s);
  options.standardize = true;
  options.seed = seed;
  options.threads = threads;
  const auto net = dasvdd::dense_autoencoder<float>(X.cols(), {128, 128, 64}, dasvdd::Activation());
  return train(net, options, dasvdd::Dasvdd<float>(), X);
}

/// A cell of ADBench: fit() with its defaults, or the published form.
Trained train_table(std::uint64_t seed, int threads, const Settings& s, const Rows& X) {
  if (s.number("published", 0) != 0) return train_published_table(seed, threads, s, X);
  dasvdd::FitOptions fit;
  fit.seed = seed;
  fit.threads = threads;
  fit.contamination = s.number("expected", 0);
  const auto start = Clock::now();
  auto detector = dasvdd::fit(X, fit);
  const double seconds = seconds_since(start);
  std::vector<std::string> warnings = detector.warnings();
  return {std::move(detector), std::move(warnings), seconds};
}

/// What fit_images makes of a set, in mixed precision where the CPU has it.
Trained train_images(const std::string& set, std::uint64_t seed, int threads, const Settings& s,
                     const Rows& X) {
  const auto start = Clock::now();
  dasvdd::ImageOptions settings;
  settings.seed = seed;
  settings.threads = threads;
  settings.precision = dasvdd::mixed_precision();
  settings.epochs = static_cast<Index>(s.number("epochs", 0));
  if (set == "cifar10") settings.kind = dasvdd::ImageOptions::Kind::photographs;
  auto detector = dasvdd::fit_images(X, settings);
  std::vector<std::string> warnings = detector.warnings();
  return {std::move(detector), std::move(warnings), seconds_since(start)};
}

/// One net of image_preset(), its images prepared otherwise or with another factor for gamma.
Trained train_prepared(std::uint64_t seed, int threads, const Settings& s, const Rows& X) {
  auto [net, options] = dasvdd::detail::image_preset<float>({1, 28, 28});
  const std::string prepare = s.word("prepare", "softened");
  tool::check(prepare == "softened" || prepare == "contrast" || prepare == "none",
              "images are prepared by '", prepare, "', expected softened, contrast or none");
  if (prepare != "softened") options.soften = {0, 0, 0};
  if (prepare == "contrast") options.contrast_floor = 0.03;
  options.gamma = options.gamma.times(s.factor("gamma").value_or(1));
  options.seed = seed;
  options.threads = threads;
  options.precision = dasvdd::mixed_precision();
  return train(net, options, dasvdd::Dasvdd<float>(), X);
}

/// The mean share of normal rows among those that select() would name at a rate of 0.1, over 30 batches of 200 test
/// rows (or all normal ones, if fewer) of which a share is anomalies; drawn with replacement.
double false_discoveries(const Eigen::VectorXd& p, const std::vector<Index>& normal,
                         const std::vector<Index>& anomalies, double share, std::uint64_t seed) {
  dasvdd::Random random(seed);
  const auto drawn = [&](const std::vector<Index>& rows) {
    return p[rows[static_cast<std::size_t>(random.below(rows.size()))]];
  };
  double sum = 0;
  for (int batch = 0; batch < 30; ++batch) {
    const std::size_t rows = std::min<std::size_t>(200, normal.size());
    const auto planted = static_cast<std::size_t>(std::ceil(share * static_cast<double>(rows)));
    std::vector<double> values;
    for (std::size_t i = 0; i < rows; ++i)
      values.push_back(drawn(i < planted ? anomalies : normal));
    const auto selected = dasvdd::detail::benjamini_hochberg(values.data(), rows, 0.1);
    const auto wrong =
        std::count(selected.begin() + static_cast<std::ptrdiff_t>(planted), selected.end(), true);
    const auto all = std::count(selected.begin(), selected.end(), true);
    sum += all > 0 ? static_cast<double>(wrong) / static_cast<double>(all) : 0;
  }
  return sum / 30;
}

/// What the detector's own p-values and threshold make of the normal test rows: shares of them.
nlohmann::ordered_json decisions(const dasvdd::Detector<float>& detector,
                                 const dasvdd::detail::Vector<float>& scores,
                                 const std::vector<int>& anomaly, std::uint64_t seed) {
  const Eigen::VectorXd p = detector.p_value(scores);
  std::vector<Index> normal, anomalies;
  for (Index i = 0; i < p.size(); ++i) {
    (anomaly[static_cast<std::size_t>(i)] == 0 ? normal : anomalies).push_back(i);
  }
  const auto share = [&](auto holds) {
    return static_cast<double>(std::count_if(normal.begin(), normal.end(), holds)) /
           static_cast<double>(normal.size());
  };
  const auto below = [&](double rate) {
    return share([&](Index i) { return p[i] <= rate * (1 + 1e-12); });
  };
  std::vector<double> p_of_normal;
  for (const Index i : normal) p_of_normal.push_back(p[i]);
  return {{"normal", normal.size()},
          {"ks", distance_from_uniform(std::move(p_of_normal))},
          {"p_0.01", below(0.01)},
          {"p_0.05", below(0.05)},
          {"p_0.1", below(0.1)},
          {"threshold", share([&](Index i) { return detector.is_anomaly(scores[i]); })},
          {"fdr_0.01", false_discoveries(p, normal, anomalies, 0.01, seed)},
          {"fdr_0.05", false_discoveries(p, normal, anomalies, 0.05, seed)},
          {"fdr_0.2", false_discoveries(p, normal, anomalies, 0.2, seed)}};
}

nlohmann::ordered_json run(const std::string& cell, Data& data, int threads) {
  std::istringstream words(cell);
  std::string set, target, settings;
  std::uint64_t seed = 0;
  tool::check(static_cast<bool>(words >> set >> target >> seed >> settings), "a cell is '", cell,
              "', expected four words: set, target, seed, settings");
  const Settings s(settings);
  const std::string way = s.word("split", "alternate");
  tool::check(way == "alternate" || way == "dte", "the split is '", way,
              "', expected alternate or dte");
  Split split = data.split(set, target, seed, s.number("contamination", -1), way == "dte",
                           s.number("held_out", 0) != 0);
  const bool best = s.has("best");
  if (set == "cifar10" && !best) {
    normalize_as_published(split.train);
    normalize_as_published(split.test);
  }
  const Trained trained = best               ? train_images(set, seed, threads, s, split.train)
                          : s.has("prepare") ? train_prepared(seed, threads, s, split.train)
                          : set == "adbench" || set == "folder"
                              ? train_table(seed, threads, s, split.train)
                              : train_published(set, seed, threads, s, split.train);
  const std::string weights = s.word("weights", "whole");
  tool::check(weights == "whole" || weights == "compact", "the weights are '", weights,
              "', expected whole or compact");
  const auto detector = weights == "compact" ? trained.detector.compacted() : trained.detector;
  const dasvdd::detail::Vector<float> scores = detector.score(split.test, threads);
  nlohmann::ordered_json answer = {
      {"cell", cell},
      {"roc_auc", dasvdd::roc_auc(scores, split.anomaly)},
      {"average_precision", dasvdd::average_precision(scores, split.anomaly)},
      {"seconds", trained.seconds},
      {"threads", threads},
      {"train", split.train.rows()},
      {"test", split.test.rows()},
      {"anomalies", std::count(split.anomaly.begin(), split.anomaly.end(), 1)},
      {"features", split.train.cols()},
      {"contamination", split.contamination},
      {"warnings", trained.warnings}};
  if (s.number("decisions", 0) != 0) {
    answer["decisions"] = decisions(detector, scores, split.anomaly, seed);
  }
  return answer;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("trains and tests the cells that standard input names, a JSON line each");
  Folders folders;
  int threads = 0;
  app.add_option("--data", folders.data,
                 "folder with mnist/, cifar10/, adbench/, pima/pima.csv, speech.npz");
  app.add_option("--fashion", folders.fashion, "folder of Fashion-MNIST's four files");
  app.add_option("--threads", threads, "0: all; never changes a result");
  CLI11_PARSE(app, argc, argv);
  Data data(folders);
  for (std::string cell; std::getline(std::cin, cell);) {
    nlohmann::ordered_json answer;
    try {
      answer = run(cell, data, threads);
    } catch (const std::exception& error) {
      answer = {{"cell", cell}, {"error", error.what()}};
    }
    std::cout << answer.dump() << std::endl;
  }
  return 0;
}
