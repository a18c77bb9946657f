"""The one lowering: a plan becomes plain calls of a framework, through a route or the fold.

It is read twice. *Recorded*, `ops` and `x` are stand-ins and the calls become a program (`programs/`); *direct*,
they are the framework's own and the calls are made, for a framework's tracer to record.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from poolkit.lowering.backend import Route, Situation
from poolkit.lowering.fold import fold
from poolkit.lowering.kinds import FOLDS
from poolkit.lowering.plan import HALVES, AnyPlan, Composite, Plan, Run, dropped

if TYPE_CHECKING:
    from poolkit.lowering.backend import Adapter
    from poolkit.lowering.primitives import Ops

Tensor = Any


def lower(o: Ops, x: Tensor, plan: AnyPlan, route: Route, **tensors: Tensor) -> Any:
    """Values, or (values, indices) where the spec asks for them; `tensors` are those besides the input."""
    w = _working(o, x, plan, route)
    return _finished(o, x, w, plan, route.lower(o, w, plan, **tensors))


def composed(routes: Sequence[Route]) -> Route:
    """What lowers a plan with parts, each by its own route, as one route."""

    def lower(o: Ops, x: Tensor, plan: Composite, **tensors: Tensor) -> tuple[Tensor, Tensor | None]:
        runs = [_run(o, route, part) for route, part in zip(routes, plan.parts, strict=True)]
        return plan.join(o, x, runs, **tensors)

    name = " + ".join(route.name for route in routes) or "fold"
    return Route(name, (), lower, lambda plan, situation: True, lambda plan: 0.0)


def _run(o: Ops, route: Route, part: Plan) -> Run:
    return lambda x: route.lower(o, x, part)


def _working(o: Ops, x: Tensor, plan: AnyPlan, route: Route) -> Tensor:
    takes_own = route.takes_half_precision if plan.dtype in HALVES else route.takes_integers
    return x if plan.work == plan.dtype or takes_own else o.cast(x, plan.work)


def _finished(o: Ops, x: Tensor, w: Tensor, plan: AnyPlan, reduced: tuple[Tensor, Tensor | None]) -> Any:
    values, indices = reduced
    if w is x and plan.untouched:
        values = o.copy(values)  # nothing was computed, and a result shares no memory with the input
    if w is not x and plan.result == plan.dtype:
        values = o.cast_like(values, x)
    drop = dropped(plan)
    if drop:
        values = o.drop(values, drop)
        indices = o.drop(indices, drop) if plan.spec.indices else None
    return (values, indices) if plan.spec.indices else values


def _fold(o: Ops, x: Tensor, plan: Plan) -> tuple[Tensor, Tensor | None]:
    kind = FOLDS[plan.kind](o, plan)
    return kind.finish(fold(o, kind, kind.lift(x), plan.axes), x)


def fold_cost(plan: Plan) -> float:
    """Behind all routes, and a constant: what Dynamo makes of a spec's numbers may be a symbol, which does not sort."""
    return 100.0


FOLD = Route("fold", (), _fold, lambda plan, situation: True, fold_cost, needs_sizes=False, indices=True)


def routes_of(adapter: Adapter, plan: Plan, situation: Situation) -> list[Route]:
    """The routes that are right for a plan at a situation, the cheapest first; the fold is always among them.

    Small maps go through their windows in one call where the framework has one; whole axes take one call anyhow.
    """
    fit = [route for route in adapter.routes if _fits(route, plan, situation)]
    one_call = situation.small and plan.spec.window is not None
    return sorted([*fit, FOLD], key=lambda route: (not (one_call and route.reference), route.cost(plan)))


def _fits(route: Route, plan: Plan, situation: Situation) -> bool:
    return (
        plan.kind in route.kinds
        and (route.differentiable or not situation.derivative)
        and (not route.needs_sizes or plan.known)
        and (route.indices or not plan.spec.indices)
        and not situation.empty
        and route.when(plan, situation)
    )
