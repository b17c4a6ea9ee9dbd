"""What a frozen detector takes and gives on this machine, on one of 32 bits, and on a Cortex-M4 in QEMU.

    python3 devices.py TOOL MODEL ROWS [--labels FILE | --label-column N] [--normal V] [--clip SCORE] [--table]

Freezes the model in float and, by the rows, in eight bits; compiles both for every target there is a compiler for; runs
them on the first rows. Fails where a float score is not the library's to 1e-5, a decision differs, or a self-test fails.
--table prints a line a target, for docs/devices.md. ROWS is a csv file, IDX images, or a matrix of float32 in .npy.
--clip: all rows are windows of one recording, and it is their mean that must be this score to 1e-5 in float; of nets whose
rows are not scaled a window's own score may hang on a float's last digits.
"""

import argparse
import ast
import csv
import gzip
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
COUNT = 10
ARM = ["arm-none-eabi-gcc", "-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"]
CC = os.environ.get("CC", "cc")
TARGETS = {
    "this machine": ([CC], "host.c"),
    "32 bits (-m32)": ([CC, "-m32", "-msse2", "-mfpmath=sse"], "host.c"),
    "Cortex-M4": (ARM, "cortex_m4.c"),
}


def read_rows(path, label_column):
    """The first rows (of a matrix all) as lists of floats, without their labels."""
    if path.endswith(".npy"):
        data = pathlib.Path(path).read_bytes()
        header = 10 + struct.unpack("<H", data[8:10])[0]
        n, size = ast.literal_eval(data[10:header].decode())["shape"]
        return [list(struct.unpack_from(f"<{size}f", data, header + 4 * size * i)) for i in range(n)]
    if ".csv" not in path:
        data = (gzip.open if path.endswith(".gz") else open)(path, "rb").read()
        n, height, width = struct.unpack(">3I", data[4:16])
        size = height * width
        return [[b / 255 for b in data[16 + i * size:][:size]] for i in range(min(n, COUNT))]
    with open(path, newline="") as file:
        lines = list(csv.reader(file))
    if not any(is_number(field) for field in lines[0]):
        label_column = lines[0].index(label_column) if label_column in lines[0] else label_column
        lines = lines[1:]
    rows = [[float(x) for x in line] for line in lines[:COUNT]]
    for row in rows:
        if label_column is not None:
            del row[int(label_column)]
    return rows


def is_number(field):
    try:
        float(field)
    except ValueError:
        return False
    return True


def can_make(compiler, folder):
    """Whether the compiler makes programs of its target (-m32 needs libraries of its own)."""
    if not shutil.which(compiler[0]):
        return False
    if compiler is ARM:
        return shutil.which("qemu-system-arm") is not None
    probe = folder / "probe.c"
    probe.write_text("#include <math.h>\nint main(void) { return 0; }\n")
    return subprocess.run([*compiler, probe, "-o", folder / "probe"], capture_output=True).returncode == 0


def compile_and_run(compiler, source, folder):
    """Lines of a program's output, and the bytes of code with constants, and of memory."""
    flags = ["-std=c99", "-Wall", "-Wextra", "-pedantic", "-Werror", "-O2", f"-I{folder}"]
    binary = folder / "program"
    link = ["-nostartfiles", "-specs=nosys.specs", f"-T{HERE / 'cortex_m4.ld'}"] if compiler is ARM else []
    # The header alone, for its size.
    alone = folder / "alone.c"
    alone.write_text('#include "case.h"\nint decide(const float *row);\n'
                     "int decide(const float *row) { return IS_ANOMALY(row) + 2 * SELF_TEST(); }\n")
    alone_flags = [flag for flag in flags if flag != "-Werror"] + ["-DNO_ROWS"]
    subprocess.run([*compiler, *alone_flags, "-c", alone, "-o", folder / "alone.o"], check=True)
    size = "arm-none-eabi-size" if compiler is ARM else "size"
    text, data, bss = (int(word) for word in subprocess.run(
        [size, folder / "alone.o"], check=True, capture_output=True, text=True).stdout.splitlines()[1].split()[:3])
    subprocess.run([*compiler, *flags, HERE / source, *link, "-lm", "-o", binary], check=True,
                   capture_output=True, text=True)
    command = [binary]
    if compiler is ARM:
        command = ["qemu-system-arm", "-machine", "mps2-an386", "-icount", "shift=0", "-display", "none",
                   "-monitor", "none", "-serial", "none", "-semihosting-config", "enable=on,target=native",
                   "-kernel", binary]
    run = subprocess.run(command, check=True, capture_output=True, text=True, timeout=600)
    return (run.stdout or run.stderr).split("\n"), text, data + bss


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("tool")
    parser.add_argument("model")
    parser.add_argument("rows")
    parser.add_argument("--labels")
    parser.add_argument("--label-column")
    parser.add_argument("--normal")
    parser.add_argument("--clip", type=float)
    parser.add_argument("--table", action="store_true")
    options = parser.parse_args()

    labels = []
    if options.labels:
        labels += ["--labels", options.labels]
    if options.label_column is not None:
        labels += ["--label-column", options.label_column]
    scores = subprocess.run([options.tool, "score", options.model, options.rows, *labels], check=True,
                            capture_output=True, text=True).stdout.splitlines()[1:]
    rows = read_rows(options.rows, options.label_column)
    expected = [(float(line.split(",")[0]), int(line.split(",")[2])) for line in scores[:len(rows)]]
    if options.normal is not None:
        labels += ["--normal", options.normal]

    failed = False
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        numbers = ",\n".join("{" + ", ".join(f"{x:.9g}f" if "." in f"{x:.9g}" or "e" in f"{x:.9g}" else f"{x:.9g}.0f"
                                             for x in row) + "}" for row in rows)
        (folder / "case.h").write_text(
            '#include <stdint.h>\n#include "model.h"\n#ifndef NO_ROWS\n'
            f"#define ROWS {len(rows)}\nstatic const float rows[ROWS][MODEL_FEATURES] = {{{numbers}}};\n#endif\n"
            "#define SCORE model_score\n#define IS_ANOMALY model_is_anomaly\n#define SELF_TEST model_self_test\n")
        for form, more in (("float", []), ("int8", ["--int8", options.rows, *labels])):
            said = subprocess.run([options.tool, "freeze", options.model, "-o", folder / "model.h", *more],
                                  check=True, capture_output=True, text=True).stdout
            print(f"{form}: " + ", ".join(said.splitlines()[2:-1]))
            for target, (compiler, source) in TARGETS.items():
                if not can_make(compiler, folder):
                    print(f"{target}: left out, there is no compiler or emulator for it")
                    continue
                try:
                    lines, flash, ram = compile_and_run(compiler, source, folder)
                except subprocess.CalledProcessError as error:
                    if "overflowed" in (error.stderr or ""):
                        print(f"{target}: larger than the 4 MB of the board in QEMU")
                        continue
                    print(error.stderr, file=sys.stderr)
                    raise
                largest = total = 0.0
                for line, (score, decision) in zip(lines, expected):
                    bits, decided = (int(word, 16) for word in line.split())
                    got = struct.unpack("f", struct.pack("I", bits))[0]
                    total += got
                    largest = max(largest, abs(got - score) / abs(score))
                    failed |= form == "float" and options.clip is None and decided != decision
                self_test, cost = (int(word, 16) for word in lines[len(expected)].split())
                clip = total / len(expected)
                error = largest if options.clip is None else abs(clip / options.clip - 1)
                failed |= self_test != 1 or (form == "float" and error > 1e-5)
                unit = "instructions" if compiler is ARM else "ns"
                if options.table:
                    print(f"| {form} | {target} | {flash:,} | {ram:,} | {cost:,} {unit} | {largest:.1e} |")
                else:
                    print(f"{target}: flash {flash}, RAM {ram}, {cost} {unit} a row, largest relative difference "
                          f"{largest:.2g}, self-test {self_test}")
                if options.clip is not None:
                    print(f"{form}, {target}: the clip's score is {clip:.6f}, expected {options.clip:.6f}")
    sys.exit(failed)


main()
