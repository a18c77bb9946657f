"""Kinds that are given all cells of a window: against SciPy's rank filters, and in programs that stay short."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from scipy import ndimage

import poolkit as pk

X = np.random.default_rng(3).integers(-9, 10, (2, 2, 9, 12)).astype("float32")


def filtered(rank: int, k: int) -> Any:
    """SciPy's filter where its window is whole."""
    inside = slice(k // 2, -(k // 2))
    whole: Any = ndimage.rank_filter(X, rank, size=(1, 1, k, k))
    return whole[:, :, inside, inside]


@pytest.mark.parametrize("quantile", [0.0, 0.25, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("k", [3, 5])
def test_quantiles_are_those_of_a_rank_filter(k: int, quantile: float) -> None:
    spec = pk.PoolSpec("median", window=k, stride=1, quantile=quantile, layout="NCHW")
    np.testing.assert_array_equal(pk.pool(X, spec), filtered(int(quantile * (k * k - 1)), k))


def test_a_program_grows_with_the_side_of_a_window() -> None:
    def lines(spec: pk.PoolSpec) -> int:
        return len(pk.lower(spec, "torch", (1, 1, 64, 64)).source.splitlines())

    small, large = (lines(pk.PoolSpec("median", window=k, layout="NCHW")) for k in (3, 15))
    assert large <= small + 2 * 12
    assert lines(pk.PoolSpec("median", output_size=1, layout="NCHW")) <= small


def test_pytorch_exports_a_masked_median_of_any_number_of_cells() -> None:
    """torch.take_along_dim makes the length of the example of one that is not known."""
    spec, cells = pk.PoolSpec("median", output_size=1, layout="NLC"), torch.export.Dim("cells")

    class Masked(torch.nn.Module):
        def forward(self, x: torch.Tensor, mask: torch.Tensor) -> Any:
            return pk.pool(x, spec, mask=mask)

    x = torch.from_numpy(np.random.default_rng(0).standard_normal((2, 9, 3)))
    given = x, x[..., 0] > 0
    exported = torch.export.export(Masked(), given, dynamic_shapes=({1: cells}, {1: cells}), strict=False).module()

    found = exported(x[:, :5], given[1][:, :5])
    np.testing.assert_array_equal(found, pk.pool(x[:, :5].numpy(), spec, mask=given[1][:, :5].numpy()))
