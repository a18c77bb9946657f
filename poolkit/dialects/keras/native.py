"""Keras's own layer for a spec, where one is exactly equal."""

from __future__ import annotations

from typing import Any

from poolkit.dialects import capabilities as can
from poolkit.dialects.calls import Call, call
from poolkit.dialects.capabilities import Limit, differing, roles, short, without
from poolkit.spec.pool_spec import PoolSpec
from poolkit.spec.values import is_all

LAYOUTS = can.CHANNELS_LAST

NAMES = {"avg": "Average", "max": "Max"}


def native(spec: PoolSpec) -> Call:
    """The keras.layers layer that is equal to a spec in its normal form, at every size."""
    return can.written(spec, (*ALL, *(BINS if spec.window is None else WINDOWS)), _write, native, LAYOUTS)


ALL = (
    can.kinds("keras.layers has", *NAMES),
    Limit(can.indexed, "Keras's layers return no indices", without(indices=False)),
    *can.axes("Keras's layers name", "Keras pools"),
    Limit(
        lambda spec: spec.layout not in (f"N{spec.spatial}C", f"NC{spec.spatial}"),
        "Keras's layers take batches, channels first or last, as in {usual}; this layout is {spec.layout}",
    ),
    Limit(can.partly, "Keras's global pooling takes all spatial axes, and here {spec.axes} alone is pooled"),
)

BINS = (
    Limit(can.divided, "Keras's averages divide by the cells of each bin", without(divisor_override=None)),
    differing(
        lambda spec: spec.kind == "max" and is_all(spec.output_size, 1),
        "Keras's global maximum shares the gradient between equal elements",
    ),
    Limit(
        lambda spec: None in can.bins(spec),
        "Keras's adaptive layers need a size for every axis, and None leaves one as it is",
    ),
)

WINDOWS = (
    differing(can.dilated, "Keras's layers have no dilation"),
    differing(can.ceiled, "Keras's layers have no ceil mode; padding same starts its windows elsewhere"),
    differing(can.counted, "Keras's averages divide by the real cells of each window"),
    differing(
        lambda spec: not can.named(spec),
        "Keras's layers pad by the words valid and same, and this padding is {spec.padding}",
    ),
)


def _write(spec: PoolSpec) -> Call:
    pool = f"{NAMES[spec.kind]}Pooling{len(spec.spatial or '')}D"
    options: dict[str, Any] = {"data_format": "channels_first"} if roles(spec).startswith("NC") else {}
    if spec.window is not None:
        stride = [] if spec.stride == spec.window else [short(spec.stride)]
        padding = {} if spec.padding == "valid" else {"padding": "same"}
        return call(f"keras.layers.{pool}", short(spec.window), *stride, **padding, **options)
    if not is_all(spec.output_size, 1):
        return call(f"keras.layers.Adaptive{pool}", short(spec.output_size), **options)
    return call(f"keras.layers.Global{pool}", **options, **({"keepdims": True} if spec.keepdims else {}))
