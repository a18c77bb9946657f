"""The definition of kinds that were registered from outside, by the `oracle` of each; derivatives by differences."""

from __future__ import annotations

from typing import Any

import numpy as np

from poolkit.spec.kinds import BUILT_IN, KINDS
from poolkit_conformance.rows import Array, Part

STEP = 1e-3  # between the points of a difference of fourth order: its error and what rounding adds are about 1e-13;
# cells of the cases are 0.02 apart, so that steps of a selection meet no tie


def kinds() -> tuple[str, ...]:
    """The kinds from outside that have a definition."""
    return tuple(name for name, facts in KINDS.items() if name not in BUILT_IN and facts.oracle is not None)


def selects(kind: str) -> bool:
    return kind not in BUILT_IN and KINDS[kind].selects


def values(spec: Any, part: Part) -> tuple[Array, Array]:
    """Of every row of cells, and the magnitude that its error is measured against."""
    return _values(spec, part.cells)


def _values(spec: Any, cells: Array) -> tuple[Array, Array]:
    found = _of_rows(spec, cells)
    return found, np.maximum(np.abs(found.astype(np.float64)), np.abs(cells.astype(np.float64)).max(1, initial=0))


def slopes(spec: Any, cells: Array) -> tuple[Array, Array]:
    """dy/da of every cell."""
    a = cells.astype(np.float64)
    found = np.stack([_difference(spec, a, _along(a, j)) for j in range(a.shape[1])], 1)
    return found, np.broadcast_to(_size(spec, a, found), a.shape)


def curvature(spec: Any, part: Part, u: Array) -> tuple[Array, Array]:
    """The derivative of sum_j u_j * dy/da_j with respect to each a_k."""
    a = part.cells.astype(np.float64)
    points = [sign * STEP for sign in (-2, -1, 1, 2)]
    near = [slopes(spec, a + point * u)[0] for point in points]
    found = (near[0] - 8 * near[1] + 8 * near[2] - near[3]) / (12 * STEP)
    return found, np.broadcast_to(_size(spec, a, found) * np.maximum(np.abs(u).max(1, keepdims=True), 1), a.shape)


def _size(spec: Any, a: Array, found: Array) -> Array:
    size: Array = np.maximum(_values(spec, a)[1][:, None], np.abs(found).max(1, keepdims=True))
    return np.maximum(size, 1)


def _along(a: Array, j: int) -> Array:
    step = np.zeros_like(a)
    step[:, j] = STEP
    return step


def _difference(spec: Any, a: Array, step: Array) -> Array:
    near = [_of_rows(spec, a + sign * step) for sign in (-2, -1, 1, 2)]
    found: Array = (near[0] - 8 * near[1] + 8 * near[2] - near[3]) / (12 * STEP)
    return found


def _of_rows(spec: Any, cells: Array) -> Array:
    oracle = KINDS[spec.kind].oracle
    assert oracle is not None
    options = dict(spec.options)
    return np.array([oracle(options, row) for row in cells.tolist()], None if selects(spec.kind) else np.float64)
