// Rows that come from a source: the bits of rows in memory where a window holds them all, the same bits whatever the
// blocks and threads where it doesn't, and sources that break their word are refused.

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <numeric>
#include <stdexcept>
#include <vector>

#include "train/support.hpp"

using namespace dasvdd;
using namespace dasvdd::detail;

namespace {

/// A source of X's rows in blocks of so many, which begins with the first.
template <class Scalar>
RowSource in_blocks(const RowMatrix<Scalar>& X, Index size) {
  return {X.cols(), [&X, size] {
            Index at = 0;
            return [&X, size, at]() mutable {
              const Index first = at, count = std::min(size, X.rows() - at);
              at += count;
              return Rows<const Scalar>(X).middle_rows(first, count);
            };
          }};
}
/// The same for one that begins anywhere.
RowSource seeking(const RowMatrix<float>& X, Index size) {
  return {X.cols(), [&X, size](Index first) {
            Index at = first;
            return [&X, size, at]() mutable {
              const Index from = at, count = std::min(size, X.rows() - at);
              at += count;
              return Rows<const float>(X).middle_rows(from, count);
            };
          }};
}

Options small() {
  Options options;
  options.epochs = 4;
  options.batch_size = 16;
  options.standardize = true;
  options.threads = 1;
  options.seed = 5;
  return options;
}
Autoencoder<float> net() { return dense_autoencoder<float>(6, {16, 4}, Activation()); }

template <class Batch>
Detector<float> trained(const Batch& X, const Options& options) {
  Trainer<float> trainer(net(), options);
  trainer.fit(X);
  return trainer.detector();
}
bool same(const Detector<float>& a, const Detector<float>& b) {
  const RowMatrix<float> X = curve<float>(50, 6, 99);
  return same_bits(a.score(X), b.score(X)) && a.threshold() == b.threshold() &&
         a.facts() == b.facts();
}

}  // namespace

TEST_CASE("a source that fits in the window gives the bits of its rows in memory") {
  const RowMatrix<float> X = curve<float>(203, 6, 1);
  const RowMatrix<double> wide = curve<double>(203, 6, 1);
  Options options = small();
  CHECK(same(trained(in_blocks(X, 7), options), trained(X, options)));
  CHECK(same(trained(in_blocks(wide, 500), options), trained(wide, options)));
  CHECK(same(trained(RowSource(Rows<const float>(X)), options), trained(X, options)));
  options.window = 203;
  options.validation = 0.2;
  CHECK(same(trained(seeking(X, 31), options), trained(X, options)));

  FitOptions fit_options;
  fit_options.steps = 20;
  fit_options.ensemble_size = 2;
  CHECK(same(fit(in_blocks(X, 10), fit_options), fit(X, fit_options)));
  CHECK(same(fit<float>(in_blocks(wide, 10), fit_options), fit<float>(wide, fit_options)));
  CHECK(fit<double>(in_blocks(X, 10), fit_options).threshold() ==
        fit<double>(X, fit_options).threshold());
}

TEST_CASE(
    "a source beyond the window gives the same bits for any blocks and threads, and others than "
    "another seed") {
  // Large enough a batch that two threads are worth while.
  const RowMatrix<float> X = curve<float>(1000, 6, 1);
  Options options = small();
  options.epochs = 2;
  options.window = 100;
  for (const bool seeks : {false, true}) {
    const auto source = [&](Index size) { return seeks ? seeking(X, size) : in_blocks(X, size); };
    const Detector<float> one = trained(source(1000), options);
    CHECK(same(trained(source(1), options), one));
    CHECK(same(trained(source(97), options), one));
    Options other = options;
    other.threads = 2;
    CHECK(same(trained(source(13), other), one));
    other.seed = 6;
    CHECK_FALSE(same(trained(source(13), other), one));
    other = options;
    other.window = 200;
    CHECK_FALSE(same(trained(source(13), other), one));
  }
  CHECK_FALSE(same(trained(seeking(X, 10), options), trained(in_blocks(X, 10), options)));
  // Rows in their own order: the window then means nothing to the training.
  options.shuffle = false;
  Trainer<float> streamed(net(), options), in_memory(net(), options);
  options.gamma = GammaRule::value(1);
  options.standardize = false;
  Trainer<float> a(net(), options), b(net(), options);
  a.train(in_blocks(X, 10));
  b.train(X);
  CHECK(same_bits(a.state().parameters, b.state().parameters));
}

TEST_CASE("two threads that share a big net's windows give the bits of one") {
  const RowMatrix<float> X = curve<float>(300, 64, 1);
  Options options = small();
  options.epochs = 1;
  options.batch_size = 100;
  options.window = 100;
  const auto big = dense_autoencoder<float>(64, {512, 128}, Activation());
  std::vector<AlignedBuffer<float>> parameters;
  for (const int threads : {1, 2}) {
    options.threads = threads;
    Trainer<float> trainer(big, options);
    const FitReport report = trainer.train(in_blocks(X, 50));
    CHECK(report.threads == threads);
    parameters.push_back(trainer.state().parameters);
  }
  CHECK(same_bits(parameters[0], parameters[1]));
}

TEST_CASE(
    "windows have each row once an epoch, shuffled, and in batches of one size but the last") {
  constexpr Index n = 203;
  RowMatrix<float> X(n, 1);
  for (Index i = 0; i < n; ++i) X(i, 0) = static_cast<float>(i);
  Options options = small();
  options.batch_size = 4;
  options.window = 40;
  for (const RowSource& source : {in_blocks(X, 9), seeking(X, 9)}) {
    RunRows rows(source, options, true);
    CHECK_FALSE(rows.knows_all());
    CHECK(rows.rows() == n);
    CHECK(rows.known().rows() == 40);
    // A sample in the source's order, each row once.
    for (Index i = 1; i < 40; ++i) CHECK(rows.known()(i - 1, 0) < rows.known()(i, 0));
    Random random(1);
    std::vector<double> before;
    for (int epoch = 0; epoch < 3; ++epoch) {
      std::vector<double> seen;
      std::vector<Index> order, sizes;
      rows.each_window(&random, order, [&](const AnyRows& window) {
        CHECK(window.rows() <= 40);
        sizes.push_back(window.rows());
        for (const Index i : order) seen.push_back(window(i, 0));
        return true;
      });
      for (std::size_t w = 0; w + 1 < sizes.size(); ++w) CHECK(sizes[w] == 40);
      CHECK(sizes.size() == 6);
      CHECK(seen != before);
      before = seen;
      // A source that can't begin anywhere gives its windows in turn.
      if (!source.seeks()) CHECK(*std::max_element(seen.begin(), seen.begin() + 40) == 39);
      if (source.seeks()) CHECK(*std::max_element(seen.begin(), seen.begin() + 40) > 60);
      std::sort(seen.begin(), seen.end());
      REQUIRE(seen.size() == n);
      for (Index i = 0; i < n; ++i) CHECK(seen[static_cast<std::size_t>(i)] == X(i, 0));
    }
    // A pass that has been told to end goes no further.
    int windows = 0;
    std::vector<Index> order;
    rows.each_window(&random, order, [&](const AnyRows&) { return ++windows < 2; });
    CHECK(windows == 2);
  }
}

TEST_CASE("rows of a sample are drawn with the same chance") {
  RowMatrix<float> X(50, 1);
  for (Index i = 0; i < 50; ++i) X(i, 0) = static_cast<float>(i);
  std::vector<int> drawn(50);
  const RowSource source = in_blocks(X, 7);
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    RowReader reader(source.open());
    for (const Index i : SourceScan::of(reader, {10, seed, true}).numbers) {
      ++drawn[static_cast<std::size_t>(i)];
    }
  }
  // 200 each on average with a deviation of 12.6; five of them for the largest of 50.
  CHECK(*std::min_element(drawn.begin(), drawn.end()) > 137);
  CHECK(*std::max_element(drawn.begin(), drawn.end()) < 263);
}

TEST_CASE("the scaler of a source is that of all its rows, to rounding") {
  RowMatrix<double> X = curve<double>(500, 6, 1);
  X.col(1).setConstant(0.1);
  X.col(2).array() += 1e6;
  X(0, 3) = 1e4;  // the row that the sums are taken from
  Options options = small();
  options.window = 50;
  const RowSource source = in_blocks(X, 60);
  const auto scaler = std::get<Standardizer<double>>(
      RunRows(source, options, false).scaler<double>(options).kind());
  const auto expected = Standardizer<double>::of(X);
  for (std::size_t j = 0; j < 6; ++j) {
    // 500 rows: (first - mean)^2 is at most 500 variances, which cancels to 500 epsilon or 1.1e-13.
    CHECK(scaler.mean()[j] == doctest::Approx(expected.mean()[j]).epsilon(1e-12));
    CHECK(scaler.scale()[j] == doctest::Approx(expected.scale()[j]).epsilon(1e-12));
  }
  CHECK(scaler.scale()[1] == 1);
}

TEST_CASE("a fit to a source is one to a sample of it, and names rows by the source's numbers") {
  RowMatrix<float> X = curve<float>(2000, 6, 1);
  FitOptions options;
  options.steps = 40;
  options.ensemble_size = 1;
  options.window = 500;
  const RowSource source = in_blocks(X, 64);
  RowReader reader(source.open());
  const SourceScan scan = SourceScan::of(reader, {500, options.seed, true});
  CHECK(same(fit(source, options), fit(scan.held.rows().as<float>(), options)));
  const Index number = scan.numbers[250];
  X(number, 2) = 1e6f;
  const Detector<float> warned = fit(source, options);
  REQUIRE_FALSE(warned.warnings().empty());
  CHECK(warned.warnings()[0].find(sentence("(row ", number, ")")) != std::string::npos);
}

TEST_CASE("a training on a source that was broken off goes on to the same bits") {
  const RowMatrix<float> X = curve<float>(300, 6, 1);
  Options options = small();
  options.window = 64;
  for (const RowSource& source : {in_blocks(X, 25), seeking(X, 25)}) {
    Trainer<float> whole(net(), options), first(net(), options), second(net(), options);
    whole.train(source);
    first.train(source, [](const EpochReport& epoch) { return epoch.epoch < 2; });
    second.set_state(first.state());
    second.resume(source, [](const EpochReport&) {});
    CHECK(same_bits(second.state().parameters, whole.state().parameters));
    CHECK(same_bits(second.state().center.center, whole.state().center.center));
  }
  // A fit's checkpoint holds nets of the sample.
  FitOptions fit_options;
  fit_options.epochs = 4;
  fit_options.ensemble_size = 2;
  fit_options.window = 100;
  fit_options.threads = 1;
  const RowSource source = in_blocks(X, 25);
  const auto nothing = [](const FitProgress&) {};
  Checkpoint<float> checkpoint;
  fit(
      source, fit_options, [](const FitProgress& at) { return at.done < 5; }, &checkpoint);
  CHECK(checkpoint.epochs() == 5);
  CHECK(same(fit(source, fit_options, nothing, &checkpoint), fit(source, fit_options)));
}

TEST_CASE("a source with an option for missing values is refused before it is read") {
  const RowSource source(6, []() -> std::function<AnyRows()> { throw std::logic_error("opened"); });
  Options options = small();
  options.missing = Options::Missing::mask;
  CHECK_THROWS_WITH_AS(
      Trainer<float>(net(), options).fit(source),
      "missing is mask, expected refuse: rows of a source can't have missing values",
      InvalidArgument);
  FitOptions of_fit;
  of_fit.missing = FitOptions::Missing::impute;
  CHECK_THROWS_WITH_AS(
      fit(source, of_fit),
      "missing is impute, expected refuse: rows of a source can't have missing values",
      InvalidArgument);
}

TEST_CASE(
    "sources that break their word are refused in a sentence, and the net stays what it was") {
  const RowMatrix<float> X = curve<float>(300, 6, 1);
  Options options = small();
  options.window = 64;
  // A later pass gives the rows of another matrix.
  const auto second_pass = [&](const RowMatrix<float>& other) {
    auto pass = std::make_shared<int>(0);
    return RowSource(6, [&X, &other, pass] {
      bool given = false;
      const RowMatrix<float>& from = (*pass)++ == 0 ? X : other;
      return [&from, given]() mutable {
        const Index count = given ? 0 : from.rows();
        given = true;
        return Rows<const float>(from).middle_rows(0, count);
      };
    });
  };
  const auto refused = [&](const RowSource& source, const char* words) {
    Trainer<float> trainer(net(), options);
    const auto before = trainer.state().parameters;
    CHECK_THROWS_WITH_AS(trainer.fit(source), doctest::Contains(words), InvalidArgument);
    CHECK(same_bits(trainer.state().parameters, before));
    CHECK_THROWS_AS(trainer.detector(), InvalidArgument);
  };
  RowMatrix<float> other = X;
  other(200, 5) += 1;
  refused(second_pass(other),
          "the row source gives other numbers in rows 192 to 207 than in its first pass");
  other = X.topRows(250);
  refused(second_pass(other), "gave 300 rows in its first pass and ends after row 249 in a later");
  other = RowMatrix<float>(301, 6);
  other << X, X.topRows(1);
  refused(second_pass(other), "gave 300 rows in its first pass and gives more in a later one");

  const auto of = [](std::vector<AnyRows> blocks) {
    return RowSource(6, [blocks] {
      return [blocks, at = std::size_t(0)]() mutable {
        return at < blocks.size() ? blocks[at++] : blocks[0].middle_rows(0, 0);
      };
    });
  };
  const RowMatrix<float> narrow = X.leftCols(5);
  const RowMatrix<double> wide = X.cast<double>();
  refused(of({X, narrow}), "a block of the row source is 300 x 5, expected 6 columns");
  refused(of({X, wide}), "gives rows of double after rows of float, expected one type");
  refused(of({AnyRows(X).middle_rows(0, 0)}), "the training set is empty");
  refused(of({AnyRows(X).middle_rows(0, 1)}), "the training set has one row");
  RowMatrix<double> broken = wide;
  broken(7, 2) = std::numeric_limits<double>::quiet_NaN();
  refused(of({wide, broken}), "the training set has NaN in row 307, column 2");
  broken(7, 2) = 1e39;
  refused(of({wide, broken}), "has 1e+39 in row 307, column 2; a net in float takes");
  CHECK_THROWS_WITH_AS(fit(of({wide, broken})), doctest::Contains("row 307"), InvalidArgument);

  CHECK_THROWS_WITH_AS(trained(in_blocks(narrow, 9), options),
                       doctest::Contains("rows of 5 numbers, the net takes 6"), InvalidArgument);
  CHECK_THROWS_WITH_AS(RowSource(0, [] { return [] { return Rows<const float>(); }; }),
                       doctest::Contains("rows of 0 numbers, expected at least 1"),
                       InvalidArgument);
  options.validation = 0.1;
  refused(in_blocks(X, 9), "validation is 0.1, expected 0 for a row source of more rows (300)");
  options.window = -1;
  CHECK_THROWS_WITH_AS(trained(X, options), doctest::Contains("the window is -1"), InvalidArgument);
}
