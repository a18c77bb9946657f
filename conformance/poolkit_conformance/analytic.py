"""The definition of the kinds that involve exp, log or powers: of one window's cells, in float64."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from poolkit_conformance.rows import Array, Part, totals

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


# ------------------------------------------------------------------------------------------------------------- powers


class Powers(NamedTuple):
    """What a power mean is made of: for every row of cells the numbers that are raised, and how they move."""

    p: float
    raised: Array  # 0 or more
    moves: Array  # the derivative of a raised number by its cell: a sign, or 0 and 1
    curved: Array  # where there may be a second derivative
    mean: bool

    @property
    def largest(self) -> Array:
        """Of each row; where all are 0 it is 1, which changes nothing."""
        most = self.raised.max(1, keepdims=True)
        return np.where(most == 0, 1.0, most)

    @property
    def ratios(self) -> Array:
        found: Array = np.where(self.raised == self.largest, 1.0, self.raised / self.largest)
        return found

    @property
    def total(self) -> Array:
        return totals(self.ratios**self.p)[:, None]

    @property
    def share(self) -> float:
        """What one cell is of the sum, to the power 1/p."""
        return float(self.raised.shape[1]) ** (-1 / self.p) if self.mean else 1.0

    @property
    def smooth(self) -> Array:
        """Rows with a derivative: with something in them, and nothing infinite."""
        found: Array = (self.raised.max(1, keepdims=True) > 0) & np.isfinite(self.largest)
        return found


def _powers(spec: Any, cells: Array) -> Powers:
    a = cells.astype(np.float64)
    if spec.kind == "gem":
        there = a >= spec.eps
        return Powers(spec.p, np.where(a < spec.eps, spec.eps, a), there.astype(np.float64), there, True)
    return Powers(spec.p, np.abs(a), np.sign(a), (a != 0) | (spec.p >= 2), spec.normalize == "mean")


def _power_mean(spec: Any, part: Part) -> Pair:
    it = _powers(spec, part.cells)
    most = it.raised.max(1)
    if spec.p == np.inf:
        return most, most
    found = np.where(most == 0, 0.0, (it.largest * it.total ** (1 / it.p) * it.share)[:, 0])
    return found, np.maximum(found, most)


def _power_slopes(spec: Any, cells: Array) -> Pair:
    """The derivative of the raised number, times (number / y)^(p - 1) times what a cell is of the sum."""
    it = _powers(spec, cells)
    if spec.p == np.inf:
        largest = np.zeros(cells.shape)
        largest[np.arange(len(cells)), it.raised.argmax(1)] = 1
        return largest * it.moves, largest
    there = it.smooth & (it.moves != 0)
    power = np.where(there, it.ratios, 1.0) ** (it.p - 1) * it.total ** (1 / it.p - 1) * it.share
    slope = np.where(there, it.moves * power, 0.0)
    return slope, _of_window(max(it.p, 1) * slope)


def _power_curvature(spec: Any, part: Part, u: Array) -> Pair:
    """The derivative of sum_j u_j * slope_j with respect to each cell k: what is on the diagonal, and what is not."""
    if spec.p == np.inf:
        return np.zeros(u.shape), np.zeros(u.shape)
    it = _powers(spec, part.cells)
    there = it.smooth & it.curved
    t = np.where(there, it.ratios, 1.0)
    scale = (it.p - 1) * it.share * it.total ** (1 / it.p - 1) / it.largest
    side = it.moves * t ** (it.p - 1)
    own, other = t ** (it.p - 2) * u, side * totals(np.where(there, side * u, 0.0))[:, None] / it.total
    size = np.abs(own) + np.abs(side) * totals(np.where(there, np.abs(side * u), 0.0))[:, None] / it.total
    found, most = (np.where(there, scale * part, 0.0) for part in (own - other, size))
    return found, _of_window(max(it.p, 1) * most)


def _of_window(sizes: Array) -> Array:
    """The largest magnitude of a window, for each of its cells."""
    return np.broadcast_to(np.abs(sizes).max(1, keepdims=True), sizes.shape)


# ---------------------------------------------------------------------------------------------------------- logarithms


def _log_sum_exp(spec: Any, part: Part) -> Pair:
    """1/beta is the size of the logarithm's own error."""
    a = part.cells.astype(np.float64)
    first = a.max(1) if spec.beta > 0 else a.min(1)
    with np.errstate(over="ignore", invalid="ignore"):
        sums = totals(np.exp(spec.beta * (a - first[:, None]))) / (a.shape[1] if spec.normalize == "mean" else 1)
        found = np.where(np.isinf(first), first, first + np.log(sums) / spec.beta)
    finite = np.where(np.isinf(a), 0, np.abs(a)).max(1)
    return found, np.maximum(finite, 1 / abs(spec.beta))


def _shares(spec: Any, cells: Array) -> Array:
    """softmax(beta * a); 0 where the largest is infinite."""
    largest = cells.max(1, keepdims=True) if spec.beta > 0 else cells.min(1, keepdims=True)
    return np.where(np.isinf(largest), 0.0, _weights(spec.beta, np.where(np.isinf(largest), 0.0, cells)))


def _log_sum_exp_slopes(spec: Any, cells: Array) -> Pair:
    cells = cells.astype(np.float64)
    return _shares(spec, cells), np.broadcast_to(_rounded(spec, cells), cells.shape)


def _rounded(spec: Any, cells: Array) -> Array:
    """How far a weight is off, in eps: cells times a beta below 1 are rounded before their difference is taken."""
    size: Array = 1 + min(abs(spec.beta), 1.0) * np.where(np.isinf(cells), 0, np.abs(cells)).max(1, keepdims=True)
    return size


def _log_sum_exp_curvature(spec: Any, part: Part, u: Array) -> Pair:
    """The derivative of sum_j u_j * w_j with respect to each a_k."""
    cells = part.cells.astype(np.float64)
    w = _shares(spec, cells)
    size = 2 * abs(spec.beta) * _rounded(spec, cells) * np.abs(u).max(1, keepdims=True)
    return spec.beta * w * (u - totals(u * w)[:, None]), np.broadcast_to(size, cells.shape)


VALUES: dict[str, Callable[[Any, Part], Pair]] = {
    "softmax": _softmax,
    "lp": _power_mean,
    "gem": _power_mean,
    "logsumexp": _log_sum_exp,
}
SLOPES: dict[str, Callable[[Any, Array], Pair]] = {
    "softmax": _softmax_slopes,
    "lp": _power_slopes,
    "gem": _power_slopes,
    "logsumexp": _log_sum_exp_slopes,
}
CURVATURES: dict[str, Callable[[Any, Part, Array], Pair]] = {
    "softmax": _softmax_curvature,
    "lp": _power_curvature,
    "gem": _power_curvature,
    "logsumexp": _log_sum_exp_curvature,
}
