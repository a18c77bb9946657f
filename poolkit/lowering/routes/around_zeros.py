"""Averages by a pool that pads nothing: zeros stand around the map, and what they count for is taken back."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING

from poolkit.lowering.count import divisor
from poolkit.lowering.routes.windows import cells, dense, padded, uneven

if TYPE_CHECKING:
    from poolkit.lowering.backend import Reduced
    from poolkit.lowering.plan import Plan
    from poolkit.lowering.primitives import Ops, Tensor


def around_zeros(plan: Plan, most: int) -> bool:
    """Whether it is such an average, or sum, of at most so many cells.

    An average that is multiplied and divided again is at most 1 eps further off.
    """
    few = dense(plan) and cells(plan) <= most and plan.spec.divisor_override is None
    return few and all(a.known or a.overhang >= 0 for a in plan.axes)


def averaged(o: Ops, x: Tensor, plan: Plan, pool: Callable[[Tensor], Tensor]) -> Reduced:
    """By a pool that divides by all cells of a window; of unknown sizes it tells the share of real cells, too."""
    y, n = pool(padded(o, x, plan, 0.0)), cells(plan)
    if not plan.known and uneven(plan):
        lines = [o.greater(o.iota(x, a.at), -1) for a in plan.axes]
        ones = o.cast(functools.reduce(o.both, lines), plan.work)
        return o.divide(y, pool(padded(o, ones, plan, 0.0))), None
    count = divisor(o, plan, x) if plan.kind == "avg" else 1
    if isinstance(count, int | float):
        return (y if count == n else o.multiply(y, n / count)), None
    return o.divide(o.multiply(y, float(n)), count), None
