// A net that several ranks train has the bits of one process. Here the ranks are threads; programs under mpirun are in
// tests/mpi/mpirun.cpp.

#include <dasvdd/mpi/sharded_trainer.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <mutex>
#include <new>
#include <stdexcept>
#include <string>

#include "mpi/thread_ranks.hpp"
#include "train/refusing_objective.hpp"
#include "train/support.hpp"

using namespace dasvdd;
using namespace dasvdd::detail;

namespace {

Options short_run() {
  Options options;
  options.epochs = 3;
  options.batch_size = 37;  // 211 rows: five mini-batches, and a short one
  options.seed = 5;
  options.threads = 1;
  options.standardize = true;
  options.final_rate = 0.5;
  return options;
}

const RowMatrix<float>& rows() {
  static const RowMatrix<float> X = curve<float>(211, 23, 1);
  return X;
}
/// Weights of more numbers than a block of ShardedStep.
Autoencoder<float> net() { return dense_autoencoder<float>(23, {1500, 24, 5}, leaky_relu()); }

/// What a run comes to.
struct Outcome {
  FitReport report;
  Trainer<float>::State state;
  std::optional<Detector<float>> detector;
};
template <class Trainer>
Outcome outcome(Trainer& trainer, const AnyRows& X) {
  Outcome result;
  result.report = trainer.fit(X);
  result.state = trainer.state();
  result.detector = trainer.detector();
  return result;
}
template <class State>
void check_same_state(const State& a, const State& b) {
  CHECK(same_bits(a.parameters, b.parameters));
  CHECK(same_bits(a.first_moments, b.first_moments));
  CHECK(same_bits(a.second_moments, b.second_moments));
  CHECK(same_bits(a.center.center, b.center.center));
  CHECK(same_bits(a.center.squared_sum, b.center.squared_sum));
  CHECK(a.clock.beta1_power == b.clock.beta1_power);
  CHECK(a.gamma == b.gamma);
  CHECK(Random(a.order).bits() == Random(b.order).bits());
}
void check_same(Outcome a, const Outcome& b) {
  check_same_state(a.state, b.state);
  REQUIRE(a.report.epochs.size() == b.report.epochs.size());
  for (std::size_t e = 0; e < a.report.epochs.size(); ++e) {
    CHECK(a.report.epochs[e].loss == b.report.epochs[e].loss);
  }
  CHECK(a.report.warnings == b.report.warnings);
  CHECK(a.detector->threshold() == b.detector->threshold());
  CHECK(same_bits(a.detector->score(rows()), b.detector->score(rows())));
}

/// Calls f(ranks, rows of that rank) for each rank of a net with so many shards.
template <class Trainer, class F>
void on_ranks(int ranks, const Options& options, Index shards, F&& f) {
  ThreadRanks::run(ranks, [&](Ranks& here) {
    Trainer trainer(net(), options, here, shards);
    const Range mine = trainer.rows_of_rank(rows().rows());
    f(here, trainer, AnyRows(rows()).middle_rows(mine.first, mine.size()));
  });
}

}  // namespace

TEST_CASE("with one shard a sharded trainer comes to Trainer's bits") {
  for (const double kappa : {0.9, 1.0}) {
    CAPTURE(kappa);
    Options options = short_run();
    options.kappa = kappa;
    Ranks alone;
    ShardedTrainer<float> sharded(net(), options, alone, 1);
    Trainer<float> trainer(net(), options);
    check_same(outcome(sharded, rows()), outcome(trainer, rows()));
  }
}

TEST_CASE("ranks and threads change no bit, shards do") {
  Options options = short_run();
  Ranks alone;
  ShardedTrainer<float> one(net(), options, alone, 8);
  const Outcome expected = outcome(one, rows());
  for (const int ranks : {2, 3, 4, 8}) {
    CAPTURE(ranks);
    std::mutex mutex;
    on_ranks<ShardedTrainer<float>>(
        ranks, options, 8, [&](Ranks&, ShardedTrainer<float>& trainer, const AnyRows& mine) {
          Outcome here = outcome(trainer, mine);
          const std::lock_guard<std::mutex> lock(mutex);
          check_same(std::move(here), expected);
        });
  }
  for (const int threads : {2, 3}) {
    CAPTURE(threads);
    options.threads = threads;
    ShardedTrainer<float> several(net(), options, alone, 8);
    check_same(outcome(several, rows()), expected);
  }
  ShardedTrainer<float> other(net(), options, alone, 4);
  CHECK_FALSE(same_bits(outcome(other, rows()).state.parameters, expected.state.parameters));
}

TEST_CASE(
    "Deep SVDD on ranks: the center starts on the mean code of all rows, the radius is theirs") {
  using Sharded = ShardedTrainer<float, SoftBoundaryDeepSvdd<float>>;
  Options options = short_run();
  Network<float> layers;
  layers.add(dense<float>(23, 9, false)).add(leaky_relu()).add(dense<float>(9, 4, false));
  const Autoencoder<float> encoder(layers, Network<float>());
  const SoftBoundaryDeepSvdd<float> objective(0.1, 1);
  const auto run = [&](Ranks& ranks) {
    Sharded trainer(encoder, options, ranks, 4, objective);
    const Range mine = trainer.rows_of_rank(rows().rows());
    trainer.fit(AnyRows(rows()).middle_rows(mine.first, mine.size()));
    return std::make_pair(trainer.state(), trainer.detector().threshold());
  };
  Ranks alone;
  auto expected = run(alone);
  CHECK(expected.first.objective.squared_radius > 0);
  ThreadRanks::run(3, [&](Ranks& ranks) {
    auto here = run(ranks);
    CHECK(same_bits(here.first.parameters, expected.first.parameters));
    CHECK(same_bits(here.first.center.center, expected.first.center.center));
    CHECK(here.first.objective.squared_radius == expected.first.objective.squared_radius);
    CHECK(here.second == expected.second);
  });
}

TEST_CASE("a state goes on with another number of ranks to the same bits") {
  const Options options = short_run();
  Ranks alone;
  ShardedTrainer<float> whole(net(), options, alone, 8);
  whole.train(rows());
  Trainer<float>::State kept;
  on_ranks<ShardedTrainer<float>>(
      2, options, 8, [&](Ranks& ranks, ShardedTrainer<float>& trainer, const AnyRows& mine) {
        // One rank's word is enough.
        const FitReport report = trainer.train(
            mine, [&](const EpochReport& at) { return at.epoch < 2 || ranks.rank() == 0; });
        CHECK(report.stopped);
        if (ranks.rank() == 1) kept = trainer.state();
      });
  CHECK(kept.epochs == 2);
  on_ranks<ShardedTrainer<float>>(
      3, options, 8, [&](Ranks& ranks, ShardedTrainer<float>& trainer, const AnyRows& mine) {
        trainer.set_state(kept);
        trainer.resume(mine, NoProgress());
        if (ranks.rank() == 2) check_same_state(trainer.state(), whole.state());
      });
}

TEST_CASE("one rank's stop ends the training on all, after their epoch") {
  std::atomic<bool> stop{false};
  ThreadRanks::run(2, [&](Ranks& ranks) {
    Options options = short_run();
    if (ranks.rank() == 1) options.stop = &stop;
    ShardedTrainer<float> trainer(net(), options, ranks, 8);
    const Range held = trainer.rows_of_rank(rows().rows());
    const FitReport report = trainer.train(AnyRows(rows()).middle_rows(held.first, held.size()),
                                           [&](const EpochReport& at) {
                                             if (at.epoch == 2 && ranks.rank() == 1) stop = true;
                                           });
    CHECK(report.stopped);
    CHECK(trainer.state().epochs == 2);
  });
}

TEST_CASE("all ranks say what is wrong on one, and ranks and shards must fit") {
  Ranks alone;
  const auto making = [&](Options options, Index shards) {
    return [=, &alone] { ShardedTrainer<float>(net(), options, alone, shards); };
  };
  CHECK_THROWS_WITH_AS(making(short_run(), 12)(), "there are 12 shards, expected a power of two",
                       InvalidArgument);
  CHECK_THROWS_WITH_AS(making(short_run(), 64)(),
                       doctest::Contains("expected at least one row of each of the 64 shards"),
                       InvalidArgument);
  Options options = short_run();
  options.score = ScoreForm::whitened;
  CHECK_THROWS_WITH_AS(making(options, 8)(),
                       doctest::Contains("the score form whitened needs a matrix of all rows"),
                       InvalidArgument);
  options = short_run();
  options.validation = 0.1;
  CHECK_THROWS_WITH_AS(making(options, 8)(), doctest::Contains("validation is 0.1, expected 0"),
                       InvalidArgument);

  ThreadRanks::run(2, [&](Ranks& ranks) {
    CHECK_THROWS_WITH_AS(ShardedTrainer<float>(net(), short_run(), ranks, 1),
                         "there are 2 ranks for 1 shards, expected no more ranks than shards",
                         InvalidArgument);
    ShardedTrainer<float> trainer(net(), short_run(), ranks, 8);
    const Range mine = trainer.rows_of_rank(211);
    RowMatrix<float> X = rows().middleRows(mine.first, mine.size());
    CHECK_THROWS_WITH_AS(trainer.fit(AnyRows(X).middle_rows(0, X.rows() - 2 * ranks.rank())),
                         doctest::Contains("there are 105 rows of 209, expected 104"),
                         InvalidArgument);
    if (ranks.rank() == 1) X(3, 4) = std::numeric_limits<float>::quiet_NaN();
    CHECK_THROWS_WITH_AS(trainer.fit(X),
                         doctest::Contains("rank 1: the training set has NaN in row 3, column 4"),
                         InvalidArgument);
  });
}

TEST_CASE("what the progress of one rank throws ends the training on all") {
  for (const bool argument : {false, true}) {
    CAPTURE(argument);
    ThreadRanks::run(3, [&](Ranks& ranks) {
      ShardedTrainer<float> trainer(net(), short_run(), ranks, 8);
      const Range held = trainer.rows_of_rank(rows().rows());
      const AnyRows mine = AnyRows(rows()).middle_rows(held.first, held.size());
      const auto progress = [&](const EpochReport& at) {
        if (at.epoch < 2 || ranks.rank() != 1) return;
        if (argument) throw InvalidArgument("no more");
        throw std::domain_error("no more");
      };
      const auto train = [&] { trainer.train(mine, progress); };
      if (ranks.rank() == 1 && argument) {
        CHECK_THROWS_WITH_AS(train(), "no more", InvalidArgument);
      } else if (ranks.rank() == 1) {
        CHECK_THROWS_WITH_AS(train(), "no more", std::domain_error);
      } else if (argument) {
        CHECK_THROWS_WITH_AS(train(), "rank 1: no more", InvalidArgument);
      } else {
        CHECK_THROWS_WITH_AS(train(), "rank 1: no more", std::runtime_error);
      }
      CHECK(trainer.state().epochs == 2);
      trainer.resume(mine, NoProgress());
      CHECK(trainer.state().epochs == 3);
    });
  }
}

TEST_CASE("what the objective of one rank throws ends the training on all") {
  for (const int threads : {1, 2}) {
    for (const bool in_call : {true, false}) {
      CAPTURE(threads);
      CAPTURE(in_call);
      ThreadRanks::run(2, [&](Ranks& ranks) {
        Options options = short_run();
        options.threads = threads;
        // Large enough for two threads.
        options.batch_size = 100;
        Refusing<float> objective;
        if (ranks.rank() == 1) (in_call ? objective.in_call : objective.in_extra) = true;
        ShardedTrainer<float, Refusing<float>> trainer(net(), options, ranks, 8, objective);
        const auto before = trainer.state().parameters;
        const Range held = trainer.rows_of_rank(rows().rows());
        const AnyRows mine = AnyRows(rows()).middle_rows(held.first, held.size());
        if (ranks.rank() == 1) {
          CHECK_THROWS_WITH_AS(trainer.fit(mine), "no such row", std::domain_error);
        } else {
          CHECK_THROWS_WITH_AS(trainer.fit(mine), "rank 1: no such row", std::runtime_error);
        }
        CHECK(trainer.state().epochs == 0);
        CHECK(same_bits(trainer.state().parameters, before));
      });
    }
  }
}

TEST_CASE("where one rank has no memory, the others don't wait for it") {
  ThreadRanks::run(3, [&](Ranks& ranks) {
    const auto work = [&] {
      ranks.together([&] {
        if (ranks.rank() == 1) throw std::bad_alloc();
      });
    };
    if (ranks.rank() == 1) {
      CHECK_THROWS_AS(work(), std::bad_alloc);
    } else {
      CHECK_THROWS_WITH_AS(work(), doctest::Contains("rank 1: "), std::runtime_error);
    }
    const std::string all = sentence("ranks ", ranks.size());
    CHECK_THROWS_WITH_AS(ranks.together([&] { throw InvalidArgument(all); }), "rank 0: ranks 3",
                         InvalidArgument);
    ranks.together([] {});
    ranks.throw_of_any(nullptr);
  });
}

TEST_CASE("ranks warn of a feature that varies by rounding as one process does") {
  // Of 32 bits, and of 64 whose mean is not subtracted in double; the ends lie on different ranks.
  RowMatrix<float> floats = rows();
  for (Index i = 0; i < floats.rows(); ++i)
    floats(i, 3) = i == 7 ? 1000.0005f : i == 200 ? 999.9995f : 1000;
  RowMatrix<double> doubles = rows().cast<double>();
  for (Index i = 0; i < doubles.rows(); ++i)
    doubles(i, 5) = 1 + (i == 7 ? 1e-7 : i == 200 ? -1e-7 : 0);
  const auto check = [](const AnyRows& X, bool standardize) {
    Options options = short_run();
    options.epochs = 1;
    options.standardize = standardize;
    Trainer<float> trainer(net(), options);
    const auto expected = trainer.train(X).warnings;
    REQUIRE(expected.size() == 1);
    for (const int ranks : {1, 3}) {
      CAPTURE(ranks);
      on_ranks<ShardedTrainer<float>>(ranks, options, 8,
                                      [&](Ranks&, ShardedTrainer<float>& sharded, const AnyRows&) {
                                        const Range held = sharded.rows_of_rank(X.rows());
                                        const AnyRows mine = X.middle_rows(held.first, held.size());
                                        CHECK(sharded.train(mine).warnings == expected);
                                      });
    }
  };
  check(floats, true);
  check(doubles, false);
}
