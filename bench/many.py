#!/usr/bin/env python3
"""Many small detectors beside k-means with two clusters and kNN; called by `sh bench/run.sh many`.

Prints what one detector costs, what 10,000 cost to score, and ROC-AUC x 100 on the tables with at most 12 features:
even-numbered normal rows train, thinned to at most 1,440; the other normal rows and all anomalies are the test. k-means
is scored by the distance to the nearest center, and by the mean distance to both, as monitoring agents do; it has the
best of ten starts. Features are standardized by the training rows for all.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

from comparators import thinned
from quality import adbench_sets

MOST_FEATURES, MOST_ROWS = 12, 1440


def split(path):
    """Training rows, test rows and the test rows' labels."""
    with np.load(path, allow_pickle=True) as file:
        X, anomaly = file["X"].astype(np.float64), file["y"].ravel() != 0
    if X.shape[1] > MOST_FEATURES:
        return None
    normal, anomalies = X[~anomaly], thinned(X[anomaly], 10_000)
    train, fresh = thinned(normal[0::2], MOST_ROWS), thinned(normal[1::2], 50_000)
    return train, np.concatenate([fresh, anomalies]), np.arange(len(fresh) + len(anomalies)) >= len(fresh)


def peers(train, test, anomaly):
    """ROC-AUC of k-means by nearest center, by both centers, and of kNN; nothing without scikit-learn."""
    try:
        from sklearn.cluster import KMeans
        from sklearn.metrics import roc_auc_score
        from sklearn.neighbors import NearestNeighbors
    except ImportError as error:
        print(f"left out: k-means and kNN ({error})", file=sys.stderr)
        return [None] * 3
    mean, deviation = train.mean(axis=0), train.std(axis=0)
    deviation[deviation == 0] = 1
    train, test = (train - mean) / deviation, (test - mean) / deviation
    distances = KMeans(2, n_init=10, random_state=0).fit(train).transform(test)
    neighbors = NearestNeighbors(n_neighbors=5).fit(train).kneighbors(test)[0].mean(axis=1)
    return [float(roc_auc_score(anomaly, s)) for s in (distances.min(axis=1), distances.mean(axis=1), neighbors)]


def cell(value):
    return "-" if value is None else f"{100 * value:.2f}"


def main():
    parser = argparse.ArgumentParser(prog="sh bench/run.sh many", description=__doc__.split(";")[0] + ".")
    parser.add_argument("--data", type=pathlib.Path, default=pathlib.Path("data"), metavar="DIR",
                        help="folder with adbench/*.npz (default: data)")
    parser.add_argument("--program", required=True, help=argparse.SUPPRESS)
    args = parser.parse_args()

    def run(*words):
        return json.loads(subprocess.run([args.program, *words], check=True, capture_output=True, text=True).stdout)

    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    with tempfile.TemporaryDirectory() as folder:
        speed = run("--speed", folder)
        print(f"One detector of 6 features; load of the machine {load:.1f}\n\n| | measured | target |\n| --- | --- | --- |")
        for name, value, target in (
            ("fit, 1,440 rows, CPU time", f"{speed['fit_ms_1440']:.1f} ms", "20 ms"),
            ("fit, 200 rows, CPU time", f"{speed['fit_ms_200']:.1f} ms", "20 ms"),
            ("in memory", f"{speed['bytes_memory']:,} bytes", "8,192"),
            ("on disk, with its key", f"{speed['bytes_file']:,.0f} bytes", "8,192"),
            ("10,000 detectors, one row each, one thread, CPU time", f"{speed['score_10000_ms_1_thread']:.1f} ms", "10 ms"),
            ("the same, wall time", f"{speed['score_10000_wall_ms_1_thread']:.1f} ms", ""),
            ("the same by key, all threads, wall time", f"{speed['score_10000_wall_ms_by_key_all_threads']:.1f} ms", ""),
            ("file of 10,000 detectors, written", f"{speed['save_ms']:.0f} ms", ""),
            ("read", f"{speed['load_ms']:.0f} ms", ""),
            ("one detector of it read", f"{speed['load_one_ms']:.2f} ms", ""),
        ):
            print(f"| {name} | {value} | {target} |")
        splits = {}
        for name in adbench_sets(args.data):
            parts = split(args.data / "adbench" / f"{name}.npz")
            if parts is None:
                continue
            splits[name] = parts
            for part, array in zip(("train", "test", "labels"), parts):
                np.save(f"{folder}/{name}.{part}.npy", array.astype(np.int64) if part == "labels" else array)
        if not splits:
            parser.error(f"no table of at most {MOST_FEATURES} features in {args.data}/adbench")
        ours = run("--quality", folder, *splits)
    print("\n| table | rows x features | small DASVDD | k-means, nearest | k-means, both | kNN | fit ms | bytes | false alarms % |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    results = []
    for name, (train, test, anomaly) in splits.items():
        result = [ours[name]["roc_auc"], *peers(train, test, anomaly)]
        results.append(result)
        print(f"| {name} | {train.shape[0]} x {train.shape[1]} | " + " | ".join(map(cell, result)) +
              f" | {ours[name]['fit_ms']:.1f} | {ours[name]['bytes']:,} | {100 * ours[name]['false_alarms']:.2f} |", flush=True)
    means = [None if any(r[k] is None for r in results) else sum(r[k] for r in results) / len(results) for k in range(4)]
    print("| mean | | " + " | ".join(map(cell, means)) + " | | | |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
