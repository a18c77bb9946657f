"""Calls, configs, nodes, modules and patterns as nobody should write them: what `read` is given in the fuzzer."""

from __future__ import annotations

import inspect
import random
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from poolkit.dialects import table
from poolkit.dialects.calls import Call, Expression, Name
from poolkit.dialects.dialect import Word

X = Expression("x")

# What a parameter usually holds, by a part of its name; for each number of spatial axes where that matters.
USUAL: dict[str, tuple[Any, ...]] = {
    "axis": ((1, 2), (2, 3), [1, 2], (-2, -1)),
    "axes": ((1, 2), (2, 3)),
    "dim": ((2, 3), (-2, -1)),
    "return_indices": (False, True),
    "indices": ((1, 2), False, True),
    "output_ratio": (0.5, (0.5, 0.7)),
    "output_shape": (None,),
    "samples": (None,),
    "learnable": (False, True),
    "pooled_shape": ([3, 2], (2, 2)),
    "spatial_scale": (1.0, 0.25),
    "transformation": ("half_pixel", "output_half_pixel"),
    "output": (1, 3, (3, 2), (None, 2)),
    "target": (1, (1, 1)),
    "dimensions": ((1, 2, 2, 1), (1, 1, 3, 3)),
    "kernel_shape": ([3, 2], (2, 2)),
    "shape": ((3, 2), (1, 2, 2, 1), 2),
    "size": (2, 3, (2, 3), (1, 2, 2, 1)),
    "stride": (None, 1, 2, (2, 1), (1, 2, 2, 1), (1, 1, 2, 2)),
    "pads": ([1, 0, 1, 1], None),
    "pad": ("VALID", "SAME", "valid", "same", 0, 1, (1, 1), ((0, 0), (1, 0), (0, 1), (0, 0)), ((1, 0), (0, 1))),
    "format": (None, "NHWC", "NCHW", "channels_last", "channels_first"),
    "fmt": ("NCHW", "NHWC"),
    "dilation": (1, 2, None, (1, 2), (1, 2, 2, 1)),
    "rate": (1, (1, 2)),
    "init": (-np.inf, 0, 0.0, np.inf, Expression("-jnp.inf")),
    "computation": (Name("jax.lax.max"), Name("jax.lax.add"), Name("jax.lax.min")),
    "operation": (Name("jax.lax.max"), Name("jax.numpy.mean")),
    "reduce_fn": (Name("jax.lax.max"), Name("jax.lax.add")),
    "pooling_type": ("MAX", "AVG"),
    "pool_type": ("avg", "max", "fast", "catavgmax"),
    "pattern": ("b h w c -> b 1 1 c", "b (h 2) (w 2) c -> b h w c"),
    "reduction": ("mean", "max"),
    "num_spatial": (2,),
    "fun": (Call("equinox.nn.MaxPool2d", (2,)),),
    "channel_axis": (-1, 1, None),
    "in_axes": (0,),
    "out_axes": (0,),
    "prefix": (0, 1),
    "divisor": (None, 3),
    "norm": (2, 4, np.inf),
    "dtype": (None,),
    "out": (None,),
    "name": (None, "pool"),
    "scale": (None, 2),
    "mode": ("area", "nearest"),
}
FLAGS = (True, False, 0, 1)

# What stands where something else belongs.
ODD: tuple[Any, ...] = (
    *(None, True, False, 0, 1, 2, 3, -1, 10**20, 2.0, 1.5, float("nan"), float("inf"), 1j, b"same", ...),
    *("", "same", "SAME", "Valid", "full", "NHWC", "NCW", "channels_first", "2", "avg", "MAX", "b c -> b"),
    *((), [], (2,), [2], (3, 3), [2, 2], (2, 2, 2), (1, 2, 2, 1), [1, 1, 2, 2], (1, 2, 2, 2, 1), (2,) * 7),
    *((None,), (None, 2), (1.5, 2), ("2", 2), (True, 2), (-1, 0), ((2, 2),), ((1, 1), (0, 1)), ((1,), (1, 2, 3))),
    *([[0, 0], [1, 1], [1, 0], [0, 0]], ((0, 0), (0, 0), (1, 1), (1, 0)), ((0, 0),), (1, (1, 0))),
    *(Expression("k"), (Expression("k"), 2), [1, Expression("k"), 2, 1], Expression("k.shape[1:3]")),
    *(Name("jax.lax.max"), Name("torch.float16"), Call("torch.nn.MaxPool2d", (2,)), (X,), Call("jax.numpy.array", ())),
)
HELD: tuple[Any, ...] = ({}, {"a": 1}, [{}], np.float32(2), np.int64(2), np.array([2, 2]), np.array(3), {2}, object())


def words() -> list[tuple[str, Word]]:
    """Every word of every dialect, with its name."""
    return [(name, word) for dialect in table.dialects() for name, word in dialect.words.items()]


def call(rng: random.Random, name: str, word: Word, odd: tuple[int, ...] = (0, 1, 1, 2)) -> Call:
    """A call of a word: as many odd arguments as is drawn from `odd`, now and then one too many or too few."""
    parameters = inspect.signature(word.fields).parameters.values()
    named = [(p.name, p) for p in parameters if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]
    values = {what: usual(rng, what) for what, p in named if p.default is p.empty or rng.random() < 0.4}
    for what in rng.sample(list(values), min(len(values), rng.choice(odd))):
        values[what] = rng.choice(ODD)
    if values and rng.random() < 0.05:
        values.pop(rng.choice(list(values)))
    place = rng.randrange(4) if rng.random() < 0.6 else 0
    front = [values.pop(what) for what, p in named[:place] if what in values and p.kind is not p.KEYWORD_ONLY]
    if rng.random() < 0.05:
        values[rng.choice(("data_format", "dilation", "stride", "axis", "training", "mask", "dtype", "**"))] = (
            rng.choice(ODD)
        )
    if rng.random() < 0.05:
        front += [rng.choice(ODD) for _ in range(rng.randrange(1, 5))]
    tensor = [] if word.tensor is None or rng.random() < 0.02 else [X]
    return Call(name, (*tensor, *front), tuple(values.items()))


def usual(rng: random.Random, name: str) -> Any:
    for part, values in USUAL.items():
        if part in name:
            return rng.choice(values)
    return rng.choice(FLAGS)


CONFIG = ("pool_size", "strides", "padding", "data_format", "keepdims", "output_size", "name", "dtype", "trainable")


def config(rng: random.Random, names: Sequence[str]) -> Any:
    """A Keras layer's config, of which some parts are of another type."""
    inner: Any = {key: usual(rng, key) for key in CONFIG if rng.random() < 0.5}
    for key in rng.sample(list(inner), min(len(inner), rng.randrange(3))):
        inner[key] = rng.choice(ODD + HELD)
    data: dict[Any, Any] = {"class_name": rng.choice(names).rpartition(".")[2], "config": inner}
    if rng.random() < 0.2:
        data["module"] = rng.choice(("keras.layers", "keras", "tensorflow.keras.layers"))
    if rng.random() < 0.1:
        data[rng.choice((*data, "module", "registered_name", 3))] = rng.choice(ODD + HELD)
    return data


def node(rng: random.Random, make: Callable[..., Any], names: Sequence[str]) -> Any:
    """An ONNX node; `make` is onnx.helper.make_node."""
    typed: tuple[Any, ...] = (0, 1, 2, -1, 10**12, 1.5, "SAME_UPPER", "VALID", "NOTSET", "x", [2], [2, 2], [1, 1, 1, 1])
    typed += ([0, 1, 1, 0], [2, 2, 2], [-1, 0, 0, 0], [0.5, 1.5], ["a"], [3] * 9)
    keys = ("kernel_shape", "strides", "pads", "auto_pad", "ceil_mode", "count_include_pad", "dilations")
    keys += ("storage_order", "axes", "keepdims", "noop_with_empty_axes", "p", "unheard")
    likely: dict[str, tuple[Any, ...]] = {
        "kernel_shape": ([2, 2], [3], [2, 3, 2]),
        "strides": ([1, 2], [2]),
        "pads": ([1, 0, 0, 1], [1, 1]),
        "auto_pad": ("SAME_UPPER", "SAME_LOWER", "VALID", "NOTSET"),
        "axes": ([2, 3], [-1], [1, 2]),
    }
    chosen = [key for key in keys if rng.random() < 0.3]
    given = {key: rng.choice(likely.get(key, (0, 1)) if rng.random() < 0.6 else typed) for key in chosen}
    inputs = ["x"] if rng.random() < 0.8 else ["x", "a"]
    return make(rng.choice(names).rpartition(".")[2], inputs, ["y"] if rng.random() < 0.9 else ["y", "z"], **given)


def changed(rng: random.Random, module: Any) -> Any:
    """A module with attributes of another type."""
    held: dict[str, Any] = module.__dict__
    names = [name for name in held if not name.startswith("_") and name != "training"]
    for name in rng.sample(names, min(len(names), rng.choice((1, 1, 2)))):
        if rng.random() < 0.1:
            delattr(module, name)
        else:
            setattr(module, name, rng.choice([v for v in ODD + HELD if not isinstance(v, Call | Name)]))
    return module


PATTERN = ("b", "n", "h", "w", "c", "1", "2", "(h 2)", "(w 3)", "(h k)", "(b 2)", "()", "(", ")", "...", "->", "t")


def pattern(rng: random.Random) -> str:
    """An einops pattern with terms that are changed, moved, left out or put in."""
    good = ("b h w c -> b 1 1 c", "b c (h 2) (w 2) -> b c h w", "b c h w -> b c", "... h w c -> ... c", "b t c -> b c")
    terms = [str(term) for term in rng.choice(good).split(" ")]
    for _ in range(rng.randrange(4)):
        at = rng.randrange(len(terms) + 1)
        terms[at : at + rng.randrange(2)] = [
            rng.choice((*PATTERN, "é", "²", "H", "_", "9" * 5000, "height"))
        ] * rng.randrange(2)
    return " ".join(terms)
