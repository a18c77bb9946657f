"""Channels-last volumes as maps: PyTorch's 2-d pools read channels side by side, its 3-d averages cell by cell."""

from __future__ import annotations

from typing import Any

from poolkit.lowering.backend import EXTREMA, Reduced, Route, Situation, Tensor, every
from poolkit.lowering.plan import Plan
from poolkit.lowering.routes.both_sides import ONE, Windows, given, windows_of
from poolkit.lowering.routes.windows import IN_A_ROW
from poolkit_torch import routes_max, routes_sum
from poolkit_torch.routes_windows import pooled


def stacked(o: Any, x: Tensor, plan: Plan) -> Reduced:
    """Each map, then every column along the depth. Of maxima PyTorch's own tells a wrong place of a window of -inf."""
    w = given(windows_of(plan))
    first, last = (Windows(along, w.ceil) for along in (w.along[1:], (w.along[0], ONE)))
    op, options = ("max_pool", {}) if plan.kind in EXTREMA else ("avg_pool", routes_sum.options_of(plan, w))
    maps = routes_max.signed(x, plan).flatten(0, 1).permute(0, 3, 1, 2)
    maps = pooled(o, op, maps, first, plan, **options)
    cells = maps.permute(0, 2, 3, 1).unflatten(0, (-1, x.shape[1])).flatten(2, 3).permute(0, 3, 1, 2)
    columns = pooled(o, op, cells, last, plan, **options).permute(0, 2, 3, 1)
    return routes_max.signed(columns.unflatten(2, (-1, maps.shape[3])), plan), None


def fits(plan: Plan, situation: Situation) -> bool:
    """Averages of averages, which an override of the divisor is not."""
    if plan.rank != 5 or plan.at != (1, 2, 3):
        return False
    if plan.kind in EXTREMA:
        return routes_max.fits_view(plan, situation)
    w = windows_of(plan)
    few = w is not None and w.cells <= IN_A_ROW and plan.spec.divisor_override is None
    few = few and (plan.known or not plan.spec.ceil_mode)  # PyTorch's own of a size that is odd is not for even ones
    return few and not plan.half_precision and routes_sum.says_divisor(plan, given(w))


_exported = every(fits, lambda plan, situation: situation.format == "exporting")

ROUTES = (
    # With a derivative `tiles` is 1.5 times as fast.
    Route("stacked", ("avg",), stacked, fits, lambda p: 5.0, differentiable=False),
    Route("stacked", ("avg", *EXTREMA), stacked, _exported, lambda p: 5.0, needs_sizes=False, reference=True),
)
