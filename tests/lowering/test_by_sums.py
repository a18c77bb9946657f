"""Kinds that are sums, powers and quotients run on an adapter's routes for sums, and give what the fold gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import poolkit as pk
from poolkit.running.dispatch import pool_through
from poolkit.running.routes import routes_for
from poolkit_conformance import runner

GLOBAL: dict[str, Any] = {"layout": "NCL", "output_size": 1, "keepdims": False}
WINDOWS: dict[str, Any] = {"layout": "NCL", "window": 3, "stride": 2, "padding": "same"}
WHOLE = [pk.PoolSpec(kind, **GLOBAL) for kind in ("lp", "gem", "logsumexp", "softmax")]
SLIDING = [
    pk.PoolSpec("lp", **WINDOWS),
    pk.PoolSpec("lp", p=3.0, normalize="mean", **WINDOWS),
    pk.PoolSpec("gem", p=1.5, **WINDOWS),
]
PLAIN = [pk.PoolSpec("lp", p=p, **WINDOWS) for p in (1.0, float("inf"))]
FAR = [1e20, 3e38, 0.0, 0.0, 1e-30, -2e-30, 1e-6, 0.0, 3.0, -4.0, 1e-38, 2.0]


def first(h: Any, spec: Any, x: Any, **tensors: Any) -> str:
    return str(routes_for(x, spec, **tensors)[0].name).split(":")[0]


@pytest.mark.parametrize("backend", ["numpy", "torch", "tensorflow", "jax", "keras"])
def test_the_first_route_is_by_sums(backend: str) -> None:
    h = runner.harness(backend)
    x, mask = h.from_numpy(np.ones((2, 3, 12), "float32")), h.from_numpy(np.ones((2, 12), "bool"))
    p = h.from_numpy(np.ones((), "float32"))
    assert {first(h, spec, x) for spec in WHOLE} == {"relative"}
    assert {first(h, spec, x, mask=mask) for spec in WHOLE} == {"relative"}
    assert first(h, WHOLE[1], x, p=p) == "relative"
    assert {first(h, spec, x) for spec in PLAIN} == {"plain"}
    if backend in ("numpy", "torch", "tensorflow"):
        assert {first(h, spec, x) for spec in SLIDING} == {"wide"}


@pytest.mark.parametrize("ending", [[], [np.inf], [-np.inf], [np.nan]], ids=str)
@pytest.mark.parametrize("spec", [*WHOLE[:2], *SLIDING], ids=str)
@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_cells_that_are_far_apart_are_right_in_every_window(backend: str, spec: Any, ending: list[float]) -> None:
    h, cells = runner.harness(backend), np.array([[[*FAR, *ending]]], "float32")
    x, wanted = h.from_numpy(cells), pool_through(cells.astype("float64"), spec, "fold")
    for route in routes_for(x, spec):
        found = h.to_numpy(pool_through(x, spec, route.name))
        np.testing.assert_allclose(found, wanted.astype("float32"), rtol=1e-6)
