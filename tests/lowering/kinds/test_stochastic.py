"""Stochastic pooling: chances, draws that are the same everywhere, and what `samples` may be."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import poolkit as pk
from poolkit_conformance import runner

BACKENDS = ["numpy", "torch", "tensorflow", "jax", "keras"]
COMPILED = [("torch", "aot_eager"), ("tensorflow", "graph"), ("tensorflow", "xla"), ("jax", "jit")]
SPEC = pk.StochasticPool(3, 2, "same", layout="NCHW", indices=True)
RNG = np.random.default_rng(11)
# 5e3 windows, with magnitudes from 1e-38 to 3e38.
X = (np.exp(RNG.uniform(-3, 3, (4, 25, 14, 14))) * 10.0 ** RNG.uniform(-36, 37, (4, 25, 1, 1))).astype("float32")
U = RNG.random((4, 25, 7, 7)).astype("float32")


def drawn(x: Any, u: Any) -> Any:
    return pk.pool(x, SPEC, samples=u)


@pytest.fixture(scope="module")
def expected() -> Any:
    return drawn(X, U)


def same(h: Any, found: Any, expected: Any) -> None:
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(h.to_numpy(one), other)


@pytest.mark.parametrize("backend", BACKENDS[1:])
def test_draws_are_the_same_everywhere(backend: str, expected: Any) -> None:
    h = runner.harness(backend)
    same(h, drawn(h.from_numpy(X), h.from_numpy(U)), expected)


@pytest.mark.parametrize(("backend", "how"), COMPILED)
def test_draws_are_the_same_compiled(backend: str, how: str, expected: Any) -> None:
    h = runner.harness(backend)
    same(h, h.compiled(drawn, how)(h.from_numpy(X), h.from_numpy(U)), expected)


def test_a_layout_changes_no_draw(expected: Any) -> None:
    moved = [np.moveaxis(t, 1, -1) for t in (X, U)]
    found = pk.pool(moved[0], SPEC.replace(layout="NHWC"), samples=moved[1])
    same(runner.harness("numpy"), [np.moveaxis(t, -1, 1) for t in found], expected)


@pytest.mark.parametrize("by", ["samples", "key"])
@pytest.mark.parametrize("window", [(1, 2, 0.5, -3, 4, 0), (1e-3, 1e3, 2e3)])
def test_cells_are_drawn_by_their_chances(window: tuple[float, ...], by: str) -> None:
    """Frequencies of 1e5 draws are within 5 standard deviations."""
    draws, cells = 100_000, np.array(window)
    given = {by: np.random.default_rng(5).random((draws, 1)) if by == "samples" else pk.Key(5)}
    spec = pk.PoolSpec("stochastic", output_size=1, layout="NL", indices=True)
    places = pk.pool(np.tile(cells, (draws, 1)), spec, **given)[1]
    chances = np.maximum(cells, 0) / np.maximum(cells, 0).sum()
    found = np.bincount(places[:, 0], minlength=len(cells)) / draws
    assert np.all(np.abs(found - chances) <= 5 * np.sqrt(chances * (1 - chances) / draws))


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("u", [1.0, -1e-3, np.nan])
def test_a_sample_is_from_0_to_below_1(backend: str, u: float) -> None:
    h = runner.harness(backend)
    x, good, bad = (h.from_numpy(np.array([[t]], "float32")) for t in ([1.0, 2.0, 3.0, 4.0], [0.5, 0.5], [0.5, u]))
    spec = pk.StochasticPool(2, layout="NCL")
    np.testing.assert_array_equal(h.to_numpy(pk.pool(x, spec, samples=good)), [[[2, 4]]])
    with pytest.raises(pk.InputError, match="a sample is a number from 0 to below 1; give such numbers"):
        pk.pool(x, spec, samples=bad)


@pytest.mark.parametrize(("backend", "how"), COMPILED)
def test_compiled_ones_fall_at_an_end(backend: str, how: str) -> None:
    h = runner.harness(backend)
    run = h.compiled(lambda x, u: pk.pool(x, pk.StochasticPool(3, layout="NCL"), samples=u), how)
    u = np.array([[[1e30, -1e30, np.nan]]], "float32")
    found = run(h.from_numpy(np.array([[[0, 2, 0, 0, 1, 2, 0, 1, 2]]], "float32")), h.from_numpy(u))
    np.testing.assert_array_equal(h.to_numpy(found), [[[2, 1, 1]]])


@pytest.mark.parametrize(
    ("spec", "samples", "error", "text"),
    [
        (SPEC, None, pk.InputError, "what is not drawn but averaged has no position; give samples= or key="),
        (
            SPEC,
            np.zeros((2, 3, 7, 8)),
            pk.ShapeError,
            "each number of the result is drawn by one of its own; give them the shape (2, 3, 4, 4)",
        ),
        (SPEC, np.zeros((2, 3, 4, 1)), pk.ShapeError, "received samples of shape (2, 3, 4, 1)"),
        (SPEC, np.zeros((2, 3, 4, 4), "int32"), pk.DtypeError, "received samples of dtype int32"),
        (pk.MaxPool(2, layout="NCHW"), np.zeros((2, 3, 3, 4)), pk.InputError, "besides its input are: mask; leave"),
    ],
)
def test_what_samples_are_not(spec: Any, samples: Any, error: Any, text: str) -> None:
    with pytest.raises(error, match=re.escape(text)):
        pk.pool(np.ones((2, 3, 7, 8)), spec, samples=samples)


def test_a_program_does_not_grow_with_a_window() -> None:
    small, large = (
        pk.lower(pk.PoolSpec("stochastic", output_size=1, layout="NCL"), "numpy", (1, 1, n), tensors={"samples": "NCL"})
        for n in (8, 4096)
    )
    assert len(large.source.splitlines()) <= len(small.source.splitlines())


def test_explain_and_cost_take_samples() -> None:
    said = SPEC.explain((2, 3, 7, 8), {"samples": "NCHW"})
    assert "samples (2, 3, 4, 4): one number for each of the result" in said
    plain, more = (SPEC.cost((2, 3, 7, 8), t) for t in (None, {"samples": "NCHW"}))
    assert (more.operations, more.bytes) == (plain.operations, plain.bytes + 4 * 96)
