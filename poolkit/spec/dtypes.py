"""The dtypes that are pooled, by their names, and the one in which each is computed."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from poolkit.errors import DtypeError
from poolkit.spec.kinds import KINDS

if TYPE_CHECKING:
    from poolkit.spec.operation import Operation

FLOATS = ("float16", "bfloat16", "float32", "float64")
HALVES = ("float16", "bfloat16")
INTEGERS = ("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
BYTES: dict[str, int] = dict(zip((*FLOATS, *INTEGERS), (2, 2, 4, 8, 1, 1, 2, 4, 8, 1, 2, 4, 8), strict=True))


def work_dtype(kind: str, dtype: str, widen: Callable[[str], str | None]) -> str:
    """The dtype in which a kind is computed on an input of this dtype; `widen` names a wider integer, or None."""
    selects = KINDS[kind].selects
    if dtype in FLOATS:
        return "float32" if dtype in HALVES and not selects else dtype
    if dtype not in INTEGERS:
        raise DtypeError(
            f"received an input of dtype {dtype}, and {kind} pooling takes real numbers "
            f"({', '.join(FLOATS + INTEGERS)}); pool the real and imaginary parts, or cast the input"
        )
    if not selects:
        return "float32"
    wide = widen(dtype)
    if wide is None:
        raise DtypeError(
            f"received an input of dtype {dtype}, which this framework can neither compare nor hold in a wider "
            f"integer, as {kind} pooling needs; cast the input to int64 or a float first"
        )
    return wide


def result_dtype(spec: Operation, dtype: str) -> str:
    """The dtype of the values: a float keeps its own, so does a selection; arithmetic on integers gives float32."""
    return dtype if dtype in FLOATS or spec.selects else "float32"


def bounds(dtype: str) -> tuple[float, float]:
    """The smallest and the largest number of a dtype, infinities included."""
    return (-math.inf, math.inf) if "float" in dtype else (lowest(dtype), highest(dtype))


def lowest(dtype: str) -> int:
    return 0 if dtype[0] in "bu" else -(1 << (_bits(dtype) - 1))


def highest(dtype: str) -> int:
    signed = dtype[0] == "i"
    return (1 << (_bits(dtype) - signed)) - 1


def _bits(dtype: str) -> int:
    return 1 if dtype == "bool" else int(dtype.removeprefix("u").removeprefix("int"))
