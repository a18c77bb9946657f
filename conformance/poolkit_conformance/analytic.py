"""The definition of the kinds that involve exp, log or powers: of one window's cells, in float64."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from poolkit_conformance.rows import Part, totals

Array = np.ndarray[Any, Any]
Pair = tuple[Array, Array]  # numbers, and the magnitude that the error of each is measured against


def _softmax(spec: Any, part: Part) -> Pair:
    a = part.cells.astype(np.float64)
    weights = _weights(spec.beta, a)
    counted = np.where(weights == 0, 0, a)  # a cell of weight 0 counts nothing, -inf or not
    return totals(weights * counted), np.abs(counted).max(1, initial=0)


def _weights(beta: float, a: Array) -> Array:
    """softmax(beta * a) along a row."""
    with np.errstate(over="ignore"):  # cells that are too far apart for a difference have weight 0
        differences = a - (a.max(1, keepdims=True) if beta > 0 else a.min(1, keepdims=True))
        power = np.exp(beta * differences if beta else np.zeros_like(a))
    weights: Array = power / totals(power)[:, None]
    return weights


def _softmax_slopes(spec: Any, cells: Array) -> Pair:
    """w_j * (1 + beta * (a_j - y)); the published "semi" gradient takes the weights as constants, and is w_j."""
    w = _weights(spec.beta, cells)
    largest = np.abs(cells).max(1, keepdims=True)
    size = np.broadcast_to(1 + 2 * abs(spec.beta) * largest, cells.shape)
    if spec.grad == "semi":
        return w, size
    y = totals(w * cells)[:, None]
    with np.errstate(over="ignore", invalid="ignore"):
        return np.where(w == 0, 0.0, w * (1 + spec.beta * (cells - y))), size


def _softmax_curvature(spec: Any, part: Part, u: Array) -> Pair:
    """The derivative of sum_j u_j * w_j * (1 + beta * (a_j - y)) with respect to each a_k, by the product rule."""
    cells = part.cells
    if spec.grad == "semi":
        return np.zeros(cells.shape), np.zeros(cells.shape)
    beta = spec.beta
    w = _weights(beta, cells)
    y = totals(w * cells)[:, None]
    slope = w * (1 + beta * (cells - y))
    u_slope, u_w = totals(u * slope)[:, None], totals(u * w)[:, None]
    size = abs(beta) * (1 + 2 * abs(beta) * np.abs(cells).max(1, keepdims=True)) * np.abs(u).max(1, keepdims=True)
    return beta * (u * slope - w * u_slope + u * w - slope * u_w), np.broadcast_to(4 * size, cells.shape)


VALUES: dict[str, Callable[[Any, Part], Pair]] = {"softmax": _softmax}
SLOPES: dict[str, Callable[[Any, Array], Pair]] = {"softmax": _softmax_slopes}
CURVATURES: dict[str, Callable[[Any, Part, Array], Pair]] = {"softmax": _softmax_curvature}
