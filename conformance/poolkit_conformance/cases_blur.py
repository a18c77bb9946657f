"""Cases and literals of the blur: every way to pad, windows of each width, and numbers out of the ordinary."""

from __future__ import annotations

from typing import Any

from poolkit_conformance.case import Case, case
from poolkit_conformance.literal import INF, NAN, ONE_TO_5, block, row

_MAP = (2, 3, 9, 10)
_CENTRED = "window=3 stride=2 padding=1"
_PLACES = {
    "k3_s2_p1": (_MAP, _CENTRED),
    "k1": (_MAP, "window=1"),
    "k2_same": (_MAP, "window=2 stride=1 padding=same"),
    "k3_s2_same": (_MAP, "window=3 stride=2 padding=same"),
    "k4_s2_asymmetric": (_MAP, "window=4 stride=2 padding=1:2,1:2"),
    "k5x4_s1x2_same_lower": (_MAP, "window=5,4 stride=1,2 padding=same_lower"),
    "k7x6_p3": (_MAP, "window=7,6 stride=3 padding=3"),
    "k3_s2_dilated2": (_MAP, "window=3 stride=2 dilation=2 padding=2"),
    "k3_s2_ceil": (_MAP, "window=3 stride=2 padding=1 ceil_mode=true"),
    "k2_s3_p4_behind_ceil_drops_windows": (
        _MAP,
        "window=2 stride=3 padding=1:4,0:5 ceil_mode=true",
    ),
    "causal": ((2, 11, 3), "layout=NLC window=4 stride=3 padding=causal"),
    "nhwc": ((2, 9, 10, 3), "window=3 stride=2 padding=1 layout=NHWC"),
    "3d": ((1, 2, 4, 5, 6), "layout=NCDHW window=3 padding=same stride=2"),
    "empty_batch": ((0, 3, 9, 10), _CENTRED),
}
_FEW = ("k3_s2_p1", "k4_s2_asymmetric", "nhwc")
_PADDED = [name for name, (_, window) in _PLACES.items() if "padding" in window]


def _case(name: str, place: str, more: str = "", **kept: Any) -> Case:
    shape, window = _PLACES[place]
    return case(f"blur_{name}", f"blur {window} {more}", shape, **kept)


_IDENTITY = (tuple(tuple(float(i == j) for j in range(5)) for i in range(5)),)
_BY_KORNIA = (((0.3125, 0.0625, 0), (0.0625, 0.375, 0.0625), (0, 0.0625, 0.3125)),)

BLURS: list[Case] = [
    *(_case(place, place, few=place in _FEW) for place in _PLACES),
    *(_case(f"replicate_{p}", p, "pad_mode=replicate", few=p == "k3_s2_p1") for p in _PADDED),
    *(_case(f"zeros_{p}", p, "pad_mode=zeros", few=p == "k3_s2_p1") for p in _PADDED),
    *(_case(dtype, "k3_s2_p1", dtype=dtype) for dtype in ("float16", "bfloat16", "float64", "int32", "bool")),
    *(_case(data.replace(" ", "_"), "k4_s2_asymmetric", data=data) for data in ("nan", "inf", "far apart", "large")),
]
LITERALS: list[Case] = [
    block(
        "blur_of_the_identity_in_zeros",
        "blur window=3 stride=2 padding=1 pad_mode=zeros layout=NCHW",
        (_IDENTITY,),
        (_BY_KORNIA,),
        few=True,
    ),
    row(
        "blur_mirrors",
        "blur window=3 stride=2 padding=1",
        ONE_TO_5,
        (1.5, 3, 4.5),
        few=True,
        gradient=(0.5, 0.75, 0.5, 0.75, 0.5),
    ),
    row("blur_repeats_the_edge", "blur pad_mode=replicate window=3 stride=2 padding=1", ONE_TO_5, (1.25, 3, 4.75)),
    row("blur_counts_zeros", "blur window=3 stride=2 padding=1 pad_mode=zeros", ONE_TO_5, (1, 3, 3.5)),
    row("blur_of_one_cell_is_that_cell", "blur window=1", (-3, 4), (-3, 4)),
    row("blur_of_an_even_window", "blur window=4 stride=1", (0, 0, 0, 8, 0, 0, 0), (1, 3, 3, 1)),
    row("blur_7", "blur window=7 stride=1 padding=3", (0, 0, 0, 64, 0, 0, 0), (2, 6, 15, 20, 15, 6, 2), few=True),
    row("blur_of_a_constant_is_that_constant", "blur window=5 stride=1 padding=same", (3, 3, 3), (3, 3, 3)),
    row("blur_of_infinite_cells", "blur window=2", (NAN, 1, INF, 2, -INF, INF), (NAN, INF, NAN)),
    row("blur_of_bytes", "blur window=2 stride=1", (255, 255, 0), (255, 127.5), few=True, dtype="uint8"),
    case("blur_has_no_cell_to_mirror", f"blur layout=NCL {_CENTRED}", (1, 1, 1), error="ShapeError"),
]
