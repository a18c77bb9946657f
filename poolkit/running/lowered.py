"""`lower`: the program of a spec, for a shape or for every size, without a tensor."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from poolkit.errors import ShapeError
from poolkit.lowering.backend import Situation
from poolkit.lowering.lower import chosen
from poolkit.programs.program import Program, record
from poolkit.running import registry
from poolkit.running.dispatch import noting, recorded
from poolkit.running.further import Described, described
from poolkit.spec.arguments import as_dtype, as_route, as_shape, as_tensors
from poolkit.spec.operation import Operation, as_spec
from poolkit.spec.signatures import explained

if TYPE_CHECKING:
    from poolkit.lowering.backend import Adapter
    from poolkit.lowering.plan import AnyPlan
    from poolkit.spec.operation import Further


@explained
def lower(
    spec: Operation,
    backend: str,
    shape: Sequence[int | None] | None = None,
    *,
    dtype: str = "float32",
    route: str | None = None,
    tensors: Mapping[str, Described] | None = None,
) -> Program:
    """The framework calls that a spec becomes, as a `Program` with `source`; specialised to a shape where one is given.

    Without a shape the program is right for every size of the layout's rank; with one, for every tensor of that shape,
    where `pool` may take a route that is right for its tensor alone (contiguous, or without a derivative). `route`
    asks for one of `routes`, or "native" for the framework's own pooling call. `tensors` are those that the program
    takes besides the input, each with its axes and, unless a mask is of bools and a weight of the input's dtype, its
    dtype: ``{"mask": "NL"}``, ``{"mask": ("NLC", "float32")}``. Raises `BackendError` where the framework is absent or
    has no such route.

    >>> from poolkit import GlobalAvgPool
    >>> lower(GlobalAvgPool(layout="NHWC", keepdims=True), "numpy").backend
    'numpy'
    >>> tokens = GlobalAvgPool(layout="NLC", keepdims=False)
    >>> "def pool(x, mask):" in lower(tokens, "numpy", tensors={"mask": "NL"}).source
    True
    """
    as_spec(spec, "lower takes (spec, backend)")
    adapter, dtype, route, more = registry.adapter(backend), as_dtype(dtype), as_route(route), as_tensors(tensors)
    if shape is None:
        return _lower_any_size(adapter, spec, dtype, route, more)
    shape = as_shape(shape)
    plan = plan_of_shape(adapter, spec, shape, dtype, more)
    situation = Situation(empty=0 in shape, shipped=True)
    return recorded(adapter, plan, chosen(adapter, plan, situation, route), situation, shape)


def _lower_any_size(
    adapter: Adapter, spec: Operation, dtype: str, route: str | None, tensors: Mapping[str, Described]
) -> Program:
    rank = spec.rank
    if rank is None:
        raise ShapeError(
            f"layout {spec.layout} does not tell how many axes the input has; give a shape, or a layout such as NCHW"
        )
    sizes = (None,) * rank
    further = described(spec, tensors, sizes, dtype)
    return recorded_of(adapter, spec, dtype, sizes, further, Situation(shipped=True), route)


def recorded_of(
    adapter: Adapter,
    spec: Operation,
    dtype: str,
    shape: tuple[int | None, ...],
    further: tuple[Further, ...],
    situation: Situation,
    route: str | None,
) -> Program:
    """The program of a spec for a shape, whatever those of its sizes are that are None."""
    names: list[str] = []

    def lowering(o: Any, x: Any, **others: Any) -> Any:
        def size(at: int) -> tuple[Any, bool]:
            return (o.size(x, at), False) if shape[at] is None else (shape[at], True)

        plan = spec.plan(len(shape), dtype, size, adapter.widen, further)
        way = chosen(adapter, plan, situation, route)  # may be run where a derivative is taken
        names.append(way.name)
        return noting(o, x, plan, way, **others)

    ops = adapter.ops(len(shape), spec.work_dtype(dtype, adapter.widen))
    ops.fused = situation.shipped
    title = f"{spec}, for {_every(spec) if all(n is None for n in shape) else f'the shape {shape}'}"
    program = record(lowering, ops, title, adapter.name, "", further=tuple([f.name for f in further]))
    return dataclasses.replace(program.finished(adapter.finish), route=names[0])


def _every(spec: Operation) -> str:
    return "every size" + (f" of {spec.letters} without axes before them" if spec.layout.startswith("...") else "")


def plan_of_shape(
    adapter: Adapter, spec: Operation, shape: tuple[int | None, ...], dtype: str, tensors: Mapping[str, Described]
) -> AnyPlan:
    """The spec resolved on a shape, of which unknown sizes are None, and on tensors besides the input."""
    further = described(spec, tensors, shape, dtype)
    return spec.plan(len(shape), dtype, lambda at: (shape[at], True), adapter.widen, further)
