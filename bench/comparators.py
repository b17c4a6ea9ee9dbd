#!/usr/bin/env python3
"""Other people's detectors on the splits of bench/quality.py's tables; called by `sh bench/run.sh comparators`.

Their results go to comparators.json, {set: {detector: {"roc_auc", "average_precision", "seconds"}}}, which quality.py
shows beside this library's; a set with anomalies mixed into its training rows is called `SET contamination=0.1`. What
is finished is kept. A detector whose package isn't there is named and left out.

scikit-learn: one-class SVM (libsvm), isolation forest, local outlier factor, k nearest neighbors, principal components,
Mahalanobis distance. PyOD, with its defaults: see PYOD. Features are standardized by the training rows. One thread;
detectors whose cost grows faster than the rows train on at most 10,000.
"""
import argparse
import importlib
import json
import math
import os
import pathlib
import sys
import time
import warnings

import numpy as np

FEW = 10_000
PYOD = {"DeepSVDD": "deep_svdd", "AutoEncoder": "auto_encoder", "VAE": "vae", "LUNAR": "lunar", "DIF": "dif",
        "INNE": "inne", "GMM": "gmm", "ECOD": "ecod", "COPOD": "copod", "HBOS": "hbos"}
LEVELS = (0, 0.01, 0.05, 0.1)


def say(text):
    print(text, file=sys.stderr, flush=True)


# ---- splits, as bench_quality makes them ------------------------------------------------------------------------------


def thinned(rows, most):
    """Every ceil(n / most)-th row."""
    return rows[::-(-len(rows) // most)] if len(rows) > most else rows


def split(path, contamination=None):
    """Training rows, test rows and the test rows' labels, standardized by the training rows."""
    with np.load(path, allow_pickle=True) as file:
        X, anomaly = file["X"].astype(np.float64), file["y"].ravel() != 0
    normal, anomalies = X[~anomaly], thinned(X[anomaly], 10_000)
    train, normal = thinned(normal[0::2], 50_000), thinned(normal[1::2], 50_000)
    if contamination is not None:
        spare, anomalies = anomalies[0::2], anomalies[1::2]
        count = min(len(spare), math.floor(contamination / (1 - contamination) * len(train) + 0.5))
        train = np.concatenate([train, spare[np.arange(count) * len(spare) // max(count, 1)]])
    test = np.concatenate([normal, anomalies])
    mean, deviation = train.mean(axis=0), train.std(axis=0)
    deviation[deviation == 0] = 1
    return (train - mean) / deviation, (test - mean) / deviation, np.arange(len(test)) >= len(normal)


# ---- detectors: (training rows, test rows) -> scores, larger is more anomalous ----------------------------------------


def of_sklearn():
    from sklearn.covariance import EmpiricalCovariance
    from sklearn.decomposition import PCA
    from sklearn.ensemble import IsolationForest
    from sklearn.neighbors import LocalOutlierFactor, NearestNeighbors
    from sklearn.svm import OneClassSVM

    def residual_of_components(train, test):
        pca = PCA(n_components=0.9, svd_solver="full").fit(train)
        return np.square(test - pca.inverse_transform(pca.transform(test))).sum(axis=1)

    def local_outlier_factor(train, test):
        train = thinned(train, FEW)
        return -LocalOutlierFactor(n_neighbors=min(20, len(train) - 1), novelty=True).fit(train).score_samples(test)

    def neighbors(train, test):
        return NearestNeighbors(n_neighbors=5).fit(thinned(train, FEW)).kneighbors(test)[0].mean(axis=1)

    return {
        "OneClassSVM": lambda train, test: -OneClassSVM(nu=0.1).fit(thinned(train, FEW)).score_samples(test),
        "IsolationForest": lambda train, test: -IsolationForest(random_state=0).fit(train).score_samples(test),
        "LOF": local_outlier_factor,
        "kNN": neighbors,
        "PCA": residual_of_components,
        "Mahalanobis": lambda train, test: EmpiricalCovariance().fit(train).mahalanobis(test),
    }


def of_pyod(name):
    """A detector of PyOD with its defaults; what must be given, and a seed where there is one to give."""
    class_ = getattr(importlib.import_module(f"pyod.models.{PYOD[name]}"), name)

    def scores(train, test):
        np.random.seed(0)
        if "torch" in sys.modules:
            sys.modules["torch"].manual_seed(0)
            sys.modules["torch"].set_num_threads(1)
        options = {}
        accepted = class_.__init__.__code__.co_varnames[:class_.__init__.__code__.co_argcount]
        if "n_features" in accepted:
            options["n_features"] = train.shape[1]
        if "random_state" in accepted:
            options["random_state"] = 0
        if "verbose" in accepted:
            options["verbose"] = 0
        return class_(**options).fit(thinned(train, FEW)).decision_function(test)

    return scores


def detectors():
    """Those that are there, by name."""
    found = {}
    try:
        found.update(of_sklearn())
    except ImportError as error:
        say(f"left out: scikit-learn's detectors ({error})")
    for name in PYOD:
        try:
            found[name] = of_pyod(name)
        except Exception as error:  # PyOD's own parts are missing in several ways
            say(f"left out: PyOD's {name} ({error})")
    return found


def measured(detector, train, test, anomaly):
    from sklearn.metrics import average_precision_score, roc_auc_score
    start = time.perf_counter()
    scores = np.nan_to_num(detector(train, test))
    seconds = time.perf_counter() - start
    return {"roc_auc": round(float(roc_auc_score(anomaly, scores)), 4),
            "average_precision": round(float(average_precision_score(anomaly, scores)), 4),
            "seconds": round(seconds, 2)}


def replace(path, text):
    """Writes a file whole or not at all."""
    beside = path.with_name(path.name + ".new")
    beside.write_text(text)
    os.replace(beside, path)


def main():
    parser = argparse.ArgumentParser(prog="sh bench/run.sh comparators", description=__doc__.split(";")[0] + ".")
    parser.add_argument("--data", type=pathlib.Path, default=pathlib.Path("data"), metavar="DIR",
                        help="folder with adbench/*.npz (default: data)")
    parser.add_argument("--only", nargs="+", metavar="DETECTOR", help="only these detectors")
    parser.add_argument("--sets", nargs="+", metavar="SET", help="only these sets")
    parser.add_argument("--contamination", action="store_true",
                        help="the splits of the table `contamination` too, scikit-learn's detectors alone")
    parser.add_argument("--output", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    args = parser.parse_args()
    warnings.filterwarnings("ignore")

    paths = sorted((args.data / "adbench").glob("*.npz"), key=lambda p: int(p.name.split("_")[0]))
    paths = [p for p in paths if not args.sets or p.stem in args.sets]
    if not paths:
        parser.error(f"no set in {args.data}/adbench")
    known = detectors()
    unknown = set(args.only or ()) - set(known)
    if unknown:
        parser.error(f"no detector {', '.join(sorted(unknown))}; there are: {' '.join(known)}")
    results = json.loads(args.output.read_text()) if args.output.exists() else {}
    for path in paths:
        for level in (None, *(LEVELS if args.contamination else ())):
            name = path.stem if level is None else f"{path.stem} contamination={level:g}"
            wanted = [d for d in known if (not args.only or d in args.only) and (level is None or d not in PYOD)
                      and d not in results.get(name, {})]
            if not wanted:
                continue
            train, test, anomaly = split(path, level)
            for detector in wanted:
                try:
                    answer = measured(known[detector], train, test, anomaly)
                except Exception as error:  # one that fails on a set is no reason to lose the others
                    say(f"{name}: {detector}: {error}")
                    continue
                results.setdefault(name, {})[detector] = answer
                replace(args.output, json.dumps(results, indent=1) + "\n")
                say(f"{name}: {detector}: ROC-AUC {100 * answer['roc_auc']:.2f}, {answer['seconds']:.1f} s")
    say(f"written: {args.output}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
