"""The published blurs (Zhang, arXiv 1904.11486) of antialiased_cnns, recognised by name; it is not imported."""

from __future__ import annotations

from typing import Any

from poolkit.dialects.dialect import Fields, Word, need_value
from poolkit.errors import NotExactError

MODULE = "antialiased_cnns"

PAD_TYPES = {"reflect": "reflect", "refl": "reflect", "replicate": "replicate", "repl": "replicate", "zero": "zeros"}


def _blur(n: int, pad_type: Any, filt_size: Any, stride: Any, pad_off: Any) -> Fields:
    for name, value, kind in (
        ("pad_type", pad_type, str),
        ("filt_size", filt_size, int),
        ("stride", stride, int),
        ("pad_off", pad_off, int),
    ):
        need_value(name, value, kind)
    if pad_type not in PAD_TYPES:
        raise NotExactError(f"pad_type={pad_type!r} is none of antialiased_cnns; write {', '.join(PAD_TYPES)}")
    if not 1 <= filt_size <= 7:
        raise NotExactError(f"filt_size={filt_size}, and antialiased_cnns blurs with 1 to 7 cells; write one of these")
    most = (filt_size - 1) // 2
    if not 0 <= pad_off <= most:
        raise NotExactError(f"pad_off={pad_off}, by which windows of {filt_size} lie beyond the map; write 0 to {most}")
    sides = (most + pad_off, filt_size // 2 + pad_off)
    return {
        "kind": "blur",
        "window": filt_size,
        "stride": stride,
        "padding": (sides,) * n,
        "layout": "NCL" if n == 1 else "NCHW",
        "pad_mode": PAD_TYPES[pad_type],
    }


def _blur_2d(channels: Any, pad_type: Any = "reflect", filt_size: Any = 4, stride: Any = 2, pad_off: Any = 0) -> Fields:
    return _blur(2, pad_type, filt_size, stride, pad_off)


def _blur_1d(channels: Any, pad_type: Any = "reflect", filt_size: Any = 3, stride: Any = 2, pad_off: Any = 0) -> Fields:
    return _blur(1, pad_type, filt_size, stride, pad_off)


ANTIALIASED = (Word(f"{MODULE}.BlurPool", _blur_2d), Word(f"{MODULE}.BlurPool1D", _blur_1d))
