"""What public functions are given besides specs: shapes, dtypes, routes, options; each has one door."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sized
from typing import Any, TypeGuard, cast

from poolkit.errors import InputError, ShapeError
from poolkit.spec.messages import shown
from poolkit.spec.values import is_integer, plain

MOST_SIZES, LARGEST_SIZE = 64, 2**63 - 1  # those of NumPy, which has the most


def as_shape(shape: object, *, unknown: bool = False) -> tuple[Any, ...]:
    """A shape as a tuple of ints; with `unknown` a size may be None. `ShapeError` for anything else.

    >>> as_shape([1, 3, None], unknown=True)
    (1, 3, None)
    """
    if _holds_sizes(shape):
        try:
            sizes = tuple([plain(n) for n in shape]) if len(shape) <= MOST_SIZES else ()
        except Exception as error:  # a TensorShape of unknown rank, or somebody else's class
            raise _no_shape(shape) from error
        if len(sizes) == len(shape) and all(n is None if unknown and n is None else _is_size(n) for n in sizes):
            return tuple([n if n is None or type(n) is int else int(n) for n in sizes])
    raise _no_shape(shape)


def _holds_sizes(shape: object) -> TypeGuard[Collection[object]]:
    several = isinstance(shape, Iterable) and isinstance(shape, Sized)
    return several and not isinstance(shape, str | bytes | Mapping | set)


def _is_size(n: object) -> bool:
    return is_integer(n) and 0 <= int(n) <= LARGEST_SIZE


def _no_shape(shape: object) -> ShapeError:
    return ShapeError(
        f"received the shape {shown(shape)}, and a shape holds ints of at least 0, {MOST_SIZES} at the most; "
        "write it as in (2, 32, 32, 256)"
    )


def as_dtype(dtype: object) -> str:
    """The name of a dtype; `InputError` for what is no text."""
    if isinstance(dtype, str):
        return str.__str__(dtype)
    raise InputError(f'received dtype={shown(dtype)}, and a dtype is given by its name; write dtype="float32"')


def as_route(route: object) -> str | None:
    """The name of a route, or None; `InputError` for anything else."""
    if route is None or isinstance(route, str):
        return route if route is None else str.__str__(route)
    raise InputError(
        f"received route={shown(route)}, and a route is given by its name; "
        'write route="native", or one of those that poolkit.routes lists, or leave it out'
    )


def as_tensors(tensors: object) -> dict[str, Any]:
    """The descriptions of tensors by their names; `InputError` for what is no mapping."""
    if tensors is None:
        return {}
    if isinstance(tensors, Mapping):
        return dict(cast("Mapping[str, Any]", tensors))
    raise InputError(
        f"received tensors={shown(tensors)}, and tensors besides the input are described in a mapping of their names "
        'to their axes; write it as in tensors={"mask": "NL"}'
    )
