"""What poolings with weights are: each formula as it is published, in float64, with channels first.

Derivatives are quotients of differences: right to 1e-9 of their magnitude, second ones to 5e-7, which a test holds.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from poolkit_conformance import oracle
from poolkit_conformance.oracle import Answer, Derivative
from poolkit_conformance.rows import FLOATS, NONE, Array, Rows, Tensors, each_window
from poolkit_conformance.windows import NoAnswerError, counts, places

STEP, WIDE_STEP = 1e-5, 5e-5  # of first and of second differences


def sigmoid(t: Any) -> Any:
    return 1 / (1 + np.exp(-t))


def softmax(t: Any, axis: int) -> Any:
    power = np.exp(t - t.max(axis, keepdims=True))
    return power / power.sum(axis, keepdims=True)


def pooled(part: Any, x: Any, **tensors: Any) -> Any:
    return oracle.answer(part, x, tensors).values


def defined(spec: Any, x: Any, w: dict[str, Any], mask: Any = None) -> Any:
    """In float64, in the channels-first layout of `spec`, which it is turned to."""
    if spec.layout[1] != "C":
        own = spec.layout.replace("C", "")
        turned = spec.replace(layout="N" + "C" + own[1:])
        found = defined(turned, np.moveaxis(x, -1, 1), w, mask)
        return np.moveaxis(found, 1, -1)
    return DEFINITIONS[spec.formula](spec, x, w, {} if mask is None else {"mask": mask})


def option(spec: Any, x: Any, w: dict[str, Any], mask: Any) -> Any:
    ((name, value),) = w.items()
    each = np.broadcast_to(value, x.shape[1])
    return np.concatenate(
        [pooled(spec.parts[0].replace(**{name: v}), x[:, [c]], **mask) for c, v in enumerate(each)], 1
    )


def share(spec: Any, t: Any, axes: int) -> Any:
    t = t if spec.channels else np.expand_dims(t, 0)
    return t if spec.regions else t.reshape(*t.shape[:1], *(1,) * axes, *t.shape[1:])


def mix(spec: Any, x: Any, w: dict[str, Any], mask: Any) -> Any:
    first, second = (pooled(part, x, **mask) for part in spec.parts)
    part = sigmoid(share(spec, w["share"], x.ndim - 2))
    return part * first + (1 - part) * second


def adapool(spec: Any, x: Any, w: dict[str, Any], mask: Any) -> Any:
    """Window by window, as the oracle cuts them out."""
    rows = Rows(spec.parts[0], x, mask)
    made = np.zeros(rows.windows)
    for part in each_window(rows):
        a, m = part.cells, part.cells.mean(1, keepdims=True)
        both = a**2 + m**2
        alike = np.where(both == 0, 1, 2 * np.abs(a * m) / np.where(both == 0, 1, both))
        made[part.here] = (softmax(alike, 1) * a).sum(1)
    part = sigmoid(share(spec, w["share"], x.ndim - 2))
    return part * rows.as_result(made) + (1 - part) * pooled(spec.parts[0], x, **mask)


def gate(spec: Any, x: Any, w: dict[str, Any], mask: Any) -> Any:
    """Each window's cells, 0 in padding and under a mask, times the gate's weights, row by row."""
    cells = x if not mask else np.where(mask["mask"][:, None], x, 0)
    axes = x.ndim - 2
    for i, n in enumerate(x.shape[2:]):
        at = np.array(places(spec.parts[0], i, axes, n))
        inside = ((at >= 0) & (at < n)).reshape(*at.shape, *(1,) * (axes - 1 - i))
        cells = np.where(inside, np.take(cells, at.clip(0, n - 1), 2 + 2 * i), 0)
    cells = np.moveaxis(cells, range(3, 2 + 2 * axes, 2), range(-axes, 0))
    score = (cells.reshape(*cells.shape[: 2 + axes], -1) * share(spec, w["gate"], axes)).sum(-1)
    first, second = (pooled(part, x, **mask) for part in spec.parts)
    return sigmoid(score) * first + (1 - sigmoid(score)) * second


def lip(spec: Any, x: Any, w: dict[str, Any], mask: Any) -> Any:
    real = mask["mask"][:, None] if mask else np.ones((1, 1, *x.shape[2:]), bool)
    count = np.maximum(real.sum((2, 3), keepdims=True), 1)
    t = x
    for i in range(1, 2 + ("conv2" in w) * 2):
        kernel = w[f"conv{i}"]
        t = np.where(real, t if i == 1 else np.maximum(t, 0), 0)
        if kernel.ndim == 2:
            t = np.einsum("nchw,cd->ndhw", t, kernel)
        else:
            windows = np.lib.stride_tricks.sliding_window_view(np.pad(t, [(0, 0)] * 2 + [(1, 1)] * 2), (3, 3), (2, 3))
            t = np.einsum("nchwkl,klcd->ndhw", windows, kernel.reshape(3, 3, *kernel.shape[1:]))
        t = t - np.where(real, t, 0).sum((2, 3), keepdims=True) / count
        t = t / np.sqrt(np.where(real, t**2, 0).sum((2, 3), keepdims=True) / count + 1e-5)
        t = t * w[f"scale{i}"][:, None, None] + w[f"shift{i}"][:, None, None]
    return pooled(spec.parts[0], x, weight=np.exp(12 * sigmoid(t)), **mask)


def tokens_of(x: Any, mask: Any) -> tuple[Any, Any]:
    t = np.moveaxis(x, 1, -1).reshape(len(x), -1, x.shape[1])
    real = np.ones(t.shape[:2], bool) if not mask else mask["mask"].reshape(t.shape[:2])
    return np.where(real[..., None], t, 0), real


def as_result(spec: Any, y: Any, x: Any) -> Any:
    return y.reshape(*y.shape, *(1,) * (x.ndim - 2)) if spec.keepdims else y


def attention(spec: Any, x: Any, w: dict[str, Any], mask: Any) -> Any:
    t, real = tokens_of(x, mask)
    score = np.tanh(t @ w["score"] + w["score_bias"])
    if "gate" in w:
        score = score * sigmoid(t @ w["gate"] + w["gate_bias"])
    power = np.exp((score @ w["head"])[..., 0]) * real
    y = (power[..., None] * t).sum(1) / np.maximum(power.sum(1), 1e-30)[:, None]
    return as_result(spec, y, x)


def latent(spec: Any, x: Any, w: dict[str, Any], mask: Any) -> Any:
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


# ------------------------------------------------------------------------------------------------- as the suite asks


def answer(spec: Any, x: Array, tensors: Tensors = NONE) -> Answer:
    """The values; errors are measured against the largest number of the input and the result."""
    if spec.regions is not None and tuple(counts(spec.parts[0], x.shape)) != spec.regions:
        raise NoAnswerError("weights of another number of regions")
    values = _values(spec, {"x": x, **tensors})
    nothing = np.zeros(values.shape)
    dtype = x.dtype.name if x.dtype.name in FLOATS else "float32"
    return Answer(values, np.full(values.shape, _largest(x, values)), nothing, nothing, dtype)


def vjp(spec: Any, x: Array, cotangent: Array, tensors: Tensors = NONE, by: str = "x") -> Derivative:
    """Along each direction of one tensor by itself."""
    given = {"x": x, **tensors}
    return _gathered(given, by, cotangent, lambda along: _slope(spec, given, by, along))


def second(spec: Any, x: Array, cotangent: Array, tangent: Array, tensors: Tensors = NONE, by: str = "x") -> Derivative:
    """How <gradient, tangent> changes along each direction."""
    given = {"x": x, **tensors}
    return _gathered(given, by, cotangent, lambda along: _bend(spec, given, by, along, tangent.astype(np.float64)))


def jvp(spec: Any, x: Array, tangent: Array, tensors: Tensors = NONE, by: str = "x") -> Derivative:
    """Along one direction; its magnitude is what all directions give."""
    given = {"x": x, **tensors}
    along = tangent.astype(np.float64)
    slope = _slope(spec, given, by, along)
    size = np.abs(slope) + _largest(x, slope)
    for direction in _directions(along):
        size = size + np.abs(_slope(spec, given, by, direction))
    return Derivative(slope, np.full(size.shape, size.max(initial=0)), np.ones(size.shape, bool))


def _largest(*tensors: Array) -> float:
    return max(float(np.nanmax(np.abs(t.astype(np.float64)), initial=0)) for t in tensors)


def _values(spec: Any, given: dict[str, Array]) -> Array:
    weights = {name: given[name].astype(np.float64) for name in spec.parameters}
    mask = given.get("mask")
    found: Array = defined(spec, given["x"].astype(np.float64), weights, None if mask is None else mask > 0)
    return found


def _moved(spec: Any, given: dict[str, Array], by: str, by_how_much: Array) -> Array:
    return _values(spec, given | {by: given[by].astype(np.float64) + by_how_much})


def _slope(spec: Any, given: dict[str, Array], by: str, along: Array) -> Array:
    """How the values change along a direction, at its own length."""
    ends = [_moved(spec, given, by, sign * STEP * along) for sign in (1, -1)]
    return (ends[0] - ends[1]) / (2 * STEP)


def _bend(spec: Any, given: dict[str, Array], by: str, along: Array, tangent: Array) -> Array:
    """How the slope along one direction changes along the other."""
    corners = [_moved(spec, given, by, WIDE_STEP * (s * along + t * tangent)) * s * t for s in (1, -1) for t in (1, -1)]
    added: Array = np.sum(corners, axis=0)
    return added / (4 * WIDE_STEP**2)


def _directions(like: Array) -> Array:
    return np.eye(like.size).reshape(like.size, *like.shape)


def _gathered(given: dict[str, Array], by: str, cotangent: Array, slope: Callable[[Array], Array]) -> Derivative:
    """What the cotangent makes of the slopes along each direction.

    Slopes are measured against the largest of them, and against what the cotangent makes of the input's largest number:
    that of a bias of keys is 0, for what is added to all of them is taken off by the softmax.
    """
    t = given[by]
    parts = [slope(along) * cotangent.astype(np.float64) for along in _directions(t)]
    size = max(
        [np.abs(part).sum() for part in parts] + [_largest(given["x"]) * np.abs(cotangent).sum(dtype=np.float64)]
    )
    values = np.array([part.sum() for part in parts]).reshape(t.shape)
    return Derivative(values, np.full(t.shape, size), np.ones(t.shape, bool))
