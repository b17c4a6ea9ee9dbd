// One net, trained by the processes of mpirun, each of which holds some of the rows:
//   mpirun -n 2 ranks
// The threshold that it prints is the same for 1, 2, 3 ... 16 processes, bit by bit.

#include <dasvdd/dasvdd.hpp>
#include <dasvdd/mpi/mpi_ranks.hpp>
#include <dasvdd/mpi/sharded_trainer.hpp>

#include <cstdio>

#include "pump.hpp"

int main(int argc, char** argv) {
  int provided = 0;
  MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided);
  {
    dasvdd::MpiRanks ranks;  // of MPI_COMM_WORLD
    dasvdd::Options options;
    options.epochs = 30;
    options.standardize = true;
    dasvdd::ShardedTrainer<float> trainer(dasvdd::dense_autoencoder<float>(6, {32, 3}), options,
                                          ranks);

    // A program with more rows than one machine holds would read its own from a file.
    const dasvdd::RowMatrix<float> X = pump::readings(1000, 1);
    const auto mine = trainer.rows_of_rank(X.rows());
    trainer.fit(X.middleRows(mine.first, mine.size()));

    const dasvdd::Detector<float> detector = trainer.detector();  // the same on all ranks
    if (ranks.rank() == 0)
      std::printf("threshold %.9g\n", static_cast<double>(detector.threshold()));
  }
  MPI_Finalize();
}
