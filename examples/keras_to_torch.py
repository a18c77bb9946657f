"""A whole Keras network in PyTorch: its layers from a table, its pools by poolkit, its weights carried over.

    python examples/keras_to_torch.py model.keras --output weights.pt   # or an .h5 file

`network("model.keras")` is a torch.nn.Module in eval mode, whose parameters have the names of the file's layers. It
takes and gives channels-first tensors. The file is read as data: no code in it is run, and Keras is not imported.
A layer that the table lacks is named in an error; `network(path, more={"MyLayer": my_function})` adds to the table.
"""

from __future__ import annotations

import argparse
import functools
import math
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812  # its usual name

import poolkit as pk
from poolkit.errors import InputError, NotExactError, PoolkitError
from poolkit.port.models.keras_graph import Config, Output, Step, graph_of, is_keras, is_pool, layers_in
from poolkit.port.models.model_files import config_of
from poolkit.port.models.weights import Weights, places, weights_of

Tensor = torch.Tensor
Call = Callable[..., Any]


@dataclass(frozen=True)
class Layer:
    """A layer as the file has it; `kind` is its class, "ops.Add" for an operation such as `x + y`."""

    name: str
    kind: str
    config: Config
    shape: Sequence[int | None]  # of its input, () where the file does not say so
    weights: Sequence[Tensor] = ()

    def error(self, why: str) -> InputError:
        return InputError(f"received a layer {self.name!r:.99} ({self.kind:.99}), and {why}")

    @property
    def of_channels(self) -> bool:
        """Whether it goes along the last axis alone."""
        last = len(self.shape or range(4)) - 1
        return self.config["axis"] in (-1, [-1], last, [last])

    def channels(self, otherwise: int) -> Any:
        return (self.shape[-1] if self.shape else None) or otherwise

    def arrays(self, **used: bool) -> list[Any]:
        """Its weights in the order in which Keras keeps them, None for those that its config says it has not."""
        wanted = [name for name, it in used.items() if it]
        if len(self.weights) != len(wanted):
            raise self.error(f"the file holds {len(self.weights)} arrays for it, and its config asks for {wanted}")
        left = iter(self.weights)
        return [next(left) if it else None for it in used.values()]

    def filled(self, made: Any, **weights: Tensor | None) -> nn.Module:
        """The module with these weights, which have to have the shapes that its config gives."""
        for name, weight in weights.items():
            wanted = getattr(made, name)
            if weight is not None and weight.shape != wanted.shape:
                shapes = f"{tuple(wanted.shape)}, and the file holds one of {tuple(weight.shape)}"
                raise self.error(f"its config asks for a {name} of shape {shapes}")
            if weight is not None:
                setattr(made, name, nn.Parameter(weight) if isinstance(wanted, nn.Parameter) else weight)
        return made  # type: ignore[no-any-return]


# Tensors of more than two axes have their channels first here, and last in Keras.


def moved(ends: tuple[int, int], x: Tensor) -> Tensor:
    return x.movedim(*ends) if x.ndim > 2 else x


first, last = functools.partial(moved, (-1, 1)), functools.partial(moved, (1, -1))


def axis(at: int, rank: int) -> int:
    """Where an axis of Keras's stands here."""
    at %= rank
    return at if at == 0 or rank < 3 else 1 if at == rank - 1 else at + 1


def along(numbers: Any, x: Tensor) -> Tensor:
    """A number, or one for each channel, to be broadcast over a tensor."""
    return torch.as_tensor(numbers, dtype=x.dtype).reshape(-1, *[1] * (x.ndim - 2))


class Padded:
    """A convolution with Keras's padding: where "same" is an odd number of zeros, one more stands behind the map."""

    def forward(self: Any, x: Tensor) -> Any:
        around: list[int] = []
        for n, k, s, d in zip(x.shape[2:], self.kernel_size, self.stride, self.dilation, strict=True):
            span = d * (k - 1) + 1
            total = max((-(-n // s) - 1) * s + span - n, 0)
            pairs = {"same": (total // 2, total - total // 2), "causal": (span - 1, 0), "valid": (0, 0)}
            around = [*pairs[self.how], *around]
        return super().forward(F.pad(x, around))  # type: ignore[misc]


class Transposed(nn.ConvTranspose2d):
    """Keras's "same" gives a map of the input's size times the stride: the rest is cut off, half of it in front."""

    how = "valid"

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        y = super().forward(x, output_size)
        for at, (k, s) in enumerate(zip(self.kernel_size, self.stride, strict=True), 2):
            y = y.narrow(at, max(k - s, 0) // 2, x.shape[at] * s) if self.how == "same" else y
        return y


CONVOLUTIONS: dict[int, Any] = {n: type(f"Conv{n}d", (Padded, getattr(nn, f"Conv{n}d")), {}) for n in (1, 2, 3)}
BatchNorm = type("BatchNorm", (nn.BatchNorm2d,), {"_check_input_dim": lambda self, x: None})  # of any rank
Dense = type("Dense", (nn.Linear,), {"forward": lambda self, x: first(nn.Linear.forward(self, last(x)))})
LayerNorm = type("LayerNorm", (nn.LayerNorm,), {"forward": lambda self, x: first(nn.LayerNorm.forward(self, last(x)))})


def convolved(layer: Layer, kernel: Tensor, bias: Tensor | None, n: int, groups: int, **changes: Any) -> nn.Module:
    """A convolution, given a kernel whose last two axes are the channels that it takes and gives, as Keras's are."""
    weight, config = kernel.movedim((-1, -2), (0, 1)), {**layer.config, **changes}
    numbers = (config[key] for key in ("kernel_size", "strides", "dilation_rate"))
    size, strides, dilation = (tuple(one) if isinstance(one, list) else one for one in numbers)
    channels = n, config["filters"]
    made = CONVOLUTIONS[weight.ndim - 2](*channels, size, strides, 0, dilation, groups, bias is not None, device="meta")
    made.how = config["padding"]
    return layer.filled(made, weight=weight, bias=bias)


def convolution(layer: Layer) -> nn.Module:
    kernel, bias = layer.arrays(kernel=True, bias=layer.config["use_bias"])
    groups = layer.config.get("groups", 1)
    return convolved(layer, kernel, bias, layer.channels(kernel.shape[-2] * groups), groups)


def depthwise(layer: Layer, both: bool = False) -> nn.Module:
    kernel, point, bias = layer.arrays(kernel=True, pointwise=both, bias=layer.config["use_bias"])
    n = layer.channels(kernel.shape[-2])
    many = n * layer.config["depth_multiplier"]
    each = convolved(layer, kernel.flatten(-2).unsqueeze(-2), None if both else bias, n, n, filters=many)
    one = dict.fromkeys(("kernel_size", "strides", "dilation_rate"), 1)
    return nn.Sequential(each, convolved(layer, point, bias, many, 1, **one, padding="valid")) if both else each


def transposed(layer: Layer) -> nn.Module:
    kernel, bias = layer.arrays(kernel=True, bias=layer.config["use_bias"])
    size, strides = layer.config["kernel_size"], layer.config["strides"]
    if set(layer.config["dilation_rate"]) != {1} or layer.config.get("output_padding") is not None:
        raise layer.error("the table has no dilation and no output_padding of a transposed convolution")
    more: Any = [max(s - k, 0) for k, s in zip(size, strides, strict=True)]
    channels = layer.channels(kernel.shape[-1]), layer.config["filters"]
    made = Transposed(*channels, size, strides, 0, more, 1, bias is not None, device="meta")
    made.how = layer.config["padding"]
    return layer.filled(made, weight=kernel.movedim((-1, -2), (0, 1)), bias=bias)


def dense(layer: Layer) -> nn.Module:
    kernel, bias = layer.arrays(kernel=True, bias=layer.config["use_bias"])
    made = Dense(layer.channels(len(kernel)), layer.config["units"], bias is not None, device="meta")
    return layer.filled(made, weight=kernel.t().contiguous(), bias=bias)


def normalization(layer: Layer) -> nn.Module:
    """BatchNormalization, LayerNormalization or GroupNormalization, with a scale and a center or without."""
    config = layer.config
    if not layer.of_channels or config.get("rms_scaling"):
        raise layer.error(f"the table has those of the last axis alone, and this one has axis {config['axis']!r:.80}")
    counted = dict.fromkeys(("running_mean", "running_var") if "momentum" in config else (), True)
    names = {"weight": config["scale"], "bias": config["center"], **counted}
    given = dict(zip(names, layer.arrays(**names), strict=True))
    n, eps = layer.channels(max(len(one) for one in (*given.values(), ()) if one is not None)), config["epsilon"]
    if counted:
        return layer.filled(BatchNorm(n, eps, 1 - config["momentum"]), **given)
    return layer.filled(nn.GroupNorm(config["groups"], n, eps) if "groups" in config else LayerNorm(n, eps), **given)


def scaled(layer: Layer) -> nn.Module:
    """Normalization by a mean and a variance that were counted before."""
    config, pair = layer.config, layer.weights[:2]
    if config.get("mean") is not None:
        pair = [torch.tensor(config[key]) for key in ("mean", "variance")]
    if not layer.of_channels or config.get("invert") or len(pair) < 2:
        raise layer.error("the table has a Normalization of the last axis with a mean and a variance alone")
    return Function(lambda x, mean, var: (x - along(mean, x)) / along(var, x).sqrt().clamp(min=1e-7), *pair)


class Function(nn.Module):
    """A layer without weights, or with some whose names PyTorch does not know."""

    def __init__(self, call: Call, *weights: Tensor) -> None:
        super().__init__()
        self.call = call
        self.weights = nn.ParameterList(nn.Parameter(one) for one in weights)

    def forward(self, *given: Any) -> Any:
        return self.call(*given, *self.weights)


PLAIN = ("relu", "relu6", "sigmoid", "tanh", "silu", "elu", "selu", "gelu", "softplus", "mish")
ACTIVATIONS: dict[str, Call] = {name: getattr(F, name) for name in PLAIN} | {
    "linear": lambda x: x,
    "softmax": lambda x: x.softmax(axis(-1, x.ndim)),
    "swish": F.silu,
    "hard_sigmoid": F.hardsigmoid,
    **dict.fromkeys(("hard_silu", "hard_swish"), F.hardswish),
    "leaky_relu": lambda x: F.leaky_relu(x, 0.2),
}


def activation(layer: Layer) -> Call:
    name = layer.config.get("activation") or "linear"
    name = name.get("config") if isinstance(name, dict) else name
    if not isinstance(name, str) or name not in ACTIVATIONS:
        raise layer.error(f"the table has no activation {name!r:.80}; it has {', '.join(ACTIVATIONS)}")
    return ACTIVATIONS[name]


def relu(layer: Layer) -> nn.Module:
    slope, low = (layer.config.get(key) or 0 for key in ("negative_slope", "threshold"))
    top = math.inf if layer.config.get("max_value") is None else layer.config["max_value"]
    return Function(lambda x: torch.where(x >= low, x.clamp(max=top), slope * (x - low)))


def together(op: Call, share: bool = False) -> Call:
    """Of tensors in a list, as layers have them, or one after the other, as operations do."""

    def call(*given: Any) -> Any:
        several = given[0] if len(given) == 1 else given
        if len({x.ndim for x in several if isinstance(x, Tensor)}) > 1:
            raise ValueError("the table has this of tensors of one rank alone")
        return functools.reduce(op, several) / (len(several) if share else 1)

    return lambda layer: Function(call)


def resize(layer: Layer) -> nn.Module:
    """UpSampling, by a factor, or to a size; of these the bilinear one and copies of the nearest cell."""
    config = layer.config
    size = config["size"] if "size" in config else [config["height"], config["width"]]
    mode = {"nearest": "nearest-exact", "bilinear": "bilinear"}.get(config.get("interpolation", "nearest"))
    if mode is None or any(config.get(key) for key in ("crop_to_aspect_ratio", "pad_to_aspect_ratio", "antialias")):
        raise layer.error("the table has nearest and bilinear resizing alone, without cropping or antialiasing")
    to: Any = {
        "scale_factor" if layer.kind.startswith("Up") else "size": tuple(size) if isinstance(size, list) else size
    }
    return Function(lambda x: F.interpolate(x, **to, mode=mode))


def padding(given: Any, sign: int) -> nn.Module:
    """Zeros around a map, or cells cut off."""
    around = [sign * n for pair in reversed(given if isinstance(given[0], list) else [given]) for n in pair]
    return Function(lambda x: F.pad(x, around))


def arranged(of: Call) -> Call:
    """What counts axes or cells in Keras's order."""
    return lambda layer: Function(lambda x: first(of(last(x), layer.config)))


def pool(layer: Layer) -> nn.Module:
    """PyTorch's own layer where it gives the same numbers, otherwise poolkit's."""
    given: Any = {"class_name": layer.kind, "config": layer.config}
    if layer.kind.startswith("ops."):  # keras.ops.mean and the like
        given = f"keras.ops.{layer.kind[4:].lower()}(x, {layer.config['axis']}, keepdims={layer.config['keepdims']})"
    spec = pk.read(given)
    spec = spec.replace(layout="NC" + spec.layout[1:].replace("C", ""))
    try:
        return pk.native(spec, "torch")  # type: ignore[no-any-return]
    except NotExactError:
        return spec.layer("torch")  # type: ignore[no-any-return]


TABLE: dict[str, Call] = {
    **{f"Conv{n}D": convolution for n in (1, 2, 3)},
    **{f"DepthwiseConv{n}D": depthwise for n in (1, 2)},
    **{f"SeparableConv{n}D": functools.partial(depthwise, both=True) for n in (1, 2)},
    "Conv2DTranspose": transposed,
    "Dense": dense,
    **{f"{what}Normalization": normalization for what in ("Batch", "Layer", "Group")},
    "Normalization": scaled,
    "Rescaling": lambda it: Function(lambda x: x * along(it.config["scale"], x) + along(it.config["offset"], x)),
    "LayerScale": lambda it: Function(lambda x, gamma: x * along(gamma, x), *it.arrays(gamma=True)),
    "PReLU": lambda it: Function(lambda x, a: torch.where(x > 0, x, first(a[None]) * x), *it.arrays(alpha=True)),
    "ReLU": relu,
    "LeakyReLU": lambda it: nn.LeakyReLU(it.config.get("negative_slope", it.config.get("alpha"))),
    "ELU": lambda it: nn.ELU(it.config["alpha"]),
    "Softmax": lambda it: Function(lambda x: x.softmax(axis(it.config["axis"], x.ndim))),
    **dict.fromkeys(("Add", "ops.Add"), together(operator.add)),
    **dict.fromkeys(("Subtract", "ops.Subtract"), together(operator.sub)),
    **dict.fromkeys(("Multiply", "ops.Multiply"), together(operator.mul)),
    **dict.fromkeys(("ops.Divide", "ops.TrueDivide"), together(operator.truediv)),
    "Average": together(operator.add, share=True),
    "Maximum": together(torch.maximum),
    "Minimum": together(torch.minimum),
    "CustomScaleLayer": lambda it: Function(lambda xs: xs[0] + xs[1] * it.config["scale"]),
    "Concatenate": lambda it: Function(lambda xs: torch.cat(xs, axis(it.config["axis"], xs[0].ndim))),
    **dict.fromkeys(("UpSampling1D", "UpSampling2D", "Resizing", "ops.Resize"), resize),
    **{f"ZeroPadding{n}D": lambda it: padding(it.config["padding"], 1) for n in (1, 2, 3)},
    **{f"Cropping{n}D": lambda it: padding(it.config["cropping"], -1) for n in (1, 2, 3)},
    "Reshape": arranged(lambda x, config: x.reshape(len(x), *config["target_shape"])),
    "Flatten": arranged(lambda x, config: x.flatten(1)),
    "Permute": arranged(lambda x, config: x.permute(0, *config["dims"])),
    **{f"ops.{name}": pool for name in ("Mean", "Max", "Sum")},
    # A call ends with the activation that any layer may have; what works in training alone is left out.
    **dict.fromkeys(
        ("InputLayer", "Activation", "Dropout", "GaussianNoise", "StochasticDepth"), lambda it: nn.Identity()
    ),
    **{f"SpatialDropout{n}D": lambda it: nn.Identity() for n in (1, 2, 3)},
}


class Network(nn.Module):
    """The layers of a model under their names, and the calls that it makes of them."""

    def __init__(self, model: Config, weights: Weights, table: Mapping[str, Call], within: Any = ()) -> None:
        super().__init__()
        if not is_keras(model):
            raise InputError(f"received a model of the class {model['class_name']!r:.99}, which may do anything")
        self.graph = graph_of(model)
        self.layers: dict[str, tuple[str, Call]] = {}  # by its name in the file: that here, and its activation
        at = places(model)
        for step in {step.name: step for step in reversed(self.graph.steps)}.values():
            where = [*within, (step.name, at.get(step.name, ""))]
            layer = named(step, described, step, weights, where)
            name = step.name.replace(".", "_")
            while hasattr(self, name):  # as a module has a method called "half"
                name += "_"
            make = table.get(layer.name) or table.get(layer.kind) or (pool if is_pool(step.layer) else None)
            inner = layers_in(step.layer) is not None
            if make is None and not inner:
                raise layer.error("the table has no such layer; give a function that makes a module of it by more=")
            self.add_module(name, Network(step.layer, weights, table, where) if inner else named(step, make, layer))
            self.layers[step.name] = name, activation(layer)

    def forward(self, *given: Any) -> Any:
        given = tuple(given[0]) if isinstance(given[0], list | tuple) else given
        found = self.graph.run(given, self.called)
        return found[0] if len(found) == 1 else tuple(found)

    def called(self, step: Step, given: list[Any]) -> Any:
        name, act = self.layers[step.name]
        return act(named(step, getattr(self, name), *given))


def named(step: Step, call: Any, *given: Any) -> Any:
    """A call in which anything may go wrong, since a file may say anything: then the layer is named."""
    try:
        return call(*given)
    except InputError:
        raise
    except (PoolkitError, LookupError, TypeError, ValueError, RuntimeError, AttributeError, OSError) as error:
        what = f"{step.name!r:.99} ({step.kind:.99})"
        raise InputError(f"received a layer {what}, and its config, weights or input do not fit: {error}") from error


def described(step: Step, weights: Weights, where: Sequence[tuple[str, str]]) -> Layer:
    """What the file says of a layer, for the table."""
    config = step.layer.get("config")
    numbers = [torch.as_tensor(one) for one in weights.of(*zip(*where, strict=True))]
    layer = Layer(step.name, step.kind, config if isinstance(config, dict) else {}, step.shape or (), numbers)
    if layer.config.get("data_format") == "channels_first":
        raise layer.error("it is channels first, and the table has Keras's usual layout, channels last, alone")
    more = [key for key, value in step.named.items() if value is not None and value is not False and key != "training"]
    if more or not all(isinstance(one, Output | list | int | float) for one in step.given):
        raise layer.error(f"it is called with more than tensors and numbers ({', '.join(more) or 'a constant'})")
    return layer


def network(path: str | Path, weights: str | Path | None = None, more: Mapping[str, Call] | None = None) -> Network:
    """The model of a file (.keras, .h5, .json), with the weights of that file or of another one."""
    with weights_of(Path(weights or path)) as found:
        return Network(config_of(Path(path)), found, TABLE | dict(more or {})).eval()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("file", type=Path, help="a .keras or .h5 file")
    parser.add_argument("--output", type=Path, help="where to write the network's state_dict")
    given = parser.parse_args()
    try:
        found = network(given.file)
    except PoolkitError as error:
        parser.exit(2, f"{error}\n")
    print(f"{sum(p.numel() for p in found.parameters())} parameters in {len(found.layers)} layers")
    if given.output:
        torch.save(found.state_dict(), given.output)


if __name__ == "__main__":
    main()
