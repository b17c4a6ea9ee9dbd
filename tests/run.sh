#!/bin/sh
# Builds and runs every test. On a fresh Debian machine nothing else need be typed.
set -eu

usage() {
  cat <<'TEXT'
usage: sh tests/run.sh [--strict] [--clang] [--sanitize] [--long]
  --strict     compiler warnings are errors
  --clang      all tests with Clang too, and 20 s of fuzzing for each reader of files
  --sanitize   all tests under the address, undefined-behavior and thread sanitizers too
  --long       longer checks too; engines for ONNX files are downloaded from PyPI
Builds under build/, or under $DASVDD_BUILD_ROOT where that is set.
TEXT
}

strict=OFF clang='' sanitize='' long=OFF python=''
for argument in "$@"; do
  case "$argument" in
    --strict) strict=ON ;;
    --clang) clang=yes ;;
    --sanitize) sanitize=yes ;;
    --long) long=ON ;;
    --help | -h) usage; exit 0 ;;
    *) echo "tests/run.sh: unknown argument $argument" >&2; usage >&2; exit 2 ;;
  esac
done

root=$(cd "$(dirname "$0")/.." && pwd)
build=${DASVDD_BUILD_ROOT:-$root/build}
. "$root/scripts/packages.sh"

# For the sanitizers: where an error comes from, and no verdict on libraries that were not compiled with them.
export UBSAN_OPTIONS=print_stacktrace=1 TSAN_OPTIONS=ignore_noninstrumented_modules=1
export LSAN_OPTIONS="suppressions=$root/tests/leaks.supp"

packages="g++ cmake ninja-build libeigen3-dev doctest-dev $tool_packages python3 pkg-config"
if [ -n "$clang$sanitize" ]; then packages="$packages clang libomp-dev libclang-rt-14-dev"; fi
if [ "$long" = ON ]; then
  packages="$packages python3-venv gcc-multilib g++-multilib gcc-arm-none-eabi libnewlib-arm-none-eabi qemu-system-arm"
  packages="$packages libopenmpi-dev openmpi-bin"
fi
# shellcheck disable=SC2086  # one word a package
need_packages $packages || say "going on with what is there"

# Most tests link dasvdd::compiled, which halves their compile time; the longer checks compile the headers in each.
compiled=ON mpi=OFF
if [ "$long" = ON ]; then compiled=OFF; fi
if [ "$long" = ON ] && command -v mpirun >/dev/null; then mpi=ON; fi

# run NAME OPTION...: configures build/NAME, builds it with all cores and runs its tests.
run() {
  name=$1
  shift
  say "tests in $build/$name"
  # shellcheck disable=SC2046  # two words or none
  (cd "$root" && cmake -B "$build/$name" $(generator_options "$build/$name") --log-level=WARNING \
    -DDASVDD_BUILD_TESTS=ON -DDASVDD_BUILD_EXAMPLES=ON -DDASVDD_BUILD_BENCH=OFF \
    -DCMAKE_COMPILE_WARNING_AS_ERROR=$strict -DDASVDD_LONG_TESTS=$long -DDASVDD_TEST_COMPILED=$compiled \
    -DDASVDD_MPI=$mpi "$@")
  cmake --build "$build/$name" --parallel "$(cores)"
  (cd "$build/$name" && ctest --output-on-failure -j "$(cores)")
}

run tests
say "tests of the Python package in $build/python"
if [ "$long" = ON ]; then set -- --long; else set --; fi
sh "$root/python/tests/run.sh" "$build/python" --build "$build/tests" "$@" || python=failed

# tests/same_bits uses both compilers whichever compiles the rest: once is enough. Of the rest Clang gets the
# rooms from core to train, mpi and eval, and in the longer checks everything; with the checks of a hardened standard library.
if [ -n "$clang" ]; then
  run tests-clang -DCMAKE_CXX_FLAGS=-D_GLIBCXX_ASSERTIONS -DCMAKE_CXX_COMPILER=clang++ -DCMAKE_C_COMPILER=clang -DDASVDD_TEST_COMPILERS=OFF \
    -DDASVDD_TEST_FUZZ=ON -DDASVDD_TEST_CONSUMERS=$long -DDASVDD_TEST_PROGRAMS=$long -DDASVDD_BUILD_EXAMPLES=$long -DDASVDD_BUILD_C=$long
fi
if [ -n "$sanitize" ]; then
  run asan --preset asan
  run tsan --preset tsan
fi
if [ "$long" = ON ] && [ -z "$clang" ]; then
  DASVDD_BUILD_ROOT=$build sh "$root/tests/fuzz.sh" 20
fi
# Last, so that a machine without a network has run all else.
if [ -n "$python" ]; then
  say "the tests of the Python package have failed, or could not run: see above"
  exit 1
fi
