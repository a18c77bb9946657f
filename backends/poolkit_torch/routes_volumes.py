"""Channels-last volumes as maps: PyTorch's 2-d pools read channels side by side, its 3-d averages cell by cell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from poolkit.lowering.backend import Route, Situation
from poolkit.lowering.plan import HALVES, Plan
from poolkit_torch import routes_max, routes_sum
from poolkit_torch.routes_arrange import adjacent, before, behind
from poolkit_torch.routes_windows import IN_A_ROW, MOST_OVERLAP, Along, Windows, kept, windows_of

Tensor = Any
Reduced = tuple[Tensor, Tensor | None]


def stacked(o: Any, x: Tensor, pool: Callable[[Tensor, Windows], Tensor], w: Windows) -> Tensor:
    """Each map is pooled, then every column of cells along the depth: first ties survive, and so do averages."""
    batch, depth = x.shape[0], x.shape[1]
    deep, *flat = w.along
    maps = pool(x.flatten(0, 1).permute(0, 3, 1, 2), Windows(tuple(flat), w.ceil))
    cells = maps.permute(0, 2, 3, 1).unflatten(0, (batch, depth)).flatten(2, 3)
    columns = pool(cells.permute(0, 3, 1, 2), Windows((deep, Along(1, 1, 0, 1)), w.ceil))
    return columns.permute(0, 2, 3, 1).unflatten(2, maps.shape[2:])


def average(o: Any, x: Tensor, plan: Plan) -> Reduced:
    def pool(v: Tensor, w: Windows) -> Tensor:
        return kept(routes_sum.avg_pool(o, v, w.along, routes_sum.options_of(plan, w)), w)

    return stacked(o, x, pool, routes_max.windows(plan)), None


def maximum(o: Any, x: Tensor, plan: Plan) -> Reduced:
    def pool(v: Tensor, w: Windows) -> Tensor:
        return kept(routes_max.max_pool(o, "max_pool2d", routes_max.appended(o, v, w), w, indices=False), w)

    y = stacked(o, -x if plan.kind == "min" else x, pool, routes_max.windows(plan))
    return -y if plan.kind == "min" else y, None


def _volume(plan: Plan) -> Windows | None:
    fits = adjacent(plan) and len(plan.axes) == 3 and before(plan) == 1 and behind(plan) == 1 and plan.floating
    return windows_of(plan) if fits else None


def fits_average(plan: Plan, situation: Situation) -> bool:
    """Averages of averages, which an override of the divisor is not."""
    w = _volume(plan)
    if w is None or w.cells > IN_A_ROW or plan.dtype in HALVES:
        return False
    return plan.spec.divisor_override is None and routes_sum.says_divisor(plan, w)


def fits_maximum(plan: Plan, situation: Situation) -> bool:
    w = _volume(plan)
    return w is not None and w.overlap <= MOST_OVERLAP


ROUTES = (
    Route(
        "stacked", ("avg",), average, fits_average, lambda p: 5.0, differentiable=False
    ),  # `tiles` is 1.5 times as fast
    Route("stacked", ("max", "min"), maximum, fits_maximum, lambda p: 20.0),
)
