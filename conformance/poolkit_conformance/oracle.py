"""What pooling is: loops over windows in float64, with sums that are exact. Slow, and meant to be read.

Written from section 2 of the design. It reads the attributes of a spec, and shares no code with poolkit or an adapter.
Every answer comes with the magnitude that its error is measured against.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from poolkit_conformance import outside
from poolkit_conformance.rows import (
    FLOATS,
    Rows,
    add_exactly,
    cells_of,
    each_window,
    flat_positions,
    moved,
    note_nans,
    on_grid,
    result_of,
)
from poolkit_conformance.windows import NoAnswerError, pooled_axes

__all__ = ["Answer", "Derivative", "NoAnswerError", "answer", "jvp", "second", "vjp"]

Array = np.ndarray[Any, Any]

SELECTIONS = ("max", "min")


@dataclass(frozen=True)
class Answer:
    """Values (float64, or the input's own integers) and, where the spec asks for them, indices."""

    values: Array
    magnitude: Array  # of each value: what its error may be measured against
    dtype: str
    indices: Array | None = None
    # Where a window holds several NaNs, each of their positions is right: place in the result -> positions.
    free: dict[tuple[int, ...], frozenset[int]] = field(default_factory=dict)


@dataclass(frozen=True)
class Derivative:
    """A gradient or tangent, the magnitude of what was added up, and where it is defined (no NaN in the window)."""

    values: Array
    magnitude: Array
    defined: Array


def answer(spec: Any, x: Array) -> Answer:
    """Pool `x`; raises `NoAnswerError` where the definition gives nothing."""
    rows = Rows(spec, x)
    selects = spec.kind in SELECTIONS or outside.selects(spec.kind)
    values = np.zeros(rows.windows, rows.cells.dtype if selects else np.float64)
    magnitude = np.zeros(rows.windows)
    indices = np.zeros(rows.windows, np.int64)
    free: dict[tuple[int, ...], frozenset[int]] = {}
    sizes = tuple(x.shape[axis] for axis in pooled_axes(spec, x.ndim))
    for box, cells in each_window(spec, x, rows):
        here = result_of(box)
        values[here], magnitude[here] = VALUES.get(spec.kind, outside.values)(spec, cells, box.divisor)
        if spec.kind in SELECTIONS:
            flat = flat_positions(box, sizes)
            indices[here] = flat[_first(spec.kind, cells)]
            note_nans(free, box, flat, cells)
    return Answer(
        rows.as_result(values),
        rows.as_result(magnitude),
        x.dtype.name if selects or x.dtype.name in FLOATS else "float32",
        rows.as_result(indices) if spec.indices else None,
        moved(free, rows) if spec.indices else {},
    )


def vjp(spec: Any, x: Array, cotangent: Array) -> Derivative:
    """The gradient of sum(cotangent * pool(x)): what each window gives to its cells, added up without rounding."""
    rows = Rows(spec, x)
    given = rows.like_result(cotangent)
    shape = rows.cells.shape
    total, lost, magnitude, defined = np.zeros(shape), np.zeros(shape), np.zeros(shape), np.ones(shape, bool)
    for box, cells in each_window(spec, x, rows):
        g = given[result_of(box)][:, None]
        slope, size = _slopes(spec, cells, box.divisor)
        place = cells_of(box)
        add_exactly(total, lost, place, on_grid(slope * g, box))
        magnitude[place] += on_grid(size * np.abs(g), box)
        defined[place] &= on_grid(_without_nan(cells), box)
    return Derivative(rows.as_input(total + lost), rows.as_input(magnitude), rows.as_input(defined))


def jvp(spec: Any, x: Array, tangent: Array) -> Derivative:
    """How the result changes when `x` moves along `tangent`."""
    rows = Rows(spec, x)
    along = rows.like(tangent)
    values, magnitude, defined = np.zeros(rows.windows), np.zeros(rows.windows), np.ones(rows.windows, bool)
    for box, cells in each_window(spec, x, rows):
        here = result_of(box)
        slope, size = _slopes(spec, cells, box.divisor)
        u = along[cells_of(box)].reshape(cells.shape)
        values[here] = _totals(slope * u)
        magnitude[here] = _totals(size * np.abs(u))
        defined[here] = ~np.isnan(cells).any(1)
    return Derivative(rows.as_result(values), rows.as_result(magnitude), rows.as_result(defined))


def second(spec: Any, x: Array, cotangent: Array, tangent: Array) -> Derivative:
    """The gradient, with respect to `x`, of <vjp(x, cotangent), tangent>: zero for what is linear in pieces."""
    rows = Rows(spec, x)
    given, along = rows.like_result(cotangent), rows.like(tangent)
    shape = rows.cells.shape
    total, magnitude, defined = np.zeros(shape), np.zeros(shape), np.ones(shape, bool)
    for box, cells in each_window(spec, x, rows):
        place = cells_of(box)
        defined[place] &= on_grid(_without_nan(cells), box)
        if spec.kind in CURVATURES or spec.kind not in VALUES:
            g = given[result_of(box)][:, None]
            curvature = CURVATURES.get(spec.kind, outside.curvature)
            slope, size = curvature(spec, cells, along[place].reshape(cells.shape))
            total[place] += on_grid(slope * g, box)
            magnitude[place] += on_grid(size * np.abs(g), box)
    return Derivative(rows.as_input(total), rows.as_input(magnitude), rows.as_input(defined))


def _without_nan(cells: Array) -> Array:
    """For every cell whether its window is free of NaN; the gradient through any other is not specified."""
    free: Array = np.broadcast_to(~np.isnan(cells).any(1, keepdims=True), cells.shape)
    return free


# ------------------------------------------------------------------------- one window: rows of cells in row-major order


def _first(kind: str, cells: Array) -> Array:
    """The first of the extreme cells; where there are NaNs, the first of those. (NumPy does both.)."""
    place: Array = np.argmax(cells, 1) if kind == "max" else np.argmin(cells, 1)
    return place


def _totals(cells: Array) -> Array:
    return np.array([_exact_sum(row) for row in cells.tolist()], np.float64)


def _exact_sum(row: list[Any]) -> float:
    """Integers add up exactly by themselves; floats by `fsum`, which rounds once."""
    if row and isinstance(row[0], int):
        return float(sum(row))
    try:
        return math.fsum(row)
    except ValueError:  # inf - inf
        return math.nan


def _average(spec: Any, cells: Array, divisor: float) -> tuple[Array, Array]:
    return _totals(cells) / divisor, _totals(np.abs(cells.astype(np.float64))) / abs(divisor)


def _sum(spec: Any, cells: Array, divisor: float) -> tuple[Array, Array]:
    return _totals(cells), _totals(np.abs(cells.astype(np.float64)))


def _select(spec: Any, cells: Array, divisor: float) -> tuple[Array, Array]:
    chosen = np.take_along_axis(cells, _first(spec.kind, cells)[:, None], 1)[:, 0]
    return chosen, np.zeros(len(chosen))


def _softmax(spec: Any, cells: Array, divisor: float) -> tuple[Array, Array]:
    a = cells.astype(np.float64)
    return _totals(_weights(spec.beta, a) * a), np.abs(a).max(1, initial=0)


VALUES: dict[str, Callable[[Any, Array, float], tuple[Array, Array]]] = {
    "avg": _average,
    "sum": _sum,
    "max": _select,
    "min": _select,
    "softmax": _softmax,
}


def _weights(beta: float, a: Array) -> Array:
    """softmax(beta * a) along a row."""
    with np.errstate(over="ignore"):  # cells that are too far apart for a difference have weight 0
        differences = a - (a.max(1, keepdims=True) if beta > 0 else a.min(1, keepdims=True))
        power = np.exp(beta * differences if beta else np.zeros_like(a))
    weights: Array = power / _totals(power)[:, None]
    return weights


def _slopes(spec: Any, cells: Array, divisor: float) -> tuple[Array, Array]:
    """dy/da of every cell of a window, and the magnitude of it."""
    if spec.kind in SELECTIONS:
        one_hot = np.zeros(cells.shape)
        one_hot[np.arange(len(cells)), _first(spec.kind, cells)] = 1
        return one_hot, one_hot
    if spec.kind == "softmax":
        return _softmax_slopes(spec, cells)
    if spec.kind not in VALUES:
        return outside.slopes(spec, cells)
    slope = np.full(cells.shape, 1 / divisor if spec.kind == "avg" else 1.0)
    return slope, np.abs(slope)


def _softmax_slopes(spec: Any, cells: Array) -> tuple[Array, Array]:
    """w_j * (1 + beta * (a_j - y)); the published "semi" gradient takes the weights as constants, and is w_j."""
    w = _weights(spec.beta, cells)
    largest = np.abs(cells).max(1, keepdims=True)
    size = np.broadcast_to(1 + 2 * abs(spec.beta) * largest, cells.shape)
    if spec.grad == "semi":
        return w, size
    y = _totals(w * cells)[:, None]
    with np.errstate(over="ignore", invalid="ignore"):
        return np.where(w == 0, 0.0, w * (1 + spec.beta * (cells - y))), size


def _softmax_curvature(spec: Any, cells: Array, u: Array) -> tuple[Array, Array]:
    """The derivative of sum_j u_j * w_j * (1 + beta * (a_j - y)) with respect to each a_k, by the product rule."""
    if spec.grad == "semi":
        return np.zeros(cells.shape), np.zeros(cells.shape)
    beta = spec.beta
    w = _weights(beta, cells)
    y = _totals(w * cells)[:, None]
    slope = w * (1 + beta * (cells - y))
    u_slope, u_w = _totals(u * slope)[:, None], _totals(u * w)[:, None]
    size = abs(beta) * (1 + 2 * abs(beta) * np.abs(cells).max(1, keepdims=True)) * np.abs(u).max(1, keepdims=True)
    return beta * (u * slope - w * u_slope + u * w - slope * u_w), np.broadcast_to(4 * size, cells.shape)


CURVATURES = {"softmax": _softmax_curvature}


def kinds() -> tuple[str, ...]:
    """The kinds that have a definition, those from outside too."""
    return (*VALUES, *outside.kinds())
