"""Words of torch for resizing, which pools where its mode is "area"."""

from __future__ import annotations

from typing import Any

from poolkit.dialects.dialect import SEVERAL, Fields, NotPooling, Word, need_value
from poolkit.dialects.torch.native import LAYOUTS
from poolkit.errors import NotExactError
from poolkit.spec.values import is_many


def _interpolate(
    size: Any = None,
    scale_factor: Any = None,
    mode: Any = "nearest",
    align_corners: Any = None,
    recompute_scale_factor: Any = None,
    antialias: Any = False,
) -> Fields:
    """To a size by "area" it is adaptive average pooling, and so does torch compute it."""
    if mode != "area":
        raise NotPooling("it interpolates, and no spec says that; keep it as it is")
    need_value("size", size, int, *SEVERAL)
    if scale_factor is not None or align_corners is not None or antialias:
        raise NotExactError('mode="area" takes a size, and no scale_factor, align_corners or antialias; give the size')
    layout = LAYOUTS.get(len(size), "") if is_many(size) else "channels_first"
    return {"kind": "avg", "output_size": tuple(size) if isinstance(size, list) else size, "layout": layout}


def _upsample(
    size: Any = None, scale_factor: Any = None, mode: Any = "nearest", align_corners: Any = None, recompute: Any = None
) -> Fields:
    return _interpolate(size, scale_factor, mode, align_corners)


RESIZING = (
    Word("torch.nn.Upsample", _upsample),
    Word("torch.nn.functional.interpolate", _interpolate, "input"),
)
