"""NumPy's faster routes. No derivative is taken here, so `np.maximum` and `np.max`, which hand on NaN, are right."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from poolkit.lowering.backend import Route, Situation
from poolkit.lowering.count import divided
from poolkit.lowering.fold import fold
from poolkit.lowering.kind import Kind, State
from poolkit.lowering.kinds import Max, Min
from poolkit.lowering.stages import even, fits, length, stages
from poolkit_numpy import routes_windows

if TYPE_CHECKING:
    from poolkit.lowering.geometry import Axis
    from poolkit.lowering.plan import Plan
    from poolkit_numpy.ops import Ops

Tensor = Any
Reduced = tuple[Tensor, Tensor | None]

PLAIN = "contiguous"  # the format of cells in order, aligned and in native bytes: NumPy reads others through a buffer


# -------------------------------------------------------------------------------------------------------------- maxima


class Largest(Max):
    """The largest cell by `np.maximum` and `np.max`; padding holds the least value, which changes no maximum."""

    o: Any
    both: ClassVar[str] = "maximum"

    def __init__(self, ops: Ops, plan: Plan) -> None:
        super().__init__(ops, plan)
        self.neutral = (self.worst(),)  # depends on the dtype

    def combine(self, a: State, b: State) -> State:
        return (getattr(self.o.np, self.both)(a[0], b[0]),)

    def reduce(self, s: State, axes: Sequence[Axis], inside: Tensor | None = None) -> State:
        return (getattr(self.o.np, self.plan.kind)(s[0], axis=tuple(a.at for a in axes), keepdims=True),)


class Smallest(Largest):
    """The smallest cell."""

    both = "minimum"
    worst = Min.worst


def _extreme(o: Ops, x: Tensor, plan: Plan) -> Reduced:
    kind: Kind = (Largest if plan.kind == "max" else Smallest)(o, plan)
    return kind.finish(fold(o, kind, kind.lift(x), plan.axes), x)


# ---------------------------------------------------------------------------------------------------------------- sums


def _mean(o: Ops, x: Tensor, plan: Plan) -> Reduced:
    total = o.np.sum(x, axis=plan.at, keepdims=True)
    return divided(o, total, plan, x), None


def _is_mean(plan: Plan, situation: Situation) -> bool:
    """Cells that lie side by side, which NumPy adds in pairs (2.5 eps at 60x60); over others it runs (440 eps)."""
    return situation.format == PLAIN and plan.trailing and all(a.form == "whole" for a in plan.axes)


def _stages(o: Ops, x: Tensor, plan: Plan) -> Reduced:
    """Sums of at most 12 cells, of those, and so on: two to three times as fast as one sum in float64."""
    made, left = stages(plan, [o.size(x, at) for at in range(plan.rank)])
    for n, inner in made:
        x = o.np.sum(x.reshape((-1, n, inner)), axis=1)
    total = x.reshape(tuple(left))
    return divided(o, total, plan, x), None


def _is_stages(plan: Plan, situation: Situation) -> bool:
    """Of contiguous cells, since `reshape` copies others."""
    more_than_one = math.prod(length(a) for a in plan.axes) > 1  # of one, the result would be a view of the input
    return situation.format == PLAIN and plan.work == "float32" and fits(plan) and more_than_one


def _split(o: Ops, x: Tensor, plan: Plan) -> Reduced:
    """Each axis becomes (windows, cells of a window) without a copy, and the cells are summed up in float64."""
    shape: list[Any] = []
    inner: list[int] = []
    axes = {a.at: a for a in plan.axes if a.form != "keep"}
    for at in range(plan.rank):
        a = axes.get(at)
        shape += [o.size(x, at)] if a is None else [a.out, a.n // a.out]
        inner += [] if a is None else [len(shape) - 1]
    total = o.np.sum(x.reshape(tuple(shape)), axis=tuple(inner), dtype="float64").astype(x.dtype.type)
    return divided(o, total, plan, x), None


def _is_split(plan: Plan) -> bool:
    """Adaptive bins that divide and are large: over those of 2x2 cells the fold is 12 times as fast, of 8x8 twice.

    float64 needs a wider accumulator, which has no fast path.
    """
    bins = [length(a) for a in plan.axes if a.form == "bins"]
    return plan.work == "float32" and bool(bins) and min(bins) > 8 and all(map(even, plan.axes))


def _passes(plan: Plan) -> float:
    return 1.0 + sum(math.log2(a.window) for a in plan.axes)


ROUTES: tuple[Route, ...] = (
    *routes_windows.ROUTES,
    Route("maximum", ("max", "min"), _extreme, lambda plan, situation: True, _passes, differentiable=False),
    Route("mean", ("avg", "sum"), _mean, _is_mean, lambda plan: 1.0),
    Route("stages", ("avg", "sum"), _stages, _is_stages, lambda plan: 2.0),
    Route("split", ("avg", "sum"), _split, lambda plan, situation: _is_split(plan), lambda plan: 3.0),
)
