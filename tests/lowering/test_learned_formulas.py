"""Poolings with weights: each formula against its definition in NumPy, on every backend."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import poolkit as pk
from poolkit_conformance import oracle, runner
from poolkit_conformance.rows import Rows, each_window

BACKENDS = ["numpy", "torch", "tensorflow", "jax", "array_api"]
WINDOW: dict[str, Any] = {"window": 3, "stride": 2, "padding": "same"}
MAP, TOKENS = (2, 5, 4, 6), (2, 5, 4)


def window(kind: str, layout: str) -> pk.PoolSpec:
    return pk.PoolSpec(kind, layout=layout, **WINDOW)


POOLS: dict[str, tuple[pk.Learned, tuple[int, ...]]] = {
    "option": (pk.LearnedOption(pk.GeM(layout="NCHW", keepdims=False), channels=5), MAP),
    "option_of_windows": (pk.LearnedOption(pk.SoftPool(2, layout="NHWC")), MAP),
    "mix": (pk.LearnedMix(window("max", "NCHW"), window("avg", "NCHW")), MAP),
    "mix_each": (pk.LearnedMix(window("max", "NHWC"), window("avg", "NHWC"), channels=6, regions=(3, 2)), MAP),
    "mix_tokens": (pk.LearnedMix(*[pk.PoolSpec(k, output_size=1, layout="NLC") for k in ("max", "std")]), TOKENS),
    "adapool": (pk.AdaPool(3, 2, "same", layout="NHWC", regions=(3, 2)), MAP),
    "gate": (pk.GatedMix(window("max", "NCHW"), window("avg", "NCHW")), MAP),
    "gate_each": (pk.GatedMix(window("max", "NHWC"), window("avg", "NHWC"), channels=6, regions=(3, 2)), MAP),
    "lip": (pk.LIPPool(layout="NCHW", channels=5), MAP),
    "lip_simplified": (pk.LIPPool(layout="NHWC", channels=6, logits="simplified"), MAP),
    "lip_bottleneck": (pk.LIPPool(2, 2, 0, layout="NCHW", channels=5, logits="bottleneck", hidden=3), MAP),
    "attention": (pk.AttentionPool(layout="NLC", keepdims=False, channels=4, hidden=3), TOKENS),
    "attention_plain": (pk.AttentionPool(layout="NCHW", keepdims=True, channels=5, hidden=3, gated=False), MAP),
    "latent": (pk.LatentAttentionPool(layout="NLC", keepdims=False, channels=4, heads=2), TOKENS),
    "latent_and_network": (pk.LatentAttentionPool(layout="NCHW", keepdims=True, channels=5, hidden=3), MAP),
}
MASKED = ("adapool", "option_of_windows", "mix_tokens", "gate", "attention", "latent", "latent_and_network")


def case_of(name: str, masked: bool = False) -> tuple[Any, Any, dict[str, Any], dict[str, Any]]:
    spec, shape = POOLS[name]
    rng = np.random.default_rng(list(name.encode()))
    weights = {n: np.asarray(rng.standard_normal(p.shape) * 0.5 + p.start) for n, p in spec.parameters.items()}
    x = rng.standard_normal(shape)
    if not masked:
        return spec, x, weights, {}
    mask = rng.random([n for n, c in zip(shape, spec.layout, strict=True) if c != "C"]) < 0.6
    mask[0] = name == "mix_tokens"
    return spec, x, weights, {"mask": mask}


# ---------------------------------------------------------------------------------------------------- the definitions


def sigmoid(t: Any) -> Any:
    return 1 / (1 + np.exp(-t))


def softmax(t: Any, axis: int) -> Any:
    power = np.exp(t - t.max(axis, keepdims=True))
    return power / power.sum(axis, keepdims=True)


def pooled(part: pk.PoolSpec, x: Any, **tensors: Any) -> Any:
    return oracle.answer(part, x, tensors).values


def defined(spec: pk.Learned, x: Any, w: dict[str, Any], mask: Any = None) -> Any:
    """In float64, in the channels-first layout of `spec`, which it is turned to."""
    if spec.layout[1] != "C":
        own = spec.layout.replace("C", "")
        turned = spec.replace(layout="N" + "C" + own[1:])
        found = defined(turned, np.moveaxis(x, -1, 1), w, mask)
        return np.moveaxis(found, 1, -1)
    return DEFINITIONS[spec.formula](spec, x, w, {} if mask is None else {"mask": mask})


def option(spec: pk.Learned, x: Any, w: dict[str, Any], mask: Any) -> Any:
    ((name, value),) = w.items()
    each = np.broadcast_to(value, x.shape[1])
    return np.concatenate(
        [pooled(spec.parts[0].replace(**{name: v}), x[:, [c]], **mask) for c, v in enumerate(each)], 1
    )


def share(spec: pk.Learned, t: Any, axes: int) -> Any:
    t = t if spec.channels else np.expand_dims(t, 0)
    return t if spec.regions else t.reshape(*t.shape[:1], *(1,) * axes, *t.shape[1:])


def mix(spec: pk.Learned, x: Any, w: dict[str, Any], mask: Any) -> Any:
    first, second = (pooled(part, x, **mask) for part in spec.parts)
    part = sigmoid(share(spec, w["share"], x.ndim - 2))
    return part * first + (1 - part) * second


def adapool(spec: pk.Learned, x: Any, w: dict[str, Any], mask: Any) -> Any:
    """Window by window, as the oracle cuts them out."""
    rows = Rows(spec.parts[0], x, mask)
    made = np.zeros(rows.windows)
    for part in each_window(rows):
        a, m = part.cells, part.cells.mean(1, keepdims=True)
        made[part.here] = (softmax(2 * np.abs(a * m) / (a**2 + m**2), 1) * a).sum(1)
    part = sigmoid(share(spec, w["share"], x.ndim - 2))
    return part * rows.as_result(made) + (1 - part) * pooled(spec.parts[0], x, **mask)


def gate(spec: pk.Learned, x: Any, w: dict[str, Any], mask: Any) -> Any:
    """The window is 3 with stride 2, and a size of 4 or 5 or 6 is padded as `same` does."""
    x0 = x if not mask else np.where(mask["mask"][:, None], x, 0)
    pads = [(0, 0), (0, 0)]
    for n in x.shape[2:]:
        total = max((-(-n // 2) - 1) * 2 + 3 - n, 0)
        pads.append((total // 2, total - total // 2))
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(x0, pads), (3, 3), (2, 3))[:, :, ::2, ::2]
    score = (windows.reshape(*windows.shape[:4], 9) * share(spec, w["gate"], 2)).sum(-1)
    first, second = (pooled(part, x, **mask) for part in spec.parts)
    return sigmoid(score) * first + (1 - sigmoid(score)) * second


def lip(spec: pk.Learned, x: Any, w: dict[str, Any], mask: Any) -> Any:
    t = x
    for i in range(1, 2 + ("conv2" in w) * 2):
        kernel = w[f"conv{i}"]
        t = t if i == 1 else np.maximum(t, 0)
        if kernel.ndim == 2:
            t = np.einsum("nchw,cd->ndhw", t, kernel)
        else:
            windows = np.lib.stride_tricks.sliding_window_view(np.pad(t, [(0, 0)] * 2 + [(1, 1)] * 2), (3, 3), (2, 3))
            t = np.einsum("nchwkl,klcd->ndhw", windows, kernel.reshape(3, 3, *kernel.shape[1:]))
        t = (t - t.mean((2, 3), keepdims=True)) / np.sqrt(t.var((2, 3), keepdims=True) + 1e-5)
        t = t * w[f"scale{i}"][:, None, None] + w[f"shift{i}"][:, None, None]
    return pooled(spec.parts[0], x, weight=np.exp(12 * sigmoid(t)))


def tokens_of(x: Any, mask: Any) -> tuple[Any, Any]:
    t = np.moveaxis(x, 1, -1).reshape(len(x), -1, x.shape[1])
    real = np.ones(t.shape[:2], bool) if not mask else mask["mask"].reshape(t.shape[:2])
    return np.where(real[..., None], t, 0), real


def as_result(spec: pk.Learned, y: Any, x: Any) -> Any:
    return y.reshape(*y.shape, *(1,) * (x.ndim - 2)) if spec.keepdims else y


def attention(spec: pk.Learned, x: Any, w: dict[str, Any], mask: Any) -> Any:
    t, real = tokens_of(x, mask)
    score = np.tanh(t @ w["score"] + w["score_bias"])
    if "gate" in w:
        score = score * sigmoid(t @ w["gate"] + w["gate_bias"])
    power = np.exp((score @ w["head"])[..., 0]) * real
    y = (power[..., None] * t).sum(1) / np.maximum(power.sum(1), 1e-30)[:, None]
    return as_result(spec, y, x)


def latent(spec: pk.Learned, x: Any, w: dict[str, Any], mask: Any) -> Any:
    """As it is written by hand: keys and values of all tokens, head by head."""
    t, real = tokens_of(x, mask)
    made: list[Any] = []
    query, key, value = (w["latent"] if n == "query" else t for n in ("query", "key", "value"))
    query, key, value = (
        v @ w[f"to_{n}"] + w[f"to_{n}_bias"] for n, v in (("query", query), ("key", key), ("value", value))
    )
    for q, k, v in zip(*(np.split(a, spec.heads, -1) for a in (query, key, value)), strict=True):
        score = np.where(real, (k @ q) / math.sqrt(len(q)), -1e30)
        made.append((softmax(score, 1)[..., None] * v).sum(1))
    y = np.concatenate(made, -1) @ w["to_out"] + w["to_out_bias"]
    if "wide" in w:
        n = (y - y.mean(-1, keepdims=True)) / np.sqrt(y.var(-1, keepdims=True) + 1e-5) * w["scale"] + w["shift"]
        h = n @ w["wide"] + w["wide_bias"]
        h = 0.5 * h * (1 + np.tanh(math.sqrt(2 / math.pi) * (h + 0.044715 * h**3)))
        y = y + h @ w["narrow"] + w["narrow_bias"]
    return as_result(spec, np.where(real.any(1)[:, None], y, 0), x)


DEFINITIONS = {
    "option": option,
    "mix": mix,
    "adapool": adapool,
    "gate": gate,
    "lip": lip,
    "attention": attention,
    "latent": latent,
}


@pytest.mark.parametrize("backend", BACKENDS)
def test_each_formula_is_its_definition(backend: str) -> None:
    h = runner.harness(backend)
    for name in POOLS:
        for masked in (False, True) if name in MASKED else (False,):
            spec, x, weights, more = case_of(name, masked)
            given = {n: h.from_numpy(np.asarray(t, "float32")) for n, t in weights.items()}
            given |= {n: h.from_numpy(t) for n, t in more.items()}
            found = h.to_numpy(pk.pool(h.from_numpy(x.astype("float32")), spec, **given))
            assert found.dtype == np.float32
            np.testing.assert_allclose(found, defined(spec, x, weights, **more), rtol=1e-5, atol=1e-5, err_msg=name)


@pytest.mark.parametrize("name", POOLS)
def test_derivatives_are_those_of_differences(name: str) -> None:
    torch = pytest.importorskip("torch")
    spec, x, weights, more = case_of(name, name in MASKED)
    mask = {n: torch.from_numpy(t) for n, t in more.items()}
    tensors = [torch.from_numpy(np.array(t)).requires_grad_() for t in (x, *weights.values())]

    def of(x: Any, *held: Any) -> Any:
        return pk.pool(x, spec, **dict(zip(weights, held, strict=True)), **mask)

    assert torch.autograd.gradcheck(of, tensors, fast_mode=True)


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
        pk.pool(np.ones(MAP), POOLS["mix"][0], **given)


@pytest.mark.parametrize(("make", "text"), [
    (lambda: pk.Learned("tree", (window("max", "NCHW"),)), 'received formula="tree", and the formulas are "option"'),
    (lambda: pk.LearnedMix(window("max", "NCHW"), window("avg", "NHWC")), "both have one layout"),
    (lambda: pk.LearnedMix(pk.MaxPool(2, layout="NCHW", indices=True), window("max", "NCHW")), "has no position"),
    (lambda: pk.LearnedMix(*[window("max", "NCHW")] * 2, regions=(2,)), "one for each of HW"),
    (lambda: pk.LearnedMix(*[window("max", "NCHW")] * 2, channels=0), "channels is a count from 1"),
    (lambda: pk.LearnedMix(*[window("max", "channels_first")] * 2), "a letter for each axis"),
    (lambda: pk.GatedMix(*[pk.GlobalAvgPool(layout="NCL", keepdims=True)] * 2), "each cell of a window"),
    (lambda: pk.LearnedOption(window("max", "NCHW")), "one of its options can be learned"),
    (lambda: pk.LIPPool(layout="NCHW", channels=3, logits="deep"), "projection or simplified or bottleneck"),
    (lambda: pk.LatentAttentionPool(layout="NLC", keepdims=False, channels=4, heads=3), "4 channels and 3 heads"),
])  # fmt: skip
def test_what_cannot_be(make: Any, text: str) -> None:
    with pytest.raises(pk.SpecError, match=text):
        make()


@pytest.mark.parametrize("name", POOLS)
def test_text_and_dictionary(name: str) -> None:
    spec, shape = POOLS[name]
    assert eval(repr(spec), {"Learned": pk.Learned, "PoolSpec": pk.PoolSpec}) == spec
    assert pk.Learned.from_dict(spec.to_dict()) == spec
    assert spec.cost(shape).parameters == sum(math.prod(p.shape) for p in spec.parameters.values())
    assert "-> " in spec.explain(shape)
    source = pk.lower(spec, "numpy", shape).source
    assert f"def pool(x, {', '.join(spec.parameters)})" in source
