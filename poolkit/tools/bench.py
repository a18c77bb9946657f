"""How long each route of a backend takes for a spec on an input, measured in turns."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from poolkit.errors import ShapeError
from poolkit.running import registry
from poolkit.running.dispatch import pool_through
from poolkit.running.routes import RouteInfo, routes, routes_for
from poolkit.spec.arguments import as_shape
from poolkit.spec.messages import shown, wrong
from poolkit.spec.operation import Operation
from poolkit.spec.values import is_integer, is_many, number
from poolkit.tools.measure import interleaved

MOST = 2**28  # cells, which take 1 GB


class Timing(NamedTuple):
    """A route's median time, and how many times faster it is than the framework's own call, where that is a route."""

    backend: str
    route: str
    native: bool
    microseconds: float
    ratio: float | None
    gradient: bool = False


def bench(
    spec: Operation, backend: str, shape: Sequence[int], *, turns: int = 15, seconds: float = 0.01
) -> list[Timing]:
    """Time every route of a backend on random float32 numbers, the route that `pool` takes first.

    Keras's tensors are those of its engine, so the routes are the engine's too.

    Raises `BackendError` where the framework is absent and `ShapeError` where the spec does not fit the shape.

    >>> from poolkit import MaxPool
    >>> [timing.route for timing in bench(MaxPool(2, layout="NCHW"), "numpy", (1, 3, 8, 8), turns=1)][-1]
    'windows'
    """
    check_measuring(turns, seconds)
    return timings(spec, tensor_of(spec, backend, shape), turns=turns, seconds=seconds)


def tensor_of(spec: Operation, backend: str, shape: Sequence[int]) -> Any:
    sizes = as_shape(shape)
    routes(spec, backend, sizes)  # says what is wrong where the framework is absent, or the shape no shape
    if math.prod(sizes) > MOST:
        raise ShapeError(f"received the shape {shown(sizes)}; {MOST} cells are the most that are measured, give fewer")
    return registry.adapter(backend).from_numpy(np.random.default_rng(0).random(sizes, dtype="float32"))


def check_measuring(turns: object, seconds: object) -> None:
    """Raise where a measurement would take no turn, or hours."""
    if not is_integer(turns) or not 1 <= int(turns) <= 1000:
        raise wrong(f"turns={shown(turns)}", "turns is an integer from 1 to 1000", "write turns=15, or leave it out")
    if not 0 <= (-1.0 if (length := number(seconds)) is None else length) <= 10:
        rule = "seconds, the length of a turn, is a number from 0 to 10"
        raise wrong(f"seconds={shown(seconds)}", rule, "write seconds=0.01, or leave it out")


def timings(spec: Operation, x: Any, *, turns: int, seconds: float, derivative: bool = False) -> list[Timing]:
    """Of every route that is right for a tensor; with `derivative`, none where eager calls do not tell of one."""
    adapter, found = registry.find(x), list[RouteInfo]()

    def once(name: str | None) -> Any:
        return _done(adapter.gradient(run_of(name), x) if derivative else run_of(name)(x))

    def run_of(name: str | None) -> Callable[[Any], Any]:
        return lambda x: pool_through(x, spec, name)

    def listing(x: Any) -> Any:
        found.extend(routes_for(x, spec))
        return pool_through(x, spec, None)

    _ = adapter.gradient(listing, x) if derivative else listing(x)
    calls = [lambda name=r.name: once(name) for r in found]
    rows = list(interleaved(calls, turns=turns, seconds=seconds)) if calls else []
    own = next((i for i, r in enumerate(found) if r.native), None)
    return [
        Timing(
            adapter.name,
            r.name,
            r.native,
            float(np.median([row[i] for row in rows])) * 1e6,
            None if own is None else float(np.median([row[own] / row[i] for row in rows])),
            derivative,
        )
        for i, r in enumerate(found)
    ]


def _done(y: Any) -> Any:
    """Wait for a result that is computed in the background, as JAX's are."""
    parts: list[Any] = list(y) if is_many(y) else [y]
    for part in parts:
        if hasattr(part, "block_until_ready"):
            part.block_until_ready()
    return y
