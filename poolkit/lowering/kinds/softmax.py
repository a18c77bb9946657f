"""Averages with exponentials as weights: of the cells themselves (SoftPool), or of another tensor (LIP)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from poolkit.lowering.fold import total
from poolkit.lowering.kinds.kind import Kind, State
from poolkit.lowering.kinds.relative import decayed, ends, exponents, factors, largest_of, moderate, no_change, times

if TYPE_CHECKING:
    from poolkit.lowering.geometry import Axis
    from poolkit.lowering.plan import Plan
    from poolkit.lowering.primitives import Ops, Tensor


class Softmax(Kind):
    """The average with weights softmax(beta * x) within the window; with beta=1 what is called SoftPool.

    Carries (largest cell, weighted sum, sum of weights), both sums relative to the largest.
    With grad="semi" the weights are constants, as published (arXiv 2101.00440); with "exact" they have their gradient.
    """

    name = "softmax"
    neutral = (-math.inf, 0.0, 0.0)

    def __init__(self, ops: Ops, plan: Plan, **learned: Tensor) -> None:
        super().__init__(ops, plan, **learned)
        constant = self.options["grad"] == "semi" and "beta" in learned
        self.near, self.far = factors(ops, ops.detach(learned["beta"]) if constant else self.options["beta"])

    def lift(self, x: Tensor) -> State:
        scaled = times(self.o, x, self.near)
        largest = self.o.detach(scaled)
        weight = self.weight(scaled if self.options["grad"] == "exact" else largest, largest)
        return largest, self.weighed(x, weight), weight

    def combine(self, a: State, b: State) -> State:
        o = self.o
        largest = o.where(o.greater(b[0], a[0]), b[0], a[0])
        early, late = (self.scaled(s, largest) for s in (a, b))
        return largest, *(o.add(s, t) for s, t in zip(early, late, strict=True))

    def reduce_axis(self, s: State, a: Axis, inside: Tensor | None) -> State:
        largest = self.o.max(s[0], a.at)
        return largest, *(total(self.o, t, (a,), self.plan.axes) for t in self.scaled(s, largest))

    def scaled(self, s: State, largest: Tensor) -> State:
        """Both sums of a state, relative to the largest cell of more."""
        scale = self.weight(s[0], largest)
        return self.weighed(s[1], scale), self.o.multiply(s[2], scale)

    def relative(self, x: Tensor, total: Callable[[Tensor], Tensor], largest: Callable[[Tensor], Tensor]) -> State:
        scaled = self.real(times(self.o, x, self.near), -math.inf)
        constant = self.o.detach(scaled)
        most = largest(constant)
        weight = self.weight(scaled if self.options["grad"] == "exact" else constant, most)
        windows = any(a.form == "taps" for a in self.plan.axes)  # of which this has the derivative, too
        return most, total((self.weighed if windows else self.weighed_once)(x, weight)), total(weight)

    def beside(self, x: Tensor) -> tuple[Tensor, float]:
        return x, math.copysign(math.inf, -self.near)  # times beta -inf

    def bounded(self, x: Tensor, total: Callable[[Tensor], Tensor], *kept: Tensor) -> State:
        weight = (kept or self.kept(x, None))[0]
        return 0.0, total(self.o.multiply(x, weight)), total(weight)

    def kept(self, x: Tensor, scale: Tensor | None) -> State:
        cells = x if self.options["grad"] == "exact" else self.o.detach(x)
        if scale is not None:
            return (self.weight(times(self.o, cells, self.near), scale),)
        return (self.real(self.o.exp(exponents(self, cells)), 0.0),)

    def slope(self, x: Tensor, s: State, change: Tensor, total: Callable[[Tensor], Tensor]) -> State:
        """The change of a weight stands apart from that of its cell: 1 plus a large cell, less as much, would be 0."""
        o, weight = self.o, s[3]
        added = total(o.multiply(change, weight))
        if self.options["grad"] != "exact":
            return no_change(o, s[0]), added, no_change(o, s[2]), no_change(o, weight)
        cells = o.clip(x, -largest_of(self.plan.work), math.inf)  # -inf has the weight 0
        each = o.multiply(weight, change)
        grown = [
            times(o, times(o, t, self.near), self.far) for t in (total(o.multiply(cells, each)), total(each), each)
        ]
        return no_change(o, s[0]), o.add(added, grown[0]), *grown[1:]

    def fits(self, s: State, bound: float) -> Any:
        """Whether each window's weights are such that no exponent was out of range, and no product NaN or infinite."""
        o, high = self.o, ends(self.plan.work, 100.0)[1]
        weights = o.between(o.detach(s[2]), math.exp(-bound), math.exp(bound))
        return o.both(weights, o.between(o.detach(s[1]), -high, high))

    def sound(self, values: Tensor, bound: float) -> Any:
        """The largest cell is not below the average, nor above it by more than the logarithm of their number."""
        return moderate(self, values, bound)

    def weighed(self, x: Tensor, weight: Tensor) -> Tensor:
        """The product, 0 where the weight is: a mask's -inf, or two of float32's smallest numbers, times 0 are NaN."""
        return self.o.multiply(self.o.where(self.o.equal(weight, 0), 0.0, x), weight)

    def weighed_once(self, x: Tensor, weight: Tensor) -> Tensor:
        """The same of cells that are no sums yet: what is infinite and has the weight 0 is as well a large number."""
        if not isinstance(self.near, float) or self.near == 0.0:
            return self.weighed(x, weight)
        most = largest_of(self.plan.work)
        low, high = (-most, math.inf) if self.near > 0 else (-math.inf, most)
        return self.o.multiply(self.o.clip(x, low, high), weight)

    def finish(self, s: State, like: Tensor) -> tuple[Tensor, Tensor | None]:
        return self.o.divide(s[1], s[2]), None

    def weight(self, scaled: Tensor, largest: Tensor) -> Tensor:
        """exp(beta * (x - the largest x)); 0 in place of -inf, where exp(x - largest) would be exp(-inf + inf)."""
        finite = self.o.where(self.o.equal(largest, -math.inf), 0.0, largest)
        return decayed(self.o, self.o.subtract(scaled, finite), self.far)


class LogWeighted(Softmax):
    """The average with weights exp(logits), another tensor: in LIP learned, in attention scores. 0 where all are 0."""

    def __init__(self, ops: Ops, plan: Plan, logits: Tensor) -> None:
        Kind.__init__(self, ops, plan)
        self.far, self.logits = 1.0, logits

    def lift(self, x: Tensor) -> State:
        largest = self.o.detach(self.logits)
        weight = self.weight(self.logits, largest)
        return largest, self.weighed(x, weight), weight

    def finish(self, s: State, like: Tensor) -> tuple[Tensor, Tensor | None]:
        return self.o.divide(s[1], self.o.where(self.o.equal(s[2], 0), 1.0, s[2])), None
