"""What a pooling costs, as counts that do not depend on a framework (docs/semantics.md)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from poolkit.errors import DtypeError, ShapeError
from poolkit.lowering.geometry import axes_of
from poolkit.lowering.plan import FLOATS
from poolkit.spec.arguments import as_dtype, as_shape
from poolkit.spec.facts import KINDS
from poolkit.spec.messages import shown

if TYPE_CHECKING:
    from poolkit.lowering.geometry import Axis
    from poolkit.spec.operation import Operation
    from poolkit.spec.pool_spec import PoolSpec

BYTES = {"float16": 2, "bfloat16": 2, "float32": 4, "float64": 8}


class Cost(NamedTuple):
    """Operations on elements, bytes that have to be read and written at the least, and learned parameters."""

    operations: int
    bytes: int
    parameters: int


def cost(spec: Operation, shape: Sequence[int], dtype: str = "float32") -> Cost:
    """Operations, bytes and parameters of an operation on an input of this shape.

    A window of K real cells takes K - 1 comparisons or additions, one more operation for an average, about 4*K for a
    softmax-weighted average and 3*K for a norm; k pools that are added take 2*k - 1 more for each result. Bytes are one
    read of the input and one write of the result. Raises `ShapeError` as pooling itself does.

    >>> from poolkit import GlobalAvgPool
    >>> cost(GlobalAvgPool(layout="NHWC", keepdims=True), (1, 7, 7, 2048))
    Cost(operations=100352, bytes=409600, parameters=0)
    """
    if as_dtype(dtype) not in FLOATS:
        raise DtypeError(
            f"received dtype {shown(dtype)}, and a cost is counted for {', '.join(FLOATS)}; choose one of them"
        )
    shape = as_shape(shape)
    results = math.prod(n for n in spec.output_shape(shape) if n is not None)
    operations = sum(_operations(part, shape) for part in spec.poolings()) + spec.joining(results)
    return Cost(operations, BYTES[dtype] * (math.prod(shape) + results) + 8 * results * spec.indices, 0)


def _operations(spec: PoolSpec, shape: Sequence[int]) -> int:
    axes = axes_of(spec, len(shape), lambda at: (shape[at], True))
    pooled = {a.at for a in axes}
    others = math.prod(n for at, n in enumerate(shape) if at not in pooled)
    windows = others * math.prod(a.out for a in axes)
    cells = others * math.prod(_cells(a) for a in axes)
    return KINDS[spec.kind].operations(cells, windows)


MOST = 2**20


def _cells(a: Axis) -> int:
    """The real cells of all windows along an axis, each as often as a window covers it."""
    if a.form in ("whole", "keep"):
        return int(a.n)
    if a.form == "bins":
        return int(a.n + a.out - math.gcd(a.n, a.out))  # two bins share a cell where the end of one lies within it
    if min(a.out, a.window) > MOST:
        raise ShapeError(
            f"received {a.out} windows of {a.window} cells along axis {a.letter}, and cells are counted where one of "
            f"the two is {MOST} at the most; give a smaller axis"
        )
    if a.out <= a.window:
        return sum(len(a.range_of(o)) for o in range(a.out))
    return sum(_windows_at(a, a.low - j * a.dilation) for j in range(a.window))


def _windows_at(a: Axis, first: int) -> int:
    """How many windows have a real cell in the place whose first one is at ``-first``."""
    last: int = min((a.n - 1 + first) // a.stride, a.out - 1)
    return max(last - max(-(-first // a.stride), 0) + 1, 0)
