"""Of what is vast PyTorch's own calls come before routes that copy it, which take up to 3.5 times their memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
import torch
from torch.nn.functional import adaptive_avg_pool2d, avg_pool2d, max_pool2d

import poolkit as pk
import poolkit_torch.adapter as adapter
from benchmarks.memory import peak
from poolkit.running import dispatch
from poolkit.running.routes import routes_for

Pool = Callable[[torch.Tensor], torch.Tensor]
SHAPE = (1, 128, 28, 28)
CASES: tuple[tuple[pk.PoolSpec, Pool, bool], ...] = (
    (pk.AvgPool(3, 1, 1, layout="NCHW"), lambda x: avg_pool2d(x, 3, 1, 1, count_include_pad=False), False),
    (pk.AvgPool(3, 1, 1, layout="NCHW"), lambda x: avg_pool2d(x, 3, 1, 1, count_include_pad=False), True),
    (pk.MaxPool(5, 1, 2, layout="NCHW"), lambda x: max_pool2d(x, 5, 1, 2), False),
    (pk.MaxPool(5, 1, 2, layout="NCHW"), lambda x: max_pool2d(x, 5, 1, 2), True),
    (pk.AdaptiveAvgPool(14, layout="NCHW"), lambda x: adaptive_avg_pool2d(x, 14), False),
)


@pytest.fixture(autouse=True)
def _anew() -> Iterator[None]:
    dispatch.forget()
    yield
    dispatch.forget()


def call(pool: Pool, x: torch.Tensor) -> Callable[[], Any]:
    return lambda: torch.autograd.grad(pool(x).sum(), x) if x.requires_grad else pool(x)


@pytest.mark.parametrize(("spec", "own", "derivative"), CASES)
def test_a_vast_input_takes_the_memory_of_the_own_call(
    spec: pk.PoolSpec, own: Pool, derivative: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    x = torch.rand(SHAPE, generator=torch.Generator().manual_seed(0), requires_grad=derivative)
    before, y = routes_for(x, spec)[0], pk.pool(x, spec)
    monkeypatch.setattr(adapter, "VAST", x.numel())
    dispatch.forget()
    assert (before.copies, routes_for(x, spec)[0].copies) == (True, False)
    torch.testing.assert_close(pk.pool(x, spec), y, rtol=1e-6, atol=1e-6)
    mine, other = (x.nbytes + peak(call(pool, x)) for pool in (partial(pk.pool, spec=spec), own))
    assert mine <= 1.2 * other
