"""torchvision's pooling of regions, recognised by name as `pk.RoiSpec`; torchvision is not imported."""

from __future__ import annotations

import re
from typing import Any

from poolkit.dialects.calls import Expression, listed
from poolkit.dialects.dialect import Word, need_value, no_spec
from poolkit.dialects.torch.windows import flag
from poolkit.spec.roi import RoiSpec

OPS = "torchvision.ops"

QUOTIENT = re.compile(r"(\d+\.?\d*) ?/ ?(\d+\.?\d*)")

BOXES = (
    "torchvision takes boxes as a list of tensors (L, 4), one for each map, too, and poolkit as one (K, 5) with the "
    "number of the map in the first column: put a list together so"
)


def _scale(value: Any) -> Any:
    """The scale, which programs write as ``1 / 16``."""
    quotient = QUOTIENT.fullmatch(value.text) if isinstance(value, Expression) else None
    if quotient is not None and float(quotient[2]) != 0:
        return float(quotient[1]) / float(quotient[2])
    need_value("spatial_scale", value)
    return value


def _align(output_size: Any, spatial_scale: Any, sampling_ratio: Any, aligned: Any = False) -> RoiSpec:
    for name, value in (("output_size", output_size), ("sampling_ratio", sampling_ratio), ("aligned", aligned)):
        need_value(name, value)
    return RoiSpec(
        "align",
        output_size=listed(output_size),
        spatial_scale=_scale(spatial_scale),
        sampling_ratio=max(sampling_ratio, 0),  # below 1 about one sample a cell is taken, which is 0 here
        aligned=flag(aligned),
        layout="NCHW",
    )


def _pool(output_size: Any, spatial_scale: Any) -> RoiSpec:
    need_value("output_size", output_size)
    return RoiSpec("max", output_size=listed(output_size), spatial_scale=_scale(spatial_scale), layout="NCHW")


def _align_function(
    boxes: Any, output_size: Any, spatial_scale: Any = 1.0, sampling_ratio: Any = -1, aligned: Any = False
) -> RoiSpec:
    return _align(output_size, spatial_scale, sampling_ratio, aligned)


def _pool_function(boxes: Any, output_size: Any, spatial_scale: Any = 1.0) -> RoiSpec:
    return _pool(output_size, spatial_scale)


LEVELS = (
    "is RoI align on several maps, each box on that of its size",
    "write poolkit.roi of a RoiSpec for each map, with the boxes that poolkit.roi_levels gives it",
)
SENSITIVE = "pools each bin of a region from channels of its own"

REGIONS: tuple[Word, ...] = (
    Word(f"{OPS}.RoIAlign", _align, further=(("boxes", "rois"),), differs=BOXES),
    Word(f"{OPS}.RoIPool", _pool, further=(("boxes", "rois"),), differs=BOXES),
    Word(f"{OPS}.roi_align", _align_function, "input", further=(("boxes", "boxes"),), differs=BOXES),
    Word(f"{OPS}.roi_pool", _pool_function, "input", further=(("boxes", "boxes"),), differs=BOXES),
    no_spec(f"{OPS}.MultiScaleRoIAlign", *LEVELS),
    *(no_spec(f"{OPS}.{name}", SENSITIVE) for name in ("PSRoIAlign", "PSRoIPool", "ps_roi_align", "ps_roi_pool")),
)
