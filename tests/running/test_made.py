"""What a function makes of its arguments is made once, of the same arguments alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import poolkit as pk
from poolkit.running.made import made
from poolkit.spec.pool_spec import PoolSpec

ROWS, IDS = torch.tensor([[1.0], [2.0], [4.0]]), torch.tensor([0, 0, 1])


def test_one_operation_serves_the_same_arguments() -> None:
    first = made(ROWS, pk.Segment, "sum", 3)
    assert made(np.ones((2, 2)), pk.Segment, "sum", 3) is first
    assert made(ROWS, pk.Segment, "sum", 4) is not first
    pool = pk.MaxPool(2, layout="NCL", indices=True)
    assert made(ROWS, pk.Unpool, pool, (4,)) is made(ROWS, pk.Unpool, PoolSpec(**vars_of(pool)), (4,))
    assert made(ROWS, pk.Unpool, pool, [4]) is not made(ROWS, pk.Unpool, pool, [4])  # which has no hash


def vars_of(spec: PoolSpec) -> dict[str, Any]:
    return {"kind": "max", "window": spec.window, "layout": spec.layout, "indices": True}


@pytest.mark.parametrize("number", [True, 2.5, "2", None, [2]])
def test_an_argument_that_equals_a_right_one_is_as_wrong_as_before(number: Any) -> None:
    pk.segment(ROWS, IDS, 1)
    pk.segment(ROWS, IDS, 2)
    with pytest.raises(pk.SpecError, match="num_segments"):
        pk.segment(ROWS, IDS, number)


def test_segments_and_unpools_of_the_same_arguments_are_compiled() -> None:
    def both(x: torch.Tensor) -> Any:
        values, indices = torch.nn.functional.max_pool1d(x, 2, return_indices=True)
        pool = pk.MaxPool(2, layout="NCL", indices=True)
        return pk.segment(x[0], torch.tensor([0, 0, 1]), 2), pk.unpool(values, indices, pool, 4)

    x = torch.arange(12.0).reshape(1, 3, 4)
    for _ in range(2):
        found = torch.compile(both, backend="eager", fullgraph=True)(x)
        torch.testing.assert_close(found, both(x))
        torch.compiler.reset()
