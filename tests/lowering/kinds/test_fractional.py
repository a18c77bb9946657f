"""Fractional max pooling: PyTorch's own windows, places that no framework changes, chances, and what is refused."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
import torch

import poolkit as pk
from poolkit.lowering.spread import spread
from poolkit_conformance import runner
from poolkit_conformance.fractions import windows

RNG = np.random.default_rng(2)
PLACES = pk.FractionalMaxPool(3, output_size=29, layout="NCL", indices=True)
PARTS = pk.FractionalMaxPool(overlapping=False, output_size=29, layout="NCL", indices=True)
COMPILED = [("torch", "aot_eager"), ("tensorflow", "graph"), ("tensorflow", "xla"), ("jax", "jit")]


@pytest.mark.parametrize(
    ("axes", "window", "given"),
    [
        (2, 2, {"output_size": 5}),
        (2, (3, 2), {"output_size": (4, 7)}),
        (2, 3, {"output_ratio": (0.7, 0.5)}),
        (2, 1, {"output_size": 1}),
        (3, (1, 2, 3), {"output_size": (4, 5, 6)}),
        (3, 2, {"output_ratio": 0.5}),
    ],
)
def test_the_windows_are_pytorchs(axes: int, window: Any, given: dict[str, Any]) -> None:
    x = RNG.integers(0, 9, (3, 4, 9, 10, 11)[: axes + 2]).astype("float32")
    u = RNG.random((3, 4, axes), "float32")
    spec = pk.FractionalMaxPool(window, layout=("NCHW", "NCDHW")[axes - 2], indices=True, **given)
    own: Any = getattr(torch.nn.functional, f"fractional_max_pool{axes}d")
    wanted = own(torch.tensor(x), window, _random_samples=torch.tensor(u), return_indices=True, **given)
    for one, other in zip(pk.pool(x, spec, samples=u), wanted, strict=True):
        np.testing.assert_array_equal(one, other.numpy())


def starts(h: Any, run: Any) -> Any:
    """The first cells of windows over equal cells, moved by 4,096 numbers and those next to where windows jump."""
    edges = np.arange(1, 98) / (94 / 28) % 1
    u = np.concatenate([RNG.random(3900), edges, edges + 2e-8, [0.0, 1 - 2**-24]]).astype("float32") % np.float32(1)
    x = np.zeros((len(u), 1, 97), "float32")
    return u, h.to_numpy(run(h.from_numpy(x), h.from_numpy(u.reshape(-1, 1, 1)))[1])[:, 0]


@pytest.mark.parametrize("spec", [PLACES, PARTS], ids=["overlapping", "disjoint"])
@pytest.mark.parametrize(("backend", "how"), [("numpy", ""), ("array_api", ""), ("keras", ""), *COMPILED])
def test_places_are_the_same_everywhere(backend: str, how: str, spec: pk.PoolSpec) -> None:
    h = runner.harness(backend)

    def run(x: Any, u: Any) -> Any:
        return pk.pool(x, spec, samples=u)

    u, found = starts(h, h.compiled(run, how) if how else run)
    wanted = [[cells[0] for cells in windows(spec, 0, 97, float(v)) or ()] for v in u]
    np.testing.assert_array_equal(found, wanted)


def test_places_without_a_draw_are_those_that_explain_shows() -> None:
    for spec, window in ((PLACES, 3), (PARTS, None)):
        assert [(*cells,) for cells in spread(97, 29, window)] == windows(spec, 0, 97, 0.5)
    said = PLACES.replace(output_size=4).explain((1, 1, 10), {"samples": "NCA"})
    assert "L: 4 windows of 3 at places that are drawn; here they are in the middle" in said
    assert "samples (1, 1, 1)" in said
    assert PLACES.replace(output_size=4).cost((1, 1, 10)).operations == 8


def test_places_have_their_chances() -> None:
    """Of 1e5 draws, within 5 standard deviations: (1 + u) * 8/3 rounds down by 2 more than u * 8/3 in 3 of 8 cases."""
    spec = pk.FractionalMaxPool(2, output_size=4, layout="NCL", indices=True)
    places = pk.pool(np.zeros((1000, 100, 10), "float32"), spec, key=pk.Key(8))[1]
    assert places[..., 0].max() == 0
    assert abs((places[..., 1] == 2).mean() - 3 / 8) <= 5 * (3 / 8 * 5 / 8 / 1e5) ** 0.5
    assert (places[..., 1].min(), places[..., 1].max()) == (2, 3)


def test_channels_and_batches_have_windows_of_their_own_in_any_layout() -> None:
    x, spec = RNG.random((2, 3, 9, 10), "float32"), pk.FractionalMaxPool(2, output_size=4, layout="NCHW", indices=True)
    drawn = pk.pool(x, spec, key=pk.Key(5))
    moved = pk.pool(np.moveaxis(x, 1, -1), spec.replace(layout="NHWC"), key=pk.Key(5))
    turned = pk.pool(np.moveaxis(x, 1, 0), spec.replace(layout="CNHW"), key=pk.Key(5))
    for one, last, first in zip(drawn, moved, turned, strict=True):
        np.testing.assert_array_equal(np.moveaxis(last, -1, 1), one)
        np.testing.assert_array_equal(np.moveaxis(first, 0, 1), one)
    alike = pk.pool(np.zeros((64, 1, 9, 10)), spec, key=pk.Key(5))[1]
    assert len(np.unique(alike, axis=0)) > 8


def spec(**fields: Any) -> Any:
    return lambda: pk.PoolSpec("fractional_max", layout="NCHW", **fields)


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (spec(output_size=3), "windows that may overlap have a size, and those that do not have none; write window=2"),
        (spec(output_size=3, window=2, overlapping=False), "leave window out, or overlapping=False"),
        (spec(window=2), "how many windows there are is said by one of them; write output_size=7, or output_ratio"),
        (spec(window=2, output_size=3, output_ratio=0.5), "how many windows there are is said by one of them"),
        (spec(window=2, output_ratio=1.5), "is a number between 0 and 1, or one for each pooled axis"),
        (spec(window=2, output_ratio=(0.5, 0.5, 0.5)), "for each pooled axis, HW; give 2 of them, or one"),
        (spec(window=2, output_size=3, stride=1), "never reads stride; leave stride out"),
        (spec(window=2, output_size=3, overlapping=1), 'overlapping of "fractional_max" pooling is True or False'),
    ],
)
def test_specs_that_say_too_much_or_too_little(made: Any, text: str) -> None:
    with pytest.raises(pk.SpecError, match=re.escape(text)):
        made()


@pytest.mark.parametrize(
    ("given", "tensors", "text"),
    [
        (
            {"output_size": 8},
            {},
            "8 windows for axis W of size 8, and 7 windows of 2 are the most that it has",
        ),
        ({"output_ratio": 0.1}, {}, "received 0 windows for axis W of size 8"),
        ({"output_size": 3}, {"samples": np.zeros((2, 3, 4, 4))}, "give them the shape (2, 3, 2)"),
    ],
)
def test_inputs_that_do_not_fit(given: Any, tensors: Any, text: str) -> None:
    with pytest.raises(pk.ShapeError, match=re.escape(text)):
        pk.pool(np.zeros((2, 3, 20, 8)), pk.FractionalMaxPool(2, layout="NCHW", **given), **tensors)


def test_windows_that_follow_from_a_size_need_it() -> None:
    for made in (PARTS, PLACES.replace(output_size=None, output_ratio=0.5)):
        with pytest.raises(pk.ShapeError, match=r"of unknown size .* whose windows follow from it; give"):
            pk.lower(made, "numpy")


@pytest.mark.parametrize(
    ("backend", "why"),
    [("torch", "FractionalMaxPool draws anew at each call"), ("tensorflow", "fractional_max_pool draws by a seed")],
)
def test_why_an_own_layer_is_not_equal(backend: str, why: str) -> None:
    with pytest.raises(pk.NotExactError, match=why):
        pk.native(pk.FractionalMaxPool(2, output_size=3, layout="NCHW"), backend)


def test_places_are_not_written_out_without_a_bound() -> None:
    """They were 17 MB of source at a million."""
    spec = pk.FractionalMaxPool(2, output_size=2**15 + 1, layout="NCL")
    x = np.zeros((1, 1, 10**5), "float32")
    with pytest.raises(pk.ShapeError, match="received 32769 windows along axis L, and without samples or a key"):
        pk.lower(spec, "numpy", shape=x.shape)
    assert pk.pool(x, spec, key=pk.Key(0)).shape == (1, 1, 2**15 + 1)
