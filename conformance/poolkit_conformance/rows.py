"""An input as rows of cells, one for each batch and channel, with its pooled axes last; and the way back."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from poolkit_conformance.windows import Box, boxes, counts, pooled_axes

Array = np.ndarray[Any, Any]

FLOATS = ("float16", "bfloat16", "float32", "float64")


class Rows:
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


def each_window(spec: Any, x: Array, rows: Rows) -> Iterator[tuple[Box, Array]]:
    """Every window with its real cells: one row for each batch and channel, in row-major order."""
    for box in boxes(spec, x.shape):
        yield box, rows.cells[cells_of(box)].reshape(len(rows.cells), math.prod(map(len, box.cells)))


def result_of(box: Box) -> Any:
    """What picks a window's result: all rows, and its place."""
    return (slice(None), *box.at)


def cells_of(box: Box) -> Any:
    """What picks a window's cells out of the rows: all rows, and a grid of positions."""
    grid = np.ix_(*box.cells)
    return (slice(None), *grid)


def on_grid(cells: Array, box: Box) -> Array:
    return cells.reshape(len(cells), *map(len, box.cells))


def flat_positions(box: Box, sizes: tuple[int, ...]) -> Array:
    """The flat position of every cell of a window, row-major over the unpadded pooled axes."""
    return np.ravel_multi_index(np.ix_(*box.cells), sizes).ravel()


def add_exactly(total: Array, lost: Array, place: Any, part: Array) -> None:
    """Add in place, and keep what rounding loses: thousands of windows may share a cell."""
    old = total[place]
    new = old + part
    with np.errstate(invalid="ignore"):
        slip = np.where(np.abs(old) >= np.abs(part), (old - new) + part, (part - new) + old)
    lost[place] += np.where(np.isfinite(slip), slip, 0)
    total[place] = new


def note_nans(free: dict[tuple[int, ...], frozenset[int]], box: Box, flat: Array, cells: Array) -> None:
    if cells.dtype.kind != "f":
        return
    for row in np.flatnonzero(np.isnan(cells).any(1)):
        free[(int(row), *box.at)] = frozenset(flat[np.isnan(cells[row])].tolist())


def moved(free: dict[tuple[int, ...], frozenset[int]], rows: Rows) -> dict[tuple[int, ...], frozenset[int]]:
    """The same notes, by place in the result's own layout."""
    if not free:
        return {}
    numbered = rows.as_result(np.arange(math.prod(rows.windows)).reshape(rows.windows))
    where = {int(number): place for place, number in np.ndenumerate(numbered)}
    return {where[int(np.ravel_multi_index(at, rows.windows))]: allowed for at, allowed in free.items()}
