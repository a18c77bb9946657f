"""`pk.diff` and `poolkit diff`: sentences, sizes, and examples, against what pooling really gives."""

# ruff: noqa: E501  (tables with a case a line)

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

import poolkit as pk
from poolkit.commands import poolkit
from poolkit.diffs import trial
from poolkit.diffs.agreeing import agreement, aligned, one_axis, plain, same_at, states
from poolkit.diffs.wording import axis_text, sizes_text
from poolkit.geometry import axes_of
from poolkit.kinds import KINDS
from tests.specs import adaptive, per_axis, specs
from tests.support import python

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
    ("b h w c -> b 1 1 c, mean", GAP, None),
    ("b (h 2) (w 2) c -> b h w c, max", "nn.MaxPool2d(2)", None),
    ("max window=2 layout=channels_last", "nn.MaxPool3d(2)", None),
    ("x.mean((1, 2))", "keras.layers.GlobalAveragePooling2D()", None),
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
    return fields


@st.composite
def pairs(draw: st.DrawFn) -> tuple[pk.PoolSpec, pk.PoolSpec]:
    """Two specs that often agree: one, and itself with up to two fields of another one."""
    count = draw(st.integers(1, 2))
    layout = {1: "L", 2: "HW"}[count]
    made: list[dict[str, Any]] = []
    for _ in range(2):
        kind = draw(st.sampled_from([*sorted(KINDS), "avg", "avg", "avg"]))
        fields = draw(adaptive(count) if draw(st.integers(0, 4)) == 0 else windows(kind, count))
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


@settings(max_examples=250, deadline=None)
@given(pairs(), st.tuples(st.integers(1, 9), st.integers(1, 9)), st.integers(0, 2**32 - 1))
def test_same_at_is_what_pooling_gives(
    pair: tuple[pk.PoolSpec, pk.PoolSpec], sizes: tuple[int, ...], seed: int
) -> None:
    a, b = pair
    sizes = sizes[: len(a.letters)]
    one, other = (numbers(spec, inputs(sizes, seed)) for spec in pair)
    equal = one is not None and other is not None and one.shape == other.shape and bool(close(one, other).all())
    assert same_at(a, b, sizes) == equal


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
    assert found.cells == tuple(map(tuple, wrong.tolist()))
    assert found.total == np.prod(grid[1:])
    assert found.shapes == (one.shape[1:], other.shape[1:])
    assert (found.example is None) == (not found.cells)
    if found.example is not None and None not in found.example.values:
        assert abs(found.example.values[0] - found.example.values[1]) > 1e-9


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
        assert axis.cells() == naive
        assert [tuple(axis.reach(o)) for o in range(2)] == [(-2, 0, 2), (0, 2, 4)]


# -------------------------------------------------------------------------------------------------- the example


def test_an_example_is_what_pooling_gives() -> None:
    found = pk.diff(SAME_MAX, "nn.MaxPool2d(3, 2, padding=1)", (2, 6, 6, 5))
    assert found.shape == (2, 6, 6, 5)
    assert found.shapes == ((2, 3, 3, 5), (2, 5, 3, 3))
    assert found.example is not None
    assert found.example.position == (0, 0)
    a, b = found.example.windows
    assert a is not None
    assert b is not None
    assert (a.cells, b.cells) == (((0, 1, 2), (0, 1, 2)), ((0, 1), (0, 1)))
    assert found.example.values == (14.0, 7.0)
    x = np.arange(36.0).reshape(1, 1, 6, 6)
    assert pk.pool(x, pk.read("nn.MaxPool2d(3, 2, padding=1)"))[0, 0, 0, 0] == 7.0


def test_an_example_has_values_that_differ_even_where_means_of_counted_cells_do_not() -> None:
    found = pk.diff("avg window=1 stride=1 layout=NCL", "avg window=3 padding=1 stride=1 layout=NCL", (1, 1, 9))
    assert found.example is not None
    assert found.example.values[0] != found.example.values[1]
    centre = pk.diff("avg window=5 stride=9 layout=NCL", "avg window=3 stride=9 padding=0 layout=NCL", (1, 1, 9))
    assert centre.example is not None
    assert centre.example.fill == "0, 1, 2, ..."


def test_a_maximum_that_a_rising_input_hides_is_shown_on_a_falling_one() -> None:
    found = pk.diff("max window=3 stride=2 padding=1:1, layout=NCL", "max window=2 stride=2 layout=NCL", (1, 1, 4))
    assert found.cells == ((1,),)
    assert found.example is not None
    assert found.example.fill == "..., 2, 1, 0"
    assert found.example.values == (2.0, 1.0)


@pytest.mark.parametrize(
    ("a", "b", "fill", "values"),
    [
        ("max window=3 dilation=2 layout=L", "max window=5 layout=L", "1 at (1,) and 0 elsewhere", (0.0, 1.0)),
        ("min window=3 dilation=2 layout=L", "min window=5 layout=L", "-1 at (1,) and 0 elsewhere", (0.0, -1.0)),
        ("max window=2 dilation=4 layout=L", "sum window=2 dilation=4 layout=L", "1 everywhere", (1.0, 2.0)),
    ],
)
def test_windows_that_counting_does_not_tell_apart(a: str, b: str, fill: str, values: tuple[float, float]) -> None:
    example = pk.diff(a, b, (5,)).example
    assert example is not None
    assert (example.fill, example.values) == (fill, values)


def test_a_cell_that_only_one_has() -> None:
    found = pk.diff("nn.MaxPool2d(3, 2)", "nn.MaxPool2d(3, 2, ceil_mode=True)", (1, 1, 5, 6))
    assert found.cells == ((0, 2), (1, 2))
    assert found.example is not None
    assert (found.example.windows[0], found.example.values[0]) == (None, None)
    assert "A has no such cell" in str(found)


def test_a_shape_that_one_does_not_fit() -> None:
    found = pk.diff("nn.AvgPool2d(7, stride=1)", GAP, (1, 8, 4, 4))
    assert found.shapes == (None, (1, 8, 1, 1))
    assert any("A does not fit: a window of 7" in note for note in found.notes)
    with pytest.raises(pk.ShapeError, match="spans 7 cells"):
        pk.diff("nn.AvgPool2d(7, stride=1)", "nn.AvgPool2d(7)", (1, 8, 4, 4))


def test_without_numpy_there_is_no_example_and_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trial, "has_numpy", lambda: False)
    found = pk.diff(SAME_MAX, "nn.MaxPool2d(3, 2, padding=1)")
    assert found.example is None
    assert len(found.cells) == 4
    assert any("NumPy is not installed" in note for note in found.notes)
    assert "NumPy is not installed" in str(found)


# --------------------------------------------------------------------------------------------- what can be compared


def test_layers_in_hand_and_what_their_framework_adds() -> None:
    import keras
    import torch

    found = pk.diff(torch.nn.MaxPool2d(3, 2, 1), keras.layers.MaxPooling2D(3, 2, padding="same"))
    assert found.agree == "at odd sizes and at 2"
    assert found.given[0].startswith("torch.nn.MaxPool2d(")
    for caveat in pk.caveats(pk.read(torch.nn.MaxPool2d(3, 2, 1)), "torch"):
        assert f"A (torch: {caveat})" in found.notes
    assert not any("torch: " in note for note in pk.diff("max window=2 layout=NCL", "max window=3 layout=NCL").notes)


def test_caveats_of_a_framework_are_notes(monkeypatch: pytest.MonkeyPatch) -> None:
    from poolkit.diffs import operands

    monkeypatch.setattr(operands, "caveats", lambda spec, name: ("loses NaN",) if name == "keras" else ())
    found = pk.diff(SAME_MAX, "nn.MaxPool2d(3, 2, padding=1)")
    assert "A (keras: loses NaN)" in found.notes
    assert sum("loses NaN" in note for note in found.notes) == 1


def test_layouts_that_no_line_of_source_tells() -> None:
    assert pk.diff(("b h w c -> b 1 1 c", "mean"), GAP).equal
    assert pk.diff("x.mean((2, 3))", "x.mean((1, 2))", layout=("NCHW", "NHWC")).equal
    assert pk.diff("x.mean((1, 2))", "x.mean((1, 2))", layout="NHWC").specs[0].layout == "NHWC"
    symbolic = pk.PoolSpec("max", window=2, layout="channels_first")
    assert pk.diff(symbolic, symbolic, (1, 1, 4, 4, 4)).shapes[0] == (1, 1, 2, 2, 2)
    unbatched = pk.diff("max window=2 layout=CHW", "max window=2 layout=...NHWC", (3, 4, 4))
    assert unbatched.shapes == ((3, 2, 2), (1, 2, 2, 3))


def test_agreement_and_same_at_of_specs() -> None:
    window, gap = pk.AvgPool(7, 1, layout="NHWC"), pk.GlobalAvgPool(layout="NCHW", keepdims=False)
    assert agreement(window, gap) == "at 7x7 only"
    assert [same_at(window, gap, (n, m)) for n, m in ((7, 7), (7, 8), (6, 7))] == [True, False, False]
    with pytest.raises(pk.InputError, match="2 spatial axes; give one size for each"):
        same_at(window, gap, (7,))
    assert states(one_axis(plain(window, 2), 0), one_axis(plain(gap, 2), 0))[6] == 1
    assert [spec.layout for spec in aligned(window, gap)] == ["HW", "HW"]


def test_words_for_sizes() -> None:
    odd = [n % 2 == 1 for n in range(1, 65)]
    assert axis_text(odd) == "at odd sizes"
    assert axis_text([False, False, *odd[2:]]) == "at odd sizes from 3"
    assert axis_text([None, None, *odd[2:]]) == "at odd sizes"
    assert axis_text([n >= 3 for n in range(1, 65)]) == "at sizes from 3"
    assert axis_text([n in (3, 5) for n in range(1, 65)]) == "at sizes 3 and 5"
    assert axis_text([n in range(1, 6) for n in range(1, 65)]) == "at sizes up to 5"
    assert axis_text([n in range(10, 20) for n in range(1, 65)]) == "at sizes from 10 to 19"
    assert (
        axis_text([n in range(10, 40, 3) for n in range(1, 65)])
        == "at sizes 10, 13, 16, 19, 22, 25 and 4 more up to 37"
    )
    assert axis_text([False] * 64) == "never"
    assert sizes_text([odd, [True] * 64], "HW") == "H: at odd sizes; W: at every size"


# ------------------------------------------------------------------------------------------------------- composites

AVGMAX = "timm.layers.SelectAdaptivePool2d(pool_type='avgmax')"
CAT = "timm.layers.SelectAdaptivePool2d(pool_type='catavgmax')"


def test_composites_part_by_part() -> None:
    mixed = pk.diff(AVGMAX, GAP)
    assert mixed.differences == (
        "A adds 0.5 times (avg output_size=1), B 1 times",
        "A adds 0.5 times (max output_size=1); B does not",
    )
    assert (mixed.equal, mixed.agree, mixed.cells) == (False, "at 1x1 only", ((0, 0),))
    assert mixed.example is not None
    assert mixed.example.values == (11.25, 7.5)
    side = pk.diff(CAT, GAP)
    assert side.differences == ("A puts 2 pools side by side along the channels; B gives one number for each",)
    assert (side.agree, side.shapes) == ("never", ((1, 2, 1, 1), (1, 1, 1, 1)))
    assert pk.diff(CAT, CAT.replace("'catavgmax'", "'catavgmax', input_fmt='NHWC'")).equal
    assert "composite" not in str(pk.diff(AVGMAX, AVGMAX).differences)


def test_composites_that_are_the_same() -> None:
    a, b = pk.AvgPool(3, 1, 1, layout="NCHW"), pk.MaxPool(3, 1, 1, layout="NCHW")
    assert pk.diff(pk.Mix((a, b), how="add"), pk.Mix((b, a), how="add")).equal
    assert pk.diff(pk.Mix((a, a), how="add"), a).equal
    assert not pk.diff(pk.Mix((a, b), how="cat"), pk.Mix((b, a), how="cat")).equal
    padded = pk.diff(pk.Mix((a, b), how="cat"), pk.Mix((a, b.replace(window=5, padding=2)), how="cat"), (1, 1, 5, 5))
    assert padded.differences == ("part 2: A's window is 3, B's is 5", "part 2: A pads 1 low and 1 high, B 2 and 2")
    assert padded.agree == "part 1 at every size; part 2 at sizes 1 and 2"


# ---------------------------------------------------------------------------------------------------- command line


def run(*arguments: str) -> Result:
    return CliRunner().invoke(poolkit, ["diff", *arguments], catch_exceptions=False)


IDENTITY = """\
A: nn.AdaptiveAvgPool2d(1)  =  avg output_size=1 layout=NCHW keepdims=true
B: nn.AvgPool2d(1)  =  avg window=1 layout=NCHW

They differ:
  B is the identity: its windows hold one cell each
  A averages over the whole map, whatever its size
They give the same numbers at 1x1 only.

An input of A of shape (1, 1, 4, 4) becomes (1, 1, 1, 1) with A and (1, 1, 4, 4) with B; 16 of 16 output cells differ.

For example, output cell (0, 0) of an input that holds 0, 1, 2, ...:
  A gives 7.5, from H 0-3, W 0-3, divided by 16
  B gives 0, from H 0, W 0, divided by 1
along H, output cell 0
  input  0 1 2 3
  A      # # # #  counts 4
  B      #        counts 1
"""

PADS = """\
A: keras.layers.MaxPooling2D(3, 2, padding='same')  =  max window=3 stride=2 padding=same layout=NHWC
B: nn.MaxPool2d(3, 2, padding=1)  =  max window=3 stride=2 padding=1 layout=NCHW

They differ:
  A pads 0 low and 1 high at even sizes, B 1 and 1
They give the same numbers at odd sizes and at 2.

An input of A of shape (1, 4, 4, 1) becomes (1, 2, 2, 1) with A and (1, 1, 2, 2) with B; 4 of 4 output cells differ.

For example, output cell (0, 0) of an input that holds 0, 1, 2, ...:
  A gives 10, from H 0-2, W 0-2
  B gives 5, from H 0-1, W 0-1
along H, output cell 0
  input    0 1 2 3
  A        # # #
  B      . # #
"""

COUNTS = """\
A: timm.layers.AvgPool2dSame(2, 2)  =  avg window=2 padding=same layout=NCHW count_include_pad=true
B: keras.layers.AveragePooling2D(2, 2, padding='same')  =  avg window=2 padding=same layout=NHWC

They differ:
  A counts padding in the average; B does not
They give the same numbers at even sizes.

An input of A of shape (1, 1, 5, 5) becomes (1, 1, 3, 3) with A and (1, 3, 3, 1) with B; 5 of 9 output cells differ: (0, 2), (1, 2), (2, 0), (2, 1), (2, 2).

For example, output cell (0, 2) of an input that holds 0, 1, 2, ...:
  A gives 3.25, from H 0-1, W 4, divided by 4
  B gives 6.5, from H 0-1, W 4, divided by 2
along W, output cell 2
  input  0 1 2 3 4
  A              # .  counts 2
  B              # .  counts 1
"""

GOLDEN = [
    (GAP, "nn.AvgPool2d(1)", IDENTITY),
    (SAME_MAX, "nn.MaxPool2d(3, 2, padding=1)", PADS),
    ("timm.layers.AvgPool2dSame(2, 2)", "keras.layers.AveragePooling2D(2, 2, padding='same')", COUNTS),
]


@pytest.mark.parametrize(("a", "b", "printed"), GOLDEN, ids=["identity", "padding", "counts"])
def test_what_the_terminal_shows(a: str, b: str, printed: str) -> None:
    result = run(a, b)
    assert result.exit_code == 1
    assert result.output.split("\nnote: ")[0].rstrip("\n") == printed.rstrip("\n")


def test_exit_codes_and_json() -> None:
    same = run("nn.MaxPool2d(3, 1, 1)", "max window=3 stride=1 padding=same layout=NHWC")
    assert (same.exit_code, "They are equal" in same.output) == (0, True)
    found = run(GAP, "nn.AvgPool2d(1)", "--shape", "2,8,6,6", "--json")
    facts = json.loads(found.output)
    assert (found.exit_code, facts["equal"], facts["agree"]) == (1, False, "at 1x1 only")
    assert facts["shapes"] == [[2, 8, 1, 1], [2, 8, 6, 6]]
    assert facts["cells"]["differ"] == facts["cells"]["of"] == 36
    assert facts["example"]["values"] == [17.5, 0.0]
    assert facts["a"] == {"given": GAP, "spec": pk.read(GAP).to_dict()}
    assert run("x.mean((1, 2))", "x.mean((2, 3))", "--layout", "NHWC,NCHW").exit_code == 0
    assert run("x.mean((1, 2))", "x.mean((1, 2))", "--layout", "NHWC").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("nn.AvgPool2d(3)", "nn.AvgPool1d(3)"), "InputError: received A (nn.AvgPool2d(3)) and B (nn.AvgPool1d(3)), whose inputs have 2 and 1"),
        (("nn.AvgPool2d(3)", "nn.Conv2d(3)"), "NotExactError"),
        (("nn.AvgPool2d(3)", "nn.AvgPool2d(k)"), "window=k is not known"),
        (("nn.AvgPool2d(3)", "nonsense"), "SpecError"),
        (("nn.AvgPool2d(3)", "nn.AvgPool2d(3"), "InputError"),
        (("nn.AvgPool2d(3)", "b h w c -> b 1 1 c"), "einops reduces by mean"),
        (("nn.AvgPool2d(3)", GAP, "--shape", "8,8"), "ShapeError: received the shape (8, 8)"),
        (("nn.AvgPool2d(3)", GAP, "--shape", "8,x"), "a shape is ints with commas"),
    ],
)  # fmt: skip
def test_unusable_input(arguments: tuple[str, ...], text: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert text in result.stderr
    assert "Traceback" not in result.stderr


def test_no_framework_is_imported() -> None:
    code = (
        "import sys, poolkit as pk; pk.diff('nn.MaxPool2d(3, 2, 1)', \"keras.layers.MaxPooling2D(3, 2, padding='same')\");"
        "print(*sorted({'torch', 'keras', 'tensorflow', 'jax', 'timm'} & set(sys.modules)))"
    )
    assert python(code) == "\n"
