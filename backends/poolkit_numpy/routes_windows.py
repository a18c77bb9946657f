"""What people print: NumPy's own view of sliding windows and reductions of bins. Routes that are run are faster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from poolkit.lowering.backend import EXTREMA, SUMS, Reduced, Route, Situation, Tensor
from poolkit.lowering.count import divided
from poolkit.lowering.kinds.maximum import Max, Min
from poolkit.lowering.routes.windows import around, uneven
from poolkit.programs.recorder import named

if TYPE_CHECKING:
    from poolkit.lowering.geometry import Axis
    from poolkit.lowering.plan import Plan
    from poolkit_numpy.ops import Ops

WRITTEN = 32  # bins whose edges stand in a program as numbers


def _windows(o: Ops, x: Tensor, plan: Plan) -> Reduced:
    if plan.kind in EXTREMA:
        kind = (Max if plan.kind == "max" else Min)(o, plan)
        ufunc = o.np.maximum if plan.kind == "max" else o.np.minimum
        return _over(o, x, plan, getattr(o.np, plan.kind), ufunc, kind.worst(), {}), None
    wide = {"dtype": "float64" if plan.work == "float32" else "longdouble"}
    total = named("total", o.cast_like(_over(o, x, plan, o.np.sum, o.np.add, 0, wide), x))
    if not uneven(plan):
        return divided(o, total, plan, x), None
    one = tuple([slice(None) if at in plan.at else slice(0, 1) for at in range(plan.rank)])
    ones = named("ones", o.np.ones_like(x[one]))
    return o.divide(total, named("counts", _over(o, ones, plan, o.np.sum, o.np.add, 0, {}))), None


def _over(o: Ops, x: Tensor, plan: Plan, reduce: Any, ufunc: Any, beyond: Any, wide: dict[str, str]) -> Tensor:
    """Each window, as the last axes of a view, or each bin; every second piece of `reduceat` lies between bins."""
    axes = [a for a in plan.axes if a.form != "keep"]
    # Behind bins stands a cell, for more than the last one may end there.
    widths = {a.at: (0, 1) if a.form == "bins" else around(a) for a in axes if _is_padded(a)}
    if widths:
        x = named("padded", o.np.pad(x, [widths.get(at, (0, 0)) for at in range(plan.rank)], constant_values=beyond))
    taps = [a for a in axes if a.form == "taps"]
    if taps:
        view = o.np.lib.stride_tricks.sliding_window_view(x, tuple([a.span for a in taps]), tuple([a.at for a in taps]))
        steps = {a.at: a.stride for a in taps} | {plan.rank + i: a.dilation for i, a in enumerate(taps)}
        stepped = [at for at, step in steps.items() if step > 1]
        every = tuple([slice(None, None, steps.get(at, 1)) for at in range(max(stepped, default=-1) + 1)])
        windows = named("windows", view[every] if stepped else view)
        return reduce(windows, axis=tuple(range(-len(taps), 0)), **wide)
    for a in axes:
        if a.form == "bins":
            pieces = ufunc.reduceat(x, _edges(o, a), axis=a.at, **wide)
            x = pieces[(slice(None),) * a.at + (slice(None, None, 2),)]
    whole = tuple([a.at for a in axes if a.form == "whole"])
    return reduce(x, axis=whole, keepdims=True, **wide) if whole else x


def _is_padded(a: Axis) -> bool:
    total: Any = a.total  # may be a symbol
    return (a.form == "taps" and not (isinstance(total, int) and total == 0)) or (a.form == "bins" and not _ends(a))


def _ends(a: Axis) -> bool:
    """Whether the last bin alone ends behind the last cell."""
    return a.known and a.out <= a.n


def _edges(o: Ops, a: Axis) -> Any:
    """First cell and end of each bin, in turn."""
    if a.known and a.out <= WRITTEN:
        edges = [at for first, end in a.bins() for at in (first, end)]
        return tuple(edges[:-1] if _ends(a) else edges)
    bins = named("bins", o.np.arange(a.out))
    edges = o.np.stack((bins * a.n // a.out, -(-(bins + 1) * a.n // a.out)), axis=1).ravel()
    return named("edges", edges[:-1] if _ends(a) else edges)


def _is_windows(plan: Plan, situation: Situation) -> bool:
    """Not with padding that may be below 0: of strides that step over cells, where the size is not known."""
    sliding = [a for a in plan.axes if a.form == "taps" and not a.known]
    below = any(a.stride > a.span or a.overhang < 0 for a in sliding)
    return any(a.form != "keep" for a in plan.axes) and not below


ROUTES: tuple[Route, ...] = (
    Route(
        "windows",
        EXTREMA + SUMS,
        _windows,
        _is_windows,
        lambda plan: 1000.0,
        needs_sizes=False,
        note="padding, edges of bins and counts go by the sizes",
        reference=True,
    ),
)
