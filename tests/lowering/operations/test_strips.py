"""S3 pooling: lines that are drawn strip by strip, the same everywhere, and the averages of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import poolkit as pk
from poolkit_conformance import runner

BACKENDS = ["torch", "tensorflow", "jax", "keras"]
COMPILED = [("torch", "aot_eager"), ("tensorflow", "graph"), ("tensorflow", "xla"), ("jax", "jit")]
SPEC = pk.S3Pool(3, 2, "same", grid=(4, 6), layout="NCHW", indices=True)
RNG = np.random.default_rng(3)
X = RNG.standard_normal((2, 3, 17, 13)).astype("float32")
KEY = np.array([7, 11], "int32")


def drawn(x: Any, key: Any) -> Any:
    return pk.pool(x, SPEC, key=key)


def same(h: Any, found: Any, expected: Any) -> None:
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(h.to_numpy(one), other)


@pytest.mark.parametrize("backend", BACKENDS)
def test_draws_are_the_same_everywhere(backend: str) -> None:
    h = runner.harness(backend)
    same(h, drawn(h.from_numpy(X), h.from_numpy(KEY)), drawn(X, KEY))


@pytest.mark.parametrize(("backend", "how"), COMPILED)
def test_draws_are_the_same_compiled(backend: str, how: str) -> None:
    h = runner.harness(backend)
    same(h, h.compiled(drawn, how)(h.from_numpy(X), h.from_numpy(KEY)), drawn(X, KEY))


def test_a_layout_changes_no_draw() -> None:
    found = pk.pool(np.moveaxis(X, 1, -1), SPEC.replace(layout="NHWC"), key=KEY)
    same(runner.harness("numpy"), [np.moveaxis(t, -1, 1) for t in found], drawn(X, KEY))


def test_a_key_gives_the_samples_of_jax() -> None:
    import jax

    samples = jax.random.uniform(jax.random.wrap_key_data(KEY.astype("uint32"), impl="threefry2x32"), (17, 2))
    same(runner.harness("numpy"), pk.pool(X, SPEC, samples=np.asarray(samples)), drawn(X, KEY))


def test_all_maps_hand_on_the_same_lines_which_are_those_of_the_maxima() -> None:
    values, places = drawn(X, KEY)
    rows, columns = places[0, 0] // 13, places[0, 0] % 13
    assert values.shape == (2, 3, 8, 6)
    assert np.all(np.abs(rows - rows[:, :1]) <= 2)  # a window of 3 is two rows high, and two columns wide
    assert np.all(np.abs(columns - columns[:1]) <= 2)
    alone = pk.S3Pool(1, 2, grid=6, layout="NCHW", indices=True)
    lines = pk.pool(X, alone, key=KEY)[1]
    assert len(np.unique(lines.reshape(6, -1), axis=0)) == 1


def test_every_choice_of_a_strip_is_as_likely() -> None:
    """Frequencies of 1e5 strips: of the 70 ways to take 4 lines of 8 each has 1/70, within 5 standard deviations."""
    strips = 100_000
    spec = pk.S3Pool(1, 2, grid=8, layout="L", indices=True)
    places = pk.pool(np.zeros(8 * strips, "float32"), spec, key=pk.Key(1))[1].reshape(strips, 4)
    within = places - 8 * np.arange(strips)[:, None]
    assert np.all((within[:, 0] >= 0) & (within[:, -1] < 8) & np.all(np.diff(within) > 0, axis=1))
    ways, counts = np.unique(within, axis=0, return_counts=True)
    assert len(ways) == 70
    assert np.all(np.abs(counts / strips - 1 / 70) <= 5 * np.sqrt(1 / 70 * 69 / 70 / strips))
    taken = np.bincount(within.ravel(), minlength=8) / strips
    assert np.all(np.abs(taken - 0.5) <= 5 * np.sqrt(0.25 / strips))


@pytest.mark.parametrize(("window", "stride", "n"), [(2, 2, 16), (3, 2, 16), (3, 3, 18), (2, 4, 16)])
def test_without_samples_it_is_as_published(window: int, stride: int, n: int) -> None:
    import torch
    from torch.nn import functional

    x = torch.from_numpy(RNG.standard_normal((2, 3, n, n)))
    largest = functional.max_pool2d(x, window, 1)
    averages = functional.avg_pool2d(largest, stride, stride, stride // 2, count_include_pad=False)
    found = pk.pool(x, pk.S3Pool(window, stride, grid=n, layout="NCHW"))
    torch.testing.assert_close(found, averages, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("backend", ["numpy", "torch", "tensorflow", "jax"])
@pytest.mark.parametrize("name", ["samples", "key", None])
def test_a_program_for_every_size_gives_the_same(backend: str, name: str | None) -> None:
    h = runner.harness(backend)
    spec = SPEC.replace(indices=False)
    how = {"samples": "BA", "key": ""}
    program = pk.lower(spec, backend, tensors={name: how[name]} if name else {})
    x = RNG.standard_normal((2, 3, 17, 23)).astype("float32")
    given = {"samples": RNG.random((23, 2)).astype("float32"), "key": KEY}
    tensors = {name: h.from_numpy(given[name])} if name else {}
    # Called by itself, since `pool` makes one for the sizes that it sees.
    np.testing.assert_allclose(
        h.to_numpy(program(h.from_numpy(x), *tensors.values())),
        h.to_numpy(pk.pool(h.from_numpy(x), spec, **tensors)),
        rtol=0 if name else 1e-6,
    )


def spec(**fields: Any) -> Callable[[], Any]:
    return lambda: pk.PoolSpec("s3", **({"layout": "NCHW"} | fields))


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (spec(window=2, grid=3), 'received grid=3 with stride=2 for "s3", and each strip of grid cells gives as many'),
        (spec(window=2, stride=(2, 3), grid=(4, 4)), "give a multiple of the stride on each axis"),
        (spec(window=2, grid=0), 'grid of "s3" pooling is a multiple of the stride, or one for each pooled axis'),
        (spec(window=2, grid=True), 'grid of "s3" pooling is a multiple of the stride'),
        (spec(window=2, grid=(2, 2, 2)), "grid has one entry for each pooled axis, HW; give 2 of them"),
        (spec(window=2, grid=(2, 4, 2), stride=(2, 2), layout="channels_last"), "give a multiple of the stride"),
        (spec(output_size=3), '"s3" pooling has windows of 1 cell and more along each axis; write window=3'),
        (spec(window=2, ceil_mode=True), "have stride 1, so that ceil_mode is never read; leave ceil_mode out"),
        (spec(window=2, count_include_pad=True), "only an average divides"),
    ],
)
def test_specs_that_say_too_much_or_too_little(made: Any, text: str) -> None:
    with pytest.raises(pk.SpecError, match=re.escape(text)):
        made()


def test_a_grid_is_said_in_one_way() -> None:
    assert spec(window=2, grid=(4, 4))() == spec(window=2, stride=2, grid=4)()
    assert spec(window=2, grid=2)() == spec(window=2, grid=(2, 2))() == spec(window=2)()
    assert str(spec(window=2, stride=(2, 1), grid=(4, 3))()) == "s3 window=2 stride=2,1 layout=NCHW grid=4,3"
    assert spec(window=2, grid=(4, 6))().replace(layout="NWHC").grid == (6, 4)
    assert spec(window=2, stride=2, layout="channels_first", grid=(2, 2))().grid is None


@pytest.mark.parametrize(
    ("size", "given", "tensors", "error", "text"),
    [
        (
            3,
            {"grid": 4},
            {},
            pk.ShapeError,
            "which has 0 strips of 4 cells and 2 windows of 2 with stride 1, and 2 win",
        ),
        (8, {"window": 4}, {}, pk.ShapeError, "drawn from each strip; give a smaller window or grid"),
        (8, {}, {"samples": np.zeros((8, 1))}, pk.ShapeError, "is drawn by one of its own; give them the shape (7, 1)"),
        (8, {}, {"samples": np.zeros((7, 1), int)}, pk.DtypeError, "received samples of dtype int64"),
        (8, {}, {"samples": np.ones((7, 1))}, pk.InputError, "a sample is a number from 0 to below 1"),
        (8, {"indices": True}, {}, pk.InputError, "what is not drawn but averaged has no position"),
        (8, {}, {"weight": np.ones((1, 8))}, pk.InputError, "besides its input are: mask and samples and key"),
    ],
)
def test_inputs_that_do_not_fit(size: int, given: Any, tensors: Any, error: Any, text: str) -> None:
    made = pk.PoolSpec("s3", **({"window": 2, "stride": 2, "layout": "NCL"} | given))
    with pytest.raises(error, match=re.escape(text)):
        pk.pool(np.zeros((1, 1, size)), made, **tensors)


def test_explain_says_what_is_drawn() -> None:
    said = pk.S3Pool(2, grid=4, layout="NCL").explain((1, 1, 8), {"samples": "BA"})
    assert "L: 7 windows of 2, stride 1, and 2 of each strip of 4 are drawn; without samples and key averages" in said
    assert "samples (None, 1): a number from 0 to below 1 for each line of an axis" in said


def test_a_program_does_not_grow_with_the_map() -> None:
    made = pk.S3Pool(2, grid=4, layout="NCL")
    small, large = (pk.lower(made, "numpy", (1, 1, n), tensors={"key": ""}) for n in (8, 4096))
    assert len(large.source) < len(small.source) + 100


def test_diff_tells_grids_apart_and_goes_by_the_averages() -> None:
    found = pk.diff("s3 window=2 grid=4 layout=NCL", "s3 window=2 layout=NCL", (1, 1, 6))
    assert found.differences == ("A's grid is 4, B's is left out",)
    assert found.agree == "at sizes n = 0 or 1 mod 4"
    wider = pk.diff("s3 window=2 grid=4 layout=NCL", "s3 window=3 stride=2 grid=4 layout=NCL", (1, 1, 8))
    assert wider.example is not None
    assert pk.diff("s3 window=2 grid=4 layout=NCL", "s3 window=2 stride=2 grid=4 layout=NLC").equal
