"""Faster averages and sums.

Accuracy decides which route is right: 4 eps are allowed. `torch.sum` and `torch.mean` add pairwise (at most 1.8 eps up
to 1024x1024), torch's average pools add one cell after the other, so they are for windows of up to `MOST_CELLS` cells,
and compiled by Inductor not even `torch.mean` is right (690 eps for a constant 512x512 map).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from poolkit.lowering.backend import Route, Situation
from poolkit.lowering.geometry import Axis
from poolkit.lowering.plan import HALVES, Plan
from poolkit_torch.routes_arrange import (
    adaptive_size,
    adjacent,
    arranged,
    before,
    behind,
    compiling,
    divides,
    lifted,
    paddings,
    put_back,
)
from poolkit_torch.routes_windows import (
    IN_A_ROW,
    MOST_OVERLAP,
    Along,
    Windows,
    alike,
    bin_cells,
    kept,
    padded_first,
    rounded,
    three_dimensional_half,
    windows_of,
)

Tensor = Any
Reduced = tuple[Tensor, Tensor | None]

AVG = ("avg",)
SUMS = ("avg", "sum")


# ---------------------------------------------------------------------------------------------------------- whole axes


def mean(o: Any, x: Tensor, plan: Plan) -> Reduced:
    return o.torch.mean(x, _whole(plan), keepdim=True), None


def total(o: Any, x: Tensor, plan: Plan) -> Reduced:
    """A sum, times 1/n for an average: its gradient is scaled before it is spread, that of `mean` a pass later."""
    half = plan.dtype in HALVES
    y = o.torch.sum(x, _whole(plan), keepdim=True, **({"dtype": o.torch.float32} if half else {}))
    if plan.kind == "avg":
        y = y * (1 / (plan.spec.divisor_override or math.prod([a.n for a in plan.axes if a.form == "whole"])))
    return (y.to(x.dtype) if half else y), None


def _whole(plan: Plan) -> tuple[int, ...]:
    return tuple(a.at for a in plan.axes if a.form == "whole")


def fits_whole(plan: Plan, situation: Situation) -> bool:
    forms = {a.form for a in plan.axes}
    return "whole" in forms and forms <= {"whole", "keep"} and not compiling(situation)


def fits_mean(plan: Plan, situation: Situation) -> bool:
    return fits_whole(plan, situation) and plan.spec.divisor_override is None


def fits_last(plan: Plan, situation: Situation) -> bool:
    """Of channels that come last it is the own call: PyTorch has no pool of them, and none to wrap in transposes."""
    return behind(plan) > 0 and fits_mean(plan, situation)


def fits_first(plan: Plan, situation: Situation) -> bool:
    return behind(plan) == 0 and fits_mean(plan, situation)


def fits_total(plan: Plan, situation: Situation) -> bool:
    """An average without a derivative is `mean`, which is one call less."""
    given = plan.kind == "sum" or plan.spec.divisor_override is not None
    return fits_whole(plan, situation) and (given or (plan.known and situation.derivative))


# ------------------------------------------------------------------------------------------------ torch's average pools


def native(o: Any, x: Tensor, plan: Plan) -> Reduced:
    w = windows_of(plan)
    assert w is not None
    return _average(o, x, plan, w, options_of(plan, w)), None


def _average(o: Any, x: Tensor, plan: Plan, w: Windows, options: dict[str, Any]) -> Tensor:
    along = (Along(1, 1, 0, 1), *w.along) if lifted(plan) else w.along
    return put_back(kept(avg_pool(o, arranged(x, plan), along, options), w), x, plan)


def avg_pool(o: Any, v: Tensor, along: Sequence[Along], options: dict[str, Any]) -> Tensor:
    fields = ("window", "stride", "padding")
    window, stride, padding = (alike(tuple(getattr(a, field) for a in along)) for field in fields)
    return getattr(o.F, f"avg_pool{len(along)}d")(v, window, stride, *(() if padding == 0 else (padding,)), **options)


def options_of(plan: Plan, w: Windows) -> dict[str, Any]:
    """The arguments that are off torch's defaults."""
    options: dict[str, Any] = {"ceil_mode": True} if w.ceil else {}
    divisor = 1 if plan.kind == "sum" else plan.spec.divisor_override
    if divisor is not None:
        return options | {"divisor_override": int(divisor)}
    return (
        options if plan.spec.count_include_pad or not (w.padded or w.ceil) else options | {"count_include_pad": False}
    )


def fits_native(plan: Plan, situation: Situation) -> bool:
    return plan.spec.window is not None and _fits_pool(plan, situation)


def fits_windows(plan: Plan, situation: Situation) -> bool:
    """Adaptive bins that divide their axis."""
    return plan.spec.window is None and _fits_pool(plan, situation)


def times(o: Any, x: Tensor, plan: Plan) -> Reduced:
    """Torch's own average of cells and padding, times a number: both exporters to ONNX drop `divisor_override`."""
    w = windows_of(plan)
    assert w is not None
    return _average(o, x, plan, w, {}) * (w.cells / (plan.spec.divisor_override or 1)), None


def fits_times(plan: Plan, situation: Situation) -> bool:
    """Every window has one count where none overhangs."""
    w = windows_of(plan) if _divides_by_a_number(plan) and _fits_pool(plan, situation._replace(format=None)) else None
    return w is not None and not w.ceil and plan.dtype not in HALVES


def _divides_by_a_number(plan: Plan) -> bool:
    return plan.kind == "sum" or plan.spec.divisor_override is not None


def _fits_pool(plan: Plan, situation: Situation) -> bool:
    if situation.format in ("exporting", "onnx") and _divides_by_a_number(plan):
        return False
    w = windows_of(plan) if adjacent(plan) else None
    if w is None or w.cells > IN_A_ROW or not plan.floating or three_dimensional_half(plan):
        return False
    if situation.derivative and w.overlap > MOST_OVERLAP:
        return False
    if len(w.along) == 3 and not all(a.known and a.n >= b.window for a, b in zip(plan.axes, w.along, strict=True)):
        return False  # avg_pool3d refuses a map that is smaller than its window, whatever is padded
    return says_divisor(plan, w)


def padded(o: Any, x: Tensor, plan: Plan) -> Reduced:
    """Torch's own average of an input with zeros around it; divided by that of ones, where padding does not count."""
    w = padded_first(plan)
    assert w is not None, "`when` has admitted a plan without windows"
    v, around = arranged(x, plan), paddings(plan)
    along = (Along(1, 1, 0, 1), *w.along) if lifted(plan) else w.along
    y = avg_pool(o, o.F.pad(v, around), along, {})
    if _divides_by_a_number(plan):
        y = y * (w.cells / (plan.spec.divisor_override or 1))
    elif not plan.spec.count_include_pad:
        leading = 2 if behind(plan) or before(plan) > 1 else 1  # axes of `v` before the pooled ones
        ones = o.torch.ones_like(v[(slice(0, 1),) * leading])
        y = y / avg_pool(o, o.F.pad(ones, around), along, {})
    return put_back(y, x, plan), None


def fits_padded(plan: Plan, situation: Situation) -> bool:
    """A count of padding leaves out what overhangs, which cells around the input are not told from."""
    w = padded_first(plan) if adjacent(plan) and plan.floating else None
    if w is None or w.cells > IN_A_ROW or any(a.dilation > 1 for a in w.along):
        return False
    if plan.spec.count_include_pad and any(a.overhang > 0 for a in plan.axes) and not _divides_by_a_number(plan):
        return False
    return w.overlap <= MOST_OVERLAP or not situation.derivative


def says_divisor(plan: Plan, w: Windows) -> bool:
    """Whether torch divides as the plan does; appended cells would count, and its padding is the same on both sides."""
    if any(a.dilation > 1 or a.extra for a in w.along):
        return False
    if _divides_by_a_number(plan):
        return float(plan.spec.divisor_override or 1).is_integer()
    return not plan.spec.count_include_pad or all(_even(a) for a in plan.axes)


def _even(a: Axis) -> bool:
    return a.form != "taps" or a.total - a.overhang == 2 * a.low


def adaptive(o: Any, x: Tensor, plan: Plan) -> Reduced:
    pool = getattr(o.F, f"adaptive_avg_pool{len(plan.axes) + lifted(plan)}d")
    return put_back(pool(arranged(x, plan), adaptive_size(plan)), x, plan), None


def fits_adaptive(plan: Plan, situation: Situation) -> bool:
    """To size 1 it is `mean`; bins are added cell by cell. ONNX gets wrong numbers of it where sizes are not known."""
    if plan.spec.output_size is None or plan.spec.divisor_override is not None or not adjacent(plan):
        return False
    if three_dimensional_half(plan) or not plan.floating or not divides(plan):
        return False
    if all(a.form == "whole" for a in plan.axes):
        return not compiling(situation)
    if not plan.known:  # Inductor compiles it anew for each size, and an axis that is kept may be empty
        return not compiling(situation) and situation.format != "onnx" and all(a.form != "keep" for a in plan.axes)
    return situation.format != "onnx" and math.prod([bin_cells(a) for a in plan.axes]) <= IN_A_ROW


def wide(o: Any, x: Tensor, plan: Plan) -> Reduced:
    """Bins of many cells in float64: PyTorch's own kernel, and what compiles a graph, add up each bin in a row."""
    return o.cast_like(adaptive(o, o.cast(x, "float64"), plan)[0], x), None


def fits_wide(plan: Plan, situation: Situation) -> bool:
    bins = any(a.form == "bins" for a in plan.axes) and plan.spec.divisor_override is None
    float32 = plan.floating and plan.work == "float32" and not three_dimensional_half(plan)
    return bins and float32 and adjacent(plan) and situation.format not in ("exporting", "onnx")


# ---------------------------------------------------------------------------------------------------------------- costs


def native_cost(plan: Plan) -> float:
    """How many windows read a cell counts, not how many cells a window has."""
    w = windows_of(plan)
    return (8.0 if behind(plan) else 28.0) + rounded(1 if w is None else w.overlap)


def adaptive_cost(plan: Plan) -> float:
    if all(a.form == "whole" for a in plan.axes):
        return 12.0
    return 30.0


ROUTES = (
    Route("mean", AVG, mean, fits_first, lambda p: 10.0, needs_sizes=False, takes_half_precision=True),
    Route("mean", AVG, mean, fits_last, lambda p: 10.0, needs_sizes=False, takes_half_precision=True, reference=True),
    Route("sum", SUMS, total, fits_total, lambda p: 9.0, needs_sizes=False, takes_half_precision=True),
    Route(
        "native", SUMS, native, fits_native, native_cost, needs_sizes=False, takes_half_precision=True, reference=True
    ),
    Route(
        "adaptive",
        AVG,
        adaptive,
        fits_adaptive,
        adaptive_cost,
        needs_sizes=False,
        takes_half_precision=True,
        reference=True,
    ),
    Route("wide", AVG, wide, fits_wide, lambda p: 110.0, reference=True),
    Route("windows", SUMS, native, fits_windows, native_cost, takes_half_precision=True),
    Route("padded", SUMS, padded, fits_padded, lambda p: native_cost(p) + 10.0, needs_sizes=False, reference=True),
    Route("times", SUMS, times, fits_times, lambda p: native_cost(p) + 2.0, needs_sizes=False, reference=True),
)
