"""Operations that a function makes of its arguments, each once: to make one takes 50 to 150 microseconds.

While a framework traces nothing is kept: a tracer would take what is written to a dict for the program's own.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

from poolkit.running import registry
from poolkit.spec.pool_spec import PoolSpec

MOST = 1024

_MADE: dict[Hashable, Any] = {}


def made(x: Any, kind: Callable[..., Any], *fields: Any) -> Any:
    """`kind(*fields)`, for a pool of `x`."""
    if not all(map(_simple, fields)) or registry.met(x).key(x, None) is None:
        return kind(*fields)
    key = kind, fields, tuple(map(type, fields))  # for 1, 1.0 and True are one key, and not one argument
    found = _MADE.get(key)
    if found is None:
        found = kind(*fields)
        if len(_MADE) >= MOST:
            _MADE.pop(next(iter(_MADE)), None)
        _MADE[key] = found
    return found


def _simple(field: Any) -> bool:
    if field.__class__ is tuple:
        return all(type(n) is int for n in field)
    return field is None or type(field) in (int, float, str, PoolSpec)
