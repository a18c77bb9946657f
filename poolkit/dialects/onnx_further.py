"""ONNX's words that pool by another tensor besides the input, or give one: unpooling, and regions of interest."""

from __future__ import annotations

from typing import Any

from poolkit.dialects.calls import text
from poolkit.dialects.dialect import SEVERAL, Fields, Word, need_value
from poolkit.dialects.onnx_windows import window
from poolkit.errors import NotExactError
from poolkit.spec.operation import Operation
from poolkit.spec.pool_spec import PoolSpec
from poolkit.spec.roi import RoiSpec
from poolkit.spec.unpool import SMALLEST, Unpool

FROM = (
    'poolkit.indices_from(indices, "onnx", shape, layout) turns those of ONNX, "onnx_column_major" those of '
    "storage_order=1"
)
PLACES = (
    f"ONNX's indices count over the whole tensor, batch and channels too, and poolkit's over the spatial axes; {FROM}"
)
BOXES = (
    "ONNX takes boxes (K, 4) and the numbers of their maps apart, and poolkit one tensor (K, 5) with the number in the "
    "first column"
)


def places(read: Fields | Operation) -> str:
    """What is to be said of a maximum whose second output is used."""
    indices = read.get("indices") if isinstance(read, dict) else read.indices
    return PLACES if indices else ""


def _unpool(kernel_shape: Any, strides: Any = None, pads: Any = None, output_shape: Any = None) -> Unpool:
    for name, value in (("strides", strides), ("pads", pads)):
        need_value(name, value)
    pooling = PoolSpec(**window("max", kernel_shape, strides, pads, "NOTSET", 0))
    if output_shape is not None:
        raise NotExactError(
            f"output_shape={text(output_shape)} is an input, and what is made has that size; write "
            f"poolkit.unpool(values, indices, poolkit.{pooling!r}, output_size) with the sizes of the spatial axes, "
            f"where {FROM}"
        )
    return Unpool(pooling, SMALLEST)


MODES = {"half_pixel": True, "output_half_pixel": False}  # whether a cell's centre is at 0.5


def _align(
    mode: Any = "avg",
    output_height: Any = 1,
    output_width: Any = 1,
    sampling_ratio: Any = 0,
    spatial_scale: Any = 1.0,
    coordinate_transformation_mode: Any = "half_pixel",  # before opset 16, which has it, all were output_half_pixel
) -> RoiSpec:
    need_value("coordinate_transformation_mode", coordinate_transformation_mode, str)
    if coordinate_transformation_mode not in MODES:
        raise NotExactError(
            f"coordinate_transformation_mode={text(coordinate_transformation_mode)} is none of ONNX's; write "
            f"{' or '.join(MODES)}"
        )
    for name, value in (("mode", mode), ("sampling_ratio", sampling_ratio), ("spatial_scale", spatial_scale)):
        need_value(name, value)
    return RoiSpec(
        "align",
        output_size=_size("output_height and output_width", (output_height, output_width)),
        spatial_scale=spatial_scale,
        sampling_ratio=sampling_ratio,
        aligned=MODES[coordinate_transformation_mode],
        mode=mode,
        max_of="corners" if mode == "max" else "interp",
        layout="NCHW",
    )


def _pool(pooled_shape: Any, spatial_scale: Any = 1.0) -> RoiSpec:
    need_value("spatial_scale", spatial_scale)
    size = _size("pooled_shape", pooled_shape)
    return RoiSpec("max", output_size=size, spatial_scale=spatial_scale, layout="NCHW")


def _size(name: str, sizes: Any) -> tuple[Any, ...]:
    need_value(name, sizes, *SEVERAL)
    return tuple(sizes)


FURTHER = (
    Word("onnx.MaxUnpool", _unpool, further=(("indices", "I"),), differs=PLACES),
    Word("onnx.RoiAlign", _align, further=(("boxes", "rois"),), differs=BOXES),
    Word("onnx.MaxRoiPool", _pool, further=(("boxes", "rois"),)),
)
