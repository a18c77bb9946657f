"""Haiku's words for pooling: functions, and modules with the same arguments. Imports no Haiku."""

from __future__ import annotations

from functools import partial
from typing import Any

from poolkit.dialects.calls import Call
from poolkit.dialects.dialect import SEVERAL, Fields, Word, need_value
from poolkit.dialects.places import CHANNELS_LAST
from poolkit.errors import NotExactError
from poolkit.lowering.geometry import SPATIAL


def _window(
    kind: str, window_shape: Any, strides: Any, padding: Any, channel_axis: Any = -1, name: Any = None
) -> Fields:
    """An integer is for every axis but batch and channels; a tuple has an entry for each of the last axes."""
    need_value("window_shape", window_shape, int, *SEVERAL)
    need_value("strides", strides, int, *SEVERAL)
    need_value("padding", padding, str)
    if channel_axis is not None:
        need_value("channel_axis", channel_axis, int)
    fields = {"kind": kind, "padding": padding.lower()}
    if isinstance(window_shape, int) and isinstance(strides, int):
        return {**fields, "window": window_shape, "stride": strides, "layout": _layout(channel_axis)}
    if not isinstance(window_shape, int) and 1 not in window_shape and len(window_shape) in SPATIAL:
        return {**fields, **_last_axes(window_shape, strides)}
    rank = _rank(strides if isinstance(window_shape, int) else window_shape)
    return {
        **fields,
        "window": _spread(window_shape, rank, channel_axis),
        "stride": _spread(strides, rank, channel_axis),
        "layouts": CHANNELS_LAST.get(rank, ()),
    }


def _last_axes(window_shape: Any, strides: Any) -> Fields:
    """Windows with no entry for channels: Haiku's are over the last axes of an input of any rank."""
    if isinstance(strides, int) or len(strides) != len(window_shape):
        raise NotExactError(
            f"window_shape={window_shape} is for the last axes and strides={strides} are for others; "
            "write both with an entry for each axis"
        )
    layout = f"...{SPATIAL[len(window_shape)]}"
    return {"window": tuple(window_shape), "stride": tuple(strides), "layout": layout}


def _rank(sizes: Any) -> int:
    """How many axes the input has: one that has no entry is a batch, as the first one of (3, 3, 1) is not."""
    spatial = sum(size != 1 for size in sizes)
    return len(sizes) + int(sizes[0] != 1 or spatial == len(sizes) - 1 > 1)


def _layout(channel_axis: Any) -> str:
    layouts = {-1: "channels_last", 1: "channels_first"}
    if channel_axis not in layouts:
        raise NotExactError(
            f"channel_axis={channel_axis} with one integer for all axes leaves open which are pooled; "
            "write window_shape with an entry for each axis"
        )
    return layouts[channel_axis]


def _spread(value: Any, rank: int, channel_axis: Any) -> tuple[Any, ...]:
    """One entry for each axis, the batch first."""
    if isinstance(value, int):
        at = channel_axis % rank if channel_axis else 0
        return tuple(1 if n in (0, at) else value for n in range(rank))
    return (1,) * (rank - len(value)) + tuple(value)


HAIKU = tuple(
    Word(f"haiku.{name}", partial(_window, kind), tensor)
    for kind, function, layer in (("max", "max_pool", "MaxPool"), ("avg", "avg_pool", "AvgPool"))
    for name, tensor in ((function, "value"), (layer, None))
)


def haiku_call(obj: Any) -> Call | None:
    """A module of Haiku, which lives inside a transform."""
    cls = type(obj)
    if cls.__module__ != "haiku._src.pool":
        return None
    names = ("window_shape", "strides", "padding", "channel_axis")
    return Call(f"haiku.{cls.__name__}", (), tuple((name, getattr(obj, name)) for name in names))
