"""What segments are: the rows of each, pooled as a whole axis by the definition of the kind; without rows, a number."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from poolkit import PoolSpec
from poolkit_conformance import oracle
from poolkit_conformance.oracle import Answer, Derivative
from poolkit_conformance.rows import FLOATS, NONE, Array, Tensors
from poolkit_conformance.tolerances import SELECTIONS


def answer(spec: Any, x: Array, tensors: Tensors = NONE) -> Answer:
    """One row for each segment."""
    shape = (spec.num_segments, *x.shape[1:])
    exact = spec.kind in SELECTIONS
    values = np.full(shape, spec.empty_value).astype(x.dtype if exact and x.dtype.name not in FLOATS else np.float64)
    magnitude, lowest, highest = (np.zeros(shape) for _ in range(3))
    for s, rows in _segments(spec, tensors):
        found = oracle.answer(_whole(spec), x[rows])
        values[s] = found.values[0]
        magnitude[s], lowest[s], highest[s] = found.magnitude[0], found.lowest[0], found.highest[0]
    dtype = x.dtype.name if exact or x.dtype.name in FLOATS else "float32"
    return Answer(values, magnitude, lowest, highest, dtype)


def vjp(spec: Any, x: Array, cotangent: Array, tensors: Tensors = NONE, by: str = "x") -> Derivative:
    """What each segment gives to its rows; a row that is dropped has gradient 0."""
    return _by_rows(spec, x, tensors, lambda part, cells, s, rows: oracle.vjp(part, cells, cotangent[s : s + 1]))


def second(spec: Any, x: Array, cotangent: Array, tangent: Array, tensors: Tensors = NONE, by: str = "x") -> Derivative:
    """The same of the second derivative."""
    return _by_rows(
        spec,
        x,
        tensors,
        lambda part, cells, s, rows: oracle.second(part, cells, cotangent[s : s + 1], tangent[rows]),
    )


def jvp(spec: Any, x: Array, tangent: Array, tensors: Tensors = NONE, by: str = "x") -> Derivative:
    """How each segment changes."""
    made = _nothing((spec.num_segments, *x.shape[1:]))
    for s, rows in _segments(spec, tensors):
        _put(made, [s], oracle.jvp(_whole(spec), x[rows], tangent[rows]))
    return made


def _by_rows(spec: Any, x: Array, tensors: Tensors, derived: Any) -> Derivative:
    made = _nothing(x.shape)
    for s, rows in _segments(spec, tensors):
        _put(made, rows, derived(_whole(spec), x[rows], s, rows))
    return made


def _nothing(shape: tuple[int, ...]) -> Derivative:
    return Derivative(np.zeros(shape), np.zeros(shape), np.ones(shape, bool))


def _put(made: Derivative, rows: Any, part: Derivative) -> None:
    made.values[rows], made.magnitude[rows], made.defined[rows] = part.values, part.magnitude, part.defined


def _segments(spec: Any, tensors: Tensors) -> Iterator[tuple[int, Array]]:
    """Each segment that has rows, and which."""
    for s in range(spec.num_segments):
        rows = np.flatnonzero(tensors["ids"] == s)
        if len(rows):
            yield s, rows


def _whole(spec: Any) -> PoolSpec:
    return PoolSpec(spec.kind, output_size=1, layout=spec.layout, axes=spec.layout[0])
