// An ensemble whose nets several ranks train has the bits of one process. Here the ranks are threads; programs under
// mpirun are in tests/mpi/mpirun.py.

#include <dasvdd/mpi/fit_ranks.hpp>

#include <io/temporary_folder.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <functional>
#include <limits>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "mpi/thread_ranks.hpp"
#include "train/support.hpp"

using namespace dasvdd;
using namespace dasvdd::detail;

namespace {

FitOptions quick() {
  FitOptions options;
  options.ensemble_size = 4;
  options.steps = 30;
  options.batch_size = 16;
  options.seed = 7;
  options.threads = 1;
  return options;
}

template <class Scalar>
std::string bytes(const Detector<Scalar>& detector) {
  return to_tensor_file(detector).serialize();
}

/// Calls f(ranks) for each of so many ranks, and checks that all get these bytes.
void check_bytes(int ranks, const std::string& expected,
                 const std::function<std::string(Ranks&)>& f) {
  CAPTURE(ranks);
  std::atomic<int> same{0};
  ThreadRanks::run(ranks, [&](Ranks& here) { same += f(here) == expected; });
  CHECK(same == ranks);
}

double most_of(const std::vector<double>& costs, int ranks) {
  std::vector<double> loads(static_cast<std::size_t>(ranks));
  const std::vector<int> of_nets = ranks_of_nets(costs, ranks);
  for (std::size_t i = 0; i < costs.size(); ++i)
    loads[static_cast<std::size_t>(of_nets[i])] += costs[i];
  return *std::max_element(loads.begin(), loads.end());
}

}  // namespace

TEST_CASE("nets are shared out so that no rank has much more to do than the others") {
  // As in fit(): every third net is shorter.
  const std::vector<double> nine = {7, 10, 10, 7, 10, 10, 7, 10, 10};
  CHECK(most_of(nine, 1) == 81);
  CHECK(most_of(nine, 2) == 41);  // the longest first alone comes to 44
  CHECK(most_of(nine, 3) == 27);
  CHECK(most_of(nine, 4) == 21);
  CHECK(most_of(nine, 9) == 10);
  CHECK(most_of(nine, 12) == 10);
  CHECK(most_of({1, 1, 1, 1}, 2) == 2);
  CHECK(ranks_of_nets({0, 0}, 2) == std::vector<int>{0, 0});
}

TEST_CASE("each text comes from the first rank that has it to all ranks") {
  for (const int ranks : {1, 2, 5}) {
    ThreadRanks::run(ranks, [&](Ranks& here) {
      // Text 1 is nobody's, text 2 everybody's, the others some rank's.
      std::vector<std::string> all(7);
      for (std::size_t k = 0; k < all.size(); ++k) {
        if (k == 1) continue;
        if (k == 2 || static_cast<int>(k) % ranks == here.rank()) {
          all[k] = std::string(k, 'a') + std::to_string(here.rank());
        }
      }
      here.texts(all);
      for (std::size_t k = 0; k < all.size(); ++k) {
        const int rank = k == 2 ? 0 : static_cast<int>(k) % ranks;
        CHECK(all[k] == (k == 1 ? "" : std::string(k, 'a') + std::to_string(rank)));
      }
    });
  }
}

TEST_CASE("a fit by ranks has one process's bits, p-values and threshold included") {
  const RowMatrix<float> X = curve<float>(130, 9, 1);
  RowMatrix<float> with_gaps = X;
  for (Index i = 0; i < 130; i += 7) with_gaps(i, i % 9) = std::numeric_limits<float>::quiet_NaN();
  std::vector<FitOptions> cases(5, quick());
  cases[0].ensemble_size = 9;
  cases[1].contamination = 0.1;
  cases[1].threads = 2;
  cases[2].missing = FitOptions::Missing::mask;
  cases[3].missing = FitOptions::Missing::impute;
  cases[4].ensemble_size = 1;
  cases[4].score = ScoreForm::balanced;
  cases[4].feature_names = {"a", "b", "c", "d", "e", "f", "g", "h", "\xc3\xa9"};
  for (const FitOptions& options : cases) {
    CAPTURE(options.missing);
    CAPTURE(options.contamination);
    const RowMatrix<float>& rows = options.missing == FitOptions::Missing::refuse ? X : with_gaps;
    const std::string expected = bytes(fit(rows, options));
    for (const int ranks : {1, 2, 3, 4, 6}) {
      check_bytes(ranks, expected, [&](Ranks& here) { return bytes(fit(rows, options, here)); });
    }
  }
  const std::string in_double = bytes(fit<double>(X, quick()));
  check_bytes(3, in_double, [&](Ranks& here) { return bytes(fit<double>(X, quick(), here)); });
  // Too few rows to leave any out: the threshold comes from the rows.
  const RowMatrix<float> two = X.topRows(2);
  const std::string of_two = bytes(fit(two, quick()));
  check_bytes(2, of_two, [&](Ranks& here) { return bytes(fit(two, quick(), here)); });
}

TEST_CASE("a fit of images by ranks has one process's bits") {
  const RowMatrix<float> X = curve<float>(40, 16, 2);
  ImageOptions options;
  options.epochs = 2;
  options.threads = 1;
  const std::string expected = bytes(fit_images(X, options));
  for (const int ranks : {2, 4}) {
    check_bytes(ranks, expected,
                [&](Ranks& here) { return bytes(fit_images<float>(X, options, here)); });
  }
}

TEST_CASE("progress counts the epochs of all ranks, on all ranks alike") {
  const RowMatrix<float> X = curve<float>(130, 9, 1);
  for (const double contamination : {0.0, 0.1}) {
    FitOptions options = quick();
    options.contamination = contamination;
    Index total = 0;
    fit(X, options, [&](const FitProgress& at) { total = at.total; });
    std::vector<std::vector<Index>> done(3);
    ThreadRanks::run(3, [&](Ranks& here) {
      std::vector<Index>& mine = done[static_cast<std::size_t>(here.rank())];
      fit(X, options, here, [&](const FitProgress& at) {
        CHECK(at.total == total);
        CHECK(at.ensemble_size == 4);
        mine.push_back(at.done);
      });
    });
    CHECK(done[0] == done[1]);
    CHECK(done[0] == done[2]);
    CHECK(std::is_sorted(done[0].begin(), done[0].end()));
    CHECK(done[0].back() == total);
  }
}

TEST_CASE("a stop on one rank stops all, and all have the same detector") {
  const RowMatrix<float> X = curve<float>(130, 9, 1);
  for (const bool by_progress : {true, false}) {
    for (const double contamination : {0.0, 0.1}) {
      CAPTURE(by_progress);
      CAPTURE(contamination);
      std::vector<std::string> models(3);
      ThreadRanks::run(3, [&](Ranks& here) {
        std::atomic<bool> stop{false};
        FitOptions options = quick();
        options.contamination = contamination;
        // More than there is time for; while rows are screened it is their rounds that are stopped.
        options.steps = 1000000000;
        options.stop = &stop;
        const auto detector = fit(X, options, here, [&](const FitProgress& at) {
          const bool enough = here.rank() == 1 && at.done > 5;
          if (!by_progress && enough) stop = true;
          return !by_progress || !enough;
        });
        models[static_cast<std::size_t>(here.rank())] = bytes(detector);
      });
      CHECK(!models[0].empty());
      CHECK(models[0] == models[1]);
      CHECK(models[0] == models[2]);
    }
  }
}

TEST_CASE(
    "the options' stop of one rank ends the mini-batches of all, and is told of though no epoch "
    "has ended") {
  ThreadRanks::run(3, [&](Ranks& here) {
    std::atomic<bool> stop{here.rank() == 1};
    int told = 0;
    const auto tell = [&](const FitProgress& at) {
      CHECK(at.done == 4);
      ++told;
      return true;
    };
    FitRank<float> rank(here, &stop, tell);
    const auto none = [](const FitProgress&) { return true; };
    NetsProgress at(3, none);
    at.expect(100, 4);
    rank.run(at, [&] {
      while (!rank.stop()->load()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    });
    CHECK(told == 1);
    CHECK(at.stopped());
    CHECK_FALSE(at.failed());
  });
}

TEST_CASE("what goes wrong on one rank ends the fit on all") {
  const RowMatrix<float> X = curve<float>(130, 9, 1);
  ThreadRanks::run(3, [&](Ranks& here) {
    RowMatrix<float> mine = X;
    if (here.rank() == 2) mine(4, 3) = 1000;
    CHECK_THROWS_WITH_AS(fit(mine, quick(), here),
                         doctest::Contains("rank 2 has other rows, other options or another "
                                           "checkpoint than rank 0"),
                         InvalidArgument);
    if (here.rank() == 2) mine(4, 3) = std::numeric_limits<float>::quiet_NaN();
    CHECK_THROWS_WITH_AS(fit(mine, quick(), here),
                         doctest::Contains("rank 2: the training set has NaN in row 4, column 3"),
                         InvalidArgument);
    FitOptions options = quick();
    if (here.rank() == 1) options.threads = -1;
    CHECK_THROWS_WITH_AS(fit(X, options, here), doctest::Contains("rank 1: threads is -1"),
                         InvalidArgument);

    // The caller's progress, in a fit without an end.
    options = quick();
    options.steps = 1000000000;
    const auto failing = [&](const FitProgress&) {
      if (here.rank() == 1) throw std::domain_error("no more");
      return true;
    };
    if (here.rank() == 1) {
      CHECK_THROWS_WITH_AS(fit(X, options, here, failing), "no more", std::domain_error);
    } else {
      CHECK_THROWS_WITH_AS(fit(X, options, here, failing), "rank 1: no more", std::runtime_error);
    }

    // A net of rank 2; those of the others would train for ever.
    for (const bool argument : {false, true}) {
      FitRank<float> rank(here, nullptr, failing);
      const auto none = [](const FitProgress&) { return true; };
      NetsProgress at(3, none);
      at.expect(1000000000);
      const auto train = [&] {
        if (here.rank() == 2 && argument) throw InvalidArgument("a wrong net");
        if (here.rank() == 2) throw std::logic_error("a net failed");
        while (!at.failed()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
        CHECK(rank.stop()->load());
      };
      if (argument && here.rank() == 2) {
        CHECK_THROWS_WITH_AS(rank.run(at, train), "a wrong net", InvalidArgument);
      } else if (argument) {
        CHECK_THROWS_WITH_AS(rank.run(at, train), "rank 2: a wrong net", InvalidArgument);
      } else if (here.rank() == 2) {
        CHECK_THROWS_WITH_AS(rank.run(at, train), "a net failed", std::logic_error);
      } else {
        CHECK_THROWS_WITH_AS(rank.run(at, train), "rank 2: a net failed", std::runtime_error);
      }
    }
  });
}

TEST_CASE("a checkpoint of ranks has the furthest of each net") {
  const RowMatrix<float> X = curve<float>(60, 5, 1);
  FitOptions options = quick();
  options.ensemble_size = 3;
  // What nets have after 1, 2, 3 ... epochs.
  std::vector<Checkpoint<float>::Content> after;
  Checkpoint<float> running;
  fit(
      X, options, [&](const FitProgress&) { after.push_back(running.content()); }, &running);
  after.push_back(running.content());
  const auto of_net = [&](Index net, Index epochs) {
    for (const auto& content : after) {
      const auto& found = content.nets[static_cast<std::size_t>(net)];
      if (found && found->state.epochs == epochs && !found->trained) return *found;
    }
    throw std::logic_error("no such epoch");
  };
  const auto trained = *after.back().nets[1];
  ThreadRanks::run(3, [&](Ranks& here) {
    Checkpoint<float> mine;
    Checkpoint<float>::Content content{after.back().task, {}};
    content.nets.resize(3);
    // Net 0 is further on rank 2, net 1 trained on rank 1, though it fell back to an earlier epoch; net 2 is nobody's.
    content.nets[0] = of_net(0, 1 + (here.rank() == 2));
    content.nets[1] = of_net(1, 2);
    if (here.rank() == 1) {
      content.nets[1] = of_net(1, 1);
      content.nets[1]->trained = true;
      content.nets[1]->warnings = {"a warning"};
    }
    mine.set_content(content);
    gather_nets(mine, here);
    const auto all = mine.content();
    CHECK_FALSE(all.nets[2].has_value());
    if (here.rank() > 0) return;
    CHECK(all.nets[0]->state.epochs == 2);
    CHECK(same_bits(all.nets[0]->state.parameters, of_net(0, 2).state.parameters));
    CHECK(all.nets[1]->state.epochs == 1);
    CHECK(all.nets[1]->trained);
    CHECK(all.nets[1]->warnings == std::vector<std::string>{"a warning"});
  });
  CHECK(trained.trained);
}

TEST_CASE("a fit goes on with another number of ranks, to the same bits") {
  const TemporaryFolder folder;
  const std::string path = folder / "fit.checkpoint", during = folder / "during",
                    end = folder / "end";
  const RowMatrix<float> X = curve<float>(130, 9, 1);
  FitOptions options = quick();
  options.steps = 100;
  Index total = 0;
  const std::string whole =
      bytes(fit(X, options, [&](const FitProgress& at) { total = at.total; }));
  const auto loaded = [&](const std::string& from) {
    Checkpoint<float> checkpoint;
    load(checkpoint, from);
    return checkpoint.epochs();
  };
  const auto by_one = [&](const std::string& from, int& told) {
    Checkpoint<float> checkpoint;
    load(checkpoint, from);
    return bytes(fit(
        X, options, [&](const FitProgress&) { ++told; }, &checkpoint));
  };
  for (const Index stop : {Index(1), total / 2, total - 1}) {
    CAPTURE(stop);
    {
      Checkpoint<float> checkpoint;
      fit(
          X, options, [&](const FitProgress& at) { return at.done < stop; }, &checkpoint);
      save(checkpoint, path);
      CHECK(checkpoint.epochs() == stop);
    }
    for (const int ranks : {1, 2, 3, 5}) {
      std::filesystem::remove(during);
      check_bytes(ranks, whole, [&](Ranks& here) {
        Checkpoint<float> checkpoint;
        load(checkpoint, path);
        const std::string model = bytes(fit(
            X, options, here,
            [&](const FitProgress& at) {
              CHECK(at.done > stop);
              CHECK(at.total == total);
              save(checkpoint, during, here);
            },
            &checkpoint));
        save(checkpoint, end, here);
        return model;
      });
      // Of any moment, whichever the last one was.
      CHECK(loaded(during) > stop);
      int told = 0;
      CHECK(by_one(during, told) == whole);
      // What every rank has trained is there.
      CHECK(loaded(end) == total);
      told = 0;
      CHECK(by_one(end, told) == whole);
      CHECK(told == 0);
    }
  }
  ThreadRanks::run(2, [&](Ranks& here) {
    Checkpoint<float> checkpoint;
    if (here.rank() == 0) load(checkpoint, path);
    CHECK_THROWS_WITH_AS(fit(X, options, here, NoProgress(), &checkpoint),
                         doctest::Contains("rank 1 has other rows, other options or another"),
                         InvalidArgument);
  });
}
