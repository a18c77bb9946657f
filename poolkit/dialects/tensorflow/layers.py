"""The words of tf.layers, which was TensorFlow 1's own, before Keras."""

from __future__ import annotations

from functools import partial
from typing import Any

from poolkit.dialects.dialect import Fields, Word, need_value
from poolkit.dialects.tensorflow.windows import PADDINGS, USUAL, per_axis


def _layer(
    kind: str,
    n: int,
    pool_size: Any,
    strides: Any,
    padding: Any = "valid",
    data_format: Any = "channels_last",
    name: Any = None,
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


LAYERS = tuple(
    Word(f"tensorflow.layers.{name}", partial(_layer, kind, n), tensor, gone=True)
    for kind, function, layer in (("max", "max_pooling", "MaxPooling"), ("avg", "average_pooling", "AveragePooling"))
    for n in (1, 2, 3)
    for name, tensor in ((f"{function}{n}d", "inputs"), (f"{layer}{n}D", None))
)
