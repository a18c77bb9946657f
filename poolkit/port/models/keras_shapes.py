"""The shape of what layers of a Keras model are given, where configs say it: files of Keras 1 and 2 hold few."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

from poolkit.dialects.calls import listed
from poolkit.dialects.reading import call_of, read_call
from poolkit.errors import PoolkitError
from poolkit.port.models.archive import is_list
from poolkit.port.models.keras_graph import Config, Graph, config_of, is_keras, is_pool, shape_of
from poolkit.port.models.layers import Shape
from poolkit.spec.pool_spec import PoolSpec
from poolkit.spec.values import is_many

SAME = re.compile(
    r"Activation|ReLU|LeakyReLU|PReLU|ELU|Softmax|\w*Dropout\w*|\w*Normalization(V[12])?|GaussianNoise|Identity|Rescaling"
)
ELEMENTWISE = ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum")
WINDOWED = {"pool_size", "strides", "padding"}  # of a pool, whose call is read a third as fast as these alone
CONVOLUTIONS = re.compile(r"(Separable|Depthwise)?Conv[12]D|Conv3D")
SPATIAL = {3: "L", 4: "HW", 5: "DHW"}
LARGEST = 2**31  # a size beyond it is nobody's, and arithmetic of such grows without end


def declared(layer: Config) -> Shape | None:
    """The shape that the first layer of a Sequential, or an InputLayer, was given."""
    config = config_of(layer)
    return shape_of(config.get("batch_shape")) or shape_of(config.get("batch_input_shape"))


def said(layer: Config, given: Shape) -> Shape | None:
    """The shape that a Lambda says that it gives, without the batch, of such a one."""
    sizes = listed(config_of(layer).get("output_shape"))
    whole = layer["class_name"] == "Lambda" and is_many(sizes) and all(type(n) is int and n > 0 for n in sizes)
    return (*given[:1], *sizes) if whole else None


def with_shapes(graph: Graph, given: Shape | None) -> dict[tuple[str, int], Shape | None]:
    """The shape of what each call of a model is first given; `given` is that of the model, where it is known."""
    takes: dict[tuple[str, int], Shape | None] = {}
    gives: dict[tuple[str, int], Shape | None] = {one.made_by: given for one in graph.inputs}
    for step in graph.steps:
        known = [one.shape or gives.get(one.made_by) for one in step.outputs]
        first = step.shape or next(iter(known), None) or declared(step.layer) or gives.get(step.key)
        takes[step.key] = first
        gives[step.key] = _after(step.layer, [first, *known[1:]])
    return takes


def _after(layer: Config, shapes: Sequence[Shape | None]) -> Shape | None:
    """The shape behind a layer; None where nothing says it."""
    known = [one for one in shapes if one]
    try:
        found = _made(layer, known) if len(known) == len(shapes) and is_keras(layer) else None
    except (PoolkitError, TypeError, ValueError, ArithmeticError, LookupError):
        return None  # a file may hold anything in place of a number
    return found if found and all(n is None or (type(n) is int and 0 <= n < LARGEST) for n in found) else None


def _made(layer: Config, shapes: list[Shape]) -> Shape | None:
    kind, config, shape = str(layer["class_name"]), config_of(layer), shapes[0]
    if kind == "InputLayer" or SAME.fullmatch(kind):
        return shape
    if kind == "Lambda":
        return said(layer, shape)
    if is_pool(layer) and not config.keys() >= WINDOWED:
        return read_call(call_of({"class_name": kind, "config": config})).output_shape(shape)
    if kind in ELEMENTWISE:
        return tuple(None if None in several else max(several) for several in zip(*shapes, strict=True))
    if kind == "Concatenate":
        at = int(config.get("axis", -1)) % len(shape)
        return (*shape[:at], _added([one[at] for one in shapes]), *shape[at + 1 :])
    if kind == "Dense":
        return (*shape[:-1], config["units"])
    if kind == "Flatten":
        return (shape[0], None if None in shape[1:] else math.prod(n or 0 for n in shape[1:]))
    if kind == "Reshape":
        return _reshaped(shape, config["target_shape"])
    return _of_map(kind, config, shape)


def _of_map(kind: str, config: Config, shape: Shape) -> Shape | None:
    """What changes the spatial axes, each by itself."""
    first = config.get("data_format") == "channels_first"
    rank = len(shape) - 2
    sizes, channels = (shape[2:], shape[1]) if first else (shape[1:-1], shape[-1])
    if config.keys() >= WINDOWED or CONVOLUTIONS.fullmatch(kind):
        return _windowed(kind, config, shape, first)
    if kind.startswith("UpSampling"):
        new = [None if n is None else n * by for n, by in zip(sizes, _each(config["size"], rank), strict=True)]
    elif kind.startswith(("ZeroPadding", "Cropping")):
        sign = 1 if kind.startswith("Zero") else -1
        sides = _sides(config["padding" if sign > 0 else "cropping"], rank)
        new = [None if n is None else n + sign * sum(pair) for n, pair in zip(sizes, sides, strict=True)]
    elif kind == "Resizing":
        new = [config["height"], config["width"]]
    else:
        return None
    return (shape[0], channels, *new) if first else (shape[0], *new, channels)


def _windowed(kind: str, config: Config, shape: Shape, first: bool) -> Shape:
    """A convolution has the windows of a pool."""
    letters, window = SPATIAL[len(shape)], config["pool_size" if "pool_size" in config else "kernel_size"]
    spec = PoolSpec(
        "max",
        window=listed(window),
        stride=listed(config["strides"] or window),
        padding=config["padding"],
        dilation=listed(config.get("dilation_rate", 1)),
        layout=f"NC{letters}" if first else f"N{letters}C",
    )
    batch, *rest = spec.output_shape(shape)
    at = 0 if first else -1
    before = rest[at]
    depth = _number(config.get("depth_multiplier", 1))
    if CONVOLUTIONS.fullmatch(kind):
        rest[at] = (before and before * depth) if kind.startswith("Depthwise") else config["filters"]
    return (batch, *rest)


def _reshaped(shape: Shape, sizes: Any) -> Shape | None:
    whole = None if None in shape[1:] else math.prod(n or 0 for n in shape[1:])
    rest = math.prod(_number(n) for n in sizes if n != -1)
    return (shape[0], *((whole and whole // rest) if n == -1 else n for n in sizes))


def _number(value: Any) -> int:
    """A number; a text times a size could be of any length."""
    if type(value) is not int:
        raise TypeError(f"received {value!r}, and it is no number")
    return value


def _added(several: Sequence[int | None]) -> int | None:
    return None if None in several else sum(n or 0 for n in several)


def _each(value: Any, count: int) -> list[int]:
    return [*map(_number, value)] if is_list(value) else [_number(value)] * count


def _sides(value: Any, count: int) -> list[list[int]]:
    """Low and high of each axis."""
    if not is_list(value) or not is_list(value[0]):
        each = _each(value, count)
        return [each] if len(each) == 2 and count == 1 else [[one, one] for one in each]
    return [[*map(_number, one)] for one in value]
