"""Where Keras's own layers, equal on finite input, still give other numbers; most of it depends on the engine."""

from __future__ import annotations

import dataclasses
from typing import Any

from poolkit.dialects.concerns import any_of, bins, whole, windows
from poolkit.dialects.dialect import Caveat, Measured
from poolkit.spec.pool_spec import PoolSpec

LOWEST = -3.4028234663852886e38

NAN, INF = float("nan"), float("inf")


def _spec(kind: str, n: int = 2, **options: Any) -> PoolSpec:
    return PoolSpec(kind, layout={1: "NLC", 2: "NHWC", 3: "NDHWC"}[n], **options)


def _one_bin(spec: PoolSpec) -> bool:
    sizes: Any = spec.output_size
    return bins("max")(spec) and sizes[-1] == 1


def _padded(spec: PoolSpec) -> bool:
    """Whether an average over three axes is padded."""
    return windows("avg", axes=3)(spec) and spec.padding not in ("valid", ((0, 0),) * 3)


def _uneven(spec: PoolSpec) -> bool:
    """Whether an average may be padded more on one end than on the other."""
    padding: Any = spec.padding
    if not windows("avg")(spec):
        return False
    return padding == "same" or (not isinstance(padding, str) and any(low != high for low, high in padding))


MASK = Caveat(
    "mask",
    "GlobalAveragePooling1D leaves out masked steps where its input carries a mask",
    whole("avg", axes=1),
    Measured(_spec("avg", 1, output_size=1), [[[-5], [0]]], "float32", -5, -2.5, mask=[[True, False]]),
)

TENSORFLOW = (
    Caveat(
        "nan",
        "maxima leave out NaN",
        any_of(windows("max"), bins("max")),
        Measured(_spec("max", 1, window=3), [[[NAN], [1], [2]]], "float32", 2, NAN),
    ),
    Caveat(
        "nan",
        "maxima give the lowest finite number for a window of -inf",
        any_of(windows("max"), bins("max")),
        Measured(_spec("max", 1, window=3), "full((1, 3, 1), -inf)", "float32", LOWEST, -INF),
    ),
    Caveat(
        "sizes",
        "an adaptive maximum ends the process where the last axis gets one bin",
        _one_bin,
        Measured(_spec("max", output_size=(2, 1)), "ones((1, 5, 5, 1))", "float32", "ends", 1),
        unequal=True,
    ),
    Caveat(
        "sizes",
        "an adaptive maximum ends the process where the last axis has one cell",
        bins("max"),
        Measured(_spec("max", output_size=2), "ones((1, 5, 1, 1))", "float32", "ends", 1),
    ),
    Caveat(
        "sizes",
        "adaptive layers need sizes that are known when a graph is traced",
        any_of(bins("avg"), bins("max")),
        Measured(_spec("avg", output_size=2), "ones((1, 4, 4, 1))", "float32", "ValueError", 1, traced=True),
    ),
    Caveat(
        "sizes",
        "adaptive windows are off by a cell on axes of a hundred thousand cells",
        any_of(bins("avg"), bins("max")),
        Measured(_spec("max", 1, output_size=777), "arange(100003).reshape(1, -1, 1)", "float32", 67826, 67827, at=526),
    ),
    Caveat(
        "half",
        "averages of float16 over windows add in float16, which overflows at 65504",
        windows("avg"),
        Measured(_spec("avg", window=64), "full((1, 64, 64, 1), 100)", "float16", INF, 100),
    ),
    Caveat(
        "half",
        "there is no average of float16 over three axes on CPU",
        windows("avg", axes=3),
        Measured(_spec("avg", 3, window=2), "ones((1, 2, 2, 2, 1))", "float16", "NotFoundError", 1),
    ),
    Caveat(
        "sums",
        "averages over windows add one by one in float32, which loses digits from a thousand cells on",
        windows("avg", cells=1024),
        Measured(_spec("avg", window=512), "full((1, 512, 512, 1), 100.1)", "float32", 100.0094, 100.1),
    ),
    Caveat(
        "sums",
        "global averages add in float32, which loses digits from some ten thousand cells on",
        whole("avg"),
        Measured(_spec("avg", output_size=1), "full((1, 256, 256, 8), 100.1)", "float32", 100.1156, 100.1),
    ),
    Caveat(
        "integers",
        "averages over windows and bins take no integers",
        any_of(windows("avg"), bins("avg")),
        Measured(_spec("avg", 1, window=2), [[[1], [2]]], "int32", "InvalidArgumentError", 1.5),
    ),
)

TORCH = (
    Caveat(
        "sizes",
        "averages with more padding at the end than at the start count the cells at the edge twice",
        _uneven,
        Measured(
            _spec("avg", 1, window=4, stride=1, padding="same"),
            [[[1], [4], [9], [16]]],
            "float32",
            [3.75, 7.5, 11.25, 14.25],
            [14 / 3, 7.5, 29 / 3, 12.5],
        ),
        unequal=True,
    ),
    Caveat(
        "sizes",
        "padded averages over three axes are an error where an axis has fewer cells than the window",
        _padded,
        Measured(
            _spec("avg", 3, window=3, stride=1, padding="same"), "ones((1, 2, 2, 2, 1))", "float32", "RuntimeError", 1
        ),
        unequal=True,
    ),
    Caveat(
        "sums",
        "averages over windows add one by one in float32, which loses digits from a thousand cells on",
        windows("avg", cells=1024),
        Measured(_spec("avg", window=512), "full((1, 512, 512, 1), 100.1)", "float32", 100.0094, 100.1),
    ),
    Caveat(
        "sums",
        "averages over bins add one by one in float32, which loses digits from a thousand cells on",
        bins("avg"),
        Measured(_spec("avg", output_size=2), "full((1, 512, 512, 1), 100.1)", "float32", 100.0376, 100.1),
    ),
    Caveat(
        "half",
        "there is no average of half precision over three axes on CPU",
        windows("avg", axes=3),
        Measured(_spec("avg", 3, window=2), "ones((1, 2, 2, 2, 1))", "float16", "NotImplementedError", 1),
    ),
    Caveat(
        "integers",
        "averages of int64 over windows are truncated",
        windows("avg"),
        Measured(_spec("avg", 1, window=2), [[[1], [2]]], "int64", 1, 1.5),
    ),
    Caveat(
        "integers",
        "averages over windows take no integers other than int64",
        windows("avg"),
        Measured(_spec("avg", 1, window=2), [[[1], [2]]], "int32", "NotImplementedError", 1.5),
    ),
    Caveat(
        "integers",
        "adaptive layers take no integers",
        any_of(bins("avg"), bins("max")),
        Measured(_spec("max", 1, output_size=2), [[[1], [2], [3]]], "int32", "NotImplementedError", [2, 3]),
    ),
    Caveat(
        "integers",
        "maxima over windows of one axis take no integers",
        windows("max", axes=1),
        Measured(_spec("max", 1, window=2), [[[1], [2]]], "int32", "NotImplementedError", 2),
    ),
)


# What JAX's and NumPy's engines share.
HALVES = (
    Caveat(
        "half",
        "averages over windows add in bfloat16 where the input is bfloat16",
        windows("avg"),
        Measured(_spec("avg", window=64), "full((1, 64, 64, 1), 100)", "bfloat16", 8, 100),
    ),
    Caveat(
        "half",
        "averages over windows add in float16 where the input is float16, which overflows at 65504",
        windows("avg"),
        Measured(_spec("avg", window=64), "full((1, 64, 64, 1), 100)", "float16", INF, 100),
    ),
    Caveat(
        "half",
        "averages over bins are rounded in between where the input is half precision",
        bins("avg"),
        Measured(_spec("avg", output_size=2), "full((1, 64, 64, 1), 100)", "bfloat16", 96.5, 100),
    ),
)

JAX = (
    Caveat(
        "sizes",
        "adaptive windows are wrong at many sizes, 7 bins of 7 cells among them",
        any_of(bins("avg"), bins("max")),
        Measured(
            _spec("avg", 1, output_size=7),
            [[[0], [1], [2], [3], [4], [5], [6]]],
            "float32",
            [0, 1, 2.5, 3, 4, 5.5, NAN],
            [0, 1, 2, 3, 4, 5, 6],
        ),
        unequal=True,
    ),
    *HALVES,
)

NUMPY = (
    *HALVES,
    Caveat(
        "half",
        "global averages add in bfloat16 where the input is bfloat16",
        whole("avg"),
        Measured(_spec("avg", output_size=1), "full((1, 64, 64, 1), 100)", "bfloat16", 8, 100),
    ),
    Caveat(
        "sums",
        "global averages add one by one in float32, which loses digits from a thousand cells on",
        whole("avg"),
        Measured(_spec("avg", output_size=1), "full((1, 256, 256, 8), 100.1)", "float32", 100.0376, 100.1),
    ),
)

ENGINES = {"tensorflow": TENSORFLOW, "torch": TORCH, "jax": JAX, "numpy": NUMPY}
CAVEATS: tuple[Caveat, ...] = (
    MASK,
    *(dataclasses.replace(caveat, engine=name) for name, caveats in ENGINES.items() for caveat in caveats),
)
