/// \file
/// Times the training of one net by the ranks of mpirun; called by bench/scale.py.
/// usage: bench_ranks WIDTHS BATCH SHARDS STEPS EPOCHS THREADS
/// Prints, by the first rank, one line of JSON: seconds a step of EPOCHS epochs of STEPS steps each (the best, and the
/// median) and those of them between ranks; the processor's seconds a step outside MPI, of the rank that has most;
/// parameters; best seconds of an exchange and a gathering of so many numbers.

#include <dasvdd/dasvdd.hpp>
#include <dasvdd/mpi/mpi_ranks.hpp>
#include <dasvdd/mpi/sharded_trainer.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <sstream>
#include <string>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;
using dasvdd::Index;
using dasvdd::detail::RankParts;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double processor_seconds() {
  return static_cast<double>(std::clock()) / static_cast<double>(CLOCKS_PER_SEC);
}

/// Counts the seconds in MPI, waiting for other ranks among them.
class TimedRanks final : public dasvdd::detail::Ranks {
 public:
  int rank() const override { return mpi_.rank(); }
  int size() const override { return mpi_.size(); }
  void gather(void* all, const RankParts& parts) override {
    const auto start = Clock::now();
    const double before = processor_seconds();
    mpi_.gather(all, parts);
    seconds += seconds_since(start);
    processor += processor_seconds() - before;
  }
  void exchange(const void* from, const RankParts& out, void* to, const RankParts& in) override {
    const auto start = Clock::now();
    const double before = processor_seconds();
    mpi_.exchange(from, out, to, in);
    seconds += seconds_since(start);
    processor += processor_seconds() - before;
  }
  double seconds = 0, processor = 0;

 private:
  dasvdd::MpiRanks mpi_;
};

double median(std::vector<double> x) {
  std::sort(x.begin(), x.end());
  return x[x.size() / 2];
}
double best(const std::vector<double>& x) { return *std::min_element(x.begin(), x.end()); }

/// Seconds to exchange and gather so many numbers, the best of several times.
double messages(TimedRanks& ranks, Index numbers) {
  std::vector<float> from(static_cast<std::size_t>(numbers)), to(from);
  RankParts out(ranks.size()), in(ranks.size());
  const auto mine = dasvdd::detail::share(numbers, ranks.rank(), ranks.size());
  for (int r = 0; r < ranks.size(); ++r) {
    const auto slice = dasvdd::detail::share(numbers, r, ranks.size());
    out.set(r, slice.first, slice.size());
    in.set(r, std::min(r * mine.size(), numbers - mine.size()), mine.size());
  }
  std::vector<double> all;
  for (int i = 0; i < 200; ++i) {
    ranks.numbers(0);  // all begin together
    const auto start = Clock::now();
    ranks.exchange(from.data(), out, to.data(), in);
    ranks.gather(to.data(), out);
    all.push_back(seconds_since(start));
  }
  return best(all);
}

}  // namespace

int main(int argc, char** argv) {
  int provided = 0;
  MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided);
  if (argc != 7) {
    std::fprintf(stderr, "usage: bench_ranks WIDTHS BATCH SHARDS STEPS EPOCHS THREADS\n");
    return 2;
  }
  {
    std::vector<Index> widths;
    std::stringstream words(argv[1]);
    for (std::string word; std::getline(words, word, '-');)
      widths.push_back(std::atol(word.c_str()));
    const Index batch = std::atol(argv[2]), steps = std::atol(argv[4]), d = widths.front();
    dasvdd::Options options;
    options.batch_size = batch;
    options.epochs = std::atol(argv[5]);
    options.threads = std::atoi(argv[6]);
    options.gamma = dasvdd::GammaRule::value(1);
    TimedRanks ranks;
    dasvdd::ShardedTrainer<float> trainer(
        dasvdd::dense_autoencoder<float>(d, {widths.begin() + 1, widths.end()},
                                         dasvdd::leaky_relu()),
        options, ranks, std::atol(argv[3]));
    const auto mine = trainer.rows_of_rank(batch * steps);
    dasvdd::RowMatrix<float> X(mine.size(), d);
    dasvdd::Random random(1, static_cast<std::uint64_t>(ranks.rank()));
    for (Index i = 0; i < X.rows(); ++i) {
      for (Index j = 0; j < d; ++j) X(i, j) = static_cast<float>(random.uniform());
    }
    std::vector<double> step, between, work;
    double before = processor_seconds();
    trainer.train(X, [&](const dasvdd::EpochReport& epoch) {
      step.push_back(epoch.seconds / static_cast<double>(steps));
      between.push_back(ranks.seconds / static_cast<double>(steps));
      const double now = processor_seconds();
      work.push_back((now - before - ranks.processor) / static_cast<double>(steps));
      before = now;
      ranks.seconds = ranks.processor = 0;
    });
    work.erase(work.begin());  // with the start of the training
    std::int64_t most = 0;
    for (const auto ns : ranks.numbers(static_cast<std::int64_t>(1e9 * best(work)))) {
      most = std::max(most, ns);
    }
    const double moved = messages(ranks, trainer.net().parameters());
    const double small = messages(ranks, 32 * ranks.size());
    if (ranks.rank() == 0) {
      std::printf(
          "{\"ranks\": %d, \"parameters\": %ld, \"step\": %.9g, \"median\": %.9g, \"between\": "
          "%.9g, "
          "\"work\": %.9g, \"messages\": %.9g, \"small_messages\": %.9g}\n",
          ranks.size(), static_cast<long>(trainer.net().parameters()), best(step), median(step),
          best(between), 1e-9 * static_cast<double>(most), moved, small);
    }
  }
  MPI_Finalize();
  return 0;
}
