"""PyTorch's own module for an operation that is no spec of cells that are pooled together: unpooling alone."""

from __future__ import annotations

from typing import Any

from poolkit.dialects.calls import Call
from poolkit.dialects.dialect import not_equal
from poolkit.dialects.normal import normal
from poolkit.dialects.torch.native import native
from poolkit.errors import NotExactError
from poolkit.spec.operation import Operation
from poolkit.spec.pool_spec import PoolSpec
from poolkit.spec.roi import RoiSpec
from poolkit.spec.unpool import SMALLEST, Unpool

WINDOWS = ("window", "stride", "padding", "dilation", "ceil_mode", "layout", "axes")


def others(spec: Operation) -> Call:
    """The torch.nn module, which is called with the values and their indices."""
    if isinstance(spec, Unpool):
        return _unpool(spec)
    if isinstance(spec, RoiSpec):
        raise NotExactError("torch.nn pools no regions, and torchvision.ops, which does, is a package of its own")
    raise NotExactError(f"torch.nn has none that takes {' and '.join(spec.needs)} besides")


def _unpool(spec: Unpool) -> Call:
    pooling = spec.pooling
    if pooling.window is None or pooling.output_size is not None:
        raise NotExactError("MaxUnpool goes back to windows of one stride, and this spec has bins or drawn windows")
    try:  # of any kind, the places alone count
        pool = native(normal(PoolSpec("max", indices=True, **{name: getattr(pooling, name) for name in WINDOWS})))
    except NotExactError as error:
        raise NotExactError(str(error)) from None
    given = {name: value for name, value in pool.kwargs if name != "return_indices"}
    made = Call(pool.name.replace("MaxPool", "MaxUnpool"), pool.args, tuple(given.items()))
    if not {"padding"}.issuperset(given):
        raise NotExactError(f"MaxUnpool has no {' and no '.join(given.keys() - {'padding'})}")
    if spec.output_size != SMALLEST:
        raise not_equal("MaxUnpool takes the size of what it makes when it is called, and this spec has it", made)
    window: Any = pooling.window
    stride: Any = pooling.stride
    if any(step < k for step, k in zip(stride, window, strict=True)):
        raise not_equal("of several values at one place MaxUnpool gives each a gradient", made)
    return made
