"""`pool` as TorchDynamo reads it: it is told the name of a program, and reads that.

Dynamo reads Python instruction by instruction, and guards each value that it met. All that stands between a spec and
its program would take it 0.6 s, and 100 values more to look at before every later call. So it calls that as a constant.
"""

from __future__ import annotations

import itertools
import types
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from poolkit.errors import PoolkitError
from poolkit.lowering.lower import FIXED
from poolkit.running import dispatch
from poolkit.running.dispatch import MOST, NAMED, NAMES, keep, pool_direct
from poolkit.running.further import facts_of, situation_of, taken
from poolkit.running.lowered import recorded_of
from poolkit.spec.operation import Operation

Tensor = Any

_NUMBERS = itertools.count()


class Told(NamedTuple):
    """What is known of a tensor while it is traced; a size that is a symbol is None."""

    dtype: Any
    device: Any
    shape: tuple[int | None, ...]

    @property
    def ndim(self) -> int:
        return len(self.shape)


def marked(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same function, in whose place Dynamo reads `followed`.

    It is a copy that no user has, since `functools.wraps` hands the mark on to what calls it.
    """
    f: Any = function
    copy = types.FunctionType(f.__code__, f.__globals__, f.__name__, f.__defaults__, f.__closure__)
    copy.__dict__.update(f.__dict__, _torchdynamo_inline=followed)
    return copy


def followed(x: Tensor, spec: Any, *route: str | None, **tensors: Tensor) -> Any:
    """`pool`, `pool_through` and `pool_direct` as Dynamo reads them."""
    from poolkit_torch.adapter import sizes

    given = {name: t for name, t in tensors.items() if t is not None}
    try:
        known = {name: (t.__class__, t.layout, t.dtype, t.device, sizes(t)) for name, t in {"": x, **given}.items()}
    except AttributeError:  # one is no tensor of PyTorch's
        known = {}
    name = poolkit_program(spec.__class__, getattr(spec, "_text", None), route, known)
    if name is not None:
        return getattr(NAMED, name)(x, **given)
    return pool_direct(x, spec, *route, **tensors)


def poolkit_program(cls: type, text: str | None, route: tuple[str | None, ...], known: Mapping[str, Any]) -> str | None:
    """The name of the program for what is known of tensors; None where there is none, as for what is wrong."""
    from poolkit_torch.adapter import PLAIN

    plain = [kind in PLAIN and str(layout) == "torch.strided" for kind, layout, *_ in known.values()]
    if text is None or not issubclass(cls, Operation) or not plain or not all(plain):
        return None
    told = {name: Told(dtype, device, tuple(shape)) for name, (*_, dtype, device, shape) in known.items()}
    try:
        return _name(cls.parse(text), None if len(route) == 0 else route[0], told.pop(""), told)
    except PoolkitError:
        return None


# The mark of `torch.compiler.assume_constant_result`, which itself would import all of Dynamo.
setattr(poolkit_program, "_dynamo_marked_constant", True)  # noqa: B010  # to a type checker it has no such attribute


def _name(spec: Any, route: str | None, x: Told, given: Mapping[str, Told]) -> str | None:
    from poolkit_torch.adapter import ADAPTER

    tensors = taken(spec, given)
    if len(tensors) < len(given) or (route == FIXED and None in x.shape):
        return None
    further = tuple([facts_of(ADAPTER, name, t, x.ndim) for name, t in tensors.items()])
    facts = spec, ADAPTER.dtype(x), x.shape, further, situation_of(ADAPTER, x, tensors), route
    if facts not in NAMES:
        name = f"pool_{next(_NUMBERS)}"
        setattr(NAMED, name, recorded_of(ADAPTER, *facts).function)
        oldest = keep(NAMES, facts, name, MOST)
        if oldest is not None:
            delattr(NAMED, oldest)
    return NAMES[facts]


dispatch.direct = marked(pool_direct)
