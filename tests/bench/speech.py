#!/usr/bin/env python3
"""Tests the way of Speech (ODDS) through the quality benchmark on made-up rows of that set's shape.

The set itself is not here: what is tested is that a speech.npz put into the data folder is found, read, split and
trained on with the paper's net, and that without it the table says so by name.

usage: speech.py QUALITY.PY BENCH_QUALITY
"""
import array
import json
import pathlib
import random
import struct
import subprocess
import sys
import tempfile
import zipfile

ROWS, FEATURES, ANOMALIES = 3686, 400, 61


def npy(code, shape, values):
    header = f"{{'descr': '{code}', 'fortran_order': False, 'shape': {shape}, }}".encode()
    header += b" " * (-(10 + len(header) + 1) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + values.tobytes()


def write_speech(path):
    """Noise; an anomaly is moved by three deviations in a tenth of the features. Anomalies last, as in the set."""
    draw = random.Random(1)
    X, y = array.array("f"), array.array("b")
    for i in range(ROWS):
        anomaly = i >= ROWS - ANOMALIES
        row = [draw.gauss(0, 1) for _ in range(FEATURES)]
        X.extend(x + 3 if anomaly and j % 10 == 0 else x for j, x in enumerate(row))
        y.append(anomaly)
    if sys.byteorder == "big":
        X.byteswap()
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("X.npy", npy("<f4", (ROWS, FEATURES), X))
        file.writestr("y.npy", npy("|i1", (ROWS, 1), y))


def expect(truth, what):
    if not truth:
        sys.exit(f"speech.py: expected {what}")


def cell(program, data, text):
    command = [program, "--data", data, "--threads", "1"]
    output = subprocess.run(command, input=text + "\n", text=True, capture_output=True, check=True).stdout
    return json.loads(output)


def main():
    script, program = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, script, "--program", program, "--build", folder, "--data", folder]

        def run(*options):
            return subprocess.run([*command, *options], text=True, capture_output=True, check=True)

        without = run()  # an empty data folder: nothing to run
        page = pathlib.Path(folder, "quality.md").read_text()
        for name in ("Speech", "AWID-3", "MIMII"):
            expect(f"- {name}: " in page, f"'{name}' among what was not run, got {page}")
            expect(f"not run: {name}: " in without.stderr, f"'not run: {name}', got {without.stderr}")
        answer = cell(program, folder, "speech - 0 epochs=1")
        expect("speech.npz" in answer.get("error", ""), f"an error that names speech.npz, got {answer}")

        write_speech(pathlib.Path(folder, "speech.npz"))
        listed = run("--list").stdout
        expect("speech: 10 cells, 0 done\n" in listed, f"ten cells of speech, got {listed}")
        # The latent term needs hundreds of epochs until codes and center have met; until then it would hide the rest.
        answer = cell(program, folder, "speech - 0 epochs=1,gamma=0")
        expect("error" not in answer, f"no error, got {answer}")
        normal = ROWS - ANOMALIES
        shape = {"train": (normal + 1) // 2, "test": normal // 2 + ANOMALIES, "anomalies": ANOMALIES,
                 "features": FEATURES}
        for key, value in shape.items():
            expect(answer[key] == value, f"{key} of {value}, got {answer}")
        # An anomaly's squared length is 760 +- 75, a normal row's 400 +- 28, and one epoch gives back little of either.
        expect(answer["roc_auc"] > 0.95, f"anomalies told from normal rows, got {answer}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
