"""Extremes by a framework's own functions, which hand on NaN; a gradient would be split among equal cells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from poolkit.lowering.fold import fold
from poolkit.lowering.kinds.kind import Kind, State
from poolkit.lowering.kinds.maximum import Max

if TYPE_CHECKING:
    from poolkit.lowering.geometry import Axis
    from poolkit.lowering.plan import Plan
    from poolkit.lowering.primitives import Tensor


class Largest(Max):
    """The largest cell by `o.better` and `o.extreme`; padding holds the least value, which changes no maximum."""

    o: Any  # primitives that have these two

    def __init__(self, ops: Any, plan: Plan) -> None:
        super().__init__(ops, plan)
        self.neutral = (self.worst(),)  # depends on the dtype

    def combine(self, a: State, b: State) -> State:
        return (self.o.better(self.which, a[0], b[0]),)

    def reduce(self, s: State, axes: Sequence[Axis], inside: Tensor | None = None) -> State:
        return (self.o.extreme(self.which, s[0], tuple([a.at for a in axes])),)


class Smallest(Largest):
    """The smallest cell."""

    which = "min"


def extremes(o: Any, x: Tensor, plan: Plan, axes: Sequence[Axis] | None = None) -> tuple[Tensor, None]:
    """The extreme of each window along the plan's axes, or some of them."""
    kind: Kind = (Largest if plan.kind == "max" else Smallest)(o, plan)
    return fold(o, kind, (x,), plan.axes if axes is None else axes)[0], None


def first_axis_first(o: Any, x: Tensor, plan: Plan) -> tuple[Tensor, None]:
    """The extreme of a map, one axis after the other, in the longest lines there are."""
    for at in plan.at:
        x = o.extreme(plan.kind, x, (at,))
    return x, None
