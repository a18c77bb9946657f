"""The blurs of antialiased_cnns, read without it, beside convolutions with binomial weights."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional

import poolkit as pk
from poolkit import NotExactError
from poolkit.port.python.source import port_source

MODES = {"reflect": "reflect", "repl": "replicate", "zero": "constant"}


def blurred(x: torch.Tensor, mode: str, size: int, stride: int, off: int) -> torch.Tensor:
    """A convolution of each channel with binomial weights, half a window of padding before it, and `off` more."""
    line = torch.tensor([float(math.comb(size - 1, at)) for at in range(size)], dtype=x.dtype) / 2.0 ** (size - 1)
    rank, sides = x.ndim - 2, [(size - 1) // 2 + off, size // 2 + off]
    weights = line if rank == 1 else line[:, None] * line
    padded = functional.pad(x, sides * rank, mode=MODES[mode])
    run = functional.conv1d if rank == 1 else functional.conv2d
    return run(padded, weights.expand(3, 1, *weights.shape).contiguous(), stride=stride, groups=3)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("size", "stride", "off"), [(1, 2, 0), (2, 2, 0), (3, 2, 1), (4, 3, 1), (7, 1, 2)])
def test_a_blur_has_half_a_window_of_padding(mode: str, size: int, stride: int, off: int) -> None:
    x = torch.randn(2, 3, 11, 14, dtype=torch.float64)
    for name, given in (("BlurPool", x), ("BlurPool1D", x[:, :, 0])):
        spec = pk.read(f"antialiased_cnns.{name}(3, {mode!r}, {size}, {stride}, pad_off={off})")
        torch.testing.assert_close(pk.pool(given, spec), blurred(given, mode, size, stride, off))


def test_their_defaults() -> None:
    sides = ((1, 2), (1, 2))
    assert pk.read("antialiased_cnns.blurpool.BlurPool(64)") == pk.PoolSpec(
        "blur", window=4, stride=2, padding=sides, layout="NCHW"
    )
    assert pk.read("antialiased_cnns.BlurPool1D(64)").window == (3,)


REFUSED = ["64, filt_size=8", "64, 'circular'", "64, filt_size=3, pad_off=2", "64, filt_size=k"]


@pytest.mark.parametrize("given", REFUSED)
def test_blurs_that_no_spec_says(given: str) -> None:
    with pytest.raises(NotExactError, match=r"1 to 7 cells|is none of|beyond the map|is not known"):
        pk.read(f"antialiased_cnns.BlurPool({given})")


def test_a_maximum_with_a_blur_behind_it_is_ported_as_a_chain() -> None:
    source = "import antialiased_cnns\nfrom torch import nn\n\n"
    pool = "pool = nn.Sequential(nn.MaxPool2d(2, 1), antialiased_cnns.BlurPool(64, stride=2))\n"
    ported = port_source(source + pool, "keras")
    assert ported.complete
    assert "pk.Chain((" in ported.text
