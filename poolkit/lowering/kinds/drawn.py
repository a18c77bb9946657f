"""Stochastic pooling: a cell is drawn with a chance in proportion to its value, or all are averaged by these chances.

A draw is the same everywhere, however a framework adds up: the cells' shares of a window are whole numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from poolkit.lowering.kinds.kind import Choice, Kind, State
from poolkit.lowering.kinds.relative import ends, largest_of, least_of, no_change, scales, times
from poolkit.lowering.kinds.taps import Taps
from poolkit.lowering.kinds.uniform import canonical, places, uniform, within

if TYPE_CHECKING:
    from poolkit.lowering.plan import Plan
    from poolkit.lowering.primitives import Ops, Tensor


WHOLE = 2**30  # what the shares of a window add up to at the most, in int32


def stochastic(ops: Ops, plan: Plan, **given: Tensor) -> Kind:
    return Drawn(ops, plan, **given) if given else Expected(ops, plan)


class Expected(Taps):
    """What a draw gives on average, sum(a**2) / sum(a) of the cells above 0; 0 where there is none.

    Carries (scale, sum of squares, sum), both sums relative to the scale.
    """

    name = "stochastic"
    neutral = (1.0, 0.0, 0.0)

    def taken(self, s: State, count: Any, real: Tensor | None) -> State:
        at = self.o.rank
        o = self.o.of_rank(at + 1)
        wide = Expected(o, self.plan)
        return (wide.finish(wide.relative(s[0], self.total, lambda t: o.max(t, at)), s[0])[0],)

    def nothing(self, zero: Tensor) -> State:
        return zero, zero, zero

    def relative(self, x: Tensor, total: Callable[[Tensor], Tensor], largest: Callable[[Tensor], Tensor]) -> State:
        """Of cells over the largest, whose square may be too large, or 0."""
        o, x = self.o, self.real(x, 0.0)
        # Clipped first: else the branch that holds this takes more than 32 MB on JAX, which are new pages at each call.
        top = largest(o.detach(o.clip(x, 0.0, math.inf)))
        scale, back = scales(o, top)
        _, squares, weights = self.added(o.multiply(o.clip(x, 0.0, largest_of(self.plan.work)), scale), total)
        endless = o.both(o.equal(top, math.inf), o.greater(weights, 0))  # and no NaN
        return back, o.where(endless, math.inf, squares), weights

    def wide(self, x: Tensor, total: Callable[[Tensor], Tensor]) -> State:
        """In float64, which holds the squares of all of float32's numbers."""
        scale, squares, weights = self.added(self.o.clip(self.real(x, 0.0), 0.0, 2.0**500), total)
        return scale, self.o.where(self.o.greater(weights, 2.0**400), math.inf, squares), weights

    def beside(self, x: Tensor) -> tuple[Tensor, float]:
        return x, 0.0

    def bounded(self, x: Tensor, total: Callable[[Tensor], Tensor]) -> State:
        if self.way != "tried":
            return self.added(self.o.clip(self.real(x, 0.0), 0.0, math.inf), total)
        # Behind a ReLU nothing is below 0; to see it takes half the time of clipping, and the derivative none.
        none = self.o.between(self.o.detach(x), -least_of(self.plan.work), math.inf)
        return self.added(self.o.branch(none, lambda x: x, lambda x: self.o.clip(x, 0.0, math.inf), x), total)

    def cut(self, kept: State) -> bool:
        return True  # else XLA writes down what two sums share, and clipping the cells takes as long as both

    def added(self, a: Tensor, total: Callable[[Tensor], Tensor]) -> State:
        return 1.0, total(self.o.multiply(a, a)), total(a)

    def finish(self, s: State, like: Tensor) -> tuple[Tensor, Tensor | None]:
        """Over infinity where there is no cell above 0, so that no derivative is left; nor is one of infinite cells."""
        if len(s) == 1:
            return s[0], None  # which `taken` has made of cells beside each other
        o, endless = self.o, self.o.equal(s[1], math.inf)
        weights = o.where(o.equal(s[2], 0), math.inf, s[2])
        value = o.divide(o.where(endless, 1.0, s[1]), weights)
        return o.where(endless, math.inf, times(o, value, s[0])), None

    def certain(self, s: State, like: Tensor) -> Tensor:
        return self.o.divide(s[1], s[2])

    def slope(self, x: Tensor, s: State, change: Tensor, total: Callable[[Tensor], Tensor]) -> State:
        o, scale = self.o, self.o.power(self.o.detach(s[0]), -1.0)
        cells = o.multiply(o.clip(x, 0.0, largest_of(self.plan.work)), scale)
        each = o.multiply(o.where(o.less(x, 0), 0.0, change), scale)
        return no_change(o, s[0]), total(o.multiply(o.multiply(cells, 2.0), each)), total(each)

    def fits(self, s: State, bound: float) -> Any:
        """The largest cell's square is at most the sum, and at least that over the cells' number."""
        return self.o.between(self.o.detach(s[1]), *ends(self.plan.work, 60.0))

    def sound(self, values: Tensor, bound: float) -> Any:
        """The largest cell is at least the average, and less than that times their number."""
        return self.o.between(values, *ends(self.plan.work, 30.0))


class Drawn(Choice, Taps):
    """The cell in whose part of the line from 0 to 1 a sample falls, when cells are laid side by side in order.

    Samples are given, or follow from a key: a number for each of the result.

    The parts are proportional to the cells above 0. Where a window has infinite cells, these alone share the line;
    where it has NaNs, the NaNs alone.
    """

    name = "stochastic"

    def __init__(self, ops: Ops, plan: Plan, samples: Tensor = None, key: Tensor = None) -> None:
        super().__init__(ops, plan)
        self.key = key
        if samples is not None:
            self.samples = ops.expand(within(ops, samples), ops.rank)

    def taken(self, s: State, count: Any, real: Tensor | None) -> State:
        at = self.o.rank
        o = self.o.of_rank(at + 1)
        ends = o.running_sum(self.shares(o, o.detach(s[0]), count), at)
        whole = o.max(ends, at)
        if self.key is not None:
            self.samples = uniform(o, self.key, places(o, whole, canonical(self.plan)))
        falls = o.cast(o.floor(o.multiply(o.cast(whole, o.dtype), self.samples)), "int32")
        falls = o.where(o.less(falls, whole), falls, o.subtract(whole, 1))  # a sample may be rounded to 1
        place = o.count(o.less(ends, o.add(falls, 1)), at, "int32")
        chosen, some = o.equal(o.iota(ends, at), place), o.greater(whole, 0)
        found = [o.pick(chosen, t, at) for t in s]
        return tuple([o.where(some, t, nothing) for t, nothing in zip(found, (0, -1), strict=False)])

    def shares(self, o: Ops, cells: Tensor, count: Any) -> Tensor:
        """Each cell's length on the line, a whole number; `count` times the largest possible one fits in int32."""
        at, work = o.rank - 1, self.plan.work
        weights = o.where(o.less(cells, least_of(work)), 0, cells)
        weights = o.multiply(weights, self.scale(o, o.max(weights, at)))
        # This choice also keeps TensorFlow from multiplying both factors first, which is too large for a number.
        for alone in (o.equal(cells, math.inf), o.isnan(cells)):
            weights = o.where(o.any(alone, at), o.cast(alone, work), weights)
        if isinstance(count, int):
            most: Any = WHOLE / 4 / count
        else:
            most = o.divide(o.line((WHOLE // 4,), at, work, cells), o.cast(o.where(o.equal(count, 0), 1, count), work))
        return o.cast(o.floor(o.multiply(weights, most)), "int32")

    def scale(self, o: Ops, top: Tensor) -> Tensor:
        """The power of two that brings it between 1 and 4; XLA divides by reciprocals, which are almost right."""
        bits = 10 if self.plan.work == "float64" else 7
        scale = o.where(o.less(top, 2.0), 2.0 ** (2**bits - 2), o.cast(o.greater(top, -1), o.dtype))
        for e in [2**i for i in reversed(range(bits))]:
            fits = o.less(o.multiply(top, scale), 2.0 ** (e + 1))
            scale = o.where(fits, scale, o.multiply(scale, 2.0**-e))
        return scale
