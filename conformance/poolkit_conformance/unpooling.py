"""What unpooling is: zeros, on which the values are put one after the other, each where its index says."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from poolkit_conformance.oracle import Answer, Derivative
from poolkit_conformance.rows import FLOATS, NONE, Array, Tensors
from poolkit_conformance.windows import pooled_axes, unpooled_shape


def answer(spec: Any, x: Array, tensors: Tensors = NONE) -> Answer:
    """Every map by itself; an index below 0, or beyond the map, is none."""
    made = _placed(spec, x, tensors["indices"], x)
    values = made.astype(np.float64) if x.dtype.name in FLOATS else made
    nothing = np.zeros(made.shape)
    return Answer(values, nothing, nothing, nothing, x.dtype.name)


def vjp(spec: Any, x: Array, cotangent: Array, tensors: Tensors = NONE, by: str = "x") -> Derivative:
    """What stands at a value's place, where that value is the one that is seen."""
    made = np.zeros(x.shape)
    for here, places in _places(spec, x.shape, tensors["indices"]):
        values, there = made[here].ravel(), cotangent[here].ravel()
        for place, cell in places.items():
            values[cell] = there[place]
        made[here] = values.reshape(made[here].shape)
    return _exactly(made)


def second(spec: Any, x: Array, cotangent: Array, tangent: Array, tensors: Tensors = NONE, by: str = "x") -> Derivative:
    """It is linear."""
    return _exactly(np.zeros(x.shape))


def jvp(spec: Any, x: Array, tangent: Array, tensors: Tensors = NONE, by: str = "x") -> Derivative:
    """The tangent, unpooled."""
    return _exactly(_placed(spec, x, tensors["indices"], tangent.astype(np.float64)))


def _exactly(values: Array) -> Derivative:
    return Derivative(values, np.zeros(values.shape), np.ones(values.shape, bool))


def _placed(spec: Any, x: Array, indices: Array, values: Array) -> Array:
    made = np.zeros(unpooled_shape(spec, x.shape), values.dtype)
    for here, places in _places(spec, x.shape, indices):
        cells, flat = values[here].ravel(), np.zeros(made[here].size, values.dtype)
        for place, cell in places.items():
            flat[place] = cells[cell]
        made[here] = flat.reshape(made[here].shape)
    return made


def _places(spec: Any, shape: tuple[int, ...], indices: Array) -> Any:
    """Of each map which cell is seen at a place."""
    pooled = pooled_axes(spec, len(shape))
    cells = math.prod(unpooled_shape(spec, shape)[at] for at in pooled)
    for place in np.ndindex(*(1 if at in pooled else n for at, n in enumerate(shape))):
        here = tuple(slice(None) if at in pooled else i for at, i in enumerate(place))
        yield here, {index: cell for cell, index in enumerate(_row_major(indices[here])) if 0 <= index < cells}


def _row_major(t: Array) -> list[int]:
    found: list[int] = t.ravel().tolist()
    return found
