"""kornia's blurs, read without it, beside convolutions with binomial weights; and ports of maxima with blurs behind."""

from __future__ import annotations

import math

import pytest
import torch

import poolkit as pk
from poolkit import NotExactError
from poolkit.port.python.source import port_source


def weights(size: int) -> torch.Tensor:
    """Binomial weights of a square, which add up to 1."""
    line = torch.tensor([float(math.comb(size - 1, at)) for at in range(size)], dtype=torch.float64)
    return (line[:, None] * line / 4.0 ** (size - 1)).expand(3, 1, size, size)


@pytest.mark.parametrize(("size", "stride", "top"), [(3, 2, 2), (5, 1, 3), (4, 3, 1), (2, 2, 2)])
def test_a_blur_of_kornia_is_padded_with_zeros(size: int, stride: int, top: int) -> None:
    x = torch.randn(2, 3, 11, 14, dtype=torch.float64)
    largest = torch.nn.functional.max_pool2d(x, top, 1)

    def blurred(x: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.conv2d(x, weights(size), None, stride, (size - 1) // 2, groups=3)

    blur = pk.read(f"kornia.filters.blur_pool2d(x, {size}, {stride})")
    torch.testing.assert_close(pk.pool(x, blur), blurred(x))
    both = pk.read(f"kornia.filters.max_blur_pool2d(x, {size}, {stride}, {top}, ceil_mode=True)")
    torch.testing.assert_close(pk.pool(x, both), blurred(largest))
    assert pk.read(f"kornia.filters.BlurPool2D(({size}, {size}), {stride})") == blur
    assert pk.read(f"kornia.filters.blur_pool.MaxBlurPool2D({size}, {stride}, {top})") == both


def test_a_layer_of_kornia_in_hand() -> None:
    made = type("MaxBlurPool2D", (), {"__module__": "kornia.filters.blur_pool"})()  # kornia is not installed here
    made.kernel_size, made.stride, made.max_pool_size, made.ceil_mode = 3, 2, 2, False
    assert pk.read(made) == pk.read("kornia.filters.max_blur_pool2d(x, 3)")


@pytest.mark.parametrize("source", ["BlurPool2D(9)", "BlurPool2D((3, 5))", "MaxBlurPool2D(3, 2, k)"])
def test_blurs_of_kornia_that_no_spec_says(source: str) -> None:
    with pytest.raises(NotExactError, match=r"windows of 1 to 7 cells|mend the call|max_pool_size=k is not known"):
        pk.read(f"kornia.filters.{source}")
    with pytest.raises(NotExactError, match="by a mask of edges"):
        pk.read("kornia.filters.edge_aware_blur_pool2d(x, 3)")


PORTED = """
from kornia.filters import max_blur_pool2d
from timm.layers import BlurPool2d
from torch import nn

pool = nn.Sequential(nn.MaxPool2d(3, 1, 1), BlurPool2d(64))
y = max_blur_pool2d(pool(x), 3)
"""


@pytest.mark.parametrize("to", ["keras", "jax"])
def test_blurs_are_ported_as_chains(to: str) -> None:
    ported = port_source(PORTED, to)
    assert ported.complete
    assert ported.text.count("pk.Chain((") == 2
    assert [row.status for row in ported.rows] == ["exact"] * 2
