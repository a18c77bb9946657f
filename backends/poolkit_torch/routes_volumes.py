"""Averages of channels-last volumes as maps: PyTorch's 2-d pools read channels side by side, its 3-d cell by cell."""

from __future__ import annotations

from typing import Any

from poolkit.lowering.backend import Reduced, Route, Situation, Tensor, every
from poolkit.lowering.plan import Plan
from poolkit.lowering.routes.both_sides import ONE, Windows, given, windows_of
from poolkit.lowering.routes.windows import IN_A_ROW
from poolkit_torch.routes_sum import AVG, options_of, says_divisor
from poolkit_torch.routes_windows import pooled


def stacked(o: Any, x: Tensor, plan: Plan) -> Reduced:
    """Each map, then every column along the depth."""
    w = given(windows_of(plan))
    first, last = (Windows(along, w.ceil) for along in (w.along[1:], (w.along[0], ONE)))
    options = options_of(plan, w)
    maps = pooled(o, "avg_pool", x.flatten(0, 1).permute(0, 3, 1, 2), first, plan, **options)
    cells = maps.permute(0, 2, 3, 1).unflatten(0, (-1, x.shape[1])).flatten(2, 3).permute(0, 3, 1, 2)
    columns = pooled(o, "avg_pool", cells, last, plan, **options).permute(0, 2, 3, 1)
    return columns.unflatten(2, (-1, maps.shape[3])), None


def fits(plan: Plan, situation: Situation) -> bool:
    """Averages of averages, which an override of the divisor is not."""
    if plan.rank != 5 or plan.at != (1, 2, 3):
        return False
    w = windows_of(plan)
    few = w is not None and w.cells <= IN_A_ROW and plan.spec.divisor_override is None
    few = few and (plan.known or not plan.spec.ceil_mode)  # PyTorch's own of a size that is odd is not for even ones
    return few and not plan.half_precision and says_divisor(plan, given(w))


_exported = every(fits, lambda plan, situation: situation.format == "exporting")

ROUTES = (
    # With a derivative `tiles` is 1.5 times as fast.
    Route("stacked", AVG, stacked, fits, lambda p: 5.0, differentiable=False),
    Route("stacked", AVG, stacked, _exported, lambda p: 5.0, needs_sizes=False, reference=True),
)
