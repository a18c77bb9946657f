"""Kinds whose sums are carried relative to the largest cell, whose own powers may be too large, or all too small.

The largest cell of a window changes no result, it only scales what is added up. So it is detached, and derivatives of
any order go through the sums alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from poolkit.lowering.count import divisor_of
from poolkit.lowering.fold import total
from poolkit.lowering.kind import Kind, State

if TYPE_CHECKING:
    from poolkit.lowering.geometry import Axis
    from poolkit.lowering.plan import Plan
    from poolkit.lowering.primitives import Ops

Tensor = Any


class Relative(Kind):
    """Carries (scale, sum): the scale of the largest cell, and the sum of all relative to it."""

    def combine(self, a: State, b: State) -> State:
        largest = self.o.where(self.o.greater(b[0], a[0]), b[0], a[0])
        return largest, self.o.add(self.scaled(a, largest), self.scaled(b, largest))

    def reduce(self, s: State, axes: Sequence[Axis], inside: Tensor | None = None) -> State:
        largest = s[0]
        for a in axes:
            largest = self.o.max(largest, a.at)
        return largest, total(self.o, self.scaled(s, largest), axes)

    def scaled(self, s: State, largest: Tensor) -> Tensor:
        """The sum of a state relative to a larger scale; equal ones may be infinite, which divide to NaN."""
        same = self.o.equal(s[0], largest)
        scale, largest = (self.o.where(same, 1.0, t) for t in (s[0], largest))
        return self.o.multiply(s[1], self.share(scale, largest))

    def share(self, scale: Tensor, largest: Tensor) -> Tensor:
        """What 1 relative to `scale` is relative to `largest`."""
        raise NotImplementedError


class Norm(Relative):
    """The p-th root of the sum, or of the average, of p-th powers: of magnitudes (lp), or of clamped cells (gem).

    A cell of 0 has no scale of its own, so it has the smallest there is. Where p is 2 its power has a second
    derivative, and so has the norm: 1 over it. There a run of zeros is relative to 1.
    """

    def __init__(self, ops: Ops, plan: Plan) -> None:
        super().__init__(ops, plan)
        self.p: float = self.options["p"]
        self.mean = self.options.get("normalize", "mean") == "mean"
        self.least = 2.0**-1022 if plan.work == "float64" else 2.0**-126
        self.neutral = (self.least, 0.0)

    def lift(self, x: Tensor) -> State:
        o, a = self.o, positive(self, x)
        size = o.detach(a)
        endless, zero = o.equal(size, math.inf), o.less(size, self.least)
        scale = o.where(zero, self.least, size)
        lost = endless if self.p == 2 else o.either(endless, zero)  # without a derivative, or with 0
        ratio = o.divide(o.where(lost, 1.0, a), o.where(o.either(endless, zero), 1.0, scale))
        power = o.where(endless, math.inf, self.power(ratio, self.p))
        return scale, power if self.p == 2 else o.where(zero, 0.0, power)

    def share(self, scale: Tensor, largest: Tensor) -> Tensor:
        o = self.o
        if self.p == 2:
            small = self.least**0.45  # whose square is in range, with a gradient beside it
            one = o.multiply(o.where(o.less(largest, small), largest, small), 1 / small)
            scale = o.where(o.equal(scale, self.least), one, scale)
        return self.power(o.divide(scale, largest), self.p)

    def finish(self, s: State, like: Tensor) -> tuple[Tensor, Tensor | None]:
        """Neither a window of zeros nor an infinite one has a gradient."""
        o = self.o
        cells = o.divide(s[1], divisor_of(self, like)) if self.mean else s[1]
        zero, endless = o.equal(s[1], 0), o.equal(s[1], math.inf)
        root = self.power(o.where(o.either(zero, endless), 1.0, cells), 1 / self.p)
        return o.where(zero, 0.0, o.where(endless, math.inf, o.multiply(s[0], root))), None

    def power(self, a: Tensor, exponent: float) -> Tensor:
        return a if exponent == 1 else self.o.power(a, exponent)


def positive(kind: Kind, x: Tensor) -> Tensor:
    """What powers are taken of: cells that are at least eps, or magnitudes.

    The derivative of a magnitude at 0 is 1: a power of it is then as smooth as the power is.
    """
    o, eps = kind.o, kind.options.get("eps")
    return o.where(o.less(x, 0), o.multiply(x, -1), x) if eps is None else o.where(o.less(x, eps), eps, x)


class LogSumExp(Relative):
    """log(sum(exp(beta * x))) / beta, or with normalize="mean" of the average; an infinite cell has no gradient.

    Cells are carried times beta only as far as that is at most 1, as in `Softmax`.
    """

    neutral = (-math.inf, 0.0)

    def __init__(self, ops: Ops, plan: Plan) -> None:
        super().__init__(ops, plan)
        beta = self.options["beta"]
        self.near, self.far = max(-1.0, min(beta, 1.0)), max(abs(beta), 1.0)

    def lift(self, x: Tensor) -> State:
        o = self.o
        scaled = x if self.near == 1 else o.multiply(x, self.near)
        largest = o.detach(scaled)
        finite = o.where(o.either(o.equal(largest, math.inf), o.equal(largest, -math.inf)), 0.0, scaled)
        return largest, self.share(finite, o.detach(finite))

    def share(self, scale: Tensor, largest: Tensor) -> Tensor:
        difference = self.o.subtract(scale, largest)
        return self.o.exp(difference if self.far == 1 else self.o.multiply(difference, self.far))

    def finish(self, s: State, like: Tensor) -> tuple[Tensor, Tensor | None]:
        o = self.o
        cells = o.divide(s[1], divisor_of(self, like)) if self.options["normalize"] == "mean" else s[1]
        right = o.greater(cells, 0)  # no NaN
        above, below = (o.both(right, o.equal(s[0], end)) for end in (math.inf, -math.inf))
        largest = o.where(
            o.either(above, below), 0.0, s[0]
        )  # forward mode in TensorFlow multiplies an infinite one by 0
        found = self.divided(o.add(largest, self.divided(o.log(cells), self.far)), self.near)
        end = math.copysign(math.inf, self.near)
        return o.where(above, end, o.where(below, -end, found)), None

    def divided(self, a: Tensor, b: float) -> Tensor:
        return a if b == 1 else self.o.divide(a, b)
