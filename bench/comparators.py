#!/usr/bin/env python3
"""Other people's detectors on the splits of bench/quality.py's tables; called by `sh bench/run.sh comparators`.

Their results go to comparators.json, {set: {detector: {"roc_auc", "average_precision", "seconds"}}}, which quality.py
shows beside this library's; a set with anomalies mixed into its training rows is called `SET contamination=0.1`, one
split as in published tables `SET split=dte` (the mean of its seeds). What is finished is kept. A detector whose package
isn't there is named and left out.

scikit-learn: one-class SVM (libsvm), isolation forest, local outlier factor, k nearest neighbors, principal components,
Mahalanobis distance, and DTE's non-parametric form. PyOD and DeepOD, with their defaults: see PYOD and DEEPOD. Features
are standardized by the training rows. One thread; detectors whose cost grows faster than the rows train on at most
10,000.
"""
import argparse
import importlib
import json
import math
import pathlib
import sys
import time
import warnings

import numpy as np

from quality import adbench_sets, drawn_bits, folder_tables, replace

FEW = 10_000
PYOD = {"DeepSVDD": "deep_svdd", "AutoEncoder": "auto_encoder", "VAE": "vae", "LUNAR": "lunar", "DIF": "dif",
        "INNE": "inne", "GMM": "gmm", "ECOD": "ecod", "COPOD": "copod", "HBOS": "hbos"}
DEEPOD = {"ICL": "icl", "SLAD": "slad", "NeuTraL": "neutral", "GOAD": "goad", "RCA": "rca"}
LEVELS = (0, 0.01, 0.05, 0.1)


def say(text):
    print(text, file=sys.stderr, flush=True)


# ---- splits, as bench_quality makes them ------------------------------------------------------------------------------


def thinned(rows, most):
    """Every ceil(n / most)-th row."""
    return rows[::-(-len(rows) // most)] if len(rows) > most else rows


def dte_split(X, anomaly, seed):
    """As bench_quality's dte_split: training rows, normal and anomalous test rows."""
    if len(X) < 1000:
        drawn = [drawn_bits(seed, i) % len(X) for i in range(1000)]
        X, anomaly = X[drawn], anomaly[drawn]
    normal = X[~anomaly]
    half = len(normal) // 2
    return normal[:half], normal[half:], X[anomaly]


def split(path, contamination=None, dte_seed=None):
    """Training rows, test rows and the test rows' labels, standardized by the training rows."""
    with np.load(path, allow_pickle=True) as file:
        if "train" in file.files:
            anomaly = file["test_labels"].ravel() != 0
            test = file["test"].astype(np.float64)
            return standardized(file["train"].astype(np.float64), test[~anomaly], test[anomaly])
        X, anomaly = file["X"].astype(np.float64), file["y"].ravel() != 0
    if dte_seed is not None:
        return standardized(*dte_split(X, anomaly, dte_seed))
    normal, anomalies = X[~anomaly], thinned(X[anomaly], 10_000)
    train, normal = thinned(normal[0::2], 50_000), thinned(normal[1::2], 50_000)
    if contamination is not None:
        spare, anomalies = anomalies[0::2], anomalies[1::2]
        count = min(len(spare), math.floor(contamination / (1 - contamination) * len(train) + 0.5))
        train = np.concatenate([train, spare[np.arange(count) * len(spare) // max(count, 1)]])
    return standardized(train, normal, anomalies)


def standardized(train, normal, anomalies):
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

    def dte_non_parametric(train, test):
        # Livernoche et al. 2024: the posterior of the diffusion time given the nearest training rows grows with the
        # mean of their squared distances, whatever the features: the ranking is that of the mean.
        nearest = NearestNeighbors(n_neighbors=min(5, len(train))).fit(thinned(train, FEW))
        return np.square(nearest.kneighbors(test)[0]).mean(axis=1)

    return {
        "DTE-NP": dte_non_parametric,
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


def of_deepod(name):
    """A detector of DeepOD with its defaults, on the CPU."""
    class_ = getattr(importlib.import_module(f"deepod.models.tabular.{DEEPOD[name]}"), name)

    def scores(train, test):
        sys.modules["torch"].set_num_threads(1)
        detector = class_(device="cpu", random_state=0, verbose=0)
        detector.fit(thinned(train, FEW).astype(np.float32))
        return detector.decision_function(test.astype(np.float32))

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
    for name in DEEPOD:
        try:
            found[name] = of_deepod(name)
        except Exception as error:
            say(f"left out: DeepOD's {name} ({error})")
    return found


def measured(detector, train, test, anomaly):
    from sklearn.metrics import average_precision_score, roc_auc_score
    start = time.perf_counter()
    scores = np.nan_to_num(detector(train, test))
    seconds = time.perf_counter() - start
    return {"roc_auc": round(float(roc_auc_score(anomaly, scores)), 4),
            "average_precision": round(float(average_precision_score(anomaly, scores)), 4),
            "seconds": round(seconds, 2)}


def main():
    parser = argparse.ArgumentParser(prog="sh bench/run.sh comparators", description=__doc__.split(";")[0] + ".")
    parser.add_argument("--data", type=pathlib.Path, default=pathlib.Path("data"), metavar="DIR",
                        help="folder with adbench/*.npz (default: data)")
    parser.add_argument("--folder", action="store_true",
                        help="every .npz below --data with arrays X and y, or train, test and test_labels")
    parser.add_argument("--split", choices=("alternate", "dte"), default="alternate", help="see bench/quality.py")
    parser.add_argument("--only", nargs="+", metavar="DETECTOR", help="only these detectors")
    parser.add_argument("--sets", nargs="+", metavar="SET", help="only these sets")
    parser.add_argument("--contamination", action="store_true",
                        help="the splits of the table `contamination` too, scikit-learn's detectors alone")
    parser.add_argument("--output", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    args = parser.parse_args()
    warnings.filterwarnings("ignore")

    dte = args.split == "dte"
    names = folder_tables(args.data, own_split=not dte) if args.folder else [f"adbench/{s}" for s in adbench_sets(args.data)]
    paths = {name if args.folder else name.removeprefix("adbench/"): args.data / f"{name}.npz" for name in names}
    paths = {name: path for name, path in paths.items() if not args.sets or name in args.sets}
    if not paths:
        parser.error(f"no set in {args.data}" + ("" if args.folder else "/adbench"))
    known = detectors()
    unknown = set(args.only or ()) - set(known)
    if unknown:
        parser.error(f"no detector {', '.join(sorted(unknown))}; there are: {' '.join(known)}")
    results = json.loads(args.output.read_text()) if args.output.exists() else {}
    slow = {**PYOD, **DEEPOD}
    for set_name, path in paths.items():
        for level in (None, *(LEVELS if args.contamination else ())):
            name = set_name + (" split=dte" if dte else "" if level is None else f" contamination={level:g}")
            wanted = [d for d in known if (not args.only or d in args.only) and (level is None or d not in slow)
                      and d not in results.get(name, {})]
            if not wanted:
                continue
            splits = [split(path, level, seed) for seed in range(5)] if dte else [split(path, level)]
            for detector in wanted:
                try:
                    answers = [measured(known[detector], *rows) for rows in splits]
                    answer = {key: round(sum(a[key] for a in answers) / len(answers), 4) for key in answers[0]}
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
