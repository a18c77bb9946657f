"""What docs/semantics.md (6, 8) says of sums that overflow and of maps without a cell, on every framework."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import poolkit as pk
from poolkit_conformance import compare, expect, oracle
from poolkit_conformance.runner import harness

BACKENDS = ("numpy", "torch", "tensorflow", "keras", "jax")
WINDOWS: list[dict[str, Any]] = [
    {"window": 2},
    {"window": 4, "stride": 1},
    {"output_size": 1},
    {"output_size": 3},
    {"window": 3, "padding": "same"},
]
MOST = float(np.finfo("float32").max)
HUGE = {
    "one sign": [3e38] * 25,
    "both signs": [3e38, 3e38, -3e38, -3e38, 1.0] * 5,
    "below 0 only": [1.0, -3e38, -3e38, 2.0, -3e38] * 5,
    "as much as there may be": [3e38, 1.0, -3e38, 1e37, -2.0] + [0.5] * 20,
}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize("fields", WINDOWS, ids=str)
@pytest.mark.parametrize("kind", ["avg", "sum", "softmax"])
def test_where_partial_sums_overflow(kind: str, fields: dict[str, Any], layout: str, backend: str) -> None:
    h = harness(backend)
    spec = pk.PoolSpec(kind, layout=layout, **fields)
    for name, cells in HUGE.items():
        x = np.array(cells, "float32").reshape((1, 1, 5, 5) if layout == "NCHW" else (1, 5, 5, 1))
        expected = expect.quietly(oracle.answer, spec, x)

        with np.errstate(over="ignore", invalid="ignore"):  # NumPy warns of it
            found = h.to_numpy(pk.pool(h.from_numpy(x), spec))

        compare.same_values(f"{backend}, {name}", "values", spec, found, expected)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("lost", [-MOST, -np.inf], ids=["smallest", "-inf"])
@pytest.mark.parametrize("fields", [{"output_size": 1}, {"window": 3}, {"window": 5}, {"output_size": 2}], ids=str)
def test_a_softmax_leaves_out_what_is_masked_by_a_number(fields: dict[str, Any], lost: float, backend: str) -> None:
    h = harness(backend)
    spec = pk.PoolSpec("softmax", layout="NCL", **fields)
    x = np.array([[[lost, lost, 1.0, lost, 1.0, lost, lost]]], "float32")

    with np.errstate(over="ignore", invalid="ignore"):
        found = h.to_numpy(pk.pool(h.from_numpy(x), spec))

    np.testing.assert_array_equal(found, np.ones_like(found))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("kind", ["avg", "sum", "max", "min", "softmax"])
def test_an_axis_that_none_keeps_may_be_empty(kind: str, backend: str) -> None:
    h = harness(backend)
    spec = pk.PoolSpec(kind, output_size=(3, None, 2), layout="NCDHW")
    x = h.from_numpy(np.zeros((2, 3, 6, 0, 4), "float32"))

    assert spec.output_shape((2, 3, 6, 0, 4)) == (2, 3, 3, 0, 2)
    assert tuple(pk.pool(x, spec).shape) == (2, 3, 3, 0, 2)


def test_pytorchs_own_max_pool_of_every_size_refuses_a_map_without_channels() -> None:
    import torch

    spec = pk.AdaptiveMaxPool(3, layout="NCHW")
    x = torch.zeros(2, 0, 7, 8)

    assert pk.pool(x, spec).shape == (2, 0, 3, 3)
    assert pk.pool(x, spec, mask=torch.ones(2, 7, 8)).shape == (2, 0, 3, 3)
    with pytest.raises(RuntimeError, match="non-zero size for non-batch dimensions"):
        pk.lower(spec, "torch")(x)
