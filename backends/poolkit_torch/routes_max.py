"""Faster ways to find extrema. A minimum is the negated maximum of the negated input where a route needs a max pool: floats only.

Every native max pool takes the first tie, and NaN; of several NaN it takes the last. `amax` and `torch.maximum` split the
gradient of ties, so their routes are for calls without a derivative.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from poolkit_torch.arrange import adaptive_size, adjacent, arranged, before, behind, compiling, lifted, planes, put_back
from poolkit_torch.windows import MOST_CELLS, Along, Windows, bin_overlap, kept, rounded, three_dimensional_half, windows_of

from poolkit.adapter import Route, Site
from poolkit.fold import fold
from poolkit.geometry import Axis
from poolkit.kinds import Kind, State
from poolkit.plan import Plan

Tensor = Any
Reduced = tuple[Tensor, Tensor | None]

EXTREMA = ("max", "min")


# ------------------------------------------------------------------------------------------------ torch's own max pools


def pooled(o: Any, x: Tensor, plan: Plan, pool: Callable[[Tensor], Any]) -> Reduced:
    """What a max pool gives for the arranged input, put back into the input's layout."""
    v = arranged(x, plan)
    if len(plan.axes) == 3:
        v = v.contiguous()  # on channels_last_3d data the index of a window of -inf is that of another window
    got = pool(-v if plan.kind == "min" else v)
    values, indices = (got[0], got[1]) if plan.spec.indices else (got, None)
    if plan.kind == "min":
        values = -values
    return put_back(values, x, plan), None if indices is None else put_back(indices, x, plan)


def native(o: Any, x: Tensor, plan: Plan) -> Reduced:
    w = _windows(plan)

    def pool(v: Tensor) -> Any:
        name = f"max_pool{3 if len(w.along) == 3 else 2 if len(w.along) == 2 or lifted(plan) else 1}d"
        return _kept(max_pool(o, name, _appended(o, v, w), _lift(w, plan), plan.spec.indices), w, plan.spec.indices)

    return pooled(o, x, plan, pool)


def max_pool(o: Any, name: str, v: Tensor, w: Windows, indices: bool) -> Any:
    said = [tuple(getattr(a, field) for a in w.along) for field in ("window", "stride", "padding", "dilation")]
    options = ({"ceil_mode": True} if w.ceil else {}) | ({"return_indices": True} if indices else {})
    return getattr(o.F, name)(v, *map(_short, said), **options)


def _short(values: tuple[int, ...]) -> int | tuple[int, ...]:
    return values[0] if len(set(values)) == 1 else values


def _lift(w: Windows, plan: Plan) -> Windows:
    return Windows((Along(1, 1, 0, 1), *w.along), w.ceil) if lifted(plan) else w


def _appended(o: Any, v: Tensor, w: Windows) -> Tensor:
    extra = [n for a in reversed(w.along) for n in (0, a.extra)]
    return o.F.pad(v, tuple(extra), value=-math.inf) if any(extra) else v


def _kept(got: Any, w: Windows, indices: bool) -> Any:
    return (kept(got[0], w), kept(got[1], w)) if indices else kept(got, w)


def _windows(plan: Plan) -> Windows:
    w = windows_of(plan)
    assert w is not None, "`when` has admitted a plan without windows"
    return w


def fits_native(plan: Plan, site: Site) -> bool:
    return plan.spec.window is not None and _fits_pool(plan, site)


def fits_windows(plan: Plan, site: Site) -> bool:
    """Adaptive bins that divide their axis."""
    return plan.spec.window is None and _fits_pool(plan, site)


def _fits_pool(plan: Plan, site: Site) -> bool:
    w = windows_of(plan) if adjacent(plan) and plan.floating else None
    return (
        w is not None
        and not three_dimensional_half(plan)
        and not (plan.spec.indices and w.remakes_indices)
        and (w.overlap <= MOST_CELLS or not site.derivative)
        # Inductor's backward pass reads outside of its input where a padded window holds -inf only.
        and not (w.padded and compiling(site))
    )


def adaptive(o: Any, x: Tensor, plan: Plan) -> Reduced:
    def pool(v: Tensor) -> Any:
        name = f"adaptive_max_pool{len(plan.axes) + lifted(plan)}d"
        return getattr(o.F, name)(v, adaptive_size(plan), **({"return_indices": True} if plan.spec.indices else {}))

    return pooled(o, x, plan, pool)


def fits_adaptive(plan: Plan, site: Site) -> bool:
    return (
        plan.spec.output_size is not None
        and adjacent(plan)
        and plan.floating
        and not three_dimensional_half(plan)
        and (math.prod([bin_overlap(a) for a in plan.axes]) <= MOST_CELLS or not site.derivative)
    )


# ------------------------------------------------------------------------------------------ reductions, without a derivative


class Largest(Kind):
    """The largest cell, by `torch.maximum` and `amax`: right in value and for NaN, but a gradient would be split among ties."""

    name = "max"
    selects = True
    neutral: ClassVar[tuple[float, ...]] = (-math.inf,)
    both: ClassVar[str] = "maximum"
    all: ClassVar[str] = "amax"

    def combine(self, a: State, b: State) -> State:
        return (getattr(self.o.torch, self.both)(a[0], b[0]),)

    def reduce(self, s: State, axes: Sequence[Axis], inside: Tensor | None = None) -> State:
        ats = tuple(a.at for a in axes)
        reduce = getattr(self.o.torch, self.all)
        if behind(self.plan) == 0:
            return (reduce(s[0], ats, keepdim=True),)
        for at in reversed(ats):  # one axis after the other is up to twice as fast where the channels come last
            s = (reduce(s[0], at, keepdim=True),)
        return s


class Smallest(Largest):
    """The smallest cell."""

    name = "min"
    neutral: ClassVar[tuple[float, ...]] = (math.inf,)
    both: ClassVar[str] = "minimum"
    all: ClassVar[str] = "amin"


def maximum(o: Any, x: Tensor, plan: Plan) -> Reduced:
    kind = _quick(o, plan)
    return fold(o, kind, (x,), plan.axes)[0], None


def _quick(o: Any, plan: Plan) -> Kind:
    return (Largest if plan.kind == "max" else Smallest)(o, plan)


def fits_maximum(plan: Plan, site: Site) -> bool:
    """Integers have no neutral element to pad with, so they take this route unpadded."""
    wide = plan.work in ("uint16", "uint32", "uint64")
    return not wide and (plan.floating or all(a.form != "bins" and a.total == 0 for a in plan.axes))


def rows(o: Any, x: Tensor, plan: Plan) -> Reduced:
    """`max_pool1d` along the last axis, whose kernel without a gradient is fast, then `torch.maximum` of whole rows."""
    w, negative = _windows(plan), plan.kind == "min"
    flat = x.flatten(0, -3) if plan.rank > 3 else x
    line = max_pool(o, "max_pool1d", -flat if negative else flat, Windows(w.along[-1:], w.ceil), indices=False)
    line = -line if negative else line
    line = line if w.along[-1].out is None else line[..., : w.along[-1].out]
    line = line.unflatten(0, x.shape[: plan.rank - 2]) if plan.rank > 3 else line
    return fold(o, _quick(o, plan), (line,), plan.axes[:-1])[0], None


def fits_rows(plan: Plan, site: Site) -> bool:
    w = windows_of(plan) if planes(plan, site) and len(plan.axes) > 1 else None
    return w is not None and plan.floating and not w.along[-1].extra and w.along[-1].window > 1


# ------------------------------------------------------------------------------------------- selections, with a derivative


def line(o: Any, x: Tensor, plan: Plan) -> Reduced:
    """All whole axes as one, for `torch.max(dim)`, which takes the first tie and the first NaN."""
    count = len(plan.axes)
    first = plan.at[0]
    flat = x.flatten(first, plan.at[-1]) if count > 1 else x
    got = getattr(o.torch, plan.kind)(flat, first, keepdim=True)

    def apart(t: Tensor) -> Tensor:
        return t.unflatten(first, (1,) * count) if count > 1 else t

    return apart(got[0]), apart(got[1]) if plan.spec.indices else None


def fits_line(plan: Plan, site: Site) -> bool:
    """bfloat16 and float16 included; bool and unsigned integers have no max with positions everywhere."""
    consecutive = plan.at == tuple(range(plan.at[0], plan.at[0] + len(plan.at)))
    return consecutive and plan.floating and all(a.form == "whole" for a in plan.axes)


def gather(o: Any, x: Tensor, plan: Plan) -> Reduced:
    """Positions from a max pool of a detached channels_last copy, whose kernel is 10 to 20 times as fast, then the cells at them."""
    w = _windows(plan)
    v = arranged(x, plan)
    _, place = _places(o, v, w, plan)
    return _taken(v, place, x, plan)


def gather_twice(o: Any, x: Tensor, plan: Plan) -> Reduced:
    """The same along the last axis and then along the one before: k + k cells a window in place of k * k, and gradients that are added
    k at a time."""
    w = _windows(plan)
    high, wide = w.along
    one = Along(1, 1, 0, 1)
    v = arranged(x, plan)
    values, across = _places(o, v, Windows((one, wide), w.ceil), plan)
    picked = _at(v, across)
    _, down = _places(o, values, Windows((high, one), w.ceil), plan, ready=True)
    indices = put_back(_at(across, down), x, plan) if plan.spec.indices else None
    return put_back(_at(picked, down), x, plan), indices


def _places(o: Any, v: Tensor, w: Windows, plan: Plan, ready: bool = False) -> tuple[Tensor, Tensor]:
    """The maxima as a channels_last tensor, and the position of each in its plane."""
    if not ready:
        v = (-v if plan.kind == "min" else v).detach().contiguous(memory_format=o.torch.channels_last)
    got = _kept(max_pool(o, "max_pool2d", _appended(o, v, w), w, indices=True), w, indices=True)
    return got[0], got[1].contiguous()


def _at(v: Tensor, place: Tensor) -> Tensor:
    return v.flatten(2).gather(2, place.flatten(2)).view(place.shape)


def _taken(v: Tensor, place: Tensor, x: Tensor, plan: Plan) -> Reduced:
    return put_back(_at(v, place), x, plan), put_back(place, x, plan) if plan.spec.indices else None


def fits_gather(plan: Plan, site: Site) -> bool:
    """A tensor that vmap has wrapped refuses a memory format."""
    w = _plane_windows(plan, site)
    return w is not None and not w.remakes_indices and (w.overlap <= MOST_CELLS or not site.derivative)


def fits_gather_twice(plan: Plan, site: Site) -> bool:
    """Gradients are rounded once for each axis, so each may add half as many: 1.9 eps at 13."""
    w = _plane_windows(plan, site)
    return w is not None and not w.remakes_indices and max(a.overlap for a in w.along) <= 13


def _plane_windows(plan: Plan, site: Site) -> Windows | None:
    fits = planes(plan, site) and len(plan.axes) == 2 and before(plan) >= 2 and plan.floating and not site.wrapped
    return windows_of(plan) if fits else None


def apart(o: Any, x: Tensor, plan: Plan) -> Reduced:
    """torch's own pool along the last axis, then along the one before."""
    w = _windows(plan)
    one = Along(1, 1, 0, 1)
    v = arranged(-x if plan.kind == "min" else x, plan)
    for part in (Windows((one, w.along[1]), w.ceil), Windows((w.along[0], one), w.ceil)):
        v = _kept(max_pool(o, "max_pool2d", _appended(o, v, part), part, indices=False), part, indices=False)
    y = put_back(v, x, plan)
    return -y if plan.kind == "min" else y, None


def fits_apart(plan: Plan, site: Site) -> bool:
    w = windows_of(plan) if adjacent(plan) and len(plan.axes) == 2 and plan.floating else None
    return w is not None and max(a.overlap for a in w.along) <= 13


# -------------------------------------------------------------------------------------------------------------- costs
# In passes over the input, as measured on a CPU: what PyTorch does cell by cell on planes costs 20 times what it does on channels.


def native_cost(plan: Plan) -> float:
    return (0.0 if behind(plan) else 20.0) + rounded(windows_of(plan))


def maximum_cost(plan: Plan) -> float:
    """About 2 * log2(k) combinations an axis, each of which reads two tensors and writes one; a whole axis is one pass."""
    return 2.0 + sum(_maximum_cost(a) for a in plan.axes)


def _maximum_cost(a: Axis) -> float:
    return 0.5 if a.form == "whole" else 4 * math.log2(a.window) if a.form == "taps" else 10.0


def rows_cost(plan: Plan) -> float:
    """Best where a stride leaves gaps; windows that slide by one share their combinations, which `maximum` makes use of."""
    return 3.0 if plan.axes[-1].form != "taps" or plan.axes[-1].stride > 1 else 1.0 + maximum_cost(plan)


ROUTES = (
    Route("native", EXTREMA, native, fits_native, native_cost, sizes=False, indices=True, reference=True),
    Route("adaptive", EXTREMA, adaptive, fits_adaptive, lambda p: 40.0, sizes=False, indices=True, reference=True),
    Route("windows", EXTREMA, native, fits_windows, native_cost, indices=True),
    Route("maximum", EXTREMA, maximum, fits_maximum, maximum_cost, derivative=False, sizes=False),
    Route("rows", EXTREMA, rows, fits_rows, rows_cost, derivative=False),
    Route("line", EXTREMA, line, fits_line, lambda p: 10.0, sizes=False, indices=True),
    Route("gather", EXTREMA, gather, fits_gather, lambda p: 12.0, indices=True),
    Route("gather_twice", EXTREMA, gather_twice, fits_gather_twice, lambda p: 14.0, indices=True),
    Route("apart", EXTREMA, apart, fits_apart, lambda p: 20.0),
)
