"""Averages to bins of more cells than PyTorch's own pool may add up in a row: within 4 eps, by sums of pieces."""

from __future__ import annotations

import pytest
import torch

import poolkit as pk
from poolkit.running.routes import routes_for

EPS = 2.0**-23


@pytest.mark.parametrize(
    ("layout", "shape", "size"),
    [
        ("NCHW", (1, 2, 1000, 700), 64),
        ("NHWC", (1, 700, 1000, 2), (64, 33)),
        ("CHW", (2, 13, 9000), (None, 64)),
        ("NCHW", (1, 2, 900, 130), (7, 1)),
        ("NCL", (1, 2, 30000), 64),
        ("NLC", (1, 30000, 3), 7),
    ],
)
def test_long_bins_are_within_4_eps_of_equal_cells(
    layout: str, shape: tuple[int, ...], size: int | tuple[int | None, ...]
) -> None:
    spec = pk.PoolSpec("avg", output_size=size, layout=layout)
    for cell in (1.1, 0.7, 0.3):
        x = torch.full(shape, cell, requires_grad=True)
        assert routes_for(x, spec)[0].name == "pieces"
        y = pk.pool(x, spec)
        torch.testing.assert_close(y, torch.full_like(y, cell), rtol=4 * EPS, atol=0)
        torch.testing.assert_close(*gradients(spec, x), rtol=4 * EPS, atol=0)


def gradients(spec: pk.PoolSpec, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """In float32, and rounded to it at the end."""
    wide = x.detach().double().requires_grad_()
    found = torch.autograd.grad(pk.pool(x, spec).sum(), x)[0]
    return found, torch.autograd.grad(pk.pool(wide, spec).sum(), wide)[0].float()


def test_a_piece_that_two_bins_share_is_in_both() -> None:
    x = torch.zeros(1, 1, 31, 23)
    x[0, 0, 15] = torch.inf  # in the middle of 31 rows, where two bins of 16 have an end
    spec = pk.AdaptiveAvgPool((2, 1), layout="NCHW")
    assert pk.pool(x, spec).isinf().tolist() == [[[[True], [True]]]]
    x[0, 0, 15] = 0.0
    x[0, 0, 14] = torch.nan
    assert pk.pool(x, spec).isnan().tolist() == [[[[True], [False]]]]
    assert pk.pool(x[:0], spec).shape == (0, 1, 2, 1)


def test_more_bins_than_a_program_has_lines_for_take_another_route() -> None:
    for size, name in ((64, "pieces"), (65, "wide")):
        assert routes_for(torch.zeros(1, 1, 1500, 1500), pk.AdaptiveAvgPool(size, layout="NCHW"))[0].name == name
