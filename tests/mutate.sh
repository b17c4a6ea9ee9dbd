#!/bin/sh
# Breaks include/ in many places, one at a time, and says which breaks no test notices: `sh tests/mutate.sh --help`.
# Works on copies under build/mutation, or under $DASVDD_BUILD_ROOT where that is set.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
build=${DASVDD_BUILD_ROOT:-$root/build}
. "$root/scripts/packages.sh"

need_packages g++ cmake ninja-build libeigen3-dev doctest-dev nlohmann-json3-dev libprotozero-dev \
  python3 || say "going on with what is there"

# Configured for the compiler's options of each test source; nothing is built there.
cmake=$build/mutation/cmake
# shellcheck disable=SC2046  # two words or none
(cd "$root" && cmake -B "$cmake" $(generator_options "$cmake") --log-level=WARNING -DCMAKE_EXPORT_COMPILE_COMMANDS=ON \
  -DDASVDD_BUILD_TESTS=ON -DDASVDD_BUILD_EXAMPLES=OFF -DDASVDD_BUILD_BENCH=OFF -DDASVDD_TEST_CONSUMERS=OFF \
  -DDASVDD_TEST_COMPILERS=OFF -DCMAKE_CXX_COMPILER_LAUNCHER=) >/dev/null

PYTHONDONTWRITEBYTECODE=1 exec python3 "$root/tests/mutation/mutate.py" \
  --build "$build/mutation" --coverage "$build/coverage/lines.json" "$@"
