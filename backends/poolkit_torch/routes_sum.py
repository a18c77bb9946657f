"""Faster averages and sums.

Accuracy decides which route is right (DESIGN.md section 2, 6): `torch.sum` and `torch.mean` add pairwise (at most 1.8 eps up to
1024x1024), torch's average pools add one cell after the other, so they are for windows of up to `MOST_CELLS` cells, and compiled by
Inductor not even `torch.mean` is right (690 eps for a constant 512x512 map).
"""

from __future__ import annotations

import math
from typing import Any

from poolkit_torch.arrange import adaptive_size, adjacent, arranged, behind, compiling, lifted, planes, put_back
from poolkit_torch.windows import MOST_CELLS, Along, Windows, bin_cells, kept, three_dimensional_half, windows_of

from poolkit.adapter import Route, Site
from poolkit.geometry import Axis
from poolkit.lower import FOLD
from poolkit.plan import HALVES, Plan

Tensor = Any
Reduced = tuple[Tensor, Tensor | None]

AVG = ("avg",)
SUMS = ("avg", "sum")


# ---------------------------------------------------------------------------------------------------------- whole axes


def mean(o: Any, x: Tensor, plan: Plan) -> Reduced:
    return o.torch.mean(x, _whole(plan), keepdim=True), None


def total(o: Any, x: Tensor, plan: Plan) -> Reduced:
    """A sum, times 1/n for an average: its gradient is scaled before it is spread, `mean`'s after, which takes a pass more."""
    half = plan.dtype in HALVES
    y = o.torch.sum(x, _whole(plan), keepdim=True, **({"dtype": o.torch.float32} if half else {}))
    if plan.kind == "avg":
        y = y * (1 / math.prod([a.n for a in plan.axes if a.form == "whole"]))
    return (y.to(x.dtype) if half else y), None


def _whole(plan: Plan) -> tuple[int, ...]:
    return tuple(a.at for a in plan.axes if a.form == "whole")


def fits_whole(plan: Plan, site: Site) -> bool:
    forms = {a.form for a in plan.axes}
    return "whole" in forms and forms <= {"whole", "keep"} and not site.tracing


def fits_total(plan: Plan, site: Site) -> bool:
    """An average without a derivative is `mean`, which is one call less."""
    known = plan.kind == "sum" or (plan.known and site.derivative)
    return known and fits_whole(plan, site)


# -------------------------------------------------------------------------------------------------- torch's average pools


def native(o: Any, x: Tensor, plan: Plan) -> Reduced:
    w = windows_of(plan)
    assert w is not None
    count = len(plan.axes) + lifted(plan)
    along = (Along(1, 1, 0, 1), *w.along) if lifted(plan) else w.along
    sizes = [tuple(getattr(a, field) for a in along) for field in ("window", "stride", "padding")]
    y = getattr(o.F, f"avg_pool{count}d")(arranged(x, plan), *sizes, **_options(plan, w, count))
    return put_back(kept(y, w), x, plan), None


def _options(plan: Plan, w: Windows, count: int) -> dict[str, Any]:
    """The arguments that are off torch's defaults."""
    options: dict[str, Any] = {"ceil_mode": True} if w.ceil else {}
    divisor = 1 if plan.kind == "sum" else plan.spec.divisor_override
    if divisor is not None:
        return options | {"divisor_override": int(divisor)}
    return options if plan.spec.count_include_pad or not (w.padded or w.ceil) else options | {"count_include_pad": False}


def fits_native(plan: Plan, site: Site) -> bool:
    w = windows_of(plan) if adjacent(plan) else None
    return w is not None and w.cells <= MOST_CELLS and _says_divisor(plan, w) and not three_dimensional_half(plan) and plan.floating


def _says_divisor(plan: Plan, w: Windows) -> bool:
    """Whether torch divides as the plan does; appended cells would count, and its padding is the same on both sides."""
    if any(a.dilation > 1 or a.extra for a in w.along):
        return False
    if plan.kind == "sum" or plan.spec.divisor_override is not None:
        return plan.kind == "sum" or float(plan.spec.divisor_override).is_integer()
    return not plan.spec.count_include_pad or all(_even(a) for a in plan.axes)


def _even(a: Axis) -> bool:
    return a.form != "taps" or a.total - a.overhang == 2 * a.low


def adaptive(o: Any, x: Tensor, plan: Plan) -> Reduced:
    pool = getattr(o.F, f"adaptive_avg_pool{len(plan.axes) + lifted(plan)}d")
    return put_back(pool(arranged(x, plan), adaptive_size(plan)), x, plan), None


def fits_adaptive(plan: Plan, site: Site) -> bool:
    """To size 1 it is `mean`; bins are added cell by cell. Where no size is known it is offered behind the fold, to be asked for by name."""
    if plan.spec.output_size is None or not adjacent(plan) or three_dimensional_half(plan) or not plan.floating:
        return False
    if all(a.form == "whole" for a in plan.axes):
        return not compiling(site)
    return not plan.known or math.prod([bin_cells(a) for a in plan.axes]) <= MOST_CELLS


# ------------------------------------------------------------------------------------------------------------------ tiles


def tiles(o: Any, x: Tensor, plan: Plan) -> Reduced:
    """Windows that stand side by side: each axis is split in two, of which one is summed; rows first, then columns."""
    cells = 1
    y = x
    for a in plan.axes:
        k = tile(a)
        if a.form == "whole":
            y = o.torch.sum(y, a.at, keepdim=True)
        elif k is not None and k > 1:
            y = o.torch.sum(y.unflatten(a.at, (a.n // k, k)), a.at + 1)
        cells *= k or 1
    divisor = plan.spec.divisor_override or cells
    return (y if plan.kind == "sum" else y * (1 / divisor)), None


def tile(a: Axis) -> int | None:
    """The length of windows that neither overlap nor leave a gap nor need padding; None where there are others."""
    if a.form == "keep":
        return 1
    window = a.window if a.form == "taps" else a.n // a.out
    beside = a.total == 0 and a.dilation == 1 and (a.form != "taps" or a.stride == a.window)
    return window if window * a.out == a.n and beside else None


def fits_tiles(plan: Plan, site: Site) -> bool:
    lengths = [tile(a) for a in plan.axes]
    return plan.floating and None not in lengths and lengths != [1] * len(lengths)


# ------------------------------------------------------------------------------------------------------------------ costs


def native_cost(plan: Plan) -> float:
    w = windows_of(plan)
    return (1 if behind(plan) else 20.0) + (w.cells if w is not None else 1)


def adaptive_cost(plan: Plan) -> float:
    if all(a.form == "whole" for a in plan.axes):
        return 12.0
    return 30.0 if plan.known else 1000.0


ROUTES = (
    Route("mean", AVG, mean, fits_whole, lambda p: 10.0, sizes=False, halves=True),
    Route("sum", SUMS, total, fits_total, lambda p: 9.0, sizes=False, halves=True),
    Route("native", SUMS, native, lambda p, s: p.spec.window is not None and fits_native(p, s), native_cost, sizes=False, halves=True, reference=True),
    Route("adaptive", AVG, adaptive, fits_adaptive, adaptive_cost, sizes=False, halves=True, reference=True),
    Route("windows", SUMS, native, lambda p, s: p.spec.window is None and fits_native(p, s), native_cost, halves=True),
    Route("tiles", SUMS, tiles, fits_tiles, lambda p: 15.0),
    Route("slices", SUMS, FOLD.lower, lambda p, s: planes(p, s) and {a.form for a in p.axes} <= {"taps", "keep"}, lambda p: 18.0, derivative=False),
)
