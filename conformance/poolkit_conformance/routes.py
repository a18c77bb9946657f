"""The modes that take every route: those of a shape, a tensor, a tensor of which a derivative is taken, a tracer."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

import poolkit as pk
from poolkit.running.dispatch import pool_through
from poolkit.running.routes import routes_for
from poolkit_conformance.case import Case
from poolkit_conformance.checks import (
    arguments,
    check,
    check_gradient,
    named,
    program_of,
    routes_of,
    values_alone,
    values_of,
)
from poolkit_conformance.compare import same_values, where
from poolkit_conformance.expect import expected, expected_gradient, further, given
from poolkit_conformance.harness import Function, Harness, Tensor


def routes(h: Harness, case: Case) -> None:
    """Every route that is offered for the shape, and for a tensor alone: without a derivative, contiguous or not."""
    tensors = arguments(h, case)
    listed = routes_of(h, case)
    for name in listed:
        check(h, case, "route", program_of(h, case, name)(*tensors), f" {name}")
    views = [h.views(t) for t in (given(case), *further(case).values())] if "noncontiguous" in h.modes else []
    for number, (x, *more) in enumerate([tensors, *zip(*views, strict=False)]):
        others = named(case, more)
        for route in routes_for(x, case.spec, **others):
            if number or route.name not in listed:
                result = pool_through(x, case.spec, route.name, **others)
                check(h, case, "route", result, f" {route.name} of tensor {number}")
    if _has_relu(case):
        answer = expected(case)
        largest = np.abs(given(case).astype(np.float64)).max()
        answer = dataclasses.replace(answer, magnitude=np.full(answer.values.shape, largest))
        found = h.to_numpy(program_of(h, case, "relu")(*tensors))
        same_values(where(case, "route relu", h.backend), "values", case.spec, found, answer, "relu")


def _has_relu(case: Case) -> bool:
    """Whether an extreme may be taken by `a + relu(b - a)`, which is listed nowhere: of finite cells, not too large."""
    spec: Any = case.spec
    extreme = isinstance(spec, pk.PoolSpec) and spec.kind in ("max", "min") and not (spec.indices or case.tensors)
    small = ("bool", "int8", "uint8", "int16", "float32", "float64")
    if not extreme or case.dtype not in small or 0 in case.shape:
        return False
    return bool((np.abs(given(case).astype(np.float64)) < 1e37).all())


def routes_inside(h: Harness, case: Case, how: str) -> None:
    """Every route that is offered to a tensor which the framework's compiler is tracing."""
    names: list[str] = []

    def every(t: Tensor, *more: Tensor) -> list[Any]:
        others = named(case, more)
        names[:] = [route.name for route in routes_for(t, case.spec, **others)]
        return [pk.pool_direct(t, case.spec, route=name, **others) for name in names]

    results = h.compiled(every, how)(*arguments(h, case))
    for name, result in zip(names, results, strict=True):
        check(h, case, f"route inside {how}", result, f" {name}")


def route_gradients(h: Harness, case: Case) -> None:
    """The gradients of every route that is offered to a shape, and to a tensor while a derivative is taken."""
    offered: list[str] = []

    def look(t: Tensor, *more: Tensor) -> Tensor:
        offered.extend(route.name for route in routes_for(t, case.spec, **named(case, more)))
        return values_of(h, case)(t, *more)

    x, *more = arguments(h, case)
    h.vjp(look, x, h.from_numpy(expected_gradient(case)[0]), *more)
    listed = routes_of(h, case)
    listed += ["relu"] if _has_relu(case) else []
    for name in dict.fromkeys([*listed, *offered]):
        check_gradient(h, case, _through(h, case, name, name in listed), f"gradient of route {name}")


def _through(h: Harness, case: Case, name: str, listed: bool) -> Function:
    """Pooling through a route, to values alone; as the program for the shape where the shape lists the route."""
    if listed:
        return values_alone(program_of(h, case, name), case)
    return values_alone(lambda x, *more: pool_through(x, case.spec, name, **named(case, more)), case)
