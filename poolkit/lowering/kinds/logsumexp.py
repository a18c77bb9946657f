"""The logarithm of a sum, or of an average, of exponentials."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from poolkit.lowering.count import divisor_of
from poolkit.lowering.kinds.kind import State
from poolkit.lowering.kinds.relative import (
    Relative,
    decayed,
    exponents,
    factors,
    largest_of,
    moderate,
    no_change,
    times,
)

if TYPE_CHECKING:
    from poolkit.lowering.plan import Plan
    from poolkit.lowering.primitives import Ops, Tensor


class LogSumExp(Relative):
    """log(sum(exp(beta * x))) / beta, or with normalize="mean" of the average; an infinite cell has no gradient.

    Cells are carried times beta only as far as that is at most 1, as in `Softmax`.
    """

    neutral = (-math.inf, 0.0)

    def __init__(self, ops: Ops, plan: Plan, **learned: Tensor) -> None:
        super().__init__(ops, plan, **learned)
        self.near, self.far = factors(ops, self.options["beta"])

    def lift(self, x: Tensor) -> State:
        o = self.o
        scaled = times(o, x, self.near)
        largest = o.detach(scaled)
        finite = o.where(o.either(o.equal(largest, math.inf), o.equal(largest, -math.inf)), 0.0, scaled)
        return largest, self.share(finite, o.detach(finite))

    def relative(self, x: Tensor, total: Callable[[Tensor], Tensor], largest: Callable[[Tensor], Tensor]) -> State:
        """Infinite cells are as far as finite ones go, so that no sum is infinite, and that of a NaN is NaN."""
        o, end = self.o, largest_of(self.plan.work)
        scaled = self.real(times(o, x, self.near), -math.inf)
        most = largest(o.detach(scaled))
        finite = o.clip(scaled, -math.inf, end)
        alone = o.both(o.equal(most, -math.inf), o.equal(finite, -math.inf))  # in other windows a masked cell stays so
        finite = o.where(alone, -end, finite)
        return most, total(self.share(finite, o.clip(most, -end, end)))

    def beside(self, x: Tensor) -> tuple[Tensor, float]:
        return x, math.copysign(math.inf, -self.near)  # times beta -inf

    def bounded(self, x: Tensor, total: Callable[[Tensor], Tensor], *kept: Tensor) -> State:
        return 0.0, total((kept or self.kept(x, None))[0])

    def kept(self, x: Tensor, scale: Tensor | None) -> State:
        o, top = self.o, largest_of(self.plan.work)
        if scale is None:
            return (self.real(o.exp(exponents(self, x)), 0.0),)
        scaled = o.clip(times(o, x, self.near), -math.inf, top)
        return (self.share(scaled, o.where(self.endless(scale), top, scale)),)

    def slope(self, x: Tensor, s: State, change: Tensor, total: Callable[[Tensor], Tensor]) -> State:
        """A window whose largest is infinite has none."""
        o, most = self.o, self.o.detach(s[0])
        each = o.multiply(s[2], change)
        found = o.where(self.endless(most), 0.0, total(each))
        return no_change(o, s[0]), *(times(o, times(o, t, self.near), self.far) for t in (found, each))

    def endless(self, largest: Tensor) -> Tensor:
        return self.o.either(self.o.equal(largest, math.inf), self.o.equal(largest, -math.inf))

    def fits(self, s: State, bound: float) -> Any:
        return self.o.between(self.o.detach(s[1]), math.exp(-bound), math.exp(bound))

    def sound(self, values: Tensor, bound: float) -> Any:
        return moderate(self, values, bound)

    def share(self, scale: Tensor, largest: Tensor) -> Tensor:
        return decayed(self.o, self.o.subtract(scale, largest), self.far)

    def finish(self, s: State, like: Tensor) -> tuple[Tensor, Tensor | None]:
        o = self.o
        cells = o.divide(s[1], divisor_of(self, like)) if self.options["normalize"] == "mean" else s[1]
        if isinstance(s[0], float):
            return self.divided(self.divided(o.log(cells), self.far), self.near), None
        right = o.greater(cells, 0)  # no NaN
        above, below = (o.both(right, o.equal(s[0], end)) for end in (math.inf, -math.inf))
        # Forward mode in TensorFlow multiplies an infinite one by 0.
        largest = o.where(o.either(above, below), 0.0, s[0])
        found = self.divided(o.add(largest, self.divided(o.log(cells), self.far)), self.near)
        if isinstance(self.near, float):
            above, below = (above, below) if self.near > 0 else (below, above)
        else:
            up, down = o.greater(self.near, 0), o.less(self.near, 0)
            above, below = (o.either(o.both(up, a), o.both(down, b)) for a, b in ((above, below), (below, above)))
        return o.where(above, math.inf, o.where(below, -math.inf, found)), None

    def divided(self, a: Tensor, b: Any) -> Tensor:
        return a if isinstance(b, float) and b == 1.0 else self.o.divide(a, b)
