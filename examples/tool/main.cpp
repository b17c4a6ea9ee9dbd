/// \file
/// The command-line tool: `dasvdd fit`, `score`, `eval`, `info`, `export`, `import`; --help says the rest.

#include <tool/run.hpp>
#if DASVDD_TOOL_MPI
#include <tool/run_ranks.hpp>
#endif

#include <iostream>

int main(int argc, char** argv) {
#if DASVDD_TOOL_MPI
  return tool::run_ranks(argc, argv);
#else
  return tool::run(argc, argv, std::cout, std::cerr);
#endif
}
