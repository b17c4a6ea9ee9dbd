#!/bin/sh
# Freezes detectors of the digits in examples/data, and a net of MLPerf Tiny's shape, and runs them on every target:
#   sh run.sh TOOL PYTHON FOLDER
set -eu
tool=$1 python=$2 folder=$3
here=$(cd "$(dirname "$0")" && pwd)
digits=$here/../../examples/data
mkdir -p "$folder"
for form in "--layers 32,8" "--net lenet" ""; do
  # shellcheck disable=SC2086  # two words or none
  "$tool" fit "$digits/train-images-idx3-ubyte.gz" --labels "$digits/train-labels-idx1-ubyte.gz" --normal 8 \
    $form --epochs 5 -o "$folder/model"
  "$python" "$here/devices.py" "$tool" "$folder/model" "$digits/t10k-images-idx3-ubyte.gz" \
    --labels "$digits/t10k-labels-idx1-ubyte.gz" --normal 8
done
# MLPerf Tiny's net, where DASVDD_MLPERF_TINY names the folder of its files; else one of its shape.
"$python" "$here/mlperf_tiny.py" "$tool" "$folder" ${DASVDD_MLPERF_TINY:+--data "$DASVDD_MLPERF_TINY"}
