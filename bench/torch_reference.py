#!/usr/bin/env python3
"""DASVDD in PyTorch, as fast as PyTorch does it: the peer that bench/speed.py measures this library against.

Written from docs/method.md. Nothing here loops over rows: the data is one tensor, shuffled once an epoch, a mini-batch
is a slice of it, Adam is the fused one where PyTorch has it, and the center step is five operations on one small vector.

    torch_reference.py --check tests/golden            the same algorithm? (reference vectors, double precision)
    torch_reference.py train_mnist score_mnist_1 --threads 2 --engine compile
    torch_reference.py -                               measurement names from standard input, one a line

One JSON line a measurement: {"name", "threads", "engine", "value", "best", "unit"}: the median and the best of several
trials; null where the engine can't.
The rows are uniform random numbers: no figure here depends on their values.
"""
import argparse
import json
import math
import pathlib
import statistics
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

VERSION = tuple(int(part) for part in torch.__version__.split("+")[0].split(".")[:2])
NETS = {"mnist": ([784, 1024, 256, 256], "sigmoid"), "pima": ([8, 10, 4, 4], "identity")}
BATCH, KAPPA, GAMMA, INITIALIZATIONS = 200, 0.9, 0.1, 10
ROWS = {"mnist": 5923, "pima": 461}  # one MNIST class; PIMA's training rows


class Net(nn.Module):
    """The published nets: LeakyReLU(0.01) after every layer, the code layer included, and `output` after the last."""

    def __init__(self, widths, output):
        super().__init__()
        self.encoder = self.stack(widths, "leaky_relu")
        self.decoder = self.stack(widths[::-1], output)

    @staticmethod
    def stack(widths, output):
        last = {"sigmoid": [nn.Sigmoid()], "leaky_relu": [nn.LeakyReLU(0.01)], "identity": []}[output]
        layers = []
        for i, (inputs, outputs) in enumerate(zip(widths, widths[1:])):
            layers.append(nn.Linear(inputs, outputs))
            layers += last if i == len(widths) - 2 else [nn.LeakyReLU(0.01)]
        return nn.Sequential(*layers)

    def objective(self, x, center, gamma):
        """Mean score of the rows x, by the two fused mean-square kernels: the latent term is a sum over the code."""
        code = self.encoder(x)
        latent = F.mse_loss(code, center.expand_as(code)) * (gamma * center.numel())
        return F.mse_loss(self.decoder(code), x) + latent

    def score(self, x, center, gamma):
        code = self.encoder(x)
        return (self.decoder(code) - x).square().mean(1) + gamma * (code - center).square().sum(1)


class Run:
    """Training: the network step by Adam, the center step by Adagrad, alternating in every mini-batch."""

    def __init__(self, net, center, gamma, kappa=KAPPA, bf16=False, compiled=False):
        self.net, self.center, self.gamma, self.kappa = net, center, gamma, kappa
        self.sum, self.steps = torch.zeros_like(center), 0
        best = {"fused": True} if VERSION >= (2, 4) else {"foreach": True}
        self.adam = torch.optim.Adam(net.parameters(), lr=1e-3, **best)
        self.autocast = torch.autocast("cpu", dtype=torch.bfloat16, enabled=bf16)
        wrap = (lambda f: torch.compile(f, dynamic=False)) if compiled else (lambda f: f)
        self.objective = wrap(net.objective)
        self.mean_code = wrap(lambda x: net.encoder(x).mean(0))

    def step(self, batch):
        share = math.ceil(self.kappa * len(batch))
        self.adam.zero_grad(set_to_none=True)
        with self.autocast:
            loss = self.objective(batch[:share], self.center, self.gamma)
        loss.backward()
        self.adam.step()
        with torch.no_grad():
            with self.autocast:
                target = self.mean_code(batch[share:] if share < len(batch) else batch)
            self.center_step(target)
        return loss.detach()

    def center_step(self, target, eta=1.0, decay=0.01):
        gradient = (self.center - target).mul_(2 / target.numel())
        self.sum.addcmul_(gradient, gradient)
        self.center.addcdiv_(gradient, self.sum.sqrt().add_(1e-10), value=-eta / (1 + self.steps * decay))
        self.steps += 1

    def epoch(self, rows, batch=BATCH, shuffle=True):
        if shuffle:
            rows = rows[torch.randperm(len(rows))]
        return [self.step(part) for part in rows.split(batch)]


@torch.no_grad()
def ratio_of_means(nets, rows, chunk=1000):
    """Gamma: the mean over initializations of <r> / <||z||^2>."""
    ratios = []
    for net in nets:
        reconstruction = norm = 0.0
        for x in rows.split(chunk):
            code = net.encoder(x)
            reconstruction += (F.mse_loss(net.decoder(code), x) * len(x)).item()
            norm += code.square().sum().item()
        ratios.append(reconstruction / norm)
    return statistics.fmean(ratios)


# ---------------------------------------------------------------------------------------------------------- correctness


def read_tensors(path):
    """A safetensors file: (name -> tensor, metadata)."""
    raw = bytearray(pathlib.Path(path).read_bytes())
    start = 8 + int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8:start])
    metadata = header.pop("__metadata__", {})
    types = {"F64": torch.float64, "F32": torch.float32, "I64": torch.int64}
    tensors = {}
    for name, entry in header.items():
        begin, end = (start + offset for offset in entry["data_offsets"])
        flat = torch.frombuffer(raw[begin:end], dtype=types[entry["dtype"]])
        tensors[name] = flat.reshape(entry["shape"])
    return tensors, metadata


def golden_net(tensors, widths, output, prefix=""):
    net = Net(widths, output).double()
    linear = [layer for layer in net.modules() if isinstance(layer, nn.Linear)]
    with torch.no_grad():
        for i, layer in enumerate(linear):
            layer.weight.copy_(tensors[f"{prefix}w{i}"])
            layer.bias.copy_(tensors[f"{prefix}b{i}"])
    return net, linear


def check(folder):
    """Compares this file's own step, epoch, gamma and score with the reference vectors; returns the worst differences."""
    folder, worst = pathlib.Path(folder), {}

    def compare(what, got, expected):
        expected = torch.as_tensor(expected, dtype=torch.float64)
        difference = (torch.as_tensor(got, dtype=torch.float64) - expected).abs().max().item()
        worst[what] = max(worst.get(what, 0.0), difference)

    for name in ("step_sigmoid", "step_leaky_relu", "step_identity"):
        t, meta = read_tensors(folder / f"{name}.safetensors")
        net, linear = golden_net(t, json.loads(meta["widths"]), meta["output"])
        gamma = float(meta["gamma"])
        run = Run(net, t["centre"].clone(), gamma, float(meta["kappa"]))
        compare(f"{name}: scores", net.score(t["x"], run.center, gamma).detach(), t["scores"])
        for step in range(5):
            loss = run.step(t["x"])
            if step == 0:
                compare(f"{name}: loss", loss, float(meta["loss"]))
                for i, layer in enumerate(linear):
                    compare(f"{name}: gradients", layer.weight.grad, t[f"grad_w{i}"])
                    compare(f"{name}: gradients", layer.bias.grad, t[f"grad_b{i}"])
            compare(f"{name}: centers", run.center, t[f"adagrad_centre_after_{step + 1}"])
        for i, layer in enumerate(linear):
            compare(f"{name}: parameters after 5 steps", layer.weight.detach(), t[f"w{i}_after_5"])
            compare(f"{name}: parameters after 5 steps", layer.bias.detach(), t[f"b{i}_after_5"])
        compare(f"{name}: scores after 5 steps", net.score(t["x"], run.center, gamma).detach(), t["scores_after_5"])

    t, meta = read_tensors(folder / "gamma.safetensors")
    nets = [golden_net(t, [6, 7, 3], "sigmoid", f"init{i}_")[0] for i in range(int(meta["T"]))]
    compare("gamma", ratio_of_means(nets, t["x"], chunk=7), float(meta["gamma_ratio_of_means_origin"]))

    t, meta = read_tensors(folder / "digits_run.safetensors")
    net, _ = golden_net(t, [64, 32, 8], "sigmoid")
    gamma, batch = float(meta["gamma"]), int(meta["batch"])
    run = Run(net, t["centre"].clone(), gamma, float(meta["kappa"]))
    rows = t["train"][: len(t["train"]) // batch * batch]
    losses = [torch.stack(run.epoch(rows, batch, shuffle=False)).mean() for _ in range(int(meta["epochs"]))]
    compare("digits_run: loss of every epoch", torch.stack(losses), t["epoch_loss"])
    compare("digits_run: center", run.center, t["final_centre"])
    compare("digits_run: scores", net.score(t["test"], run.center, gamma).detach(), t["final_scores"])
    return worst


# ---------------------------------------------------------------------------------------------------------- measurements


class Clock:
    """As in bench/speed.cpp: of one thread its processor time, which other programs on the machine disturb little; of a team
    the time that passes."""

    now = time.perf_counter


def seconds_a_call(work, least, calls=1):
    """(median, best) time of a call, over chunks of `calls` after one to warm up, for at least `least` seconds and
    three chunks (two where they are slow)."""
    times = []
    while len(times) < 3 or sum(times) < least or (len(times) < 4 and sum(times) < 4 * least):
        start = Clock.now()
        for _ in range(calls):
            work()
        times.append(Clock.now() - start)
    return statistics.median(times[1:]) / calls, min(times[1:]) / calls


def in_unit(seconds, count):
    """Scoring's figures: microseconds for a row alone, rows a second for a batch."""
    return ([s * 1e6 for s in seconds], "us") if count == 1 else ([count / s for s in seconds], "rows/s")


class Torch:
    """The measurements by PyTorch, eager or compiled."""

    def __init__(self, options):
        self.options, self.compiled = options, options.engine == "compile"
        torch.set_num_threads(options.threads)
        torch.manual_seed(1)
        if self.compiled:
            import torch._inductor.config as inductor
            inductor.freezing = True  # scoring: weights are constants, packed once
        self.kept = {}

    def keep(self, key, make):
        if key not in self.kept:
            self.kept[key] = make()
        return self.kept[key]

    def train(self, kind, bf16=False):
        def make():
            widths, output = NETS[kind]
            rows = torch.rand(self.options.rows or ROWS[kind], widths[0])
            run = Run(Net(widths, output), torch.randn(widths[-1]), GAMMA, bf16=bf16, compiled=self.compiled)
            run.epoch(rows)
            return rows, run

        rows, run = self.keep(("train", kind, bf16), make)
        return [len(rows) / s for s in seconds_a_call(lambda: run.epoch(rows), self.options.seconds)], "rows/s"

    def gamma(self, kind):
        if self.compiled:
            return None, None  # every initialization is a new net: nothing to compile for
        widths, output = NETS[kind]
        rows = self.keep(("gamma", kind), lambda: torch.rand(self.options.rows or ROWS[kind], widths[0]))
        work = lambda: ratio_of_means((Net(widths, output) for _ in range(INITIALIZATIONS)), rows)
        start = Clock.now()
        work()
        return [Clock.now() - start] * 2, "s"  # long enough to need no second trial

    @torch.inference_mode()
    def score(self, kind, count):
        def make():
            widths, output = NETS[kind]
            net, center = Net(widths, output).eval(), torch.randn(widths[-1])
            score = lambda x: net.score(x, center, GAMMA)
            if self.compiled:
                # Freezing makes the weights constants, so whatever is scored must be all the function's arguments.
                score = torch.compile(score, dynamic=False)
            rows = torch.rand(count, widths[0])
            if count == 1:
                return (lambda: score(rows)), 50
            best = []
            for chunk in (100, 200, 500, 1000, 2000, count):  # the size that suits this machine's caches
                if self.compiled and chunk not in (200, 1000, count):
                    continue
                parts = rows.split(chunk)
                work = lambda parts=parts: torch.cat([score(part) for part in parts])
                best.append((seconds_a_call(work, 0.2)[1], chunk, work))
            return min(best, key=lambda entry: entry[0])[2], 1

        work, calls = self.keep(("score", kind, count), make)
        seconds = seconds_a_call(work, self.options.seconds, calls)
        return in_unit(seconds, count)


class OnnxRuntime:
    """The scoring measurements by onnxruntime, the usual way of serving a PyTorch net elsewhere."""

    def __init__(self, options):
        self.options, self.sessions = options, {}

    def session(self, kind):
        import numpy
        import onnx
        import onnxruntime
        from onnx import helper, numpy_helper

        widths, output = NETS[kind]
        net = Net(widths, output)
        tensors = {"center": torch.randn(widths[-1]), "gamma": torch.tensor(GAMMA)}
        nodes, at = [], "x"
        for half in ("encoder", "decoder"):
            for i, layer in enumerate(getattr(net, half)):
                result = f"{half}{i}"
                if isinstance(layer, nn.Linear):
                    tensors |= {f"{result}.weight": layer.weight.detach(), f"{result}.bias": layer.bias.detach()}
                    nodes.append(helper.make_node("Gemm", [at, f"{result}.weight", f"{result}.bias"], [result], transB=1))
                elif isinstance(layer, nn.LeakyReLU):
                    nodes.append(helper.make_node("LeakyRelu", [at], [result], alpha=0.01))
                else:
                    nodes.append(helper.make_node("Sigmoid", [at], [result]))
                at = result
            if half == "encoder":
                code = at
        tensors["one"] = torch.tensor([1])
        nodes += [helper.make_node("Sub", [at, "x"], ["residual"]),
                  helper.make_node("Mul", ["residual", "residual"], ["residual2"]),
                  helper.make_node("ReduceMean", ["residual2"], ["r"], axes=[1], keepdims=0),
                  helper.make_node("Sub", [code, "center"], ["offset"]),
                  helper.make_node("Mul", ["offset", "offset"], ["offset2"]),
                  helper.make_node("ReduceSum", ["offset2", "one"], ["q"], keepdims=0),
                  helper.make_node("Mul", ["gamma", "q"], ["weighted"]),
                  helper.make_node("Add", ["r", "weighted"], ["score"])]
        value = lambda name, shape: helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)
        graph = helper.make_graph(nodes, "score", [value("x", ["n", widths[0]])], [value("score", ["n"])],
                                  [numpy_helper.from_array(t.numpy(), name) for name, t in tensors.items()])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = self.options.threads
        session = onnxruntime.InferenceSession(model.SerializeToString(), settings, providers=["CPUExecutionProvider"])
        rows = numpy.random.default_rng(1).random((5, widths[0]), dtype=numpy.float32)
        with torch.no_grad():
            expected = net.score(torch.from_numpy(rows), tensors["center"], GAMMA).numpy()
        if not numpy.allclose(session.run(None, {"x": rows})[0], expected, rtol=1e-4):
            sys.exit("torch_reference: onnxruntime's scores differ from PyTorch's")
        return session

    def score(self, kind, count):
        import numpy
        if kind not in self.sessions:
            self.sessions[kind] = self.session(kind)
        session = self.sessions[kind]
        rows = numpy.random.default_rng(1).random((count, NETS[kind][0][0]), dtype=numpy.float32)
        if count == 1:
            return in_unit(seconds_a_call(lambda: session.run(None, {"x": rows}), self.options.seconds, 50), 1)
        times = []
        for chunk in (200, 1000, count):
            parts = [rows[i:i + chunk] for i in range(0, count, chunk)]
            work = lambda: numpy.concatenate([session.run(None, {"x": part})[0] for part in parts])
            times.append(seconds_a_call(work, self.options.seconds / 3))
        return in_unit(min(times), count)


MEASUREMENTS = {
    "train_mnist": lambda peer: peer.train("mnist"),
    "train_mnist_mixed": lambda peer: peer.train("mnist", bf16=True),
    "train_pima": lambda peer: peer.train("pima"),
    "gamma_mnist": lambda peer: peer.gamma("mnist"),
    "score_mnist_10000": lambda peer: peer.score("mnist", 10000),
    "score_mnist_1": lambda peer: peer.score("mnist", 1),
    "score_pima_10000": lambda peer: peer.score("pima", 10000),
    "score_pima_1": lambda peer: peer.score("pima", 1),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", help=f"{', '.join(MEASUREMENTS)}, or - to read them from standard input")
    parser.add_argument("--check", metavar="GOLDEN", help="compare with the reference vectors in this folder, 1e-12")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--engine", choices=("eager", "compile", "onnxruntime"), default="eager")
    parser.add_argument("--rows", type=int, default=0, help="training rows (default: the data sets' own numbers)")
    parser.add_argument("--seconds", type=float, default=1.0, help="least time of one measurement")
    options = parser.parse_args()
    if options.check:
        worst = check(options.check)
        for what, difference in worst.items():
            print(f"{difference:9.1e}  {what}")
        sys.exit(0 if max(worst.values()) < 1e-12 else "torch_reference: differs from the reference vectors")

    if options.threads == 1:
        Clock.now = time.process_time
    peer = OnnxRuntime(options) if options.engine == "onnxruntime" else Torch(options)
    for name in (line.strip() for line in sys.stdin) if options.names == ["-"] else options.names:
        try:
            values, unit = MEASUREMENTS[name](peer)
        except Exception as error:  # an engine that can't do this here is a gap in the table, not the end of it
            print(f"torch_reference: {options.engine} can't do {name}: {error!r}"[:2000], file=sys.stderr)
            values, unit = None, None
        value, best = values or (None, None)
        print(json.dumps({"name": name, "threads": options.threads, "engine": options.engine, "value": value,
                          "best": best, "unit": unit}), flush=True)


if __name__ == "__main__":
    main()
