"""`from_torch`: an autoencoder trained in PyTorch as a detector, or as a net to train on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from . import _core
from ._arrays import names_of
from ._trainer import Trainer

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


def from_torch(
    module,
    X: ArrayLike | None = None,
    *,
    code: int | None = None,
    input_shape: tuple[int, int, int] | None = None,
    activation: str | None = None,
    center: ArrayLike | None = None,
    gamma: float = 0.0,
    mean: ArrayLike | None = None,
    scale: ArrayLike | None = None,
    score: str = "published",
    dtype: str | None = None,
) -> _core.Detector | Trainer:
    """An autoencoder of PyTorch's as a detector.

    Parameters
    ----------
    module : torch.nn.Module or dict
        A module with parts `encoder` and `decoder`, or a torch.nn.Sequential, of Linear, Conv2d, ConvTranspose2d,
        BatchNorm1d, BatchNorm2d, MaxPool2d, Upsample (nearest), Flatten, Unflatten, Dropout and activations. Or a
        state_dict of Linear and BatchNorm1d layers with Sequential's names, "encoder.0.weight" or "0.weight".
    X : array_like of shape (n, d), optional
        Normal rows, for the center where none is given, the score form and the threshold (their 0.99 quantile).
        The names of a data frame's columns are kept, as in fit().
    code : int, optional
        Of a Sequential in one piece: how many of its layers make the code. None: up to its narrowest Linear layer, with
        the activation behind that; needed where several are the narrowest. The last layer makes the output and is not
        looked at.
    input_shape : (channels, height, width), optional
        Of the images that a convolution comes first for.
    activation : str, optional
        What stands in the gaps of a state_dict's numbers ("relu"); its last layer has none.
    center : array_like of shape (m,), optional
        Of the latent term. None: the mean code of X.
    gamma : float
        The latent term's weight; 0: the score is the mean squared residual.
    mean, scale : array_like of shape (d,), optional
        Rows enter the net as (x - mean) / scale.
    score : str
        The score form, see Trainer.
    dtype : {"float32", "float64"}, optional
        None: the weights' own.

    Returns
    -------
    Detector, or without X a Trainer
        The detector has no p-values until `calibrated`. The trainer has the weights, and trains on by partial_fit().
    """
    if hasattr(module, "state_dict"):
        encoder, decoder, tensors = _from_module(module, code, input_shape)
    else:
        encoder, decoder, tensors = _from_state_dict(module, code, activation)
    if dtype is None:
        dtype = "float64" if any(t.dtype == np.float64 for t in tensors.values()) else "float32"
    net = _core.autoencoder(encoder, decoder)
    trainer = Trainer(net, dtype=dtype, gamma=float(gamma), score=score, epochs=1, feature_names=names_of(X))
    trainer.set_parameters(tensors)
    state = trainer.state()
    state["gamma"] = float(gamma)
    state["epochs"] = 1  # there is something to go on from
    if (mean is None) != (scale is None):
        raise ValueError("from_torch: mean and scale come together, one of them is None")
    if mean is not None:
        state["scaler.mean"] = np.asarray(mean, dtype=np.float64).tolist()
        state["scaler.scale"] = np.asarray(scale, dtype=np.float64).tolist()
    state["center"] = np.zeros(net.code) if center is None else np.asarray(center)
    trainer.set_state(state)
    if center is None and X is not None:
        state["center"] = trainer._trainer.mean_code(X)
        trainer.set_state(state)
    return trainer if X is None else trainer.detector(X)


def _array(tensor):
    return np.asarray(tensor.detach().cpu()) if hasattr(tensor, "detach") else np.asarray(tensor)


# ---- modules ------------------------------------------------------------------------------------


def _from_module(module, code, input_shape):
    layers = _Layers(input_shape)
    if hasattr(module, "encoder") and hasattr(module, "decoder"):
        halves = [layers.of(module.encoder), layers.of(module.decoder)]
    else:
        flat = layers.flat(module)
        at = _narrowest(flat) if code is None else code
        halves = [layers.of_list(flat[:at]), layers.of_list(flat[at:])]
    if not all(halves):
        raise ValueError("from_torch: encoder and decoder have at least one layer each")
    tensors = {}
    for name, half in zip(("encoder", "decoder"), halves):
        for i, (_, state) in enumerate(half):
            tensors.update({f"{name}.{i}.{key}": value for key, value in state.items()})
    return [layer for layer, _ in halves[0]], [layer for layer, _ in halves[1]], tensors


def _narrowest(flat):
    """Layers up to the narrowest Linear one, with the activation behind it."""
    wide = [i for i, layer in enumerate(flat) if hasattr(layer, "out_features") or hasattr(layer, "out_channels")]
    # The last of them makes the output.
    at = _one_narrowest({i: flat[i].out_features for i in wide[:-1] if hasattr(flat[i], "out_features")}) + 1
    behind = at < len(flat) and not hasattr(flat[at], "weight")
    return at + 1 if behind and at + 1 < len(flat) else at


def _one_narrowest(widths):
    """The number of the narrowest layer of {number: width}."""
    if not widths:
        raise ValueError("from_torch: the net has no Linear layer to make the code; name the number of layers by code=")
    narrowest = [i for i, width in widths.items() if width == min(widths.values())]
    if len(narrowest) > 1:
        raise ValueError(
            f"from_torch: the net has {len(narrowest)} layers that are the narrowest, expected one, the code: "
            "say by code= how many layers make the code"
        )
    return narrowest[0]


class _Layers:
    """PyTorch's layers as (this library's layer, tensors), images followed by their shape."""

    _activations = {
        "ReLU": "relu",
        "LeakyReLU": "leaky_relu",
        "ELU": "elu",
        "SELU": "selu",
        "GELU": "gelu",
        "SiLU": "silu",
        "Softplus": "softplus",
        "Tanh": "tanh",
        "Sigmoid": "sigmoid",
        "Identity": "identity",
    }

    def __init__(self, input_shape):
        self._shape = input_shape

    def flat(self, module):
        if type(module).__name__ == "Sequential":
            return [layer for part in module for layer in self.flat(part)]
        return [module]

    def of(self, module):
        return self.of_list(self.flat(module))

    def of_list(self, modules):
        return [layer for module in modules for layer in self._one(module)]

    def _one(self, module):
        kind = type(module).__name__
        if kind in ("Flatten", "Dropout", "Dropout2d"):  # rows are flat; a fitted detector drops nothing
            return []
        if kind == "Unflatten":
            self._shape = tuple(int(n) for n in module.unflattened_size)
            return []
        state = {k: _array(v) for k, v in module.state_dict().items() if k != "num_batches_tracked"}
        if kind in self._activations:
            return [(self._activation(module, kind), state)]
        make = getattr(self, "_" + kind, None)
        if make is None:
            raise ValueError(f"from_torch: a layer is {kind}, expected one of those that from_torch lists")
        layer = make(module)
        if layer.output_shape is not None and kind != "BatchNorm1d":
            self._shape = layer.output_shape
        return [(layer, state)]

    def _activation(self, module, kind):
        if kind == "LeakyReLU":
            return _core.activation("leaky_relu", module.negative_slope)
        if kind == "ELU":
            return _core.activation("elu", module.alpha)
        usual = {"GELU": ("approximate", "none"), "Softplus": ("beta", 1)}.get(kind)
        if usual and getattr(module, usual[0]) != usual[1]:
            raise ValueError(f"from_torch: {kind} has {usual[0]}={getattr(module, usual[0])!r}, expected {usual[1]!r}")
        return _core.activation(self._activations[kind])

    def _image(self, kind):
        if self._shape is None:
            raise ValueError(f"from_torch: {kind} comes first, expected input_shape=(channels, height, width)")
        return self._shape

    def _Linear(self, module):
        return _core.dense(module.in_features, module.out_features, module.bias is not None)

    def _BatchNorm1d(self, module):
        return self._norm(module, module.num_features)

    def _BatchNorm2d(self, module):
        return self._norm(module, self._image("BatchNorm2d"))

    @staticmethod
    def _norm(module, shape):
        if not module.track_running_stats:
            raise ValueError("from_torch: batch norm has no running statistics; a row's score would depend on others")
        return _core.batch_norm(shape, module.eps, 0.1 if module.momentum is None else module.momentum, module.affine)

    def _Conv2d(self, module):
        return self._convolution(module, _core.conv2d)

    def _ConvTranspose2d(self, module):
        if _one_number(module, "output_padding") != 0:
            raise ValueError("from_torch: ConvTranspose2d has an output_padding, expected none")
        return self._convolution(module, _core.conv_transpose2d)

    def _convolution(self, module, make):
        kind = type(module).__name__
        if module.groups != 1 or _one_number(module, "dilation") != 1 or module.padding_mode != "zeros":
            raise ValueError(f"from_torch: {kind} has groups, dilation or a padding mode, expected none")
        sizes = [_one_number(module, name) for name in ("kernel_size", "stride", "padding")]
        return make(self._image(kind), module.out_channels, *sizes, module.bias is not None)

    def _MaxPool2d(self, module):
        if _one_number(module, "padding") != 0 or _one_number(module, "dilation") != 1 or module.ceil_mode:
            raise ValueError("from_torch: MaxPool2d has padding, dilation or ceil_mode, expected none")
        return _core.max_pool2d(
            self._image("MaxPool2d"), _one_number(module, "kernel_size"), _one_number(module, "stride")
        )

    def _Upsample(self, module):
        scale = module.scale_factor
        scale = scale[0] if isinstance(scale, tuple) else scale
        if module.mode != "nearest" or scale is None or scale != int(scale):
            raise ValueError("from_torch: Upsample is expected with mode nearest and a whole scale_factor")
        return _core.upsample_nearest2d(self._image("Upsample"), int(scale))


def _one_number(module, name):
    """kernel_size and its like: one number for height and width."""
    value = getattr(module, name)
    if isinstance(value, str):
        raise ValueError(f"from_torch: {type(module).__name__} has {name}={value!r}, expected a number")
    if isinstance(value, tuple):
        if len(set(value)) != 1:
            raise ValueError(f"from_torch: {type(module).__name__} has {name}={value}, expected the same number twice")
        value = value[0]
    return int(value)


# ---- state_dicts --------------------------------------------------------------------------------


def _from_state_dict(tensors, code, activation):
    halves = {"encoder": {}, "decoder": {}, "": {}}
    for name, tensor in tensors.items():
        match = re.fullmatch(r"(?:(encoder|decoder)\.)?(\d+)\.(\w+)", name)
        if not match:
            raise ValueError(f"from_torch: a tensor is named {name!r}, expected Sequential's names, encoder.0.weight")
        half, number, key = match.groups()
        if key != "num_batches_tracked":
            halves[half or ""].setdefault(int(number), {})[key] = _array(tensor)
    for half, parts in halves.items():
        for number, part in parts.items():
            _check(part, f"{half}.{number}" if half else str(number))
    if bool(halves[""]) == bool(halves["encoder"] or halves["decoder"]):
        raise ValueError("from_torch: the tensors are expected to be all of encoder and decoder, or all of neither")
    if halves[""]:
        if code is None:
            linear = [i for i in sorted(halves[""]) if _is_linear(halves[""][i])]
            code = _one_narrowest({i: halves[""][i]["weight"].shape[0] for i in linear[:-1]}) + 1
            code += code not in halves[""]  # its activation
        halves["encoder"] = {i: t for i, t in halves[""].items() if i < code}
        halves["decoder"] = {i - code: t for i, t in halves[""].items() if i >= code}
    sizes = {"encoder": code if halves[""] else None, "decoder": None}
    placed, result = {}, []
    for half in ("encoder", "decoder"):
        layers = _half(halves[half], sizes[half], activation, half)
        result.append(layers)
        placed.update({f"{half}.{i}.{key}": t for i, part in halves[half].items() for key, t in part.items()})
    return result[0], result[1], placed


def _is_linear(part):
    return "weight" in part and part["weight"].ndim == 2


def _check(part, name):
    """Refuses tensors that a state_dict of Linear and BatchNorm1d layers does not have."""
    if {"running_mean", "running_var"} <= part.keys() or _is_linear(part):
        return
    if "weight" in part and part["weight"].ndim > 2:
        raise ValueError(f"from_torch: module {name} is a convolution; give the module, not its state_dict")
    tensors = " and ".join(sorted(part))
    raise ValueError(f"from_torch: module {name} has {tensors} alone, which no Linear and no BatchNorm1d has")


def _half(parts, size, activation, name):
    if not parts:
        raise ValueError(f"from_torch: the tensors have no {name}")
    if size is None:
        # An encoder's last activation leaves no tensor behind: it is there where there are others.
        gaps = any(i not in parts for i in range(max(parts)))
        size = max(parts) + (2 if name == "encoder" and gaps else 1)
    layers = []
    for i in range(size):
        part = parts.get(i)
        if part is None:
            if activation is None:
                raise ValueError(f"from_torch: nothing says what layer {i} of the {name} is; name the activation")
            layers.append(_core.activation(activation))
        elif "running_mean" in part:
            layers.append(_core.batch_norm(len(part["running_mean"]), affine="weight" in part))
        else:
            layers.append(_core.dense(part["weight"].shape[1], part["weight"].shape[0], "bias" in part))
    return layers
