"""kornia's blurs, recognised by name; kornia is not imported."""

from __future__ import annotations

from typing import Any

from poolkit.dialects.dialect import Fields, Word, need_value, no_spec
from poolkit.errors import NotExactError
from poolkit.spec.chain import Chain
from poolkit.spec.pool_spec import PoolSpec
from poolkit.spec.values import is_many

FILTERS = "kornia.filters"


def _blur(kernel_size: Any, stride: Any = 2) -> Fields:
    for name, value in (("kernel_size", kernel_size), ("stride", stride)):
        need_value(name, value)
    window: Any = kernel_size[0] if is_many(kernel_size) and len({*kernel_size}) == 1 else kernel_size
    need_value("kernel_size", window, int)
    if not 1 <= window <= 7:
        raise NotExactError(f"kernel_size={window}, and a blur here has windows of 1 to 7 cells; keep it as it is")
    padding = (window - 1) // 2
    fields = {"kind": "blur", "window": window, "stride": stride, "padding": padding, "layout": "NCHW"}
    return {**fields, "pad_mode": "zeros"}


def _max_blur(kernel_size: Any, stride: Any = 2, max_pool_size: Any = 2, ceil_mode: Any = False) -> Chain:
    """A maximum of stride 1, where `ceil_mode` changes nothing, and then a blur."""
    need_value("max_pool_size", max_pool_size)
    top = PoolSpec("max", window=max_pool_size, stride=1, layout="NCHW")
    return Chain((top, PoolSpec(**_blur(kernel_size, stride))))


EDGES = "blurs where no edge is, by a mask of edges that it finds"

KORNIA: tuple[Word, ...] = (
    Word(f"{FILTERS}.BlurPool2D", _blur),
    Word(f"{FILTERS}.blur_pool2d", _blur, "input"),
    Word(f"{FILTERS}.MaxBlurPool2D", _max_blur),
    Word(f"{FILTERS}.max_blur_pool2d", _max_blur, "input"),
    *(no_spec(f"{FILTERS}.{name}", EDGES) for name in ("EdgeAwareBlurPool2D", "edge_aware_blur_pool2d")),
)
