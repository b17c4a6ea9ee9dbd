#!/bin/sh
# Builds the Python package's wheel, installs it into a virtual environment of its own and runs its tests.
#   sh python/tests/run.sh FOLDER [--build BUILD] [--long]
# FOLDER gets the environment. --build: a build of the library by the same compiler; its compiled templates are not
# compiled once more, and its command-line tool is compared with. --long: also against PyOD and PyTorch, in Dask and Spark,
# on emulated CPUs without AVX-512 and AVX2, with the wheel as users build it.
# A test that can't run has failed; where no packages are to be had (no network), one sentence says so and the exit
# status is 1.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
. "$root/scripts/packages.sh"

folder=$1
shift
long='' build=''
while [ $# -gt 0 ]; do
  case "$1" in
    --long) long=yes ;;
    --build) shift; build=$(cd "$1" && pwd) ;;
    *) echo "python/tests/run.sh: unknown argument $1" >&2; exit 2 ;;
  esac
  shift
done

java=''
if [ -n "$long" ] && ! command -v java >/dev/null 2>&1; then java=default-jre-headless; fi
need_packages python3-venv python3-dev g++ libeigen3-dev nlohmann-json3-dev ${long:+qemu-user} $java || say "going on with what is there"

mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
python=$folder/environment/bin/python
[ -x "$python" ] || python3 -m venv "$folder/environment"

needed="numpy pytest scikit-learn tqdm pandas scikit-build-core nanobind ninja"
if [ -n "$long" ]; then needed="$needed pyod torch==2.13.0 dask distributed pyarrow psutil pyspark<4"; fi
# shellcheck disable=SC2086  # one word a package
if ! "$python" -m pip install --quiet --disable-pip-version-check $needed; then
  say "the Python tests have not run: pip can't get $needed (is there no network?)"
  exit 1
fi

# No build isolation: the packages above are there, and a build folder that stays makes a second run short.
set -- -C "build-dir=$folder/build"
archive=$build/libdasvdd_compiled.a
if [ -z "$long" ] && [ -n "$build" ] && [ -e "$archive" ]; then
  # Bindings without optimization: half of the compiler's time.
  set -- "$@" -C "cmake.define.DASVDD_COMPILED_ARCHIVE=$archive" -C "cmake.define.CMAKE_CXX_FLAGS_RELEASE=-O0"
fi
if [ -n "$build" ] && [ -x "$build/examples/dasvdd" ]; then
  DASVDD_TOOL=$build/examples/dasvdd
  export DASVDD_TOOL
fi
say "building the Python package"
"$python" -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --force-reinstall "$@" "$root/python"

tests="$root/python/tests"
if [ -z "$long" ]; then set -- --ignore "$tests/long"; else set --; fi
if [ -z "${DASVDD_TOOL:-}" ]; then
  say "without --build, test_cpp.py is left out: it compares with the command-line tool"
  set -- "$@" --ignore "$tests/test_cpp.py"
fi
cd "$folder"
OMP_WAIT_POLICY=passive DASVDD_NO_SKIPS=1 exec "$python" -m pytest -q -p no:cacheprovider "$tests" "$@"
