"""Mixes whose coefficients are tensors: one a part, or for each part one for channels, regions or batches."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import poolkit as pk
from poolkit_conformance import runner

RNG = np.random.default_rng(2)
X = RNG.standard_normal((2, 3, 8, 6))
PARTS = (pk.MaxPool(2, layout="NCHW"), pk.AvgPool(2, layout="NCHW"))
MIX = pk.Mix(PARTS, how="add")
HEADS = pk.Mix([part(layout="NHWC", keepdims=False) for part in (pk.GlobalMaxPool, pk.GlobalAvgPool)], how="add")


def by_hand(x: Any, c: Any) -> Any:
    return c[0] * pk.pool(x, PARTS[0]) + c[1] * pk.pool(x, PARTS[1])


@pytest.mark.parametrize("shape", [(2,), (2, 1, 3, 1, 1), (2, 1, 1, 4, 3), (2, 1, 3, 4, 3), (2, 2, 3, 4, 3)])
@pytest.mark.parametrize("backend", ["numpy", "torch", "tensorflow", "jax", "keras", "array_api"])
def test_coefficients_are_those_of_parts_channels_and_regions(backend: str, shape: tuple[int, ...]) -> None:
    h = runner.harness(backend)
    c = RNG.standard_normal(shape)
    found = h.to_numpy(pk.pool(h.from_numpy(X.astype("float32")), MIX, coefficients=h.from_numpy(c.astype("float32"))))
    np.testing.assert_allclose(found, by_hand(X, c), rtol=1e-5, atol=1e-5)


def test_axes_that_are_dropped_have_no_coefficients() -> None:
    x, c = np.moveaxis(X, 1, -1), RNG.standard_normal((2, 1, 3))
    wanted = c[0] * x.max((1, 2)) + c[1] * x.mean((1, 2))
    np.testing.assert_allclose(pk.pool(x, HEADS, coefficients=c), wanted, rtol=1e-12)


def test_a_learned_mix_is_one_of_its_shares() -> None:
    share = RNG.standard_normal((3, 4, 3))
    learned = pk.LearnedMix(*PARTS, channels=3, regions=(4, 3))
    first = (1 / (1 + np.exp(-share)))[None]
    found = pk.pool(X, MIX, coefficients=np.stack([first, 1 - first]))
    np.testing.assert_allclose(found, pk.pool(X, learned, share=share), rtol=1e-12)


def test_a_program_for_every_size_takes_them() -> None:
    program = pk.lower(MIX, "numpy", tensors={"coefficients": "ANCHW"})
    for shape in ((2, 1, 3, 1, 1), (2, 1, 1, 4, 3)):
        c = RNG.standard_normal(shape)
        np.testing.assert_allclose(program(X, c), by_hand(X, c), rtol=1e-12)


@pytest.mark.parametrize(
    ("spec", "given", "error", "text"),
    [
        (MIX, np.ones(3), pk.ShapeError, "received coefficients of shape (3,) for"),
        (MIX, np.ones((2, 3)), pk.ShapeError, "give them the shape (2,) or (2, 2, 3, 4, 3), with 1 in the place"),
        (MIX, np.ones((2, 1, 1, 8, 6)), pk.ShapeError, "for each part one for every result"),
        (HEADS, np.ones((2, 1, 1, 1, 3)), pk.ShapeError, "give them the shape (2,) or (2, 2, 6)"),
        (MIX, np.ones(2, "int32"), pk.DtypeError, "pools are multiplied by floats; give float16 or"),
        (pk.Mix(PARTS, how="cat"), np.ones(2), pk.InputError, "the tensors that it takes besides its input are: mask"),
    ],
)
def test_what_coefficients_are_not(spec: Any, given: Any, error: Any, text: str) -> None:
    with pytest.raises(error, match=re.escape(text)):
        pk.pool(X, spec, coefficients=given)


def test_explain_and_cost_take_them() -> None:
    said = MIX.explain((2, 3, 8, 6), {"coefficients": "ANCHW"})
    assert "coefficients (2, None, None, None, None): what each part is multiplied by" in said
    plain, more = (MIX.cost((2, 3, 8, 6), t) for t in (None, {"coefficients": "A"}))
    assert (more.operations, more.bytes) == (plain.operations, plain.bytes + 8)
