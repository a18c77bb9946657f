"""Maxima of large windows with a derivative: value and position of each cell as one integer, whose maxima are taken."""

from __future__ import annotations

import math
from typing import Any

from poolkit.lowering.backend import EXTREMA, Reduced, Route, Situation, Tensor
from poolkit.lowering.fold import fold
from poolkit.lowering.plan import Plan
from poolkit.lowering.routes.extremes import Largest


def keyed(o: Any, x: Tensor, plan: Plan) -> Reduced:
    """The cells that the largest keys point at.

    The bits of a float32 above 0 are ordered as the numbers are, those of one below 0 the other way round. Of equal
    numbers the first has the largest key. Cells are picked in float64, in which a cell that wins 63x63 windows adds up
    its gradients.
    """
    torch, first, last = o.torch, plan.at[0], plan.at[-1]
    sizes = [a.n for a in plan.axes]
    cells = math.prod(sizes)
    d = -x.detach() if plan.kind == "min" else x.detach()
    bits = torch.where(d.isnan(), math.nan, d + 0.0).view(torch.int32)  # one NaN, above all, and one zero
    left = torch.arange(cells - 1, -1, -1, device=x.device).reshape(sizes + [1] * (plan.rank - 1 - last))
    key = ((bits ^ ((bits >> 31) & 0x7FFFFFFF)).to(torch.int64) << 32) | left
    largest = Largest(o, plan)
    largest.neutral = (-(2**63),)
    best = fold(o, largest, (key,), plan.axes)[0]
    place = cells - 1 - (best & 0xFFFFFFFF)
    picked = x.double().flatten(first, last).gather(first, place.flatten(first, last))
    values = picked.unflatten(first, [a.out for a in plan.axes]).to(x.dtype)
    return values, place if plan.spec.indices else None


def fits(plan: Plan, situation: Situation) -> bool:
    """Only where tensors are at hand: a compiler makes loops of the fold."""
    sliding = plan.known and all(a.form == "taps" for a in plan.axes) and plan.work == "float32"
    few = sliding and math.prod([a.n for a in plan.axes]) < 2**31
    return few and plan.consecutive and not situation.tracing and not situation.wrapped


ROUTES = (Route("keyed", EXTREMA, keyed, fits, lambda plan: 60.0, indices=True, copies=True),)
