"""The words of tf.layers, which was TensorFlow 1's own before Keras, and of tf.contrib.layers, which is slim's."""

from __future__ import annotations

from functools import partial
from typing import Any

from poolkit.dialects.dialect import Fields, Word, need_value
from poolkit.dialects.tensorflow.windows import FORMATS, PADDINGS, USUAL, per_axis


def _layer(
    kind: str,
    n: int,
    pool_size: Any,
    strides: Any,
    padding: Any = "valid",
    data_format: Any = "channels_last",
    name: Any = None,
    _scope: Any = None,  # as slim makes its own from these layers
    _reuse: Any = None,
) -> Fields:
    need_value("padding", padding, str)
    need_value("data_format", data_format)
    usual = USUAL[n]
    layout = usual if data_format == "channels_last" else f"NC{usual[1:-1]}"
    return {
        "kind": kind,
        "window": per_axis("pool_size", pool_size, None, layout),
        "stride": per_axis("strides", strides, None, layout),
        "padding": PADDINGS.get(padding.upper(), padding),
        "layout": layout,
    }


def _slim(
    kind: str,
    n: int,
    kernel_size: Any,
    stride: Any = 2,
    padding: Any = "VALID",
    data_format: Any = None,
    outputs_collections: Any = None,
    scope: Any = None,
) -> Fields:
    """``slim.max_pool2d``, whose stride is 2 where none is given."""
    need_value("padding", padding, str)
    if data_format is not None:
        need_value("data_format", data_format, str)
    layout = FORMATS.get(data_format or USUAL[n], USUAL[n])
    return {
        "kind": kind,
        "window": per_axis("kernel_size", kernel_size, None, layout),
        "stride": per_axis("stride", stride, None, layout),
        "padding": PADDINGS.get(padding.upper(), padding),
        "layout": layout,
    }


CONTRIB = "tensorflow.contrib.layers"
SLIM = {f"{kind}_pool{n}d": (kind, n) for kind in ("max", "avg") for n in (2, 3)}

LAYERS = tuple(
    Word(f"{CONTRIB}.{name}", partial(_slim, kind, n), "inputs", gone=True) for name, (kind, n) in SLIM.items()
) + tuple(
    Word(f"tensorflow.layers.{name}", partial(_layer, kind, n), tensor, gone=True)
    for kind, function, layer in (("max", "max_pooling", "MaxPooling"), ("avg", "average_pooling", "AveragePooling"))
    for n in (1, 2, 3)
    for name, tensor in ((f"{function}{n}d", "inputs"), (f"{layer}{n}D", None))
)
