"""Keras's own pools: few lines in a printed program, few nodes in a model.

Of windows with one size and one stride along all axes: of a model that is saved, JAX's engine can't run others, since
what was a tuple is a list there.
"""

from __future__ import annotations

from typing import Any

from poolkit.lowering.backend import SUMS, Reduced, Route, Situation
from poolkit.lowering.plan import Plan
from poolkit.lowering.primitives import Tensor
from poolkit.lowering.routes.around_zeros import around_zeros, averaged
from poolkit.lowering.routes.marked import Sizes, by_marks
from poolkit.lowering.routes.windows import IN_A_ROW, channels_last, pools_axes, sliding

PADS = "how Keras pads averages differs by its engine, so zeros stand around, and the share of real cells is divided by"


def _alike(plan: Plan, situation: Situation) -> bool:
    return len({(a.window, a.stride) for a in map(sliding, plan.axes)}) == 1


def _max(o: Any, t: Tensor, last: bool, window: Sizes, stride: Sizes, padding: str) -> Tensor:
    form = "channels_last" if last else "channels_first"
    return o.ops.max_pool(t, window[0], stride[0], padding.lower(), form)


def _average(o: Any, x: Tensor, plan: Plan) -> Reduced:
    """Without padding: that of `same` repeats the edge on Keras's PyTorch engine, and counts."""
    a, form = sliding(plan.axes[0]), "channels_last" if channels_last(plan) else "channels_first"
    return averaged(o, x, plan, lambda t: o.ops.average_pool(t, a.window, a.stride, "valid", form))


def _averages(plan: Plan, situation: Situation) -> bool:
    return pools_axes(plan) and around_zeros(plan, IN_A_ROW) and _alike(plan, situation)


ROUTES = (
    by_marks(_max, _alike),
    Route("average_pool", SUMS, _average, _averages, lambda plan: 1.0, needs_sizes=False, note=PADS, reference=True),
)
