"""Cases and literals of s3: lines drawn by samples, by a key, or averages."""

from __future__ import annotations

import dataclasses
from typing import Any

from poolkit_conformance.case import Case, case
from poolkit_conformance.literal import ONE_TO_5, block, row

_MAP = (2, 3, 8, 8)
_SPECS = {
    "k2_g4": (_MAP, "window=2 grid=4"),
    "k3_s2_g4_same": ((2, 3, 9, 11), "window=3 stride=2 grid=4 padding=same"),
    "k2x3_g4x6_nhwc": ((2, 9, 13, 3), "window=2,3 grid=4,6 layout=NHWC"),
    "one_strip": ((2, 8, 3), "window=2 grid=8 layout=NLC"),
    "strips_of_the_stride": (_MAP, "window=3 stride=2 padding=same"),
    "k3_s3_low": ((2, 3, 10, 11), "window=3 padding=2:0,1:1"),
    "stride_1": ((2, 3, 9), "window=2 stride=1 grid=4 layout=NCL"),
    "dilated": ((2, 3, 12, 9), "window=2 stride=2 grid=4 dilation=2,1"),
    "causal": ((2, 3, 9), "window=3 stride=3 padding=causal layout=NCL"),
    "3d": ((1, 2, 4, 5, 6), "window=2 grid=2,4,2 layout=NCDHW"),
    "rows_of_a_video": ((2, 4, 8, 9, 3), "window=2 grid=4 layout=NTHWC axes=HW"),
    "without_batch": ((8, 9), "window=2 grid=2 layout=HW"),
    "channels_last": ((2, 8, 6, 3), "window=2 grid=4,2 layout=channels_last"),
    "leading_axes": ((2, 1, 8, 3), "window=2 grid=4 layout=...LC"),
    "empty_batch": ((0, 3, 8, 8), "window=2 grid=4"),
}
_REFUSED = {
    "a_map_smaller_than_a_strip": (3, "window=1 stride=2 grid=4"),
    "a_last_strip_without_windows": (8, "window=4 stride=2"),
    "averages_of_nothing": (8, "window=4 stride=2 grid=8"),
}
_BY = {"by_samples": (("samples", "lines"),), "by_key": (("key", "key"),), "averages": ()}
# Exported without sizes a case has samples as long as an axis of its input, as maxima with a padding are.
_FEW = {"k2_g4": ("averages",), "k3_s2_g4_same": ("by_samples", "averages")}


def _case(name: str, spec: str, indices: bool = False, **kept: Any) -> Case:
    shape, fields = _SPECS[spec]
    return case(f"s3_{name}_{spec}", f"s3 {fields} indices={indices}", shape, **kept)


CASES: list[Case] = [
    *(
        _case(by, spec, tensors=_BY[by], indices=by != "averages" and i % 2 == 0, few=by in _FEW.get(spec, ()))
        for i, spec in enumerate(_SPECS)
        for by in _BY
    ),
    *(
        _case(
            f"mask_{by}",
            "k2_g4",
            tensors=(("mask", "cells"), *_BY[by]),
            indices=by != "averages",
            few=by != "by_samples",
        )
        for by in _BY
    ),
    *(
        _case(f"mask_{by}", "k3_s2_g4_same", tensors=(("mask", "full int8"), *_BY[by]), few=by == "by_samples")
        for by in _BY
    ),
    _case("float16_samples", "k2_g4", tensors=(("samples", "lines float16"),)),
    *(
        _case(f"{dtype}_{by}", "k2_g4", tensors=_BY[by], dtype=dtype)
        for dtype in ("float16", "bfloat16", "float64", "uint8", "bool")
        for by in ("by_key", "averages")
    ),
    *(
        _case(f"{data.replace(' ', '_')}_{by}", "k2x3_g4x6_nhwc", tensors=_BY[by], data=data, indices=by != "averages")
        for data in ("ties", "nan", "inf", "all -inf")
        for by in ("by_samples", "averages")
    ),
    *(
        case(f"s3_refuses_{name}", f"s3 layout=NCL {fields}", (1, 1, n), error="ShapeError")
        for name, (n, fields) in _REFUSED.items()
    ),
]

_ONE_TO_16 = tuple(tuple(range(first, first + 4)) for first in (0, 4, 8, 12))


def _drawn(case: Case, *lines: tuple[float, ...]) -> Case:
    return dataclasses.replace(case, tensors=(("samples", tuple(lines)),))


LITERALS: list[Case] = [
    block(
        "s3_averages_as_published",
        "s3 window=2 grid=4 layout=NCHW",
        ((_ONE_TO_16,),),
        ((((5, 6.5), (11, 12.5)),),),
        "maxima 5 6 7, 9 10 11, 13 14 15, and averages of 2 with a padding of 1 that does not count",
        few=True,
    ),
    _drawn(
        block(
            "s3_draws_rows_and_columns",
            "s3 window=2 grid=4 layout=NCHW",
            ((_ONE_TO_16,),),
            ((((6, 7), (14, 15)),),),
            "rows 0 and 2, columns 1 and 2 of the maxima",
            indices=((((6, 7), (14, 15)),),),
            few=True,
        ),
        (0.2, 0.9),
        (0.5, 0.1),
        (0.1, 0.3),
    ),
    _drawn(
        row(
            "s3_last_strip_has_what_remains",
            "s3 window=2",
            ONE_TO_5,
            (2, 5),
            "of 2, 3 the first, of 4, 5 the second",
            indices=(1, 4),
            gradient=(0, 1, 0, 0, 1),
        ),
        (0.4,),
        (0.5,),
        (0.7,),
        (0.6,),
    ),
    _drawn(
        row("s3_equal_numbers_in_order", "s3 window=1 stride=1 grid=4", ONE_TO_5, (1, 2, 3, 4)),
        *((0.0,),) * 5,
    ),
]
