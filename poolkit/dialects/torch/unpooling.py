"""torch's max unpooling, which puts maxima back to their places: as `pk.Unpool`, of the pool with the same windows."""

from __future__ import annotations

from functools import partial
from typing import Any

from poolkit.dialects.calls import known, listed, text
from poolkit.dialects.dialect import Fields, Word, need_value
from poolkit.dialects.torch.native import LAYOUTS
from poolkit.dialects.torch.windows import each, padding_of, stride_of
from poolkit.errors import NotExactError
from poolkit.spec.operation import Operation
from poolkit.spec.pool_spec import PoolSpec
from poolkit.spec.unpool import SMALLEST, Unpool
from poolkit.spec.values import is_many


def _layer(n: int, kernel_size: Any, stride: Any = None, padding: Any = 0, output_size: Any = None) -> Unpool:
    for name, value in (("kernel_size", kernel_size), ("stride", stride), ("padding", padding)):
        need_value(name, value)
    sizes = {"window": each(n, kernel_size), "stride": stride_of(n, stride), "padding": padding_of(n, padding)}
    pooling = PoolSpec("max", layout=LAYOUTS[n], **sizes)
    return Unpool(pooling, SMALLEST if output_size is None else _size(n, listed(output_size), pooling))


def _size(n: int, output_size: Any, pooling: PoolSpec) -> Any:
    """The sizes along the pooled axes, before which torch takes those of batch and channels too."""
    if not known(output_size):
        raise NotExactError(
            f"output_size={text(output_size)} is not known here, and what is made has that size; write "
            f"poolkit.unpool(values, indices, poolkit.{pooling!r}, output_size) with the sizes of the pooled axes alone"
        )
    if not is_many(output_size) or len(output_size) not in (n, n + 2):
        raise NotExactError(
            f"output_size={output_size} is not what torch takes, {n} sizes or {n + 2}; mend the call, as in "
            f"output_size={(8,) * n}"
        )
    return tuple(output_size)[-n:]


def _function(
    n: int, indices: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, output_size: Any = None
) -> Unpool:
    return _layer(n, kernel_size, stride, padding, output_size)


def _module(n: int, kernel_size: Any, stride: Any = None, padding: Any = 0) -> Unpool:
    return _layer(n, kernel_size, stride, padding)


def _shared(read: Fields | Operation) -> str:
    """What is said of windows that overlap, of which several may have chosen one cell."""
    pooling: Any = read.pooling if isinstance(read, Unpool) else None
    if pooling is None or all(step >= k for step, k in zip(pooling.stride, pooling.window, strict=True)):
        return ""
    return "of several values at one place torch gives each a gradient, and poolkit the last, which is seen"


INDICES = (("indices", "indices"),)

UNPOOLING = tuple(
    word
    for n in (1, 2, 3)
    for word in (
        Word(f"torch.nn.MaxUnpool{n}d", partial(_module, n), further=INDICES, differs=_shared),
        Word(f"torch.nn.functional.max_unpool{n}d", partial(_function, n), "input", further=INDICES, differs=_shared),
    )
)
