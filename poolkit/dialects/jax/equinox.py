"""Equinox's words for pooling: modules for one input, channels first and without a batch. Imports no Equinox."""

from __future__ import annotations

from functools import partial
from math import prod
from typing import Any

from poolkit.dialects.calls import Call, known, listed
from poolkit.dialects.dialect import SEVERAL, AtSomeSizes, Fields, Word, need_value
from poolkit.dialects.jax.folds import kind_of
from poolkit.errors import NotExactError
from poolkit.lowering.geometry import SPATIAL

NN = "equinox.nn"


def _pool(kind: str, n: int, kernel_size: Any, stride: Any = 1, padding: Any = 0, use_ceil: Any = False) -> Fields:
    need_value("use_ceil", use_ceil)
    for name, value in (("kernel_size", kernel_size), ("stride", stride), ("padding", padding)):
        if known(value):
            need_value(name, value, int, *SEVERAL)
    fields: Fields = {
        "kind": kind,
        "window": listed(kernel_size),
        "stride": listed(stride),
        "padding": listed(padding),
        "layout": f"C{SPATIAL[n]}",
    }
    if use_ceil:
        _check_ceil(n, kernel_size, stride, padding)
        fields["ceil_mode"] = True
    if kind == "avg" and use_ceil:
        fields["divisor_override"] = prod(_each(kernel_size, n))
    elif kind == "avg" and not (known(padding) and all(p in (0, (0, 0), [0, 0]) for p in _each(padding, 1))):
        fields["count_include_pad"] = True
    return fields


def _check_ceil(n: int, kernel_size: Any, stride: Any, padding: Any) -> None:
    """Equinox pads by a stride more where the windows do not fit, and refuses more than a window of padding."""
    if not known(kernel_size, stride, padding):
        raise NotExactError(
            "use_ceil pads by a whole stride, and whether that is ceil mode depends on the numbers; write them"
        )
    highs = (p[1] if isinstance(p, tuple | list) else p for p in _each(padding, n))
    for k, s, high in zip(_each(kernel_size, n), _each(stride, n), highs, strict=True):
        if s > 1 and high + s > k:
            raise NotExactError(
                f"use_ceil pads by {s} more where the windows do not fit, and Equinox raises an error at every such "
                f"size, for {high} + {s} is more than the window {k}; leave use_ceil out"
            )


def _each(value: Any, n: int) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, tuple | list) else (value,) * n


def _general(
    init: Any,
    operation: Any,
    num_spatial_dims: Any,
    kernel_size: Any,
    stride: Any = 1,
    padding: Any = 0,
    use_ceil: Any = False,
) -> Fields:
    _check_count(num_spatial_dims)
    return _pool(kind_of(operation, init), num_spatial_dims, kernel_size, stride, padding, use_ceil)


def _check_count(num_spatial_dims: Any) -> None:
    need_value("num_spatial_dims", num_spatial_dims, int)
    if num_spatial_dims not in SPATIAL:
        raise NotExactError(f"num_spatial_dims={num_spatial_dims}, and poolkit reads one to three; write the spec")


def _adaptive(kind: str, n: int, target_shape: Any) -> Fields:
    """Whole axes; bins other than those are a spec's where they are all of one length."""
    need_value("target_shape", target_shape, int, *SEVERAL)
    sizes = _each(target_shape, n)
    if len(sizes) != n:
        raise NotExactError(f"target_shape={target_shape} has to have {n} sizes, or be one integer; mend the call")
    fields: Fields = {"kind": kind, "output_size": sizes, "layout": f"C{SPATIAL[n]}"}
    if any(size != 1 for size in sizes):
        raise AtSomeSizes(BINS, fields)
    return fields


BINS = (
    "its bins are those of a spec where each divides its axis evenly; elsewhere Equinox makes the first n mod o of o "
    "bins one longer, and 0, 1, 2, 3, 4 in 3 bins have the means [0.5, 2.5, 4] there and [0.5, 2, 3.5] here; use "
    "maps of such sizes, or a target_shape of 1"
)


OPERATIONS = {"mean": "avg", "max": "max", "amax": "max", "min": "min", "amin": "min", "sum": "sum"}


def _general_adaptive(target_shape: Any, num_spatial_dims: Any, operation: Any) -> Fields:
    _check_count(num_spatial_dims)
    last = getattr(operation, "dotted", getattr(operation, "__name__", "")).rsplit(".", 1)[-1]
    if last not in OPERATIONS:
        raise NotExactError(f"the operation {operation} is none of mean, max, min and sum of jax.numpy; write the spec")
    return _adaptive(OPERATIONS[last], num_spatial_dims, target_shape)


EQUINOX = (
    *(
        Word(f"{NN}.{family}{name}Pool{n}d", partial(fields, kind, n))
        for family, fields in (("", _pool), ("Adaptive", _adaptive))
        for name, kind in (("Max", "max"), ("Avg", "avg"))
        for n in (1, 2, 3)
    ),
    Word(f"{NN}.Pool", _general),
    Word(f"{NN}.AdaptivePool", _general_adaptive),
)

ATTRIBUTES = {
    "Pool": ("init", "operation", "num_spatial_dims", "kernel_size", "stride", "padding", "use_ceil"),
    "AdaptivePool": ("target_shape", "operation"),
    "Adaptive": ("target_shape",),
    "": ("kernel_size", "stride", "padding", "use_ceil"),
}


def equinox_call(obj: Any) -> Call | None:
    """A module as the call that makes it."""
    cls = type(obj)
    if cls.__module__ != "equinox.nn._pool":
        return None
    family = cls.__name__ if cls.__name__ in ATTRIBUTES else "Adaptive" if "Adaptive" in cls.__name__ else ""
    values = {name: getattr(obj, name) for name in ATTRIBUTES[family]}
    if family == "AdaptivePool":
        values["num_spatial_dims"] = len(obj.target_shape)
    return Call(f"{NN}.{cls.__name__}", (), tuple(values.items()))
