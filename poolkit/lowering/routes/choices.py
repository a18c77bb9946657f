"""Kinds that hand on one cell of each window, run at once: what they choose does not have to be carried along.

Without a derivative the value is all that is asked for, and *values* compares nothing else. Otherwise *placed* finds
where the cell stands, of a detached input, and takes it there: a derivative then goes to that place and through nothing
else. Both are for calls that are made one by one. In a compiled program, where derivatives may be given by hand,
*sought* has the values alone, and looks for the cells where a derivative is taken: the fold of fractional maxima takes
XLA 14 times as long.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from poolkit.lowering.backend import Reduced, Route, Situation, When
from poolkit.lowering.kinds import FOLDS
from poolkit.lowering.kinds.kind import FAR
from poolkit.lowering.weighed import pooled

if TYPE_CHECKING:
    from poolkit.lowering.plan import Plan
    from poolkit.lowering.primitives import Ops, Tensor

CHOOSING = ("median", "fractional_max")  # of max and min each framework has routes of its own


def values(o: Ops, x: Tensor, plan: Plan) -> Reduced:
    kind = FOLDS[plan.kind](o, plan)
    kind.way = "values"
    return pooled(kind, x)[0], None


def placed(o: Ops, x: Tensor, plan: Plan) -> Reduced:
    kind = FOLDS[plan.kind](o, dataclasses.replace(plan, spec=plan.spec.replace(indices=True)))
    kind.way = "placed"
    _, left = pooled(kind, o.detach(x))
    count = math.prod([a.n for a in plan.axes])

    def near(x: Tensor) -> Any:
        places = o.subtract(count, o.cast(left, "int32"))
        found = taken(o, x, places, plan)
        return (found, o.cast(places, o.index)) if plan.spec.indices else found

    def far(x: Tensor) -> Any:
        values, indices = pooled(FOLDS[plan.kind](o, plan), x)
        return (values, indices) if plan.spec.indices else values

    made = o.branch(o.of_dtype("int32").between(left, 0, count + 1), near, far, x)  # 0 in a window with a NaN
    return (made[0], made[1]) if plan.spec.indices else (made, None)


def sought(o: Ops, x: Tensor, plan: Plan) -> Reduced:
    def chosen(cells: Tensor, found: Tensor, change: Tensor) -> Tensor:
        kind: Any = FOLDS[plan.kind](o, plan)
        kind.change = change
        return pooled(kind, cells)[0]

    return o.derived(lambda cells: values(o, cells, plan)[0], chosen, x), None


def taken(o: Ops, x: Tensor, places: Tensor, plan: Plan) -> Tensor:
    """The cells at flat places over the pooled axes, along which `places` has the size of the result."""
    order = (*[at for at in range(o.rank) if at not in plan.at], *plan.at)
    count, flat = len(plan.axes), o.of_rank(o.rank - len(plan.axes) + 1)
    cells, there = (_turned(o, t, order) for t in (x, places))
    sizes = tuple([o.size(places, at) for at in plan.at])
    if count > 1:
        cells, there = (o.merge(t, count, -1) for t in (cells, there))
    found = flat.take_along(cells, there, flat.rank - 1)
    found = flat.split(found, sizes) if count > 1 else found
    return _turned(o, found, tuple([order.index(at) for at in range(o.rank)]))


def _turned(o: Ops, x: Tensor, order: Sequence[int]) -> Tensor:
    return x if tuple(order) == tuple(range(o.rank)) else o.permute(x, tuple(order))


def _counted(plan: Plan, situation: Situation) -> bool:
    return bool(math.prod([a.n for a in plan.axes]) < FAR)


SOUGHT = Route("sought", CHOOSING, sought, lambda plan, situation: plan.floating, lambda plan: 98.0)
CHOICES = (
    Route("values", CHOOSING, values, _counted, lambda plan: 97.0, differentiable=False),
    Route("placed", CHOOSING, placed, _counted, lambda plan: 98.0, indices=True),
)


def spread(lower: Callable[..., Reduced], when: When) -> Route:
    """The route of an adapter whose framework itself has windows that are spread over a map."""
    return Route("spread", ("fractional_max",), lower, when, lambda plan: 5.0, indices=True, reference=True)
