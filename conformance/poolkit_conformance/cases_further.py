"""Cases with tensors besides the input: masks and weights over windows, bins and whole maps, and what is drawn."""

from __future__ import annotations

from typing import Any

from poolkit_conformance.case import Case, case
from poolkit_conformance.cases_fractional import CASES as DRAWN
from poolkit_conformance.cases_strips import CASES as STRIPS

_MAP = (2, 3, 7, 8)
_TOKENS = (2, 7, 3)
_SPECS = {
    "tokens": (_TOKENS, "layout=NLC output_size=1 keepdims=false"),
    "k3_s2_same": (_MAP, "window=3 stride=2 padding=same"),
    "k3x2_dilated2x3": (_MAP, "window=3,2 stride=1 dilation=2,3"),
    "k5_s1_same": (_MAP, "window=5 stride=1 padding=same"),
    "k3_s2_ceil": (_MAP, "window=3 stride=2 ceil_mode=true"),
    "k2_nhwc": ((2, 7, 8, 3), "window=2 layout=NHWC"),
    "1d_causal": (_TOKENS, "layout=NLC window=4 stride=1 padding=causal"),
    "adaptive_7x8_to_4x3": (_MAP, "output_size=4,3"),
    "keeps_an_axis": (_MAP, "output_size=none,2"),
}
_MASK = (("mask", "cells"),)
_WEIGHT = (("weight", "cells"),)
_BOTH = (("mask", "cells"), ("weight", "full"))


def _case(name: str, kind: str, spec: str, tensors: Any, more: str = "", **kept: Any) -> Case:
    shape, fields = _SPECS[spec]
    return case(f"{kind}_{name}", f"{kind} {fields} {more}", shape, tensors=tensors, **kept)


def _forms(kind: str, name: str) -> list[Case]:
    forms = ("one", "full", "cells float32", "one int8", "cells nothing", "cells everything", "full uint8")
    return [_case(f"{name}_{form.replace(' ', '_')}_k3_s2_same", kind, "k3_s2_same", ((name, form),)) for form in forms]


_KINDS = ("avg", "sum", "max", "min", "softmax")
_ADDS = ("avg", "sum")
MASKS = [
    *(
        _case(f"mask_{spec}", kind, spec, _MASK, few=(kind, spec) in {("avg", "tokens"), ("sum", "k3_s2_same")})
        for kind in ("avg", "sum", "min")
        for spec in _SPECS
    ),
    *(
        _case(f"mask_{spec}", kind, spec, _MASK, few=spec == "k3_s2_same")
        for kind in ("max", "softmax")
        for spec in _SPECS
    ),
    *(case for kind in ("avg", "max", "softmax") for case in _forms(kind, "mask")),
    *(_case(f"mask_ties_{spec}", "max", spec, _MASK, data="ties") for spec in ("tokens", "k3_s2_same")),
    *(_case("mask_nan_k3_s2_same", kind, "k3_s2_same", _MASK, data="nan") for kind in ("max", "avg")),
    *(_case("mask_inf_k3_s2_same", kind, "k3_s2_same", _MASK, data="mostly -inf") for kind in ("max", "min")),
    *(
        _case(f"mask_and_indices_{spec}", kind, spec, _MASK, "indices=true", few=(kind, spec) == ("max", "k3_s2_same"))
        for kind in ("max", "min")
        for spec in _SPECS
    ),
    *(
        _case(f"mask_and_indices_{data.replace(' ', '_')}", "max", "k3_s2_same", _MASK, "indices=true", data=data)
        for data in ("nan", "ties", "mostly -inf")
    ),
    *(
        _case(f"mask_and_indices_{dtype}", "max", "k3_s2_same", _MASK, "indices=true", dtype=dtype)
        for dtype in ("float16", "bool", "int32", "uint8")
    ),
    _case("mask_divisor_override", "avg", "k2_nhwc", _MASK, "divisor_override=3"),
    _case("mask_semi", "softmax", "k3_s2_same", _MASK, "grad=semi beta=-2.0"),
]
WEIGHTS = [
    *(
        _case(f"weight_{spec}", kind, spec, _WEIGHT, few=(kind, spec) == ("avg", "k3_s2_same"))
        for kind in _ADDS
        for spec in _SPECS
    ),
    *(
        _case(f"mask_and_weight_{spec}", kind, spec, _BOTH, few=(kind, spec) == ("avg", "adaptive_7x8_to_4x3"))
        for kind in _ADDS
        for spec in _SPECS
    ),
    *(
        _case(f"weight_{form.replace(' ', '_')}_tokens", "avg", "tokens", (("weight", form),))
        for form in ("one", "full", "cells zeros")
    ),
    _case("weight_divisor_override", "avg", "k2_nhwc", _WEIGHT, "divisor_override=-2"),
]
DTYPES = [
    *(
        _case(f"mask_{dtype}_tokens", kind, "tokens", _MASK, dtype=dtype)
        for kind in _KINDS
        for dtype in ("float16", "bfloat16", "float64", "int32", "uint8")
    ),
    *(_case(f"mask_{dtype}_k3_s2_same", "max", "k3_s2_same", _MASK, dtype=dtype) for dtype in ("int8", "bool")),
    *(
        _case(f"weight_{dtype}_k3_s2_same", "avg", "k3_s2_same", _WEIGHT, dtype=dtype)
        for dtype in ("float16", "bfloat16", "float64", "int32")
    ),
    _case("weight_as_float16_tokens", "avg", "tokens", (("weight", "cells float16"),)),
]


def _in_layout(layout: str, shape: tuple[int, ...], axes: str = "") -> list[Case]:
    name = "_".join([layout.replace("...", "any_"), *([axes] if axes else []), f"rank{len(shape)}"])
    window = f"window=3 stride=2 padding=same layout={layout}" + (f" axes={axes}" if axes else "")
    return [
        case(f"avg_mask_{name}", f"avg {window}", shape, tensors=_MASK),
        case(f"max_mask_{name}", f"max {window}", shape, tensors=(("mask", "one"),)),
    ]


LAYOUTS = [
    *_in_layout("CHW", (3, 7, 8)),
    *_in_layout("HWC", (7, 8, 3)),
    *_in_layout("HW", (7, 8)),
    *_in_layout("NTHWC", (2, 4, 7, 8, 3), axes="HW"),
    *_in_layout("...LC", (2, 4, 7, 3)),
    *_in_layout("...HWC", (7, 8, 3)),
    *_in_layout("channels_first", (2, 3, 7)),
    *_in_layout("channels_last", (2, 7, 8, 3)),
]
EMPTY = [
    case("avg_mask_empty_batch", "avg output_size=1 layout=NLC", (0, 7, 3), tensors=_MASK),
    case("max_mask_empty_batch", "max output_size=1 layout=NLC", (0, 7, 3), tensors=_MASK),
    case(
        "avg_mask_no_channels", "avg output_size=1 layout=NLC", (2, 7, 0), tensors=_MASK
    ),  # PyTorch's own maxima of unknown sizes refuse it
    case("refuses_a_mask_of_nothing", "avg output_size=1 layout=NLC", (2, 0, 3), error="ShapeError", tensors=_MASK),
]

FURTHER: list[Case] = [*MASKS, *WEIGHTS, *DTYPES, *LAYOUTS, *EMPTY, *DRAWN, *STRIPS]
