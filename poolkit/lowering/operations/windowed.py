"""Unpooling of values each of which goes to its own window, where windows are small and share no cell."""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from poolkit.lowering.geometry import spread

if TYPE_CHECKING:
    from poolkit.lowering.geometry import Axis
    from poolkit.lowering.primitives import Ops, Tensor
    from poolkit.spec.pool_spec import PoolSpec

SMALL = 8  # cells along a side of windows in which places are looked for
Windows = list[tuple[int, int]]  # span and stride along each axis


def windows_of(spec: PoolSpec, axes: Sequence[Axis]) -> Windows | None:
    """Those of axes of size `n` now and `out` before, where they are small, lie within the map and share no cell."""
    if spec.window is None or spec.padding != "valid":
        return None
    made: Windows = []
    for i, a in enumerate(axes):
        k, s, r = (spread(v, i, len(axes)) for v in (spec.window, spec.stride, spec.dilation))
        span = r * (k - 1) + 1
        if not span <= min(s, SMALL) or (a.n - 1) * s + span > a.out:
            return None
        made.append((span, s))
    return made


def all_own(o: Ops, axes: Sequence[Axis], windows: Windows, indices: Tensor, dtype: str, compiled: bool) -> Any:
    """Whether each index is one of its own window: the larger distance from its ends halves its rows each time."""
    reach, skipped, steps = [span - 1 for span, _ in windows], 0, _steps(axes)
    first = [o.multiply(o.iota(indices, a.at), w[1] * n) for a, w, n in zip(axes, windows, steps, strict=True)]
    n = o.of_dtype(dtype)
    behind = n.subtract(n.cast(indices, dtype), n.cast(functools.reduce(o.add, first), dtype))
    for i, step in enumerate(steps[:-1]):
        while reach[i] > 0:
            behind = n.better("max", behind, n.subtract(2 * skipped + sum(map(operator.mul, steps, reach)), behind))
            skipped, reach[i] = skipped + (reach[i] + 1) // 2 * step, reach[i] // 2
    # Of integers XLA finds the largest and the smallest number 20 times as slowly.
    behind = n.cast(behind, "float32") if compiled else behind
    return n.between(behind, skipped - 1, skipped + reach[-1] + 1)


def near_by(o: Ops, numbers: Ops, axes: Sequence[Axis], windows: Windows, values: Tensor, places: Tensor) -> Tensor:
    """Each value is held against the cells of its window, of which XLA makes one loop, in 0.8 of a scatter's time.

    Its derivative takes 5 times as long as that of a scatter.
    """
    rest, sides = [o.size(values, at) for at in range(o.rank - 1)], [n for a in axes for n in (a.n, 1)]
    first, rank = len(rest), len(rest) + len(axes)
    wide, n, maps = o.of_rank(rank + len(axes)), numbers.of_rank(rank + len(axes)), o.of_rank(rank)
    made, at = wide.reshape(values, (*rest, *sides)), n.reshape(places, (*rest, *sides))
    cells: list[Tensor] = []
    for i, ((span, stride), step) in enumerate(zip(windows, _steps(axes), strict=True)):
        starts = n.multiply(n.cast(n.iota(at, first + 2 * i), n.dtype), stride * step)
        cells.append(n.add(starts, n.line(tuple(range(0, span * step, step)), first + 2 * i + 1, n.dtype, at)))
    made = wide.where(wide.equal(at, functools.reduce(n.add, cells)), made, 0)
    for i, (span, stride) in enumerate(windows):
        made = wide.pad(made, first + 2 * i + 1, 0, stride - span, 0) if stride > span else made
    made = wide.reshape(made, (*rest, *[a.n * stride for a, (_, stride) in zip(axes, windows, strict=True)]))
    for a, (_, stride), at in zip(axes, windows, range(first, rank), strict=True):
        left = a.out - a.n * stride
        if left != 0:
            made = maps.pad(made, at, 0, left, 0) if left > 0 else maps.slice(made, at, 0, left, 1)
    return maps.merge(made, len(axes), math.prod([a.out for a in axes])) if len(axes) > 1 else made


def _steps(axes: Sequence[Axis]) -> list[int]:
    """From one cell to the next along each axis, counted over the map."""
    return [math.prod([a.out for a in axes[i + 1 :]]) for i in range(len(axes))]
