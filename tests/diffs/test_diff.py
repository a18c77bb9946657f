"""`pk.diff` and `poolkit diff`: sentences, sizes, and examples, against what pooling really gives."""

# ruff: noqa: E501  (tables with a case a line)

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import poolkit as pk
from poolkit.diffs.agreeing import agreement, same_at
from poolkit.lowering.geometry import axes_of
from poolkit.spec.kinds import KINDS
from tests.helpers.specs import adaptive, per_axis, specs, spread

GAP = "nn.AdaptiveAvgPool2d(1)"
SAME_MAX = "keras.layers.MaxPooling2D(3, 2, padding='same')"

# A, B, what the sentences must say, the sizes at which they agree
PAIRS = [
    (GAP, "nn.AvgPool2d(1)", ["B is the identity: its windows hold one cell each"], "at 1x1 only"),
    ("nn.AvgPool2d(7, stride=1)", GAP, ["sliding window of 7", "B averages over the whole map"], "at 7x7 only"),
    (SAME_MAX, "nn.MaxPool2d(3, 2, padding=1)", ["A pads 0 low and 1 high at even sizes, B 1 and 1"], "at odd sizes and at 2"),
    ("timm.layers.AvgPool2dSame(3, 2)", "keras.layers.AveragePooling2D(3, 2, padding='same')", ["A counts padding in the average; B does not"], "never"),
    ("timm.layers.AvgPool2dSame(2, 2)", "keras.layers.AveragePooling2D(2, 2, padding='same')", ["A counts padding in the average; B does not"], "at even sizes"),
    ("nn.AvgPool2d(3, 1, 1)", "nn.AvgPool2d(3, 1, 1, count_include_pad=False)", ["A counts padding in the average; B does not"], "never"),
    ("nn.AvgPool2d(3, 2)", "nn.AvgPool2d(3, 2, 1)", ["A pads nothing, B 1 low and 1 high", "A has none"], "never"),
    ("keras.layers.GlobalAveragePooling2D()", GAP, ["A drops the pooled axes, B keeps them"], "at every size"),
    ("nn.MaxPool2d(2)", "nn.MaxPool2d(2, 3)", ["A's stride is 2, B's is 3"], "at sizes 2 and 3"),
    ("nn.MaxPool2d(3, 2)", "nn.MaxPool2d(2, 2)", ["A's window is 3, B's is 2"], "never"),
    ("nn.MaxPool2d((3, 2), 1)", "nn.MaxPool2d((2, 3), 1)", ["A's window is 3x2, B's is 2x3"], "never"),
    ("nn.MaxPool2d(2, 1, dilation=2)", "nn.MaxPool2d(2, 1)", ["A's dilation is 2, B's is 1"], "never"),
    ("nn.MaxPool2d(3, 2)", "nn.MaxPool2d(3, 2, ceil_mode=True)", ["B keeps a last window that overhangs (ceil_mode)"], "at odd sizes"),
    ("nn.MaxPool2d(3)", "nn.AvgPool2d(3)", ["A takes the maximum, B averages"], "never"),
    ("nn.MaxPool2d(2, return_indices=True)", "nn.MaxPool2d(2)", ["A returns indices too, B does not"], "at every size"),
    ("nn.AvgPool2d(2, divisor_override=3)", "nn.AvgPool2d(2)", ["A divides every sum by 3, B by the cells of its window"], "never"),
    ("nn.AdaptiveAvgPool2d(7)", "nn.AdaptiveAvgPool2d(6)", ["A averages over 7 bins"], "never"),
    ("nn.AdaptiveAvgPool2d(7)", "nn.AvgPool2d(32)", ["B averages over a sliding window of 32, with stride 32"], "at 224x224 only"),
    ("nn.MaxPool2d((3, 1), (2, 1), (1, 0))", "max window=3,1 stride=2,1 padding=same layout=NHWC", ["along H, A pads 1 low"], "H: at odd sizes and at 2; W: at every size"),
    ("max window=3 stride=3 padding=same layout=NLC", "nn.MaxPool1d(3, 3, 1)", ["A pads nothing at sizes n = 0 mod 3"], "at sizes n = 1 mod 3 and at 2"),
    ("avg output_size=1 divisor_override=49 layout=NCHW", GAP, ["A divides every sum by 49"], "at 1x49, 7x7, 49x1 only"),
    ("softmax window=2 beta=0 layout=NCL", "softmax window=2 layout=NCL", ["A's beta is 0.0, B's is 1.0"], "never"),
    ("softmax window=2 layout=NCL", "softmax window=2 layout=NCL grad=semi", ["A's grad is exact, B's is semi"], "at every size"),
    ("lp window=2 layout=NCL", "lp window=2 layout=NCL p=3", ["A's p is 2.0, B's is 3.0"], "never"),
    ("lp window=1 layout=NCL", "nn.MaxPool1d(1)", ["B is the identity", "A takes the p-norm"], "never"),
    ("gem window=1 layout=NCL", "gem window=1 layout=NCL eps=0.5", ["A's eps is 1e-06, B's is 0.5"], "never"),
    ("gem window=1 layout=NCL", "nn.MaxPool1d(1)", ["B is the identity", "A takes the generalized mean"], "never"),
    ("logsumexp window=2 layout=NCL", "logsumexp window=2 layout=NCL beta=2", ["A's beta is 1.0, B's is 2.0"], "never"),
    ("lp window=2 layout=NCL", "nn.AvgPool1d(2)", ["A takes the p-norm, B averages"], "never"),
    ("max window=400 stride=160 layout=NCL", "max window=400 stride=160 padding=1 layout=NCL", ["A pads nothing"], "never"),
    ("max window=2 stride=30 padding=same layout=NCL", "max window=2 stride=30 padding=1 layout=NCL", ["A's padding is same, B's is 1 low and 1 high"], "at 1 only"),
    ("max window=1 padding=2 layout=NCL", "max window=1 padding=1 layout=NCL", ["A pads 2 low and 2 high, B 1 and 1"], "never"),
    ("max window=3000 layout=NCL", "max window=3000 stride=1 layout=NCL", ["A's stride is 3000, B's is 1"], "at 3000 only"),
]  # fmt: skip


@pytest.mark.parametrize(("a", "b", "said", "agree"), PAIRS)
def test_what_differs_and_where_not(a: str, b: str, said: list[str], agree: str) -> None:
    found = pk.diff(a, b)
    assert not found.equal
    for words in said:
        assert any(words in sentence for sentence in found.differences), found.differences
    assert found.agree == agree
    back = pk.diff(b, a)
    assert (back.equal, back.agree) == (False, agree)
    assert len(found.differences) == len(back.differences)


# What is equal, and how its two forms are told.
EQUALS = [
    ("nn.MaxPool2d(3, 1, 1)", "keras.layers.MaxPooling2D(3, 1, padding='same')", "A says padding=1 and B says padding=same"),
    ("nn.MaxPool2d(1)", "nn.AvgPool2d(1)", "A says max and B says avg"),
    ("nn.AdaptiveAvgPool2d(None)", "nn.MaxPool2d(1)", "both mean the same here"),
    ("nn.AvgPool2d(2, divisor_override=4)", "nn.AvgPool2d(2)", "A says divisor_override=4; it changes nothing here"),
    ("softmax window=2 beta=0 layout=NCL", "nn.AvgPool1d(2)", "beta=0"),
    ("lp window=1 layout=NCL", "lp window=1 layout=NCL p=3", "B says p=3.0"),
    ("gem window=1 layout=NCL", "gem window=1 layout=NCL p=4", "B says p=4.0"),
    ("logsumexp window=1 layout=NCL", "nn.MaxPool1d(1)", "both mean the same here"),
    ("b h w c -> b 1 1 c, mean", GAP, None),
    ("b (h 2) (w 2) c -> b h w c, max", "nn.MaxPool2d(2)", None),
    ("max window=2 layout=channels_last", "nn.MaxPool3d(2)", None),
    ("x.mean(axis=(1, 2))", "keras.layers.GlobalAveragePooling2D()", None),
]  # fmt: skip


@pytest.mark.parametrize(("a", "b", "said"), EQUALS)
def test_the_same_said_otherwise(a: str, b: str, said: str | None) -> None:
    found = pk.diff(a, b)
    assert found.equal
    assert found.agree == "at every size"
    assert found.cells == ()
    assert found.example is None
    assert (said in found.differences[0]) if said else found.differences == ()
    assert pk.diff(b, a).equal


# ----------------------------------------------------------------------------------------- against pooling itself


@st.composite
def windows(draw: st.DrawFn, kind: str, count: int) -> dict[str, Any]:
    """Small windows, which fit small inputs."""
    fields: dict[str, Any] = {
        "window": draw(per_axis(st.integers(1, 4), count)),
        "stride": draw(per_axis(st.integers(1, 3), count)),
        "dilation": draw(st.sampled_from([1, 1, 1, 2])),
        "padding": draw(st.sampled_from(["valid", "same", "same", "same_lower", "causal", 1, 1, 2])),
    }
    fields["ceil_mode"] = fields["padding"] not in ("same", "same_lower") and draw(st.booleans())
    if kind == "avg":
        fields["count_include_pad"] = draw(st.booleans())
    if KINDS[kind].strips:
        fields["ceil_mode"] = False
        fields["grid"] = draw(st.sampled_from([None, 12]))
    return fields


@st.composite
def pairs(draw: st.DrawFn) -> tuple[pk.PoolSpec, pk.PoolSpec]:
    """Two specs that often agree: one, and itself with up to two fields of another one."""
    count = draw(st.integers(1, 2))
    layout = {1: "L", 2: "HW"}[count]
    made: list[dict[str, Any]] = []
    for _ in range(2):
        kind = draw(st.sampled_from([*sorted(KINDS), "avg", "avg", "avg"]))
        bins = kind not in ("blur", "s3") and draw(st.integers(0, 4)) == 0
        placed = spread(count) if KINDS[kind].spreads else adaptive(count) if bins else windows(kind, count)
        fields = draw(placed)
        fields.pop("keepdims", None)
        if kind == "avg" and draw(st.integers(0, 3)) == 0:
            fields["divisor_override"] = draw(st.integers(1, 4))
        if kind == "softmax":
            fields["beta"] = draw(st.sampled_from([0.0, 1.0, 2.0]))
        made.append({"kind": kind, **fields})
    first, second = made
    mixed = dict(first)
    for name in draw(st.lists(st.sampled_from(sorted(second)), max_size=2)):
        mixed[name] = second[name]
    if "count_include_pad" in first and draw(st.booleans()):
        mixed["count_include_pad"] = not first["count_include_pad"]
    try:
        return pk.PoolSpec(**first, layout=layout), pk.PoolSpec(**mixed, layout=layout)
    except pk.SpecError:
        return pk.PoolSpec(**first, layout=layout), pk.PoolSpec(**second, layout=layout)


def inputs(sizes: tuple[int, ...], seed: int) -> np.ndarray:
    """Random inputs, and for each cell one in which it is the largest and one in which it is the smallest."""
    count = int(np.prod(sizes))
    noise = np.random.default_rng(seed).normal(size=(2 + 2 * count, count))
    noise[2 : 2 + count] += 9 * np.eye(count)
    noise[2 + count :] -= 9 * np.eye(count)
    return noise.reshape(-1, *sizes)


def numbers(spec: pk.PoolSpec, x: np.ndarray) -> np.ndarray | None:
    """What a spec gives for several inputs."""
    try:
        return np.asarray(pk.pool(x, spec.replace(layout=f"...{spec.layout}")))
    except pk.ShapeError:
        return None


def close(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return np.isclose(one, other, rtol=1e-9, atol=1e-11)


def comparable(a: pk.PoolSpec, b: pk.PoolSpec) -> bool:
    """Whether equal numbers have equal windows, which `diff` goes by.

    The lower median of two cells is also their minimum, and the first cell of a window that of a longer one.
    """
    kinds = {a.kind, b.kind}
    return not kinds & {"first", "last"} if len(kinds) == 1 else all(KINDS[k].adds or KINDS[k].weights for k in kinds)


@settings(max_examples=250, deadline=None)
@given(pairs(), st.tuples(st.integers(1, 9), st.integers(1, 9)), st.integers(0, 2**32 - 1))
def test_same_at_is_what_pooling_gives(
    pair: tuple[pk.PoolSpec, pk.PoolSpec], sizes: tuple[int, ...], seed: int
) -> None:
    a, b = pair
    sizes = sizes[: len(a.letters)]
    one, other = (numbers(spec, inputs(sizes, seed)) for spec in pair)
    equal = one is not None and other is not None and one.shape == other.shape and bool(close(one, other).all())
    said = same_at(a, b, sizes)
    assert said == equal or (equal and not comparable(a, b))


@settings(max_examples=150, deadline=None)
@given(pairs(), st.tuples(st.integers(1, 80), st.integers(1, 80)))
def test_the_search_says_what_same_at_says(pair: tuple[pk.PoolSpec, pk.PoolSpec], sizes: tuple[int, ...]) -> None:
    a, b = pair
    sizes = sizes[: len(a.letters)]
    text = agreement(a, b)
    assert agreement(b, a) == text
    if text == "at every size":
        fits = all(numbers(spec, np.zeros((1, *sizes))) is not None for spec in pair)
        assert same_at(a, b, sizes) == fits
    elif text == "never":
        assert not same_at(a, b, sizes)


@settings(max_examples=150, deadline=None)
@given(pairs(), st.tuples(st.integers(1, 9), st.integers(1, 9)))
def test_cells_are_those_that_pooling_gives(pair: tuple[pk.PoolSpec, pk.PoolSpec], sizes: tuple[int, ...]) -> None:
    a, b = pair
    sizes = sizes[: len(a.letters)]
    one, other = (numbers(spec, inputs(sizes, 3)) for spec in pair)
    if one is None or other is None:
        return
    found = pk.diff(a, b, sizes)
    grid = tuple(map(max, zip(one.shape, other.shape, strict=True)))
    wide = [np.full(grid, np.nan) for _ in range(2)]
    for frame, values in zip(wide, (one, other), strict=True):
        frame[tuple(map(slice, values.shape))] = values
    wrong = np.argwhere(~close(wide[0], wide[1]).all(0))
    differing = set(map(tuple, wrong.tolist()))
    assert set(found.cells) == differing or (set(found.cells) > differing and not comparable(a, b))
    assert found.total == np.prod(grid[1:])
    assert found.shapes == (one.shape[1:], other.shape[1:])
    assert (found.example is None) == (not found.cells) or not comparable(a, b)
    if found.example is not None and None not in found.example.values and comparable(a, b):
        assert abs(found.example.values[0] - found.example.values[1]) > 1e-9


def test_standard_deviations_of_single_cells_are_equal_wherever_the_cells_are() -> None:
    a = pk.PoolSpec("std", window=1, layout="HW")
    found = pk.diff(a, a.replace(stride=2), (1, 3))
    assert (found.shapes, found.cells) == (((1, 3), (1, 2)), ((0, 2),))


def test_shares_of_an_axis_say_how_many_there_are() -> None:
    spec = pk.PoolSpec("fractional_max", output_ratio=(0.5,), overlapping=False, layout="channels_first")
    assert pk.diff(spec, spec).equal


@settings(max_examples=100, deadline=None)
@given(specs())
def test_a_spec_equals_itself(spec: pk.PoolSpec) -> None:
    found = pk.diff(spec, spec)
    assert found.equal
    assert found.differences == ()
    assert json.loads(json.dumps(found.to_dict()))["equal"] is True


@settings(max_examples=60, deadline=None)
@given(pairs())
def test_equal_is_symmetric_and_str_says_it(pair: tuple[pk.PoolSpec, pk.PoolSpec]) -> None:
    found, back = pk.diff(*pair), pk.diff(*reversed(pair))
    assert found.equal == back.equal
    assert ("They are equal" in str(found)) == found.equal
    assert bool(found.differences) or found.equal


def test_ranges_are_the_cells() -> None:
    spec = pk.PoolSpec("max", window=3, stride=2, dilation=2, padding=((2, 3),), layout="L")
    for n in range(3, 12):
        (axis,) = axes_of(spec, 1, lambda at, n=n: (n, True))
        naive = [tuple(p for p in (o * 2 - 2, o * 2, o * 2 + 2) if 0 <= p < n) for o in range(axis.out)]
        assert list(map(tuple, axis.ranges())) == naive
        assert [tuple(axis.reach(o)) for o in range(2)] == [(-2, 0, 2), (0, 2, 4)]


def test_a_blur_is_compared_by_its_weights() -> None:
    blur, average = pk.BlurPool(2, 2, "valid", layout="NCL"), pk.AvgPool(2, layout="NCL")
    assert agreement(blur, average) == "at every size"
    assert agreement(pk.BlurPool(3, layout="NCL"), pk.AvgPool(3, 2, 1, layout="NCL")) == "at sizes 2 and 3"
    zeros = pk.BlurPool(3, layout="NCL", pad_mode="zeros")
    assert agreement(zeros, pk.BlurPool(3, layout="NCL")) == "never"
    assert "L 0 0 1, divided by 4" in str(pk.diff(zeros, average, (1, 1, 4)))
