"""Cases and literals of the blur: every way to pad, windows of each width, and numbers out of the ordinary."""

from __future__ import annotations

from typing import Any

from poolkit import PoolSpec
from poolkit_conformance.case import Case
from poolkit_conformance.literal import INF, NAN, ONE_TO_5, block, row

_MAP = (2, 3, 9, 10)
_CENTRED: dict[str, Any] = {"window": 3, "stride": 2, "padding": 1}
_PLACES: dict[str, tuple[tuple[int, ...], dict[str, Any]]] = {
    "k3_s2_p1": (_MAP, _CENTRED),
    "k1": (_MAP, {"window": 1}),
    "k2_same": (_MAP, {"window": 2, "stride": 1, "padding": "same"}),
    "k3_s2_same": (_MAP, {"window": 3, "stride": 2, "padding": "same"}),
    "k4_s2_asymmetric": (_MAP, {"window": 4, "stride": 2, "padding": ((1, 2), (1, 2))}),
    "k5x4_s1x2_same_lower": (_MAP, {"window": (5, 4), "stride": (1, 2), "padding": "same_lower"}),
    "k7x6_p3": (_MAP, {"window": (7, 6), "stride": 3, "padding": 3}),
    "k3_s2_dilated2": (_MAP, {"window": 3, "stride": 2, "dilation": 2, "padding": 2}),
    "k3_s2_ceil": (_MAP, {"window": 3, "stride": 2, "padding": 1, "ceil_mode": True}),
    "k2_s3_p4_behind_ceil_drops_windows": (
        _MAP,
        {"window": 2, "stride": 3, "padding": ((1, 4), (0, 5)), "ceil_mode": True},
    ),
    "causal": ((2, 11, 3), {"layout": "NLC", "window": 4, "stride": 3, "padding": "causal"}),
    "nhwc": ((2, 9, 10, 3), _CENTRED | {"layout": "NHWC"}),
    "3d": ((1, 2, 4, 5, 6), {"layout": "NCDHW", "window": 3, "padding": "same", "stride": 2}),
    "empty_batch": ((0, 3, 9, 10), _CENTRED),
}
_FEW = ("k3_s2_p1", "k4_s2_asymmetric", "nhwc")
_PADDED = [name for name, (_, fields) in _PLACES.items() if "padding" in fields]


def _case(name: str, place: str, **more: Any) -> Case:
    shape, fields = _PLACES[place]
    kept = {key: more.pop(key) for key in ("dtype", "data", "few") if key in more}
    asked: dict[str, Any] = {"layout": "NCHW"} | fields | more
    return Case(f"blur_{name}", PoolSpec("blur", **asked), shape, **kept)


_ZEROS: dict[str, Any] = {"window": 3, "stride": 2, "padding": 1, "pad_mode": "zeros"}
_IDENTITY = (tuple(tuple(float(i == j) for j in range(5)) for i in range(5)),)
_BY_KORNIA = (((0.3125, 0.0625, 0), (0.0625, 0.375, 0.0625), (0, 0.0625, 0.3125)),)

BLURS: list[Case] = [
    *(_case(place, place, few=place in _FEW) for place in _PLACES),
    *(_case(f"replicate_{p}", p, pad_mode="replicate", few=p == "k3_s2_p1") for p in _PADDED),
    *(_case(f"zeros_{p}", p, pad_mode="zeros", few=p == "k3_s2_p1") for p in _PADDED),
    *(_case(dtype, "k3_s2_p1", dtype=dtype) for dtype in ("float16", "bfloat16", "float64", "int32", "bool")),
    *(_case(data.replace(" ", "_"), "k4_s2_asymmetric", data=data) for data in ("nan", "inf", "far apart", "large")),
]
LITERALS: list[Case] = [
    block("blur_of_the_identity_in_zeros", "blur", "NCHW", (_IDENTITY,), (_BY_KORNIA,), few=True, **_ZEROS),
    row("blur_mirrors", "blur", ONE_TO_5, (1.5, 3, 4.5), few=True, gradient=(0.5, 0.75, 0.5, 0.75, 0.5), **_CENTRED),
    row("blur_repeats_the_edge", "blur", ONE_TO_5, (1.25, 3, 4.75), pad_mode="replicate", **_CENTRED),
    row("blur_counts_zeros", "blur", ONE_TO_5, (1, 3, 3.5), **_ZEROS),
    row("blur_of_one_cell_is_that_cell", "blur", (-3, 4), (-3, 4), window=1),
    row("blur_of_an_even_window", "blur", (0, 0, 0, 8, 0, 0, 0), (1, 3, 3, 1), window=4, stride=1),
    row("blur_7", "blur", (0, 0, 0, 64, 0, 0, 0), (2, 6, 15, 20, 15, 6, 2), few=True, window=7, stride=1, padding=3),
    row("blur_of_a_constant_is_that_constant", "blur", (3, 3, 3), (3, 3, 3), window=5, stride=1, padding="same"),
    row("blur_of_infinite_cells", "blur", (NAN, 1, INF, 2, -INF, INF), (NAN, INF, NAN), window=2),
    row("blur_of_bytes", "blur", (255, 255, 0), (255, 127.5), few=True, dtype="uint8", window=2, stride=1),
    Case("blur_has_no_cell_to_mirror", PoolSpec("blur", layout="NCL", **_CENTRED), (1, 1, 1), error="ShapeError"),
]
