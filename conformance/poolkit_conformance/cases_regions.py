"""Cases of regions: both kinds, every option, boxes beside the map, of no size, and none."""

from __future__ import annotations

from typing import Any

import numpy as np

from poolkit import RoiSpec
from poolkit_conformance.case import Case, Fixed


def _case(name: str, kind: str, how: str = "boxes", shape: tuple[int, ...] = (2, 3, 9, 11), **more: Any) -> Case:
    case = {key: more.pop(key) for key in ("dtype", "data", "few") if key in more}
    fields: dict[str, Any] = {"output_size": (2, 3), "layout": "NCHW", "spatial_scale": 0.5, **more}
    return Case(f"roi_{kind}_{name}", RoiSpec(kind, **fields), shape, tensors=(("boxes", how),), **case)


_HALVES = ("float16", "bfloat16", "float64")
REGIONS = [
    _case("of_maps", "align", sampling_ratio=2, few=True),
    _case("unaligned", "align", sampling_ratio=3, aligned=False),
    _case("adaptive", "align", max_grid=4, few=True),
    _case("adaptive_unaligned", "align", max_grid=2, aligned=False),
    _case("max", "align", sampling_ratio=2, mode="max", few=True),
    _case("max_corners", "align", sampling_ratio=2, mode="max", max_of="corners"),
    _case("max_adaptive", "align", max_grid=4, mode="max"),
    _case("max_corners_adaptive", "align", max_grid=4, mode="max", max_of="corners"),
    _case("channels_last", "align", shape=(2, 9, 11, 3), layout="NHWC", sampling_ratio=1),
    _case("of_turned_maps", "align", shape=(9, 2, 3, 11), layout="HNCW", sampling_ratio=1),
    _case("none", "align", "boxes none", sampling_ratio=1),
    _case("float64_boxes", "align", "boxes float64", sampling_ratio=2),
    _case("nan", "align", data="nan", sampling_ratio=1),
    *(_case(dtype, "align", dtype=dtype, sampling_ratio=2) for dtype in (*_HALVES, "int32")),
    _case("of_maps", "max", max_grid=11, few=True),
    _case("exact", "max", max_grid=11, bins="exact"),
    _case("7x7", "max", max_grid=4, output_size=7, shape=(1, 2, 20, 20), spatial_scale=1.0),
    _case("channels_last", "max", shape=(2, 9, 11, 3), layout="NHWC", max_grid=11),
    _case("none", "max", "boxes none", max_grid=4),
    _case("no_channels", "max", shape=(2, 0, 9, 11), max_grid=4),
    _case("ties", "max", max_grid=11, data="ties"),
    _case("all_minus_inf", "max", max_grid=11, data="all -inf"),
    *(_case(dtype, "max", dtype=dtype, max_grid=11) for dtype in (*_HALVES, "int32", "uint8")),
]


def _literal(name: str, spec: RoiSpec, x: Any, boxes: Any, values: Any, why: str = "", **more: Any) -> Case:
    tensors = (("boxes", Fixed(np.array(boxes, "float32"))),)
    return Case(name, spec, np.shape(x), data=x, values=values, why=why, tensors=tensors, **more)


_MAP = (((tuple(range(4)), tuple(range(4, 8)), tuple(range(8, 12)), tuple(range(12, 16))),),)
REGION_LITERALS = [
    _literal(
        "roi_align_of_a_whole_map",
        RoiSpec("align", output_size=2, sampling_ratio=1, layout="NCHW"),
        _MAP,
        ((0, 0, 0, 4, 4),),
        ((((2.5, 4.5), (10.5, 12.5)),),),
        "the middle of each quarter is between four cells",
    ),
    _literal(
        "roi_align_unaligned_is_half_a_cell_further",
        RoiSpec("align", output_size=1, sampling_ratio=1, aligned=False, layout="NCHW"),
        _MAP,
        ((0, 1, 1, 2, 2),),
        ((((7.5,),),),),
    ),
    _literal(
        "roi_max_takes_both_ends_of_a_box",
        RoiSpec("max", output_size=1, layout="NCHW", max_grid=4),
        _MAP,
        ((0, 0, 0, 1, 2), (0, 2, 0, 2, 0), (0, 9, 9, 12, 12)),
        ((((9,),),), (((2,),),), (((0,),),)),
        "x2 and y2 are cells of it; a box beside the map is 0",
        gradient=((((0, 0, 1, 0), (0, 0, 0, 0), (0, 1, 0, 0), (0, 0, 0, 0)),),),
    ),
    _literal(
        "roi_max_rounds_a_half_away_from_zero",
        RoiSpec("max", output_size=1, layout="NCHW", spatial_scale=0.5, max_grid=4),
        _MAP,
        ((0, 1, 5, 1, 5), (0, 1, 1, 1, 1)),
        ((((13,),),), (((5,),),)),
        "0.5 and 2.5 are 1 and 3, which NumPy, PyTorch, TensorFlow and JAX round to 0 and 2",
    ),
    _literal(
        "roi_max_of_ties_gives_the_first_the_gradient",
        RoiSpec("max", output_size=1, layout="NCHW", max_grid=2),
        ((((-2, -1), (-1, -3)),),),
        ((0, 0, 0, 1, 1),),
        ((((-1,),),),),
        gradient=((((0, 1), (0, 0)),),),
    ),
]
