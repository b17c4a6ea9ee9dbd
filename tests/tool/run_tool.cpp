// The whole command line, compiled once for all tests of it.

#include "support.hpp"

#include <tool/run.hpp>

int tool_tests::run_tool(int argc, const char* const* argv, std::ostream& out, std::ostream& err,
                         std::istream& in) {
  return tool::run(argc, argv, out, err, in);
}
