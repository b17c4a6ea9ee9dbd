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

with open("images.csv", "w") as file:  # a few of 2 channels, 3 x 4, some numbers negative
    for _ in range(12):
        file.write(",".join(f"{random.uniform(-0.2, 1):.6g}" for _ in range(24)) + "\n")

with open("rows.csv") as rows, open("named.csv", "w") as file, open("turned.csv", "w") as turned:
    file.write("a,b,c,d,e\n")
    turned.write("d,b,e,a,c\n")
    for line in rows:
        fields = line.strip().split(",")
        file.write(line)
        turned.write(",".join(fields[k] for k in (3, 1, 4, 0, 2)) + "\n")

images = ["--image-shape", "2,3,4", "--epochs", "1"]
trainings = {
    "one net, published score": ("rows.csv", ["--layers", "16,3", "--epochs", "30"]),
    "no scaler, a sigmoid": ("rows.csv", ["--layers", "4", "--epochs", "5", "--no-standardize", "--output", "sigmoid"]),
    "an ensemble, several centers": ("rows.csv", ["--epochs", "10"]),
    "features with names": ("named.csv", ["--layers", "16,3", "--epochs", "30"]),
    "images, softened": ("images.csv", images),
    "images, contrast normalized": ("images.csv", [*images, "--image-kind", "photographs"]),
}
for name, (rows, options) in trainings.items():
    run(tool, "fit", rows, "-o", "model.safetensors", *options)
    named = rows == "named.csv"
    if named:
        rows = "turned.csv"  # the same columns in another order
    theirs = [float(line.split(",")[0]) for line in run(tool, "score", "model.safetensors", rows)[1:]]
    ours = [float(line) for line in run(sys.executable, reader, "model.safetensors", rows)]
    count = len(open(rows).readlines()) - named
    if len(theirs) != count or len(ours) != count:
        sys.exit(f"{name}: {len(theirs)} and {len(ours)} scores, expected {count}")
    if len(set(theirs)) < 0.8 * count:
        sys.exit(f"{name}: the scores are alike, which proves nothing")
    # The tool computes in float: seven digits, a few of which sums of squares of differences of differences may cost.
    for i, (a, b) in enumerate(zip(ours, theirs)):
        if abs(a - b) > 3e-5 * max(a, 1e-2):
            sys.exit(f"{name}, row {i}: {a} by the page, {b} by the tool")
    print(f"{name}: largest relative difference {max(abs(a - b) / a for a, b in zip(ours, theirs)):.1e}")
