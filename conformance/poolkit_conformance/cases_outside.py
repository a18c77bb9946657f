"""The cases of every kind that was registered from outside: windows, bins, whole maps, options, dtypes.

Those that the kind refuses, as one of windows alone does bins, are left out.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from poolkit import PoolSpec, SpecError
from poolkit.spec.kinds import KINDS
from poolkit_conformance import outside
from poolkit_conformance.case import Case

_MAP = (2, 3, 9, 10)
_SPECS: dict[str, tuple[tuple[int, ...], dict[str, Any]]] = {
    "k2": (_MAP, {"window": 2}),
    "k3_s2_same": (_MAP, {"window": 3, "stride": 2, "padding": "same"}),
    "k3_s2_asymmetric": (_MAP, {"window": 3, "stride": 2, "padding": ((0, 1), (2, 0))}),
    "k3x2_dilated2x3": (_MAP, {"window": (3, 2), "stride": 1, "dilation": (2, 3)}),
    "k3_s2_ceil": (_MAP, {"window": 3, "stride": 2, "ceil_mode": True}),
    "k5_s1_same": (_MAP, {"window": 5, "stride": 1, "padding": "same"}),
    "adaptive_9x10_to_4x3": (_MAP, {"output_size": (4, 3)}),
    "global": (_MAP, {"output_size": 1, "keepdims": False}),
    "1d_k4_s3": ((2, 11, 3), {"layout": "NLC", "window": 4, "stride": 3}),
    "k1": ((1, 2, 4), {"layout": "NCL", "window": 1}),
}
_MASK = (("mask", "cells"),)
_DTYPES = ("float16", "float64", "int32")
_FEW = ("k3_s2_same", "global")
# What a fold has to leave out where a mask or a bin of unknown size says so, 0 among it, is seen where all cells are
# above it, or all below. Derivatives are differences, so cells are further apart than their steps.
_DATA = ("spaced above 0", "spaced below 0", "spaced nan")
_ALL = ("k3_s2_same", "adaptive_9x10_to_4x3", "global")


def outside_cases() -> list[Case]:
    """Those of all kinds from outside that have a definition."""
    return [case for kind in outside.kinds() for case in _cases(kind)]


def _cases(kind: str) -> Iterator[Case]:
    def case(
        name: str, shape: tuple[int, ...], fields: dict[str, Any], dtype: str = "float32", data: str = "spaced"
    ) -> Case:
        asked: dict[str, Any] = {"layout": "NCHW"} | fields
        return Case(f"{kind}_{name}", PoolSpec(kind, **asked), shape, dtype, data, few=name in _FEW)

    for name, (shape, fields) in _SPECS.items():
        if not _takes(kind, fields):
            continue
        yield case(name, shape, fields)
        yield dataclasses.replace(case(f"mask_{name}", shape, fields), tensors=_MASK)
        for data in _DATA if name in _ALL else ():
            label = f"mask_{data.replace(' ', '_')}_{name}"
            yield dataclasses.replace(case(label, shape, fields, data=data), tensors=_MASK)
    shape, fields = _SPECS["k3_s2_same"]
    if not _takes(kind, fields):
        return
    for dtype in _DTYPES:
        yield case(f"{dtype}_k3_s2_same", shape, fields, dtype)
    for option, row in KINDS[kind].options.items():
        for value in row.examples:
            yield case(f"{option}_{value}_k3_s2_same", shape, {**fields, option: value})


def _takes(kind: str, fields: dict[str, Any]) -> bool:
    asked: dict[str, Any] = {"layout": "NCHW"} | fields
    try:
        PoolSpec(kind, **asked)
    except SpecError:
        return False
    return True
