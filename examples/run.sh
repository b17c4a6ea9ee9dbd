#!/bin/sh
# Trains on real images, prints how well anomalies are found, and draws the most normal and the most anomalous of
# them. On a fresh Debian machine nothing else need be typed. All arguments go to the program (--help lists them).
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
build=${DASVDD_BUILD_ROOT:-$root/build}/release
. "$root/scripts/packages.sh"

need_packages g++ cmake ninja-build libeigen3-dev $tool_packages ||
  say "going on with what is there"

# Fashion-MNIST where Debian's package can be had, else the small digits that come along; or --data FOLDER.
case " $* " in
  *" --data"*) ;;
  *)
    need_packages dataset-fashion-mnist || true
    images=$(dpkg -L dataset-fashion-mnist 2>/dev/null | grep 'train-images' | head -n 1)
    if [ -n "$images" ]; then
      data=$(dirname "$images")
    else
      say "no Fashion-MNIST here: taking the 8x8 digits in examples/data"
      data=$root/examples/data
    fi
    set -- --data "$data" "$@"
    ;;
esac

case " $* " in
  *" --picture"*) ;;
  *) set -- --picture "$build/normal_and_anomalous.png" "$@" ;;
esac

# shellcheck disable=SC2046  # two words or none
cmake -S "$root" -B "$build" $(generator_options "$build") --log-level=WARNING -DCMAKE_BUILD_TYPE=Release -DDASVDD_BUILD_C=OFF \
  -DDASVDD_BUILD_TESTS=OFF -DDASVDD_BUILD_EXAMPLES=ON -DDASVDD_BUILD_BENCH=OFF
cmake --build "$build" --parallel "$(cores)"
exec "$build/examples/fashion" "$@"
