"""How TensorFlow writes windows: by `data_format`, and as one integer, one a spatial axis, or one a position."""

from __future__ import annotations

from typing import Any

from poolkit.dialects.calls import known
from poolkit.dialects.dialect import need_value
from poolkit.errors import NotExactError

PADDINGS = {"VALID": "valid", "SAME": "same"}

FORMATS = {
    "NWC": "NLC",
    "NCW": "NCL",
    "NHWC": "NHWC",
    "NCHW": "NCHW",
    "NDHWC": "NDHWC",
    "NCDHW": "NCDHW",
}
USUAL = {1: "NLC", 2: "NHWC", 3: "NDHWC"}


def placed_format(n: int | None, data_format: Any, *sizes: Any) -> tuple[int | None, str]:
    """The number of spatial axes and the layout, of which the number may be told by `data_format` or by the sizes."""
    if data_format is None:
        n = n or _counted(sizes)
        return (None, "channels_last") if n is None else (n, USUAL[n])
    need_value("data_format", data_format, str)
    layout = FORMATS.get(data_format)
    if layout is None or (n is not None and n != len(layout) - 2):
        raise NotExactError(
            f"received data_format={data_format!r}, and that is no order of the axes here; "
            f"write one of {', '.join(FORMATS)}"
        )
    return len(layout) - 2, layout


def _counted(sizes: Any) -> int | None:
    """The number of spatial axes by the length of a list, of which three may be D, H and W or N, L and C."""
    lengths = {len(value) for value in sizes if isinstance(value, list | tuple)} - {1}
    numbers = {2: 2, 4: 2, 5: 3}
    if 3 in lengths:
        raise NotExactError(
            "received three sizes, and they may be those of N, L and C or of D, H and W; give data_format"
        )
    return next((numbers[length] for length in lengths if length in numbers), None)


def per_axis(name: str, value: Any, n: int | None, layout: str) -> Any:
    """One size, or one for each spatial axis; `NotExactError` where batch or channels have one other than 1."""
    if not isinstance(value, list | tuple):
        return value
    if len(value) == 1:
        return value[0]
    if n is not None and len(value) == n + 2:
        outer = [size for size, letter in zip(value, layout, strict=True) if letter in "NC"]
        if not known(outer) or any(size != 1 for size in outer):
            raise NotExactError(
                f"{name}={list(value)} is not 1 over batch and channels, and no spec pools those; write 1 there"
            )
        return tuple(size for size, letter in zip(value, layout, strict=True) if letter not in "NC")
    return tuple(value)
