"""Kinds whose sums are carried relative to the largest cell, whose own powers may be too large, or all too small.

The largest cell of a window changes no result, it only scales what is added up. So it is detached, and derivatives of
any order go through the sums alone.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from poolkit.lowering.count import divisor_of
from poolkit.lowering.fold import total
from poolkit.lowering.kinds.kind import Kind, State

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

    def __init__(self, ops: Ops, plan: Plan, **learned: Tensor) -> None:
        super().__init__(ops, plan, **learned)
        self.p = self.options["p"]
        self.eps = self.options.get("eps")
        self.square = "p" not in learned and self.p == 2
        self.mean = self.options.get("normalize", "mean") == "mean"
        self.least = least_of(plan.work)
        self.neutral = (self.least, 0.0)

    def lift(self, x: Tensor) -> State:
        o, a = self.o, positive(self, x)
        size = o.detach(a)
        endless, zero = o.equal(size, math.inf), o.less(size, self.least)
        scale = o.where(zero, self.least, size)
        lost = endless if self.square else o.either(endless, zero)  # without a derivative, or with 0
        ratio = o.divide(o.where(lost, 1.0, a), o.where(o.either(endless, zero), 1.0, scale))
        power = o.where(endless, math.inf, self.power(ratio, self.p))
        return scale, power if self.square else o.where(zero, 0.0, power)

    def share(self, scale: Tensor, largest: Tensor) -> Tensor:
        o = self.o
        if self.square:
            small = self.least**0.45  # whose square is in range, with a gradient beside it
            one = o.multiply(o.where(o.less(largest, small), largest, small), 1 / small)
            scale = o.where(o.equal(scale, self.least), one, scale)
        return self.power(o.divide(scale, largest), self.p)

    def finish(self, s: State, like: Tensor) -> tuple[Tensor, Tensor | None]:
        """Neither a window of zeros nor an infinite one has a gradient."""
        o = self.o
        cells = o.divide(s[1], divisor_of(self, like)) if self.mean else s[1]
        zero, endless = o.equal(s[1], 0), o.equal(s[1], math.inf)
        root = self.power(o.where(o.either(zero, endless), 1.0, cells), self.inverse())
        return o.where(zero, 0.0, o.where(endless, math.inf, times(o, root, s[0]))), None

    def magnitudes(self, x: Tensor) -> Tensor:
        """Of lp; but squares are taken of cells with their signs."""
        return x if self.square or self.eps is not None else self.o.absolute(x)

    def held(self, a: Tensor, top: float) -> Tensor:
        """Cells between eps, for gem, and `top`: beyond it they have no derivative. Masked ones are 0."""
        low = -top if self.square and self.eps is None else -math.inf
        if isinstance(self.eps, float):
            low = self.eps
        elif self.eps is not None:
            a = self.o.where(self.o.less(a, self.eps), self.eps, a)
        return self.real(a if low == -top == -math.inf else self.o.clip(a, low, top), 0.0)

    def raised(self, a: Tensor) -> Tensor:
        """Powers; those above 2 and of 2 itself have all derivatives at 0."""
        o = self.o
        if self.square:
            return o.multiply(a, a)
        if isinstance(self.p, float) and self.p > 2:
            return o.power(a, self.p)
        zero = o.less(a, self.least)
        return o.where(zero, 0.0, self.power(o.where(zero, 1.0, a), self.p))

    def plain(self, x: Tensor, total: Callable[[Tensor], Tensor]) -> State:
        return 1.0, total(self.raised(self.held(self.magnitudes(x), math.inf)))

    def relative(self, x: Tensor, total: Callable[[Tensor], Tensor], largest: Callable[[Tensor], Tensor]) -> State:
        """A window with an infinite cell is relative to the largest number, so that no derivative is NaN."""
        o, a, most = self.o, self.magnitudes(x), largest_of(self.plan.work)
        scale = largest(o.detach(o.absolute(a) if self.square and self.eps is None else a))
        endless = o.equal(scale, math.inf)
        least, instead = (self.least, 1.0) if self.eps is None else (self.eps, self.eps)
        scale = o.detach(o.where(endless, most, o.where(o.less(scale, least), instead, scale)))
        powers = total(self.raised(o.divide(self.held(a, most), scale)))
        return scale, o.where(endless, math.inf, powers)

    bounded = plain

    def fits(self, s: State, bound: float) -> Any:
        """Whether each window's sum of powers is so far in range that all of it was."""
        return self.o.between(self.o.detach(s[1]), *ends(self.plan.work, 80.0))

    def wide(self, x: Tensor, total: Callable[[Tensor], Tensor]) -> State:
        """In float64, of cells of float32, with p from 1 to 4.

        Powers are then within 2**-600 and 2**536 for 2**24 cells, and that of an infinite cell is held at 2**1020.
        """
        o, top = self.o, 2.0 ** (1020 / self.p)
        powers = total(self.raised(self.held(self.magnitudes(x), top)))
        return 1.0, o.where(o.greater(powers, 2.0 ** (160 * self.p)), math.inf, powers)

    def inverse(self) -> Any:
        return 1 / self.p if isinstance(self.p, float) else self.o.power(self.p, -1.0)

    def power(self, a: Tensor, exponent: Any) -> Tensor:
        return a if isinstance(exponent, float) and exponent == 1.0 else self.o.power(a, exponent)


def positive(kind: Kind, x: Tensor) -> Tensor:
    """What powers are taken of: cells that are at least eps, or magnitudes.

    The derivative of a magnitude at 0 is 1: a power of it is then as smooth as the power is.
    """
    o, eps = kind.o, kind.options.get("eps")
    if isinstance(eps, float):
        return o.clip(x, eps, math.inf)
    return o.where(o.less(x, 0), o.multiply(x, -1), x) if eps is None else o.where(o.less(x, eps), eps, x)


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
        o = self.o
        scaled = self.real(times(o, x, self.near), -math.inf)
        most = largest(o.detach(scaled))
        endless = o.either(o.equal(most, math.inf), o.equal(most, -math.inf))
        finite, zero = (o.where(endless, 0.0, t) for t in (scaled, most))
        return most, total(self.share(finite, zero))

    def bounded(self, x: Tensor, total: Callable[[Tensor], Tensor]) -> State:
        return 0.0, total(self.real(self.o.exp(exponents(self, x)), 0.0))

    def fits(self, s: State, bound: float) -> Any:
        return self.o.between(self.o.detach(s[1]), math.exp(-bound), math.exp(bound))

    def share(self, scale: Tensor, largest: Tensor) -> Tensor:
        return decayed(self.o, self.o.subtract(scale, largest), self.far)

    def finish(self, s: State, like: Tensor) -> tuple[Tensor, Tensor | None]:
        o = self.o
        cells = o.divide(s[1], divisor_of(self, like)) if self.options["normalize"] == "mean" else s[1]
        if isinstance(s[0], float):
            return self.divided(self.divided(o.log(cells), self.far), self.near), None
        right = o.greater(cells, 0)  # no NaN
        above, below = (o.both(right, o.equal(s[0], end)) for end in (math.inf, -math.inf))
        largest = o.where(
            o.either(above, below), 0.0, s[0]
        )  # forward mode in TensorFlow multiplies an infinite one by 0
        found = self.divided(o.add(largest, self.divided(o.log(cells), self.far)), self.near)
        if isinstance(self.near, float):
            above, below = (above, below) if self.near > 0 else (below, above)
        else:
            up, down = o.greater(self.near, 0), o.less(self.near, 0)
            above, below = (o.either(o.both(up, a), o.both(down, b)) for a, b in ((above, below), (below, above)))
        return o.where(above, math.inf, o.where(below, -math.inf, found)), None

    def divided(self, a: Tensor, b: Any) -> Tensor:
        return a if isinstance(b, float) and b == 1.0 else self.o.divide(a, b)


def factors(o: Ops, beta: Any) -> tuple[Any, Any]:
    """`beta` as a factor of at most 1 times one of at least 1.

    Cells are multiplied by the first, and differences of cells by the second: 10 times 2e307 is infinite, and the
    difference of two cells is not, or its exponential is 0 anyhow. The second stays finite: a `beta` of 1e300 is
    infinite in float32, and times the largest cell's difference of 0 it would be NaN.
    """
    most = largest_of(o.dtype)
    if isinstance(beta, float):
        return max(-1.0, min(beta, 1.0)), min(max(abs(beta), 1.0), most)
    size = o.absolute(beta)  # at 1 the second factor alone has the derivative
    near = o.where(o.less(beta, 1), o.where(o.greater(beta, -1), beta, -1.0), 1.0)
    return near, o.where(o.less(size, 1), 1.0, o.where(o.greater(size, most), most, size))


def ends(dtype: str, powers: float) -> tuple[float, float]:
    """So many powers of two down and up from 1, and eight times as many in float64."""
    top = 2.0 ** (powers * (8 if dtype == "float64" else 1))
    return 1 / top, top


def within(o: Ops, x: Tensor, most: float) -> Any:
    """Whether every number is nearer to 0 than this."""
    return o.between(x, -most, most)


def moderate(kind: Any, x: Tensor, most: float) -> Any:
    """Whether no magnitude of beta times a cell is more than this."""
    if isinstance(kind.near, float):
        return within(kind.o, kind.o.detach(x), most / max(abs(kind.near * kind.far), 2.0**-20))
    o, cells = kind.o, kind.o.detach(x)
    return o.both(within(o, o.detach(exponents(kind, x)), most), within(o, cells, most * 2.0**20))


def powers_fit(kind: Any, x: Tensor) -> Any:
    """Whether the power of each cell is 0 or so far in range that a root of a sum of them has two derivatives."""
    o, p, eps = kind.o, kind.options.get("p", 2.0), kind.options.get("eps")
    most = 2.0 ** ((80 if kind.plan.work == "float32" else 640) / p)
    a = o.absolute(o.detach(x)) if eps is None else o.clip(o.detach(x), eps, math.inf)
    if eps is None or eps < 1 / most:
        a = o.where(o.both(o.greater(a, 0), o.less(a, 1 / most)), math.inf, a)
    return within(o, a, most)


def exponents(kind: Any, x: Tensor) -> Tensor:
    """`beta` times cells for which that is in range."""
    return times(kind.o, times(kind.o, x, kind.near), kind.far)


def largest_of(dtype: str) -> float:
    """The largest finite number of a working dtype."""
    return sys.float_info.max if dtype == "float64" else 2.0**128 - 2.0**104


def least_of(dtype: str) -> float:
    """The smallest normal number of a working dtype."""
    return 2.0**-1022 if dtype == "float64" else 2.0**-126


def scales(o: Ops, top: Tensor) -> tuple[Tensor, Tensor]:
    """A power of two that brings numbers of this size where their squares are neither too large nor 0, and its inverse.

    Both are factors: TensorFlow's forward mode divides by the square of a divisor.
    """
    e = 320 if o.dtype == "float64" else 40
    large, small = o.greater(top, 2.0**e), o.less(top, 2.0**-e)
    one = o.cast(o.greater(top, -1), o.dtype)
    down, up = (o.where(large, 2.0**-n, o.where(small, 2.0**n, one)) for n in (2 * e, -2 * e))
    return down, up


def decayed(o: Ops, difference: Tensor, factor: Any) -> Tensor:
    """exp(factor * difference), of differences down to -inf, whose product with a learned factor has no derivative."""
    if isinstance(factor, float):
        return o.exp(times(o, difference, factor))
    gone = o.equal(difference, -math.inf)
    return o.where(gone, 0.0, o.exp(o.multiply(o.where(gone, 0.0, difference), factor)))


def times(o: Ops, x: Tensor, factor: Any) -> Tensor:
    return x if isinstance(factor, float) and factor == 1.0 else o.multiply(x, factor)
