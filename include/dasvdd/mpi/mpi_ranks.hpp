#pragma once
/// \file
/// `MpiRanks`: the processes of an MPI communicator. Needs MPI 3 (Debian: libopenmpi-dev) and is not in dasvdd.hpp.

#include <dasvdd/mpi/ranks.hpp>

#include <mpi.h>
#include <chrono>
#include <thread>

DASVDD_NAMESPACE_BEGIN

/// The ranks of a communicator, for ShardedTrainer and for fit() (mpi/fit_ranks.hpp). MPI must have been started; only
/// the thread that called MPI_Init calls MPI (MPI_THREAD_FUNNELED). What goes wrong in MPI is the communicator's error
/// handler's to tell: MPI's own ends all ranks.
class MpiRanks final : public detail::Ranks {
 public:
  explicit MpiRanks(MPI_Comm communicator = MPI_COMM_WORLD) : communicator_(communicator) {
    MPI_Comm_rank(communicator_, &rank_);
    MPI_Comm_size(communicator_, &size_);
  }

  int rank() const override { return rank_; }
  int size() const override { return size_; }
  void gather(void* all, const detail::RankParts& parts) override {
    MPI_Allgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, all, parts.count.data(), parts.at.data(),
                   MPI_UINT32_T, communicator_);
  }
  /// MPI's own waiting takes a core.
  void gather_asleep(void* all, const detail::RankParts& parts) override {
    MPI_Request request;
    MPI_Iallgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, all, parts.count.data(), parts.at.data(),
                    MPI_UINT32_T, communicator_, &request);
    int done = 0;
    for (auto pause = std::chrono::microseconds(20);; pause *= pause.count() < 1000 ? 2 : 1) {
      MPI_Test(&request, &done, MPI_STATUS_IGNORE);
      if (done) return;
      std::this_thread::sleep_for(pause);
    }
  }
  void exchange(const void* from, const detail::RankParts& out, void* to,
                const detail::RankParts& in) override {
    MPI_Alltoallv(from, out.count.data(), out.at.data(), MPI_UINT32_T, to, in.count.data(),
                  in.at.data(), MPI_UINT32_T, communicator_);
  }

 private:
  MPI_Comm communicator_;
  int rank_ = 0, size_ = 1;
};

DASVDD_NAMESPACE_END
