"""What a pooling costs, as counts that do not depend on a framework (docs/semantics.md)."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from poolkit.errors import DtypeError, ShapeError
from poolkit.lowering.geometry import axes_of, leading, letters_of
from poolkit.lowering.operations.strips import averaged
from poolkit.running.further import Described, described
from poolkit.spec.arguments import as_dtype, as_shape, as_tensors
from poolkit.spec.dtypes import BYTES, FLOATS
from poolkit.spec.kinds import KINDS, RANDOM
from poolkit.spec.messages import shown

if TYPE_CHECKING:
    from poolkit.lowering.axis import Axis
    from poolkit.spec.kinds import Facts
    from poolkit.spec.operation import Further, Operation
    from poolkit.spec.pool_spec import PoolSpec


class Cost(NamedTuple):
    """Operations on elements, bytes that have to be read and written at the least, and learned parameters."""

    operations: int
    bytes: int
    parameters: int


def cost(
    spec: Operation, shape: Sequence[int], dtype: str = "float32", tensors: Mapping[str, Described] | None = None
) -> Cost:
    """Operations, bytes and parameters of an operation on an input of this shape.

    Operations are those of a kind's formula, whose counts docs/semantics.md has in a table: a window of K real cells
    takes K - 1 comparisons or additions, one more operation for an average. k pools that are added take 2*k - 1 more
    for each result. Bytes are one read of the input and one write of the result. `tensors` are those besides the
    input, described as for `poolkit.lower`, and read once; a mask and weights take one operation for each cell, and are
    added up like the input, but for a sum. Raises `ShapeError` as pooling itself does.

    >>> from poolkit import GlobalAvgPool
    >>> cost(GlobalAvgPool(layout="NHWC", keepdims=True), (1, 7, 7, 2048))
    Cost(operations=100352, bytes=409600, parameters=0)
    """
    if as_dtype(dtype) not in FLOATS:
        raise DtypeError(
            f"received dtype {shown(dtype)}, and a cost is counted for {', '.join(FLOATS)}; choose one of them"
        )
    shape = as_shape(shape)
    results = sum([math.prod([n or 0 for n in sizes]) for sizes in spec.output_shapes(shape)])
    further = described(spec, as_tensors(tensors), shape, dtype)
    cells = [f for f in further if f.name not in (*spec.learned, *spec.loose, *spec.parameters, *RANDOM)]
    parts = [
        _operations(part, KINDS[part.kind], sizes) + _of_tensors(part, [f for f in cells if f.name in names], sizes)
        for part, sizes, names in spec.each(shape)
    ]
    read = sum(BYTES.get(f.dtype, 1) * math.prod(n or 1 for n in f.sizes) for f in further)
    least = BYTES[dtype] * (math.prod(shape) + results) + 8 * results * spec.indices
    held = sum(math.prod(p.shape) for p in spec.parameters.values())
    return Cost(sum(parts) + spec.joining(shape, [f.name for f in further]), least + read, held)


def _sizes(spec: Operation, f: Further, shape: Sequence[int]) -> list[int]:
    """The sizes of a further tensor along the axes of the input: without channels it has one there."""
    channels = letters_of(spec, len(shape)).find("C")
    at = channels + leading(spec, len(shape)) if f.rank < len(shape) else -1
    return [1 if n == at else size for n, size in enumerate(shape)]


def _of_tensors(spec: PoolSpec, further: Sequence[Further], shape: Sequence[int]) -> int:
    """A mask and weights are applied to every cell, and what they leave of a window is added up, or looked at."""
    sizes = [_sizes(spec, f, shape) for f in further]
    applied = len(further) * math.prod(shape) + (math.prod(map(max, *sizes)) if len(sizes) > 1 else 0)
    facts = KINDS[spec.kind]
    left = _operations(spec, KINDS["sum"], sizes[-1]) if sizes and (facts.averages or not facts.adds) else 0
    return applied + left


def _operations(spec: PoolSpec, facts: Facts, shape: Sequence[int]) -> int:
    axes = axes_of(spec, len(shape), lambda at: (shape[at], True))
    pooled = {a.at for a in axes}
    others = math.prod(n for at, n in enumerate(shape) if at not in pooled)
    lines = [dataclasses.replace(a.sliding, out=averaged(a)) if a.form == "strips" else a for a in axes]
    windows = others * math.prod(a.out for a in lines)
    cells = others * math.prod(_cells(a) for a in lines)
    return facts.operations(cells, windows)


MOST = 2**20


def _cells(a: Axis) -> int:
    """The real cells of all windows along an axis, each as often as a window covers it."""
    if a.form in ("whole", "keep"):
        return int(a.n)
    if a.form == "bins":
        return int(a.n + a.out - math.gcd(a.n, a.out))  # two bins share a cell where the end of one lies within it
    if a.form in ("spread", "parts"):
        return sum(map(len, a.ranges()))
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
