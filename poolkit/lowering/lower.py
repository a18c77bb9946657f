"""The one lowering: a plan becomes plain calls of a framework, through a route or the fold.

It is read twice. *Recorded*, `ops` and `x` are stand-ins and the calls become a program (`programs/`); *direct*,
they are the framework's own and the calls are made, for a framework's tracer to record.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from poolkit.errors import BackendError
from poolkit.lowering.backend import Route, Situation
from poolkit.lowering.kinds import FOLDS
from poolkit.lowering.means import Means
from poolkit.lowering.plan import AnyPlan, Composite, Plan, Run, dropped
from poolkit.lowering.routes.by_name import RELU
from poolkit.lowering.routes.choices import CHOICES, SOUGHT
from poolkit.lowering.routes.ways import ways
from poolkit.lowering.weighed import ONE_BY_ONE, pooled
from poolkit.spec.arguments import as_route
from poolkit.spec.dtypes import HALVES
from poolkit.spec.messages import shown

if TYPE_CHECKING:
    from poolkit.lowering.backend import Adapter
    from poolkit.lowering.primitives import Ops, Tensor


def lower(o: Ops, x: Tensor, plan: AnyPlan, route: Route, **tensors: Tensor) -> Any:
    """Values, or (values, indices) where the spec asks for them; `tensors` are those besides the input."""
    takes_own = route.takes_half_precision if plan.dtype in HALVES else route.takes_integers
    w = x if plan.work == plan.dtype or takes_own else o.cast(x, plan.work)
    return _finished(o, x, w, plan, route.lower(o, w, plan, **tensors))


def composed(routes: Sequence[Route], note: str = "") -> Route:
    """What lowers a plan with parts, each by its own route, as one route; `note` is that of a plan without."""

    def lower(o: Ops, x: Tensor, plan: Composite, **tensors: Tensor) -> tuple[Tensor, Tensor | None]:
        runs = [_run(o, route, part, plan.whole) for route, part in zip(routes, plan.parts, strict=True)]
        return plan.join(o, x, runs, **tensors)

    names = [route.name for route in routes] or ["fold"]
    name = names[0] if len(set(names)) == 1 else " + ".join(names)
    own = len(routes) > 0 and all(route.reference for route in routes)
    return Route(
        name,
        (),
        lower,
        lambda plan, situation: True,
        lambda plan: sum([route.cost(part) for route, part in zip(routes, plan.parts, strict=True)], 0.0),
        reference=own,
        note=next((route.note for route in routes if route.note), note),
    )


def _run(ops: Ops, route: Route, part: AnyPlan, whole: bool) -> Run:
    """What pools a tensor by a part; `whole`: as far as the result of that pooling (`Composite`)."""
    o = ops if part.work == ops.dtype else ops.of_dtype(part.work)

    def run(x: Tensor, **tensors: Tensor) -> tuple[Tensor, Tensor | None]:
        own = {f.name: tensors[f.name] for f in part.further}
        return (lower(o, x, part, route, **own), None) if whole else route.lower(o, x, part, **own)

    return run


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
    return pooled(FOLDS[plan.kind](o, plan), x)


def _exactly(o: Ops, x: Tensor, plan: Plan) -> tuple[Tensor, Tensor | None]:
    o.exact = True
    return _fold(o, x, plan)


FOLD = Route(
    "fold",
    (),
    _fold,
    lambda plan, situation: True,
    # Behind all routes, and a constant: what Dynamo makes of a spec's numbers may be a symbol, which does not sort.
    lambda plan: 100.0,
    needs_sizes=False,
    indices=True,
    copies=True,
    note=ONE_BY_ONE,
)
FIXED = "fixed"  # asks for the cheapest route at the sizes of the tensor, also where a tracer takes them for symbols
EXACT = dataclasses.replace(FOLD, name="exact", lower=_exactly)  # where sizes are known, the fold is it


def chosen(adapter: Adapter, plan: AnyPlan, situation: Situation, name: str | None) -> Route:
    """The cheapest route, or the one that is asked for."""
    routes = routes_of(adapter, plan, situation)
    if as_route(name) is None or (name == FIXED and plan.known):
        return routes[0]
    if name == EXACT.name and plan.known and all(route.name != name for route in routes):
        name = FOLD.name
    if name == RELU.name and isinstance(plan, Plan) and _fits(RELU, plan, situation):
        return RELU
    for route in routes:
        if name == route.name or (name == "native" and route.reference):
            return route
    raise BackendError(
        f"{adapter.name} has no route {shown(name)} for {plan.spec} here; "
        f"its routes are {', '.join(r.name for r in routes)}"
    )


def routes_of(adapter: Adapter, plan: AnyPlan, situation: Situation) -> list[Route]:
    """The routes that are right for a plan at a situation, the cheapest first; the fold is always among them.

    The framework's own calls go first in what is shipped and where sizes are symbols: a reader and a converter want the
    call that the framework knows. Small maps, too, go through their windows in one call where there is one; whole axes
    take one call anyhow. Of a vast input what copies it comes last.
    """
    means = _means(adapter, plan, situation)
    asked = [_asked(adapter, way, situation) if way.parts else _alone(way) for way in ways(plan, means)]
    if isinstance(plan, Composite):
        alone = [_alone(way) for way in plan.ways(means) if len(way.parts) == 0]
        each = [routes_of(adapter, part, situation) for part in plan.parts]
        return [*asked, *alone, *(_of_parts(each) if each else [])]
    choices = CHOICES if means.at_once else (SOUGHT,) if means.derives else ()
    fit = [route for route in (*adapter.routes, *choices) if _fits(route, plan, situation)]
    own_first = situation.shipped or not plan.known or (situation.small and plan.spec.window is not None)
    folds = [FOLD] if plan.known else [FOLD, EXACT]
    right = [*asked, *fit, *folds]
    return sorted(
        right,
        key=lambda route: (not (own_first and route.reference), situation.vast and route.copies, route.cost(plan)),
    )


def _means(adapter: Adapter, plan: AnyPlan, situation: Situation) -> Means:
    here = not situation.shipped
    wide = (here or situation.device is not None) and adapter.wide(situation)
    looks = here and not situation.empty
    asks = looks and adapter.branches(plan, situation)
    at_once = asks and not situation.tracing and adapter.ops(plan.rank, plan.work).puts
    return Means(
        shipped=situation.shipped,
        derivative=situation.derivative,
        wide=wide,
        tries=wide and adapter.silent,
        derives=looks and adapter.derives,
        asks=asks,
        at_once=at_once,
        refuses=at_once and adapter.refuses,
        multiplies=adapter.multiplies(situation),
    )


def _asked(adapter: Adapter, plan: Composite, situation: Situation) -> Route:
    """A kind by the cheapest routes of its parts: of the sum, and of the others, of which no derivative is taken."""
    first, *others = plan.parts
    constant = situation._replace(derivative=False)
    routes = [routes_of(adapter, first, situation)[0], *[_constant(adapter, p, constant) for p in others]]
    made = composed(routes)

    def lower(o: Ops, x: Tensor, whole: AnyPlan, **tensors: Tensor) -> tuple[Tensor, Tensor | None]:
        o.large = situation.large and not plan.further and all(a.at for a in plan.axes)
        return made.lower(o, x, plan, **tensors)

    def cost(whole: AnyPlan) -> float:
        return min(made.cost(plan), 99.0)  # before the fold

    return dataclasses.replace(made, name=f"{plan.way}: {made.name}", lower=lower, cost=cost, reference=False)


def _constant(adapter: Adapter, plan: AnyPlan, situation: Situation) -> Route:
    """The cheapest of a size that is unknown: own pools, which go first there, take no map without channels."""
    routes = routes_of(adapter, plan, situation)
    calls = [route for route in routes if route.name not in (FOLD.name, EXACT.name)]
    return routes[0] if plan.known or not calls else min(calls, key=lambda route: route.cost(plan))


def _alone(plan: Composite) -> Route:
    """A plan without parts as a route, which has the name of the way in which it is joined; the whole may have some."""

    def lower(o: Ops, x: Tensor, whole: AnyPlan, **tensors: Tensor) -> tuple[Tensor, Tensor | None]:
        return plan.join(o, x, (), **tensors)

    def cost(whole: AnyPlan) -> float:
        return 99.0

    return dataclasses.replace(composed((), plan.note), name=plan.way, lower=lower, cost=cost, refuses=plan.refuses)


def _of_parts(each: Sequence[Sequence[Route]]) -> list[Route]:
    """The cheapest of each part; the framework's own calls, where all parts have one; those that all parts have."""
    made = [composed([routes[0] for routes in each])]
    own = [[route for route in routes if route.reference] for routes in each]
    if all(own):
        made.append(composed([routes[0] for routes in own]))
    for name in [route.name for route in each[0]]:
        alike = [[route for route in routes if route.name == name] for routes in each]
        if all(alike):
            made.append(composed([routes[0] for routes in alike]))
    names = [route.name for route in made]
    return [route for i, route in enumerate(made) if route.name not in names[:i]]


def _fits(route: Route, plan: Plan, situation: Situation) -> bool:
    return (
        plan.kind in route.kinds
        and (route.differentiable or not situation.derivative)
        and (not route.needs_sizes or plan.known)
        and (route.indices or not plan.spec.indices)
        and not situation.empty
        and route.when(plan, situation)
    )
