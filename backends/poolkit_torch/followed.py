"""`pool` as TorchDynamo reads it: it is told the name of a program, and reads that.

Dynamo reads Python instruction by instruction, and guards each value that it met. All that stands between a spec and
its program would take it 0.6 s, and 100 values more to look at before every later call. So it calls that as a constant.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from poolkit.errors import PoolkitError
from poolkit.running import registry
from poolkit.running.dispatch import pool_direct
from poolkit.running.named import NAMED, STAND_INS, Told, name_of
from poolkit.spec.operation import Operation

Tensor = Any

PLAIN = (torch.Tensor, torch.nn.Parameter)


def sizes(x: Any) -> list[int | None]:
    """Those of a tensor that Dynamo traces, of which a symbol is None."""
    from torch.fx.experimental.symbolic_shapes import has_static_value  # takes 0.3 s to import

    return [n if n is not None and has_static_value(n) else None for n in x.shape]


def followed(x: Tensor, spec: Any, *route: str | None, **tensors: Tensor) -> Any:
    """`pool`, `pool_through` and `pool_direct` as Dynamo reads them."""
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
    plain = [kind in PLAIN and layout is torch.strided for kind, layout, *_ in known.values()]
    if text is None or not issubclass(cls, Operation) or not plain or not all(plain):
        return None
    told = {name: Told(dtype, device, tuple(shape)) for name, (*_, dtype, device, shape) in known.items()}
    adapter = registry.adapter("torch")
    try:
        return name_of(adapter, cls.parse(text), route[0] if route else None, told.pop(""), told)
    except PoolkitError:
        return None


# The mark of `torch.compiler.assume_constant_result`, which itself would import all of Dynamo.
setattr(poolkit_program, "_dynamo_marked_constant", True)  # noqa: B010  # to a type checker it has no such attribute
for stand_in in STAND_INS:
    setattr(stand_in, "_torchdynamo_inline", followed)  # noqa: B010
