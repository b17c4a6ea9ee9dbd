"""The reference net of MLPerf Tiny's anomaly detection, imported, frozen, and run on every target: the clip's score.

    python3 mlperf_tiny.py TOOL FOLDER [--data DIR] [--table]

DIR has the published net, ad01.safetensors (the names of torch.nn.Sequential), and clip.npy, one clip of 200 frames of 128
numbers; the score must then be the published one. Without them a net of the same shape with made-up weights and a made-up
clip stand in, and the score must be the library's. FOLDER gets the files.
"""

import argparse
import ast
import json
import pathlib
import random
import struct
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
PUBLISHED = 9.491290419806504
FRAMES, BANDS, WINDOW = 200, 128, 5
WIDTHS = [640, 128, 128, 128, 128, 8, 128, 128, 128, 128, 640]


def made_up_net(path, draw):
    """Linear, BatchNorm1d and ReLU as often as the published net has them, and a Linear."""
    tensors = {}
    for k, (inputs, outputs) in enumerate(zip(WIDTHS, WIDTHS[1:])):
        deviation = (2 / inputs) ** 0.5
        tensors[f"{3 * k}.weight"] = [outputs, inputs], [draw.gauss(0, deviation) for _ in range(outputs * inputs)]
        tensors[f"{3 * k}.bias"] = [outputs], [draw.gauss(0, 0.1) for _ in range(outputs)]
        if k + 2 < len(WIDTHS):
            for name, low, high in (("weight", 0.5, 1.5), ("bias", -0.5, 0.5), ("running_mean", -0.5, 0.5),
                                    ("running_var", 0.5, 2)):
                tensors[f"{3 * k + 1}.{name}"] = [outputs], [draw.uniform(low, high) for _ in range(outputs)]
    words, numbers = {}, b""
    for name, (shape, values) in tensors.items():
        begin = len(numbers)
        numbers += struct.pack(f"<{len(values)}f", *values)
        words[name] = {"dtype": "F32", "shape": shape, "data_offsets": [begin, len(numbers)]}
    header = json.dumps(words).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header + numbers)


def read_matrix(path):
    data = path.read_bytes()
    header = 10 + struct.unpack("<H", data[8:10])[0]
    rows, columns = ast.literal_eval(data[10:header].decode())["shape"]
    return [struct.unpack_from(f"<{columns}f", data, header + 4 * columns * i) for i in range(rows)]


def write_matrix(path, rows):
    header = repr({"descr": "<f4", "fortran_order": False, "shape": (len(rows), len(rows[0]))}).ljust(117) + "\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() +
                     b"".join(struct.pack(f"<{len(row)}f", *row) for row in rows))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("tool")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--data", type=pathlib.Path)
    parser.add_argument("--table", action="store_true")
    options = parser.parse_args()

    folder = options.folder
    folder.mkdir(parents=True, exist_ok=True)
    if options.data:
        net, clip = options.data / "ad01.safetensors", read_matrix(options.data / "clip.npy")
    else:
        print("the published net isn't here (--data DIR): a made-up one of its shape stands in", file=sys.stderr)
        draw = random.Random(1)
        net = folder / "net.safetensors"
        made_up_net(net, draw)
        clip = [[draw.gauss(0, 1) for _ in range(BANDS)] for _ in range(FRAMES)]
    windows = [[x for frame in clip[i:i + WINDOW] for x in frame] for i in range(FRAMES - WINDOW + 1)]
    write_matrix(folder / "windows.npy", windows)
    subprocess.run([options.tool, "import", net, "--activation", "relu", "--epsilon", "1e-3", "--score", "reconstruction",
                    "--data", folder / "windows.npy", "-o", folder / "model"], check=True, stdout=subprocess.DEVNULL)
    said = subprocess.run([options.tool, "score", folder / "model", folder / "windows.npy", "--group", str(len(windows))],
                          check=True, capture_output=True, text=True).stdout
    score = float(said.splitlines()[1].split(",")[1])
    if options.data and abs(score / PUBLISHED - 1) > 1e-5:
        sys.exit(f"the library's score of the clip is {score}, published is {PUBLISHED}")
    more = ["--table"] if options.table else []
    sys.exit(subprocess.run([sys.executable, HERE / "devices.py", options.tool, folder / "model", folder / "windows.npy",
                             "--clip", str(PUBLISHED if options.data else score), *more]).returncode)


main()
