"""PyTorch's own fractional maxima: where its windows stand, and where they are taken."""

from __future__ import annotations

import random

import pytest
import torch

import poolkit as pk
from poolkit.running.dispatch import pool_through


@pytest.mark.parametrize("axes", [2, 3])
def test_windows_that_are_spread_stand_where_pytorch_puts_them(axes: int) -> None:
    number = random.Random(axes)
    for _ in range(40):
        sizes = [number.randint(6, 90 // axes) for _ in range(axes)]
        window = [number.randint(1, 5) for _ in sizes]
        outs = [number.randint(1, n - k + 3 - axes) for n, k in zip(sizes, window, strict=True)]  # of three not all
        spec = pk.FractionalMaxPool(window, output_size=outs, layout="NCDHW"[:2] + "DHW"[3 - axes :], indices=True)
        x = torch.randn(2, 3, *sizes)

        own = pool_through(x.clone().requires_grad_(), spec, "spread")
        fold = pool_through(x, spec, "fold")

        assert all(torch.equal(a, b) for a, b in zip(own, fold, strict=True)), (spec, sizes)


def test_it_is_the_call_of_a_gradient_an_export_and_of_what_is_printed() -> None:
    spec = pk.FractionalMaxPool(3, output_size=5, layout="NCHW")
    x = torch.randn(2, 3, 12, 12)

    exported = torch.export.export(spec.layer("torch"), (x,))

    assert [route.name for route in pk.routes(spec, "torch", (2, 3, 12, 12))] == ["spread", "fold"]
    assert "fractional_max_pool2d(x, (3, 3), (5, 5)" in pk.lower(spec, "torch", (2, 3, 12, 12)).source
    assert torch.ops.aten.fractional_max_pool2d.default in [node.target for node in exported.graph.nodes]
