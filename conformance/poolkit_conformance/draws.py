"""The definition of stochastic pooling: the average of a window's cells by their chances, or one that is drawn."""

from __future__ import annotations

from typing import Any

import numpy as np

from poolkit_conformance.rows import Array, Part, totals

Pair = tuple[Array, Array]  # numbers, and the magnitude that the error of each is measured against

BITS = {np.float32: 128, np.float64: 1024}  # of exponents


def values(spec: Any, part: Part) -> Pair:
    a = np.where(part.cells < 0, 0, part.cells).astype(np.float64)
    if part.samples is not None:
        place = places(part)
        return np.where(place < 0, 0, part.cells[np.arange(len(a)), place]), np.zeros(len(a))
    top = a.max(1)
    share = a / np.where((top == 0) | np.isinf(top), 1, top)[:, None]
    found = top * totals(share**2) / np.where(top == 0, 1, totals(share))
    return np.where((top == np.inf) & ~np.isnan(a).any(1), np.inf, found), np.where(np.isfinite(top), top, 0)


def places(part: Part) -> Array:
    """Which cell a sample draws, -1 where none is above 0: all in whole numbers, of which no two frameworks differ."""
    work = np.float64 if part.dtype == "float64" else np.float32
    assert part.samples is not None
    return np.array([_place(row, work(u), work) for row, u in zip(part.cells, part.samples, strict=True)], np.int64)


def _place(cells: Array, sample: Any, work: Any) -> int:
    a = cells.astype(work)
    for alone in (np.isnan(a), a == np.inf):
        if alone.any():
            a = alone.astype(work)
            break
    a = np.where(a >= np.finfo(work).tiny, a, 0).astype(work)
    if not a.any():
        return -1
    largest = int(np.frexp(a.max())[1])  # it is below two to this power, which a power of two brings to 4
    scaled = np.ldexp(a, max(min(2 - largest, BITS[work] - 2), 2 - BITS[work]))
    shares = np.floor(scaled * work(2**28 / len(a))).astype(np.int64)
    whole = int(shares.sum())
    falls = min(int(np.floor(work(whole) * sample)), whole - 1)
    return int((np.cumsum(shares) <= falls).sum())


def slopes(spec: Any, part: Part) -> Pair:
    """(2a - y) / sum(a) of cells that are not below 0; of a draw 1, for the cell that is drawn."""
    if part.samples is not None:
        place = places(part)[:, None]
        one_hot = (np.arange(part.cells.shape[1]) == place).astype(np.float64)
        return one_hot, one_hot
    a, there, whole = _smooth(part)
    y, _ = values(spec, part)
    slope = np.where(there, (2 * a - y[:, None]) / whole, 0.0)
    return slope, np.broadcast_to(4 * a.max(1, keepdims=True) / whole, a.shape)


def curvature(spec: Any, part: Part, u: Array) -> Pair:
    """The derivative of sum_j u_j * (2 a_j - y) / S with respect to each a_k, where S is the sum of cells above 0."""
    if part.samples is not None:
        return np.zeros(u.shape), np.zeros(u.shape)
    _, there, whole = _smooth(part)
    slope, size = slopes(spec, part)
    u = np.where(there, u, 0)
    moved = 2 * u - totals(u)[:, None] * slope - totals(u * slope)[:, None]
    most = (2 * np.abs(u) + 2 * totals(np.abs(u))[:, None] * size) / whole
    return np.where(there, moved / whole, 0.0), np.broadcast_to(most.max(1, keepdims=True), u.shape)


def _smooth(part: Part) -> tuple[Array, Array, Array]:
    """Cells, which of them move the average, and their sum: none of a window without one above 0, or with inf."""
    a = np.where(part.cells < 0, 0, part.cells).astype(np.float64)
    whole = totals(a)[:, None]
    there = (part.cells >= 0) & (whole > 0) & np.isfinite(whole)
    finite = np.where(np.isfinite(whole), a, 0)
    return finite, there, np.where((whole > 0) & np.isfinite(whole), whole, 1.0)
