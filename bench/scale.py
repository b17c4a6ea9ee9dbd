#!/usr/bin/env python3
"""Training by one rank and by two, a model of it, and what that says of 1,024 ranks; called by `sh bench/run.sh scale`.

With P parameters, mini-batches of B rows, S shards and R ranks of one thread, a step takes

    t = 6 P B / (R F) + k P + s P S / R + T
    T = 0 for one rank, else 2 (R - 1) / R 4 P / bandwidth + (2 (R - 1) + log2 R) latency

F, k (weights packed, Adam; taken as if it did not shrink) and s (a shard's sum written and added) come from runs of one
rank, bandwidth and latency from an exchange and a gathering alone. Runs of two ranks check the model; nothing is fitted to
them. The best step of each run counts, because what disturbs a step only slows it. On a machine that others use too, --busy
counts the processor's seconds outside MPI, and of all runs of a net the best messages, instead of the clock.
"""
import argparse
import json
import math
import os
import pathlib
import statistics
import subprocess

import plot

NETS = ("784-1024-256-256", "256-512-128-32")
BATCHES, SHARDS = (64, 256, 1024), (2, 16)
NETWORKS = (("100 Gb/s, 2 us", 12.5e9, 2e-6), ("10 Gb/s, 20 us", 1.25e9, 20e-6))


def parameters(net):
    widths = [int(w) for w in net.split("-")]
    return 2 * sum(a * b for a, b in zip(widths, widths[1:])) + sum(widths[1:]) + sum(widths[:-1])


def run(options, ranks, net, batch, shards):
    step = 6 * parameters(net) * batch / 4e10  # seconds, about
    epochs = max(5, min(200, int(options.seconds / (2 * step))))
    # Open MPI refuses root, and more ranks than cores, unless told otherwise.
    environment = dict(os.environ, OMPI_ALLOW_RUN_AS_ROOT="1", OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1", OMP_WAIT_POLICY="passive")
    command = [options.mpirun, "--oversubscribe", "--bind-to", "none", "-n", str(ranks), str(options.program), net, str(batch),
               str(shards), "2", str(epochs), "1"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout)


def measure(options):
    """Best figures of each (ranks, net, batch, shards), passes interleaved."""
    best = {}
    for _ in range(options.passes):
        for net in NETS:
            for batch in options.batches:
                for shards in SHARDS:
                    for ranks in (1, 2):
                        got = run(options, ranks, net, batch, shards)
                        key = ranks, net, batch, shards
                        known = best.setdefault(key, got)
                        for name in ("step", "median", "between", "work", "messages", "small_messages"):
                            known[name] = min(known[name], got[name])
    return best


def solve(matrix, right):
    """Gauss, with pivots."""
    n = len(right)
    rows = [list(row) + [r] for row, r in zip(matrix, right)]
    for i in range(n):
        pivot = max(range(i, n), key=lambda j: abs(rows[j][i]))
        rows[i], rows[pivot] = rows[pivot], rows[i]
        for j in range(n):
            if j != i:
                factor = rows[j][i] / rows[i][i]
                rows[j] = [a - factor * b for a, b in zip(rows[j], rows[i])]
    return [rows[i][n] / rows[i][i] for i in range(n)]


class Model:
    """Seconds of a step, of one net's figures."""

    def __init__(self, best, net):
        self.p = best[1, net, *next(k[2:] for k in best)]["parameters"]
        terms, times = [], []
        for (ranks, of_net, batch, shards), got in best.items():
            if ranks == 1 and of_net == net:
                # Divided by the time: relative errors count.
                terms.append([x / got["step"] for x in (6 * self.p * batch, self.p, self.p * shards)])
                times.append(1)
        normal = [[sum(row[i] * row[j] for row in terms) for j in range(3)] for i in range(3)]
        self.flop, self.once, self.shard = (max(x, 0) for x in solve(normal, [sum(row[i] for row in terms) for i in range(3)]))
        two = [got for (ranks, of_net, *_), got in best.items() if ranks == 2 and of_net == net]
        # Two messages and a part for the center of two ranks.
        self.latency = min(got["small_messages"] for got in two) / 2
        self.bandwidth = 4 * self.p / max(min(got["messages"] for got in two) - 2 * self.latency, 1e-9)

    def step(self, ranks, batch, shards, bandwidth=None, latency=None):
        bandwidth, latency = bandwidth or self.bandwidth, latency or self.latency
        between = 0
        if ranks > 1:
            between = 2 * (ranks - 1) / ranks * 4 * self.p / bandwidth + (2 * (ranks - 1) + math.log2(ranks)) * latency
        return 6 * self.p * batch * self.flop / ranks + self.once * self.p + self.shard * self.p * shards / ranks + between


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", type=pathlib.Path, required=True)
    parser.add_argument("--mpirun", default="mpirun")
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path("."))
    parser.add_argument("--seconds", type=float, default=2.0, help="of each run, about")
    parser.add_argument("--passes", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="one pass of the shortest runs")
    parser.add_argument("--busy", action="store_true", help="for a machine that others use, see above")
    parser.add_argument("--figures", type=pathlib.Path, help="draws what an earlier run has written there, measures nothing")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    options.batches = BATCHES
    if options.quick:
        options.passes, options.seconds = 1, 0.5
    load = os.getloadavg()
    if options.figures:
        best = {tuple(key): got for key, got in json.loads(options.figures.read_text())}
    else:
        best = measure(options)
        (options.out / "scale.json").write_text(json.dumps([[list(key), got] for key, got in best.items()]) + "\n")
    if options.busy:
        for (ranks, net, *_), got in best.items():
            # Their size depends on the net alone.
            alike = [other["messages"] for (others, of_net, *_), other in best.items() if others == ranks and of_net == net]
            got["between"] = min(alike) if ranks > 1 else 0
            got["step"] = got["work"] + got["between"]
    models = {net: Model(best, net) for net in NETS}

    print(f"{'processor time, ' if options.busy else ''}load {load[0]:.1f} before, {os.getloadavg()[0]:.1f} after, {os.cpu_count()} cores\n")
    print("| net | parameters | F | k P | s P | bandwidth | latency |\n| --- | --- | --- | --- | --- | --- | --- |")
    for net, m in models.items():
        print(f"| {net} | {m.p:,} | {1e-9 / m.flop:.0f} GFLOP/s | {1e3 * m.once * m.p:.2f} ms | {1e3 * m.shard * m.p:.3f} ms | "
              f"{1e-9 * m.bandwidth:.1f} GB/s | {1e6 * m.latency:.1f} us |")
    print("\n| net | B | S | one rank, ms | two ranks, ms | between ranks, ms | efficiency | the model's two, ms | off by |\n"
          "| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    errors = []
    for (ranks, net, batch, shards), two in best.items():
        if ranks == 2:
            one, said = best[1, net, batch, shards]["step"], models[net].step(2, batch, shards)
            errors.append(abs(said / two["step"] - 1))
            print(f"| {net} | {batch} | {shards} | {1e3 * one:.2f} | {1e3 * two['step']:.2f} | {1e3 * two['between']:.2f} | "
                  f"{one / (2 * two['step']):.0%} | {1e3 * said:.2f} | {said / two['step'] - 1:+.0%} |")
    print(f"\nmedian error of the model {statistics.median(errors):.0%}, worst {max(errors):.0%}")

    net = NETS[0]
    m, ranks = models[net], [2**i for i in range(11)]
    rate = lambda r, batch, network: batch / m.step(r, batch, max(16, r), *network)
    series, rows = [], []
    for (name, *network), color in zip(NETWORKS, plot.COLORS):
        for label, batch_of, dashed in (("256 rows a rank", lambda r: 256 * r, False), ("8,192 rows in all", lambda r: 8192, True)):
            points = [(r, rate(r, batch_of(r), network)) for r in ranks]
            series.append(plot.Series(f"{label}, {name}", points, color, dashed=dashed))
            rows.append((label, name, [y / (r * points[0][1]) for r, y in points]))
    first = series[0].points[0][1]
    series.append(plot.Series("no loss", [(r, r * first) for r in ranks], "#888", marks=False))
    series.append(plot.Series("measured here, 256 rows in all",
                              [(1, 256 / best[1, net, 256, 16]["step"])] +
                              ([(2, 256 / best[2, net, 256, 16]["step"])]), "#333", line=False, square=True))
    (options.out / "scale.svg").write_text(plot.plot(
        f"{net} and back ({m.p / 1e6:.1f} million parameters): rows a second over ranks, by the model", "ranks of one thread",
        "rows a second", series))
    shown = (2, 8, 64, 256, 1024)
    print(f"\nEfficiency of {net} by the model:\n\n| mini-batch | network | " + " | ".join(map(str, shown)) + " ranks |")
    print("| --- | --- |" + " --- |" * len(shown))
    for label, name, values in rows:
        print(f"| {label} | {name} | " + " | ".join(f"{values[ranks.index(r)]:.0%}" for r in shown) + " |")


if __name__ == "__main__":
    main()
