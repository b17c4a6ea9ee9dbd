#!/bin/sh
# Fuzzes everything that reads a file: `sh tests/fuzz.sh --help`.
# Builds under build/fuzz, or under $DASVDD_BUILD_ROOT where that is set.
set -eu

usage() {
  cat <<'TEXT'
usage: sh tests/fuzz.sh [SECONDS [READER...]]
  SECONDS for each reader (60 unless given), with libFuzzer and the address and undefined-behavior sanitizers;
  0 only builds the program.
  READER: model, bank, checkpoint, torch (a net to import), npy, npz, csv, idx, mat (all unless given).
Starts from tests/fuzz/corpus/READER and keeps what it finds in build/fuzz/corpus/READER. An input that breaks a reader
is left in build/fuzz/READER-*; put it into tests/fuzz/corpus/READER when the reader is mended.
Other inputs each time, or with $DASVDD_FUZZ_SEED those of that seed.
TEXT
}
case "${1:-}" in --help | -h) usage; exit 0 ;; esac
seconds=${1:-60}
case "$seconds" in '' | *[!0-9]*) usage >&2; exit 2 ;; esac
[ "$#" -eq 0 ] || shift
readers=${*:-model bank checkpoint torch npy npz csv idx mat}

root=$(cd "$(dirname "$0")/.." && pwd)
build=${DASVDD_BUILD_ROOT:-$root/build}/fuzz
. "$root/scripts/packages.sh"
# shellcheck disable=SC2086  # one word a package
need_packages clang libclang-rt-14-dev libeigen3-dev $tool_packages || say "going on with what is there"

mkdir -p "$build"
program=$build/fuzz
if [ ! -e "$program" ] || [ -n "$(find "$root/include" "$root/examples/tool" "$root/tests/fuzz" -newer "$program" -type f | head -n 1)" ]; then
  say "building $program"
  # The kernels for wide vectors read no file, and take a third of the time to compile.
  clang++ -std=c++17 -O1 -gline-tables-only -DDASVDD_NO_SIMD \
    -fno-omit-frame-pointer -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined \
    -I "$root/include" -I "$root/examples" -isystem "${EIGEN_INCLUDE_DIR:-/usr/include/eigen3}" -isystem /usr/include/stb \
    "$root/tests/fuzz/fuzz.cpp" -o "$program" -lz -lzip -lmatio
fi
[ "$seconds" -gt 0 ] || exit 0

# Every input is a file for a moment: in memory where there is such a folder, for a disk would be all that is measured.
files=$build
if [ -w /dev/shm ]; then files=/dev/shm; fi
files=$(mktemp -d "$files/dasvdd-fuzz-XXXXXX")
trap 'rm -rf "$files"' EXIT
trap 'exit 130' INT TERM

# run READER: the seconds are libFuzzer's, which ends by itself.
run() {
  mkdir -p "$build/corpus/$1"
  if DASVDD_FUZZ=$1 TMPDIR=$files "$program" -max_total_time="$seconds" -seed="${DASVDD_FUZZ_SEED:-0}" -rss_limit_mb=2048 \
    -max_len=16384 -timeout=20 -print_final_stats=1 -artifact_prefix="$build/$1-" "$build/corpus/$1" "$root/tests/fuzz/corpus/$1" \
    >"$build/$1.log" 2>&1; then
    say "$1: $(sed -n 's/stat::number_of_executed_units: *//p' "$build/$1.log") inputs in $seconds s, none broke it"
  else
    tail -n 40 "$build/$1.log" >&2
    say "$1: broken; the input is in $build/$1-*"
    return 1
  fi
}

# Two at a time.
status=0
# shellcheck disable=SC2086
set -- $readers
while [ "$#" -gt 0 ]; do
  first=$1
  shift
  run "$first" &
  one=$!
  if [ "$#" -gt 0 ]; then
    run "$1" || status=1
    shift
  fi
  wait "$one" || status=1
done
exit "$status"
