"""Kinds that add up a window's cells, and divide by their count or its root."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from poolkit.lowering.count import divisor_of
from poolkit.lowering.fold import total
from poolkit.lowering.kinds.kind import Kind, State

if TYPE_CHECKING:
    from poolkit.lowering.geometry import Axis
    from poolkit.lowering.primitives import Tensor


class Sum(Kind):
    """The sum of a window's real cells."""

    name = "sum"
    neutral = (0.0,)
    ordered = False

    def combine(self, a: State, b: State) -> State:
        return (self.o.add(a[0], b[0]),)

    def reduce(self, s: State, axes: Sequence[Axis], inside: Tensor | None = None) -> State:
        # All axes at once, since compilers merge sums that are nested.
        return (total(self.o, s[0], axes, self.plan.axes),)


class Avg(Sum):
    """The sum divided by the count of real cells, or of cells and padding, or by a given number."""

    name = "avg"

    def finish(self, s: State, like: Tensor) -> tuple[Tensor, Tensor | None]:
        return self.o.divide(s[0], divisor_of(self, like)), None


class MeanSqrt(Sum):
    """The sum divided by the square root of the count of real cells."""

    name = "mean_sqrt"

    def plain(self, x: Tensor, total: Callable[[Tensor], Tensor]) -> State:
        return (total(self.real(x, 0.0)),)

    def finish(self, s: State, like: Tensor) -> tuple[Tensor, Tensor | None]:
        count = divisor_of(self, like)
        if isinstance(count, int):
            return self.o.divide(s[0], math.sqrt(count)), None
        line = self.o.line((1,), self.plan.axes[0].at, self.plan.work, like)  # a count may be a symbol
        return self.o.divide(s[0], self.o.power(self.o.multiply(line, count), 0.5)), None
