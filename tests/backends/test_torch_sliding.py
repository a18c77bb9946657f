"""Averages of long windows that slide over channels-last maps, with a gradient: PyTorch's own pools of few cells."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch

import poolkit as pk
from poolkit.running.dispatch import pool_through
from poolkit.running.routes import routes_for

LENGTHS = [21, 23, 31, 53, 63, (63, 5), (7, 64)]


@pytest.mark.parametrize("kind", ["avg", "sum"])
@pytest.mark.parametrize("padding", ["same", "valid", 2])
@pytest.mark.parametrize("window", LENGTHS, ids=str)
def test_values_and_gradients_are_those_of_cell_by_cell(window: object, padding: object, kind: str) -> None:
    spec = pk.PoolSpec(kind, window=window, stride=1, padding=padding, layout="NHWC")  # type: ignore[arg-type]
    x = torch.from_numpy(np.random.default_rng(0).random((2, 65, 66, 3)).astype("float32")).requires_grad_()
    routes = [route.name for route in routes_for(x, spec)]
    assert routes[0] == "sliding"
    assert "sliding" not in [route.name for route in routes_for(x.detach(), spec)]
    assert routes_for(x[:0], spec)[0].name != "sliding"

    wide = x.detach().double().requires_grad_()
    found, wanted = pk.pool(x, spec), pool_through(wide, spec, "fold")
    change = torch.randn(found.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(found.double(), wanted, rtol=4e-7, atol=0)
    slopes, exact = (torch.autograd.grad(y, t, change.to(y.dtype))[0] for y, t in ((found, x), (wanted, wide)))
    torch.testing.assert_close(slopes.double(), exact, rtol=1e-5, atol=4e-7 * float(exact.abs().max()))


@pytest.mark.parametrize("window", [21, 31, 49, 63, 64])
def test_equal_cells_keep_to_the_bound(window: int) -> None:
    spec, eps = pk.AvgPool(window, 1, layout="NHWC"), torch.finfo(torch.float32).eps
    x = torch.rand(256, generator=torch.Generator().manual_seed(0)).expand(1, 65, 65, -1).contiguous().requires_grad_()
    found = pool_through(x, spec, "sliding")
    assert ((found - x[:, :1, :1]).abs() <= 4 * eps * x[:, :1, :1]).all()


@pytest.mark.filterwarnings("ignore:.*torch.jit.script:DeprecationWarning")  # PyTorch's own, of its forward mode
def test_forward_mode_and_a_second_gradient_go_through_it() -> None:
    spec = pk.AvgPool(21, 1, "same", layout="NHWC")
    x = torch.rand(1, 24, 24, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()
    pooled: Callable[..., Any] = partial(pk.pool, spec=spec)
    check, check_twice = (getattr(torch.autograd, name) for name in ("gradcheck", "gradgradcheck"))
    assert check(pooled, x, check_forward_ad=True, fast_mode=True)
    assert check_twice(pooled, x, fast_mode=True)
