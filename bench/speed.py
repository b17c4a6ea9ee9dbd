#!/usr/bin/env python3
"""Measures this library against PyTorch and onnxruntime on this machine; called by `sh bench/run.sh speed`.

Every program is a child process that measures what it is asked by name and answers with a JSON line: bench_speed is
this library, bench/torch_reference.py the peers. They are asked in turn, round after round, so that a busy machine
disturbs all of them alike; a figure is the median over the rounds, and the peer's is that of its fastest engine.

The limit of a row is what the hardware allows, from the peaks measured in the same run: arithmetic at the FMA rate,
or for one row alone the time to read the weights.
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
TRAINING = ("train_mnist", "train_mnist_bf16", "train_pima")
SCORING = ("score_mnist_10000", "score_mnist_1", "score_pima_10000", "score_pima_1")
NAMES = TRAINING + ("gamma_mnist",) + SCORING
SCALING = ("train_mnist", "train_mnist_bf16", "gamma_mnist", "score_mnist_10000", "score_pima_10000")
PEAKS = ("fma_peak", "bf16_peak", "read_bandwidth")
NETS = {"mnist": [784, 1024, 256, 256, 256, 1024, 784], "pima": [8, 10, 4, 4, 4, 10, 8]}
KAPPA, GAMMA_ROWS = 0.9, 10 * 5923
SECONDS_TO_ANSWER = 240  # compiling is the slowest thing anybody does


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


def limit(name, unit, peak):
    """The hardware's limit in the row's own unit, or None where none would say anything (a tiny net's one row)."""
    rate = 1e9 * (max(peak["bf16_peak"], peak["fma_peak"]) if name.endswith("bf16") else peak["fma_peak"])
    if unit == "rows/s":
        return rate / flops(name)
    if unit == "s":
        return GAMMA_ROWS * flops(name) / rate
    if name == "score_mnist_1":
        weights = 4 * multiply_adds(NETS["mnist"])
        return 1e6 * max(weights / (1e9 * peak["read_bandwidth"]), flops(name) / rate)
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


def measure(engines, threads, options, until):
    """{(engine, name): (median, unit)} and the peaks, with that many threads."""
    ours = Child("ours", [str(options.program), "--seconds", str(options.seconds)], threads, options.build)
    peers = [Child(engine, command + ["--seconds", str(options.seconds)], threads, options.build)
             for engine, command in engines.items()]
    values, units, peaks = {}, {}, {}
    for name in PEAKS:
        peaks[name] = ours.ask(name)["value"]
    for round_number in range(options.rounds):
        if round_number > 0 and time.monotonic() > until:
            print(f"speed: time is up after {round_number} of {options.rounds} rounds", file=sys.stderr)
            break
        for name in options.names or NAMES:
            for child in [ours] + peers:
                if child.engine == "onnxruntime" and name not in SCORING:
                    continue
                answer = child.ask(name)
                if answer:
                    values.setdefault((child.engine, name), []).append(answer["value"])
                    units[name] = answer["unit"]
                    if options.verbose:
                        print(f"  {child.engine:12} {name} {threads}: {answer['value']:.6g}", file=sys.stderr)
        # The machine may have been disturbed the first time; what disturbs a peak only lowers it.
        for name in PEAKS:
            peaks[name] = max(peaks[name], ours.ask(name)["value"])
    for child in [ours] + peers:
        child.close()
    return {key: statistics.median(v) for key, v in values.items()}, units, peaks


def rows_of(medians, units, peaks, threads, names):
    rows = []
    for name in names:
        if name not in units:
            continue
        unit = units[name]
        candidates = {engine: v for (engine, n), v in medians.items() if n == name and engine != "ours"}
        ours = medians.get(("ours", name))
        engine = better(unit)(candidates, key=candidates.get) if candidates else None
        peer = candidates.get(engine)
        top = limit(name, unit, peaks)
        faster = (lambda a, b: a / b) if unit == "rows/s" else (lambda a, b: b / a)
        rows.append({"name": name, "threads": threads, "ours": ours, "peer": peer,
                     "ratio": faster(ours, peer) if ours and peer else None, "unit": unit, "limit": top,
                     "of_limit": faster(ours, top) if ours and top else None, "engine": engine, "peers": candidates})
    return rows


def scaling_rows(rows, peaks, low, high):
    """How much faster more threads are: ours, the peer's (each at its best), and the peak's."""
    at = {(row["name"], row["threads"]): row for row in rows}
    result = []
    for name in SCALING:
        if (name, low) not in at or (name, high) not in at:
            continue
        one, many = at[name, low], at[name, high]
        gain = lambda key: ((many[key] / one[key]) if one["unit"] == "rows/s" else (one[key] / many[key])) \
            if one[key] and many[key] else None
        ours, peer, top = gain("ours"), gain("peer"), peaks[high]["fma_peak"] / peaks[low]["fma_peak"]
        result.append({"name": f"scaling_{name}", "threads": high, "ours": ours, "peer": peer,
                       "ratio": ours / peer if ours and peer else None, "unit": "x", "limit": top,
                       "of_limit": ours / top if ours else None, "engine": many["engine"], "peers": {}})
    return result


def table(rows):
    def number(value):
        if value is None:
            return "-"
        return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"

    lines = [("", "threads", "ours", "peer", "ratio", "unit", "limit", "of limit", "peer's engine")]
    for row in rows:
        share = "-" if row["of_limit"] is None else f"{100 * row['of_limit']:.0f} %"
        ratio = "-" if row["ratio"] is None else f"{row['ratio']:.2f}"
        lines.append((row["name"], str(row["threads"]), number(row["ours"]), number(row["peer"]), ratio, row["unit"],
                      number(row["limit"]), share, row["engine"] or "-"))
    widths = [max(map(len, column)) for column in zip(*lines)]
    left = (0, 5, 8)
    return "\n".join("  ".join(cell.ljust(w) if i in left else cell.rjust(w)
                               for i, (cell, w) in enumerate(zip(line, widths))).rstrip() for line in lines)


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
    parser.add_argument("--build", type=pathlib.Path, required=True, help="folder for speed.json and logs")
    parser.add_argument("--python", action="append", default=[], metavar="NAME=PATH",
                        help="an interpreter with PyTorch, by the name it gets in the table; the first may have onnxruntime")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=0.5, help="least time of one measurement")
    parser.add_argument("--minutes", type=float, default=8, help="no new round starts after this")
    parser.add_argument("--threads", default=f"1,{min(2, os.cpu_count() or 1)}")
    parser.add_argument("--no-compile", action="store_true", help="leave out torch.compile, which takes a minute")
    parser.add_argument("--verbose", action="store_true", help="print every answer as it comes")
    options = parser.parse_args()
    unknown = set(options.names) - set(NAMES)
    if unknown:
        parser.error(f"unknown measurement {', '.join(sorted(unknown))}")
    options.build.mkdir(parents=True, exist_ok=True)

    engines, reference = {}, str(HERE / "torch_reference.py")
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

    start = time.monotonic()
    counts = sorted({int(count) for count in options.threads.split(",")})
    rows, peaks = [], {}
    for i, threads in enumerate(counts):
        until = start + 60 * options.minutes * (i + 1) / len(counts)
        medians, units, peaks[threads] = measure(engines, threads, options, until)
        rows += rows_of(medians, units, peaks[threads], threads, options.names or NAMES)
    if len(counts) > 1:
        rows += scaling_rows(rows, peaks, counts[0], counts[-1])

    print(f"{processor()}, {os.cpu_count()} cores; " + "; ".join(
        f"{threads} thread{'s' if threads > 1 else ''}: FMA {p['fma_peak']:.0f} and bf16 {p['bf16_peak']:.0f} GFLOP/s, "
        f"reading {p['read_bandwidth']:.0f} GB/s" for threads, p in peaks.items()))
    print(table(rows))
    result = {"processor": processor(), "cores": os.cpu_count(), "rounds": options.rounds, "peaks": peaks, "rows": rows}
    (options.build / "speed.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
