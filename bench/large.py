"""Rows that memory can't hold: the command-line tool on a large .npy file, against the same rows in memory.

Makes two files of float32 rows of 784 numbers: a small one, which the tool reads whole or, told so, in pieces, and a
large one. Prints rows a second and peak memory, and deletes both files.

    fit       a net of --layers (the published MNIST net) in mini-batches of 200, gamma given. Of the small file the rate
              is that of one epoch more: (rows x epochs) over the time that runs of two lengths differ by. Of the large
              file it is the rate at which the first epoch reads it (/proc/PID/io), from a tenth to nine tenths of it
    score     all rows, lines written to /dev/null
    peak      the largest resident set of the process, ru_maxrss of wait4 (VmHWM of /proc/PID/status)
    CPU       the same rates a second of processor time, for machines that others use too; with --threads 1 it tells
              what reading in pieces costs
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
    """write() in a process of its own: what this one holds would count in the peaks of those that it starts."""
    child = os.fork()
    if child == 0:
        write(path, rows, seed)
        os._exit(0)
    if os.waitpid(child, 0)[1] != 0:
        sys.exit(f"{path} can't be written")


def write(path, rows, seed):
    """Rows near an 8-dimensional plane, 20,000 of them and then the same stretched a little, as numpy.save writes them."""
    import numpy
    from numpy.lib import format as npy

    random = numpy.random.default_rng(seed)
    basis = (random.standard_normal((8, FEATURES)) / 8).astype("float32")
    x = random.standard_normal((20000, 8), dtype="float32") @ basis
    x += 0.05 * random.standard_normal(x.shape, dtype="float32")
    with open(path, "wb") as file:
        npy.write_array_header_1_0(
            file, {"descr": "<f4", "fortran_order": False, "shape": (rows, FEATURES)})
        for first in range(0, rows, len(x)):
            file.write((x[:rows - first] * numpy.float32(0.5 + 1e-7 * first) + numpy.float32(0.5)).data)


def bytes_and_cpu(pid):
    """Bytes that a process has read, and its processor time."""
    try:
        with open(f"/proc/{pid}/io") as io, open(f"/proc/{pid}/stat") as stat:
            words = stat.read().rsplit(")", 1)[1].split()
            return int(io.readline().split()[1]), (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")
    except (OSError, IndexError, ValueError):
        return 0, 0


def run(command, watch=False):
    """Seconds, processor time, peak MB; and time, bytes read and processor time at moments of the run."""
    start = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    moments = []
    while watch:
        done, status, usage = os.wait4(process.pid, os.WNOHANG)
        if done:
            break
        moments.append((time.monotonic() - start, *bytes_and_cpu(process.pid)))
        time.sleep(0.2)
    if not watch:
        _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - start
    said = process.stderr.read().decode()
    process.stderr.close()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{' '.join(command)}\n{said}")
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / 1e6, moments


def steady_rates(moments, size):
    """Rows a second, and a second of processor time, of the second pass: between a tenth and nine tenths of it."""
    part = [moment for moment in moments if 1.1 * size < moment[1] < 1.9 * size]
    if len(part) < 2:
        return float("nan"), float("nan")
    rows = (part[-1][1] - part[0][1]) / ROW
    return rows / (part[-1][0] - part[0][0]), rows / max(part[-1][2] - part[0][2], 1e-9)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--tool", required=True)
    parser.add_argument("--folder", default=".", help="where the files are made; the disk of it is what is measured")
    parser.add_argument("--size", type=float, default=20, help="GB of the large file; no more than the disk has room for")
    parser.add_argument("--memory", default="300M", help="the tool's --memory")
    parser.add_argument("--layers", default="1024,256,256", help="of the net")
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
    fit = [options.tool, "fit", small, "-o", model, "--layers", options.layers, "--no-standardize", "--gamma", "0.1"]
    fit += threads

    print(f"{n_small} rows of {FEATURES} float32 numbers ({n_small * ROW / 1e6:.0f} MB), "
          f"{n_large} rows ({n_large * ROW / 1e9:.1f} GB); layers {options.layers}, threads {options.threads}, "
          f"--memory {options.memory}, load {os.getloadavg()[0]:.1f}\n", flush=True)
    print("| rows | read | peak MB | seconds | rows/s | of in memory | rows/s of CPU | of in memory |\n"
          "| --- | --- | --- | --- | --- | --- | --- | --- |", flush=True)

    def line(what, how, peak, seconds, rates, whole):
        shares = [f"{rate:.0f} | {100 * rate / best:.0f} %" for rate, best in zip(rates, whole)]
        print(f"| {what} | {how} | {peak:.0f} | {seconds:.1f} | {' | '.join(shares)} |", flush=True)

    def medians(pairs):
        return [statistics.median(rates) for rates in zip(*pairs)]

    # Interleaved, so that both ways see the same load of the machine.
    kinds = {"in memory": [], "in pieces": pieces}
    rates, runs = {kind: [] for kind in kinds}, {}
    for _ in range(options.repeat):
        for kind, more in kinds.items():
            short = run(fit + ["--epochs", "1"] + more)
            runs[kind] = run(fit + ["--epochs", "3"] + more)
            rates[kind].append([2 * n_small / (runs[kind][i] - short[i]) for i in (0, 1)])
    of_fit = medians(rates["in memory"])
    for kind in kinds:
        line("fit, small", kind, runs[kind][2], runs[kind][0], medians(rates[kind]), of_fit)

    score = [options.tool, "score", model, "-o", "/dev/null"]
    rates = {kind: [] for kind in kinds}
    for _ in range(options.repeat):
        for kind, more in kinds.items():
            runs[kind] = run(score + [small] + more)
            rates[kind].append([n_small / runs[kind][i] for i in (0, 1)])
    of_score = medians(rates["in memory"])
    for kind in kinds:
        line("score, small", kind, runs[kind][2], runs[kind][0], medians(rates[kind]), of_score)

    make(large, n_large, 2)
    fit[2] = large
    seconds, _, peak, moments = run(fit + ["--epochs", "1"] + pieces, watch=True)
    line("fit, large, one epoch", "in pieces", peak, seconds, steady_rates(moments, os.path.getsize(large)), of_fit)
    seconds, cpu, peak, _ = run(score + [large] + pieces)
    line("score, large", "in pieces", peak, seconds, [n_large / seconds, n_large / cpu], of_score)
    seconds, _, peak, _ = run([options.tool, "fit", large, "-o", model] + threads + pieces)
    print(f"| fit, large, default ensemble of a sample | in pieces | {peak:.0f} | {seconds:.1f} | | | | |", flush=True)


if __name__ == "__main__":
    main()
