"""Every route of the NumPy adapter against the fold: values, NaN, integers, kinds of input; and precision."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest

import poolkit as pk
import poolkit_numpy
from poolkit.lowering.lower import chosen
from poolkit.lowering.plan import plan_of
from poolkit.running.dispatch import pool_through
from poolkit_numpy import ADAPTER

Array = np.ndarray[Any, Any]

ASKED: tuple[dict[str, Any], ...] = (
    {"output_size": 1},
    {"output_size": (3, None)},
    {"output_size": (3, 4)},
    {"output_size": (5, 7)},
    {"window": 2},
    {"window": 3, "stride": 2, "padding": 1},
    {"window": 3, "stride": 2, "padding": "same"},
    {"window": 5, "stride": 1, "padding": "same_lower", "dilation": (1, 2)},
    {"window": 7, "stride": 1, "padding": "causal"},
    {"window": (4, 3), "stride": (4, 2), "padding": 2, "ceil_mode": True},
)
SHAPES = {"NCHW": (2, 3, 9, 12), "NHWC": (2, 9, 12, 3), "...HWC": (2, 1, 9, 12, 3)}
FLOATS = ("float16", "float32", "float64")
INTEGERS = ("bool", "int8", "int64", "uint8", "uint64")


def few_values(shape: tuple[int, ...], dtype: str) -> Array:
    """Small integers; among floats NaN and infinities too."""
    rng = np.random.default_rng(0)
    x = rng.integers(0 if dtype[0] in "bu" else -2, 3, shape).astype(dtype)
    if dtype in FLOATS:
        for value in (math.nan, math.inf, -math.inf):
            x[rng.random(shape) < 0.05] = value
    return x


@pytest.mark.parametrize("layout", SHAPES)
@pytest.mark.parametrize("kind", ["max", "min"])
def test_maximum_is_the_fold(kind: str, layout: str) -> None:
    for asked, dtype in itertools.product(ASKED, FLOATS + INTEGERS):
        spec, x = pk.PoolSpec(kind, layout=layout, **asked), few_values(SHAPES[layout], dtype)
        mine, fold = pool_through(x, spec, "maximum"), pool_through(x, spec, "fold")
        assert mine.dtype == fold.dtype == dtype
        np.testing.assert_array_equal(mine, fold, err_msg=f"{spec} {dtype}")


@pytest.mark.parametrize(
    ("route", "asked", "layout"),
    [
        *itertools.product(("stages",), ASKED[1:3], SHAPES),
        *itertools.product(("stages",), ASKED[:1], SHAPES),
        ("mean", {"output_size": 1}, "NCHW"),
        ("mean", {"output_size": 1, "divisor_override": 5}, "NCHW"),
    ],
    ids=str,
)
def test_sums_are_the_fold(route: str, asked: dict[str, Any], layout: str) -> None:
    shape = tuple(4 * n if n in (9, 12) else n for n in SHAPES[layout])  # whose bins are large
    for kind, dtype in itertools.product(("avg", "sum"), ("float16", "float32", "int8")):
        if kind == "sum" and "divisor_override" in asked:
            continue
        spec, x = pk.PoolSpec(kind, layout=layout, **asked), few_values(shape, dtype)
        with np.errstate(invalid="ignore"):
            mine, fold = pool_through(x, spec, route), pool_through(x, spec, "fold")
        assert mine.dtype == fold.dtype
        np.testing.assert_allclose(mine, fold, rtol=1e-3 if dtype == "float16" else 1e-6, atol=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("shape", [(4, 64, 60, 60), (1, 8, 224, 224), (1, 2, 1024, 1024)], ids=str)
@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_constants_stay_within_four_eps(layout: str, shape: tuple[int, ...], dtype: str) -> None:
    """Constants are the worst: each addition of a running sum is rounded the same way."""
    n, c = shape[:2]
    constants = (100 * np.random.default_rng(0).random((n, c, 1, 1))).astype(dtype)
    x = np.broadcast_to(constants, shape)
    if layout == "NHWC":
        x, constants = x.transpose(0, 2, 3, 1), constants.transpose(0, 2, 3, 1)
    spec = pk.GlobalAvgPool(layout=layout, keepdims=True)
    swapped = np.ascontiguousarray(x).astype(np.dtype(dtype).newbyteorder())
    shifted = np.zeros(x.nbytes + 1, "u1")[1:].view(dtype).reshape(x.shape)
    shifted[...] = x
    for array in (np.ascontiguousarray(x), x, np.asfortranarray(x), swapped, shifted):
        error = np.abs(pk.pool(array, spec) / constants - 1).max()
        assert error <= 4 * np.finfo(dtype).eps


def test_every_route_is_taken_of_itself_somewhere() -> None:
    x = np.zeros((2, 3, 27, 36), "float32")  # whose thirds are large bins
    taken = set[str]()
    for kind, asked, view, layout in itertools.product(("max", "avg"), ASKED, (x, x[:, :, ::-1]), ("NCHW", "NHWC")):
        plan = plan_of(pk.PoolSpec(kind, layout=layout, **asked), 4, "float32", lambda at: (x.shape[at], True))
        taken.add(chosen(ADAPTER, plan, ADAPTER.situation(view), None).name)
    assert taken == {route.name for route in ADAPTER.routes if not route.reference} | {"fold"}


class Marked(np.ndarray[Any, Any]):
    """A subclass, such as libraries make."""


def test_kinds_of_input() -> None:
    spec = pk.MaxPool(2, 1, layout="NCHW")
    plain = np.arange(72.0, dtype="float32").reshape(1, 2, 6, 6)
    plain.setflags(write=False)
    wanted = plain[:, :, 1:, 1:]
    for x in (plain, plain.view(Marked), np.asfortranarray(plain), plain.astype(">f4")):
        np.testing.assert_array_equal(pk.pool(x, spec), wanted)
    np.testing.assert_array_equal(pk.pool(plain[:, :, ::-1], spec), plain[:, :, ::-1][:, :, :-1, 1:])
    one_cell = (pk.MaxPool(1, layout="NCHW"), pk.SumPool(1, layout="NCHW"), pk.AdaptiveMaxPool(6, layout="NCHW"))
    for spec in one_cell:
        assert not np.shares_memory(pk.pool(plain, spec), plain)
    column = plain.reshape(8, 1, 1, 9)
    for kind, layout in itertools.product(("avg", "sum", "max"), ("NHWC", "NCHW")):
        x = column if layout == "NHWC" else column.reshape(8, 9, 1, 1)
        assert not np.shares_memory(pk.pool(x, pk.PoolSpec(kind, output_size=1, layout=layout)), x)
    with pytest.raises(pk.ShapeError):
        pk.pool(np.array(1.0), spec)
    with pytest.raises(pk.InputError):
        pk.pool(np.ma.masked_array(plain), spec)
    with pytest.raises(pk.DtypeError):
        pk.pool(plain.astype("complex64"), spec)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_a_million_cells_within_four_eps(layout: str, dtype: str) -> None:
    spread = np.random.default_rng(0).uniform(100, 101, (1024, 1024))
    for kind, x in (("equal", np.full((1000, 1000), 100.1)), ("spread", spread)):
        cells = x.astype(dtype)
        mean = math.fsum(cells.ravel().tolist()) / cells.size
        batch = cells[None, None] if layout == "NCHW" else cells[None, ..., None]
        y = pk.pool(batch, pk.GlobalAvgPool(layout=layout, keepdims=True))
        assert abs(float(y.ravel()[0]) - mean) <= 4 * np.finfo(dtype).eps * mean, kind


def test_pool_is_a_callable() -> None:
    layer = pk.MaxPool(2, layout="NCHW").layer("numpy", route="fold")
    assert layer == poolkit_numpy.Pool(pk.MaxPool(2, layout="NCHW"), route="fold")
    assert layer(np.ones((1, 3, 8, 8))).shape == (1, 3, 4, 4)
