#!/usr/bin/env python3
"""Measures how well this library detects, on published sets; called by `sh bench/run.sh quality`.

A table is made of cells `SET TARGET SEED SETTINGS` that bench_quality trains and tests, one a core at a time. What is
finished is kept in build/bench/quality.json and not run again (remove that file after a change to the library), so a
run may be broken off at any time. Tables (markdown) and bar plots (SVG) are written anew after every cell.

Folder given by --data: mnist/ (the four IDX .gz files), cifar10/ (data_batch_1.bin to 5, test_batch.bin), adbench/*.npz (arrays X, y), pima/pima.csv, and, for those who
have it, speech.npz. `--only folder`: every .npz at any depth with arrays X and y, or train, test and test_labels.
Results of other detectors on the same split, from `sh bench/run.sh comparators` or as
../baselines/*.json beside that folder ({set: {detector: {"roc_auc": ...}}}), become columns. What isn't there is named
and left out.
"""
import argparse
import dataclasses
import itertools
import json
import os
import pathlib
import queue
import statistics
import subprocess
import sys
import threading
import time
import zipfile

SMALL = ("4_breastw", "14_glass", "18_Ionosphere", "29_Pima", "40_vowels", "43_WDBC")
CLASSES = [str(c) for c in range(10)]
COLUMNS_OF_OTHERS = ("kNN", "LUNAR", "OneClassSVM", "DeepSVDD", "AutoEncoder")
MEAN = "mean"
SPLITS = {"alternate": "Normal rows in file order: the even-numbered train, the odd-numbered and every anomaly test.",
          "dte": "The split of published tables (Livernoche et al. 2024): the first half of the normal rows in file order "
                 "trains, the second half and every anomaly test. Sets of fewer than 1,000 rows are drawn up to 1,000 with "
                 "replacement before the split, so copies of training rows are among their test rows. They publish, as "
                 "means of 47 tables: DTE-NP 83.9, kNN 83.4, DTE-C 82.7, ICL 81.7, LOF 80.3, SLAD 79.6, OCSVM 78.8, "
                 "IForest 78.2, DeepSVDD 69.7."}

# ROC-AUC x 100. The paper's means, and its published program (corrected) run by PyTorch with seed 0.
PAPER = {"mnist": 97.7, "fashion": 92.6, "cifar10": 66.5, "pima": 72.2, "speech": 62.4}
PYTORCH = {"mnist": (99.70, 99.86, 96.44, 96.93, 97.61, 96.59, 99.63, 98.19, 93.95, 98.78),
           "fashion": (91.43, 98.98, 89.22, 93.22, 90.39, 90.01, 82.02, 98.47, 86.87, 97.77)}
NEVER_RUN = {"AWID-3": "no reader of its files here",
             "MIMII": "no reader of sound here"}

OBJECTIVES = {"DASVDD": "-", "DASVDD, gamma by the paper's formula": "gamma_rule=mean_of_ratios",
              "DASVDD, balanced score": "score=balanced", "autoencoder": "objective=reconstruction",
              "Deep SVDD, one-class": "objective=deep_svdd", "Deep SVDD, soft boundary": "objective=soft_boundary"}
ABLATIONS = {"as published": "-", "center never trained": "center=fixed",
             "center at the batch's mean": "center=batch_mean", "kappa 1": "kappa=1", "kappa 0.5": "kappa=0.5",
             "gamma x 0.1": "gamma=0.1x", "gamma x 10": "gamma=10x", "gamma x 1000": "gamma=1000x",
             "gamma by the paper's formula": "gamma_rule=mean_of_ratios", "T = 1": "initializations=1",
             "T = 3": "initializations=3", "T = 30": "initializations=30", "code of 32": "code=32",
             "code of 128": "code=128", "code of 1024": "code=1024"}


@dataclasses.dataclass
class Table:
    """ROC-AUC by rows and columns. An entry is the mean over its cells, and there only once all of them are."""
    name: str
    title: str
    note: str
    cells: dict  # (row, column): [cell, ...]
    mean_row: bool = False
    mean_column: bool = False
    other_columns: dict = dataclasses.field(default_factory=dict)  # name: {row: value}
    other_rows: dict = dataclasses.field(default_factory=dict)  # name: {column: value}
    details: bool = False  # rows, features, average precision and seconds
    spread: bool = True  # say the deviation of an entry's cells
    groups: str = "rows"  # of the plot
    series: tuple = ()  # of the plot; all where empty

    def rows(self):
        return list(dict.fromkeys(row for row, _ in self.cells))

    def columns(self):
        return list(dict.fromkeys(column for _, column in self.cells))

    def all_cells(self):
        return list(dict.fromkeys(itertools.chain(*self.cells.values())))


# ---- tables ----------------------------------------------------------------------------------------------------------


def other_detectors(folder, measured, sets):
    """Of the JSON files beside the data, and of those measured here: detector -> set -> ROC-AUC x 100."""
    found = {}
    for path in [*sorted((folder.parent / "baselines").glob("*.json")), measured]:
        for name, entry in json.loads(path.read_text()).items() if path.exists() else ():
            for detector, measures in entry.items():
                if name in sets and isinstance(measures, dict) and "roc_auc" in measures:
                    found.setdefault(detector, {})[name] = 100 * measures["roc_auc"]
    return found


def drawn_bits(seed, i):
    """Number i of the sequence that bench_quality draws by (splitmix64)."""
    mask = 2**64 - 1
    z = ((seed << 32) + (i + 1) * 0x9E3779B97F4A7C15) & mask
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
    return z ^ (z >> 31)


def folder_tables(folder, own_split=True):
    """Of the .npz files at any depth those that are tables: paths below the folder, without their ending.

    own_split: also those that bring a split of their own, arrays train, test and test_labels."""
    found = []
    for path in sorted(folder.rglob("*.npz")):
        try:
            with zipfile.ZipFile(path) as archive:
                names = set(archive.namelist())
        except (OSError, zipfile.BadZipFile):
            continue
        own = {"train.npy", "test.npy", "test_labels.npy"} <= names
        if own_split if own else {"X.npy", "y.npy"} <= names:
            found.append(str(path.relative_to(folder).with_suffix("")))
    return found


PREPARED = {"softened": "prepare=softened", "contrast normalized, floor 0.03": "prepare=contrast",
            "as they are": "prepare=none", "softened, gamma x 0.25": "prepare=softened,gamma=0.25x",
            "softened, gamma x 2.5": "prepare=softened,gamma=2.5x", "softened, gamma x 10": "prepare=softened,gamma=10x"}
TRAINING = {"as published": "published=1", "learning rate falls to a twentieth": "published=1,final_rate=0.05",
            "weight decay 0.01": "published=1,weight_decay=0.01",
            "best epoch by a tenth of the rows": "published=1,validation=0.1"}
CONTAMINATION = {"one net, published score": "published=1", "`fit`, `contamination = 0.1`": "expected=0.1",
                 "`fit`, defaults": "-"}


def contamination(measured, sets, levels):
    """Rows are ways of training, columns the shares of anomalies in the training rows."""
    others = {}
    for level in levels:
        names = {f"{s} contamination={level:g}" for s in sets}
        for detector, values in other_detectors(pathlib.Path(), measured, names).items():
            if len(values) == len(names):
                others.setdefault(detector, {})[f"{100 * level:g} %"] = statistics.mean(values.values())

    def cell(name, level, settings, seed=0):
        return f"adbench {name} {seed} contamination={level:g}" + ("" if settings == "-" else f",{settings}")

    yield Table("contamination", "Anomalies among the training rows (ADBench)",
                 f"Mean over {len(sets)} sets; columns: the share of the training rows that are anomalies (less where a "
                 "set has too few). The even-numbered anomalies are there to be mixed in, the odd-numbered alone test, at "
                 "every share. Seed 0. The published form is one net d-128-128-64, 1,500 steps of 128 rows, standardized.",
                 {(row, f"{100 * v:g} %"): [cell(s, v, settings) for s in sets]
                  for row, settings in CONTAMINATION.items() for v in levels},
                 other_rows=others, spread=False)
    yield Table("contamination-seeds", "Anomalies among the training rows, three seeds",
                "The first and the last column of the table before, as means over seeds 0 to 2.",
                {(row, f"{100 * v:g} %"): [cell(s, v, settings, seed) for seed in range(3) for s in sets]
                 for row, settings in CONTAMINATION.items() for v in (levels[0], levels[-1])}, spread=False)


def adbench_sets(folder):
    return sorted((p.stem for p in (folder / "adbench").glob("*.npz")), key=lambda s: (int(s.split("_")[0]), s))


def plain_tables(kind, title, sets, measured, split):
    """`fit` with its defaults on tables, beside whatever other detectors were measured on the same split."""
    note = "`dasvdd::fit(X)` with its defaults. " + SPLITS[split]
    seeds, setting, suffix = (range(5), "split=dte", " split=dte") if split == "dte" else (range(3), "-", "")
    others = other_detectors(pathlib.Path("/nowhere"), measured, {s + suffix for s in sets})
    columns = {d: {name.removesuffix(suffix): value for name, value in v.items()} for d, v in others.items()}
    return Table(kind if split == "alternate" else f"{kind}-{split}", title, note,
                 {(s, f"seed {k}"): [f"{kind} {s} {k} {setting}"] for s in sets for k in seeds},
                 mean_row=True, mean_column=True, details=True, series=(MEAN, *columns), other_columns=columns)


def adbench(folder, measured, quick):
    sets = adbench_sets(folder)
    sets = [s for s in sets if s in SMALL] if quick else sets
    seeds = (0,) if quick else (0, 1, 2)
    others = other_detectors(folder, measured, sets)
    note = "`dasvdd::fit(X)` with its defaults. " + SPLITS["alternate"]
    whole = {d: statistics.mean(v.values()) for d, v in others.items()
             if len(v) == len(sets) and d not in COLUMNS_OF_OTHERS}
    if whole:
        note += " Means of others on the same split: " + ", ".join(f"{d} {whole[d]:.1f}" for d in sorted(whole)) + "."
    yield Table("adbench", "Tables (ADBench)", note,
                {(s, f"seed {k}"): [f"adbench {s} {k} -"] for s in sets for k in seeds},
                mean_row=True, mean_column=True, details=True, series=(MEAN, *COLUMNS_OF_OTHERS),
                other_columns={d: others[d] for d in COLUMNS_OF_OTHERS if d in others})
    if not quick:
        yield Table("training", "What the paper leaves out of training (ADBench)",
                    f"The published form as in the table before, one change at a time. Mean over {len(sets)} sets, seed 0.",
                    {(row, "ROC-AUC"): [f"adbench {s} 0 {settings}" for s in sets]
                     for row, settings in TRAINING.items()}, spread=False)
    yield from contamination(measured, sets[:2] if quick else sets, (0, 0.1) if quick else (0, 0.01, 0.05, 0.1))


def pima(_, quick):
    seeds = range(3 if quick else 10)
    forms = {"raw features": "-", "standardized": "scaled=1", "autoencoder, raw": "objective=reconstruction",
             "autoencoder, standardized": "scaled=1,objective=reconstruction",
             "raw, gamma of 100 nets": "initializations=100", "raw, center at the batch's mean": "center=batch_mean",
             "raw, 30 epochs, no latent term": "epochs=30,gamma=0", "raw, 30 epochs": "epochs=30",
             "raw, 3000 epochs": "epochs=3000"}
    yield Table("pima", "PIMA", f"The paper's net, options and split (it reports {PAPER['pima']}); mean and deviation "
                f"over {len(seeds)} seeds.",
                {(row, "ROC-AUC"): [f"pima - {k} {s}" for k in seeds] for row, s in forms.items()})


def speech(_, quick):
    if not quick:
        yield Table("speech", "Speech", f"The paper's net and options (it reports {PAPER['speech']}); ten seeds; split "
                    "as for ADBench.",
                    {("DASVDD", "ROC-AUC"): [f"speech - {k} -" for k in range(10)]})


def images(name, title, quick):
    if quick:
        if name == "mnist":
            yield Table("mnist", "MNIST, digit 8, 20 epochs",
                        "Far fewer epochs than the paper's 300: a look at whether all is well.",
                        {(row, "8"): [f"mnist 8 0 epochs=20{'' if s == '-' else ',' + s}"]
                         for row, s in OBJECTIVES.items()})
        return
    yield Table(name, title, "The paper's net and options, 300 epochs; mean over three seeds. The paper reports "
                f"{PAPER[name]} (ten seeds).",
                {("this library", c): [f"{name} {c} {k} -" for k in range(3)] for c in CLASSES}, mean_column=True,
                other_rows={"published program (corrected), PyTorch, seed 0": dict(zip(CLASSES, PYTORCH[name]))},
                groups="columns")
    yield Table(f"{name}-formula", f"{title}, gamma by the paper's formula",
                "As above, but gamma is the mean of the rows' ratios, as the paper writes it; its published program takes "
                "the ratio of the means.",
                {("this library", c): [f"{name} {c} {k} gamma_rule=mean_of_ratios" for k in range(3)] for c in CLASSES},
                mean_column=True, groups="columns")
    yield Table(f"{name}-mixed", f"{title}, trained in mixed precision",
                "As above; products of numbers rounded to bfloat16 (`mixed_precision()`).",
                {(row, c): [f"{name} {c} {k} {s}" for k in range(3)] for c in CLASSES
                 for row, s in {"mixed precision": "precision=mixed", "float": "-"}.items()}, mean_column=True,
                groups="columns")


def mixed(settings):
    """The settings, and trained in mixed precision: three times as fast where there is AMX, and the tables of three
    seeds in both precisions say that it ranks as float does."""
    return "precision=mixed" if settings == "-" else f"{settings},precision=mixed"


def comparators(name, title):
    yield Table(f"{name}-comparators", f"{title}: other objectives",
                "The same encoder, options and order of rows; Deep SVDD without biases. Seed 0, mixed precision.",
                {(row, c): [f"{name} {c} 0 {mixed(s)}"] for row, s in OBJECTIVES.items() for c in CLASSES},
                mean_column=True, groups="columns")


def ablations(targets):
    yield Table("ablations", "What each part is worth",
                "One change at a time to the paper's settings; seed 0, 300 epochs, mixed precision.",
                {(row, f"{title} {c}"): [f"{name} {c} 0 {mixed(s)}"]
                 for row, s in ABLATIONS.items() for name, title, c in targets},
                mean_column=True)


def image_choice(targets):
    yield Table("image-choice", "How images are prepared, judged without a test image",
                "One net of `image_preset()`, seed 0, mixed precision. Four fifths of a class's training images train, the "
                "last fifth and every twentieth of the other classes' training images test.",
                {(row, f"{title} {c}"): [f"{name} {c} 0 held_out=1,{s}"]
                 for row, s in PREPARED.items() for name, title, c in targets},
                mean_column=True)


def compact_weights(targets):
    yield Table("compact", "Weights of two bytes",
                "`fit_images(X).compacted()` beside the detector it is made of; seed 0.",
                {(row, f"{title} {c}"): [f"{name} {c} 0 best=1{s}"]
                 for row, s in (("as trained", ""), ("compact", ",weights=compact")) for name, title, c in targets},
                mean_column=True)


def best_images(name, title):
    yield Table(f"{name}-best", f"{title}: the image preset",
                "`dasvdd::fit_images(X)`, three nets, one setting for all classes" +
                (" (`ImageOptions::Kind::photographs`)" if name == "cifar10" else "") +
                f"; mean over three seeds. The paper reports {PAPER[name]}.",
                {("fit_images", c): [f"{name} {c} {k} best=1" for k in range(3)] for c in CLASSES}, mean_column=True,
                groups="columns")


def cifar10(quick):
    if quick:
        return
    title = "CIFAR-10"
    yield Table("cifar10", title, "The paper's net, options and normalization, 300 epochs; seed 0, mixed precision. The paper "
                f"reports {PAPER['cifar10']} (ten seeds).",
                {("this library", c): [f"cifar10 {c} 0 {mixed('-')}"] for c in CLASSES}, mean_column=True, groups="columns")
    yield from best_images("cifar10", title)


def tables(data, fashion, measured, quick):
    """The tables whose data are there, and names with reasons of what is not run."""
    result, missing = [], dict(NEVER_RUN)
    images_file = "train-images-idx3-ubyte.gz"
    here = {"ADBench": any((data / "adbench").glob("*.npz")), "MNIST": (data / "mnist" / images_file).exists(),
            "Fashion-MNIST": (fashion / images_file).exists(), "PIMA": (data / "pima" / "pima.csv").exists(),
            "Speech": (data / "speech.npz").exists(), "CIFAR-10": (data / "cifar10" / "test_batch.bin").exists()}
    places = {"ADBench": "adbench/*.npz", "MNIST": "mnist/*.gz", "PIMA": "pima/pima.csv", "Speech": "speech.npz",
              "CIFAR-10": "cifar10/*.bin"}
    for name, there in here.items():
        if not there:
            missing[name] = (f"no {places[name]} in the data folder" if name in places else
                             "Debian's package dataset-fashion-mnist is not there")
    pictures = [(key, title) for key, title in (("mnist", "MNIST"), ("fashion", "Fashion-MNIST")) if here[title]]
    if here["ADBench"]:
        result += adbench(data, measured, quick)
    if here["PIMA"]:
        result += pima(data, quick)
    for key, title in pictures:
        result += images(key, title, quick)
    if here["CIFAR-10"]:
        result += cifar10(quick)
    if here["Speech"]:
        result += speech(data, quick)
    if not quick:
        chosen = {"mnist": "258", "fashion": "0568"}
        targets = [(key, title, c) for key, title in pictures for c in chosen[key]]
        if targets:
            result += image_choice(targets)
        for key, title in pictures:
            result += best_images(key, title)
        for key, title in pictures:
            result += comparators(key, title)
        targets = [(key, title, c) for key, title in pictures for c in {"mnist": "28", "fashion": "6"}[key]]
        if targets:
            result += ablations(targets)
            result += compact_weights(targets)
    return result, missing


# ---- how they look ---------------------------------------------------------------------------------------------------


class Values:
    """A table's entries as far as they are measured, with means over complete rows and columns alone."""

    def __init__(self, table, results):
        self.table, self.results = table, results
        self.entry = {}
        for key, cells in table.cells.items():
            if all(c in results for c in cells):
                self.entry[key] = statistics.mean(100 * results[c]["roc_auc"] for c in cells)

    def at(self, row, column):
        t = self.table
        if row == MEAN:
            below = [self.at(r, column) for r in t.rows()]
            return statistics.mean(below) if below and None not in below else None
        if column in t.other_columns:
            return t.other_columns[column].get(row)
        if column == MEAN:
            beside = [self.at(row, c) for c in t.columns()]
            return statistics.mean(beside) if beside and None not in beside else None
        if row in t.other_rows:
            return t.other_rows[row].get(column)
        return self.entry.get((row, column))

    def text(self, row, column):
        value = self.at(row, column)
        if value is None:
            return "-"
        cells = self.table.cells.get((row, column), [])
        if len(cells) < 2 or self.table.mean_column or not self.table.spread:
            return f"{value:.1f}"
        return f"{value:.1f} ± {statistics.stdev(100 * self.results[c]['roc_auc'] for c in cells):.1f}"

    def details(self, row):
        """Training rows, features; mean average precision, and seconds of the fastest."""
        known = [self.results[c] for (r, _), cells in self.table.cells.items() if r == row
                 for c in cells if c in self.results]
        if not known:
            return ["-"] * 4
        return [f"{known[0]['train']:,}", f"{known[0]['features']:,}",
                f"{100 * statistics.mean(k['average_precision'] for k in known):.1f}",
                f"{min(k['seconds'] for k in known):.1f}"]


def markdown(table, results):
    v = Values(table, results)
    columns = table.columns() + ([MEAN] if table.mean_column else []) + list(table.other_columns)
    lines = []

    def line(first, middle, details):
        fields = [first, *details[:2], *middle, *details[2:]] if table.details else [first, *middle]
        lines.append("| " + " | ".join(fields) + " |")

    line("", columns, ["rows", "features", "average precision", "seconds"])
    line("---", ["---"] * len(columns), ["---"] * 4)
    for row in table.rows() + list(table.other_rows):
        line(row, [v.text(row, c) for c in columns], v.details(row))
    if table.mean_row:
        line(f"**{MEAN}**", [v.text(MEAN, c) for c in columns], [""] * 4)
    done, count = sum(c in results for c in table.all_cells()), len(table.all_cells())
    note = "" if done == count else f" *{done} of {count} cells done.*"
    return "\n".join([f"## {table.title}\n", f"{table.note} ROC-AUC x 100.{note}\n", *lines,
                      f"\n![bars](quality-{table.name}.svg)\n"])


COLORS = ("#20639b", "#ed8b00", "#3caea3", "#b0413e", "#8a8d91", "#6b4c9a")


def escaped(text):
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("`", "")


def plot(table, results):
    """Horizontal bars, grouped, as SVG."""
    v = Values(table, results)
    rows = table.rows() + list(table.other_rows)
    columns = table.columns() + ([MEAN] if table.mean_column else []) + list(table.other_columns)
    by_rows = table.groups == "rows"
    groups, series = (rows, columns) if by_rows else (columns, rows)
    if table.mean_row and not by_rows:
        series = series + [MEAN]
    series = [s for s in (table.series or series) if s in series]
    value = (lambda g, s: v.at(g, s)) if by_rows else (lambda g, s: v.at(s, g))
    label = lambda s: "dasvdd" if by_rows and s == MEAN else s
    known = [x for g in groups for s in series if (x := value(g, s)) is not None]
    low = min(50.0, 10 * (min(known, default=50) // 10))
    left, width, bar, gap, top = 210, 520, 11, 9, 34 + 16 * len(series)
    height = top + len(groups) * (len(series) * bar + gap) + 30
    x_of = lambda value: left + width * (value - low) / (100 - low)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + width + 60}" height="{height}" '
           'font-family="sans-serif" font-size="11"><rect width="100%" height="100%" fill="white"/>',
           f'<text x="10" y="18" font-size="14">{escaped(table.title)}: ROC-AUC x 100</text>']
    for i, s in enumerate(series):
        out.append(f'<rect x="{left}" y="{26 + 16 * i}" width="10" height="10" fill="{COLORS[i % len(COLORS)]}"/>'
                   f'<text x="{left + 16}" y="{35 + 16 * i}">{escaped(label(s))}</text>')
    for tick in range(int(low), 101, 10):
        x = f"{x_of(tick):.1f}"
        out.append(f'<line x1="{x}" x2="{x}" y1="{top}" y2="{height - 24}" stroke="#ddd"/>'
                   f'<text x="{x}" y="{height - 10}" text-anchor="middle">{tick}</text>')
    y = top
    for g in groups:
        middle = y + len(series) * bar / 2 + 4
        out.append(f'<text x="{left - 6}" y="{middle:.1f}" text-anchor="end">{escaped(g)}</text>')
        for i, s in enumerate(series):
            x = value(g, s)
            if x is not None:
                out.append(f'<rect x="{left}" y="{y}" width="{x_of(x) - left:.1f}" height="{bar - 1}" '
                           f'fill="{COLORS[i % len(COLORS)]}"/>'
                           f'<text x="{x_of(x) + 3:.1f}" y="{y + bar - 2}" font-size="9">{x:.1f}</text>')
            y += bar
        y += gap
    return "\n".join(out + ["</svg>", ""])


# ---- running ---------------------------------------------------------------------------------------------------------


def replace(path, text):
    """Writes a file whole or not at all."""
    beside = path.with_name(path.name + ".new")
    beside.write_text(text)
    os.replace(beside, path)


class Store:
    """What is measured, on disk after every cell."""

    def __init__(self, folder, page, all_tables, missing):
        self.path, self.page, self.tables, self.missing = folder / "quality.json", folder / page, all_tables, missing
        self.results = json.loads(self.path.read_text()) if self.path.exists() else {}
        self.lock = threading.Lock()

    def add(self, cell, answer):
        with self.lock:
            self.results[cell] = answer
            replace(self.path, json.dumps(self.results, indent=1) + "\n")
            self.write()

    def write(self):
        parts = ["# Detection quality\n\nWritten by `sh bench/run.sh quality`.\n"]
        parts += [markdown(t, self.results) for t in self.tables]
        parts += ["## Not run\n", *(f"- {name}: {why}." for name, why in sorted(self.missing.items())), ""]
        replace(self.page, "\n".join(parts))
        for t in self.tables:
            replace(self.page.parent / f"quality-{t.name}.svg", plot(t, self.results))


def say(text):
    print(text, file=sys.stderr, flush=True)


class Run:
    def __init__(self, command, cells, store):
        self.command, self.store, self.count = command, store, len(cells)
        self.waiting = queue.SimpleQueue()
        for cell in cells:
            self.waiting.put(cell)
        self.done, self.failed, self.start = 0, [], time.monotonic()
        self.lock = threading.Lock()
        self.children, self.stopped = [], False

    def work(self):
        child = None
        while True:
            try:
                cell = self.waiting.get_nowait()
            except queue.Empty:
                break
            if child is None or child.poll() is not None:
                with self.lock:
                    if self.stopped:
                        return
                    # A session of its own: Ctrl-C is this program's to handle.
                    child = subprocess.Popen(self.command, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                             start_new_session=True)
                    self.children.append(child)
            try:
                child.stdin.write(cell + "\n")
                child.stdin.flush()
                answer = json.loads(child.stdout.readline())
            except (OSError, ValueError):
                answer = {"error": f"bench_quality ended with status {child.wait()}"}
            if self.stopped:
                return
            self.tell(cell, answer)
        if child is not None:
            child.stdin.close()
            child.wait()

    def tell(self, cell, answer):
        if "error" not in answer:
            self.store.add(cell, answer)
        with self.lock:
            self.done += 1
            passed = time.monotonic() - self.start
            left = passed / self.done * (self.count - self.done)
            what = answer.get("error") or f"ROC-AUC {100 * answer['roc_auc']:.2f}, {answer['seconds']:.1f} s"
            if "error" in answer:
                self.failed.append(cell)
            say(f"[{self.done}/{self.count}] {cell}: {what} "
                f"({passed / 60:.1f} min so far, about {left / 60:.0f} left)")

    def all(self, jobs):
        threads = [threading.Thread(target=self.work, daemon=True) for _ in range(jobs)]
        for t in threads:
            t.start()
        try:
            for t in threads:
                t.join()
        except KeyboardInterrupt:
            say("broken off; what is finished is kept")
            with self.lock:
                self.stopped = True
                for child in self.children:
                    child.terminate()
            return 130
        return 1 if self.failed else 0


def main():
    parser = argparse.ArgumentParser(prog="sh bench/run.sh quality", description=__doc__.split(";")[0] + ".")
    parser.add_argument("--data", type=pathlib.Path, default=pathlib.Path("data"), metavar="DIR",
                        help="folder with mnist/, adbench/, pima/, speech.npz (default: data)")
    parser.add_argument("--quick", action="store_true",
                        help="under five minutes: a few small sets, one digit for 20 epochs")
    parser.add_argument("--only", nargs="+", metavar="TABLE",
                        help="only these tables, by name; folder: every .npz below --data")
    parser.add_argument("--split", choices=SPLITS, default="alternate",
                        help="how tables are split; dte: as in published tables, ADBench's or the folder's alone")
    parser.add_argument("--list", action="store_true", help="name the tables, count their cells, and run nothing")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1,
                        help="cells at a time, one thread each (default: all cores)")
    parser.add_argument("--program", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--fashion", type=pathlib.Path, default=pathlib.Path("/nowhere"), help=argparse.SUPPRESS)
    parser.add_argument("--build", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    args = parser.parse_args()

    measured = args.build / "comparators.json"
    if args.split == "alternate":
        chosen, missing = tables(args.data, args.fashion, measured, args.quick)
    else:
        sets = adbench_sets(args.data)
        chosen, missing = [plain_tables("adbench", "Tables (ADBench)", sets, measured, args.split)] if sets else [], {}
        args.only = args.only and [f"{name}-{args.split}" for name in args.only]
    folder = "folder" if args.split == "alternate" else f"folder-{args.split}"
    if args.only and folder in args.only:
        sets = folder_tables(args.data, own_split=args.split == "alternate")
        if not sets:
            parser.error(f"no .npz file with arrays X and y, or train, test and test_labels, below {args.data}")
        chosen.append(plain_tables("folder", f"Tables ({args.data.name})", sets, measured, args.split))
    unknown = set(args.only or ()) - {t.name for t in chosen}
    if unknown:
        parser.error(f"no table {', '.join(sorted(unknown))}; there are: {' '.join(t.name for t in chosen)}")
    chosen = [t for t in chosen if not args.only or t.name in args.only]
    page = "quality-quick.md" if args.quick else "quality.md" if args.split == "alternate" else f"quality-{args.split}.md"
    store = Store(args.build, page, chosen, missing)
    cells = list(dict.fromkeys(itertools.chain(*(t.all_cells() for t in chosen))))
    cells.sort(key=lambda cell: int(cell.split()[2]))  # seed by seed: a run broken off has whole seeds
    if args.list:
        for t in chosen:
            print(f"{t.name}: {len(t.all_cells())} cells, {sum(c in store.results for c in t.all_cells())} done")
        return 0
    for name, why in sorted(missing.items()):
        say(f"not run: {name}: {why}")
    todo = [c for c in cells if c not in store.results]
    say(f"{len(cells)} cells, {len(cells) - len(todo)} of them done before")
    store.write()
    # One thread a cell: two cells on two cores take less than one after the other on both.
    command = [str(args.program), "--data", str(args.data), "--fashion", str(args.fashion), "--threads", "1"]
    status = Run(command, todo, store).all(max(1, min(args.jobs, len(todo)))) if todo else 0
    print(store.page.read_text())
    say(f"written: {store.page} and {args.build}/quality-*.svg")
    return status


if __name__ == "__main__":
    sys.exit(main())
