"""How ONNX writes windows: lists of one number for each spatial axis, and of pads for both ends."""

from __future__ import annotations

from typing import Any

from poolkit.dialects.calls import listed
from poolkit.dialects.dialect import SEVERAL, Fields, need_value
from poolkit.errors import NotExactError

LAYOUTS = {1: "NCL", 2: "NCHW", 3: "NCDHW"}

PADDINGS = {"NOTSET": None, "VALID": "valid", "SAME_UPPER": "same", "SAME_LOWER": "same_lower"}


def window(kind: str, kernel_shape: Any, strides: Any, pads: Any, auto_pad: Any, ceil_mode: Any) -> Fields:
    need_value("kernel_shape", kernel_shape, *SEVERAL)
    need_value("auto_pad", auto_pad, str)
    need_value("ceil_mode", ceil_mode)
    if pads is not None:
        need_value("pads", pads, *SEVERAL)
    n = len(kernel_shape)
    if n not in LAYOUTS:
        raise NotExactError(
            f"kernel_shape={kernel_shape} has {n} spatial axes, and poolkit reads nodes with one to three"
        )
    padding = padding_of(n, pads, auto_pad)
    return {
        "kind": kind,
        "window": tuple(kernel_shape),
        "stride": 1 if strides is None else listed(strides),
        "padding": padding,
        "ceil_mode": bool(ceil_mode) and auto_pad == "NOTSET",  # with another auto_pad it changes no size
        "layout": LAYOUTS[n],
    }


def padding_of(n: int, pads: Any, auto_pad: Any) -> Any:
    if auto_pad not in PADDINGS:
        raise NotExactError(f"auto_pad={auto_pad!r} is none of ONNX's; write {', '.join(PADDINGS)}")
    if PADDINGS[auto_pad] is not None:
        return PADDINGS[auto_pad]
    if pads is None:
        return "valid"
    if len(pads) != 2 * n:
        raise NotExactError(f"pads={pads} has {len(pads)} numbers, and {n} spatial axes have {2 * n}; mend the node")
    for pad in pads:
        need_value("pads", pad, int)
    if min(pads) < 0:
        raise NotExactError(f"pads={pads} cuts the input with negative numbers, which no spec does; slice it first")
    return tuple(zip(pads[:n], pads[n:], strict=True))


def dilation_of(dilations: Any) -> Any:
    return 1 if dilations is None else listed(dilations)
