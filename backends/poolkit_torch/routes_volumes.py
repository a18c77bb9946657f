"""Channels-last volumes as maps: PyTorch's 2-d pools read channels side by side, its 3-d averages cell by cell."""

from __future__ import annotations

from typing import Any

from poolkit.lowering.backend import EXTREMA, Reduced, Route, Situation, Tensor
from poolkit.lowering.plan import Plan
from poolkit.lowering.routes.both_sides import MOST_OVERLAP, ONE, Windows, given, windows_of
from poolkit.lowering.routes.windows import IN_A_ROW
from poolkit_torch import routes_sum
from poolkit_torch.routes_arrange import before, behind
from poolkit_torch.routes_max import signed
from poolkit_torch.routes_windows import pooled


def stacked(o: Any, op: str, x: Tensor, plan: Plan) -> Tensor:
    """Each map is pooled, then every column of cells along the depth: first ties survive, and so do averages."""

    def part(v: Tensor, w: Windows) -> Tensor:
        return pooled(o, op, v, w, plan, **(routes_sum.options_of(plan, w) if op == "avg_pool" else {}))

    w = given(windows_of(plan))
    batch, depth = x.shape[0], x.shape[1]
    maps = part(x.flatten(0, 1).permute(0, 3, 1, 2), Windows(w.along[1:], w.ceil))
    cells = maps.permute(0, 2, 3, 1).unflatten(0, (batch, depth)).flatten(2, 3)
    columns = part(cells.permute(0, 3, 1, 2), Windows((w.along[0], ONE), w.ceil))
    return columns.permute(0, 2, 3, 1).unflatten(2, maps.shape[2:])


def average(o: Any, x: Tensor, plan: Plan) -> Reduced:
    return stacked(o, "avg_pool", x, plan), None


def maximum(o: Any, x: Tensor, plan: Plan) -> Reduced:
    return signed(stacked(o, "max_pool", signed(x, plan), plan), plan), None


def _volume(plan: Plan) -> Windows | None:
    return windows_of(plan) if len(plan.axes) == 3 and before(plan) == 1 and behind(plan) == 1 else None


def fits_average(plan: Plan, situation: Situation) -> bool:
    """Averages of averages, which an override of the divisor is not."""
    w = _volume(plan)
    if w is None or w.cells > IN_A_ROW or plan.half_precision:
        return False
    return plan.spec.divisor_override is None and routes_sum.says_divisor(plan, w)


def fits_maximum(plan: Plan, situation: Situation) -> bool:
    w = _volume(plan)
    return w is not None and w.overlap <= MOST_OVERLAP


ROUTES = (
    # With a derivative `tiles` is 1.5 times as fast.
    Route("stacked", ("avg",), average, fits_average, lambda p: 5.0, differentiable=False),
    Route("stacked", EXTREMA, maximum, fits_maximum, lambda p: 20.0),
)
