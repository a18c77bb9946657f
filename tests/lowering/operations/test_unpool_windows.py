"""Which indices an unpooling takes for those of their own windows, so that no two of them meet."""

from __future__ import annotations

import dataclasses
import itertools
import math
from typing import Any

import pytest
import torch

import poolkit as pk
from poolkit.running import registry
from poolkit.running.dispatch import plan_of_tensor


@pytest.mark.parametrize(
    ("window", "size"), [((2, 2), (4, 7)), ((3, 2), (7, 5)), ((8, 1), (8, 3)), ((5,), (11,)), ((4, 3, 2), (4, 4, 4))]
)
def test_an_index_is_one_of_its_own_window_where_the_window_holds_it(
    window: tuple[int, ...], size: tuple[int, ...]
) -> None:
    spec = pk.MaxPool(window, layout="NC" + "DHW"[-len(window) :], indices=True)
    adapter, cells = registry.adapter("torch"), math.prod(size)
    values, indices = spec(torch.arange(float(cells)).reshape(1, 1, *size))
    taken: Any = plan_of_tensor(adapter, values, pk.Unpool(spec, size), {"indices": indices})[1]
    plan = dataclasses.replace(taken, way="distinct")
    first = [[j * k for j in range(n // k)] for n, k in zip(size, window, strict=True)]
    for at, start in enumerate(itertools.product(*first)):
        ranges = [range(i, i + k) for i, k in zip(start, window, strict=True)]
        held = [sum(i * math.prod(size[d + 1 :]) for d, i in enumerate(c)) for c in itertools.product(*ranges)]
        for index in range(-1, cells):
            changed = indices.clone()
            changed.view(-1)[at] = index
            assert plan.own(adapter.ops(values.ndim, "float32"), changed) == (index in held), (at, index)


def test_an_index_of_a_map_of_2_to_the_33_cells_is_counted_in_64_bits() -> None:
    shape = (1, 1, 2**16, 2**15)
    plan: Any = plan_of_tensor(
        registry.adapter("torch"),
        torch.empty(shape, dtype=torch.int8, device="meta"),
        pk.Unpool(pk.MaxPool(2, layout="NCHW"), (2**17, 2**16)),
        {"indices": torch.empty(shape, dtype=torch.int64, device="meta")},
    )[1]
    distinct = dataclasses.replace(plan, way="distinct")
    for index in (0, 2**16 + 1, 2, 2**32, 2**32 + 1):
        own = distinct.own(registry.adapter("torch").ops(4, "int8"), torch.full((1, 1, 1, 1), index))
        assert own == (index in (0, 2**16 + 1)), index
