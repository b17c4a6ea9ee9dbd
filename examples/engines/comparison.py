"""What dask.py and spark.py share: a table of made-up rows, the same work in one process, and the figures of both."""
import argparse
import contextlib
import os
import pathlib
import sys
import tempfile
import time

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.parquet as pq

import dasvdd


def options(description):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--groups", type=int, default=1000)
    parser.add_argument("--features", type=int, default=6)
    parser.add_argument("--parts", type=int, default=16, help="files of the table, and partitions of a shuffle")
    parser.add_argument("--workers", type=int, nargs="+", default=sorted({1, os.cpu_count()}), metavar="N",
                        help="cores that work at a time; several numbers are tried one after the other")
    return parser.parse_args()


def write_table(folder, o):
    """Columns row, machine (the group's key), x0, x1, ...; each machine has a mean and correlations of its own.

    Rows lie as an engine leaves them, in any order; `row` numbers them from 0 to n - 1.
    """
    folder.mkdir()
    shapes = np.random.default_rng(1)
    means = shapes.normal(0, 10, (o.groups, o.features))
    mixes = shapes.normal(0, 1, (o.groups, 2, o.features))
    for part, rows in enumerate(np.array_split(np.arange(o.rows), o.parts)):
        random = np.random.default_rng([2, part])
        machine = random.integers(o.groups, size=len(rows))
        hidden, noise = random.normal(size=(len(rows), 2)), random.normal(0, 0.2, (len(rows), o.features))
        X = (means[machine] + np.einsum("nk,nkd->nd", hidden, mixes[machine]) + noise).astype(np.float32)
        columns = {"row": rows, "machine": [f"machine {m}" for m in machine]}
        columns.update({f"x{j}": X[:, j] for j in range(o.features)})
        pq.write_table(pa.table(columns).take(random.permutation(len(rows))), folder / f"part-{part:04}.parquet")


def features(table):
    return table.select([name for name in table.column_names if name.startswith("x")])


class OneProcess:
    def __init__(self, folder, threads):
        self.folder, self.threads = folder, threads

    def fit(self):
        table = pq.read_table(self.folder).sort_by("row")
        return dasvdd.fit_many(features(table), table["machine"].to_pylist(), threads=self.threads)

    def score(self, model, out):
        table = pq.read_table(self.folder)
        keys = [table["machine"].to_pylist()] if isinstance(model, dasvdd.Bank) else []
        scores = model.score(features(table), *keys, threads=self.threads)
        out.mkdir()
        pq.write_table(pa.table({"row": table["row"], "score": scores}), out / "scores.parquet")


def core_seconds():
    """Processor time of this process and of all that it started."""
    total = 0
    for process in [psutil.Process(), *psutil.Process().children(recursive=True)]:
        with contextlib.suppress(psutil.NoSuchProcess):
            total += sum(process.cpu_times()[:4])  # with children that have ended
    return total


def timed(action):
    """Seconds, seconds of cores, and what the action returns."""
    start, cores = time.perf_counter(), core_seconds()
    result = action()
    return time.perf_counter() - start, core_seconds() - cores, result


def measure(engine, detector, out):
    """The bytes of what it made; and how long it took, as (seconds, seconds of cores): bank, scores by it and by the detector."""
    out.mkdir()
    *fit, bank = timed(engine.fit)
    *by_bank, _ = timed(lambda: engine.score(bank, out / "bank"))
    *by_detector, _ = timed(lambda: engine.score(detector, out / "detector"))
    made = [bank.to_bytes()]
    for name in ("bank", "detector"):
        scores = pq.read_table(out / name).sort_by("row")
        made += [scores["row"].to_numpy().tobytes(), scores["score"].to_numpy().tobytes()]
    return made, (fit, by_bank, by_detector)


def compare(o, name, engine):
    """Prints a table in Markdown; ends the program in a sentence where bits differ.

    engine(folder, workers, o) is a context manager that gives what has the functions of OneProcess.
    """
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        write_table(folder / "rows", o)
        detector = dasvdd.fit(features(pq.read_table(folder / "rows" / "part-0000.parquet").slice(0, 2000)))
        print(f"{o.rows:,} rows of {o.features} features in {o.groups:,} groups\n")
        print("| | cores | fit, s | core-s | groups/s | score, s | core-s | rows/s | one detector, s | core-s | rows/s | same bits |")
        print(f"|{' --- |' * 12}", flush=True)
        expected, good = None, True

        def line(label, workers, measured):
            nonlocal expected, good
            made, times = measured
            expected = expected or made
            good = good and made == expected
            cells = [f"{t:.1f} | {cores:.1f} | {count / t:,.0f}" for (t, cores), count in zip(times, (o.groups, o.rows, o.rows))]
            print(f"| {label} | {workers} | {' | '.join(cells)} | {'yes' if made == expected else 'NO'} |", flush=True)

        for workers in o.workers:
            line("one process", workers, measure(OneProcess(folder / "rows", workers), detector, folder / f"one process {workers}"))
        for workers in o.workers:
            with engine(folder / "rows", workers, o) as running:
                line(name, workers, measure(running, detector, folder / f"{name} {workers}"))
    if not good:
        sys.exit(f"{name} gave other bits than one process")
