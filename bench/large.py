"""Rows that memory can't hold: the command-line tool on a large .npy file, against the same rows in memory.

Makes two files of float32 rows of 784 numbers: a small one, which the tool reads whole or, told so, in pieces, and a
large one. Prints rows a second and peak memory, and deletes both files.

    fit       the published MNIST net (784-1024-256-256) in mini-batches of 200. Of the small file the rate is
              that of one epoch more: (rows x epochs) over the time that runs of two lengths differ by. Of the large file
              it is the rate at which the first epoch reads it (/proc/PID/io), from a tenth to nine tenths of it
    score     all rows, lines written to /dev/null
    peak      the largest resident set of the process, ru_maxrss of wait4 (VmHWM of /proc/PID/status)
"""
import argparse
import os
import shutil
import statistics
import subprocess
import sys
import time

FEATURES = 784
ROW = 4 * FEATURES


def make(path, rows, seed):
    """Rows near an 8-dimensional plane, as numpy.save writes them."""
    import numpy
    from numpy.lib import format as npy

    random = numpy.random.default_rng(seed)
    basis = (random.standard_normal((8, FEATURES)) / 8).astype("float32")
    with open(path, "wb") as file:
        npy.write_array_header_1_0(
            file, {"descr": "<f4", "fortran_order": False, "shape": (rows, FEATURES)})
        for first in range(0, rows, 20000):
            count = min(20000, rows - first)
            x = random.standard_normal((count, 8), dtype="float32") @ basis
            x += 0.05 * random.standard_normal((count, FEATURES), dtype="float32")
            x += 0.5
            file.write(x.tobytes())


def bytes_read(pid):
    try:
        with open(f"/proc/{pid}/io") as file:
            return int(file.readline().split()[1])
    except OSError:
        return None


def run(command, watch=False):
    """Seconds, peak MB, and the bytes read at moments of the run."""
    start = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    moments = []
    while watch:
        done, status, usage = os.wait4(process.pid, os.WNOHANG)
        if done:
            break
        moments.append((time.monotonic() - start, bytes_read(process.pid) or 0))
        time.sleep(0.2)
    if not watch:
        _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - start
    said = process.stderr.read().decode()
    process.stderr.close()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{' '.join(command)}\n{said}")
    return seconds, usage.ru_maxrss * 1024 / 1e6, moments


def steady_rate(moments, size):
    """Rows a second of the second pass: between a tenth and nine tenths of it."""
    part = [(t, b) for t, b in moments if 1.1 * size < b < 1.9 * size]
    if len(part) < 2:
        return float("nan")
    return (part[-1][1] - part[0][1]) / ROW / (part[-1][0] - part[0][0])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--tool", required=True)
    parser.add_argument("--folder", default=".", help="where the files are made; the disk of it is what is measured")
    parser.add_argument("--size", type=float, default=20, help="GB of the large file; no more than the disk has room for")
    parser.add_argument("--memory", default="300M", help="the tool's --memory")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--repeat", type=int, default=3, help="runs a row of the small file; medians are printed")
    options = parser.parse_args()

    folder = os.path.join(options.folder, "dasvdd-large")
    os.makedirs(folder, exist_ok=True)
    try:
        measure(options, folder)
    finally:
        shutil.rmtree(folder)


def measure(options, folder):
    small, large, model = (os.path.join(folder, name) for name in ("small.npy", "large.npy", "model"))
    room = shutil.disk_usage(folder).free - 2e9
    n_small, n_large = 60000, int(min(options.size * 1e9, room) / ROW)
    make(small, n_small, 1)
    threads = ["--threads", str(options.threads)]
    pieces = ["--memory", options.memory]
    fit = [options.tool, "fit", small, "-o", model, "--layers", "1024,256,256", "--no-standardize"] + threads

    print(f"{n_small} rows of {FEATURES} float32 numbers ({n_small * ROW / 1e6:.0f} MB), "
          f"{n_large} rows ({n_large * ROW / 1e9:.1f} GB)\n", flush=True)
    print("| rows | read | peak MB | seconds | rows/s | of in memory |\n| --- | --- | --- | --- | --- | --- |", flush=True)

    def line(what, how, peak, seconds, rate, whole):
        print(f"| {what} | {how} | {peak:.0f} | {seconds:.1f} | {rate:.0f} | {100 * rate / whole:.0f} % |", flush=True)

    # Interleaved, so that both ways see the same load of the machine.
    kinds = {"in memory": [], "in pieces": pieces}
    rates, runs = {kind: [] for kind in kinds}, {}
    for _ in range(options.repeat):
        for kind, more in kinds.items():
            short = run(fit + ["--epochs", "1"] + more)[0]
            runs[kind] = run(fit + ["--epochs", "3"] + more)
            rates[kind].append(2 * n_small / (runs[kind][0] - short))
    of_fit = statistics.median(rates["in memory"])
    for kind in kinds:
        line("fit, small", kind, runs[kind][1], runs[kind][0], statistics.median(rates[kind]), of_fit)

    score = [options.tool, "score", model, "-o", "/dev/null"]
    rates = {kind: [] for kind in kinds}
    for _ in range(options.repeat):
        for kind, more in kinds.items():
            runs[kind] = run(score + [small] + more)
            rates[kind].append(n_small / runs[kind][0])
    of_score = statistics.median(rates["in memory"])
    for kind in kinds:
        line("score, small", kind, runs[kind][1], runs[kind][0], statistics.median(rates[kind]), of_score)

    make(large, n_large, 2)
    size = os.path.getsize(large)
    fit[2] = large
    seconds, peak, moments = run(fit + ["--epochs", "1"] + pieces, watch=True)
    line("fit, large, one epoch", "in pieces", peak, seconds, steady_rate(moments, size), of_fit)
    seconds, peak, _ = run(score + [large] + pieces)
    line("score, large", "in pieces", peak, seconds, n_large / seconds, of_score)
    seconds, peak, _ = run([options.tool, "fit", large, "-o", model] + threads + pieces)
    print(f"| fit, large, default ensemble of a sample | in pieces | {peak:.0f} | {seconds:.1f} | | |", flush=True)


if __name__ == "__main__":
    main()
