#!/usr/bin/env python3
"""Measures this library against PyTorch and onnxruntime on this machine; called by `sh bench/run.sh speed`.

Every program is a child process that measures what it is asked by name and answers with a JSON line: bench_speed is
this library, bench/torch_reference.py the peers. They are asked in turn, round after round, with every number of threads,
so that a busy machine disturbs all of them alike; a figure is the median over the rounds. One thread's time is its processor
time, a team's the time that passes. The peer's figure is that of its fastest engine with the number of threads, up to the
row's, that suits it best.

The limit of a row is what the hardware allows, from the peaks measured in the same run: arithmetic at the rate of
multiply-adds or, where that takes longer, reading and writing the parameters at the rate of the cache they fit in.
"""
import argparse
import json
import os
import pathlib
import select
import statistics
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
TRAINING = ("train_mnist", "train_mnist_mixed", "train_pima")
SCORING = ("score_mnist_10000", "score_mnist_1", "score_pima_10000", "score_pima_1")
COMPACT = "score_mnist_1_compact"  # weights of two bytes, which peers don't have; beside their float
NAMES = TRAINING + ("gamma_mnist",) + SCORING + (COMPACT,)
SCALING = ("train_mnist", "train_mnist_mixed", "gamma_mnist", "score_mnist_10000", "score_pima_10000")
PEAKS = ("fma_peak", "bf16_peak", "amx_peak", "cache_bandwidth", "read_mnist_1")
PEAKS_TOO_LARGE_TO_REPEAT = ("memory_bandwidth",)
NETS = {"mnist": [784, 1024, 256, 256, 256, 1024, 784], "pima": [8, 10, 4, 4, 4, 10, 8]}
BATCH, KAPPA, GAMMA_ROWS = 200, 0.9, 10 * 5923
SECONDS_TO_ANSWER = 240  # compiling is the slowest thing anybody does

# What a row should reach: at least so much in these columns.
TARGETS = {
    "train_mnist": {"ratio": 1.4, "of_limit": 0.8},
    ("train_mnist", 2): {"ratio": 1.8, "of_limit": 0.75},
    "train_mnist_mixed": {"ratio": 1.8},
    "train_pima": {"ratio": 30},
    "gamma_mnist": {"ratio": 1, "of_limit": 0.8},
    "score_mnist_10000": {"ratio": 1, "of_limit": 0.8},
    "score_mnist_1": {"of_limit": 1 / 1.2},
    "score_mnist_1_compact": {"of_limit": 1 / 0.65},
    "score_pima_10000": {"ratio": 4},
    "score_pima_1": {"ratio": 20},
    "plain_build_train_mnist": {"ratio": 0.97},
    "mixed_over_float_train_mnist": {"ratio": 1.6},
    "scaling_train_mnist": {"ours": 1.85},
    "scaling_gamma_mnist": {"ours": 1.85},
    "scaling_score_mnist_10000": {"ours": 1.85},
    "scaling_train_mnist_mixed": {"ours": 1},
    "scaling_score_pima_10000": {"ours": 1},
}


def multiply_adds(widths):
    return sum(a * b for a, b in zip(widths, widths[1:]))


def flops(name):
    """Operations a row costs: forward, weight gradient and input gradient (but the first layer's) over the network
    share and the encoder over the center share; or the forward pass."""
    widths = NETS[name.split("_")[1]]
    forward = multiply_adds(widths)
    encoder = multiply_adds(widths[: len(widths) // 2 + 1])
    if name.startswith("train"):
        return 2 * (KAPPA * (3 * forward - widths[0] * widths[1]) + (1 - KAPPA) * encoder)
    return 2 * forward


def parameter_bytes(name):
    """What a row's share of a training step moves of the parameters: read once by every pass; Adam reads and writes three
    arrays."""
    widths = NETS[name.split("_")[1]]
    forward = multiply_adds(widths)
    encoder = multiply_adds(widths[: len(widths) // 2 + 1])
    return 4 * (forward + (forward - widths[0] * widths[1]) + 6 * forward + encoder) / BATCH


def limit(name, unit, peak):
    """The hardware's limit in the row's own unit, or None where none would say anything (a tiny net's one row)."""
    float_rate = 1e9 * peak["fma_peak"]
    rate = max(float_rate, 1e9 * peak["bf16_peak"], 1e9 * peak["amx_peak"]) if name.endswith("mixed") else float_rate
    if name.startswith("train"):
        return 1 / max(flops(name) / rate, parameter_bytes(name) / (1e9 * peak["cache_bandwidth"]))
    if unit == "rows/s":
        return rate / flops(name)
    if unit == "s":
        return GAMMA_ROWS * flops(name) / rate
    if name in ("score_mnist_1", COMPACT):
        return max(peak["read_mnist_1"], 1e6 * flops(name) / rate)
    return None


class Child:
    """A measuring program that stays alive between questions, so that nothing is built or compiled twice."""

    def __init__(self, engine, command, threads, build):
        self.engine = engine
        # What a user has set for other programs is no one's best setting here.
        drop = ("OPENBLAS_", "OMP_", "GOMP_", "KMP_", "MKL_", "DNNL_", "ONEDNN_", "DASVDD_")
        environment = {k: v for k, v in os.environ.items() if not k.startswith(drop)}
        environment |= {"OMP_NUM_THREADS": str(threads), "TORCHINDUCTOR_CACHE_DIR": str(build / "inductor")}
        self.log = open(build / f"speed-{engine.replace(' ', '-')}-{threads}.log", "w")
        self.process = subprocess.Popen(command + ["-", "--threads", str(threads)], env=environment, text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log)

    def ask(self, name):
        """The answer, or None where it has none: not able to, too late, or dead (its log says why)."""
        if self.process is None:
            return None
        try:
            self.process.stdin.write(name + "\n")
            self.process.stdin.flush()
            ready, _, _ = select.select([self.process.stdout], [], [], SECONDS_TO_ANSWER)
            line = self.process.stdout.readline() if ready else ""
        except BrokenPipeError:
            line = ""
        if not line:
            print(f"speed: {self.engine} gave up at {name}; see {self.log.name}", file=sys.stderr)
            self.close()
            return None
        answer = json.loads(line)
        return answer if answer["value"] is not None else None

    def close(self):
        if self.process is not None:
            self.process.stdin.close()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None


def better(unit):
    return max if unit == "rows/s" else min


def faster(unit, a, b):
    """How many times as fast a is as b."""
    return a / b if unit == "rows/s" else b / a


class Figures:
    """Everything measured: {(engine, name, threads): [answers]} and the peaks of every number of threads."""

    def __init__(self):
        self.answers, self.units, self.peaks = {}, {}, {}

    def add(self, engine, name, threads, answer):
        self.answers.setdefault((engine, name, threads), []).append(answer)
        self.units[name] = answer["unit"]

    def add_peak(self, name, threads, value):
        """What disturbs a peak only lowers it, and only lengthens a time."""
        here = self.peaks.setdefault(threads, {})
        keep = min if name.startswith("read_") and here.get(name) else max
        here[name] = keep(here.get(name, 0), value)

    def median(self, engine, name, threads):
        answers = self.answers.get((engine, name, threads))
        return statistics.median(a["value"] for a in answers) if answers else None

    def best(self, engine, name, threads):
        answers = self.answers.get((engine, name, threads))
        return better(self.units[name])(a["best"] for a in answers) if answers else None

    def peers(self, name, threads):
        """{engine: figure} at the row's number of threads or fewer, whichever suits the engine best."""
        result = {}
        for engine, what, t in self.answers:
            if what == name and t <= threads and not engine.startswith("ours"):
                value = self.median(engine, name, t)
                if engine not in result or better(self.units[name])(value, result[engine]) == value:
                    result[engine] = value
        return result


def measure(engines, counts, options, until):
    """Asks all programs in turn, until all rounds or the time is over (a first round is always made)."""
    figures, children = Figures(), []
    for threads in counts:
        for engine, command in engines.items():
            children.append((Child(engine, command + ["--seconds", str(options.seconds)], threads, options.build), threads))

    def ask_peaks(names):
        for child, threads in children:
            if child.engine == "ours":
                for name in names:
                    answer = child.ask(name)
                    figures.add_peak(name, threads, answer["value"] if answer else 0)

    ask_peaks(PEAKS + PEAKS_TOO_LARGE_TO_REPEAT)
    for round_number in range(options.rounds):
        for name in options.names or NAMES:
            if round_number > 0 and time.monotonic() > until:
                print(f"speed: time is up in round {round_number + 1} of {options.rounds}", file=sys.stderr)
                break
            for child, threads in children:
                if child.engine == "onnxruntime" and name not in SCORING:
                    continue
                if child.engine != "ours" and name == COMPACT:
                    continue
                if child.engine == "ours, native" and name != "train_mnist":
                    continue
                answer = child.ask(name)
                if answer:
                    figures.add(child.engine, name, threads, answer)
                    if options.verbose:
                        print(f"  {child.engine:16} {name} {threads}: {answer['value']:.6g}", file=sys.stderr)
        ask_peaks(PEAKS)
    for child, _ in children:
        child.close()
    return figures


def row(name, threads, ours, peer, unit, top=None, engine=None, **more):
    """One row; whether it reaches its target follows from its columns."""
    result = {"name": name, "threads": threads, "ours": ours, "peer": peer,
              "ratio": faster(unit, ours, peer) if ours and peer else None, "unit": unit, "limit": top,
              "of_limit": faster(unit, ours, top) if ours and top else None}
    target = TARGETS.get((name, threads), TARGETS.get(name, {}))
    known = [result[column] is not None for column in target]
    met = all(result[column] >= least for column, least in target.items()) if known and all(known) else None
    return result | {"target": target, "met": met, "engine": engine} | more


def rows_of(figures, names, counts):
    rows = []
    for threads in counts:
        for name in names:
            if name not in figures.units:
                continue
            unit = figures.units[name]
            peers = figures.peers("score_mnist_1" if name == COMPACT else name, threads)
            engine = better(unit)(peers, key=peers.get) if peers else None
            rows.append(row(name, threads, figures.median("ours", name, threads), peers.get(engine), unit,
                            limit(name, unit, figures.peaks[threads]), engine, peers=peers))
        # The same code twice: its best, since what disturbs it only slows it and 3 % matter.
        native = figures.best("ours, native", "train_mnist", threads)
        if native:
            rows.append(row("plain_build_train_mnist", threads, figures.best("ours", "train_mnist", threads), native,
                            "rows/s", engine="ours by -O3 -march=native"))
        mixed = figures.median("ours", "train_mnist_mixed", threads)
        if mixed:
            rows.append(row("mixed_over_float_train_mnist", threads, mixed, figures.median("ours", "train_mnist", threads),
                            "rows/s", engine="ours in float"))
    return rows


def scaling_rows(rows, peaks, low, high):
    """How much faster more threads are: ours, the peer's (each at its best), and the peak's."""
    at = {(r["name"], r["threads"]): r for r in rows}
    result = []
    for name in SCALING:
        if (name, low) not in at or (name, high) not in at:
            continue
        one, many = at[name, low], at[name, high]
        gain = lambda key: faster(one["unit"], many[key], one[key]) if one[key] and many[key] else None
        result.append(row(f"scaling_{name}", high, gain("ours"), gain("peer"), "rows/s",
                          peaks[high]["fma_peak"] / peaks[low]["fma_peak"], many["engine"]) | {"unit": "x"})
    return result


def cells(rows):
    """The table as words, a header first."""
    def number(value):
        if value is None:
            return "-"
        return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"

    def target(r):
        words = {"ratio": "ratio {:.3g}", "of_limit": "{:.0%} of limit", "ours": "{:.3g}"}
        return ", ".join(words[column].format(least) for column, least in r["target"].items()) or "-"

    lines = [("", "threads", "ours", "peer", "ratio", "unit", "limit", "of limit", "target", "met", "peer's engine")]
    for r in rows:
        share = "-" if r["of_limit"] is None else f"{100 * r['of_limit']:.0f} %"
        ratio = "-" if r["ratio"] is None else f"{r['ratio']:.2f}"
        met = {True: "yes", False: "no", None: "-"}[r["met"]]
        lines.append((r["name"], str(r["threads"]), number(r["ours"]), number(r["peer"]), ratio, r["unit"],
                      number(r["limit"]), share, target(r), met, r["engine"] or "-"))
    return lines


def table(rows):
    lines = cells(rows)
    widths = [max(map(len, column)) for column in zip(*lines)]
    left = (0, 5, 8, 9, 10)
    return "\n".join("  ".join(cell.ljust(w) if i in left else cell.rjust(w)
                               for i, (cell, w) in enumerate(zip(line, widths))).rstrip() for line in lines)


def markdown(rows):
    header, *body = cells(rows)
    lines = [header, ["---"] * len(header), *body]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def processor():
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return "unknown"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", help=f"measurements (default: all): {', '.join(NAMES)}")
    parser.add_argument("--program", type=pathlib.Path, required=True, help="the built bench_speed")
    parser.add_argument("--native", type=pathlib.Path, help="the same program built with -O3 -march=native")
    parser.add_argument("--build", type=pathlib.Path, required=True, help="folder for speed.json and logs")
    parser.add_argument("--python", action="append", default=[], metavar="NAME=PATH",
                        help="an interpreter with PyTorch, by the name it gets in the table; the first may have onnxruntime")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=0.5, help="least time of one measurement")
    parser.add_argument("--minutes", type=float, default=7, help="after the first round no measurement starts later")
    parser.add_argument("--threads", default=f"1,{min(2, os.cpu_count() or 1)}")
    parser.add_argument("--no-compile", action="store_true", help="leave out torch.compile, which takes a minute")
    parser.add_argument("--verbose", action="store_true", help="print every answer as it comes")
    options = parser.parse_args()
    unknown = set(options.names) - set(NAMES)
    if unknown:
        parser.error(f"unknown measurement {', '.join(sorted(unknown))}")
    options.build.mkdir(parents=True, exist_ok=True)

    start = time.monotonic()
    engines, reference = {"ours": [str(options.program)]}, str(HERE / "torch_reference.py")
    if options.native and options.native.exists():
        engines["ours, native"] = [str(options.native)]
    for i, entry in enumerate(options.python):
        label, _, path = entry.partition("=")
        golden = HERE.parent / "tests" / "golden"
        checked = subprocess.run([path, reference, "--check", str(golden)], capture_output=True, text=True)
        if checked.returncode != 0:
            sys.exit(f"speed: {label}'s PyTorch does not run the same algorithm:\n{checked.stdout}{checked.stderr}")
        engines[label] = [path, reference]
        if i == 0:
            if not options.no_compile:
                engines[f"{label} compiled"] = [path, reference, "--engine", "compile"]
            if subprocess.run([path, "-c", "import onnxruntime, onnx"], capture_output=True).returncode == 0:
                engines["onnxruntime"] = [path, reference, "--engine", "onnxruntime"]

    counts = sorted({int(count) for count in options.threads.split(",")})
    figures = measure(engines, counts, options, start + 60 * options.minutes)
    rows = rows_of(figures, options.names or NAMES, counts)
    if len(counts) > 1:
        rows += scaling_rows(rows, figures.peaks, counts[0], counts[-1])

    lines = [f"{processor()}, {os.cpu_count()} cores, {time.monotonic() - start:.0f} s"]
    for threads, p in figures.peaks.items():
        lines.append(f"{threads} thread{'s' if threads > 1 else ''}: multiply-adds in float {p['fma_peak']:.0f}, bf16 "
                     f"{p['bf16_peak']:.0f}, AMX {p['amx_peak']:.0f} GFLOP/s; reading 9 MB {p['cache_bandwidth']:.0f}, 1 GB "
                     f"{p['memory_bandwidth']:.0f} GB/s")
    print("\n".join(lines) + "\n" + table(rows))
    (options.build / "speed.md").write_text("\n\n".join(lines) + "\n\n" + markdown(rows) + "\n")
    result = {"processor": processor(), "cores": os.cpu_count(), "rounds": options.rounds, "peaks": figures.peaks,
              "rows": rows}
    (options.build / "speed.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
