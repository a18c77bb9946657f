"""Faster ways to find extrema. Where a route needs a max pool, a minimum is that of the negated input, negated.

Every native max pool takes the first tie, and NaN; of several NaN it takes the last. `amax` and `torch.maximum` split
the gradient of ties, so their routes are for calls without a derivative.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from poolkit.lowering.backend import Route, Situation
from poolkit.lowering.fold import fold
from poolkit.lowering.geometry import Axis
from poolkit.lowering.kind import Kind, State
from poolkit.lowering.plan import Plan
from poolkit_torch.routes_arrange import (
    adaptive_size,
    adjacent,
    arranged,
    behind,
    compiling,
    divides,
    lifted,
    paddings,
    planes,
    put_back,
)
from poolkit_torch.routes_windows import (
    MOST_OVERLAP,
    Along,
    Windows,
    alike,
    bin_overlap,
    kept,
    padded_first,
    rounded,
    three_dimensional_half,
    windows_of,
)

Tensor = Any
Reduced = tuple[Tensor, Tensor | None]

EXTREMA = ("max", "min")


# ------------------------------------------------------------------------------------------------ torch's own max pools


def pooled(o: Any, x: Tensor, plan: Plan, pool: Callable[[Tensor], Any]) -> Reduced:
    """What a max pool gives for the arranged input, put back into the input's layout."""
    v = arranged(x, plan)
    if len(plan.axes) == 3:
        # On channels_last_3d data the index of a window of -inf is that of another window. `contiguous` is not enough:
        # with one channel data is contiguous in both senses, and PyTorch goes by strides, which a view makes anew.
        v = v.reshape(-1).view(v.shape)
    got = pool(-v if plan.kind == "min" else v)
    values, indices = (got[0], got[1]) if plan.spec.indices else (got, None)
    if plan.kind == "min":
        values = -values
    return put_back(values, x, plan), None if indices is None else put_back(indices, x, plan)


def native(o: Any, x: Tensor, plan: Plan) -> Reduced:
    return pooled(o, x, plan, _pool_of(o, plan, windows(plan)))


def _pool_of(o: Any, plan: Plan, w: Windows) -> Callable[[Tensor], Any]:
    def pool(v: Tensor) -> Any:
        name = f"max_pool{3 if len(w.along) == 3 else 2 if len(w.along) == 2 or lifted(plan) else 1}d"
        return kept_of(max_pool(o, name, appended(o, v, w), _lift(w, plan), plan.spec.indices), w, plan.spec.indices)

    return pool


def padded(o: Any, x: Tensor, plan: Plan) -> Reduced:
    """Cells of -inf on both sides, as many as there are to be, and torch's own pool of that."""
    w = padded_first(plan)
    assert w is not None, "`when` has admitted a plan without windows"
    pool = _pool_of(o, plan, w)
    return pooled(o, x, plan, lambda v: pool(o.F.pad(v, paddings(plan), value=-math.inf)))


def fits_padded(plan: Plan, situation: Situation) -> bool:
    w = padded_first(plan) if adjacent(plan) and plan.floating else None
    return (
        w is not None and not three_dimensional_half(plan) and (w.overlap <= MOST_OVERLAP or not situation.derivative)
    )


def view(o: Any, x: Tensor, plan: Plan) -> Reduced:
    """PyTorch's 3-d pool of channels-last data without a copy: nobody asks for the indices, which may be wrong."""
    v = arranged(x, plan)
    y = _pool_of(o, plan, windows(plan))(-v if plan.kind == "min" else v)
    return put_back(-y if plan.kind == "min" else y, x, plan), None


def fits_view(plan: Plan, situation: Situation) -> bool:
    return len(plan.axes) == 3 and behind(plan) > 0 and _fits_pool(plan, situation)


def max_pool(o: Any, name: str, v: Tensor, w: Windows, indices: bool) -> Any:
    fields = ("window", "stride", "padding", "dilation")
    window, stride, padding, dilation = (alike(tuple(getattr(a, field) for a in w.along)) for field in fields)
    options: dict[str, Any] = {} if dilation == 1 else {"dilation": dilation}
    options |= ({"ceil_mode": True} if w.ceil else {}) | ({"return_indices": True} if indices else {})
    return getattr(o.F, name)(v, window, stride, *(() if padding == 0 else (padding,)), **options)


def _lift(w: Windows, plan: Plan) -> Windows:
    return Windows((Along(1, 1, 0, 1), *w.along), w.ceil) if lifted(plan) else w


def appended(o: Any, v: Tensor, w: Windows) -> Tensor:
    extra = [n for a in reversed(w.along) for n in (0, a.extra)]
    return o.F.pad(v, tuple(extra), value=-math.inf) if any(extra) else v


def kept_of(got: Any, w: Windows, indices: bool) -> Any:
    return (kept(got[0], w), kept(got[1], w)) if indices else kept(got, w)


def windows(plan: Plan) -> Windows:
    w = windows_of(plan)
    assert w is not None, "`when` has admitted a plan without windows"
    return w


def fits_native(plan: Plan, situation: Situation) -> bool:
    return plan.spec.window is not None and _fits_pool(plan, situation)


def fits_windows(plan: Plan, situation: Situation) -> bool:
    """Adaptive bins that divide their axis."""
    return plan.spec.window is None and _fits_pool(plan, situation)


def _fits_pool(plan: Plan, situation: Situation) -> bool:
    w = windows_of(plan) if adjacent(plan) and plan.floating else None
    return (
        w is not None
        and not three_dimensional_half(plan)
        and not (plan.spec.indices and w.remakes_indices)
        and (w.overlap <= MOST_OVERLAP or not situation.derivative)
        # Inductor's backward pass reads outside of its input where a padded window holds -inf only.
        and not (w.padded and compiling(situation))
    )


def adaptive(o: Any, x: Tensor, plan: Plan) -> Reduced:
    def pool(v: Tensor) -> Any:
        name = f"adaptive_max_pool{len(plan.axes) + lifted(plan)}d"
        return getattr(o.F, name)(v, adaptive_size(plan), **({"return_indices": True} if plan.spec.indices else {}))

    return pooled(o, x, plan, pool)


def fits_adaptive(plan: Plan, situation: Situation) -> bool:
    """Not for ONNX: neither exporter has a word for it."""
    return (
        plan.spec.output_size is not None
        and situation.format != "onnx"
        and (plan.known or not compiling(situation))  # Inductor compiles it anew for each size
        and divides(plan)
        and adjacent(plan)
        and plan.floating
        and not three_dimensional_half(plan)
        and (math.prod([bin_overlap(a) for a in plan.axes]) <= MOST_OVERLAP or not situation.derivative)
    )


# ------------------------------------------------------------------------------------- reductions, without a derivative


class Largest(Kind):
    """The largest cell, by `torch.maximum` and `amax`: right for NaN too, but a gradient would be split among ties."""

    name = "max"
    idempotent = True
    neutral = (-math.inf,)
    both: ClassVar[str] = "maximum"
    all: ClassVar[str] = "amax"

    @property
    def torch(self) -> Any:
        ops: Any = self.o  # the primitives of this adapter, which hold the module
        return ops.torch

    def combine(self, a: State, b: State) -> State:
        return (getattr(self.torch, self.both)(a[0], b[0]),)

    def reduce(self, s: State, axes: Sequence[Axis], inside: Tensor | None = None) -> State:
        ats = tuple(a.at for a in axes)
        reduce = getattr(self.torch, self.all)
        if behind(self.plan) == 0:
            return (reduce(s[0], ats, keepdim=True),)
        for at in reversed(ats):  # one axis after the other is up to twice as fast where the channels come last
            s = (reduce(s[0], at, keepdim=True),)
        return s


class Smallest(Largest):
    """The smallest cell."""

    name = "min"
    neutral = (math.inf,)
    both: ClassVar[str] = "minimum"
    all: ClassVar[str] = "amin"


def maximum(o: Any, x: Tensor, plan: Plan) -> Reduced:
    kind = _quick(o, plan)
    return fold(o, kind, (x,), plan.axes)[0], None


def _quick(o: Any, plan: Plan) -> Kind:
    return (Largest if plan.kind == "max" else Smallest)(o, plan)


def fits_maximum(plan: Plan, situation: Situation) -> bool:
    """Integers have no neutral element to pad with, so they take this route unpadded."""
    wide = plan.work in ("uint16", "uint32", "uint64")
    return not wide and (plan.floating or all(a.form != "bins" and a.total == 0 for a in plan.axes))


def rows(o: Any, x: Tensor, plan: Plan) -> Reduced:
    """`max_pool1d` along the last axis, whose kernel without a gradient is fast, then `torch.maximum` of whole rows."""
    w, negative = windows(plan), plan.kind == "min"
    flat = x.flatten(0, -3) if plan.rank > 3 else x
    line = max_pool(o, "max_pool1d", -flat if negative else flat, Windows(w.along[-1:], w.ceil), indices=False)
    line = -line if negative else line
    line = kept(line, Windows(w.along[-1:], w.ceil))
    line = line.unflatten(0, x.shape[: plan.rank - 2]) if plan.rank > 3 else line
    return fold(o, _quick(o, plan), (line,), plan.axes[:-1])[0], None


def fits_rows(plan: Plan, situation: Situation) -> bool:
    w = windows_of(plan) if planes(plan, situation) and plan.rank > 1 else None  # max_pool1d takes no line alone
    return w is not None and plan.floating and not w.along[-1].extra and w.along[-1].window > 1


# -------------------------------------------------------------------------------------------------------------- costs
# In passes over the input, as measured on a CPU: on planes PyTorch works cell by cell, 20 times as long as on channels.


def native_cost(plan: Plan) -> float:
    """How many windows read a cell counts: those of 7x7 that touch take as long as those of 2x2."""
    w = windows_of(plan)
    copied = len(plan.axes) == 3 or not behind(plan)
    return (45.0 if copied else 2.0) + rounded(1 if w is None else w.overlap)


def adaptive_cost(plan: Plan) -> float:
    if behind(plan):
        return 12.0
    return 40.0 if plan.known and all(a.form == "whole" for a in plan.axes) else 80.0


def maximum_cost(plan: Plan) -> float:
    """About 2 * log2(k) combinations an axis, each of two tensors into a third; a whole axis is one pass."""
    return 2.0 + sum(_maximum_cost(a) for a in plan.axes)


def _maximum_cost(a: Axis) -> float:
    return 0.4 if a.form == "whole" else 3 * math.log2(a.window) if a.form == "taps" else 10.0


def rows_cost(plan: Plan) -> float:
    """Best where a stride leaves gaps; windows that slide by one share combinations, which `maximum` makes use of."""
    return 3.0 if plan.axes[-1].form != "taps" or plan.axes[-1].stride > 1 else 1.0 + maximum_cost(plan)


ROUTES = (
    Route("native", EXTREMA, native, fits_native, native_cost, needs_sizes=False, indices=True, reference=True),
    Route("adaptive", EXTREMA, adaptive, fits_adaptive, adaptive_cost, needs_sizes=False, indices=True, reference=True),
    Route("view", EXTREMA, view, fits_view, lambda p: 4.0, differentiable=False),
    Route("windows", EXTREMA, native, fits_windows, native_cost, indices=True, reference=True),
    Route("padded", EXTREMA, padded, fits_padded, lambda p: native_cost(p) + 5.0, needs_sizes=False, reference=True),
    Route("maximum", EXTREMA, maximum, fits_maximum, maximum_cost, differentiable=False, needs_sizes=False),
    Route("rows", EXTREMA, rows, fits_rows, rows_cost, differentiable=False),
)
