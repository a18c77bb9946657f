"""tf.nn's maxima with their places, and its neighbours of pools that draw, or pool regions, told apart in words."""

from __future__ import annotations

from typing import Any

from poolkit.dialects.calls import Call
from poolkit.dialects.dialect import Fields, Word, need_value, no_spec
from poolkit.dialects.tensorflow.windows import PADDINGS, per_axis
from poolkit.errors import NotExactError
from poolkit.spec.operation import Operation
from poolkit.spec.roi import RoiSpec

NN, OLD, IMAGE = "tensorflow.nn", "tensorflow.compat.v1.nn", "tensorflow.image"

PLACES = (
    "TensorFlow's places count (y * W + x) * C + c, with include_batch_in_index over the batch too, and poolkit's "
    'y * W + x: poolkit.indices_from(indices, "tensorflow", shape, layout) turns those of TensorFlow'
)


def _places(
    ksize: Any,
    strides: Any,
    padding: Any,
    data_format: Any = "NHWC",
    output_dtype: Any = None,  # of the places, which is that of indices here
    include_batch_in_index: Any = False,  # of places that are counted otherwise here
    name: Any = None,
) -> Fields:
    need_value("padding", padding, str)
    need_value("data_format", data_format)
    if data_format != "NHWC":
        raise NotExactError(f"data_format={data_format!r} is none of max_pool_with_argmax's; write NHWC")
    if padding.upper() not in PADDINGS:
        raise NotExactError(f"padding={padding!r} is none of max_pool_with_argmax's; write {' or '.join(PADDINGS)}")
    return {
        "kind": "max",
        "window": per_axis("ksize", ksize, 2, "NHWC"),
        "stride": per_axis("strides", strides, 2, "NHWC"),
        "padding": PADDINGS[padding.upper()],
        "indices": True,
        "layout": "NHWC",
    }


def _old_places(
    ksize: Any,
    strides: Any,
    padding: Any,
    data_format: Any = "NHWC",
    Targmax: Any = None,  # noqa: N803  # TensorFlow's name of output_dtype
    name: Any = None,
    output_dtype: Any = None,
    include_batch_in_index: Any = False,
) -> Fields:
    return _places(ksize, strides, padding, data_format)


DRAWS = "draws where its windows begin by a seed of its own, once for all batches and channels"
FRACTIONAL = {
    "fractional_max_pool": (
        DRAWS,
        'write poolkit.FractionalMaxPool(overlapping=False, output_ratio=1 / pooling_ratio, layout="NHWC"), which '
        "draws for each batch and channel by key= or samples= of its call",
    ),
    "fractional_avg_pool": (
        DRAWS,
        'write poolkit.PoolSpec("avg", output_size=..., layout="NHWC") for as many windows where nothing is drawn, '
        "or keep it as it is",
    ),
}
CROPS = "takes one sample for each number of its result, the first and last on the edges of boxes [y1, x1, y2, x2]"

FURTHER = (
    Word(f"{NN}.max_pool_with_argmax", _places, "input", differs=PLACES),
    Word(f"{OLD}.max_pool_with_argmax", _old_places, "input", differs=PLACES),
    *(no_spec(f"{module}.{name}", *told) for module in (NN, OLD) for name, told in FRACTIONAL.items()),
    no_spec(
        f"{IMAGE}.crop_and_resize",
        f"{CROPS} in parts of the image",
        'keep it as it is, or write poolkit.RoiSpec("align", ...), whose boxes are [batch number, x1, y1, x2, y2] and '
        "whose numbers are other ones",
    ),
)


def others(spec: Operation) -> Call:
    """`NotExactError`: TensorFlow has none of its own for what pools by a tensor besides."""
    if isinstance(spec, RoiSpec):
        raise NotExactError(f"tf.image.crop_and_resize {CROPS}, and is no pooling of regions")
    raise NotExactError(f"none of tf.nn's pools takes {' and '.join(spec.needs)} besides")
