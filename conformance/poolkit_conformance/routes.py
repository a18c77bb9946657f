"""The modes that take every route: those of a shape, a tensor, a tensor of which a derivative is taken, a tracer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import poolkit as pk
from poolkit.running.dispatch import pool_through
from poolkit.running.routes import routes_for
from poolkit_conformance.case import Case
from poolkit_conformance.checks import check, check_gradient, values_of
from poolkit_conformance.expect import expected_gradient, given
from poolkit_conformance.harness import Harness, Tensor


def _listed(h: Harness, case: Case) -> list[str]:
    """The routes that are right for every tensor of the shape."""
    return [route.name for route in pk.routes(case.spec, h.backend, case.shape, dtype=case.dtype)]


def routes(h: Harness, case: Case) -> None:
    """Every route that is offered for the shape, and for a tensor alone: without a derivative, contiguous or not."""
    x = h.from_numpy(given(case))
    listed = _listed(h, case)
    for name in listed:
        program = pk.lower(case.spec, h.backend, case.shape, dtype=case.dtype, route=name)
        check(h, case, "route", program(x), f" {name}")
    for number, t in enumerate([x, *(h.views(given(case)) if "noncontiguous" in h.modes else ())]):
        for route in routes_for(t, case.spec):
            if number or route.name not in listed:
                check(h, case, "route", pool_through(t, case.spec, route.name), f" {route.name} of tensor {number}")


def routes_inside(h: Harness, case: Case, how: str) -> None:
    """Every route that is offered to a tensor which the framework's compiler is tracing."""
    names: list[str] = []

    def every(t: Tensor) -> list[Any]:
        names[:] = [route.name for route in routes_for(t, case.spec)]
        return [pk.pool_direct(t, case.spec, route=name) for name in names]

    results = h.compiled(every, how)(h.from_numpy(given(case)))
    for name, result in zip(names, results, strict=True):
        check(h, case, f"route inside {how}", result, f" {name}")


def route_gradients(h: Harness, case: Case) -> None:
    """The gradient of every route that is offered to a shape, and to a tensor while a derivative is taken."""
    spec = case.spec
    offered: list[str] = []

    def look(t: Tensor) -> Tensor:
        offered.extend(route.name for route in routes_for(t, spec))
        return values_of(h, case)(t)

    h.vjp(look, h.from_numpy(given(case)), h.from_numpy(expected_gradient(case)[0]))
    listed = _listed(h, case)
    for name in dict.fromkeys([*listed, *offered]):
        check_gradient(h, case, _through(h, case, name, name in listed), f"gradient of route {name}")


def _through(h: Harness, case: Case, name: str, listed: bool) -> Callable[[Tensor], Tensor]:
    """Pooling through a route, to values alone; as the program for the shape where the shape lists the route."""
    spec = case.spec
    program = pk.lower(spec, h.backend, case.shape, dtype=case.dtype, route=name) if listed else None

    def run(x: Tensor) -> Tensor:
        result = program(x) if program else pool_through(x, spec, name)
        return result[0] if spec.indices else result

    return run
