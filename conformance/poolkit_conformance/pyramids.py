"""What a pyramid is: each level by its own definition, then level by level the channels, of each its bins in order.

The maps of a tuple are compared as one vector, too.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from poolkit_conformance import oracle
from poolkit_conformance.mixes import added
from poolkit_conformance.oracle import Answer, Derivative
from poolkit_conformance.rows import NONE, Array, Tensors
from poolkit_conformance.windows import channel_axis, counts, pooled_axes


def answer(spec: Any, x: Array, tensors: Tensors = NONE) -> Answer:
    """All numbers of a row in one line."""
    found = [oracle.answer(part, x, tensors) for part in spec.parts]
    names = ("values", "magnitude", "lowest", "highest")
    values, *sizes = [joined(spec, [getattr(a, name) for a in found], x.ndim) for name in names]
    return Answer(values, sizes[0], sizes[1], sizes[2], found[0].dtype)


def vjp(spec: Any, x: Array, cotangent: Array, tensors: Tensors = NONE, by: str = "x") -> Derivative:
    """What all levels give to a cell."""
    parts = zip(spec.parts, apart(spec, x, cotangent.astype(np.float64)), strict=True)
    return added([oracle.vjp(part, x, g, tensors, by) for part, g in parts])


def second(spec: Any, x: Array, cotangent: Array, tangent: Array, tensors: Tensors = NONE, by: str = "x") -> Derivative:
    """The same of the second derivative."""
    parts = zip(spec.parts, apart(spec, x, cotangent.astype(np.float64)), strict=True)
    return added([oracle.second(part, x, g, tangent, tensors, by) for part, g in parts])


def jvp(spec: Any, x: Array, tangent: Array, tensors: Tensors = NONE, by: str = "x") -> Derivative:
    """How each level changes."""
    found = [oracle.jvp(part, x, tangent, tensors, by) for part in spec.parts]
    names = ("values", "magnitude", "defined")
    return Derivative(*[joined(spec, [getattr(d, name) for d in found], x.ndim) for name in names])


def joined(spec: Any, maps: list[Array], rank: int) -> Array:
    """The vectors of all maps."""
    inner = _inner(spec, rank)
    last = tuple(range(-len(inner), 0))
    flat = [np.moveaxis(m, inner, last) for m in maps]
    outer = rank - len(inner)
    return np.concatenate([m.reshape(*m.shape[:outer], math.prod(m.shape[outer:])) for m in flat], -1)


def _inner(spec: Any, rank: int) -> tuple[int, ...]:
    at = channel_axis(spec, rank)
    return ((at,) if at < rank else ()) + pooled_axes(spec, rank)


def apart(spec: Any, x: Array, vector: Array) -> list[Array]:
    """What of a vector belongs to each level, in the form of its map."""
    inner, made, start = _inner(spec, x.ndim), list[Array](), 0
    outer = tuple(n for at, n in enumerate(x.shape) if at not in inner)
    channels = tuple(x.shape[at] for at in inner[: len(inner) - len(pooled_axes(spec, x.ndim))])
    for part in spec.parts:
        sizes = (*channels, *counts(part, x.shape))
        stop = start + math.prod(sizes)
        made.append(np.moveaxis(vector[..., start:stop].reshape(outer + sizes), tuple(range(-len(inner), 0)), inner))
        start = stop
    return made
