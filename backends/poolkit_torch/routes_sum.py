"""Faster averages and sums.

Accuracy decides which route is right: 4 eps are allowed. `torch.sum` and `torch.mean` add pairwise (at most 1.8 eps up
to 1024x1024), torch's average pools add one cell after the other, so they are for windows of up to `IN_A_ROW` cells,
and compiled by Inductor not even `torch.mean` is right (690 eps for a constant 512x512 map).
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
from typing import Any

from poolkit.lowering.backend import SUMS, Reduced, Route, Situation, Tensor, When
from poolkit.lowering.count import count_along
from poolkit.lowering.fold import FEW
from poolkit.lowering.geometry import Axis
from poolkit.lowering.plan import Plan
from poolkit.lowering.routes.both_sides import Windows, adjacent, given, padded_first, windows_of
from poolkit.lowering.routes.stages import in_turn
from poolkit.lowering.routes.windows import IN_A_ROW, cells, reduced
from poolkit_torch import routes_arrange as arrange
from poolkit_torch import routes_windows as own
from poolkit_torch.routes_arrange import arranged, behind, put_back
from poolkit_torch.routes_mesh import SHARDED, differentiates
from poolkit_torch.routes_windows import pooled

AVG = ("avg",)

STEP = 21  # cells of a bin along each of two axes, for `stepwise`
PIECES = 64  # bins


# ---------------------------------------------------------------------------------------------------------- whole axes


def mean(o: Any, x: Tensor, plan: Plan) -> Reduced:
    return o.torch.mean(x, reduced(plan), keepdim=True), None


def total(o: Any, x: Tensor, plan: Plan) -> Reduced:
    """A sum, times 1/n for an average: its gradient is scaled before it is spread, that of `mean` a pass later."""
    half = plan.half_precision
    y = o.torch.sum(x, reduced(plan), keepdim=True, **({"dtype": o.torch.float32} if half else {}))
    if plan.kind == "avg":
        y = y * (1 / (plan.spec.divisor_override or cells(plan)))
    return (y.to(x.dtype) if half else y), None


def fits_whole(plan: Plan, situation: Situation) -> bool:
    return bool(reduced(plan)) and not arrange.compiling(situation)


def fits_mean(last: bool) -> When:
    """Of channels that come last it counts as the own call, for PyTorch has no pool that takes them as they are."""
    return lambda plan, situation: (
        (behind(plan) > 0) == last and fits_whole(plan, situation) and plan.spec.divisor_override is None
    )


def fits_total(plan: Plan, situation: Situation) -> bool:
    """An average without a derivative, or of a small map, is `mean`, which is one call less."""
    large = plan.known and situation.derivative and not situation.small
    return fits_whole(plan, situation) and (_divides_by_a_number(plan) or large)


# ------------------------------------------------------------------------------------------------ torch's average pools


def native(o: Any, x: Tensor, plan: Plan) -> Reduced:
    w = given(windows_of(plan))
    return put_back(pooled(o, "avg_pool", arranged(x, plan), w, plan, **options_of(plan, w)), x, plan), None


def options_of(plan: Plan, w: Windows) -> dict[str, Any]:
    """What torch divides by, where that is not its default."""
    divisor = 1 if plan.kind == "sum" else plan.spec.divisor_override
    if divisor is not None:
        return {"divisor_override": int(divisor)}
    return {} if plan.spec.count_include_pad or not (w.padded or w.ceil) else {"count_include_pad": False}


def times(o: Any, x: Tensor, plan: Plan) -> Reduced:
    """Torch's own average of cells and padding, times a number: both exporters to ONNX drop `divisor_override`."""
    w = given(windows_of(plan))
    y = put_back(pooled(o, "avg_pool", arranged(x, plan), w, plan), x, plan)
    return y * (w.cells / (plan.spec.divisor_override or 1)), None


def fits_times(plan: Plan, situation: Situation) -> bool:
    """All windows have equally many cells where none reaches over the end."""
    w = windows_of(plan) if _divides_by_a_number(plan) and _fits_pool(plan, situation._replace(format=None)) else None
    return w is not None and not w.ceil and not plan.half_precision and differentiates(situation)


def _divides_by_a_number(plan: Plan) -> bool:
    return plan.kind == "sum" or plan.spec.divisor_override is not None


def _fits_pool(plan: Plan, situation: Situation) -> bool:
    if situation.format in ("exporting", "onnx") and _divides_by_a_number(plan):
        return False
    w = windows_of(plan)
    few = w is not None and w.cells <= IN_A_ROW and w.adds_few(situation)
    if w is None or not few or own.three_dimensional_half(plan) or not differentiates(situation):
        return False
    if len(w.along) == 3 and (w.padded or w.ceil) and not all(a.known and a.n >= a.window for a in plan.axes):
        return False  # avg_pool3d refuses a map that is smaller than its window, whatever is padded or overhangs
    return says_divisor(plan, w)


def padded(o: Any, x: Tensor, plan: Plan) -> Reduced:
    """Torch's own average of an input with zeros around it; divided by that of ones, where padding does not count."""
    w, v, around = given(padded_first(plan)), arranged(x, plan), arrange.paddings(plan)
    y = pooled(o, "avg_pool", o.F.pad(v, around), w, plan)
    if _divides_by_a_number(plan):
        y = y * (w.cells / (plan.spec.divisor_override or 1))
    elif not plan.spec.count_include_pad:
        leading = 2 if behind(plan) or arrange.before(plan) > 1 else 1  # axes of `v` before the pooled ones
        ones = o.torch.ones_like(v[(slice(0, 1),) * leading])
        y = y / pooled(o, "avg_pool", o.F.pad(ones, around), w, plan)
    return put_back(y, x, plan), None


def fits_padded(plan: Plan, situation: Situation) -> bool:
    """A count of padding leaves out what overhangs, which cells around the input are not told from."""
    w = padded_first(plan)
    if w is None or w.cells > IN_A_ROW or any(a.dilation > 1 for a in w.along):
        return False
    if plan.spec.count_include_pad and any(a.overhang > 0 for a in plan.axes) and not _divides_by_a_number(plan):
        return False
    return w.adds_few(situation) and differentiates(situation)


def says_divisor(plan: Plan, w: Windows) -> bool:
    """Whether torch divides as the plan does; appended cells would count, and its padding is the same on both sides."""
    if any(a.dilation > 1 or a.extra for a in w.along):
        return False
    if _divides_by_a_number(plan):
        return float(plan.spec.divisor_override or 1).is_integer()
    even = all(a.form != "taps" or a.total - a.overhang == 2 * a.low for a in plan.axes)
    return not plan.spec.count_include_pad or even


def adaptive(o: Any, x: Tensor, plan: Plan) -> Reduced:
    pool = getattr(o.F, f"adaptive_avg_pool{len(plan.axes) + arrange.lifted(plan)}d")
    return put_back(pool(arranged(x, plan), arrange.adaptive_size(plan)), x, plan), None


def fits_adaptive(plan: Plan, situation: Situation) -> bool:
    """Bins are added up cell by cell, so they have few. Of unknown sizes the exporters to ONNX write wrong numbers."""
    if plan.spec.divisor_override is not None or not own.takes_bins(plan, situation):
        return False
    if plan.is_map:
        return not arrange.compiling(situation)
    if not plan.known:  # Inductor compiles it anew for each size, and an axis that is kept may be empty
        kept = any(a.form == "keep" for a in plan.axes)
        return not (kept or arrange.compiling(situation) or situation.format == "onnx")
    return situation.format != "onnx" and cells(plan) <= IN_A_ROW


def stepwise(o: Any, x: Tensor, plan: Plan) -> Reduced:
    """Averages of averages, so that fewer cells are in a row: of windows of 10 cells, or of bins along one axis."""
    y, count = arranged(x, plan), len(plan.axes)
    pools = in_turn(plan)
    for side in pools or ():
        y = getattr(o.F, f"avg_pool{count}d")(y, tuple(side))
    if pools is not None:
        return put_back(y, x, plan), None
    pool = getattr(o.F, f"adaptive_avg_pool{count}d")
    for i in reversed(range(count)):
        if plan.axes[i].form != "keep":
            y = pool(y, (None,) * i + (plan.axes[i].out,) + (None,) * (count - 1 - i))
    return put_back(y, x, plan), None


def fits_stepwise(plan: Plan, situation: Situation) -> bool:
    """Bins of 21x21 equal cells are 3.8 eps off and smaller ones at most 3.9, of 25x25 6; 4 are allowed.

    Of few channels, or of planes, `pieces` take a half of the time or less.
    """
    two = sum([a.form != "keep" for a in plan.axes]) == 2 and all(a.form != "taps" for a in plan.axes)
    near = two and plan.known and plan.floating and plan.spec.divisor_override is None and adjacent(plan)
    compiled = situation.tracing and situation.format != "exporting"  # where one sum may be made of several
    if not near or plan.half_precision or compiled:
        return False
    rows = (behind(plan) > 0 and not situation.thin) or arrange.against_order(plan, situation)
    return in_turn(plan) is not None or (rows and not situation.tracing and max([a.longest for a in plan.axes]) <= STEP)


def pieces(o: Any, x: Tensor, plan: Plan) -> Reduced:
    """Long bins of one axis as sums, which PyTorch adds in pairs, of what lies between their ends; then `wide`.

    A cell in which two bins have an end is a piece by itself, so that no derivative is of the whole map for each bin.
    """
    a = _longest(plan)
    bins = a.bins()
    ends = sorted({end for both in bins for end in both})
    parts = x.split(tuple([end - start for start, end in itertools.pairwise(ends)]), a.at)
    sums = [o.torch.sum(parts[i], a.at, keepdim=True) for i in range(len(ends) - 1)]
    rows = o.concat([functools.reduce(o.add, sums[ends.index(i) : ends.index(j)]) for i, j in bins], a.at)
    rows = o.divide(rows, count_along(o, plan, a, x))
    left = [dataclasses.replace(b, form="keep") if b == a else b for b in plan.axes]
    more = any(b.form != "keep" for b in left)
    return wide(o, rows, dataclasses.replace(plan, axes=tuple(left))) if more else (rows, None)


def _longest(plan: Plan) -> Axis:
    return max([a for a in plan.axes if a.form == "bins"], key=lambda a: a.longest)


def fits_pieces(plan: Plan, situation: Situation) -> bool:
    """At most 64 bins, for a program has a line for each piece."""
    return plan.known and not situation.tracing and fits_wide(plan, situation) and _longest(plan).out <= PIECES


def wide(o: Any, x: Tensor, plan: Plan) -> Reduced:
    """Bins of many cells in float64: PyTorch's own kernel, and what compiles a graph, add up each bin in a row."""
    return o.cast_like(adaptive(o, o.cast(x, "float64"), plan)[0], x), None


def fits_wide(plan: Plan, situation: Situation) -> bool:
    bins = any(a.form == "bins" for a in plan.axes) and plan.spec.divisor_override is None
    float32 = plan.floating and plan.work == "float32" and not own.three_dimensional_half(plan)
    return bins and float32 and adjacent(plan) and situation.format not in ("exporting", "onnx", SHARDED)


# ---------------------------------------------------------------------------------------------------------------- costs


def native_cost(plan: Plan) -> float:
    """How many windows read a cell counts, not how many cells a window has.

    Channels-last volumes are pooled cell by cell: 37 ms with the gradient of 2x2x2 where `tiles` takes 8.
    """
    w = windows_of(plan)
    return (8.0 if behind(plan) and len(plan.axes) < 3 else 28.0) + own.rounded(1 if w is None else w.overlap)


def adaptive_cost(plan: Plan) -> float:
    return 12.0 if plan.is_map else 30.0


def wide_cost(plan: Plan) -> float:
    """Before the fold, whose cost is 100, where that takes all windows of a bin's length for many bins."""
    return 90.0 if plan.known and any(a.form == "bins" and a.out > FEW for a in plan.axes) else 110.0


_own = functools.partial(Route, needs_sizes=False, takes_half_precision=True)

ROUTES = (
    _own("mean", AVG, mean, fits_mean(last=False), lambda p: 10.0),
    _own("mean", AVG, mean, fits_mean(last=True), lambda p: 10.0, reference=True),
    _own("sum", SUMS, total, fits_total, lambda p: 9.0),
    _own("native", SUMS, native, own.given_as("window", _fits_pool), native_cost, reference=True),
    _own("adaptive", AVG, adaptive, fits_adaptive, adaptive_cost, reference=True),
    Route("stepwise", AVG, stepwise, fits_stepwise, lambda p: 14.0 if behind(p) and in_turn(p) else 35.0),
    Route("pieces", AVG, pieces, fits_pieces, lambda p: 36.0),
    Route("wide", AVG, wide, fits_wide, wide_cost, reference=True),
    Route("windows", SUMS, native, own.given_as("output_size", _fits_pool), native_cost, takes_half_precision=True),
    Route("padded", SUMS, padded, fits_padded, lambda p: native_cost(p) + 10.0, needs_sizes=False, reference=True),
    Route("times", SUMS, times, fits_times, lambda p: native_cost(p) + 2.0, needs_sizes=False, reference=True),
)
