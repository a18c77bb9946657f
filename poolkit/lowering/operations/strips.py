"""S3 pooling (Zhai and others, 2017): maxima of windows with stride 1, of which each strip of an axis hands on some.

Which they are is drawn along each axis, one number a line, so that the same lines are taken of every map of a batch.
Where nothing is drawn, windows as long as the stride average the maxima. Both are poolings by routes of their own.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from poolkit.lowering.kinds.uniform import uniform, within
from poolkit.lowering.plan import Plan, Run
from poolkit.lowering.weighed import WeighedPlan, weighed
from poolkit.spec.kinds import RANDOM
from poolkit.spec.operation import Further

if TYPE_CHECKING:
    from poolkit.lowering.axis import Axis
    from poolkit.lowering.plan import AnyPlan
    from poolkit.lowering.primitives import Ops, Tensor
    from poolkit.spec.pool_spec import PoolSpec

Sized = Callable[[int], tuple[Any, bool]]


@dataclasses.dataclass(frozen=True)
class StripsPlan(WeighedPlan):
    """The first part gives the maxima; where none is drawn the last averages them, and with a mask one says which."""

    @property
    def drawn(self) -> bool:
        return any(f.name in RANDOM for f in self.further)

    def join(self, o: Ops, x: Tensor, runs: Sequence[Run], **tensors: Tensor) -> tuple[Tensor, Tensor | None]:
        values, indices = runs[0](x, **tensors)
        if not self.drawn:
            return self._averages(o, x, values, runs, tensors), None
        ready = self.ready(o, x, tensors)
        for i, a in enumerate(self.axes):
            places = lines(o, x, values, a, functools.partial(self._numbers, o, ready, i))
            values = o.take(values, places, a.at)
            indices = None if indices is None else o.take(indices, places, a.at)
        return values, indices

    def _numbers(self, o: Ops, ready: dict[str, Tensor], i: int, line: Tensor) -> Tensor:
        """The numbers of the lines along an axis, which are those of row and axis of the samples."""
        one, two = o.of_rank(1), o.of_rank(2)
        if "samples" in ready:
            column = two.drop(two.slice(within(two, ready["samples"]), 1, i, i + 1, 1), (1,))
            return one.take(column, line, 0)
        axes = len(self.axes)
        return uniform(one, ready["key"], one.add(one.multiply(line, axes), i) if axes > 1 else line)

    def _averages(self, o: Ops, x: Tensor, maxima: Tensor, runs: Sequence[Run], tensors: dict[str, Tensor]) -> Tensor:
        taken = {}
        if "mask" in tensors:
            mask = self.ready(o, x, tensors)["mask"]
            taken["mask"] = self._cut(o, runs[1](o.cast(mask, self.work))[0])
        averages = runs[-1](self._cut(o, maxima), **taken)[0]
        for a in self.axes:
            if not a.known:  # the windows behind the last strip, of which there may be some
                several = _each(o, _ends(o, _flat(o, x, a), a), a)
                averages = o.take(averages, o.of_rank(1).iota(several, 0), a.at)
        return averages

    def _cut(self, o: Ops, maxima: Tensor) -> Tensor:
        for a in self.axes:
            if a.known and averaged(a) < a.sliding.out:
                maxima = o.slice(maxima, a.at, 0, averaged(a), 1)
        return maxima


def averaged(a: Axis) -> int:
    """How many of the maxima along an axis, the first ones, are averaged; what is behind them is left out."""
    return int(min(a.sliding.out, a.out * a.stride - a.stride // 2))


def lines(o: Ops, x: Tensor, maxima: Tensor, a: Axis, numbers: Callable[[Tensor], Tensor]) -> Tensor:
    """The places along an axis of the maxima that are handed on: of each strip those with the lowest numbers."""
    one = o.of_rank(1)
    line, ends = _flat(o, maxima, a), _ends(o, _flat(o, x, a), a)
    each = one.reshape(
        o.of_rank(2).add(one.expand(ends, 1), one.expand(one.line((0,) * a.grid, 0, "int32", x), 0)), (-1,)
    )
    last = one.max(ends, 0)
    strip = one.take(each, one.where(one.less(line, last), line, last), 0)  # the last one has what remains
    by_number = one.order(numbers(line), 0)
    by_strip = one.order(one.take(strip, by_number, 0), 0)
    found = one.take(one.take(by_number, by_strip, 0), _each(o, ends, a), 0)
    return one.sort(found, 0)


def _flat(o: Ops, x: Tensor, a: Axis) -> Tensor:
    """0, 1, … of an axis."""
    return o.of_rank(1).reshape(o.iota(x, a.at), (-1,))


def _ends(o: Ops, line: Tensor, a: Axis) -> Tensor:
    """The last cell of each strip, of lines that need no size: as many as fit."""
    return o.of_rank(1).slice(line, 0, a.grid - 1, None, a.grid)


def _each(o: Ops, ends: Tensor, a: Axis) -> Tensor:
    """The first cells of each strip, as many as are handed on."""
    one = o.of_rank(1)
    first = one.line(tuple(range(1 - a.grid, 1 - a.grid + a.grid // a.stride)), 0, "int32", ends)
    return one.reshape(o.of_rank(2).add(one.expand(ends, 1), one.expand(first, 0)), (-1,))


def strips(base: Plan, further: tuple[Further, ...], size: Sized) -> StripsPlan:
    """The plan of a spec with these further tensors; `size` is that of the input's axes."""
    whole = weighed(base, further, size)
    masks, drawn = tuple([f for f in further if f.name == "mask"]), any(f.name in RANDOM for f in further)
    most = base.spec.replace(kind="max", stride=1, options=())
    if not drawn and base.spec.indices:
        most = most.replace(indices=False)
    parts: list[AnyPlan] = [most.plan(base.rank, base.work, size, _same, masks)]
    if not drawn:
        left = {a.at: (averaged(a), True) if a.known else (a.n + (a.total - a.span) + 1, False) for a in base.axes}
        sizes = [left.get(at, size(at)) for at in range(base.rank)]
        if masks:
            parts.append(most.plan(base.rank, base.work, size, _same))
            lengths = tuple([n if k and at in left else None for at, (n, k) in enumerate(sizes)])
            masks = (Further("mask", base.rank, base.work, lengths),)
        parts.append(_averages(base).plan(base.rank, base.work, sizes.__getitem__, _same, masks))
    shape = (base.rank, base.dtype, base.work)
    return StripsPlan(base.spec, tuple(parts), base.axes, *shape, base, further=whole.further)


def _same(dtype: str) -> str:
    return dtype


def _averages(base: Plan) -> PoolSpec:
    """Averages of what is left of the maxima: windows as long as the stride, the first of which begins half before."""
    width = tuple([a.stride for a in base.axes])
    padding = [
        (a.stride // 2, a.out * a.stride - a.stride // 2 - averaged(a) if a.known else a.stride - 1) for a in base.axes
    ]
    return base.spec.replace(
        kind="avg", window=width, stride=width, padding=tuple(padding), dilation=1, options=(), indices=False
    )
