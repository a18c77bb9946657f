"""Cases of pools of pools, and numbers of them that come from outside."""

from __future__ import annotations

from typing import Any

from poolkit import Chain, PoolSpec, Pyramid
from poolkit_conformance.case import Case

_MAP, _LAST = (2, 3, 9, 8), (2, 9, 8, 3)
_DTYPES = ("float16", "float64", "int8")
_FIVE: dict[str, Any] = {"window": 5, "stride": 1, "padding": "same"}


def _max_blur(layout: str, padding: int = 1, stride: int = 2) -> Chain:
    blur = PoolSpec("blur", window=3, stride=stride, padding=padding, pad_mode="zeros", layout=layout)
    return Chain((PoolSpec("max", window=2, stride=1, layout=layout), blur))


def _sppf(layout: str) -> Chain:
    return Chain((PoolSpec("max", layout=layout, **_FIVE),) * 3, keep="cat")


def _chain(*parts: str, keep: str | None = None) -> Chain:
    return Chain([PoolSpec.parse(f"{part} layout=NCHW") for part in parts], keep=keep)


CHAINS = [
    Case("chain_max_blur", _max_blur("NCHW"), _MAP, few=True),
    Case("chain_max_blur_channels_last", _max_blur("NHWC"), _LAST),
    Case("chain_sppf", _sppf("NCHW"), _MAP, few=True),
    Case("chain_sppf_channels_last_ties", _sppf("NHWC"), _LAST, data="ties"),
    Case("chain_sppf_nan", _sppf("NCHW"), _MAP, data="nan"),
    Case("chain_of_averages", _chain("avg window=3 stride=2 padding=same", "avg window=2 ceil_mode=true"), _MAP),
    Case("chain_max_of_averages", _chain("avg window=3 stride=1", "max output_size=1 keepdims=false"), _MAP),
    Case("chain_bins_of_norms", _chain("lp window=2 stride=1 p=3", "avg output_size=3,2"), _MAP),
    Case("chain_one_axis_after_the_other", _chain("max output_size=1,none", "avg window=1,3 stride=2"), _MAP),
    Case(
        "chain_of_axes",
        Chain([PoolSpec("avg", output_size=1, layout="NTHWC", axes=a, keepdims=a == "HW") for a in ("HW", "T")]),
        (2, 3, 4, 5, 2),
    ),
    Case("chain_keeps_averages", _chain(*["avg window=3 stride=1 padding=same"] * 2, keep="cat"), _MAP, few=True),
    Case(
        "chain_keeps_averages_of_integers", _chain(*["avg window=3 stride=1 padding=1"] * 2, keep="cat"), _MAP, "int32"
    ),
    Case("chain_mask", _chain("avg window=2", "max window=2"), _MAP, tensors=(("mask", "cells"),)),
    Case("chain_weight", _chain("avg window=2", "sum window=2"), _MAP, tensors=(("weight", "cells"),)),
    *(Case(f"chain_max_blur_{dtype}", _max_blur("NCHW"), _MAP, dtype) for dtype in ("float16", "bfloat16", "float64")),
    *(Case(f"chain_max_blur_{dtype}", _max_blur("NHWC"), _LAST, dtype) for dtype in ("int8", "int64")),
    *(Case(f"chain_sppf_{dtype}", _sppf("NCHW"), _MAP, dtype) for dtype in ("bfloat16", "uint8")),
    Case("chain_empty_batch", _max_blur("NCHW"), (0, 3, 6, 6)),
    Case("refuses_a_part_that_does_not_fit", _chain("max window=4", "max window=3"), (1, 1, 8, 8), error="ShapeError"),
    Case(
        "refuses_sizes_that_do_not_stand_side_by_side",
        _chain("max window=2", "max window=3 stride=1 padding=same", keep="cat"),
        (1, 1, 8, 8),
        error="ShapeError",
    ),
]

_SPP: dict[str, Any] = {"levels": (1, 2, 3), "layout": "NCHW", "flatten": True}
_PSP: dict[str, Any] = {"levels": (1, 2, 3, 6), "layout": "NHWC"}

PYRAMIDS = [
    Case("pyramid_spp", Pyramid("max", **_SPP), _MAP, few=True),
    Case("pyramid_spp_channels_last_ties", Pyramid("max", **_SPP).replace(layout="NHWC"), _LAST, data="ties"),
    Case("pyramid_psp", Pyramid("avg", **_PSP), _LAST, few=True),
    Case("pyramid_psp_channels_first", Pyramid("avg", **_PSP).replace(layout="NCHW"), _MAP),
    Case("pyramid_average_vector", Pyramid("avg", **_SPP), _MAP, few=True),
    Case("pyramid_of_norms", Pyramid("lp", levels=(2, (1, 3)), layout="NHWC", flatten=True, p=3.0), _LAST),
    Case("pyramid_of_one_level", Pyramid("min", levels=((2, 4),), layout="NCHW"), _MAP),
    Case(
        "pyramid_of_some_axes", Pyramid("avg", levels=(1, 2), layout="NTHWC", axes="HW", flatten=True), (2, 3, 4, 5, 2)
    ),
    Case("pyramid_without_channels", Pyramid("max", levels=(3, 1), layout="L", flatten=True), (7,)),
    Case("pyramid_of_a_level_that_keeps", Pyramid("max", levels=((None, 1), 2), layout="CHW", flatten=True), (2, 4, 5)),
    Case("pyramid_mask", Pyramid("avg", **_SPP), _MAP, tensors=(("mask", "cells"),)),
    *(Case(f"pyramid_spp_{dtype}", Pyramid("max", **_SPP), _MAP, dtype) for dtype in ("bfloat16", "uint8")),
    *(Case(f"pyramid_average_{dtype}", Pyramid("avg", **_SPP), _MAP, dtype) for dtype in _DTYPES),
    Case("pyramid_empty_batch", Pyramid("max", **_SPP), (0, 3, 6, 6)),
    Case("pyramid_without_any_channel", Pyramid("avg", **_SPP), (2, 0, 6, 6)),
]

_EYE = (((tuple(tuple(float(i == j) for j in range(5)) for i in range(5))),),)
LITERALS = [
    Case(
        "spp_vector_is_level_by_level_channel_by_channel",
        Pyramid("max", levels=(1, 2), layout="NLC", flatten=True),
        (1, 4, 2),
        data=(((1, 8), (2, 7), (3, 6), (4, 5)),),
        values=((4, 8, 2, 4, 8, 6),),
        why="torch.cat([F.adaptive_max_pool1d(x, n).flatten(1) for n in (1, 2)], 1) of x in NCL",
    ),
    Case(
        "kornia_max_blur_pool2d_of_an_identity",
        _max_blur("NCHW"),
        (1, 1, 5, 5),
        data=_EYE,
        values=((((0.5625, 0.3125), (0.3125, 0.875)),),),
        why="kornia.filters.max_blur_pool2d",
    ),
    Case(
        "three_fives_are_five_nine_and_thirteen",
        Chain((PoolSpec("max", layout="NCL", **_FIVE),) * 3, keep="cat"),
        (1, 1, 9),
        data=(((0, 8, 1, 7, 2, 6, 3, 5, 4),),),
        values=(
            (
                (0, 8, 1, 7, 2, 6, 3, 5, 4),
                (8, 8, 8, 8, 7, 7, 6, 6, 5),
                (8, 8, 8, 8, 8, 8, 7, 7, 6),
                (8, 8, 8, 8, 8, 8, 8, 8, 7),
            ),
        ),
        why="YOLOv5's SPPF",
    ),
]
