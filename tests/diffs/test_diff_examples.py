"""`pk.diff`: the example that it shows, and what can be compared."""

from __future__ import annotations

import numpy as np
import pytest

import poolkit as pk
from poolkit.diffs import trial
from poolkit.diffs.agreeing import agreement, aligned, same_at, states
from poolkit.diffs.along import one_axis, plain
from poolkit.diffs.wording import axis_text, sizes_text

GAP = "nn.AdaptiveAvgPool2d(1)"
SAME_MAX = "keras.layers.MaxPooling2D(3, 2, padding='same')"


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


def chained(kind: str, *windows: int, stride: int | None = None) -> pk.Chain:
    padding = "same" if stride == 1 else "valid"
    return pk.Chain(tuple(pk.PoolSpec(kind, window=k, stride=stride, padding=padding, layout="NCL") for k in windows))


@pytest.mark.parametrize(
    ("chain", "single", "agree"),
    [
        (chained("max", 5, 5, stride=1), "max window=9 stride=1 padding=same layout=NCL", "at every size"),
        (chained("max", 2, 2), "max window=4 layout=NCL", "at every size"),
        (chained("avg", 2, 1), "avg window=2 layout=NCL", "at every size"),
        (chained("max", 2, 2), "max window=3 layout=NCL", "never"),
        (chained("avg", 2, 2), "max window=4 layout=NCL", "never"),
    ],
)
def test_a_chain_and_a_single_pool_are_compared_number_by_number(chain: pk.Chain, single: str, agree: str) -> None:
    """The one is written in several parts, and still gives one number for each."""
    one, x = pk.PoolSpec.parse(single), np.random.default_rng(0).standard_normal((2, 9, 12))
    for found in (pk.diff(chain, one), pk.diff(one, chain)):
        assert found.agree.removesuffix(", as tried on square maps up to 12") == agree
    for n in range(4, 13):
        ours = pk.diff(chain, one, (1, 1, n))
        a, b = pk.pool(x[..., :n], chain), pk.pool(x[..., :n], one)
        same = a.shape == b.shape and np.allclose(a, b)
        assert (ours.total > 0) == (a.shape[-1] > 0)
        assert (not ours.cells) == same
