"""`pool`: one dict look-up from a tensor and a spec to a program; and the ways in which a plan is lowered."""

from __future__ import annotations

import functools
import types
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from poolkit.lowering.lower import FIXED, chosen, routes_of
from poolkit.lowering.lower import lower as lowered
from poolkit.programs.program import Program, record
from poolkit.programs.recorder import noted
from poolkit.running import registry
from poolkit.running.further import checked, facts_of, read, situation_of, taken
from poolkit.running.tuned import preferred
from poolkit.spec.arguments import as_route
from poolkit.spec.operation import Operation, as_spec
from poolkit.spec.pool_spec import PoolSpec

if TYPE_CHECKING:
    from poolkit.lowering.backend import Adapter, Route, Situation
    from poolkit.lowering.plan import AnyPlan

Tensor = Any

NONE: Mapping[str, Tensor] = {}

MOST = 4096  # entries of each cache; the oldest goes first

_ADAPTERS = registry.BY_TYPE
_PLAIN = frozenset((type(None), bool, int, float, str, PoolSpec))

_RUNS: dict[Hashable, Callable[[Any], Any]] = {}  # spec, shape, dtype, situation -> function
# By name, the functions of `named.py`: of a module PyTorch's compiler guards what it reads, and not how many there are.
NAMED = types.ModuleType("NAMED")
NAMES: dict[Hashable, str] = {}
_PROGRAMS: dict[str, dict[Hashable, Program]] = {}  # backend -> plan, route, … -> program, whatever the batch


def pool(x: Tensor, spec: Operation, **tensors: Tensor) -> Any:
    """Pool a tensor of any framework; the result is of the same framework, or a pair with `indices=True`.

    `x` is a numpy.ndarray, torch.Tensor, tf.Tensor, jax.Array or KerasTensor whose axes are those of ``spec.layout``.
    Floats keep their dtype; integers keep it for max and min and become float32 otherwise. Raises `InputError` for
    anything that is no dense tensor, `DtypeError` for complex numbers, and `ShapeError` where the spec does not fit
    the shape. The input is not modified. `tensors` are what the operation takes besides: ``mask=`` says which cells
    there are, ``weight=`` what each counts in an average or sum, ``key=`` what is drawn where something is.

    >>> import numpy as np
    >>> from poolkit import AvgPool
    >>> pool(np.array([[[1.0, 2.0, 3.0, 4.0, 5.0]]]), AvgPool(2, padding="same", layout="NCL"))
    array([[[1.5, 3.5, 5. ]]])
    >>> pool(np.array([[[1.0, 2.0, np.nan, 4.0]]]), AvgPool(2, layout="NCL"), mask=np.array([[1, 1, 0, 1]]))
    array([[[1.5, 4. ]]])
    """
    if tensors:
        return _pool_with(x, spec, tensors)
    adapter = _ADAPTERS.get(type(x)) or registry.find(x)
    key = adapter.key(x, spec)
    if key is None:
        return direct(x, spec)
    try:
        run = _RUNS.get(key)
    except Exception:
        as_spec(spec, "pool takes (tensor, PoolSpec)")  # what was given has no hash
        raise
    if run is None:
        run = _prepare(adapter, x, spec, key)
    return run(x)


def _pool_with(x: Tensor, spec: Any, tensors: dict[str, Tensor], make: Callable[[], Operation] | None = None) -> Any:
    """`pool` with tensors besides the input; `make` gives the operation where `spec` only stands for it."""
    adapter, key = _ADAPTERS.get(type(x)), None
    if adapter is not None:
        try:
            key = adapter.keys(x, spec, tensors)
            run = None if key is None else _RUNS.get(key)  # a tracer is kept away from the cache
        except Exception:  # something that is no tensor, or has no hash; what follows says which
            key = run = None
        if run is not None:
            return run(x, *tensors.values())
    if make is None:
        return _pool_anew(x, spec, tensors)
    made = make()
    found = _pool_anew(x, made, tensors)
    plain = key is not None and all(type(field) in _PLAIN for field in spec[-1])  # what can change is no key
    if adapter is not None and plain and (run := _RUNS.get(adapter.keys(x, made, tensors))) is not None:
        keep(_RUNS, key, run, MOST)
    return found


def pool_made(x: Tensor, make: Callable[[], Operation], fields: tuple[Any, ...], **tensors: Tensor) -> Any:
    """`pool` by an operation that follows from `fields`: to make one takes 50 to 150 microseconds."""
    # For 1, 1.0 and True are one key, and not one argument.
    return _pool_with(x, (*map(type, fields), fields), tensors, make)


def _pool_anew(x: Tensor, spec: Operation, tensors: dict[str, Tensor], route: str | None = None) -> Any:
    """Check what was given, and record the program that serves it in the order in which the operation takes tensors."""
    given = taken(as_spec(spec, "pool takes (tensor, PoolSpec)"), tensors)
    if len(given) == 0:
        return pool_through(x, spec, route)
    adapter = registry.find(x)
    given = read(adapter, x, given)
    key = adapter.keys(x, spec, given)
    if key is None:
        return direct(x, spec, route, **given)
    if route is not None:
        key = route, key
    run = _RUNS.get(key)
    if run is None:
        run = _prepare(adapter, x, spec, key, route, given)
    return run(x, *given.values())


def _prepare(
    adapter: Adapter,
    x: Tensor,
    spec: Operation,
    key: Hashable,
    route: str | None = None,
    tensors: Mapping[str, Tensor] = NONE,
) -> Callable[..., Any]:
    """Record the program that serves this key, or find one that was recorded for another batch size."""
    plan = plan_of_tensor(adapter, x, spec, tensors)[1]
    situation = situation_of(adapter, x, tensors)
    way = preferred(adapter, plan, situation, route, x.shape)
    program = recorded(adapter, plan, way, situation, x.shape)
    registry.BY_TYPE[type(x)] = adapter
    run = program.function if situation.wrapped else checked(adapter, plan.spec, program.function, tensors, way.refuses)
    keep(_RUNS, key, run, MOST)
    return run


def pool_through(x: Tensor, spec: Operation, route: str | None, **tensors: Tensor) -> Any:
    """`pool` through a route that is asked for by name; `BackendError` where it is not right for this input.

    >>> import numpy as np
    >>> from poolkit import GlobalMaxPool
    >>> pool_through(np.arange(12.0).reshape(1, 3, 4), GlobalMaxPool(layout="NCL", keepdims=False), "fold")
    array([[ 3.,  7., 11.]])
    """
    if route is None:
        return pool(x, spec, **tensors)
    if tensors:
        return _pool_anew(x, spec, tensors, route)
    adapter = registry.find(x)
    key = adapter.key(x, spec)
    if key is None:
        return direct(x, spec, route)
    run = _RUNS.get((route, key))
    if run is None:
        run = _prepare(adapter, x, spec, (route, key), route)
    return run(x)


def recorded(adapter: Adapter, plan: AnyPlan, route: Route, situation: Situation, shape: Sequence[Any]) -> Program:
    """The program of a plan by a route, which is kept where it depends on nothing else."""
    ops = adapter.ops(plan.rank, plan.work)
    whole = None if adapter.executables is None else tuple(shape)
    over = adapter.over(route, plan, situation, shape)
    ops.fused = ops.fused or situation.shipped
    facts = ops.index, ops.puts, ops.fused  # the first follows JAX's x64, the others what TensorFlow does with a graph
    key: Hashable = (plan, route.name, facts, whole, over) if plan.known else None
    programs = _PROGRAMS.setdefault(adapter.name, {})
    program = programs.get(key) if key is not None else None
    if program is None:
        part = adapter.part(route, plan, situation, shape)
        if part != plan:  # whose route of the same name may know its own sizes
            route = next(r for r in routes_of(adapter, part, situation) if r.name == route.name)
        program = record(
            functools.partial(noting, plan=part, route=route),
            ops,
            _title(plan),
            adapter.name,
            route.name,
            over,
            tuple([f.name for f in plan.further]),
        )
        program = program.finished(functools.partial(adapter.finish, plan=plan))
        if key is not None:
            _forget(keep(programs, key, program, adapter.executables or MOST))
    return program


def noting(o: Any, x: Any, plan: AnyPlan, route: Route, **tensors: Any) -> Any:
    """The lowering, and why what it records may be long."""
    noted(x, route.note)
    return lowered(o, x, plan, route, **tensors)


def _forget(program: Program | None) -> None:
    """Let go of a program that is kept no longer, and with it of what its framework compiled."""
    made = None if program is None else vars(program).get("function")  # of a program that never ran there is none
    if made is not None:
        for key in [key for key, run in _RUNS.items() if made in (run, getattr(run, "__wrapped__", None))]:
            del _RUNS[key]


def _title(plan: AnyPlan) -> str:
    """The spec, and the sizes that a program is for: those of the pooled axes."""
    sizes = [f"{a.letter} {a.n}" for a in plan.axes if a.known]
    return f"{plan.spec}, for {', '.join(sizes)} only" if len(sizes) == len(plan.axes) else str(plan.spec)


def forget() -> None:
    """Drop all programs."""
    _RUNS.clear()
    _PROGRAMS.clear()
    for name in NAMES.values():
        delattr(NAMED, name)
    NAMES.clear()


def keep(cache: dict[Hashable, Any], key: Hashable, value: Any, most: int) -> Any:
    """Keep a value; the oldest, where it has to go for that, is returned."""
    oldest = cache.pop(next(iter(cache)), None) if len(cache) >= most else None
    cache[key] = value
    return oldest


def pool_direct(x: Tensor, spec: Operation, route: str | None = None, **tensors: Tensor) -> Any:
    """The same lowering, run on the tensor itself; what `pool` does while a framework traces with symbolic sizes.

    >>> import numpy as np
    >>> from poolkit import GlobalMaxPool
    >>> pool_direct(np.arange(12.0).reshape(1, 3, 4), GlobalMaxPool(layout="NCL", keepdims=False))
    array([[ 3.,  7., 11.]])
    """
    adapter = registry.find(x)
    taking = as_spec(spec, "pool takes (tensor, PoolSpec)")
    given = read(adapter, x, taken(taking, tensors)) if len(tensors) > 0 else {}
    x, plan = plan_of_tensor(adapter, x, spec, given, fixed=as_route(route) == FIXED)
    situation = situation_of(adapter, x, given)._replace(tracing=True)
    way = chosen(adapter, plan, situation, route)
    with adapter.within(x):
        return lowered(adapter.ops(plan.rank, plan.work), x, plan, way, **given)


def stand_in(function: Callable[..., Any]) -> Callable[..., Any]:
    """A copy of a function, in whose place an adapter may have a compiler read another one.

    No user has it: `functools.wraps` would hand the mark on to what calls the function.
    """
    f: Any = function
    copy = types.FunctionType(f.__code__, f.__globals__, f.__name__, f.__defaults__, f.__closure__)
    copy.__dict__.update(f.__dict__)
    return copy


direct = stand_in(pool_direct)


def plan_of_tensor(
    adapter: Adapter, x: Tensor, spec: Operation, tensors: Mapping[str, Tensor] = NONE, fixed: bool = False
) -> tuple[Tensor, AnyPlan]:
    """The spec resolved on a tensor and those besides it, and the tensor with its rank known.

    `fixed`: a size that a tracer keeps open is that of its example.
    """
    as_spec(spec, "pool takes (tensor, PoolSpec)")
    adapter.check(x)
    x, rank = adapter.rank(x, len(spec.letters) if spec.axes is not None else 0)
    o = adapter.ops(rank, adapter.dtype(x))

    def size(at: int) -> tuple[Any, bool]:
        known = adapter.fixed_size(x, at) if fixed else adapter.known_size(x, at)
        return (o.size(x, at), False) if known is None else (known, True)

    further = tuple([facts_of(adapter, name, t, rank) for name, t in tensors.items()])
    return x, spec.plan(rank, adapter.dtype(x), size, adapter.widen, further)


for _function in (pool, pool_through, pool_direct):
    # AutoGraph rewrites what a tf.function calls, unless it carries this mark; nothing here needs rewriting.
    setattr(_function, "autograph_info__", {})  # noqa: B010  # a function has no such attribute to a type checker
