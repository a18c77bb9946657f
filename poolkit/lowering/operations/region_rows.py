"""Regions where calls are made one by one: of a map whose channels lie side by side a cell is a row, copied as a whole.

What a bin averages are then a few rows, which a product of matrices weighs and adds up; of the cells of a bin the
largest of each channel is found, and with a derivative where it stands, so that the derivative goes there at once.
Both are given places (K, P, S, Q, T).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from poolkit.lowering.fold import IN_A_ROW

if TYPE_CHECKING:
    from poolkit.lowering.primitives import Ops

Tensor = Any
Regions = Any  # the plan, which asks for what is here
Near = tuple[Any, Callable[[Tensor], Tensor]]  # whether it is right, None where it is, and what then gives (K, P, Q, C)


def way_of(plan: Regions, derivative: bool) -> str | None:
    """The name of the way, where there is one; a product of matrices adds up in a row."""
    if plan.spec.kind == "max":
        return "placed" if derivative else "values"
    few = math.prod(plan.grids) <= IN_A_ROW
    return "rows" if plan.spec.mode == "avg" and few else None


def averages(o: Ops, x: Tensor, plan: Regions, places: Tensor, weights: Tensor) -> Near:
    """By weights (K, P, S, Q, T): a weight of 0 times a cell that is infinite or NaN would be NaN."""

    def near(x: Tensor) -> Tensor:
        three, five, turn = o.of_rank(3), o.of_rank(5), (0, 1, 3, 2, 4)
        cells = _taken(o, _rows(o, x, plan), o.of_rank(1).reshape(five.permute(places, turn), (-1,)))
        count, channels = math.prod(plan.grids), o.size(x, plan.order[0])
        shares = three.reshape(five.permute(weights, turn), (-1, 1, count))
        return _bins(o, x, plan, three.matmul(shares, three.reshape(cells, (-1, count, channels))))

    return o.between(o.detach(x), -math.inf, math.inf), near


def largest(o: Any, x: Tensor, plan: Regions, places: Tensor) -> Near:
    """By a framework's own maximum, which, where numbers can be put, hands on NaN.

    That equals nothing, so that there is no place of it. Of several cells the first is that with the most left from it.
    """
    one, two, three, rows = o.of_rank(1), o.of_rank(2), o.of_rank(3), _rows(o, x, plan)
    count, channels = math.prod(plan.grids), o.size(x, plan.order[0])
    flat = one.reshape(o.of_rank(5).permute(places, (2, 4, 0, 1, 3)), (-1,))
    cells = three.reshape(_taken(o, o.detach(rows), flat), (count, -1, channels))
    made = three.extreme("max", cells, (0,))
    if plan.way == "values":
        return None, lambda x: _bins(o, x, plan, made)
    dtype = "int8" if count < 2**7 else "int32"  # the narrower the sooner
    line = three.line(tuple(range(count, 0, -1)), 0, dtype, x)
    left = three.extreme("max", three.multiply(three.cast(three.equal(cells, made), dtype), line), (0,))

    def near(x: Tensor) -> Tensor:
        which = three.subtract(count, three.cast(left, "int32"))
        at = three.add(three.multiply(which, o.size(made, 1)), three.iota(which, 1))
        there = two.reshape(one.take(flat, one.reshape(at, (-1,)), 0), (-1, channels))
        return _bins(o, x, plan, two.take_along(_rows(o, x, plan), there, 0))

    return three.of_dtype(dtype).between(left, 0, count + 1), near


def _rows(o: Ops, x: Tensor, plan: Regions) -> Tensor:
    channel, *others = plan.order
    return o.reshape(o.permute(x, (*others, channel)), (-1, o.size(x, channel)))


def _taken(o: Ops, rows: Tensor, places: Tensor) -> Tensor:
    return o.of_rank(2).take(rows, places, 0)


def _bins(o: Ops, x: Tensor, plan: Regions, made: Tensor) -> Tensor:
    return o.reshape(made, (-1, *[a.out for a in plan.axes], o.size(x, plan.order[0])))
