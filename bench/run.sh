#!/bin/sh
# Benchmarks. On a fresh Debian machine nothing else need be typed.
set -eu

usage() {
  cat <<'TEXT'
usage: sh bench/run.sh speed|tables|growth|large|scale|doors|quality|decisions|calibration|comparators|many [OPTION...]
  speed   this library against PyTorch and onnxruntime on this machine: a table, build/bench/speed.json and .md;
          under ten minutes; options go to bench/speed.py (--help lists them)
  tables [--quick]
          what users call: fit with its defaults on tables of several sizes, fit_images, scores of the default ensemble,
          loading; beside PyOD's detectors where PyOD can be had. A quarter of an hour; --quick: a minute
  growth [PLOT...] [--out DIR]
          how speed grows with batch, width and rows, what threads gain, and a roofline: plots in build/bench or DIR, and a
          table of more threads than cores; minutes
  large [--folder DIR] [--size GB] [--memory BYTES]
          the command-line tool on a file of 20 GB, read in pieces, against rows in memory: rows a second and peak memory.
          Makes the file in build/bench or DIR and deletes it. Half an hour. More options: bench/large.py --help
  scale [--quick] [--busy] [--out DIR]
          training by one rank and by two under mpirun, interleaved; a model of it that is checked against them and drawn to
          1,024 ranks: tables, and scale.svg in build/bench or DIR. Minutes. --busy: on a machine that others use, processor time
  doors [--data FILE]
          the same rows and detector in C++, C, Python, PyTorch, ONNX engines and frozen, beside PyOD, onnxruntime and emlearn:
          differences, speed and size, build/doors/doors.md. Minutes, and half a gigabyte from PyPI. FILE has normal rows,
          csv or .npy; without it they are made up
  quality [--quick] [--split dte] [--data DIR]
          how well it detects, on published sets: build/bench/quality.md and bar plots. Hours; finished cells are kept,
          so it may be broken off and started again. --quick: under five minutes. DIR has mnist/*.gz, adbench/*.npz,
          pima/pima.csv, speech.npz, or some of them; Fashion-MNIST is Debian's. --split dte: tables as published
          tables split them. --only folder: every .npz below DIR. More options: bench/quality.py --help
  decisions [--data DIR] [--seeds N] [--contamination]
          what fit's p-values and threshold decide on every .npz below DIR: build/bench/decisions.md. Half a minute a
          table; finished fits are kept. More options: bench/decisions.py --help
  calibration [--fits N]
          thousands of fits to made-up rows: how often new normal rows get p-values of at most 0.01, 0.05 and 0.1, also with
          anomalies among the training rows. Prints a table. Half an hour; N is 10,000 unless given
  comparators [--split dte] [--folder] [--data DIR]
          other people's detectors (scikit-learn's, libsvm's one-class SVM among them, PyOD's and DeepOD's) on the same
          tables: build/bench/comparators.json, which quality shows beside this library's results. Hours, nearly all
          for PyOD and DeepOD; the others a minute. More options: bench/comparators.py --help
  many [--data DIR]
          ten thousand small detectors: milliseconds to fit one, bytes, milliseconds to score all, and ROC-AUC on the narrow
          tables of DIR/adbench beside k-means and kNN. Prints tables; two minutes
Builds under build/, or under $DASVDD_BUILD_ROOT where that is set.
TEXT
}

root=$(cd "$(dirname "$0")/.." && pwd)
build=${DASVDD_BUILD_ROOT:-$root/build}
. "$root/scripts/packages.sh"

# The peers: PyTorch and onnxruntime of the Python Package Index in a folder of their own, and Debian's PyTorch.
# Whatever can't be had is left out, and said so.
peers() {
  venv=$build/bench-venv
  if [ ! -e "$venv/complete" ]; then
    say "installing PyTorch and onnxruntime into $venv"
    if python3 -m venv "$venv" && "$venv/bin/pip" install -q torch==2.13.0 onnxruntime onnx numpy >"$venv/pip.log" 2>&1; then
      touch "$venv/complete"
    else
      say "no PyTorch 2 and no onnxruntime (see $venv/pip.log)"
    fi
  fi
  if [ -e "$venv/complete" ]; then set -- "$@" --python "torch 2=$venv/bin/python"; fi
  if /usr/bin/python3 -c 'import torch' 2>/dev/null; then set -- "$@" --python "Debian torch=/usr/bin/python3"; fi
  python3 "$root/bench/speed.py" --program "$build/bench/bench/bench_speed" \
    --native "$build/bench/bench/bench_speed_native" --build "$build/bench" "$@"
}

# build_programs [-DOPTION] NAME...: configures and builds programs of bench/.
build_programs() {
  option=''
  case "$1" in -D*) option=$1; shift ;; esac
  # shellcheck disable=SC2046  # two words or none
  (cd "$root" && cmake -B "$build/bench" $(generator_options "$build/bench") --log-level=WARNING \
    -DCMAKE_BUILD_TYPE=Release -DDASVDD_BUILD_TESTS=OFF -DDASVDD_BUILD_EXAMPLES=OFF -DDASVDD_BUILD_BENCH=ON ${option:+"$option"})
  cmake --build "$build/bench" --parallel "$(cores)" --target "$@"
}

speed() {
  need_packages g++ cmake ninja-build libeigen3-dev python3 python3-venv python3-torch libopenblas0-openmp ||
    say "going on with what is there"
  build_programs bench_speed bench_speed_native || build_programs bench_speed  # not every compiler knows -march=native
  peers "$@"
}

tables() {
  need_packages g++ cmake ninja-build libeigen3-dev nlohmann-json3-dev python3 python3-venv ||
    say "going on with what is there"
  build_programs bench_speed
  comparators_venv
  if [ -e "$venv/complete" ]; then set -- "$@" --python "$venv/bin/python"; fi
  python3 "$root/bench/tables.py" --program "$build/bench/bench/bench_speed" --build "$build/bench" "$@"
}

growth() {
  need_packages g++ cmake ninja-build libeigen3-dev libbenchmark-dev python3 || say "going on with what is there"
  build_programs bench_speed bench_kernels || build_programs bench_speed  # without Google Benchmark, without kernels
  python3 "$root/bench/growth.py" --program "$build/bench/bench/bench_speed" \
    --kernels "$build/bench/bench/bench_kernels" --build "$build/bench" "$@"
}

scale() {
  need_packages g++ cmake ninja-build libeigen3-dev libopenmpi-dev openmpi-bin python3
  build_programs -DDASVDD_MPI=ON bench_ranks
  python3 "$root/bench/scale.py" --program "$build/bench/bench/bench_ranks" --out "$build/bench" "$@"
}

large() {
  need_packages g++ cmake ninja-build libeigen3-dev $tool_packages python3 python3-numpy || say "going on with what is there"
  # shellcheck disable=SC2046  # two words or none
  (cd "$root" && cmake -B "$build/bench-tool" $(generator_options "$build/bench-tool") --log-level=WARNING \
    -DCMAKE_BUILD_TYPE=Release -DDASVDD_BUILD_TESTS=OFF -DDASVDD_BUILD_BENCH=OFF)
  cmake --build "$build/bench-tool" --parallel "$(cores)" --target dasvdd_tool
  mkdir -p "$build/bench"
  python3 "$root/bench/large.py" --tool "$build/bench-tool/examples/dasvdd" --folder "$build/bench" "$@"
}

# The package and the engines come from PyPI into a folder of their own.
doors() {
  need_packages g++ cmake ninja-build binutils libeigen3-dev $tool_packages python3 python3-venv python3-dev ||
    say "going on with what is there"
  # shellcheck disable=SC2046  # two words or none
  (cd "$root" && cmake -B "$build/doors" $(generator_options "$build/doors") --log-level=WARNING \
    -DCMAKE_BUILD_TYPE=Release -DDASVDD_BUILD_TESTS=OFF -DDASVDD_BUILD_EXAMPLES=ON -DDASVDD_BUILD_BENCH=ON -DDASVDD_BUILD_C=ON)
  cmake --build "$build/doors" --parallel "$(cores)" --target dasvdd_tool bench_doors dasvdd_c
  venv=$build/doors-venv
  if [ ! -e "$venv/complete" ]; then
    say "installing the package and the engines into $venv"
    python3 -m venv "$venv"
    "$venv/bin/pip" install -q "$root/python" >"$venv/pip.log" 2>&1 || say "no Python package (see $venv/pip.log)"
    for engine in "onnx onnxruntime" openvino torch==2.13.0 "pyod scikit-learn tqdm" emlearn; do
      # shellcheck disable=SC2086  # one word a package
      "$venv/bin/pip" install -q $engine >>"$venv/pip.log" 2>&1 || say "no $engine (see $venv/pip.log)"
    done
    touch "$venv/complete"
  fi
  "$venv/bin/python" "$root/bench/doors.py" --tool "$build/doors/examples/dasvdd" \
    --program "$build/doors/bench/bench_doors" --library "$build/doors" --output "$build/doors/doors.md" "$@"
}

quality() {
  need_packages g++ cmake ninja-build libeigen3-dev $tool_packages \
    python3 dataset-fashion-mnist || say "going on with what is there"
  build_programs bench_quality
  images=$(dpkg -L dataset-fashion-mnist 2>/dev/null | grep '/train-images-idx3-ubyte.gz$' | head -n 1 || true)
  python3 "$root/bench/quality.py" --program "$build/bench/bench/bench_quality" --build "$build/bench" \
    --fashion "${images%/*}" "$@"
}

decisions() {
  need_packages g++ cmake ninja-build libeigen3-dev $tool_packages \
    python3 || say "going on with what is there"
  build_programs bench_quality
  python3 "$root/bench/decisions.py" --program "$build/bench/bench/bench_quality" --build "$build/bench" "$@"
}

calibration() {
  need_packages g++ cmake ninja-build libeigen3-dev || say "going on with what is there"
  build_programs bench_calibration
  "$build/bench/bench/bench_calibration" "$@"
}

# PyOD comes with a scikit-learn of its own, in a folder of its own: $venv, which has a file `complete` if all went well.
comparators_venv() {
  venv=$build/comparators-venv
  if [ ! -e "$venv/complete" ]; then
    say "installing PyOD, PyTorch and scikit-learn into $venv"
    if python3 -m venv "$venv" &&
      "$venv/bin/pip" install -q pyod==3.6.7 torch==2.13.0 scikit-learn tqdm >"$venv/pip.log" 2>&1; then
      # DeepOD pins old releases of what it needs; the detectors run without them.
      "$venv/bin/pip" install -q --no-deps deepod==0.4.1 >>"$venv/pip.log" 2>&1 || say "no DeepOD (see $venv/pip.log)"
      touch "$venv/complete"
    else
      say "no PyOD (see $venv/pip.log)"
    fi
  fi
}

# Without PyOD Debian's scikit-learn does.
comparators() {
  need_packages python3 python3-venv python3-sklearn || say "going on with what is there"
  mkdir -p "$build/bench"
  comparators_venv
  python=/usr/bin/python3
  if [ -e "$venv/complete" ]; then python=$venv/bin/python; fi
  "$python" "$root/bench/comparators.py" --output "$build/bench/comparators.json" "$@"
}

# k-means and kNN are scikit-learn's: Debian's, or in a folder of its own.
many() {
  need_packages g++ cmake ninja-build libeigen3-dev $tool_packages python3 python3-venv python3-sklearn ||
    say "going on with what is there"
  build_programs bench_many
  python=/usr/bin/python3
  if ! "$python" -c 'import sklearn' 2>/dev/null; then
    python=$build/many-venv/bin/python
    if ! "$python" -c 'import sklearn' 2>/dev/null; then
      python3 -m venv "$build/many-venv" && "$python" -m pip install -q scikit-learn || say "no scikit-learn"
    fi
  fi
  "$python" "$root/bench/many.py" --program "$build/bench/bench/bench_many" "$@"
}

case "${1:-}" in
  speed) shift; speed "$@" ;;
  tables) shift; tables "$@" ;;
  growth) shift; growth "$@" ;;
  large) shift; large "$@" ;;
  scale) shift; scale "$@" ;;
  doors) shift; doors "$@" ;;
  quality) shift; quality "$@" ;;
  decisions) shift; decisions "$@" ;;
  calibration) shift; calibration "$@" ;;
  comparators) shift; comparators "$@" ;;
  many) shift; many "$@" ;;
  --help | -h) usage ;;
  *) usage >&2; exit 2 ;;
esac
