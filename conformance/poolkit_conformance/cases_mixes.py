"""Cases of mixes: added and side by side, over windows and whole maps, with tensors besides the input."""

from __future__ import annotations

from typing import Any

from poolkit import Mix, PoolSpec
from poolkit_conformance.case import Case

_MAP, _LAST = (2, 3, 7, 8), (2, 7, 8, 3)
_SAME: dict[str, Any] = {"window": 3, "stride": 2, "padding": "same", "layout": "NCHW"}
_WHOLE: dict[str, Any] = {"output_size": 1, "layout": "NHWC", "keepdims": False}
_MASK = (("mask", "cells"),)
_BOTH = (("mask", "cells"), ("weight", "cells"))


def _mix(kinds: str, how: str, fields: dict[str, Any], coefficients: Any = None) -> Mix:
    return Mix([PoolSpec(kind, **fields) for kind in kinds.split()], how=how, coefficients=coefficients)


ADDED, SIDES = _mix("avg max", "add", _SAME), _mix("avg max", "cat", _WHOLE)
WEIGHTED = _mix("avg max softmax", "add", _SAME, (0.25, -2.0, 0.5))
HEADS = _mix("max avg", "add", _WHOLE)
SELECTED = _mix("max min", "cat", _SAME)

MIXES = [
    Case("mix_add_k3_s2_same", ADDED, _MAP, few=True),
    Case("mix_cat_global", SIDES, _LAST, few=True),
    Case("mix_weighted_k3_s2_same", WEIGHTED, _MAP),
    Case("mix_of_selections_is_exact", SELECTED, _MAP, data="ties"),
    Case("mix_of_selections_of_integers", SELECTED, _MAP, "int8"),
    *(Case(f"mix_add_{dtype}", ADDED, _MAP, dtype) for dtype in ("float16", "bfloat16", "float64", "int32")),
    *(Case(f"mix_cat_{dtype}", SIDES, _LAST, dtype) for dtype in ("float16", "int32")),
    Case("mix_add_mask_k3_s2_same", ADDED, _MAP, few=True, tensors=_MASK),
    Case("mix_cat_mask_global", SIDES, _LAST, tensors=_MASK),
    Case("mix_weighted_mask_k3_s2_same", WEIGHTED, _MAP, tensors=_MASK),
    Case("mix_gives_a_weight_to_the_parts_that_take_it", ADDED, _MAP, tensors=_BOTH),
    *(
        Case(f"mix_by_coefficients_of_{form}", ADDED, _MAP, tensors=(("coefficients", form),), few=form == "channels")
        for form in ("parts", "channels", "regions", "every")
    ),
    Case("mix_by_coefficients_of_heads", HEADS, _LAST, tensors=(("coefficients", "channels"),)),
    Case("mix_by_coefficients_and_mask", ADDED, _MAP, tensors=(*_MASK, ("coefficients", "regions"))),
    *(
        Case(f"mix_by_coefficients_{dtype}", ADDED, _MAP, dtype, tensors=(("coefficients", "channels"),))
        for dtype in ("float16", "float64", "int32")
    ),
    Case("mix_by_coefficients_in_float32", ADDED, _MAP, "float64", tensors=(("coefficients", "regions float32"),)),
    Case(
        "refuses_a_mix_of_parts_that_differ_in_size",
        Mix([PoolSpec("avg", window=2, layout="NCL"), PoolSpec("max", window=3, layout="NCL")], how="add"),
        (1, 1, 9),
        error="ShapeError",
    ),
]
