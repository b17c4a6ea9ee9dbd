// The one-line fit: whatever table comes, a detector that tells odd rows from normal ones.

#include <dasvdd/detect/drift_watch.hpp>
#include <dasvdd/eval/roc_auc.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <limits>
#include <set>
#include <stdexcept>
#include <thread>

#include "denormals.hpp"
#include "train/support.hpp"

using namespace dasvdd;
using namespace dasvdd::detail;

namespace {

/// Few steps: for tests that ask whether a fit works, not how well.
FitOptions quick() {
  FitOptions settings;
  settings.ensemble_size = 2;
  settings.steps = 20;
  settings.threads = 1;
  return settings;
}

template <class Scalar>
bool all_finite(const Vector<Scalar>& x) {
  return detail::all_finite(x.data(), x.size());
}

}  // namespace

TEST_CASE("fit finds rows off the curve that normal rows lie on") {
  const RowMatrix<float> X = curve<float>(300, 6, 1), normal = curve<float>(200, 6, 2);
  RowMatrix<float> odd = curve<float>(200, 6, 3);
  // Each feature from another row: the same marginals, none of the dependence.
  for (Index j = 0; j < 6; ++j) {
    for (Index i = 0; i < 200; ++i) odd(i, j) = normal((i + 31 * j) % 200, j);
  }
  FitOptions settings;
  settings.steps = 600;
  const auto detector = fit(X, settings);
  std::vector<float> scores;
  std::vector<int> labels;
  for (const float s : detector.score(normal)) {
    scores.push_back(s);
    labels.push_back(0);
  }
  for (const float s : detector.score(odd)) {
    scores.push_back(s);
    labels.push_back(1);
  }
  // A shuffled row comes near the curve by chance in a few of a hundred cases at most.
  CHECK(roc_auc(scores, labels) > 0.97);
  // A hundredth of the training rows lie above the threshold; new rows a little more often.
  CHECK(detector.predict(normal).sum() < 20);
  CHECK(detector.predict(odd).sum() > 150);
}

TEST_CASE("fit takes tables of any width and length") {
  for (const Index d : {1, 2, 3, 17, 64, 130}) {
    for (const Index n : {2, 3, 4, 5, 10, 19, 20, 21, 33}) {
      CAPTURE(d);
      CAPTURE(n);
      const RowMatrix<float> X = curve<float>(n, d, 5);
      const auto detector = fit(X, quick());
      CHECK(detector.features() == d);
      CHECK(all_finite(detector.score(X)));
      CHECK(detector.threshold() > 0);
    }
  }
}

TEST_CASE("fit takes constant features, duplicates, and rows that are all alike") {
  RowMatrix<float> X = curve<float>(40, 5, 6);
  X.col(2).setConstant(0.1f);
  X.col(4) = X.col(3);
  for (Index i = 20; i < 40; ++i) X.row(i) = X.row(i - 20);
  const auto detector = fit(X, quick());
  CHECK(all_finite(detector.score(X)));
  // A feature that never moved in training counts when it moves.
  RowMatrix<float> moved = X;
  moved.col(2).setConstant(5);
  CHECK(detector.score(moved).minCoeff() > detector.score(X).maxCoeff());

  const RowMatrix<float> alike = RowMatrix<float>::Constant(10, 3, 7);
  CHECK(all_finite(fit(alike, quick()).score(alike)));
}

TEST_CASE("fit gives the same bits for any number of threads, and others for another seed") {
  const RowMatrix<float> X = curve<float>(60, 4, 7);
  FitOptions settings = quick();
  settings.ensemble_size = 5;
  const Vector<float> scores = fit(X, settings).score(X);
  for (const int threads : {2, 3, 8}) {
    settings.threads = threads;
    const auto again = fit(X, settings);
    CHECK(same_bits(again.score(X), scores));
  }
  settings.seed = 1;
  CHECK_FALSE(same_bits(fit(X, settings).score(X), scores));
}

TEST_CASE("fit does not depend on the units of the features") {
  const RowMatrix<float> X = curve<float>(50, 4, 8);
  RowMatrix<float> other = X;
  // Powers of two change no bit of a standardized row.
  other.col(0) *= 1024;
  other.col(3) *= 0.25f;
  const Vector<float> scores = fit(X, quick()).score(X);
  CHECK(same_bits(fit(other, quick()).score(other), scores));
}

TEST_CASE("fit in double, and from a strided view") {
  const RowMatrix<double> wide = curve<double>(30, 6, 9);
  const RowMatrix<double> X = wide.leftCols(4);
  const auto detector = fit(X, quick());
  CHECK(all_finite(detector.score(X)));
  const auto strided = fit(Rows<const double>(wide.data(), 30, 4, 6), quick());
  CHECK(same_bits(strided.score(X), detector.score(X)));
}

TEST_CASE("each member of a fit leaves out another fifth of the rows, neither of two") {
  for (const Index n : {2, 3, 4, 7, 19, 20, 23, 104}) {
    CAPTURE(n);
    RowMatrix<float> X(n, 1);
    std::vector<Index> order;
    for (Index i = 0; i < n; ++i) {
      X(i, 0) = static_cast<float>(i);
      order.push_back((i + 7) % n);
    }
    for (const Index five : {0, 5, 10}) {
      std::multiset<Index> left_out;
      for (Index member = five; member < five + 5; ++member) {
        const GatheredRows<float> gathered(X, {}, Folds::trained(order, member));
        const Rows<const float> rows = gathered.rows();
        std::set<Index> mine;
        for (Index i = 0; i < rows.rows(); ++i) mine.insert(static_cast<Index>(rows(i, 0)));
        CHECK(static_cast<Index>(mine.size()) == rows.rows());
        CHECK(Folds::rows(n, member) == rows.rows());
        for (const Index i : Folds::left_out(order, member)) CHECK(mine.count(i) == 0);
        for (Index i = 0; i < n; ++i) {
          if (mine.count(i) == 0) left_out.insert(i);
        }
      }
      // Five members leave out every row once.
      CHECK(static_cast<Index>(left_out.size()) == (n < 3 ? 0 : n));
      CHECK(std::set<Index>(left_out.begin(), left_out.end()).size() == left_out.size());
    }
  }
}

TEST_CASE("rows that share a fold of one five members are spread over the folds of the next") {
  const std::vector<Index> order = all_rows(100);
  for (Index member = 0; member < 5; ++member) {
    const std::vector<Index> rows = Folds::left_out(order, member);
    const std::set<Index> mine(rows.begin(), rows.end());
    for (Index other = 5; other < 10; ++other) {
      Index common = 0;
      for (const Index row : Folds::left_out(order, other)) common += mine.count(row) > 0;
      CHECK(common == 4);
    }
  }
}

TEST_CASE("a fit's members are nets of two depths with scores of mean one") {
  const RowMatrix<float> X = curve<float>(200, 5, 10);
  FitOptions settings = quick();
  settings.ensemble_size = 4;
  settings.steps = 300;
  const auto detector = fit(X, settings);
  const auto& members = detector.model().members;
  REQUIRE(members.size() == 4);
  for (std::size_t i = 0; i < 4; ++i) {
    const auto& net = members[i].network.net();
    std::vector<Index> widths;
    for (const auto& step : net.encoder().steps()) widths.push_back(step.outputs);
    CHECK(widths ==
          (i % 3 == 0 ? std::vector<Index>{64, 64, 64} : std::vector<Index>{64, 64, 64, 64}));
  }
  // tr((C + 0.1 v I)^-1 C) / d: below one by the ridge's share, which is large where residuals
  // differ much.
  const double mean = detector.score(X).cast<double>().mean();
  CHECK(mean > 0.5);
  CHECK(mean < 1);
}

TEST_CASE("a fit's reconstructions are corrected for what an unfinished net shrinks") {
  const RowMatrix<float> X = curve<float>(200, 5, 14);
  const auto detector = fit(X, quick());
  const auto& scaler = std::get<Standardizer<float>>(detector.model().scaler.kind());
  const RowMatrix<float> back = detector.reconstruct(X, 0);
  double products = 0, squares = 0;
  for (Index i = 0; i < 200; ++i) {
    for (Index j = 0; j < 5; ++j) {
      const std::size_t at = static_cast<std::size_t>(j);
      const auto standardized = [&](float value) {
        return (static_cast<double>(value) - scaler.mean()[at]) / scaler.scale()[at];
      };
      const double x = standardized(X(i, j));
      products += standardized(back(i, j)) * x;
      squares += x * x;
    }
  }
  // After twenty steps the net reconstructs a tenth of a row; made up for nine tenths of what is
  // missing, that is about 0.1 / (1 - 0.9 * 0.9).
  CHECK(products / squares > 0.4);
}

TEST_CASE("a fit trains with a tenth of the published gamma") {
  const RowMatrix<float> X = curve<float>(2, 1, 15);  // of two rows none is left out
  const auto detector = fit(X, quick());
  Options options;
  options.gamma = GammaRule::ratio_of_means(2);
  options.seed = seed_of(0, Stream::members, 0);  // the first member's
  options.epochs = 1;
  options.standardize = true;
  Trainer<float> trainer(detector.model().members.front().network.net(), options);
  const double published = trainer.fit(X).gamma;
  CHECK(detector.model().members.front().gamma == doctest::Approx(0.1 * published));
}

TEST_CASE("fit gives the published and the balanced scores when asked") {
  const RowMatrix<float> X = curve<float>(50, 4, 12);
  for (const ScoreForm form :
       {ScoreForm::published, ScoreForm::balanced, ScoreForm::latent_whitened}) {
    FitOptions settings = quick();
    settings.score = form;
    const auto detector = fit(X, settings);
    const auto parts = detector.score_parts(X);
    CHECK(parts.latent.minCoeff() > 0);
    CHECK(parts.reconstruction.minCoeff() > 0);
    // Terms divided by their means over all training rows have the mean 1.
    if (form != ScoreForm::published) {
      CHECK(parts.latent.mean() == doctest::Approx(1).epsilon(1e-5));
      CHECK(parts.reconstruction.mean() == doctest::Approx(1).epsilon(1e-5));
    }
  }
}

TEST_CASE("fit refuses what can't be fitted, in a sentence") {
  const RowMatrix<float> X = curve<float>(20, 3, 13);
  FitOptions settings = quick();
  settings.ensemble_size = 0;
  CHECK_THROWS_WITH_AS(fit(X, settings), "ensemble_size is 0, expected 1 to 10000",
                       InvalidArgument);
  settings = quick();
  settings.steps = 0;
  CHECK_THROWS_WITH_AS(fit(X, settings), "steps is 0, expected at least 1", InvalidArgument);
  settings = quick();
  settings.threads = -1;
  CHECK_THROWS_AS(fit(X, settings), InvalidArgument);
  const RowMatrix<float> one_row = X.topRows(1), no_columns(5, 0);
  CHECK_THROWS_WITH_AS(fit(one_row), "the training set has one row, expected at least 2",
                       InvalidArgument);
  CHECK_THROWS_AS(fit(no_columns), InvalidArgument);
  RowMatrix<float> holey = X;
  holey(4, 1) = std::numeric_limits<float>::quiet_NaN();
  CHECK_THROWS_AS(fit(holey), InvalidArgument);
}

TEST_CASE("fit tells how far it is, and stops when told to") {
  const auto X = curve<float>(60, 4, 1);
  FitOptions settings;
  settings.ensemble_size = 3;
  settings.epochs = 4;
  settings.threads = 2;
  Index calls = 0;
  fit(X, settings, [&](const FitProgress& at) {
    CHECK(half_of_smallest() > 0);  // in the program's own floating-point mode
    CHECK(at.done == ++calls);
    CHECK(at.total == 12);
    CHECK(at.ensemble_size == 3);
    CHECK(at.member < 3);
  });
  CHECK(calls == 12);
  calls = 0;
  settings.threads = 1;
  const auto stopped =
      fit(X, settings, [&](const FitProgress& at) { return at.done < 2 && ++calls > 0; });
  CHECK(calls == 1);
  CHECK(stopped.model().members.size() == 1);
}

TEST_CASE("a fit's progress counts to its total where members differ in batches an epoch") {
  // Of 201 rows the first member trains on 160, five batches of 32; the others on 161, six.
  const auto X = curve<float>(201, 3, 1);
  FitOptions settings;
  settings.steps = 30;
  settings.ensemble_size = 6;
  for (const double contamination : {0.0, 0.1}) {
    CAPTURE(contamination);
    settings.contamination = contamination;
    FitProgress last;
    std::vector<Index> epochs(6);
    Index screened = 0;
    fit(X, settings, [&](const FitProgress& at) {
      CHECK(at.done == last.done + 1);
      if (last.total > 0) CHECK(at.total == last.total);
      CHECK(at.ensemble_size == 6);
      if (at.screening) {
        CHECK((last.done == 0 || last.screening));
        CHECK(at.member == 0);
        screened = at.done;
      } else {
        epochs[static_cast<std::size_t>(at.member)] = at.epoch.epochs;
      }
      last = at;
    });
    CHECK(last.done == last.total);
    // Pairs of nets train for 100, 200 and 400 batches of 32: in the first round on 201 rows, seven
    // batches an epoch; in three more on 141, five.
    const Index first = 2 * (15 + 29 + 58), later = 2 * (20 + 40 + 80);
    CHECK(screened == (contamination > 0 ? first + 3 * later : 0));
    if (contamination == 0) CHECK(epochs == std::vector<Index>{6, 5, 5, 5, 5, 6});
  }
}

TEST_CASE("a fit's progress comes to its total where a member fails, too") {
  const auto X = curve<float>(60, 4, 1);
  FitOptions settings = quick();
  settings.epochs = 50;
  settings.gamma = GammaRule::value(0.1);
  settings.standardize = false;
  const RowMatrix<float> far = 1e20f * X;  // squares overflow: nets end in their first epoch
  std::vector<Index> done;
  const auto detector = fit(far, settings, [&](const FitProgress& at) {
    CHECK(at.total == 100);
    CHECK(at.epoch.epoch == 1);
    done.push_back(at.done);
  });
  REQUIRE(!detector.warnings().empty());
  CHECK(detector.warnings().front().find("net 1: training stopped in epoch 1") == 0);
  CHECK(done == std::vector<Index>{50, 100});
}

TEST_CASE("a fit that is stopped gives a detector of the members that had begun") {
  const auto X = curve<float>(60, 4, 1);
  FitOptions settings = quick();
  settings.ensemble_size = 5;
  settings.epochs = 4;
  Index calls = 0;
  const auto detector = fit(X, settings, [&](const FitProgress& at) {
    ++calls;
    return at.done < 6;  // in the second member's second epoch
  });
  CHECK(calls == 6);
  REQUIRE(detector.model().members.size() == 2);
  // P-values and threshold are of what these two members left out.
  CHECK(detector.calibration().scores().size() == 24);
  CHECK(detector.threshold() == detector.calibration().scores().back());
  // The first member is a whole fit's.
  settings.ensemble_size = 1;
  CHECK(same_bits(fit(X, settings).model().members[0].parameters,
                  detector.model().members[0].parameters));
  // Two at work stop both, in their first epoch or before; the other three never begin.
  settings.ensemble_size = 5;
  settings.threads = 2;
  calls = 0;
  const auto early = fit(X, settings, [&](const FitProgress&) { return ++calls < 1; });
  CHECK(calls == 1);
  CHECK(early.model().members.size() <= 2);
}

TEST_CASE("an exception of the progress ends a fit as false does") {
  const auto X = curve<float>(60, 4, 1);
  FitOptions settings;
  settings.ensemble_size = 3;
  settings.epochs = 50;
  settings.threads = 2;
  for (const double contamination : {0.0, 0.1}) {
    settings.contamination = contamination;
    int calls = 0;
    CHECK_THROWS_WITH_AS(fit(X, settings,
                             [&](const FitProgress&) {
                               if (++calls == 1) throw std::runtime_error("no more");
                             }),
                         "no more", std::runtime_error);
    CHECK(calls == 1);
  }
}

#if DASVDD_OPENMP
TEST_CASE("a net that fails stops the others after their running epoch") {
  const auto soon = [](const std::atomic<bool>& done) {
    for (int i = 0; i < 30000 && !done; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  };
  std::atomic<bool> trains{false}, stopped{false};
  const auto on = [](const FitProgress&) { return true; };
  detail::NetsProgress at(2, on);
  const auto train = [&](Index i) {
    if (i == 0) {
      soon(trains);
      throw std::runtime_error("a net failed");
    }
    at.follow(i, 30000, [&](const auto& tell) {
      FitReport report;
      while (!stopped && report.epochs.size() < 30000) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
        report.epochs.emplace_back();
        stopped = !tell(report.epochs.back());
        trains = true;
      }
      return report;
    });
  };
  CHECK_THROWS_WITH_AS(at.each(2, {0, 1}, train), "a net failed", std::runtime_error);
  CHECK(stopped);
}
#endif

TEST_CASE("of a stopped fit the first net alone is begun, and of a failed one nothing is made") {
  const auto on = [](const FitProgress&) { return true; };
  const auto off = [](const FitProgress&) { return false; };
  detail::NetsProgress at(5, on);
  std::vector<Index> begun;
  const auto failing = [&](Index i) {
    begun.push_back(i);
    if (i == 2) throw std::runtime_error("a net failed");
  };
  CHECK_THROWS_AS(at.each(1, all_rows(5), failing), std::runtime_error);
  CHECK(begun == std::vector<Index>{0, 1, 2});
  begun.clear();
  at.each(2, all_rows(5), [&](Index i) { begun.push_back(i); });
  CHECK(begun == std::vector<Index>{0});
  const auto X = curve<float>(60, 4, 1);
  const auto member = [&](detail::NetsProgress& progress) {
    const FitOptions options = quick();
    return fit_member(FitTask<float>{X, options, nullptr, {}, all_rows(60), {}, {}}, 0, progress);
  };
  CHECK_FALSE(member(at).has_value());
  detail::NetsProgress stopping(5, off);
  CHECK(member(stopping).has_value());
}

TEST_CASE("steps and epochs without a bound are for those who stop by the progress") {
  const auto X = curve<float>(60, 4, 1);
  constexpr Index most = std::numeric_limits<Index>::max();
  for (const Index epochs : {Index(0), most}) {
    FitOptions settings;
    settings.ensemble_size = 2;
    settings.steps = most;
    settings.epochs = epochs;
    fit(X, settings, [&](const FitProgress& at) {
      CHECK(at.total > most / 4);
      return false;
    });
  }
}

TEST_CASE("wrong settings are refused before anything is trained") {
  const auto X = curve<float>(60, 4, 1);
  const auto refused = [&](const char* sentence, auto change) {
    FitOptions settings;
    change(settings);
    CHECK_THROWS_WITH_AS(fit(X, settings), doctest::Contains(sentence), InvalidArgument);
  };
  refused("epochs is -1", [](FitOptions& s) { s.epochs = -1; });
  refused("the batch size is 0", [](FitOptions& s) { s.batch_size = 0; });
  refused("kappa is 2", [](FitOptions& s) { s.kappa = 2; });
  refused("the contamination is 0.5", [](FitOptions& s) { s.contamination = 0.5; });
  refused("the contamination is -0.1", [](FitOptions& s) { s.contamination = -0.1; });
  refused("gamma is -1", [](FitOptions& s) { s.gamma = GammaRule::value(-1); });
  refused("the name of feature 1 (from 0) isn't in UTF-8", [](FitOptions& s) {
    s.feature_names = {"Breite",
                       "Gr\xf6\xdf"
                       "e",
                       "c", "d"};
  });
  refused("the learning rate is 0", [](FitOptions& s) { s.adam.learning_rate = 0; });
}

TEST_CASE("what training warns of reaches the caller of fit, a sentence each") {
  const RowMatrix<float> alike = RowMatrix<float>::Constant(50, 3, 0.3f);
  const auto of_alike = fit(alike, quick()).warnings();
  REQUIRE(of_alike.size() == 3);  // one a net, and the last of the few rows
  CHECK(of_alike[0].find("net 1: the scores of the training rows are constant") == 0);
  CHECK(of_alike[1].find("net 2: the scores of the training rows are constant") == 0);
  // One look at the net that is scored: a problem is said once.
  FitOptions collapsed = quick();
  collapsed.gamma = GammaRule::value(1e4);
  const auto said = fit(curve<float>(200, 6, 3), collapsed).warnings();
  CHECK(std::count_if(said.begin(), said.end(), [](const std::string& warning) {
          return warning.find("net 2: the latent code has collapsed") == 0;
        }) == 1);
  FitOptions longer = quick();
  longer.steps = 600;
  longer.ensemble_size = 5;
  CHECK(fit(curve<float>(200, 6, 3), longer).warnings().empty());
}

TEST_CASE("a fit has a p-value for every score, and its threshold is the rate's") {
  const RowMatrix<float> X = curve<float>(250, 5, 1);
  FitOptions settings = quick();
  settings.ensemble_size = 5;
  settings.steps = 100;  // fewer have learned nothing, which is a warning
  const auto detector = fit(X, settings);
  const std::vector<double>& scores = detector.calibration().scores();
  REQUIRE(scores.size() == 250);
  CHECK(detector.threshold() == scores[248]);  // floor(251 * 0.01) = 2 scores from it on
  for (const std::string& warning : detector.warnings()) FAIL_CHECK(warning);
  for (const double at : {0.0, scores[0], scores[100], scores[247], scores[248], scores[249]}) {
    for (const double score : {at, std::nextafter(at, 1e9), at * 1.001}) {
      // One from the threshold up has p <= 2 / 251.
      const float s = static_cast<float>(score);
      CHECK(detector.is_anomaly(s) == (detector.p_value(s) <= 2.0 / 251));
    }
  }
}

// Of few rows each must be measured without itself in all that it is measured by: where the quantiles that divide the
// score's terms had the row in them, 14 % of new rows had p <= 0.05 at 39 rows. Each of 100 tables has its own chance, a
// standard deviation of some sqrt(0.05 / 39) = 0.035, and 50 new rows add as much: the mean has 0.005. At most 0.05 is
// meant; cross-conformal p-values may differ from that by some hundredths either way.
TEST_CASE("p-values of short tables hold for new rows") {
  const Index n = 39, fresh = 50, tables = 100;
  FitOptions settings;
  settings.threads = 1;
  settings.steps = 30;
  double small = 0, smallest = 0;
  for (Index t = 0; t < tables; ++t) {
    settings.seed = static_cast<std::uint64_t>(t);
    const auto rows = curve<float>(n + fresh, 4, settings.seed);
    const auto detector = fit(RowMatrix<float>(rows.topRows(n)), settings);
    const auto scores = detector.score(RowMatrix<float>(rows.bottomRows(fresh)));
    for (const float score : scores) {
      small += detector.p_value(score) <= 2.0 / 40;
      smallest += detector.p_value(score) <= 1.0 / 40;
    }
  }
  const double count = static_cast<double>(tables * fresh);
  MESSAGE("p <= 0.05 in " << small / count << ", the smallest p-value in " << smallest / count);
  CHECK(small / count < 0.065);
  CHECK(small / count > 0.02);
  CHECK(smallest / count < 0.04);
}

TEST_CASE("too few rows for the rate: the largest score, and a warning that names the number") {
  FitOptions settings = quick();
  settings.ensemble_size = 5;
  const auto warned = [](const Detector<float>& detector) {
    const auto& warnings = detector.warnings();
    return std::count_if(warnings.begin(), warnings.end(), [](const std::string& w) {
      return w.find("a false alarm rate of 0.01 needs 99 rows") == 0;
    });
  };
  for (const Index n : {3, 20, 98, 99}) {
    CAPTURE(n);
    const auto detector = fit(curve<float>(n, 3, 2), settings);
    CHECK(static_cast<Index>(detector.calibration().scores().size()) == n);
    CHECK(detector.threshold() == detector.calibration().scores().back());
    CHECK(warned(detector) == (n < 99));
  }
  // Of two rows none is left out.
  const auto of_two = fit(curve<float>(2, 3, 2), settings);
  CHECK(of_two.calibration().empty());
  CHECK(of_two.warnings().back().find("there are too few rows to leave any out") == 0);
  CHECK(of_two.predict(curve<float>(2, 3, 2)).sum() == 0);
}

TEST_CASE(
    "new normal rows are called anomalies at the rate that is meant, wide and short tables too") {
  // Noise: every residual's covariance is made of the rows that it then measures.
  struct Table {
    Index n, d;
  };
  for (const Table& table : {Table{60, 200}, Table{100, 100}, Table{400, 20}}) {
    const Index n = table.n, d = table.d;
    CAPTURE(n);
    const RowMatrix<float> all = noise(n + 500, d);
    FitOptions settings;
    settings.steps = 200;
    settings.ensemble_size = 5;
    const auto detector = fit(RowMatrix<float>(all.topRows(n)), settings);
    const Eigen::VectorXd p = detector.p_value(detector.score(all.bottomRows(500)));
    const auto share = [&](double rate) {
      return static_cast<double>((p.array() <= rate).count()) / 500;
    };
    // 0.05 and 0.2 of new rows are meant. The share over one calibration scatters by sqrt(rate / n), a
    // count of 500 by sqrt(rate / 500): three of both together. Without the rows' own part in the
    // covariance taken away it is 1 at 60 x 200 (measured).
    for (const double rate : {0.05, 0.2}) {
      const double scatter = std::sqrt(rate / static_cast<double>(n)) + std::sqrt(rate / 500);
      CHECK(share(rate) < rate + 3 * scatter);
      CHECK(share(rate) > rate - 3 * scatter);
    }
  }
}

namespace {

/// Rows of which the last `odd` are anomalies of one kind: a small, tight cluster off the curve.
RowMatrix<float> with_cluster(Index n, Index odd, std::uint64_t seed) {
  RowMatrix<float> X = curve<float>(n, 6, seed);
  Random random(seed + 1000);
  for (Index i = n - odd; i < n; ++i) {
    for (Index j = 0; j < 6; ++j) {
      X(i, j) = static_cast<float>((j % 2 == 0 ? 0.65 : 0.4) + 0.02 * random.normal());
    }
  }
  return X;
}

/// How well a fit on such rows, a tenth of them anomalies, tells new ones of the same kind from normal rows.
double auc_after_contamination(double told, std::uint64_t seed) {
  FitOptions settings;
  settings.ensemble_size = 3;
  settings.steps = 1500;
  settings.seed = seed;
  settings.contamination = told;
  const auto detector = fit(with_cluster(600, 60, 20 + seed), settings);
  const Vector<float> scores = detector.score(with_cluster(400, 100, 30 + seed));
  std::vector<int> labels(400);
  std::fill(labels.end() - 100, labels.end(), 1);
  return roc_auc(scores, labels);
}

}  // namespace

TEST_CASE("a fit that is told of anomalies among its rows still finds their kind") {
  for (const std::uint64_t seed : {1u, 2u, 3u}) {
    CAPTURE(seed);
    // The nets of a trusting fit learn a cluster of sixty rows like any other, and rank it below chance.
    CHECK(auc_after_contamination(0, seed) < 0.6);
    CHECK(auc_after_contamination(0.1, seed) > 0.95);
  }
}

TEST_CASE("rows are trusted by what most of them have in common") {
  const auto X = with_cluster(600, 60, 7);
  const auto trusted_rows = [&](double contamination, std::uint64_t seed, int threads) {
    const auto on = [](const FitProgress&) { return true; };
    detail::NetsProgress at(1, on);
    FitOptions options;
    options.contamination = contamination;
    options.seed = seed;
    detail::FitProcess<float> alone;
    return detail::trusted_rows(X, detail::all_rows(600), contamination, options, threads, at,
                                alone);
  };
  const std::vector<Index> trusted = trusted_rows(0.1, 0, 1);
  // Three times the share that may be anomalies is left out.
  REQUIRE(trusted.size() == 420);
  CHECK(std::is_sorted(trusted.begin(), trusted.end()));
  const auto odd = std::count_if(trusted.begin(), trusted.end(), [](Index r) { return r >= 540; });
  CHECK(odd == 0);
  CHECK(trusted_rows(0.1, 0, 4) == trusted);
  CHECK(trusted_rows(0.1, 1, 1) != trusted);
  // Half of the rows at most.
  CHECK(trusted_rows(0.4, 0, 1).size() == 300);
}

TEST_CASE(
    "a fit that is stopped while it screens has one member, trained on the rows trusted so far") {
  const auto X = with_cluster(60, 6, 7);
  FitOptions settings = quick();
  settings.contamination = 0.1;
  // Two batches an epoch in the first of four rounds, of nets that train for 100, 200 and 400.
  const Index first_round = 2 * (50 + 100 + 200);
  for (const int threads : {1, 2}) {
    for (const Index last : {Index(1), first_round, first_round + 1}) {
      CAPTURE(threads);
      CAPTURE(last);
      settings.threads = threads;
      Index calls = 0;
      const auto until_last = [&](const FitProgress& at) {
        CHECK(at.screening);
        ++calls;
        return at.done < last;
      };
      detail::NetsProgress at(1, until_last);
      at.expect(1000);
      detail::FitProcess<float> alone;
      const auto trusted =
          detail::trusted_rows(X, detail::all_rows(60), 0.1, settings, threads, at, alone);
      // What a round leaves out counts when all of its nets have scored the rows.
      CHECK(trusted.size() == (last > first_round ? 42 : 60));
      calls = 0;
      const auto detector = fit(X, settings, until_last);
      CHECK(calls == last);
      REQUIRE(detector.model().members.size() == 1);
      CHECK(detector.model().scaler == standardizer_of<float>(X, trusted, settings.missing));

      // As much is learned as by a fit that is stopped after the first epoch on those rows.
      RowMatrix<float> rows(static_cast<Index>(trusted.size()), X.cols());
      for (Index r = 0; r < rows.rows(); ++r) {
        rows.row(r) = X.row(trusted[static_cast<std::size_t>(r)]);
      }
      FitOptions trusting = quick();
      const auto same = fit(rows, trusting, [](const FitProgress&) { return false; });
      const auto encoder = [](const Detector<float>& d) {
        const auto& member = d.model().members.front();
        return std::vector<float>(member.parameters.begin(), member.parameters.begin() + 5000);
      };
      CHECK(encoder(detector) == encoder(same));
    }
  }
}

TEST_CASE(
    "a fit told of anomalies calls their share of the training rows anomalies, whatever the "
    "threads") {
  const auto X = with_cluster(200, 20, 8);
  FitOptions settings = quick();
  settings.contamination = 0.1;
  const auto detector = fit(X, settings);
  // Two nets leave out two fifths of the rows, of which floor(81 * 0.1) score from the threshold on.
  REQUIRE(detector.calibration().scores().size() == 80);
  CHECK(detector.threshold() == detector.calibration().scores()[80 - 8]);
  CHECK(detector.facts().at("contamination") == "0.1");
  settings.threads = 3;
  CHECK(same_bits(fit(X, settings).score(X), detector.score(X)));
  // All planted anomalies are told by p-values though they were among the rows.
  settings.ensemble_size = 9;
  settings.steps = 600;
  const auto told = fit(X, settings);
  REQUIRE(told.calibration().scores().size() == 200);
  CHECK(told.predict(X.bottomRows(20)).sum() > 15);
  CHECK(told.predict(X.topRows(180)).sum() < 6);
  settings.contamination = 0.001;  // less than the usual rate
  const auto usual = fit(X, settings);
  CHECK(usual.threshold() == usual.calibration().scores()[198]);
}

TEST_CASE(
    "a fit told of anomalies takes tables of any length, rows all alike and constant features") {
  FitOptions settings = quick();
  settings.contamination = 0.3;
  for (const Index n : {2, 3, 5, 19, 20, 33}) {
    CAPTURE(n);
    const RowMatrix<float> X = curve<float>(n, 3, 5);
    CHECK(all_finite(fit(X, settings).score(X)));
  }
  const RowMatrix<float> alike = RowMatrix<float>::Constant(10, 3, 7);
  CHECK(all_finite(fit(alike, settings).score(alike)));
  // A row so far out that its square overflows once the scaler trusts it no more.
  RowMatrix<float> far = curve<float>(50, 3, 5);
  far(7, 1) = 1e30f;
  settings.contamination = 0.05;
  const Vector<float> scores = fit(far, settings).score(far);
  CHECK(scores[7] == std::numeric_limits<float>::infinity());
  CHECK(std::count_if(scores.begin(), scores.end(), [](float s) { return s < 1e6f; }) == 49);
}

TEST_CASE("a fit told of anomalies trains its members for a third of the steps") {
  const auto X = curve<float>(64, 3, 9);
  FitOptions settings;
  settings.ensemble_size = 1;
  settings.steps = 60;  // 51 rows of a member's, two batches of 32: thirty epochs
  const auto epochs = [&] {
    Index count = 0;
    fit(X, settings, [&](const FitProgress& at) { count = at.epoch.epochs; });
    return count;
  };
  CHECK(epochs() == 30);
  settings.contamination = 0.01;
  CHECK(epochs() == 10);
  settings.epochs = 7;
  CHECK(epochs() == 7);
}

TEST_CASE("of fewer rows than features a fit trains a tenth of the steps, in one unit") {
  const RowMatrix<float> X = noise(40, 50);
  FitOptions settings;
  settings.ensemble_size = 1;
  settings.steps = 100;  // 32 rows of a member's, one batch of 32
  Index epochs = 0;
  const auto detector = fit(X, settings, [&](const FitProgress& at) { epochs = at.epoch.epochs; });
  CHECK(epochs == 10);
  const auto& wide = std::get<Standardizer<float>>(detector.model().scaler.kind());
  const auto own = Standardizer<float>::of(X);
  std::vector<double> sorted = own.scale();
  std::sort(sorted.begin(), sorted.end());
  for (std::size_t j = 0; j < 50; ++j)
    CHECK(wide.scale()[j] == std::max(own.scale()[j], sorted[25]));
  CHECK(wide.mean() == own.mean());
  // Features that never vary have no say in what the unit is.
  RowMatrix<float> sparse = 1e-3f * X;
  sparse.rightCols(30).setConstant(5);
  const auto of_sparse = fit(sparse, settings);
  const auto& small = std::get<Standardizer<float>>(of_sparse.model().scaler.kind());
  for (const double scale : small.scale()) CHECK(scale < 2e-3);
  CHECK(all_finite(of_sparse.score(sparse)));
  // The latent term needs more rows than features.
  CHECK(detector.model().members[0].latent.weight() == 0);
  const auto tall = fit(noise(60, 50), settings);
  CHECK(tall.model().members[0].latent.weight() > 0);
  CHECK(tall.model().scaler == Scaler<float>(Standardizer<float>::of(noise(60, 50))));
}

TEST_CASE("a drift watch compares the first net's scores with those of rows that it left out") {
  FitOptions settings;
  settings.steps = 300;
  settings.ensemble_size = 6;
  const RowMatrix<float> all = noise(2500, 4);
  const RowMatrix<float> X = all.topRows(500);
  const auto detector = fit(X, settings);
  const auto watched = detector.watched();
  CHECK(watched.ensemble_size() == 1);
  CHECK(same_bits(watched.model().members[0].parameters, detector.model().members[0].parameters));
  CHECK(watched.calibration().scores().size() == 100);
  DriftWatch watch(watched.calibration().scores());
  Workspace<float> workspace = watched.make_workspace(1);
  for (Index i = 500; i < 2500; ++i)
    watch.add(static_cast<double>(watched.score_one(all.row(i).data(), workspace)));
  CHECK_FALSE(watch.alarmed());
  RowMatrix<float> moved = all.bottomRows(500);
  moved.col(2) *= 3;
  for (Index i = 0; i < 500; ++i)
    watch.add(static_cast<double>(watched.score_one(moved.row(i).data(), workspace)));
  CHECK(watch.alarmed());
  // One that is calibrated by held-out rows is watched as a whole, one without p-values not at all.
  const auto held_out = detector.calibrated(all.bottomRows(100), false_alarm_rate(0.05)).watched();
  CHECK(held_out.ensemble_size() == 6);
  CHECK(held_out.calibration().scores().size() == 100);
  settings.ensemble_size = 1;
  CHECK(fit(X, settings).watched().calibration().scores() ==
        fit(X, settings).calibration().scores());
  CHECK_THROWS_WITH_AS(fit(RowMatrix<float>(X.topRows(2)), settings).watched(),
                       doctest::Contains("no held-out scores"), InvalidArgument);
}
