"""The picture of a spec, and what it costs."""

from __future__ import annotations

import pytest

import poolkit as pk


def test_padding_overhang_and_dilation_are_drawn() -> None:
    spec = pk.PoolSpec("max", window=2, stride=3, dilation=2, padding=((1, 0),), ceil_mode=True, layout="NCL")
    assert spec.explain((1, 1, 6)).splitlines()[2:] == [
        "L: 3 windows of 2, stride 3, dilation 2, padding 1 low and 0 high and 2 of overhang",
        "  window 0  o.#....",
        "  window 1   ..#.#.",
        "  window 2   .....# o",
    ]


def test_bins_and_kept_axes() -> None:
    text = pk.AdaptiveAvgPool((None, 3), layout="NCHW").explain((1, 8, 4, 7))
    assert "H: every cell stays as it is" in text
    assert "W: 3 adaptive bins, bin i from floor(i*7/3) to ceil((i+1)*7/3)" in text
    assert "window 1  ..###..  divided by 3" in text


def test_a_global_pool_without_keepdims() -> None:
    text = pk.GlobalMaxPool(layout="NHWC", keepdims=False).explain((2, 7, 5, 64))
    assert "NHWC (2, 7, 5, 64) -> NC (2, 64)" in text
    assert "H: one window, all 7 cells" in text


def test_long_axes_are_cut() -> None:
    text = pk.MaxPool(2, layout="NCL").explain((1, 1, 100))
    assert "and 38 more" in text
    assert max(map(len, text.splitlines())) < 80


def test_an_overriding_divisor_and_indices() -> None:
    assert "every sum is divided by 7" in pk.AvgPool(2, divisor_override=7, layout="NCL").explain((1, 1, 4))
    assert "and indices of the same shape" in pk.MaxPool(2, indices=True, layout="NCL").explain((1, 1, 4))


@pytest.mark.parametrize(
    ("spec", "shape", "expected"),
    [
        (pk.MaxPool(2, layout="NCL"), (1, 3, 8), (3 * 4 * 1, 4 * (24 + 12), 0)),
        (pk.AvgPool(2, layout="NCL"), (1, 3, 8), (3 * 4 * 2, 4 * (24 + 12), 0)),
        (pk.MaxPool(3, 1, "same", layout="NCL"), (1, 1, 4), (1 + 2 + 2 + 1, 4 * 8, 0)),
        (pk.MaxPool(2, indices=True, layout="NCL"), (1, 3, 8), (12, 4 * 36 + 8 * 12, 0)),
        (pk.PoolSpec("softmax", window=2, layout="NCL"), (1, 1, 4), (18, 4 * 6, 0)),
        (pk.PoolSpec("lp", window=2, layout="NCL"), (1, 1, 4), (12, 4 * 6, 0)),
        (pk.PoolSpec("gem", window=2, layout="NCL"), (1, 1, 4), (14, 4 * 6, 0)),
        (pk.PoolSpec("logsumexp", window=2, layout="NCL"), (1, 1, 4), (16, 4 * 6, 0)),
        (pk.PoolSpec("blur", window=2, layout="NCL"), (1, 1, 4), (8, 4 * 6, 0)),
    ],
)
def test_costs(spec: pk.PoolSpec, shape: tuple[int, ...], expected: tuple[int, int, int]) -> None:
    assert tuple(spec.cost(shape)) == expected


def test_a_cost_in_another_dtype() -> None:
    from poolkit.tools.cost import cost

    assert cost(pk.MaxPool(2, layout="NCL"), (1, 3, 8), "float16").bytes == 2 * 36
    with pytest.raises(pk.DtypeError, match="a cost is counted for float16"):
        cost(pk.MaxPool(2, layout="NCL"), (1, 3, 8), "int8")


@pytest.mark.parametrize(
    ("mode", "holds"),
    [
        ("reflect", "padding holds the cells behind the edge, mirrored"),
        ("replicate", "padding holds the cell at the edge"),
        ("zeros", "padding holds zeros, which count"),
    ],
)
def test_a_blur_says_its_weights_and_what_padding_holds(mode: str, holds: str) -> None:
    text = pk.BlurPool(4, 2, layout="NCL", pad_mode=mode).explain((1, 1, 6))

    assert "L: 3 windows of 4, stride 2, padding 1 low and 2 high, weights 1 3 3 1 over 8" in text
    assert text.endswith(holds)
