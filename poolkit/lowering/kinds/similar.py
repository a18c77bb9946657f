"""Cells weighted by how alike they and their window's average are: one of the two pools of AdaPool."""

from __future__ import annotations

from typing import Any

from poolkit.lowering.kinds.kind import State
from poolkit.lowering.kinds.relative import scales
from poolkit.lowering.kinds.taps import Taps

Tensor = Any


class Similar(Taps):
    """The average with weights softmax(d) within the window, where d is 2 * |a * m| / (a**2 + m**2) for the average m.

    That is 2 * r / (1 + r**2) for the smaller magnitude over the larger, whose squares may be out of range; 1 where
    both are 0.
    """

    name = "similar"

    def taken(self, s: State, count: Any, real: Tensor | None) -> State:
        at = self.o.rank
        o, (x,) = self.o.of_rank(at + 1), s
        if not isinstance(count, int):
            count = o.where(o.less(count, 1), 1, count)
        mean = o.divide(self.total(x), count if isinstance(count, int) else o.cast(count, o.dtype))
        cell, middle = o.absolute(x), o.absolute(mean)
        larger = o.greater(cell, middle)
        high, low = o.where(larger, cell, middle), o.where(larger, middle, cell)
        zero, scale = o.equal(high, 0), scales(o, o.detach(high))[0]
        low, high = (o.multiply(t, scale) for t in (low, high))
        ratio = o.where(zero, 1.0, o.divide(low, o.where(zero, 1.0, high)))
        weight = o.exp(o.divide(o.multiply(ratio, 2), o.add(o.multiply(ratio, ratio), 1)))
        weight = weight if real is None else o.where(o.equal(real, 1), weight, 0)
        whole = self.total(weight)
        return (o.divide(self.total(o.multiply(x, weight)), o.where(o.equal(whole, 0), 1.0, whole)),)
