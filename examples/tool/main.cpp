/// \file
/// The command-line tool: `dasvdd fit`, `score`, `eval`, `info`, `export`, `import`; --help says the rest.

#include <tool/run.hpp>

#include <iostream>

int main(int argc, char** argv) { return tool::run(argc, argv, std::cout, std::cerr); }
