"""Arrays in the other byte order: every result is in the machine's own, as that of NumPy's functions is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import poolkit as pk
from poolkit.running.dispatch import pool_through
from poolkit.running.routes import routes_for

WINDOWS: list[dict[str, Any]] = [
    {"window": 1},
    {"window": 2},
    {"window": 3, "stride": 2, "padding": "same"},
    {"window": 5, "stride": 1},
    {"output_size": 1},
    {"output_size": 4},
    {"output_size": (None, 3)},
    {"output_size": (None, None)},
]
SPECS = [pk.PoolSpec(kind, layout="NCHW", **fields) for kind in ("avg", "max", "min", "sum") for fields in WINDOWS]
SPECS += [spec.replace(indices=True) for spec in SPECS if spec.kind == "max"]


def ways(x: np.ndarray, spec: pk.PoolSpec) -> dict[str, Callable[[], Any]]:
    made: dict[str, Callable[[], Any]] = {
        route.name: lambda name=route.name: pool_through(x, spec, name)  # type: ignore[misc]
        for route in routes_for(x, spec)
    }
    return made | {
        "pool": lambda: pk.pool(x, spec),
        "printed": lambda: pk.lower(spec, "numpy", dtype=x.dtype.name)(x),
    }


@pytest.mark.parametrize("dtype", ["f4", "f8", "f2", "i4", "i8", "u2"])
@pytest.mark.parametrize("spec", SPECS, ids=str)
def test_results_are_in_the_machines_byte_order(spec: pk.PoolSpec, dtype: str) -> None:
    x = np.random.default_rng(0).integers(0, 9, (1, 2, 6, 6)).astype(dtype)
    expected = pk.pool(x, spec)
    other = x.astype(x.dtype.newbyteorder(">" if np.little_endian else "<"))

    for name, way in ways(other, spec).items():
        found = way()
        for a, b in zip(*((r if spec.indices else (r,)) for r in (found, expected)), strict=True):
            assert (a.dtype, a.dtype.isnative) == (b.dtype, True), name
            np.testing.assert_array_equal(a, b, err_msg=name)


@pytest.mark.parametrize("dtype", [">f4", "<f4", ">f8", ">i2", "<i8"])
@pytest.mark.parametrize("indices", [">i8", "<i4"])
@pytest.mark.parametrize("met", [False, True])
def test_what_is_put_back_is_in_the_machines_byte_order(dtype: str, indices: str, met: bool) -> None:
    spec = pk.MaxPool(2, layout="NCL", indices=True)
    values, places = pk.pool(np.array([[[1, 5, 4, 2]]], dtype), spec)
    found = pk.unpool(values.astype(dtype), (places * (not met)).astype(indices), spec, 5)

    assert found.dtype.isnative
    assert found.tolist() == ([[[4, 0, 0, 0, 0]]] if met else [[[0, 5, 4, 0, 0]]])
