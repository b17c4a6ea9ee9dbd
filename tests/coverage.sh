#!/bin/sh
# Measures which lines of include/ the tests run: `sh tests/coverage.sh --help`.
# Builds under build/coverage, or under $DASVDD_BUILD_ROOT where that is set.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
build=${DASVDD_BUILD_ROOT:-$root/build}
. "$root/scripts/packages.sh"

# Clang counts in the source, before any optimization, and sees inline functions that nobody calls.
need_packages clang llvm libomp-dev libclang-rt-14-dev cmake ninja-build libeigen3-dev doctest-dev nlohmann-json3-dev \
  libprotozero-dev python3 || say "going on with what is there"

# -O1: counting makes the kernels slow, optimizing the tests makes compiling slow. CLI11: the tests of examples/tool/
# are not about include/.
cmake=$build/coverage/cmake
flags="-O1 -w -fprofile-instr-generate -fcoverage-mapping"
(cd "$root" && cmake -B "$cmake" -G Ninja --log-level=WARNING -DCMAKE_EXPORT_COMPILE_COMMANDS=ON \
  -DCMAKE_CXX_COMPILER=clang++ -DCMAKE_BUILD_TYPE=None "-DCMAKE_CXX_FLAGS=$flags" \
  -DCMAKE_DISABLE_FIND_PACKAGE_CLI11=ON -DDASVDD_BUILD_TESTS=ON -DDASVDD_BUILD_EXAMPLES=OFF -DDASVDD_BUILD_BENCH=OFF \
  -DDASVDD_TEST_CONSUMERS=OFF -DDASVDD_TEST_COMPILERS=OFF) >/dev/null

PYTHONDONTWRITEBYTECODE=1 exec python3 "$root/tests/mutation/coverage.py" --build "$build/coverage" "$@"
