#!/usr/bin/env python3
"""Times what users call: fit, fit_images, scores of the default ensemble, a model's file; called by `sh bench/run.sh tables`.

This library and the peers are child processes, asked in turn, round after round, on made-up rows of the same sizes; a
figure is the median over the rounds. One thread's time is processor time. Peers are PyOD's detectors with their defaults
(kNN, LUNAR, DeepSVDD, AutoEncoder), in the Python that --python names, where PyOD is there.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys

# Training rows and features of PIMA, glass, 24_mnist, shuttle and InternetAds as bench/quality.py splits them, and of features
# of images by ResNet18 and by ViT.
SIZES = {"103x7": "14_glass", "250x8": "29_Pima", "3452x100": "24_mnist", "22793x9": "32_shuttle", "799x1555": "17_InternetAds",
         "115x512": "ResNet18", "115x1000": "ViT"}
QUICK = ("103x7", "250x8", "115x512")
PEERS = ("KNN", "LUNAR", "DeepSVDD", "AutoEncoder")
PEER_SIZES = ("250x8", "3452x100")

PEER_PROGRAM = r"""
import importlib, json, sys, time
import numpy as np, torch
torch.set_num_threads(1)
name, size, modules = sys.argv[1], sys.argv[2], {"KNN": "knn", "LUNAR": "lunar", "DeepSVDD": "deep_svdd",
                                                 "AutoEncoder": "auto_encoder"}
n, d = map(int, size.split("x"))
rng = np.random.default_rng(7)
factors = rng.normal(size=(n, 2))
j = np.arange(d)
X = (factors[:, :1] * np.cos(j) + factors[:, 1:] * np.sin(2 * j) + 0.3 * rng.normal(size=(n, d))).astype(np.float32)
kind = getattr(importlib.import_module("pyod.models." + modules[name]), name)
options = {}
accepted = kind.__init__.__code__.co_varnames[:kind.__init__.__code__.co_argcount]
if "n_features" in accepted: options["n_features"] = d
if "verbose" in accepted: options["verbose"] = 0
start = time.process_time()
detector = kind(**options).fit(X)
fit = time.process_time() - start
def a_row(rows, calls):
    start = time.process_time()
    for _ in range(calls): detector.decision_function(rows)
    return (time.process_time() - start) / calls / len(rows)
many = np.tile(X, (10000 // n + 1, 1))[:10000]
print(json.dumps({"fit": fit, "one": a_row(X[:1], 20) * 1e6, "many": 1 / a_row(many, 1)}))
"""


def ours(program, names, threads):
    """Figures by name: (value, unit)."""
    asked = subprocess.run([program, *names, "--threads", str(threads), "--seconds", "0.5"], check=True, text=True,
                           stdout=subprocess.PIPE)
    lines = [json.loads(line) for line in asked.stdout.splitlines()]
    return {line["name"]: (line["value"], line["unit"]) for line in lines if line["unit"]}


def peer(python, name, size):
    asked = subprocess.run([python, "-c", PEER_PROGRAM, name, size], text=True, stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE)
    lines = asked.stdout.splitlines()
    if asked.returncode or not lines:
        sentences = asked.stderr.strip().splitlines() or ["no answer"]
        print(f"dasvdd: left out: PyOD's {name}: {sentences[-1]}", file=sys.stderr)
        return None
    return json.loads(lines[-1])


def main():
    parser = argparse.ArgumentParser(prog="sh bench/run.sh tables", description=__doc__.splitlines()[0])
    parser.add_argument("--program", required=True, help=argparse.SUPPRESS)
    parser.add_argument("--build", required=True, type=pathlib.Path, help=argparse.SUPPRESS)
    parser.add_argument("--python", help=argparse.SUPPRESS)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="three small tables, one round, no images")
    options = parser.parse_args()
    sizes = QUICK if options.quick else tuple(SIZES)
    names = [f"fit {size}" for size in sizes] + ["score_fit 1", "score_fit 10000", "load_fit 250x8"]
    if not options.quick:
        names.append("fit_images 6000x784")
    figures, peers = {}, {}
    for round_ in range(1 if options.quick else options.rounds):
        for threads in (1, 2):
            slow = [name for name in names if not (round_ and name.startswith("fit_images"))]
            for name, (value, unit) in ours(options.program, slow, threads).items():
                figures.setdefault((name, threads), []).append((value, unit))
        for name in PEERS if options.python else ():
            for size in PEER_SIZES[:1] if options.quick else PEER_SIZES:
                found = peer(options.python, name, size) if (name, size) not in peers or peers[name, size] else None
                peers.setdefault((name, size), []).extend([found] if found else [])

    lines = ["| | size of | threads 1 | threads 2 | unit |", "| --- | --- | --- | --- | --- |"]
    for name in names:
        cells = []
        for threads in (1, 2):
            values = figures.get((name, threads), [])
            cells.append(f"{statistics.median(value for value, _ in values):.4g}" if values else "-")
        unit = figures[name, 1][0][1] if (name, 1) in figures else ""
        lines.append(f"| {name} | {SIZES.get(name.split()[1], '')} | {cells[0]} | {cells[1]} | {unit} |")
    measured = {key: values for key, values in peers.items() if values}
    if measured:
        lines += ["", "One thread. PyOD's detectors with their defaults:", "",
                  "| | fit, s | one row, us | 10,000 rows, rows/s |", "| --- | --- | --- | --- |"]
        for (name, size), values in measured.items():
            medians = [statistics.median(value[key] for value in values) for key in ("fit", "one", "many")]
            lines.append(f"| {name} {size} | {medians[0]:.3g} | {medians[1]:.4g} | {medians[2]:,.0f} |")
    text = "\n".join(lines) + "\n"
    (options.build / "tables.md").write_text(text)
    print(text, end="")


if __name__ == "__main__":
    main()
