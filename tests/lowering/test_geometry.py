"""Geometry against loops that follow the definition, and the same geometry on sizes that are symbols."""

from __future__ import annotations

import itertools
import math

import pytest

from poolkit import PoolSpec, ShapeError, lower
from poolkit.lowering.geometry import Axis, axes_of
from poolkit.lowering.shapes import output_shape


def axis(n: int, **fields: object) -> Axis:
    spec = PoolSpec("max", layout="NCL", **fields)  # type: ignore[arg-type]
    return axes_of(spec, 3, lambda at: (n, True))[0]


def starts_in_ceil_mode(n: int, k: int, s: int, r: int, low: int, high: int) -> int:
    """The published rule: round up, and drop what would start in the high padding."""
    span = r * (k - 1) + 1
    count = math.ceil((n + low + high - span) / s) + 1
    while (count - 1) * s >= n + low:
        count -= 1
    return count


@pytest.mark.parametrize("ceil_mode", [False, True])
def test_window_counts_are_the_definitions(ceil_mode: bool) -> None:
    seen = 0
    for n, k, s, r, low, high in itertools.product(
        range(1, 12), (1, 2, 3, 5), (1, 2, 3, 4), (1, 2), (0, 1, 2), (0, 1, 2)
    ):
        span = r * (k - 1) + 1
        floor_count = (n + low + high - span) // s + 1
        expected = starts_in_ceil_mode(n, k, s, r, low, high) if ceil_mode else floor_count
        try:
            made = axis(n, window=k, stride=s, dilation=r, padding=((low, high),), ceil_mode=ceil_mode)
        except ShapeError:
            starts = [o * s - low for o in range(max(expected, 0))]
            assert not starts or any(not any(0 <= start + r * j < n for j in range(k)) for start in starts)
            continue
        seen += 1
        assert made.out == expected
    assert seen > 1000


def test_ceil_mode_drops_a_window_that_starts_in_the_padding() -> None:
    assert axis(9, window=4, stride=4, padding=2, ceil_mode=True).out == 3
    assert axis(4, window=1, stride=2, ceil_mode=True).out == 2


@pytest.mark.parametrize(("n", "k", "s"), list(itertools.product(range(1, 10), (1, 2, 3, 4, 5), (1, 2, 3, 4))))
def test_same_is_the_tensorflow_rule(n: int, k: int, s: int) -> None:
    out = -(-n // s)
    total = max((out - 1) * s + k - n, 0)
    upper, lower = axis(n, window=k, stride=s, padding="same"), axis(n, window=k, stride=s, padding="same_lower")
    assert (upper.out, lower.out) == (out, out)
    assert (upper.low, lower.low) == (total // 2, total - total // 2)


@pytest.mark.parametrize("n", [1, 5, 7, 16, 57])
@pytest.mark.parametrize("o", [2, 3, 7, 13])
def test_adaptive_bins_cover_the_axis(n: int, o: int) -> None:
    made = axis(n, output_size=o)
    if o == n:
        assert made.form == "keep"
        return
    bins = made.bins()
    assert bins == [(math.floor(i * n / o), math.ceil((i + 1) * n / o)) for i in range(o)]
    assert {p for low, high in bins for p in range(low, high)} == set(range(n))


def test_adaptive_bins_are_exact_for_long_axes() -> None:
    """Float32 arithmetic puts 725 of these 1000 windows elsewhere."""
    low, high = axis(960_000, output_size=1000).bins()[999]
    assert (low, high) == (959_040, 960_000)


class Symbol:
    """A size that must not be looked at: it can only be computed with, and read at the end."""

    def __init__(self, value: int) -> None:
        self.value = value

    @staticmethod
    def _read(other: object) -> int:
        return other.value if isinstance(other, Symbol) else other  # type: ignore[return-value]

    def __add__(self, other: object) -> Symbol:
        return Symbol(self.value + self._read(other))

    def __sub__(self, other: object) -> Symbol:
        return Symbol(self.value - self._read(other))

    def __rsub__(self, other: object) -> Symbol:
        return Symbol(self._read(other) - self.value)

    def __mul__(self, other: object) -> Symbol:
        return Symbol(self.value * self._read(other))

    def __floordiv__(self, other: object) -> Symbol:
        return Symbol(self.value // self._read(other))

    def __mod__(self, other: object) -> Symbol:
        return Symbol(self.value % self._read(other))

    __radd__, __rmul__ = __add__, __mul__

    def __bool__(self) -> bool:
        raise AssertionError("a symbol was looked at")

    __eq__ = __lt__ = __gt__ = __le__ = __ge__ = lambda self, other: self.__bool__()  # type: ignore[assignment]
    __hash__ = None  # type: ignore[assignment]


def symbolic_axis(n: int, **fields: object) -> Axis:
    spec = PoolSpec("max", layout="NCL", **fields)  # type: ignore[arg-type]
    return axes_of(spec, 3, lambda at: (Symbol(n), False))[0]


@pytest.mark.parametrize("padding", ["same", "same_lower", "valid", "causal", 1])
def test_symbolic_windows_hold_the_cells_of_known_ones(padding: str | int) -> None:
    """Windows of an unknown size may be padded more, but hold the same real cells in the same order."""
    seen = 0
    for n, k, s, r in itertools.product(range(4, 13), (2, 3, 4), (1, 2, 3, 5), (1, 2)):
        fields: dict[str, object] = {"window": k, "stride": s, "dilation": r, "padding": padding}
        try:
            known = axis(n, **fields)
        except ShapeError:
            continue
        symbolic = symbolic_axis(n, **fields)
        low = Symbol._read(symbolic.low)
        assert not symbolic.lows or low in symbolic.lows
        out = (n + symbolic.total - symbolic.span) // s + 1
        cells = [tuple(o * s - low + r * j for j in range(k)) for o in range(out)]
        assert [tuple(p for p in window if 0 <= p < n) for window in cells] == list(map(tuple, known.ranges()))
        seen += 1
    assert seen > 80


@pytest.mark.parametrize(
    ("spec", "shape", "expected"),
    [
        (PoolSpec("max", window=3, stride=2, padding="same", layout="NHWC"), (None, None, 32, 8), (None, None, 16, 8)),
        (PoolSpec("max", window=3, stride=1, padding="same", layout="NHWC"), (None, None, 32, 8), (None, None, 32, 8)),
        (PoolSpec("avg", output_size=(None, 7), layout="NCHW"), (2, 3, None, None), (2, 3, None, 7)),
        (PoolSpec("avg", output_size=1, layout="NHWC", keepdims=False), (None, None, None, 8), (None, 8)),
        (PoolSpec("avg", output_size=1, layout="channels_last", keepdims=False), (2, 4, 5, 6, 8), (2, 8)),
        (PoolSpec("max", window=2, layout="NTHWC", axes="HW"), (2, 5, 8, 6, 3), (2, 5, 4, 3, 3)),
        (PoolSpec("max", window=2, layout="...HWC"), (7, 2, 5, 8, 6, 3), (7, 2, 5, 4, 3, 3)),
    ],
)
def test_output_shape(spec: PoolSpec, shape: tuple[int | None, ...], expected: tuple[int | None, ...]) -> None:
    assert output_shape(spec, shape) == expected


@pytest.mark.parametrize(
    ("fields", "shape", "text"),
    [
        ({"window": 5}, (1, 1, 4), "spans 5 cells and does not fit axis L of size 4"),
        ({"window": 2, "padding": 3}, (1, 1, 4), "window 0 along axis L of size 4 covers padding only"),
        (
            {"window": 2, "stride": 1, "padding": ((0, 4),)},
            (1, 1, 4),
            "window 6 along axis L of size 4 covers padding only",
        ),
        ({"window": 2, "dilation": 9, "padding": "same", "stride": 1}, (1, 1, 5), "covers padding only"),
        ({"output_size": 1}, (1, 1, 0), "axis L has size 0"),
        ({"window": 2}, (0, 1, 0), "axis L has size 0"),
        ({"window": 2}, (1, 4), "layout NCL describes 3 axes, received an input of rank 2"),
        ({"window": 2}, (1, 1, 1, 4), "layout NCL describes 3 axes, received an input of rank 4"),
    ],
)
def test_shapes_that_do_not_fit(fields: dict[str, object], shape: tuple[int, ...], text: str) -> None:
    with pytest.raises(ShapeError) as caught:
        output_shape(PoolSpec("max", layout="NCL", **fields), shape)  # type: ignore[arg-type]
    assert text in str(caught.value)


@pytest.mark.parametrize(("stride", "high", "refused"), [(1, 3, True), (1, 2, False), (2, 4, True), (2, 3, False)])
def test_what_is_padding_only_for_every_size_is_refused_without_one(stride: int, high: int, refused: bool) -> None:
    """Window 3: with `high` of 3 and stride 2 the last window has a real cell for every other size."""
    spec = PoolSpec("max", window=3, stride=stride, padding=((0, high),), layout="NCL")
    outcomes = set()
    for n in range(1, 9):
        try:
            outcomes.add(len(spec.output_shape((1, 1, n))) == 0)
        except ShapeError:
            outcomes.add(True)

    assert (outcomes == {True}) == refused
    if not refused:
        assert lower(spec, "numpy").source
        return
    with pytest.raises(ShapeError, match="the last window along axis L covers padding only"):
        lower(spec, "numpy")
