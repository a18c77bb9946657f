"""Poolings with weights: numbers worked out by hand, what is refused, texts. The suite has each formula."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import poolkit as pk
from poolkit_conformance import learned
from poolkit_conformance.case import cotangent, tangent
from poolkit_conformance.cases_learned import LEARNED, SPECS
from poolkit_conformance.expect import expected, further, given

MAP = (2, 5, 4, 6)


def window(kind: str, layout: str) -> pk.PoolSpec:
    return pk.PoolSpec(kind, layout=layout, window=3, stride=2, padding="same")


@pytest.mark.parametrize("name", SPECS)
def test_differences_are_as_good_as_the_suite_says(name: str) -> None:
    torch = pytest.importorskip("torch")
    case = next(case for case in LEARNED if case.name == f"learned_{name}")
    weights = {n: t.astype("float64") for n, t in further(case).items()}
    x = given(case).astype("float64")
    g = cotangent(case, expected(case).values.shape, "float64")  # those that the suite takes
    along = tangent(case, x.shape).astype("float64")
    t = torch.tensor(x, requires_grad=True)
    y = pk.pool(t, case.spec, **{n: torch.tensor(w) for n, w in weights.items()})
    (first,) = torch.autograd.grad(y, t, torch.tensor(g), create_graph=True)
    (second,) = torch.autograd.grad((first * torch.tensor(along)).sum(), t)

    slopes = learned.vjp(case.spec, x, g, weights)
    bends = learned.second(case.spec, x, g, along, weights)
    np.testing.assert_allclose(slopes.values, first.detach(), rtol=0, atol=1e-9 * slopes.magnitude.max())
    np.testing.assert_allclose(bends.values, second, rtol=0, atol=5e-7 * bends.magnitude.max())


def test_golden_numbers() -> None:
    x = np.array([[[1.0, 2.0, 3.0, 4.0]]])
    largest, average = (pk.PoolSpec(kind, window=4, layout="NCL") for kind in ("max", "avg"))
    gated = pk.pool(x, pk.GatedMix(largest, average), gate=np.array([0.1, -0.2, 0.3, -0.1]))
    np.testing.assert_allclose(gated, 3.324750995968717)
    ada = pk.AdaPool(4, layout="NCL")
    np.testing.assert_allclose(pk.pool(x, ada, share=np.array(0.0)), 3.032451344249398)
    np.testing.assert_allclose(pk.pool(x, ada, share=np.array(50.0)), 2.572249953913025)  # the average alone
    np.testing.assert_allclose(pk.pool(x * 1e200, ada, share=np.array(50.0)), 2.572249953913025e200)
    assert pk.pool(0 * x, ada, share=np.array(0.0)).tolist() == [[[0.0]]]
    np.testing.assert_allclose(pk.pool(x, pk.LearnedMix(largest, average), share=np.array(0.0)), 3.25)


@pytest.mark.parametrize("size", [1e-25, 1e25])
def test_adapool_of_cells_far_from_1_has_its_gradient(size: float) -> None:
    """Where a sigmoid of 50 leaves the average alone it does not depend on the size; JAX divides by squares."""
    jax: Any = pytest.importorskip("jax")
    spec, x, share = pk.AdaPool(4, layout="NCL"), np.array([[[1.0, -2.0, 3.0, 4.0]]], "float32"), np.float32(50)

    def total(x: Any) -> Any:
        return pk.pool(x, spec, share=jax.numpy.asarray(share)).sum()

    found, wanted = (jax.grad(total)(jax.numpy.asarray(x * np.float32(n))) for n in (size, 1.0))
    np.testing.assert_allclose(found, wanted, rtol=1e-5)


def test_lip_begins_as_an_average() -> None:
    spec, x = pk.LIPPool(layout="NCHW", channels=5, logits="bottleneck", hidden=3), np.random.default_rng(0).random(MAP)
    rng = np.random.default_rng(1)
    start = {n: p.start + p.spread * rng.uniform(-1, 1, p.shape) for n, p in spec.parameters.items()}
    np.testing.assert_allclose(pk.pool(x, spec, **start), pk.pool(x, spec.parts[0]))


@pytest.mark.parametrize(("given", "error", "text"), [
    ({}, pk.InputError, "received no share for .*its weights are share; give all of them"),
    ({"share": np.zeros(3)}, pk.ShapeError, r"received share of shape \(3,\).*it has the shape \(\)"),
    ({"share": np.array(1)}, pk.DtypeError, "received share of dtype int64, and weights are floats"),
])  # fmt: skip
def test_weights_that_are_wrong(given: Any, error: Any, text: str) -> None:
    with pytest.raises(error, match=text):
        pk.pool(np.ones(MAP), SPECS["mix"][0], **given)


def test_a_mask_of_lip_is_one_for_all_channels() -> None:
    spec = pk.LIPPool(layout="NCHW", channels=5)
    weights = {name: np.full(p.shape, p.start) for name, p in spec.parameters.items()}
    cells = np.random.default_rng(0).random((MAP[0], 1, *MAP[2:])) < 0.7
    found = pk.pool(np.where(cells, np.ones(MAP), np.nan), spec, mask=cells, **weights)
    np.testing.assert_array_equal(found, pk.pool(np.ones(MAP), spec, mask=cells[:, 0], **weights))
    with pytest.raises(pk.ShapeError, match=r"whose logits are made of all channels; give one number for each cell"):
        pk.pool(np.ones(MAP), spec, mask=np.ones(MAP, "bool"), **weights)


@pytest.mark.parametrize(("make", "text"), [
    (lambda: pk.Learned("tree", (window("max", "NCHW"),)), 'received formula="tree", and the formulas are "option"'),
    (lambda: pk.LearnedMix(window("max", "NCHW"), window("avg", "NHWC")), "both have one layout"),
    (lambda: pk.LearnedMix(pk.MaxPool(2, layout="NCHW", indices=True), window("max", "NCHW")), "has no position"),
    (lambda: pk.LearnedMix(*[window("max", "NCHW")] * 2, regions=(2,)), "one for each of HW"),
    (lambda: pk.LearnedMix(*[window("max", "NCHW")] * 2, channels=0), "channels is a count from 1"),
    (lambda: pk.LearnedMix(*[window("max", "channels_first")] * 2), "a letter for each axis"),
    (lambda: pk.GatedMix(*[pk.GlobalAvgPool(layout="NCL", keepdims=True)] * 2), "each cell of a window"),
    (lambda: pk.LearnedOption(window("max", "NCHW")), "one of its options can be learned"),
    (lambda: pk.LIPPool(layout="NCHW", channels=3, logits="deep"), '"projection" and "simplified" and "bottleneck"'),
    (lambda: pk.LatentAttentionPool(layout="NLC", keepdims=False, channels=4, heads=3), "4 channels and 3 heads"),
])  # fmt: skip
def test_what_cannot_be(make: Any, text: str) -> None:
    with pytest.raises(pk.SpecError, match=text):
        make()


@pytest.mark.parametrize("name", SPECS)
def test_text_and_dictionary(name: str) -> None:
    spec, shape = SPECS[name]
    assert eval(repr(spec), {"Learned": pk.Learned, "PoolSpec": pk.PoolSpec}) == spec
    assert pk.Learned.from_dict(spec.to_dict()) == spec
    assert spec.cost(shape).parameters == sum(math.prod(p.shape) for p in spec.parameters.values())
    assert "-> " in spec.explain(shape)
    source = pk.lower(spec, "numpy", shape).source
    assert f"def pool(x, {', '.join(spec.parameters)})" in source
