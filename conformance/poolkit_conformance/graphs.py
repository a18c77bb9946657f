"""What pooling of graphs is: a mean field written down once, for numbers that carry their derivatives with them.

A `Moved` is a number a + b*s + c*t + d*s*t with two infinitesimals whose squares are 0, so that one run gives a
value, its slopes along two directions, and how each slope changes along the other. Many directions stand side by side
along a first axis of their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from poolkit_conformance.oracle import Answer, Derivative, NoAnswerError
from poolkit_conformance.rows import FLOATS, NONE, Array, Tensors


@dataclass(frozen=True)
class Moved:
    """Arrays whose shapes broadcast: the value, the slopes by s and by t, and that by both."""

    value: Array
    s: Array
    t: Array
    both: Array

    def parts(self) -> tuple[Array, Array, Array, Array]:
        return self.value, self.s, self.t, self.both

    def each(self, change: Any) -> Moved:
        """What is linear."""
        return Moved(*map(change, self.parts()))

    def __add__(self, other: Moved) -> Moved:
        return Moved(*(a + b for a, b in zip(self.parts(), other.parts(), strict=True)))

    def __sub__(self, other: Moved) -> Moved:
        return self + other.each(np.negative)

    def __mul__(self, other: Moved) -> Moved:
        return _product(self, other, np.multiply)

    def __matmul__(self, other: Moved) -> Moved:
        return _product(self, other, np.matmul)

    def __truediv__(self, other: Moved) -> Moved:
        v, s, t, both = other.parts()
        return self * Moved(1 / v, -s / v**2, -t / v**2, 2 * s * t / v**3 - both / v**2)

    def exp(self) -> Moved:
        e = np.exp(self.value)
        return Moved(e, e * self.s, e * self.t, e * (self.both + self.s * self.t))

    @property
    def turned(self) -> Moved:
        return self.each(lambda a: a.swapaxes(-1, -2))

    def sums(self) -> Moved:
        return self.each(lambda a: a.sum(-1, keepdims=True))

    def where(self, condition: Array, other: float = 0.0) -> Moved:
        zeros = [np.where(condition, a, 0) for a in self.parts()[1:]]
        return Moved(np.where(condition, self.value, other), *zeros)


def _product(a: Moved, b: Moved, by: Any) -> Moved:
    both = by(a.value, b.both) + by(a.both, b.value) + by(a.s, b.t) + by(a.t, b.s)
    return Moved(by(a.value, b.value), by(a.value, b.s) + by(a.s, b.value), by(a.value, b.t) + by(a.t, b.value), both)


def pooled(spec: Any, given: dict[str, Moved], mask: Array | None) -> tuple[Moved, Moved]:
    """The shares of each node in the clusters, and the result."""
    x, adjacency, unary = given["x"], given["adjacency"], given["unary"]
    nodes = x.value.shape[-2]
    real = np.ones((*x.value.shape[:-1], 1), bool) if mask is None else mask[..., None]
    x, unary = x.where(real), unary.where(real)
    adjacency = adjacency.where(real & real.swapaxes(-1, -2))
    attention = _attention(spec, x @ x.turned, ~np.eye(nodes, dtype=bool) & real.swapaxes(-1, -2))

    def of_all(name: str) -> Moved:
        """One for all graphs of a batch."""
        return given[name].each(lambda a: np.expand_dims(a, -3) if x.value.ndim == 3 else a)

    scores = unary
    for _ in range(spec.steps):
        message = attention @ _softmax(scores)
        message = message @ of_all("filter") if "filter" in given else message
        heard = message @ of_all("compatibility") if "compatibility" in given else message.each(np.negative)
        scores = unary - heard
    shares = _softmax(scores).where(real)
    return shares, _beside(shares.turned @ x, shares.turned @ adjacency @ shares)


def _beside(a: Moved, b: Moved) -> Moved:
    """Side by side along the last axis, whichever of them moves."""
    made = []
    for p, q in zip(a.parts(), b.parts(), strict=True):
        more = np.broadcast_shapes(p.shape[:-2], q.shape[:-2])
        made.append(np.concatenate([np.broadcast_to(t, (*more, *t.shape[-2:])) for t in (p, q)], -1))
    return Moved(*made)


def _attention(spec: Any, alike: Moved, others: Array) -> Moved:
    """What each node hears of every other one; nothing, where that adds up to 0."""
    weight = alike.where(others)
    if spec.attention == "softmax":
        most = np.where(others, alike.value, -np.inf).max(-1, keepdims=True)
        weight = (alike - _still(np.where(np.isfinite(most), most, 0))).where(others, -np.inf).exp()
    sums = weight.sums()
    silent = sums.value == 0
    return weight.where(~silent) / sums.where(~silent, 1.0)


def _softmax(scores: Moved) -> Moved:
    weight = (scores - _still(scores.value.max(-1, keepdims=True))).exp()
    return weight / weight.sums()


def _still(value: Array) -> Moved:
    return Moved(value, *(np.zeros(()) + 0 * value for _ in range(3)))


# --------------------------------------------------------------------------------------------------- as the suite asks


def answer(spec: Any, x: Array, tensors: Tensors = NONE) -> Answer:
    """Pooled nodes and pooled adjacency, and the same of magnitudes, which is what errors are measured against."""
    if x.shape[-2] == 0:
        raise NoAnswerError("a graph without nodes")
    given, mask = _given(x, tensors)
    shares, found = pooled(spec, given, mask)
    sizes = {name: given[name].each(np.abs) for name in ("x", "adjacency")}
    real = np.ones(x.shape[:-1], bool) if mask is None else mask
    column = real[..., None]
    size = _beside(
        shares.turned @ sizes["x"].where(column),
        shares.turned @ sizes["adjacency"].where(column & column.swapaxes(-1, -2)) @ shares,
    )
    nothing = np.zeros(found.value.shape)
    dtype = x.dtype.name if x.dtype.name in FLOATS else "float32"
    return Answer(found.value, _of_graph(size.value), nothing, nothing, dtype)


def vjp(spec: Any, x: Array, cotangent: Array, tensors: Tensors = NONE, by: str = "x") -> Derivative:
    """Along each direction of one tensor by itself."""
    moved = _run(spec, x, tensors, by, _directions(x, tensors, by), None)
    return _gathered(moved.s, cotangent, x if by == "x" else tensors[by])


def second(spec: Any, x: Array, cotangent: Array, tangent: Array, tensors: Tensors = NONE, by: str = "x") -> Derivative:
    """How <gradient, tangent> changes along each direction."""
    moved = _run(spec, x, tensors, by, _directions(x, tensors, by), tangent)
    return _gathered(moved.both, cotangent, x if by == "x" else tensors[by])


def jvp(spec: Any, x: Array, tangent: Array, tensors: Tensors = NONE, by: str = "x") -> Derivative:
    """Along one direction; its magnitude is what all directions give."""
    moved = _run(spec, x, tensors, by, tangent[None].astype(np.float64), None)
    steps = _run(spec, x, tensors, by, _directions(x, tensors, by), None).s
    along = np.abs(tangent.astype(np.float64)).reshape(-1)
    size = np.tensordot(along, np.abs(steps), 1)
    return Derivative(moved.s[0], _of_graph(size), np.ones(size.shape, bool))


def _directions(x: Array, tensors: Tensors, by: str) -> Array:
    shape = (x if by == "x" else tensors[by]).shape
    count = int(np.prod(shape))
    return np.eye(count).reshape(count, *shape)


def _run(spec: Any, x: Array, tensors: Tensors, by: str, s: Array, t: Array | None) -> Moved:
    given, mask = _given(x, tensors)
    along = np.zeros(()) if t is None else t.astype(np.float64)
    at = given[by].value
    given[by] = Moved(at, s, np.broadcast_to(along, at.shape), np.zeros_like(s))
    return pooled(spec, given, mask)[1]


def _given(x: Array, tensors: Tensors) -> tuple[dict[str, Moved], Array | None]:
    mask = tensors.get("mask")
    real = {"x": x, **{name: t for name, t in tensors.items() if name != "mask"}}
    given = {name: _still(t.astype(np.float64)) for name, t in real.items()}
    return given, None if mask is None else mask > 0 if mask.dtype != bool else mask


def _gathered(slopes: Array, cotangent: Array, like: Array) -> Derivative:
    """What the cotangent makes of the slopes along each direction, and the largest of it that any has."""
    parts = slopes * cotangent.astype(np.float64)
    axes = tuple(range(1, parts.ndim))
    size = np.full(like.shape, np.abs(parts).sum(axes).max(initial=0))
    return Derivative(parts.sum(axes).reshape(like.shape), size, np.ones(like.shape, bool))


def _of_graph(size: Array) -> Array:
    """The largest of a graph, for all of its numbers."""
    return np.broadcast_to(size.max((-2, -1), keepdims=True), size.shape)
