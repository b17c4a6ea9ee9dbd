#!/usr/bin/env python3
"""The same rows and the same detector through every door, beside other people's; called by `sh bench/run.sh doors`.

    python doors.py --tool TOOL --program BENCH_DOORS --library FOLDER [--data FILE] [--rounds N] [--output FILE]

Two detectors are fitted by the tool: fit's default, and one small net (--layers 16,4). Each door scores the same 10,000 rows
of float32 singly and all at once. The doors take turns, round after round, so that a busy machine disturbs all alike; a figure
is the median over the rounds, in processor time of one thread. The difference is the largest from the C++ scores, relative.
Without --data (a csv file of numbers alone, or a matrix in .npy: normal rows) rows are made up. What can't be had is left out,
and said so. Exit status 1 where a door's float scores differ by more than 1e-5.
"""
import argparse
import importlib.util
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

HERE = pathlib.Path(__file__).resolve().parent
ROWS = 10000
SINGLY = 500  # rows a pass for the doors where a call takes long
FORMS = {"fit's default": [], "one net, --layers 16,4": ["--layers", "16,4"]}
CC = os.environ.get("CC", "cc")


def say(*words):
    print("doors:", *words, file=sys.stderr, flush=True)


def made_up(n, seed):
    """Rows of 16 numbers near a curved surface of four dimensions."""
    shape = np.random.default_rng(1)
    a, b = shape.standard_normal((4, 12)), shape.standard_normal((12, 16))
    draw = np.random.default_rng(seed)
    X = np.tanh(draw.standard_normal((n, 4)) @ a) @ b + 0.1 * draw.standard_normal((n, 16))
    return X.astype(np.float32)


def rows_of(path):
    """Rows to train on, and 10,000 to score."""
    if not path:
        return made_up(2000, 2), made_up(ROWS, 3)
    X = np.load(path) if str(path).endswith(".npy") else np.loadtxt(path, delimiter=",")
    X = np.ascontiguousarray(X, dtype=np.float32)
    train, test = X[::2], X[1::2]
    return train, np.ascontiguousarray(np.resize(test, (ROWS, X.shape[1])))


def run(command):
    done = subprocess.run([str(word) for word in command], text=True, capture_output=True)
    if done.returncode != 0:
        say(done.stderr)
        done.check_returncode()
    return done.stdout


def size_of(*paths):
    """Bytes of files, and of folders without their caches."""
    total = 0
    for path in map(pathlib.Path, paths):
        files = [path] if path.is_file() else [f for f in path.rglob("*") if "__pycache__" not in f.parts]
        total += sum(f.stat().st_size for f in files if f.is_file() and not f.is_symlink())
    return total


def package(*names):
    return size_of(*[pathlib.Path(importlib.util.find_spec(name).origin).parent for name in names])


def stripped(path, folder):
    """Bytes of a program or library without its symbols."""
    copy = folder / "stripped"
    run(["strip", "-o", copy, path])
    return size_of(copy)


def seconds_of(work):
    """The median processor time of three passes."""
    passes = []
    for _ in range(3):
        begin = time.process_time()
        work()
        passes.append(time.process_time() - begin)
    return statistics.median(passes)


class InPython:
    """A door that is called from Python. score takes rows, one a row; both give scores."""

    def __init__(self, name, score, model, code, one=None, exact=True):
        self.name, self.score, self.one = name, score, one or score
        self.model, self.code, self.exact = model, code, exact

    def measure(self, X, _):
        rows = [X[i:i + 1] for i in range(SINGLY)]
        self.one(rows[0])

        def singly():
            for row in rows:
                self.one(row)

        scores = np.asarray(self.score(X), dtype=float).reshape(-1)
        return scores, 1e6 * seconds_of(singly) / SINGLY, len(X) / seconds_of(lambda: self.score(X))


class Program:
    """A door that is a program: PROGRAM MODEL ROWS SCORES."""

    def __init__(self, name, program, path, model, code, exact=True):
        self.name, self.program, self.path = name, program, path
        self.model, self.code, self.exact = model, code, exact

    def measure(self, X, folder):
        X.tofile(folder / "rows")
        singly, together = run([self.program, self.path, folder / "rows", folder / "scores"]).split()
        return np.fromfile(folder / "scores"), float(singly), float(together)


def compiled(folder, name, source, more):
    program = folder / name
    run([CC, "-std=c99", "-O2", HERE / "doors" / source, f"-I{folder}", "-o", program, *more, "-lm"])
    return program


def frozen(options, folder, model):
    for form, more in (("float", []), ("int8", ["--int8", folder / "train.npy"])):
        header = f"frozen_{form}.h"
        run([options.tool, "freeze", model, "-o", folder / header, *more])
        program = compiled(folder, f"frozen_{form}", "frozen.c", [f'-DSOURCE="{header}"'])
        yield Program(f"frozen, {form}", program, "-", 0, stripped(program, folder), exact=form == "float")


def c_program(options, folder, model):
    more = [f"-I{HERE.parent / 'include'}", f"-L{options.library}", f"-Wl,-rpath,{options.library}", "-ldasvdd"]
    library = next(options.library.glob("libdasvdd.so.*.*.*"))
    yield Program("C", compiled(folder, "c", "c.c", more), model, size_of(model), stripped(library, folder))


def python(options, folder, model):
    import dasvdd

    detector = dasvdd.load(model)
    both = size_of(model), package("dasvdd")
    yield InPython("Python", lambda X: detector.score(X, threads=1), *both)
    yield InPython("Python, `score_one`", lambda X: detector.score(X, threads=1), *both,
                   one=lambda X: detector.score_one(X[0]))


def torch_module(options, folder, model):
    import dasvdd.torch
    import torch

    torch.set_num_threads(1)
    module = dasvdd.torch.load(model)

    def score(X):
        with torch.inference_mode():
            return module(torch.from_numpy(X)).numpy()

    yield InPython("PyTorch module", score, size_of(model), package("dasvdd", "torch"))


def quiet_session(onnxruntime, path):
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = settings.inter_op_num_threads = 1
    settings.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), settings, providers=["CPUExecutionProvider"])


def in_onnxruntime(options, folder, model):
    import onnxruntime

    run([options.tool, "export", model, "-o", folder / "model.onnx"])
    session = quiet_session(onnxruntime, folder / "model.onnx")
    yield InPython("ONNX, onnxruntime", lambda X: session.run(["score"], {"x": X})[0], size_of(folder / "model.onnx"),
                   package("onnxruntime"))


def in_openvino(options, folder, model):
    import openvino

    run([options.tool, "export", model, "-o", folder / "model.onnx"])
    request = openvino.Core().compile_model(folder / "model.onnx", "CPU", {
        "INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": 1}).create_infer_request()
    yield InPython("ONNX, OpenVINO", lambda X: request.infer({"x": X})["score"], size_of(folder / "model.onnx"),
                   package("openvino"))


# ---- a net of PyTorch's, and other people's detectors ------------------------------------------------------------


def imported(options, folder, train):
    """An autoencoder made in PyTorch, its squared error there, and the same by `dasvdd import`."""
    import dasvdd
    import torch
    from torch import nn

    torch.manual_seed(0)
    torch.set_num_threads(1)
    d = train.shape[1]
    net = nn.Sequential(nn.Linear(d, 64), nn.ReLU(), nn.Linear(64, 8), nn.ReLU(), nn.Linear(8, 64), nn.ReLU(),
                        nn.Linear(64, d)).eval()
    write_safetensors(folder / "net.safetensors", {name: t.numpy() for name, t in net.state_dict().items()})
    np.save(folder / "train.npy", train)
    run([options.tool, "import", folder / "net.safetensors", "--activation", "relu", "--data", folder / "train.npy",
         "--score", "reconstruction", "-o", folder / "imported"])
    detector = dasvdd.load(folder / "imported")

    def score(X):
        with torch.inference_mode():
            x = torch.from_numpy(X)
            return (net(x) - x).square().mean(1).numpy()

    yield InPython("PyTorch's own", score, size_of(folder / "net.safetensors"), package("torch"))
    yield InPython("imported, Python", lambda X: detector.score(X, threads=1), size_of(folder / "imported"),
                   package("dasvdd"), one=lambda X: detector.score_one(X[0]))


def write_safetensors(path, tensors):
    import json
    import struct

    words, numbers = {}, b""
    for name, array in tensors.items():
        words[name] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": [len(numbers), len(numbers) + array.nbytes]}
        numbers += array.tobytes()
    header = json.dumps(words).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header + numbers)


def onnxruntime_alone(options, folder, train):
    """A net of the small detector's shape as exporters write it; scaling, error and threshold are left to the reader."""
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper

    draw, d = np.random.default_rng(0), train.shape[1]
    nodes, weights, name = [], [], "x"
    widths = [d, 16, 4, 16, d]
    for k, (a, b) in enumerate(zip(widths, widths[1:])):
        weights += [numpy_helper.from_array(draw.standard_normal((a, b)).astype(np.float32), f"w{k}"),
                    numpy_helper.from_array(np.zeros(b, np.float32), f"b{k}")]
        nodes.append(helper.make_node("Gemm", [name, f"w{k}", f"b{k}"], [f"z{k}"]))
        name = f"z{k}"
        if k in (0, 2):
            nodes.append(helper.make_node("LeakyRelu", [name], [f"a{k}"]))
            name = f"a{k}"
    value = lambda name: helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", d])
    graph = helper.make_graph(nodes, "net", [value("x")], [value(name)], weights)
    path = folder / "net.onnx"
    path.write_bytes(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=8).SerializeToString())
    session = quiet_session(onnxruntime, path)
    yield InPython("onnxruntime, a net 16,4 alone", lambda X: ((session.run(None, {"x": X})[0] - X) ** 2).mean(1),
                   size_of(path), package("onnxruntime"))


def in_pyod(options, folder, train):
    import joblib
    import torch
    from pyod.models.auto_encoder import AutoEncoder
    from pyod.models.deep_svdd import DeepSVDD
    from pyod.models.iforest import IForest

    torch.set_num_threads(1)
    for name, model in (("AutoEncoder", AutoEncoder(epoch_num=1, random_state=0, verbose=0)),
                        ("DeepSVDD", DeepSVDD(n_features=train.shape[1], epochs=1, random_state=0, verbose=0)),
                        ("IForest", IForest(random_state=0))):
        model.fit(train)
        joblib.dump(model, folder / "pyod")
        yield InPython(f"PyOD, {name}", model.decision_function, size_of(folder / "pyod"), package("pyod", "torch", "sklearn"))


def in_emlearn(options, folder, train):
    """scikit-learn's EllipticEnvelope as emlearn writes it in C: the squared Mahalanobis distance."""
    import emlearn
    from sklearn.covariance import EllipticEnvelope

    model = EllipticEnvelope(random_state=0).fit(train.astype(float))
    here = os.getcwd()
    os.chdir(folder)  # emlearn compiles a program of its own in a folder tmp of the current one
    try:
        emlearn.convert(model, dtype="float", method="inline").save(file=str(folder / "envelope.h"), name="envelope")
    finally:
        os.chdir(here)
    (folder / "emlearn_envelope.h").write_text(
        f'#include "envelope.h"\nstatic float one(const float *row) {{ return envelope_predict(row, {train.shape[1]}); }}\n')
    program = compiled(folder, "emlearn", "frozen.c", [
        '-DSOURCE="emlearn_envelope.h"', "-DSCORE=one", f"-DFEATURES={train.shape[1]}", f"-I{emlearn.includedir}"])
    yield Program("emlearn, EllipticEnvelope in C", program, "-", 0, stripped(program, folder))


def all_of(makers, *arguments, tolerated=(ImportError,)):
    """The doors that can be had: of ours whose packages are there, of others that do not fail in any way."""
    doors = []
    for maker in makers:
        try:
            doors += list(maker(*arguments))
        except tolerated as error:
            said = (getattr(error, "stderr", None) or str(error)).strip().splitlines()
            say(f"left out: {maker.__name__}: {said[-1] if said else type(error).__name__}")
    return doors


def table(title, doors, X, folder, rounds, reference=None):
    """A table's lines; doors take turns. The first door's scores are the reference, where there is one."""
    figures = [[] for _ in doors]
    for _ in range(rounds):
        for door, figure in zip(doors, figures):
            figure.append(door.measure(X, folder))
    lines = [f"| {title} | difference | us a row, singly | rows a second, 10,000 | model, bytes | code, bytes |",
             "| --- | --- | --- | --- | --- | --- |"]
    failed = False
    for door, figure in zip(doors, figures):
        difference = "-"
        if reference is not None:
            expected = figures[reference][0][0]
            scores = figure[0][0]
            errors = np.abs(scores - expected) / np.abs(expected)
            difference = f"{errors.max():.1e}"
            if door.exact and not errors.max() <= 1e-5:
                say(f"{title}: {door.name} differs by {errors.max():.2g}")
                failed = True
            if not door.exact:
                difference += f" (median {np.median(errors):.1e})"
        one, many = (statistics.median(f[k] for f in figure) for k in (1, 2))
        model = f"{door.model:,}" if door.model else "in the code"
        lines.append(f"| {door.name} | {difference} | {one:.3g} | {many:,.0f} | {model} | {door.code:,} |")
    return lines, failed


def show(text, lines):
    text += [*lines, ""]
    print("\n".join(lines), end="\n\n", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tool", required=True, type=pathlib.Path)
    parser.add_argument("--program", required=True, type=pathlib.Path)
    parser.add_argument("--library", required=True, type=pathlib.Path)
    parser.add_argument("--data", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--output", type=pathlib.Path)
    options = parser.parse_args()

    train, X = rows_of(options.data)
    text, failed = [], False
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        np.save(folder / "train.npy", train)
        for title, words in FORMS.items():
            model = folder / "model"
            run([options.tool, "fit", folder / "train.npy", "-o", model, "--seed", "1", *words])
            cpp = Program("C++", options.program, model, size_of(model), stripped(options.program, folder))
            doors = [cpp, *all_of([c_program, python, torch_module, in_onnxruntime, in_openvino, frozen], options, folder, model)]
            lines, bad = table(title, doors, X, folder, options.rounds, reference=0)
            show(text, lines)
            failed |= bad
        lines, bad = table("a net made in PyTorch", all_of([imported], options, folder, train), X, folder, options.rounds, 0)
        show(text, lines)
        failed |= bad
        peers = all_of([onnxruntime_alone, in_pyod, in_emlearn], options, folder, train, tolerated=Exception)
        lines, _ = table("others, for their speed", peers, X, folder, options.rounds)
        show(text, lines)
    show(text, [f"{X.shape[1]} features; load average {os.getloadavg()[0]:.0f} on {os.cpu_count()} cores at the end."])
    if options.output:
        options.output.write_text("\n".join(text) + "\n")
    sys.exit(failed)


if __name__ == "__main__":
    main()
