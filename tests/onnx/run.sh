#!/bin/sh
# Runs ONNX files of every kind of detector in the engines from PyPI and compares them with the library:
#   sh run.sh ONNX_MODELS FOLDER
# ONNX_MODELS is the program of models.cpp. The engines (some 200 MB) go into FOLDER/venv, the models into FOLDER/models.
# Exit status 77 where the engines can't be had.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
program=$1 folder=$2

if [ ! -x "$folder/venv/bin/python" ]; then
  python3 -m venv "$folder/venv" || exit 77
fi
"$folder/venv/bin/python" -c 'import onnx, onnxruntime, openvino, safetensors' 2>/dev/null ||
  "$folder/venv/bin/python" -m pip install -q onnx onnxruntime openvino safetensors || exit 77
rm -rf "$folder/models"
"$program" "$folder/models" >"$folder/models.txt"
exec "$folder/venv/bin/python" "$here/check.py" "$folder/models"
