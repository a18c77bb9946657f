"""Extremes by a pool of maxima that loses NaN and gives a finite number for a window of -inf, as TensorFlow's does.

Marks of the cells go through the same pool: 2 for NaN, 0 for -inf, 1 for any other. They tell of each window whether
its maximum is the pool's. So it takes two calls of the framework, for sizes that are known or not; a gradient is the
pool's own, and that of a window with NaN or of -inf is 0, as docs/semantics.md (4, 5) leaves open.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from poolkit.lowering.backend import EXTREMA, Reduced, Route, When
from poolkit.lowering.routes.windows import channels_last, dense, padded, pools_axes, sliding, valid_or_same

if TYPE_CHECKING:
    from poolkit.lowering.backend import Situation
    from poolkit.lowering.plan import Plan
    from poolkit.lowering.primitives import Ops

Tensor = Any
Sizes = tuple[int, ...]
Pool = Callable[[Any, Tensor, bool, Sizes, Sizes, str], Tensor]  # primitives, input, channels last, windows, strides, …
LOSES = "the framework's maximum loses NaN and -inf, so marks tell in which windows they are"


def by_marks(pool: Pool, when: When, turns: bool = False) -> Route:
    """A route by a pool of maxima, which takes VALID or SAME, where `when` holds and there are such windows.

    `turns`: it takes channels last alone.
    """

    def lower(o: Ops, x: Tensor, plan: Plan) -> Reduced:
        return _marked(o, x, plan, pool, turns and not channels_last(plan)), None

    def fits(plan: Plan, situation: Situation) -> bool:
        return _takes(plan) and when(plan, situation)

    def cost(plan: Plan) -> float:
        return 50.0  # where sizes are known and nobody reads it, a guard is cheaper

    return Route("max_pool_marked", EXTREMA, lower, fits, cost, needs_sizes=False, note=LOSES, reference=True)


def _takes(plan: Plan) -> bool:
    """Windows along one or two axes; of three, TensorFlow hands the gradient to every one of several equal cells.

    Not of half types: in bfloat16 the gradients that 961 windows hand to one cell add up to 256.
    """
    few = pools_axes(plan) and len(plan.axes) < 3 and plan.dtype in ("float32", "float64")
    return few and dense(plan) and all(a.overhang >= 0 for a in plan.axes)


def _marked(o: Ops, x: Tensor, plan: Plan, pool: Pool, turned: bool) -> Tensor:
    axes, word, n = [sliding(a) for a in plan.axes], valid_or_same(plan), plan.rank
    cells = x if plan.kind == "max" else o.multiply(x, -1)
    cells = padded(o, cells, plan, -math.inf) if word is None else cells
    cells = o.permute(cells, (0, *range(2, n), 1)) if turned else cells
    window, stride = tuple([a.window for a in axes]), tuple([a.stride for a in axes])

    def pooled(t: Tensor) -> Tensor:
        return pool(o, t, turned or channels_last(plan), window, stride, word or "VALID")

    marks = pooled(o.where(o.isnan(cells), 2.0, o.cast(o.greater(cells, -math.inf), plan.work)))
    found = o.where(o.greater(marks, 1), math.nan, o.where(o.greater(marks, 0), pooled(cells), -math.inf))
    found = o.permute(found, (0, n - 1, *range(1, n - 1))) if turned else found
    return found if plan.kind == "max" else o.multiply(found, -1)
