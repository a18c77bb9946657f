"""Faster ways to find extrema. Where a route needs a max pool, a minimum is that of the negated input, negated.

Every native max pool takes the first tie, and NaN; of several NaN it takes the last. `amax` and `torch.maximum` split
the gradient of ties, so their routes are for calls without a derivative.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from typing import Any

from poolkit.lowering.backend import EXTREMA, Reduced, Route, Situation, Tensor
from poolkit.lowering.fold import FEW
from poolkit.lowering.geometry import Axis
from poolkit.lowering.plan import Plan
from poolkit.lowering.routes.both_sides import MOST_OVERLAP, Windows, bin_overlap, given, padded_first, windows_of
from poolkit.lowering.routes.extremes import extremes, first_axis_first
from poolkit.lowering.routes.windows import side_by_side
from poolkit_torch import routes_arrange as arrange
from poolkit_torch import routes_windows as own
from poolkit_torch.routes_arrange import arranged, behind, put_back

# ------------------------------------------------------------------------------------------------ torch's own max pools


def signed(t: Tensor, plan: Plan) -> Tensor:
    return -t if plan.kind == "min" else t


def pooled(o: Any, x: Tensor, plan: Plan, w: Windows, around: float | None = None) -> Reduced:
    """What a max pool gives for the arranged input, put back into the input's layout.

    With `around` the input is first padded by that number.
    """
    v = signed(_pooled_as(x, plan), plan)
    v = v if around is None else o.F.pad(v, arrange.paddings(plan), value=around)
    return put_back_both(own.pooled(o, "max_pool", v, w, plan, **positions(plan)), x, plan)


def _pooled_as(x: Tensor, plan: Plan) -> Tensor:
    v = arranged(x, plan)
    # On channels_last_3d data the index of a window of -inf is that of another window. `contiguous` is not enough:
    # with one channel data is contiguous in both senses, and PyTorch goes by strides, which a view makes anew.
    return v.reshape(-1).view_as(v) if len(plan.axes) == 3 else v


def positions(plan: Plan) -> dict[str, bool]:
    return {"return_indices": True} if plan.spec.indices else {}


def put_back_both(got: Any, x: Tensor, plan: Plan) -> Reduced:
    """Values that were found in the signed input, and indices where there are any, in the input's layout."""
    values, indices = (got[0], got[1]) if plan.spec.indices else (got, None)
    values = put_back(signed(values, plan), x, plan)
    return values, None if indices is None else put_back(indices, x, plan)


def native(o: Any, x: Tensor, plan: Plan) -> Reduced:
    return pooled(o, x, plan, given(windows_of(plan)))


def padded(o: Any, x: Tensor, plan: Plan) -> Reduced:
    """Cells of -inf on both sides, as many as there are to be, and torch's own pool of that."""
    return pooled(o, x, plan, given(padded_first(plan)), around=-math.inf)


def fits_padded(plan: Plan, situation: Situation) -> bool:
    w = padded_first(plan)
    return w is not None and not own.three_dimensional_half(plan) and w.adds_few(situation)


def view(o: Any, x: Tensor, plan: Plan, guard: bool = False) -> Reduced:
    """PyTorch's 3-d pool of channels-last data without a copy: nobody asks for the indices, which may be wrong.

    Wrong are those of windows of -inf alone. Where a derivative is taken, a `guard` lets none through these.
    """
    y = own.pooled(o, "max_pool", signed(arranged(x, plan), plan), given(windows_of(plan)), plan)
    y = o.F.threshold(y, -math.inf, -math.inf) if guard else y
    return put_back(signed(y, plan), x, plan), None


guarded = functools.partial(view, guard=True)


def fits_view(plan: Plan, situation: Situation) -> bool:
    return len(plan.axes) == 3 and behind(plan) > 0 and _fits_pool(plan, situation)


def fits_guarded(plan: Plan, situation: Situation) -> bool:
    return not (arrange.compiling(situation) or situation.wrapped) and fits_view(plan, situation)


def _fits_pool(plan: Plan, situation: Situation) -> bool:
    w, onnx = windows_of(plan), situation.format == "onnx" and not plan.spec.indices
    return (
        w is not None
        and not own.three_dimensional_half(plan)
        and not (plan.spec.indices and w.remakes_indices)
        and w.adds_few(situation)
        # Inductor's backward pass reads outside of its input where a padded window holds -inf only.
        and not (w.padded and arrange.compiling(situation))
        # ONNX Runtime takes 1.4 times as long to leave windows of channels-last maps out as to pad these.
        and not (onnx and behind(plan) and any(a.skip for a in w.along))
    )


def adaptive(o: Any, x: Tensor, plan: Plan) -> Reduced:
    pool = getattr(o.F, f"adaptive_max_pool{len(plan.axes) + arrange.lifted(plan)}d")
    v = signed(_pooled_as(x, plan), plan)
    return put_back_both(pool(v, arrange.adaptive_size(plan), **positions(plan)), x, plan)


def fits_adaptive(plan: Plan, situation: Situation) -> bool:
    """Not for ONNX: neither exporter can write it."""
    few = math.prod([bin_overlap(a) for a in plan.axes]) <= MOST_OVERLAP or not situation.derivative
    compiled_anew = arrange.compiling(situation) and not plan.known  # by Inductor, for each size
    fits = own.takes_bins(plan, situation) and situation.format != "onnx" and not _keeps_a_symbol(plan, situation)
    return fits and few and not compiled_anew


def beside(o: Any, x: Tensor, plan: Plan) -> Reduced:
    """The same of the other axes, where one that stays as it is would be taken for as long as that of the example."""
    return adaptive(o, x, _without_kept(plan))


def fits_beside(plan: Plan, situation: Situation) -> bool:
    left = _without_kept(plan)
    fits = len(left.axes) > 0 and not plan.spec.indices and _keeps_a_symbol(plan, situation)
    return fits and fits_adaptive(left, situation)


def _without_kept(plan: Plan) -> Plan:
    return dataclasses.replace(plan, axes=tuple([a for a in plan.axes if a.form != "keep"]))


def _keeps_a_symbol(plan: Plan, situation: Situation) -> bool:
    return situation.tracing and any(a.form == "keep" and not a.known for a in plan.axes)


# ------------------------------------------------------------------------------------- reductions, without a derivative


def fits_maximum(plan: Plan, situation: Situation) -> bool:
    """Integers have no value that changes no maximum, so they take this route only where nothing is padded.

    Where the channels lie innermost in memory, 7 bins of 30 cells take 16 times as long as `adaptive`, and windows of 3
    with stride 2 twice as long as `native`. So does a whole map of many, which is read one strip of channels after the
    other, 1.1 to 1.5 times as long once no cache holds it.
    """
    if plan.work in ("uint16", "uint32", "uint64"):
        return False
    if situation.large and plan.is_map and behind(plan) and len(plan.axes) == 2 and fits_adaptive(plan, situation):
        return False
    if plan.floating and arrange.against_order(plan, situation):
        return all(a.form != "bins" and (a.stride == 1 or a.stride >= a.window) for a in plan.axes)
    return plan.floating or all(a.form != "bins" and a.total == 0 for a in plan.axes)


def rows(o: Any, x: Tensor, plan: Plan) -> Reduced:
    """`max_pool1d` along the last axis, whose kernel without a gradient is fast, then `torch.maximum` of whole rows."""
    w = given(windows_of(plan))
    flat = x.flatten(0, -3) if plan.rank > 3 else x
    line = signed(own.pooled(o, "max_pool", signed(flat, plan), Windows(w.along[-1:], w.ceil), plan), plan)
    line = line.unflatten(0, x.shape[: plan.rank - 2]) if plan.rank > 3 else line
    return extremes(o, line, plan, plan.axes[:-1])


def fits_rows(plan: Plan, situation: Situation) -> bool:
    lines = arrange.planes(plan, situation) and plan.rank > 1  # max_pool1d takes no line alone
    w = windows_of(plan) if lines else None
    return w is not None and not w.along[-1].extra and w.along[-1].window > 1


# -------------------------------------------------------------------------------------------------------------- costs
# In passes over the input, as measured on a CPU: on planes PyTorch works cell by cell, 20 times as long as on channels.


def native_cost(plan: Plan) -> float:
    """How many windows read a cell counts: those of 7x7 that touch take as long as those of 2x2.

    Over a whole channels-last map the gradient of `adaptive` is up to 10 times as fast. That of this pool copies the
    map wherever the gradient that arrives is not in the format channels_last, and that of a sum is not.
    """
    if plan.is_map and behind(plan):
        return adaptive_cost(plan) + 1.0
    w = windows_of(plan)
    copied, lines = len(plan.axes) == 3 or not behind(plan), len(plan.axes) == 1
    return (45.0 if copied else 8.0 if lines else 2.0) + own.rounded(1 if w is None else w.overlap)


def adaptive_cost(plan: Plan) -> float:
    """On planes a bin starts anew in each of its rows: 8 ms for a million cells in rows of 4, 1 where they are long.

    Volumes that come channels last are copied: `stacked` takes a fifth of the time, and `line` half of it.
    """
    if behind(plan) and len(plan.axes) == 3:
        return 62.0 if plan.is_map else 44.0
    if behind(plan) or not plan.known:
        return 12.0 if behind(plan) else 80.0
    row = plan.axes[-1]
    return 40.0 if plan.is_map else min(80.0, 12.0 + 280.0 * row.out / row.n)


def maximum_cost(plan: Plan) -> float:
    """About 2 * log2(k) combinations an axis, each of two tensors into a third; a whole axis is one pass."""
    return 2.0 + sum(_maximum_cost(a, planes=not behind(plan)) for a in plan.axes)


def _maximum_cost(a: Axis, planes: bool) -> float:
    if a.known and side_by_side(a) == 2:  # windows that touch are halves of the map, which is read once
        return 1.2 if planes else 0.4
    if a.form == "bins" and a.known:
        few = 1.0 + 0.3 * a.out if planes else 10.0
        return few if a.out <= FEW else 8 * math.log2(1 + a.n / a.out)
    return 0.4 if a.form == "whole" else 3 * math.log2(a.window) if a.form == "taps" else 10.0


def rows_cost(plan: Plan) -> float:
    """Best where a stride leaves gaps; windows that slide by one share combinations, which `maximum` makes use of.

    A row of 14 cells is hardly begun when it ends.
    """
    last = plan.axes[-1]
    return 3.0 + 30.0 / last.n if last.form != "taps" or last.stride > 1 else 1.0 + maximum_cost(plan)


_own = functools.partial(Route, indices=True, reference=True)

ROUTES = (
    _own("native", EXTREMA, native, own.given_as("window", _fits_pool), native_cost, needs_sizes=False),
    _own("adaptive", EXTREMA, adaptive, fits_adaptive, adaptive_cost, needs_sizes=False),
    Route("beside", EXTREMA, beside, fits_beside, adaptive_cost, needs_sizes=False, reference=True),
    Route("view", EXTREMA, view, fits_view, lambda p: 4.0, differentiable=False, needs_sizes=False, reference=True),
    Route("guarded", EXTREMA, guarded, fits_guarded, lambda p: 18.0, needs_sizes=False, reference=True),
    _own("windows", EXTREMA, native, own.given_as("output_size", _fits_pool), native_cost),
    Route("padded", EXTREMA, padded, fits_padded, lambda p: native_cost(p) + 5.0, needs_sizes=False, reference=True),
    Route(
        "maximum", EXTREMA, extremes, fits_maximum, maximum_cost, differentiable=False, needs_sizes=False, copies=True
    ),
    # Of few channels that come last: 10 to 30 times as fast as `maximum`, which begins with the last axis.
    Route("thin", EXTREMA, first_axis_first, lambda p, s: s.thin and p.is_map, lambda p: 1.0, differentiable=False),
    Route("rows", EXTREMA, rows, fits_rows, rows_cost, differentiable=False),
)
