#!/usr/bin/env python3
"""Measures how speed grows with batch, width, rows and threads, and draws it; called by `sh bench/run.sh growth`.

Draws growth-batch.svg, growth-width.svg, growth-rows.svg, threads.svg and roofline.svg from figures of the same run, writes
growth.json, and prints a table of more threads than cores. bench_speed is asked with one thread and with two in turn.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys

import plot
import speed

IMAGE = [784, 1024, 256, 256]


def mirrored(widths):
    return widths + widths[-2::-1]


def named(widths):
    return "-".join(map(str, widths))


def work(widths):
    """Multiply-adds of a row's forward pass through the mirrored net."""
    return speed.multiply_adds(mirrored(widths))


def training_flops(widths):
    """As speed.flops, for any widths."""
    encoder = speed.multiply_adds(widths)
    return 2 * (speed.KAPPA * (3 * work(widths) - widths[0] * widths[1]) + (1 - speed.KAPPA) * encoder)


class Bench:
    """bench_speed with one thread and with two; figures by (question, threads)."""

    def __init__(self, options):
        command = [str(options.program), "--seconds", str(options.seconds)]
        self.children = {t: speed.Child("growth", command, t, options.build) for t in options.threads}
        self.values, self.passes = {}, options.passes

    def ask(self, questions):
        """The best speed of each question at each number of threads: what disturbs it only slows it."""
        for _ in range(self.passes):
            for question in questions:
                for threads, child in self.children.items():
                    answer = child.ask(question)
                    if answer:
                        better = min if answer["unit"] == "us" else max
                        known = self.values.get((question, threads), answer["best"])
                        self.values[question, threads] = better(known, answer["best"])

    def __getitem__(self, key):
        return self.values.get(key)

    def series(self, label, sizes, question, threads, color):
        """One line, without points where that many threads were not asked for."""
        points = [(size, self[question(size), threads]) for size in sizes]
        return plot.Series(f"{label}, {threads} thread{'s' if threads > 1 else ''}", points, color, dashed=threads == 1)

    def close(self):
        for child in self.children.values():
            child.close()


def four(bench, sizes, train, score):
    return [bench.series("training", sizes, train, 2, plot.COLORS[0]), bench.series("training", sizes, train, 1, plot.COLORS[0]),
            bench.series("scoring", sizes, score, 2, plot.COLORS[1]), bench.series("scoring", sizes, score, 1, plot.COLORS[1])]


def limits(bench, sizes, widths_of):
    """Peak of multiply-adds over what a row costs."""
    threads = max(bench.children)
    peak = 1e9 * bench["fma_peak", threads]
    many = f"{threads} thread{'s' if threads > 1 else ''}"
    return [plot.Series(f"limit of training, {many}", [(s, peak / training_flops(widths_of(s))) for s in sizes],
                        "#888", marks=False),
            plot.Series(f"limit of scoring, {many}", [(s, peak / (2 * work(widths_of(s)))) for s in sizes],
                        "#bbb", marks=False)]


def batch_plot(bench):
    sizes = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000]
    train = lambda b: f"train {named(IMAGE)} {b} {min(max(8 * b, 64), 20000)}"
    score = lambda b: f"score {named(IMAGE)} {b}"
    bench.ask([q(b) for b in sizes for q in (train, score)])
    return plot.plot(f"{named(IMAGE)} and back: rows a second over rows in a mini-batch or call", "rows in a mini-batch (training) or call (scoring)",
                     "rows a second", four(bench, sizes, train, score) + limits(bench, sizes, lambda b: IMAGE))


def widths_of(w):
    return [w, w, max(w // 4, 1)]


WIDTHS = [16, 32, 64, 128, 256, 512, 1024, 2048, 4096]


def width_train(w):
    return f"train {named(widths_of(w))} 200 {min(20000, max(400, 2000000 // w // 200 * 200))}"


def width_plot(bench):
    score = lambda w: f"score {named(widths_of(w))} {min(20000, max(400, 2000000 // w))}"
    bench.ask([q(w) for w in WIDTHS for q in (width_train, score)])
    return plot.plot("w - w - w/4 and back: rows a second over the width w, mini-batches of 200", "width w", "rows a second",
                     four(bench, WIDTHS, width_train, score) + limits(bench, WIDTHS, widths_of))


def rows_plot(bench):
    sizes = [1000, 3000, 10000, 30000, 100000, 300000, 1000000]
    widths = [64, 64, 16]
    train = lambda n: f"train {named(widths)} 200 {n}"
    score = lambda n: f"score {named(widths)} {n}"
    bench.ask([q(n) for n in sizes for q in (train, score)])
    return plot.plot(f"{named(widths)} and back: rows a second over the number of rows", "rows of the training set (mini-batches of 200) or of a call",
                     "rows a second", four(bench, sizes, train, score))


def threads_plot(bench):
    nets = {(8, 10, 4, 4): [300, 1000, 3000, 10000, 30000, 100000, 300000],
            (64, 32, 16): [30, 100, 300, 1000, 3000, 10000, 30000, 100000],
            (784, 1024, 256, 256): [1, 2, 4, 8, 16, 32, 96, 300]}
    bench.ask([f"{kind} {named(net)} {rows}" for net, counts in nets.items() for rows in counts for kind in ("team", "score")])
    bench.ask([width_train(w) for w in WIDTHS[:7]])
    series = []
    for i, (net, counts) in enumerate(nets.items()):
        for kind, label in (("score", "as the library decides"), ("team", "always two threads")):
            points = []
            for rows in counts:
                question = f"{kind} {named(net)} {rows}"
                one, two = bench[question, 1], bench[question, 2]
                points.append((rows * work(net), two / one if one and two else None))
            series.append(plot.Series(f"{named(net)}, {label}", points, plot.COLORS[i], dashed=kind == "team"))
    points = []
    for w in WIDTHS[:7]:
        one, two = bench[width_train(w), 1], bench[width_train(w), 2]
        points.append((3 * 200 * work(widths_of(w)), two / one if one and two else None))
    series.append(plot.Series("training, w - w - w/4, as it decides", points, plot.COLORS[3]))
    ends = (min(p[0] for s in series for p in s.points), max(p[0] for s in series for p in s.points))
    series.append(plot.Series("no gain", [(ends[0], 1), (ends[1], 1)], "#888", marks=False))
    return plot.plot("What a second thread gains over the work of a call or step",
                     "multiply-adds of a call (scoring) or a step (training)", "speed of two threads over one", series,
                     y_range=(0, 2.5), logarithmic_y=False)


def kernel_points(options, bench):
    """(label, FLOP a byte, GFLOP/s) of the kernels at the image net's layers, by one thread."""
    if not options.kernels or not options.kernels.exists():
        return []
    report = options.build / "kernels.json"
    command = [str(options.kernels), "--benchmark_filter=image net, (1|180) rows", f"--benchmark_out={report}",
               "--benchmark_out_format=json", f"--benchmark_min_time={options.seconds}"]
    if subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode != 0:
        return []
    layers = list(zip(mirrored(IMAGE), mirrored(IMAGE)[1:]))
    weights, sides = work(IMAGE), sum(a + b for a, b in layers)
    points = []
    for entry in json.loads(report.read_text())["benchmarks"]:
        _, rows, kind = entry["name"].split(", ")
        n = int(rows.split()[0])
        rows = rows if n > 1 else "1 row"
        passes = 6 if "Adam" in kind else 1  # Adam reads and writes three arrays
        kind = {"score": "product of packed weights"}.get(kind, kind)
        if n == 180 or kind == "forward":
            points.append((f"kernel: {kind}, {rows}", 2 * n * weights / (4 * (passes * weights + n * sides)), entry["GFLOP"]))
    return points


def roofline_plot(bench, options):
    bench.ask(["train_mnist", "train_mnist_mixed", "score_mnist_10000", "score_mnist_1", "train_pima", "score_pima_10000",
               "cache_bandwidth", "memory_bandwidth", "amx_peak", "bf16_peak"])
    tile = 96  # rows that scoring reads the weights for
    row_bytes = lambda kind: 4 * speed.NETS[kind][0]
    operations = []
    for name, label in (("train_mnist", "training, image net"), ("train_mnist_mixed", "the same, mixed precision"),
                        ("train_pima", "training, PIMA's net"), ("score_mnist_10000", "scoring 10,000 rows, image net"),
                        ("score_pima_10000", "scoring 10,000 rows, PIMA's net"), ("score_mnist_1", "scoring one row, image net")):
        value, kind = bench[name, 1], name.split("_")[1]
        if not value:
            continue
        rate = 1e6 / value if name == "score_mnist_1" else value
        weights = 4 * speed.multiply_adds(speed.NETS[kind])
        moved = {"train": speed.parameter_bytes(name), "score": weights / tile}[name.split("_")[0]]
        if name == "score_mnist_1":
            moved = weights
        elif kind == "pima":
            moved = 0  # the parameters stay in the first cache
        operations.append((label, speed.flops(name) / (moved + row_bytes(kind)), 1e-9 * rate * speed.flops(name)))
    points = kernel_points(options, bench) + operations
    x_range = (0.3, 300)
    roofs = []
    for name, label, color in (("fma_peak", "float", "#333"), ("amx_peak", "bfloat16 by AMX", "#aaa")):
        if bench[name, 1]:
            roofs.append(plot.Series(f"{label}: {bench[name, 1]:.0f} GFLOP/s", [(x, bench[name, 1]) for x in x_range], color, marks=False))
    for name, label, color in (("cache_bandwidth", "reading 9 MB", "#666"), ("memory_bandwidth", "reading 1 GB", "#666")):
        if bench[name, 1]:
            roofs.append(plot.Series(f"{label}: {bench[name, 1]:.0f} GB/s", [(x, x * bench[name, 1]) for x in x_range], color,
                                     marks=False, dashed=name == "memory_bandwidth"))
    marks = [plot.Series(label, [(x, y)], line=False, square=not label.startswith("kernel")) for label, x, y in points]
    top = 1.5 * max(y for s in roofs[:2] for _, y in s.points)
    return plot.plot("Roofline of one thread", "operations a byte of parameters and rows", "GFLOP/s", marks + roofs,
                     x_range=x_range, y_range=(1, top))


def many_threads(options):
    """Speeds with more threads than this machine has cores, as a table."""
    names = {"train_mnist": "training, image net", "score_mnist_10000": "scoring 10,000 rows, image net",
             "score_pima_10000": "scoring 10,000 rows, PIMA's net"}
    command, counts = [str(options.program), "--seconds", str(options.seconds)], (1, 2, 4, 8, 16)
    children = [speed.Child("growth", command, t, options.build) for t in counts]
    values = {}
    for _ in range(2 * options.passes):
        for name in names:
            for child, t in zip(children, counts):
                answer = child.ask(name)
                if answer:
                    values.setdefault((name, t), []).append(answer["value"])
    for child in children:
        child.close()
    lines = ["| rows a second, median, with threads: | " + " | ".join(map(str, counts)) + " |", "| --- |" + " --- |" * len(counts)]
    for name, label in names.items():
        medians = [statistics.median(values[name, t]) if (name, t) in values else None for t in counts]
        lines.append(f"| {label} | " + " | ".join("-" if m is None else f"{m:,.0f}" for m in medians) + " |")
    return "\n".join(lines) + "\n"


PLOTS = {"growth-batch": batch_plot, "growth-width": width_plot, "growth-rows": rows_plot, "threads": threads_plot}


def main():
    parser = argparse.ArgumentParser(prog="sh bench/run.sh growth", description=__doc__.split(";")[0] + ".")
    parser.add_argument("plots", nargs="*", help=f"which (default: all): {', '.join(PLOTS)}, roofline, many-threads")
    parser.add_argument("--out", type=pathlib.Path, help="folder for the plots (default: build/bench)")
    parser.add_argument("--seconds", type=float, default=0.2, help="least time of one measurement")
    parser.add_argument("--threads", type=lambda text: [int(t) for t in text.split(",")], default=[1, 2],
                        help="1 alone leaves out what other programs on a busy machine disturb (default: 1,2)")
    parser.add_argument("--passes", type=int, default=2, help="over every list of sizes, so that no disturbance falls on one "
                        "point alone; the best counts")
    parser.add_argument("--program", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--kernels", type=pathlib.Path, help=argparse.SUPPRESS)
    parser.add_argument("--build", type=pathlib.Path, required=True, help=argparse.SUPPRESS)
    options = parser.parse_args()
    unknown = set(options.plots) - set(PLOTS) - {"roofline", "many-threads"}
    if unknown:
        parser.error(f"no plot {', '.join(sorted(unknown))}")
    out = options.out or options.build
    bench = Bench(options)
    bench.ask(["fma_peak"])
    for name in options.plots or [*PLOTS, "roofline", "many-threads"]:
        if name in ("threads", "many-threads") and max(options.threads) == 1:
            continue
        if name == "many-threads":
            rows = many_threads(options)
            print(rows)
            (options.build / "many-threads.md").write_text(rows)
            continue
        picture = roofline_plot(bench, options) if name == "roofline" else PLOTS[name](bench)
        if picture is None:
            sys.exit(f"growth: nothing could be measured for {name}")
        (out / f"{name}.svg").write_text(picture)
        print(f"growth: {out / name}.svg", file=sys.stderr)
    bench.close()
    figures = [{"name": name, "threads": threads, "value": value} for (name, threads), value in bench.values.items()]
    (options.build / "growth.json").write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
