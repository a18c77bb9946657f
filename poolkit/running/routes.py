"""Which routes a backend has for a spec, on a shape or on a tensor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from poolkit.lowering.backend import Situation
from poolkit.lowering.lower import routes_of
from poolkit.running import registry
from poolkit.running.dispatch import plan_of_tensor
from poolkit.running.further import Described, read, situation_of, taken
from poolkit.running.lowered import plan_of_shape
from poolkit.spec.arguments import as_dtype, as_shape, as_tensors
from poolkit.spec.operation import Operation, as_spec
from poolkit.spec.signatures import explained
from poolkit.spec.values import flag

if TYPE_CHECKING:
    from poolkit.lowering.backend import Adapter
    from poolkit.lowering.plan import AnyPlan

Tensor = Any


class RouteInfo(NamedTuple):
    """A route that is right for a spec and shape: name, cost in passes over the input, whether it is the own call.

    `copies`: it takes more than 1.2 times the memory of the own call, behind which it goes where an input is vast.
    """

    name: str
    cost: float
    native: bool
    copies: bool


@explained
def routes(
    spec: Operation,
    backend: str,
    shape: Sequence[int],
    *,
    dtype: str = "float32",
    derivative: bool = True,
    tensors: Mapping[str, Described] | None = None,
) -> list[RouteInfo]:
    """The routes that are right for a spec on every tensor of a shape: the framework's own, then the cheapest first.

    `lower` takes the first. `pool` may know more of a tensor, such as that it is contiguous, and take a route that is
    right for that. `tensors` are those besides the input, as in `lower`. What consists of several reductions lists the
    best way for each of them, joined by "+", and then the routes that serve all.

    >>> from poolkit import MaxPool
    >>> routes(MaxPool(2, layout="NCHW"), "numpy", (1, 3, 8, 8))[-1].name
    'fold'
    """
    as_spec(spec, "routes takes (spec, backend, shape)")
    adapter, shape = registry.adapter(backend), as_shape(shape)
    plan = plan_of_shape(adapter, spec, shape, as_dtype(dtype), as_tensors(tensors))
    situation = Situation(derivative=flag("derivative", derivative), empty=0 in shape, shipped=True)
    return _listed(adapter, plan, situation)


def routes_for(x: Tensor, spec: Operation, **tensors: Tensor) -> list[RouteInfo]:
    """The routes that are right for a spec on this tensor; `pool` takes the first.

    >>> import numpy as np
    >>> from poolkit import GlobalAvgPool
    >>> routes_for(np.ones((1, 3, 8, 8)), GlobalAvgPool(layout="NCHW", keepdims=True))[0].name
    'mean'
    """
    adapter = registry.find(x)
    given = read(adapter, x, taken(as_spec(spec, "routes_for takes (tensor, PoolSpec)"), tensors))
    x, plan = plan_of_tensor(adapter, x, spec, given)
    return _listed(adapter, plan, situation_of(adapter, x, given))


def _listed(adapter: Adapter, plan: AnyPlan, situation: Situation) -> list[RouteInfo]:
    return [
        RouteInfo(r.name, round(r.cost(plan), 2), r.reference, r.copies) for r in routes_of(adapter, plan, situation)
    ]
