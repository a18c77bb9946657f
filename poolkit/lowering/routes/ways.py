"""In which ways a kind is computed by sums (`by_sums.py`), and masked sums by products (`products.py`)."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, TypeGuard

from poolkit.lowering.backend import SUMS
from poolkit.lowering.plan import AnyPlan, Composite, Plan
from poolkit.lowering.products import STAGES, in_a_row
from poolkit.lowering.routes.by_sums import BySums, is_whole, pooling
from poolkit.lowering.routes.windows import IN_A_ROW, cells, sliding
from poolkit.lowering.weighed import WeighedPlan
from poolkit.spec.dtypes import FLOATS
from poolkit.spec.kinds import KINDS, RANDOM

if TYPE_CHECKING:
    from poolkit.lowering.means import Means

WIDEST = 4.0  # the largest p of which float64 holds the powers of float32's numbers, and their derivatives
# How many times as many cells all windows may have as the map, where these are put beside each other: those of 3 with
# stride 2 have 2.25, and take a quarter of the fold's time on PyTorch; of 3 with stride 1 9, and the gradient twice it.
COPIES = 5
FEW = 25  # cells that float32 may add up in a row: 3.4 eps of the 16 that are allowed


def ways(base: AnyPlan, means: Means) -> list[Composite]:
    """The plans that may stand in the place of `base`, the best first; none where sums do not help."""
    found = _of_parts(base, means)
    return [_by(base, "beside", base.work)] if not found and means.shipped and _stand_beside(base) else found


def _of_parts(base: AnyPlan, means: Means) -> list[Composite]:
    if not isinstance(base, Plan | WeighedPlan) or not (base.known or is_whole(pooling(base))):
        return []
    if not base.known:
        means = means._replace(tries=False, derives=False)
    plan, given = pooling(base), {f.name for f in base.further}
    if isinstance(base, WeighedPlan) and given == {"mask"} and plan.kind in SUMS and base.work in FLOATS:
        return _masked(base, plan, means)
    offered, p = KINDS[plan.kind].by_sums, _power(plan)
    if not offered or given & set(RANDOM):
        return []
    if "plain" in offered or (p in (1, math.inf) and not given & {"p", "eps"}):
        return [_by(base, "plain", plan.work, "max" if p == math.inf else "sum")]
    # Powers with exponents that are small and known; exponentials need none.
    fixed = "wide" not in offered or (1 < p <= WIDEST and not given & {"p", "eps"})
    return (_of_whole_axes if is_whole(plan) else _of_windows)(base, plan, means, fixed)


def _masked(base: WeighedPlan, plan: Plan, means: Means) -> list[Composite]:
    if not (means.tries and means.asks):
        return []
    rows = means.multiplies and base.narrow and in_a_row(plan, means.multiplies == STAGES)
    return [dataclasses.replace(base, way=means.multiplies if rows else "tried")]


def _of_whole_axes(base: Plan | WeighedPlan, plan: Plan, means: Means, fixed: bool) -> list[Composite]:
    offered = KINDS[plan.kind].by_sums
    relative = _by(base, "relative", plan.work, "sum", "max")
    if "bounded" in offered and fixed and means.tries and means.asks:
        return [_by(base, "tried", plan.work, "sum", "max")]
    powers = "wide" in offered
    if means.derives and "bounded" in offered and not base.further and (not powers or 2 <= _power(plan) < math.inf):
        return [_by(base, "derived", plan.work, "sum"), relative]
    return [relative]


def _of_windows(base: Plan | WeighedPlan, plan: Plan, means: Means, fixed: bool) -> list[Composite]:
    offered = KINDS[plan.kind].by_sums
    few, powers, asks = cells(plan) <= FEW, "wide" in offered, "bounded" in offered and means.asks
    if not fixed:
        return []
    if asks and means.tries and few:
        return [_by(base, "tried", plan.work, "sum")]
    if powers and means.wide and plan.work == "float32":
        return [_by(base, "wide", "float64", "sum")]
    many = plan.work == "float32" and not few
    if asks and not (powers and many):
        return [_by(base, "bounded", "float64" if many and means.wide else plan.work, "sum")]
    return []


def _power(plan: Plan) -> float:
    p: float = dict(plan.spec.options).get("p", 2.0)
    return p


def _stand_beside(base: AnyPlan) -> TypeGuard[Plan]:
    """Whether windows are small, so that their cells are not many times as many as those of the input."""
    if not isinstance(base, Plan) or "bounded" not in KINDS[base.kind].by_sums:
        return False
    axes = [sliding(a) for a in base.axes]
    slide = all(a.form in ("taps", "keep") for a in axes) and any(a.form == "taps" for a in axes)
    copies = math.prod([a.window / min(a.stride, a.window) for a in axes])
    few = math.prod([a.window for a in axes]) <= IN_A_ROW
    options = dict(base.spec.options)
    return slide and options.get("p") != math.inf and options.get("beta") != 0 and few and copies <= COPIES


def _by(base: Plan | WeighedPlan, way: str, work: str, *kinds: str) -> BySums:
    plan = pooling(base)
    masked = any(f.name == "mask" for f in base.further)
    parts = [
        dataclasses.replace(plan, spec=plan.spec.replace(kind=kind, options=()), dtype=work, work=work)
        for kind in [*kinds, *(["sum"] if masked else [])]
    ]
    return BySums(base.spec, tuple(parts), base.axes, base.rank, base.dtype, base.work, base, way, further=base.further)
