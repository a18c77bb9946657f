"""The definition of standard deviations: of one window's cells, in float64."""

from __future__ import annotations

from typing import Any

import numpy as np

from poolkit_conformance.rows import Array, Part, totals

Pair = tuple[Array, Array]  # numbers, and the magnitude that the error of each is measured against


def values(spec: Any, part: Part) -> Pair:
    return _deviation(spec, part.cells)[0], np.abs(part.cells.astype(np.float64)).max(1)


def _deviation(spec: Any, cells: Array) -> tuple[Array, Array, float]:
    """Of each row its deviation, how far its cells are from their average, and by what squares are divided."""
    a = cells.astype(np.float64)
    size = np.abs(a).max(1, keepdims=True)
    size = np.where((size > 0) & np.isfinite(size), size, 1)
    away = a / size - totals(a / size)[:, None] / a.shape[1]
    away = np.where((a == a[:, :1]).all(1, keepdims=True) & np.isfinite(a), 0, away)
    divisor = max(a.shape[1] - dict(spec.options)["correction"], 1)
    return np.sqrt(totals(away**2) / divisor) * size[:, 0], away * size, divisor


def slopes(spec: Any, cells: Array) -> Pair:
    """How far a cell is from the average, over the deviation and the divisor; 0 where all are equal."""
    y, away, divisor = _deviation(spec, cells)
    some, y = y[:, None] != 0, np.where(y == 0, 1, y)[:, None]
    size = np.abs(cells.astype(np.float64)).max(1, keepdims=True)
    slope: Array = np.where(some, away / (divisor * y), 0.0)
    return slope, np.broadcast_to(np.where(some, size / (divisor * y), 0.0), away.shape)


def curvature(spec: Any, part: Part, u: Array) -> Pair:
    """The derivative of sum_j u_j * slope_j with respect to each cell."""
    y, _, divisor = _deviation(spec, part.cells)
    some, y = y[:, None] != 0, np.where(y == 0, 1, y)[:, None]
    slope, size = slopes(spec, part.cells)
    moved = u - totals(u)[:, None] / u.shape[1] - divisor * slope * totals(u * slope)[:, None]
    most = np.abs(u).max(1, keepdims=True) * (2 + 2 * divisor * u.shape[1] * size.max(1, keepdims=True) ** 2)
    return tuple(np.where(some, t / (divisor * y), 0.0) for t in (moved, np.broadcast_to(most, u.shape)))  # type: ignore[return-value]
