"""Windows whose cells have binomial weights: a blur before a stride, so that nothing aliases (Zhang, 2019)."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING

from poolkit.lowering.fold import check_calls, pad, tap
from poolkit.lowering.kinds.kind import Kind, State

if TYPE_CHECKING:
    from poolkit.lowering.geometry import Axis
    from poolkit.lowering.primitives import Ops, Tensor


class Blur(Kind):
    """The sum of a window's cells, each times binomials of its places, over a power of two, the sum of these.

    Padding holds cells of the input, or zeros, and always counts.
    """

    name = "blur"

    def slide(self, s: State, a: Axis) -> State:
        o, k = self.o, a.window
        x = around(o, s[0], a, self.options["pad_mode"])
        cells = [tap(o, x, a, i) for i in range(k)]
        parts = [_times(o, _both(o, cells, i), weights(k)[i]) for i in range((k + 1) // 2)]
        return (functools.reduce(o.add, parts),)

    def finish(self, s: State, like: Tensor) -> tuple[Tensor, Tensor | None]:
        return _times(self.o, s[0], 1 / math.prod([sum(weights(a.window)) for a in self.plan.axes])), None


def weights(k: int) -> tuple[int, ...]:
    """Of the places of a window of `k` cells along an axis."""
    return tuple([math.comb(k - 1, j) for j in range(k)])


def places(a: Axis, o: int, mode: str) -> list[int]:
    """The cell of the input that stands in each place of window `o` along an axis of known length; -1 for a zero."""
    last, reach = a.n - 1, a.reach(o)
    if mode == "zeros":
        return [p if 0 <= p <= last else -1 for p in reach]
    return [last - abs(last - abs(p)) if mode == "reflect" else min(max(p, 0), last) for p in reach]


def _both(o: Ops, cells: list[Tensor], i: int) -> Tensor:
    """The cells that have the weight of cell `i`: the one as far from the end, too."""
    last = len(cells) - 1 - i
    return cells[i] if i == last else o.add(cells[i], cells[last])


def _times(o: Ops, x: Tensor, n: float) -> Tensor:
    return x if n == 1 else o.multiply(x, n)


def around(o: Ops, x: Tensor, a: Axis, mode: str) -> Tensor:
    """`x` with the padding of one axis, which holds zeros, the mirrored cells, or the one at the edge."""
    if a.total == 0 or mode == "zeros":
        return pad(o, x, a, 0) if a.total else x
    return (_beside if isinstance(a.low, int) else _taken)(o, x, a, mode == "reflect")


def _beside(o: Ops, x: Tensor, a: Axis, mirrored: bool) -> Tensor:
    """Cells behind are counted from the end, so that no size is needed."""
    before, behind = a.low, a.reached if a.known else a.high
    check_calls(a, before + behind, "cells of padding")
    first = [i if mirrored else 0 for i in range(before, 0, -1)]
    last = [-1 - i if mirrored else -1 for i in range(1, behind + 1)]
    cells = [o.slice(x, a.at, i, i + 1 or None, 1) for i in [*first, *last]]
    return o.concat([*cells[:before], x, *cells[before:]], a.at) if cells else x


def _taken(o: Ops, x: Tensor, a: Axis, mirrored: bool) -> Tensor:
    """Where the padding is a symbol, so is the place of each cell; one that is beyond the axis is not read."""
    place = o.iota(o.pad(o.iota(x, a.at), a.at, 0, a.total, 0), a.at)
    place = o.subtract(place, o.number(a.low, "int32"))
    last = o.number(a.n - 1, "int32")
    if mirrored:
        place = o.absolute(place)
        place = o.where(o.greater(place, last), o.subtract(o.multiply(last, 2), place), place)
    place = o.where(o.less(place, 0), 0, place)
    place = o.where(o.greater(place, last), last, place)
    return o.take(x, o.reshape(place, (-1,)), a.at)
