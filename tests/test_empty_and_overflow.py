"""What docs/semantics.md (6, 8) says of sums that overflow and of maps without a cell, on every framework."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import poolkit as pk
from poolkit_conformance.runner import harness

BACKENDS = ("numpy", "torch", "tensorflow", "keras", "jax")
WINDOWS: list[dict[str, Any]] = [
    {"window": 2},
    {"output_size": 1},
    {"output_size": 3},
    {"window": 3, "padding": "same"},
]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("fields", WINDOWS, ids=str)
def test_an_average_whose_sum_overflows_is_infinite_or_right(fields: dict[str, Any], backend: str) -> None:
    h = harness(backend)
    x = np.full((1, 2, 5, 5), 3e38, "float32")

    with np.errstate(over="ignore"):  # NumPy warns of it
        found = h.to_numpy(pk.pool(h.from_numpy(x), pk.PoolSpec("avg", layout="NCHW", **fields)))

    assert np.all(np.isposinf(found) | (found == x[0, 0, 0, 0]))


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
    with pytest.raises(RuntimeError, match="non-zero size for non-batch dimensions"):
        pk.lower(spec, "torch")(x)
