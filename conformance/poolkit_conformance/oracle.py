"""What pooling is: loops over windows in float64, with sums that are exact. Slow, and meant to be read.

Written from section 2 of the design. It reads the attributes of a spec, and shares no code with poolkit or an adapter.
Every answer comes with the magnitude that its error is measured against.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from poolkit_conformance.windows import Box, NoAnswerError, boxes, counts, pooled_axes

__all__ = ["Answer", "Derivative", "NoAnswerError", "answer", "jvp", "second", "vjp"]

Array = np.ndarray[Any, Any]

SELECTIONS = ("max", "min")
FLOATS = ("float16", "bfloat16", "float32", "float64")


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
    rows = _Rows(spec, x)
    selects = spec.kind in SELECTIONS
    values = np.zeros(rows.windows, rows.cells.dtype if selects else np.float64)
    magnitude = np.zeros(rows.windows)
    indices = np.zeros(rows.windows, np.int64)
    free: dict[tuple[int, ...], frozenset[int]] = {}
    sizes = tuple(x.shape[axis] for axis in pooled_axes(spec, x.ndim))
    for box, cells in _windows(spec, x, rows):
        here = _at(box)
        values[here], magnitude[here] = VALUES[spec.kind](spec, cells, box.divisor)
        if selects:
            flat = _flat(box, sizes)
            indices[here] = flat[_first(spec.kind, cells)]
            _note_nans(free, box, flat, cells)
    return Answer(
        rows.as_result(values),
        rows.as_result(magnitude),
        x.dtype.name if selects or x.dtype.name in FLOATS else "float32",
        rows.as_result(indices) if spec.indices else None,
        _moved(free, rows) if spec.indices else {},
    )


def vjp(spec: Any, x: Array, cotangent: Array) -> Derivative:
    """The gradient of sum(cotangent * pool(x)): what each window gives to its cells, added up without rounding."""
    rows = _Rows(spec, x)
    given = rows.like_result(cotangent)
    shape = rows.cells.shape
    total, lost, magnitude, defined = np.zeros(shape), np.zeros(shape), np.zeros(shape), np.ones(shape, bool)
    for box, cells in _windows(spec, x, rows):
        g = given[_at(box)][:, None]
        slope, size = _slopes(spec, cells, box.divisor)
        place = _place(box)
        _add_exactly(total, lost, place, _on_grid(slope * g, box))
        magnitude[place] += _on_grid(size * np.abs(g), box)
        defined[place] &= _on_grid(_without_nan(cells), box)
    return Derivative(rows.as_input(total + lost), rows.as_input(magnitude), rows.as_input(defined))


def jvp(spec: Any, x: Array, tangent: Array) -> Derivative:
    """How the result changes when `x` moves along `tangent`."""
    rows = _Rows(spec, x)
    along = rows.like(tangent)
    values, magnitude, defined = np.zeros(rows.windows), np.zeros(rows.windows), np.ones(rows.windows, bool)
    for box, cells in _windows(spec, x, rows):
        here = _at(box)
        slope, size = _slopes(spec, cells, box.divisor)
        u = along[_place(box)].reshape(cells.shape)
        values[here] = _totals(slope * u)
        magnitude[here] = _totals(size * np.abs(u))
        defined[here] = ~np.isnan(cells).any(1)
    return Derivative(rows.as_result(values), rows.as_result(magnitude), rows.as_result(defined))


def second(spec: Any, x: Array, cotangent: Array, tangent: Array) -> Derivative:
    """The gradient, with respect to `x`, of <vjp(x, cotangent), tangent>: zero for what is linear in pieces."""
    rows = _Rows(spec, x)
    given, along = rows.like_result(cotangent), rows.like(tangent)
    shape = rows.cells.shape
    total, magnitude, defined = np.zeros(shape), np.zeros(shape), np.ones(shape, bool)
    for box, cells in _windows(spec, x, rows):
        place = _place(box)
        defined[place] &= _on_grid(_without_nan(cells), box)
        if spec.kind == "softmax" and spec.grad == "exact":
            g = given[_at(box)][:, None]
            slope, size = _softmax_curvature(spec.beta, cells, along[place].reshape(cells.shape))
            total[place] += _on_grid(slope * g, box)
            magnitude[place] += _on_grid(size * np.abs(g), box)
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
    power = np.exp(beta * a - (beta * a).max(1, keepdims=True))
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
    return w * (1 + spec.beta * (cells - y)), size


def _softmax_curvature(beta: float, cells: Array, u: Array) -> tuple[Array, Array]:
    """The derivative of sum_j u_j * w_j * (1 + beta * (a_j - y)) with respect to each a_k, by the product rule."""
    w = _weights(beta, cells)
    y = _totals(w * cells)[:, None]
    slope = w * (1 + beta * (cells - y))
    u_slope, u_w = _totals(u * slope)[:, None], _totals(u * w)[:, None]
    size = abs(beta) * (1 + 2 * abs(beta) * np.abs(cells).max(1, keepdims=True)) * np.abs(u).max(1, keepdims=True)
    return beta * (u * slope - w * u_slope + u * w - slope * u_w), np.broadcast_to(4 * size, cells.shape)


# -------------------------------------------------------------------------------------- from tensors to rows and back


class _Rows:
    """An input with its pooled axes last and all others as one, and the way back into the layout."""

    def __init__(self, spec: Any, x: Array) -> None:
        self.pooled = pooled_axes(spec, x.ndim)
        self.last = tuple(range(-len(self.pooled), 0))
        self.keepdims = spec.keepdims
        moved = np.moveaxis(x.astype(np.float64) if x.dtype.name in FLOATS else x, self.pooled, self.last)
        self.kept = moved.shape[: x.ndim - len(self.pooled)]
        self.cells = moved.reshape(math.prod(self.kept), *moved.shape[len(self.kept) :])
        self.windows = (len(self.cells), *counts(spec, x.shape))

    def like(self, other: Array) -> Array:
        """A tensor of the input's shape, in the same rows."""
        return np.moveaxis(other.astype(np.float64), self.pooled, self.last).reshape(self.cells.shape)

    def like_result(self, g: Array) -> Array:
        """A tensor of the result's shape, in rows."""
        g = g.astype(np.float64)
        return (np.moveaxis(g, self.pooled, self.last) if self.keepdims else g).reshape(self.windows)

    def as_input(self, rows: Array) -> Array:
        return np.moveaxis(rows.reshape(*self.kept, *rows.shape[1:]), self.last, self.pooled)

    def as_result(self, rows: Array) -> Array:
        return self.as_input(rows) if self.keepdims else rows.reshape(self.kept)


def _windows(spec: Any, x: Array, rows: _Rows) -> Iterator[tuple[Box, Array]]:
    """Every window with its real cells: one row for each batch and channel, in row-major order."""
    for box in boxes(spec, x.shape):
        yield box, rows.cells[_place(box)].reshape(len(rows.cells), math.prod(map(len, box.cells)))


def _at(box: Box) -> Any:
    """What picks a window's result: all rows, and its place."""
    return (slice(None), *box.at)


def _place(box: Box) -> Any:
    """What picks a window's cells out of the rows: all rows, and a grid of positions."""
    grid = np.ix_(*box.cells)
    return (slice(None), *grid)


def _on_grid(cells: Array, box: Box) -> Array:
    return cells.reshape(len(cells), *map(len, box.cells))


def _flat(box: Box, sizes: tuple[int, ...]) -> Array:
    """The flat position of every cell of a window, row-major over the unpadded pooled axes."""
    return np.ravel_multi_index(np.ix_(*box.cells), sizes).ravel()


def _add_exactly(total: Array, lost: Array, place: Any, part: Array) -> None:
    """Add in place, and keep what rounding loses: thousands of windows may share a cell."""
    old = total[place]
    new = old + part
    with np.errstate(invalid="ignore"):
        slip = np.where(np.abs(old) >= np.abs(part), (old - new) + part, (part - new) + old)
    lost[place] += np.where(np.isfinite(slip), slip, 0)
    total[place] = new


def _note_nans(free: dict[tuple[int, ...], frozenset[int]], box: Box, flat: Array, cells: Array) -> None:
    if cells.dtype.kind != "f":
        return
    for row in np.flatnonzero(np.isnan(cells).any(1)):
        free[(int(row), *box.at)] = frozenset(flat[np.isnan(cells[row])].tolist())


def _moved(free: dict[tuple[int, ...], frozenset[int]], rows: _Rows) -> dict[tuple[int, ...], frozenset[int]]:
    """The same notes, by place in the result's own layout."""
    if not free:
        return {}
    numbered = rows.as_result(np.arange(math.prod(rows.windows)).reshape(rows.windows))
    where = {int(number): place for place, number in np.ndenumerate(numbered)}
    return {where[int(np.ravel_multi_index(at, rows.windows))]: allowed for at, allowed in free.items()}
