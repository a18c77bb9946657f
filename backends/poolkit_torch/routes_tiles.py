"""Sums of windows that stand side by side, by reductions; and the fold's slices where they are faster than a pool."""

from __future__ import annotations

import math
from typing import Any

from poolkit.lowering.backend import SUMS, Reduced, Route, Situation, Tensor
from poolkit.lowering.fold import NARROW, pad
from poolkit.lowering.geometry import Axis
from poolkit.lowering.kinds import FOLDS
from poolkit.lowering.lower import FOLD
from poolkit.lowering.plan import Plan
from poolkit.lowering.routes.sliding import in_pools, slides_in_pools
from poolkit.lowering.routes.stages import factors, part_near
from poolkit.lowering.routes.windows import IN_A_ROW, tile
from poolkit_torch.routes_arrange import against_order, behind, compiling, planes
from poolkit_torch.routes_windows import rounded

LONG = 20


def tiles(o: Any, x: Tensor, plan: Plan) -> Reduced:
    """Windows that stand side by side: each axis is split into them and their cells, which are summed; rows first."""
    y = x
    for a in plan.axes:
        if a.form == "whole":
            y = o.torch.sum(y, a.at, keepdim=True)
            continue
        y = o.torch.sum(y.unflatten(a.at, (a.out, tile(a))), a.at + 1)
    return _scaled(y, plan), None


def _scaled(y: Tensor, plan: Plan) -> Tensor:
    return y if plan.kind == "sum" else y * (1 / (plan.spec.divisor_override or math.prod(_tiles(plan))))


def fits_tiles(plan: Plan, situation: Situation) -> bool:
    lengths = [tile(a) for a in plan.axes]
    # A compiler may add up the cells in any order; in an exported graph windows of few cells are one call of a pool.
    # Where channels lie innermost in memory other routes take between a half and a fiftieth of the time.
    few = situation.tracing and math.prod(_tiles(plan)) <= IN_A_ROW
    sums = not (few or compiling(situation) or against_order(plan, situation))
    return sums and plan.floating and None not in lengths and lengths != [1] * len(lengths)


def _tiles(plan: Plan) -> list[int]:
    return [tile(a) or 1 for a in plan.axes]


def steps(o: Any, x: Tensor, plan: Plan) -> Reduced:
    """The same for Inductor, which adds up each sum in a row: sums of few cells, of these, and so on.

    It writes sums of less than 8 out, several at a time, so that few of them are stored. All axes are split first: of a
    result that is split again it does not see that its gradient lies side by side, and takes up to 30 times as long.
    """
    y = x
    for a in reversed(plan.axes):
        y = y.unflatten(a.at, (a.out, *_parts(a)))
    for a in plan.axes:
        for i in reversed(range(len(_parts(a)))):
            y = o.torch.sum(y, a.at + 1 + i)
    return _scaled(y, plan), None


def _parts(a: Axis) -> list[int]:
    """No number above 7 for Inductor; none at all for an axis that has a larger prime."""
    return [n for n in factors(tile(a) or 1, 8, 7) or () if n > 1]


def fits_steps(plan: Plan, situation: Situation) -> bool:
    """Where steps have 28 cells, averages of equal ones are at most 3.97 eps off, and 4.1 of 29; 2 and 4 are exact."""
    if not (compiling(situation) and situation.device == "cpu" and plan.floating and None not in map(tile, plan.axes)):
        return False
    parts = [n for a in plan.axes for n in _parts(a)]
    whole = math.prod(parts) == math.prod(_tiles(plan)) > 1
    return whole and sum([n for n in parts if n not in (2, 4)]) <= 28


def fits_slices(plan: Plan, situation: Situation) -> bool:
    """The fold's slices. With a stride each has a gradient as large as the input, which up to four are worth."""
    sliding = all(a.form in ("taps", "keep") or 0 < (tile(a) or 0) <= NARROW for a in plan.axes)
    gapless = all(a.form != "bins" and a.stride == 1 for a in plan.axes)
    few = math.prod([a.longest for a in plan.axes]) <= 4
    return planes(plan, situation) and sliding and (gapless or few or not situation.derivative)


def slices_cost(plan: Plan) -> float:
    return 8.0 + 2 * sum(math.log2(rounded(a.longest)) for a in plan.axes)


def lines(o: Any, x: Tensor, plan: Plan) -> Reduced:
    """Windows that slide over channels-last maps: each is a view, and one sum goes through all of an axis."""
    y = x
    for a in reversed(plan.axes):
        y = pad(o, y, a, 0.0) if a.total else y
        few = part_near(a.window, math.isqrt(a.window)) if a.window > LONG else 1  # windows of windows: 7 of 9 are 63
        for n, apart in ((few, 1), (a.window // few, few)):
            y = o.torch.sum(y.unfold(a.at, (n - 1) * apart + 1, 1)[..., ::apart], -1) if n > 1 else y
    return FOLDS[plan.kind](o, plan).finish((y,), x)


def fits_lines(plan: Plan, situation: Situation) -> bool:
    """Without a derivative: that of a view of windows goes cell by cell. Not traced: there the fold is one loop."""
    sliding = all(a.form == "keep" or (a.form == "taps" and a.stride == a.dilation == 1) for a in plan.axes)
    return sliding and behind(plan) > 0 and plan.floating and not situation.tracing


def sliding(o: Any, x: Tensor, plan: Plan) -> Reduced:
    """Long windows that slide over channels-last maps, by own pools of 7 cells at most, whose gradients are pools."""

    def pool(x: Tensor, k: int) -> Tensor:
        return o.F.avg_pool2d(x.permute(0, 3, 1, 2), (k, 1), 1).permute(0, 2, 3, 1)

    return in_pools(o, x, plan, pool, lambda o, x: [-1, *[x.shape[i] for i in range(1, plan.rank)]], lambda o, n: n)


def fits_sliding(plan: Plan, situation: Situation) -> bool:
    """With a derivative, which takes 0.3 to 1.0 of the time of the fold's; without one `lines` is faster."""
    long = max([a.longest for a in plan.axes]) >= LONG and behind(plan) > 0
    here = situation.derivative and not (situation.tracing or situation.wrapped or situation.empty)
    return long and here and slides_in_pools(plan, IN_A_ROW)


def lines_cost(plan: Plan) -> float:
    """Above `native` for windows of 5 and below it for 9; the fold, which costs 100, wins where they are very long."""
    return 30.0 + 0.5 * sum([a.window for a in plan.axes if a.form == "taps"])


ROUTES = (
    Route("lines", SUMS, lines, fits_lines, lines_cost, differentiable=False, copies=True),
    Route("sliding", SUMS, sliding, fits_sliding, lambda p: 99.0, copies=True),
    Route("tiles", SUMS, tiles, fits_tiles, lambda p: 15.0, copies=True),
    Route("steps", SUMS, steps, fits_steps, lambda p: 6.0 if len(p.axes) > 2 else 35.0, reference=True),
    Route("slices", SUMS, FOLD.lower, fits_slices, slices_cost, copies=True),
)
