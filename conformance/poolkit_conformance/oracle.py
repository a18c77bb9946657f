"""What pooling is: loops over windows in float64, with sums that are exact. Slow, and meant to be read.

Written from docs/semantics.md. It reads the attributes of a spec, and shares no code with poolkit or an adapter.
Every answer comes with the magnitude that its error is measured against.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from poolkit_conformance import analytic, deviations, draws, outside, strips
from poolkit_conformance.further import gathered, spread
from poolkit_conformance.rows import (
    FLOATS,
    NONE,
    Part,
    Rows,
    Tensors,
    add_exactly,
    each_window,
    moved,
    note_nans,
    totals,
)
from poolkit_conformance.tolerances import PLACES, SELECTIONS, SUMS, in_a_row
from poolkit_conformance.windows import NoAnswerError

__all__ = ["Answer", "Derivative", "NoAnswerError", "answer", "jvp", "second", "vjp"]

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Answer:
    """Values (float64, or the input's own integers) and, where the spec asks for them, indices."""

    values: Array
    magnitude: Array  # of each value: what its error may be measured against
    # The sums of a window's finite cells below 0, and above: between them is every sum of some of its cells.
    lowest: Array
    highest: Array
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


def answer(spec: Any, x: Array, tensors: Tensors = NONE) -> Answer:
    """Pool `x`; raises `NoAnswerError` where the definition gives nothing."""
    rows = Rows(spec, x, tensors)
    selects = spec.kind in SELECTIONS or outside.selects(spec.kind)
    values = np.zeros(rows.windows, rows.cells.dtype if selects else np.float64)
    magnitude, lowest, highest = (np.zeros(rows.windows) for _ in range(3))
    indices = np.full(rows.windows, -1)
    free: dict[tuple[int, ...], frozenset[int]] = {}
    for part in each_window(rows):
        values[part.here], size = VALUES.get(spec.kind, outside.values)(spec, part)
        magnitude[part.here] = size * (in_a_row(part.cells.shape[1]) if spec.kind in SUMS else 1)
        lowest[part.here], highest[part.here] = _reach(part)
        place = _first(spec, part.cells) if spec.kind in SELECTIONS else _drawn(spec, part)
        if place is not None:
            indices[part.here] = np.where(place < 0, -1, part.flat[place])
        if (spec.kind in SELECTIONS and spec.kind not in PLACES) or (spec.kind == "s3" and part.inner is None):
            note_nans(free, part)
    return Answer(
        rows.as_result(values),
        rows.as_result(magnitude),
        rows.as_result(lowest),
        rows.as_result(highest),
        x.dtype.name if selects or x.dtype.name in FLOATS else "float32",
        rows.as_result(indices) if spec.indices else None,
        moved(free, rows) if spec.indices else {},
    )


def vjp(spec: Any, x: Array, cotangent: Array, tensors: Tensors = NONE, by: str = "x") -> Derivative:
    """The gradient of sum(cotangent * pool(x)): what each window gives to its cells, added up without rounding.

    `by` names the tensor: the input, or "weight".
    """
    rows = Rows(spec, x, tensors)
    given = rows.like_result(cotangent)
    shape = rows.cells.shape
    total, lost, magnitude, defined = np.zeros(shape), np.zeros(shape), np.zeros(shape), np.ones(shape, bool)
    for part in each_window(rows):
        g = given[part.here][:, None]
        slope, size = SLOPES[by](spec, part)
        add_exactly(total, lost, part.place, slope * g)
        magnitude[part.place] += size * np.abs(g)
        defined[part.place] &= _specified(rows, part)[:, None]
    return _by_tensor(rows, x if by == "x" else tensors[by], total + lost, magnitude, defined)


def jvp(spec: Any, x: Array, tangent: Array, tensors: Tensors = NONE, by: str = "x") -> Derivative:
    """How the result changes when `x`, or the tensor that `by` names, moves along `tangent`."""
    rows = Rows(spec, x, tensors)
    along = rows.like(spread(spec, tangent, x.shape))
    values, magnitude, defined = np.zeros(rows.windows), np.zeros(rows.windows), np.ones(rows.windows, bool)
    for part in each_window(rows):
        slope, size = SLOPES[by](spec, part)
        u = along[part.place]
        values[part.here] = totals(slope * u)
        magnitude[part.here] = totals(size * np.abs(u))
        defined[part.here] = _specified(rows, part)
    return Derivative(rows.as_result(values), rows.as_result(magnitude), rows.as_result(defined))


def second(spec: Any, x: Array, cotangent: Array, tangent: Array, tensors: Tensors = NONE, by: str = "x") -> Derivative:
    """The gradient, with respect to `x`, of <vjp(x, cotangent), tangent>: zero for what is linear in pieces."""
    rows = Rows(spec, x, tensors)
    given, along = rows.like_result(cotangent), rows.like(spread(spec, tangent, x.shape))
    shape = rows.cells.shape
    total, magnitude, defined = np.zeros(shape), np.zeros(shape), np.ones(shape, bool)
    for part in each_window(rows):
        defined[part.place] &= _specified(rows, part)[:, None]
        curvature = CURVATURES.get((spec.kind, by)) or (None if spec.kind in VALUES else outside.curvature)
        if curvature is not None:
            g = given[part.here][:, None]
            slope, size = curvature(spec, part, along[part.place])
            total[part.place] += slope * g
            magnitude[part.place] += size * np.abs(g)
    return _by_tensor(rows, x if by == "x" else tensors[by], total, magnitude, defined)


def _by_tensor(rows: Rows, t: Array, total: Array, magnitude: Array, defined: Array) -> Derivative:
    """In the shape of the tensor; a number of a weight may stand for several channels."""
    whole = [rows.as_input(part) for part in (total, magnitude, ~defined)]
    values, size, undefined = (gathered(rows.spec, part, t) for part in whole)
    return Derivative(values, size, undefined == 0)


def _specified(rows: Rows, part: Part) -> Array:
    """Whether the gradient through a window is: without NaN, and not of -inf alone, which padding may be too."""
    if rows.spec.kind in PLACES:
        return np.ones(len(part.cells), bool)
    if rows.spec.kind == "s3":
        return strips.specified(part)
    free = np.asarray(~np.isnan(part.cells).any(1))
    if rows.spec.kind in SELECTIONS:
        lost = -np.inf if "max" in rows.spec.kind else np.inf
        free &= np.asarray(_select(rows.spec, part)[0] != lost)
    return free


# ------------------------------------------------------------------------- one window: rows of cells in row-major order


def _first(spec: Any, cells: Array) -> Array:
    """The first of the cells that hold the value; where there are NaNs, the first of those. (NumPy does both.)."""
    if spec.kind in PLACES:
        return np.full(len(cells), 0 if spec.kind == "first" else cells.shape[1] - 1)
    if spec.kind == "median":
        share = Fraction(dict(spec.options)["quantile"]).limit_denominator(1000)
        value = np.sort(cells, 1)[:, math.floor(share * (cells.shape[1] - 1)), None]
        nan = np.isnan(cells)
        cells, found = nan | ((cells == value) & ~nan.any(1, keepdims=True)), np.argmax
    else:
        found = np.argmax if "max" in spec.kind else np.argmin
    place: Array = found(cells, 1)
    return place


def _drawn(spec: Any, part: Part) -> Array | None:
    if spec.kind == "s3":
        return strips.places(part)
    return None if part.samples is None else draws.places(part)


def _average(spec: Any, part: Part) -> tuple[Array, Array]:
    total, size = _sum(spec, part)
    sums = 1 if part.weights is None or spec.kind == "blur" else 2  # the divisor is a sum that was rounded too
    return _over(total, part.divisor), sums * _over(size, np.abs(part.divisor))


def _sum(spec: Any, part: Part) -> tuple[Array, Array]:
    return totals(part.counted), totals(np.abs(part.counted.astype(np.float64)))


def _mean_sqrt(spec: Any, part: Part) -> tuple[Array, Array]:
    root = np.sqrt(part.divisor)
    total, size = _sum(spec, part)
    return total / root, size / root


def _reach(part: Part) -> tuple[Array, Array]:
    cells = part.counted.astype(np.float64)
    finite = np.where(np.isfinite(cells), cells, 0)
    return np.minimum(finite, 0).sum(1), np.maximum(finite, 0).sum(1)


def _over(a: Array, b: Array) -> Array:
    """A quotient that is 0 where `b` is: such a window holds nothing."""
    quotient: Array = np.divide(a, b, out=np.zeros(np.broadcast_shapes(a.shape, b.shape)), where=b != 0)
    return quotient


def _select(spec: Any, part: Part) -> tuple[Array, Array]:
    chosen = np.take_along_axis(part.cells, _first(spec, part.cells)[:, None], 1)[:, 0]
    return chosen, np.zeros(len(chosen))


VALUES: dict[str, Callable[[Any, Part], tuple[Array, Array]]] = {
    "avg": _average,
    "blur": _average,
    "sum": _sum,
    "mean_sqrt": _mean_sqrt,
    "std": deviations.values,
    "max": _select,
    "min": _select,
    **dict.fromkeys(("median", "fractional_max", *PLACES), _select),
    "stochastic": draws.values,
    "s3": strips.values,
    **analytic.VALUES,
}


def _slopes(spec: Any, part: Part) -> tuple[Array, Array]:
    """dy/da of every cell of a window, and the magnitude of it."""
    cells = part.cells
    if spec.kind in SELECTIONS:
        one_hot = np.zeros(cells.shape)
        one_hot[np.arange(len(cells)), _first(spec, cells)] = 1
        return one_hot, one_hot
    if spec.kind == "stochastic":
        return draws.slopes(spec, part)
    if spec.kind == "s3":
        return strips.slopes(spec, part)
    if spec.kind == "std":
        return deviations.slopes(spec, cells)
    if spec.kind in analytic.SLOPES:
        return analytic.SLOPES[spec.kind](spec, cells)
    if spec.kind not in VALUES:
        return outside.slopes(spec, cells)
    slope = np.ones(cells.shape) if part.weights is None else part.weights
    if spec.kind in ("avg", "blur", "mean_sqrt"):
        slope = _over(slope, (np.sqrt(part.divisor) if spec.kind == "mean_sqrt" else part.divisor)[:, None])
    return slope, np.abs(slope)


def _slopes_by_weight(spec: Any, part: Part) -> tuple[Array, Array]:
    """dy/dw of every cell: the cell itself in a sum, and (a - y) over the sum of weights in an average."""
    cells = part.cells.astype(np.float64)
    if spec.kind == "sum" or spec.divisor_override is not None:
        slope = cells / (spec.divisor_override or 1)
        return slope, np.abs(slope)
    y, size = _average(spec, part)
    weights = part.divisor[:, None]
    slope = _over(cells - y[:, None], weights)
    return slope, _over(np.abs(cells) + size[:, None], np.abs(weights))


SLOPES = {"x": lambda spec, part: _slopes(spec, part), "weight": _slopes_by_weight}


def _average_curvature(spec: Any, part: Part, u: Array) -> tuple[Array, Array]:
    """The derivative of sum_j u_j * (a_j - y) / W with respect to each weight, where W is their sum."""
    if spec.divisor_override is not None:
        return np.zeros(part.cells.shape), np.zeros(part.cells.shape)
    weights = part.divisor[:, None]
    slope, size = _slopes_by_weight(spec, part)
    found = -_over(totals(u)[:, None] * slope + totals(u * slope)[:, None], weights)
    most = totals(np.abs(u))[:, None] * size + totals(np.abs(u) * size)[:, None]
    return found, 2 * _over(most, np.abs(weights))


CURVATURES: dict[tuple[str, str], Callable[[Any, Part, Array], tuple[Array, Array]]] = {
    **{(kind, "x"): curvature for kind, curvature in analytic.CURVATURES.items()},
    ("avg", "weight"): _average_curvature,
    ("stochastic", "x"): draws.curvature,
    ("std", "x"): deviations.curvature,
}


def kinds() -> tuple[str, ...]:
    """The kinds that have a definition, those from outside too."""
    return (*VALUES, *outside.kinds())
