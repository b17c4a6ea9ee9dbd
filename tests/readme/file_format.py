"""python3 file_format.py TOOL READER FOLDER: docs/file-format.md's reader and the tool give a model's rows the same scores."""

import os
import random
import subprocess
import sys

tool, reader, folder = sys.argv[1:]
os.makedirs(folder, exist_ok=True)
os.chdir(folder)


def run(*command):
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if result.returncode != 0:
        sys.exit(f"{' '.join(command)}: {result.stderr}")
    return result.stdout.split("\n")[:-1]


random.seed(7)
with open("rows.csv", "w") as file:
    for _ in range(60):
        a, b = random.gauss(0, 1), random.gauss(0, 1)
        values = [a, b, a + b, 100 * a - b, a * b + random.gauss(0, 0.1)]
        file.write(",".join(f"{value:.6g}" for value in values) + "\n")

trainings = {
    "one net, published score": ["--layers", "16,3", "--epochs", "30"],
    "no scaler, a sigmoid": ["--layers", "4", "--epochs", "5", "--no-standardize", "--output", "sigmoid"],
    "an ensemble, whitened": ["--epochs", "10"],
}
for name, options in trainings.items():
    run(tool, "fit", "rows.csv", "-o", "model.safetensors", *options)
    theirs = [float(line.split(",")[0]) for line in run(tool, "score", "model.safetensors", "rows.csv")[1:]]
    ours = [float(line) for line in run(sys.executable, reader, "model.safetensors", "rows.csv")]
    if len(theirs) != 60 or len(ours) != 60:
        sys.exit(f"{name}: {len(theirs)} and {len(ours)} scores, expected 60")
    if len(set(theirs)) < 50:
        sys.exit(f"{name}: the scores are alike, which proves nothing")
    # The tool computes in float: seven digits, a few of which a sum of squares of differences may cost.
    for i, (a, b) in enumerate(zip(ours, theirs)):
        if abs(a - b) > 1e-5 * max(a, 1e-2):
            sys.exit(f"{name}, row {i}: {a} by the page, {b} by the tool")
    print(f"{name}: largest relative difference {max(abs(a - b) / a for a, b in zip(ours, theirs)):.1e}")
