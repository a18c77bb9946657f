"""The standard deviation of a window; with the average beside it what is called statistics pooling."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from poolkit.lowering.count import divisor_of
from poolkit.lowering.kinds.kind import State
from poolkit.lowering.kinds.relative import scales
from poolkit.lowering.kinds.taps import Taps

if TYPE_CHECKING:
    from poolkit.lowering.primitives import Ops, Tensor


class Std(Taps):
    """The root of the average square of what cells are away from their average; 0 with gradient 0 where all are equal.

    Cells are taken relative to the largest of the window, so that those of equal ones are 0 and not what rounding
    left; and a fourth of them, whose differences are in range.
    """

    name = "std"

    def taken(self, s: State, count: Any, real: Tensor | None) -> State:
        at = self.o.rank
        o = self.o.of_rank(at + 1)
        kind = Std(o, self.plan)
        if real is not None:
            kind.mask, kind.counted = o.equal(real, 1), self.at_least_1(o, o.cast(count, o.dtype))
        return kind.relative(s[0], self.total, lambda t: o.max(t, at))

    def relative(self, x: Tensor, total: Callable[[Tensor], Tensor], largest: Callable[[Tensor], Tensor]) -> State:
        o, count = self.o, divisor_of(self, x)
        cells = o.multiply(x, 0.25)
        below = self.real(o.subtract(cells, largest(o.detach(self.real(cells, -math.inf)))), 0.0)
        scale, back = scales(o, largest(o.multiply(o.detach(below), -1)))
        below = o.multiply(below, scale)
        away = self.real(o.subtract(below, o.divide(total(below), count)), 0.0)
        squares = total(o.multiply(away, away))
        one = o.equal(squares, 0)
        root = o.power(o.divide(o.where(one, 1.0, squares), self.divisor(count, one)), 0.5)
        return (o.where(one, 0.0, o.multiply(o.multiply(root, 4.0), back)),)

    def divisor(self, count: Any, like: Tensor) -> Any:
        o, less = self.o, self.options["correction"]
        if not less:
            return count
        if isinstance(count, int):
            return max(count - less, 1)
        cells = o.multiply(o.line((1,), o.rank - 1, o.dtype, like), count)  # a size that is a symbol is no tensor yet
        return self.at_least_1(o, o.subtract(cells, less))

    @staticmethod
    def at_least_1(o: Ops, count: Tensor) -> Tensor:
        return o.where(o.less(count, 1), 1, count)
