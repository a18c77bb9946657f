"""NumPy's faster routes. No derivative is taken here, so `np.maximum` and `np.max`, which hand on NaN, are right."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from poolkit.lowering.backend import EXTREMA, SUMS, Reduced, Route, Situation, Tensor
from poolkit.lowering.count import divided
from poolkit.lowering.fold import NARROW
from poolkit.lowering.routes.extremes import extremes, first_axis_first
from poolkit.lowering.routes.stages import fits, stages
from poolkit.lowering.routes.windows import cells
from poolkit_numpy import routes_windows

if TYPE_CHECKING:
    from poolkit.lowering.plan import Plan
    from poolkit_numpy.ops import Ops

PLAIN = "contiguous"  # the format of cells in order, aligned and in native bytes: NumPy reads others through a buffer


def _mean(o: Ops, x: Tensor, plan: Plan) -> Reduced:
    return divided(o, o.np.sum(x, axis=plan.at, keepdims=True), plan, x), None


def _is_mean(plan: Plan, situation: Situation) -> bool:
    """Cells that lie side by side, which NumPy adds in pairs (2.5 eps at 60x60); over others it runs (440 eps)."""
    return situation.format == PLAIN and plan.trailing and plan.is_map


def _stages(o: Ops, x: Tensor, plan: Plan) -> Reduced:
    """Sums of at most 12 cells, of those, and so on: two to three times as fast as one sum in float64."""
    made, left = stages(plan, [o.size(x, at) for at in range(plan.rank)])
    for n, inner in made:
        x = o.np.sum(x.reshape((-1, n, inner)), axis=1)
    return divided(o, x.reshape(tuple(left)), plan, x), None


def _is_stages(plan: Plan, situation: Situation) -> bool:
    """Of contiguous cells, since `reshape` copies others; a sum of one cell each would be a view of the input.

    Not of bins of up to 8x8, over which the fold is twice to 12 times as fast.
    """
    wide = any(a.longest > NARROW or a.form == "whole" for a in plan.axes)
    return situation.format == PLAIN and plan.work == "float32" and fits(plan) and cells(plan) > 1 and wide


def _passes(plan: Plan) -> float:
    return 1.0 + sum(math.log2(a.window) for a in plan.axes)


ROUTES: tuple[Route, ...] = (
    *routes_windows.ROUTES,
    # NumPy reads (112, 112, 3) 27 times as fast along rows as along both axes at once.
    Route("rows", EXTREMA, first_axis_first, lambda p, s: p.is_map and not p.trailing, lambda plan: 0.5),
    Route("maximum", EXTREMA, extremes, lambda plan, situation: True, _passes, differentiable=False),
    Route("mean", SUMS, _mean, _is_mean, lambda plan: 1.0),
    Route("stages", SUMS, _stages, _is_stages, lambda plan: 2.0),
)
