"""A detector as a PyTorch module, for pipelines that are in PyTorch already. Needs PyTorch.

    module = dasvdd.torch.load("model.safetensors")
    scores = module(rows)            # n x d -> n; larger is more anomalous
"""

from __future__ import annotations

import json

import torch
from torch import nn

from . import _core

__all__ = ["DASVDDModule", "from_detector", "load"]


def load(path) -> DASVDDModule:
    """The module of a model file. Raises dasvdd.FileError where the file is none."""
    return from_detector(_core.load(path))


def from_detector(detector: _core.Detector) -> DASVDDModule:
    """The module of a detector: its scores to about 1e-5, in the detector's dtype."""
    return DASVDDModule(*_core._parse_tensors(detector.to_bytes())).eval()


class DASVDDModule(nn.Module):
    """Scores rows, n x d -> n, as the detector does: scaler, nets, score terms, and their mean over the ensemble.

    `threshold` and, where the detector has p-values, `calibration` (ascending scores) are buffers. Gradients flow
    through, so a row can be moved to a lower score; training is dasvdd.Trainer's.
    """

    def __init__(self, tensors, words):
        super().__init__()
        tensors = {name: torch.tensor(array) for name, array in tensors.items()}
        count = int(words["members"])
        prefixes = [""] if count == 1 else [f"members.{k}." for k in range(count)]
        self.scaler = _Scaler(tensors, tensors[prefixes[0] + "center"].dtype)
        self.members = nn.ModuleList(_Member(tensors, json.loads(words[p + "net"]), p) for p in prefixes)
        self.register_buffer("threshold", tensors["threshold"])
        self.register_buffer("calibration", tensors.get("calibration.scores"))

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        x = self.scaler(rows)
        total = sum(member(x) for member in self.members) / len(self.members)
        return torch.nan_to_num(total, nan=torch.inf, posinf=torch.inf)

    def predict(self, rows: torch.Tensor) -> torch.Tensor:
        """1 for an anomaly, 0 for a normal row."""
        return (self(rows).double() > self.threshold).int()


class _Scaler(nn.Module):
    """Rows as the nets take them."""

    def __init__(self, tensors, dtype):
        super().__init__()
        if "scaler.masks_missing" in tensors or "scaler.missing_share" in tensors:
            raise ValueError("the model takes rows with missing values, which its module for torch can't")
        self.floor = float(tensors["scaler.contrast_floor"]) if "scaler.contrast_floor" in tensors else None
        image = tensors.get("scaler.softened_image")
        self.image = None if image is None else [int(n) for n in image]
        self.standardizes = "scaler.mean" in tensors
        if self.standardizes:
            self.register_buffer("mean", tensors["scaler.mean"].to(dtype))
            self.register_buffer("factor", (1 / tensors["scaler.scale"]).to(dtype))
        if self.image:
            b = torch.tensor([1.0, 2.0, 1.0], dtype=dtype)
            self.register_buffer("neighborhood", (torch.outer(b, b) / 16).reshape(1, 1, 3, 3))

    def forward(self, x):
        if self.standardizes:
            return (x - self.mean) * self.factor
        if self.floor is not None:
            variance, mean = torch.var_mean(x, dim=1, correction=0, keepdim=True)
            return (x - mean) / torch.sqrt(variance + self.floor)
        if self.image:
            channels = self.image[0]
            kernel = self.neighborhood.expand(channels, 1, 3, 3)
            mean = nn.functional.conv2d(x.reshape(-1, *self.image), kernel, padding=1, groups=channels)
            return (torch.sign(mean) * torch.sqrt(torch.abs(mean))).flatten(1)
        return x


class _Member(nn.Module):
    """One net, with the two terms of its score."""

    def __init__(self, tensors, layers, prefix):
        super().__init__()
        self.encoder = _half(layers["encoder"], tensors, prefix + "encoder.")
        self.decoder = _half(layers["decoder"], tensors, prefix + "decoder.")
        self.reconstruction = _Term(tensors, prefix + "score.reconstruction")
        self.latent = _Term(tensors, prefix + "score.latent")
        self.register_buffer("center", tensors[prefix + "center"])

    def forward(self, x):
        code = self.encoder(x)
        decodes_code = self.latent.centers is not None
        score = 0
        if self.reconstruction.factor > 0 or (decodes_code and self.latent.factor > 0):
            output = self.decoder(code)
            score = self.reconstruction(output - x)
        if self.latent.factor > 0:
            score = score + (self.latent(output) if decodes_code else self.latent(code - self.center))
        return score


class _Term(nn.Module):
    """weight ||A e||^2 / divisor, or the distance to the nearest of several centers."""

    def __init__(self, tensors, name):
        super().__init__()
        weight, divisor = tensors[name].tolist()
        self.factor = weight / divisor
        self.register_buffer("whitening", tensors.get(name + ".whitening"))
        self.register_buffer("centers", tensors.get(name + ".centers"))

    def forward(self, e):
        if self.centers is not None:
            # No matrix product: differences of nearly equal squares would lose the digits that count.
            distances = torch.stack([(e - c).square().sum(dim=1) for c in self.centers])
            return self.factor * distances.min(dim=0).values
        if self.whitening is not None:
            e = e @ self.whitening.T
        return self.factor * e.square().sum(dim=1)


class _InShape(nn.Module):
    """A layer of images between flattened rows."""

    def __init__(self, layer, shape):
        super().__init__()
        self.layer, self.shape = layer, shape

    def forward(self, x):
        return self.layer(x.reshape(-1, *self.shape)).flatten(1)


_ACTIVATIONS = {
    "identity": nn.Identity,
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "selu": nn.SELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "softplus": nn.Softplus,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
}


def _half(layers, tensors, prefix):
    """Encoder or decoder, with its tensors in place."""
    sequence = nn.Sequential()
    for i, (name, *numbers) in enumerate(layers):
        layer = _layer(name, numbers)
        state = {key: tensors[f"{prefix}{i}.{key}"] for key in _tensor_names(layer) if f"{prefix}{i}.{key}" in tensors}
        holder = layer.layer if isinstance(layer, _InShape) else layer
        if state:
            holder.to(next(iter(state.values())).dtype)
            holder.load_state_dict(state, strict=False)
        sequence.append(layer)
    return sequence


def _tensor_names(layer):
    holder = layer.layer if isinstance(layer, _InShape) else layer
    return holder.state_dict().keys()


def _layer(name, numbers):
    if name == "dense":
        inputs, outputs, bias = map(int, numbers)
        return nn.Linear(inputs, outputs, bias=bool(bias))
    if name in ("conv2d", "conv_transpose2d"):
        channels, height, width, out, kernel, stride, padding, bias = map(int, numbers)
        kind = nn.Conv2d if name == "conv2d" else nn.ConvTranspose2d
        layer = kind(channels, out, kernel, stride, padding, bias=bool(bias))
        return _InShape(layer, (channels, height, width))
    if name == "max_pool2d":
        *shape, kernel, stride = map(int, numbers)
        return _InShape(nn.MaxPool2d(kernel, stride), tuple(shape))
    if name == "upsample_nearest2d":
        *shape, scale = map(int, numbers)
        return _InShape(nn.Upsample(scale_factor=scale, mode="nearest"), tuple(shape))
    if name == "batch_norm":
        *shape, epsilon, momentum, affine = numbers
        shape = tuple(map(int, shape))
        return _InShape(nn.BatchNorm2d(shape[0], epsilon, momentum, affine=bool(affine)), shape)
    if name in _ACTIVATIONS:
        return _ACTIVATIONS[name](*numbers)
    raise ValueError(f"the net has a layer {name!r}, which is none of the library's own")
