"""Stochastic pooling: a cell is drawn with a chance in proportion to its value, or all are averaged by these chances.

A draw is the same everywhere, however a framework adds up: the cells' shares of a window are whole numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from poolkit.lowering.kinds.kind import Choice, Kind, State
from poolkit.lowering.kinds.relative import ends, largest_of, least_of, scales
from poolkit.lowering.kinds.taps import Taps
from poolkit.lowering.kinds.uniform import canonical, places, uniform, within

if TYPE_CHECKING:
    from poolkit.lowering.plan import Plan
    from poolkit.lowering.primitives import Ops, Tensor


WHOLE = 2**30  # what the shares of a window add up to at the most, in int32


def stochastic(ops: Ops, plan: Plan, **given: Tensor) -> Kind:
    return Drawn(ops, plan, **given) if given else Expected(ops, plan)


class Expected(Taps):
    """What a draw gives on average, sum(a**2) / sum(a) of the cells above 0; 0 where there is none."""

    name = "stochastic"

    def taken(self, s: State, count: Any, real: Tensor | None) -> State:
        at = self.o.rank
        o = self.o.of_rank(at + 1)
        return Expected(o, self.plan).relative(s[0], lambda t: o.sum(t, (at,)), lambda t: o.max(t, at))

    def relative(self, x: Tensor, total: Callable[[Tensor], Tensor], largest: Callable[[Tensor], Tensor]) -> State:
        """Of cells over the largest, whose square may be too large, or 0."""
        o, x = self.o, self.real(x, 0.0)
        top = largest(o.detach(o.clip(x, 0.0, math.inf)))
        scale, back = scales(o, top)
        value, weights = self.average(o.multiply(o.clip(x, 0.0, largest_of(self.plan.work)), scale), total)
        endless = o.both(o.equal(top, math.inf), o.greater(weights, 0))  # and no NaN
        return (o.where(endless, math.inf, o.multiply(value, back)),)

    def wide(self, x: Tensor, total: Callable[[Tensor], Tensor]) -> State:
        """In float64, which holds the squares of all of float32's numbers."""
        value, _ = self.average(self.o.clip(self.real(x, 0.0), 0.0, 2.0**500), total)
        return (self.o.where(self.o.greater(value, 2.0**400), math.inf, value),)

    def beside(self, x: Tensor) -> tuple[Tensor, float]:
        return x, 0.0

    def bounded(self, x: Tensor, total: Callable[[Tensor], Tensor]) -> State:
        if self.way != "tried":
            return (self.average(self.o.clip(self.real(x, 0.0), 0.0, math.inf), total)[0],)
        # Behind a ReLU nothing is below 0; to see it takes half the time of clipping, and the derivative none.
        none = self.o.between(self.o.detach(x), -least_of(self.plan.work), math.inf)
        cells = self.o.branch(none, lambda x: x, lambda x: self.o.clip(x, 0.0, math.inf), x)
        self.sums = total(self.o.multiply(cells, cells)), total(cells)
        return (self.o.divide(*self.sums),)

    def finish(self, s: State, like: Tensor) -> tuple[Tensor, Tensor | None]:
        return (self.quotient(*self.sums) if self.way == "tried" else s[0]), None

    def certain(self, s: State, like: Tensor) -> Tensor:
        return s[0]

    def slope(self, x: Tensor, s: State, change: Tensor, total: Callable[[Tensor], Tensor]) -> State:
        """Relative to the average itself, (2a - 1) / sum(a); one that is 0 or infinite has none.

        Both are scaled, or the square of the average, in the second derivative, leaves the range.
        """
        o, most = self.o, largest_of(self.plan.work)
        lost = o.either(o.equal(s[0], 0), o.equal(s[0], math.inf))
        average = o.where(lost, most, s[0])
        scale = scales(o, o.detach(average))[0]
        cells = o.divide(o.multiply(o.clip(x, 0.0, most), scale), o.multiply(average, scale))
        weights = total(cells)
        each = o.multiply(o.subtract(o.multiply(cells, 2.0), 1.0), o.where(o.less(x, 0), 0.0, change))
        return (o.where(lost, 0.0, o.divide(total(each), o.where(o.equal(weights, 0), 1.0, weights))),)

    def fits(self, s: State, bound: float) -> Any:
        """The largest cell is at least the average, and at most the cells' number times it."""
        return self.o.between(self.o.detach(s[0]), *ends(self.plan.work, 36.0))

    def average(self, a: Tensor, total: Callable[[Tensor], Tensor]) -> tuple[Tensor, Tensor]:
        weights = total(a)
        return self.quotient(total(self.o.multiply(a, a)), weights), weights

    def quotient(self, squares: Tensor, weights: Tensor) -> Tensor:
        """Over infinity where there is no cell above 0, so that no derivative is left, either."""
        return self.o.divide(squares, self.o.where(self.o.equal(weights, 0), math.inf, weights))


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
