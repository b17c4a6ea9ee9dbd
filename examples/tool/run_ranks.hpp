#pragma once
/// \file
/// The tool under mpirun: one command in several processes, of which the first speaks.

#include <tool/run.hpp>

#include <dasvdd/mpi/mpi_ranks.hpp>

#include <chrono>
#include <iostream>
#include <sstream>
#include <string>
#include <thread>

namespace tool {

/// Waits until all ranks have come here. Where some haven't after a while, they wait for this one in the midst of a
/// training, and would for ever: false.
inline bool all_have_come(MPI_Comm communicator, bool patient) {
  using Clock = std::chrono::steady_clock;
  MPI_Request request;
  MPI_Ibarrier(communicator, &request);
  const auto start = Clock::now();
  for (int come = 0;;) {
    MPI_Test(&request, &come, MPI_STATUS_IGNORE);
    if (come) return true;
    if (!patient && Clock::now() - start > std::chrono::seconds(10)) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

/// run() on all ranks. Results and sentences are those of the first; where it has done well, those of the first that
/// hasn't. A rank that fails alone says so and ends the others.
inline int run_ranks(int argc, char** argv) {
  int provided = 0;
  MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided);
  int status = 0;
  {
    MPI_Comm own;  // of messages about messages
    MPI_Comm_dup(MPI_COMM_WORLD, &own);
    dasvdd::MpiRanks ranks, about(own);
    const bool first = ranks.rank() == 0;
    std::ostringstream silent, said;
    status = run(argc, argv, first ? std::cout : silent, first ? std::cerr : said, std::cin, ranks);
    const std::string rank_name = "dasvdd: rank " + std::to_string(ranks.rank()) + ": ";
    if (!all_have_come(own, status == 0)) {
      if (!first) std::cerr << rank_name << said.str();
      std::cerr << rank_name << "has failed, which ends all ranks" << std::endl;
      MPI_Abort(MPI_COMM_WORLD, status);
    }
    const auto statuses = about.numbers(status);
    for (int r = 0; r < ranks.size(); ++r) {
      if (statuses[static_cast<std::size_t>(r)] == 0) continue;
      status = static_cast<int>(statuses[static_cast<std::size_t>(r)]);
      if (r == ranks.rank() && r > 0) std::cerr << rank_name << said.str();
      break;
    }
    MPI_Comm_free(&own);
  }
  MPI_Finalize();
  return status;
}

}  // namespace tool
