"""Flax's words for pooling, which linen and nnx share: functions over windows, channels last."""

from __future__ import annotations

from functools import partial
from typing import Any

from poolkit.dialects.calls import known
from poolkit.dialects.dialect import SEVERAL, Fields, Word, need_value
from poolkit.dialects.jax.folds import kind_of
from poolkit.lowering.geometry import MORE_SPATIAL, SPATIAL
from poolkit.spec.values import is_many

NAME = "flax.linen"  # flax.nnx has the same functions


def _window(kind: str, window_shape: Any, strides: Any = None, padding: Any = "VALID") -> Fields:
    need_value("window_shape", window_shape, *SEVERAL)
    need_value("padding", padding, str, *SEVERAL)
    for pair in padding if is_many(padding) and known(padding) else ():
        need_value("each entry of padding", pair, *SEVERAL)
    if strides is not None and known(strides):
        need_value("strides", strides, *SEVERAL)
    count = len(window_shape)
    return {
        "kind": kind,
        "window": tuple(window_shape),
        "stride": (tuple(strides) if isinstance(strides, list) else strides) or (1,) * count,
        "padding": padding.lower() if isinstance(padding, str) else tuple(padding),
        "layout": f"N{SPATIAL.get(count, MORE_SPATIAL[:count])}C",
    }


def _average(window_shape: Any, strides: Any = None, padding: Any = "VALID", count_include_pad: Any = True) -> Fields:
    fields = _window("avg", window_shape, strides, padding)
    return {**fields, "count_include_pad": count_include_pad if fields["padding"] != "valid" else False}


def _pool(init: Any, reduce_fn: Any, window_shape: Any, strides: Any, padding: Any) -> Fields:
    return _window(kind_of(reduce_fn, init), window_shape, strides, padding)


FLAX = (
    Word(f"{NAME}.max_pool", partial(_window, "max"), "inputs"),
    Word(f"{NAME}.min_pool", partial(_window, "min"), "inputs"),
    Word(f"{NAME}.avg_pool", _average, "inputs"),
    Word(f"{NAME}.pool", _pool, "inputs"),
)
