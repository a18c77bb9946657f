"""What a pooling costs, as counts that do not depend on a framework (docs/semantics.md)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from poolkit.arguments import as_dtype, as_shape
from poolkit.errors import DtypeError
from poolkit.facts import KINDS
from poolkit.geometry import axes_of
from poolkit.messages import shown
from poolkit.plan import FLOATS

if TYPE_CHECKING:
    from poolkit.operation import Operation
    from poolkit.spec import PoolSpec

BYTES = {"float16": 2, "bfloat16": 2, "float32": 4, "float64": 8}


class Cost(NamedTuple):
    """Operations on elements, bytes that have to be read and written at the least, and learned parameters."""

    operations: int
    bytes: int
    parameters: int


def cost(spec: Operation, shape: Sequence[int], dtype: str = "float32") -> Cost:
    """Operations, bytes and parameters of an operation on an input of this shape.

    A window of K real cells takes K - 1 comparisons or additions, one more operation for an average, and about 4*K for
    a softmax-weighted average; k pools that are added take 2*k - 1 more for each result. Bytes are one read of the
    input and one write of the result. Raises `ShapeError` as pooling itself does.

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
    cells = others * math.prod(sum(map(len, a.cells())) for a in axes)
    return KINDS[spec.kind].operations(cells, windows)
