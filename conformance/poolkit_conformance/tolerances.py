"""How close is close enough: one table, by what is compared, kind and dtype.

A tolerance is `factor` times a magnitude that the oracle gives for every number: the mean or sum of the absolute values
that went into it, or the largest of the window. It depends on how many numbers there are only where a small window may
be added up in a row (`in_a_row`). `rounds` is the eps of a half type that the result is rounded to once, after float32.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from poolkit_conformance.case import EPS, Array

PLACES = ("first", "last")
SELECTIONS = ("max", "min", "median", "fractional_max", *PLACES)
SUMS = ("avg", "sum", "mean_sqrt", "blur")  # every other kind is analytic
F32, F64 = EPS["float32"], EPS["float64"]
F16, BF16 = EPS["float16"], EPS["bfloat16"]


class Tolerance(NamedTuple):
    """Error allowed: `factor * magnitude`, and half a unit in the last place of a type with eps `rounds`."""

    factor: float
    rounds: float = 0.0


# docs/semantics.md (3, 6, 11). Rows: what is compared; columns: the dtype of the result.
TABLE: dict[str, dict[str, Tolerance]] = {
    "selection": dict.fromkeys(EPS, Tolerance(0)),
    "relu": {"float64": Tolerance(8 * F64), "float32": Tolerance(8 * F32)},  # of the map's largest cell
    "sum": {
        "float64": Tolerance(4 * F64),
        "float32": Tolerance(4 * F32),
        "float16": Tolerance(4 * F32, F16),
        "bfloat16": Tolerance(4 * F32, BF16),
    },
    "analytic": {
        "float64": Tolerance(1e-12),
        "float32": Tolerance(1e-6),
        "float16": Tolerance(1e-6, F16),
        "bfloat16": Tolerance(1e-6, BF16),
    },
    "derivative": {
        "float64": Tolerance(4 * F64),
        "float32": Tolerance(4 * F32),
        "float16": Tolerance(8 * F16),
        "bfloat16": Tolerance(8 * BF16),
    },
    "analytic derivative": {
        "float64": Tolerance(1e-12),
        "float32": Tolerance(1e-6),
        "float16": Tolerance(8 * F16),
        "bfloat16": Tolerance(8 * BF16),
    },
}


def in_a_row(cells: int) -> float:
    """How many times the error of a sum may be that of the table: n/4 eps in place of 4, for up to 128 cells."""
    return max(cells / 16, 1.0) if cells <= 128 else 1.0


def row(kind: str, derivative: bool) -> str:
    """The row of the table for a kind, its values or its derivatives."""
    if derivative:
        return "derivative" if kind in SELECTIONS + SUMS else "analytic derivative"
    if kind in SELECTIONS or kind == "relu":
        return "relu" if kind == "relu" else "selection"
    return "sum" if kind in SUMS else "analytic"


def kind_of(spec: Any) -> str:
    """The kind whose row is that of an operation: of several parts that of the least exact one."""
    if spec.parameters:
        return "learned"
    kinds: list[str] = [part.kind for part in spec.poolings()] or [getattr(spec, "kind", "max")]
    if len(kinds) == 1 or spec.selects:
        return kinds[0]
    return next((kind for kind in kinds if kind not in SELECTIONS + SUMS), "sum")


def allowed(kind: str, dtype: str, values: Array, magnitude: Array, derivative: bool = False) -> Array:
    """The largest error of every number; a selection of integers has no row, for it is exact too."""
    tolerance = TABLE[row(kind, derivative)].get(dtype, Tolerance(0))
    error = tolerance.factor * magnitude
    # Half an ulp is at most eps/2 of the number, and next to zero half of the smallest subnormal.
    if tolerance.rounds:
        error = error + tolerance.rounds / 2 * (np.abs(values) + error)
    return error + SMALLEST.get(dtype, 0.0) / 2 if tolerance.factor else error


# The smallest positive number of a type; what is smaller is rounded to it or to zero.
SMALLEST = {"float16": 2.0**-24, "bfloat16": 2.0**-133}

# Beyond this a number rounds to infinity.
LARGEST = {"float16": 65520.0, "bfloat16": float.fromhex("0x1.ffp127"), "float32": float.fromhex("0x1.ffffffp127")}
