"""An input as rows of cells, one for each batch and channel, with its pooled axes last; and the way back."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from poolkit_conformance.fractions import numbers
from poolkit_conformance.further import real, spread
from poolkit_conformance.threefry import in_layout, uniform
from poolkit_conformance.windows import Box, boxes, counts, layout_of, lines_of, pooled_axes

Array = np.ndarray[Any, Any]

FLOATS = ("float16", "bfloat16", "float32", "float64")


Tensors = Mapping[str, Array]  # those besides the input
NONE: Tensors = {}


class Part(NamedTuple):
    """The real cells of one window, in row-major order: of all rows, or where there is a mask of one."""

    rows: slice
    box: Box
    flat: Array  # positions in the map
    cells: Array
    weights: Array | None
    divisor: Array  # of an average, for each row: a count, or the sum of the weights
    samples: Array | None  # of each row, and the dtype of the input
    dtype: str
    inner: tuple[Array, ...] | None = None  # of an average of maxima: which of the cells each of these is of

    @property
    def counted(self) -> Array:
        """What is added up."""
        return self.cells if self.weights is None else self.weights * self.cells

    @property
    def place(self) -> Any:
        """What picks these cells out of all rows."""
        return self.rows, self.flat

    @property
    def here(self) -> Any:
        """What picks the window's results."""
        return (self.rows, *self.box.at)


class Rows:
    """An input with its pooled axes last and as one, and all others as one, and the way back into the layout."""

    def __init__(self, spec: Any, x: Array, tensors: Tensors = NONE) -> None:
        self.spec = spec
        self.shape = x.shape
        self.pooled = pooled_axes(spec, x.ndim)
        self.last = tuple(range(-len(self.pooled), 0))
        self.keepdims = spec.keepdims
        self.sizes = tuple(x.shape[axis] for axis in self.pooled)
        self.kept = tuple(n for axis, n in enumerate(x.shape) if axis not in self.pooled)
        self.cells = self._rows(x.astype(np.float64) if x.dtype.name in FLOATS else x)
        self.windows = (len(self.cells), *counts(spec, x.shape))
        weight, mask, samples = (tensors.get(name) for name in ("weight", "mask", "samples"))
        self.samples = self.moved = self.lines = None
        letters = layout_of(spec, x.ndim).rjust(x.ndim, ".")
        if spec.kind == "fractional_max":
            drawn = samples is not None or "key" in tensors
            self.moved = numbers(letters, self.pooled, x.shape, tensors) if drawn else None
        elif spec.kind == "s3":
            if samples is None and "key" in tensors:
                samples = uniform(tensors["key"], lines_of(spec, x.shape))
            self.lines = None if samples is None else [samples[:, i].tolist() for i in range(len(self.pooled))]
        elif samples is not None:
            self.samples = self.like_result(samples)
        elif "key" in tensors:
            self.samples = self._moved(in_layout(letters, tensors["key"], self._result()))
        self.dtype = x.dtype.name
        self.weights = None if weight is None else self.like(spread(spec, weight, x.shape))
        self.mask = None if mask is None else self._rows(real(spec, mask, x.shape))

    def _rows(self, t: Array) -> Array:
        moved = np.moveaxis(t, self.pooled, self.last)
        return moved.reshape(math.prod(self.kept), math.prod(self.sizes))

    def like(self, other: Array) -> Array:
        """A tensor of the input's shape, in the same rows."""
        return self._rows(other.astype(np.float64))

    def like_result(self, g: Array) -> Array:
        """A tensor of the result's shape, in rows."""
        g = g.astype(np.float64)
        return self._moved(g) if self.keepdims else g.reshape(self.windows)

    def _moved(self, g: Array) -> Array:
        return np.moveaxis(g, self.pooled, self.last).reshape(self.windows)

    def _result(self) -> tuple[int, ...]:
        """The shape of the result before axes are dropped."""
        sizes = list(self.shape)
        for axis, n in zip(self.pooled, self.windows[1:], strict=True):
            sizes[axis] = n
        return tuple(sizes)

    def as_input(self, rows: Array) -> Array:
        return np.moveaxis(rows.reshape(*self.kept, *self.sizes), self.last, self.pooled)

    def as_result(self, rows: Array) -> Array:
        if not self.keepdims:
            return rows.reshape(self.kept)
        return np.moveaxis(rows.reshape(*self.kept, *rows.shape[1:]), self.last, self.pooled)


def each_window(rows: Rows) -> Iterator[Part]:
    """Every window that holds a real cell: one row for each batch and channel; with a mask row by row."""
    if rows.moved is not None:
        yield from _each_moved(rows, rows.moved)
        return
    for box in boxes(rows.spec, rows.shape, rows.lines):
        flat = flat_positions(box, rows.sizes)
        if rows.mask is None:
            yield _part(rows, slice(None), box, flat, box.divisor)
            continue
        for i in range(len(rows.cells)):
            there = flat[rows.mask[i, flat]]
            if len(there):
                counted = box.divisor if rows.spec.divisor_override is not None else float(len(there))
                yield _part(rows, slice(i, i + 1), box, there, counted)


def _each_moved(rows: Rows, moved: Array) -> Iterator[Part]:
    """Windows that are others in each row."""
    for i, by in enumerate(moved):
        for box in boxes(rows.spec, rows.shape, by.tolist()):
            flat = flat_positions(box, rows.sizes)
            there = flat if rows.mask is None else flat[rows.mask[i, flat]]
            if len(there):
                yield _part(rows, slice(i, i + 1), box, there, 1)


def _part(rows: Rows, some: slice, box: Box, flat: Array, divisor: float) -> Part:
    cells = rows.cells[some, flat]
    weights = None if rows.weights is None else rows.weights[some, flat]
    if box.weights is not None:  # a blur's, which are the same for all rows
        products = [float(math.prod(along)) for along in itertools.product(*box.weights)]
        weights = np.broadcast_to(np.array(products), cells.shape)
    divisors = np.full(len(cells), divisor)
    if weights is not None and box.weights is None and rows.spec.divisor_override is None:
        divisors = np.array([math.fsum(row) for row in weights.tolist()])
    here: Any = (some, *box.at)
    samples = None if rows.samples is None else rows.samples[here]
    return Part(some, box, flat, cells, weights, divisors, samples, rows.dtype, _inner(rows, box, flat))


def _inner(rows: Rows, box: Box, flat: Array) -> tuple[Array, ...] | None:
    """Of an average of maxima: where the cells of each of them stand among those that there are."""
    if box.inner is None:
        return None
    each = [np.ravel_multi_index(np.ix_(*along), rows.sizes).ravel() for along in itertools.product(*box.inner)]
    found = [np.flatnonzero(np.isin(flat, cells)) for cells in each]
    return tuple([places for places in found if len(places)])


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


def note_nans(free: dict[tuple[int, ...], frozenset[int]], part: Part) -> None:
    if part.cells.dtype.kind != "f":
        return
    for row in np.flatnonzero(np.isnan(part.cells).any(1)):
        at = int(row) + (part.rows.start or 0)
        free[(at, *part.box.at)] = frozenset(part.flat[np.isnan(part.cells[row])].tolist())


def moved(free: dict[tuple[int, ...], frozenset[int]], rows: Rows) -> dict[tuple[int, ...], frozenset[int]]:
    """The same notes, by place in the result's own layout."""
    if not free:
        return {}
    numbered = rows.as_result(np.arange(math.prod(rows.windows)).reshape(rows.windows))
    where = {int(number): place for place, number in np.ndenumerate(numbered)}
    return {where[int(np.ravel_multi_index(at, rows.windows))]: allowed for at, allowed in free.items()}


def totals(cells: Array) -> Array:
    """The sum of each row, rounded once."""
    return np.array([_exact_sum(row) for row in cells.tolist()], np.float64)


def _exact_sum(row: list[Any]) -> float:
    """Integers add up exactly by themselves; floats by `fsum`, which rounds once."""
    if row and isinstance(row[0], int):
        return float(sum(row))
    try:
        return math.fsum(row)
    except ValueError:  # inf - inf
        return math.nan
    except OverflowError:  # on the way to a sum that may be finite
        return math.fsum([x * 2.0**-99 for x in row]) * 2.0**99
