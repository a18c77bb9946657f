"""The definition of s3: the largest cell of a window that is drawn, or the average of those of several windows."""

from __future__ import annotations

from typing import Any

import numpy as np

from poolkit_conformance.rows import Array, Part, totals

Pair = tuple[Array, Array]  # numbers, and the magnitude that the error of each is measured against


def places(part: Part) -> Array | None:
    """Where the cell stands that is handed on; None of an average."""
    found: Array | None = None if part.inner is not None else np.argmax(part.cells, 1)
    return found


def values(spec: Any, part: Part) -> Pair:
    if part.inner is None:
        return part.cells.max(1), np.zeros(len(part.cells))
    largest = _largest(part)
    return totals(largest) / largest.shape[1], totals(np.abs(largest)) / largest.shape[1]


def _largest(part: Part) -> Array:
    cells = part.cells.astype(np.float64)
    return np.stack([cells[:, inner].max(1) for inner in part.inner or ()], 1)


def slopes(spec: Any, part: Part) -> Pair:
    """An equal share for the first of the largest cells of each window."""
    slope = np.zeros(part.cells.shape)
    windows = (np.arange(part.cells.shape[1]),) if part.inner is None else part.inner
    for inner in windows:
        slope[np.arange(len(slope)), inner[np.argmax(part.cells[:, inner], 1)]] += 1 / len(windows)
    return slope, slope


def specified(part: Part) -> Array:
    """Whether the gradient is: with no NaN, and no window of -inf alone."""
    largest = part.cells.max(1, keepdims=True) if part.inner is None else _largest(part)
    return np.asarray(~np.isnan(part.cells).any(1) & (largest > -np.inf).all(1))
