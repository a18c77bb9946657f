"""Roots of sums of powers: the p-norm (lp) and the generalized mean (gem), also where p is infinite."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from poolkit.lowering.count import divisor_of
from poolkit.lowering.kinds.kind import Kind, State
from poolkit.lowering.kinds.maximum import Max
from poolkit.lowering.kinds.relative import Relative, ends, largest_of, least_of, no_change, room, times

if TYPE_CHECKING:
    from poolkit.lowering.plan import Plan
    from poolkit.lowering.primitives import Ops, Tensor


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
        o, cells = self.o, self.cells_of(s, like)
        zero, endless = o.equal(s[1], 0), o.equal(s[1], math.inf)
        root = self.power(o.where(o.either(zero, endless), 1.0, cells), self.inverse())
        return o.where(zero, 0.0, o.where(endless, math.inf, times(o, root, s[0]))), None

    def certain(self, s: State, like: Tensor) -> Tensor:
        return times(self.o, self.power(self.cells_of(s, like), self.inverse()), s[0])

    def cells_of(self, s: State, like: Tensor) -> Tensor:
        return self.o.divide(s[1], divisor_of(self, like)) if self.mean else s[1]

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
        return scale, o.where(endless, o.add(powers, math.inf), powers)  # a NaN stays one where the largest is none

    def beside(self, x: Tensor) -> tuple[Tensor, float]:
        """With eps cells are clamped first: then they are magnitudes, beside which 0 is nothing."""
        x, self.eps = x if self.eps is None else positive(self, x), None
        return x, 0.0

    bounded = plain

    def cut(self, kept: State) -> bool:
        return super().cut(kept) and not self.square  # which XLA adds up as fast as the cells themselves

    def slope(self, x: Tensor, s: State, change: Tensor, total: Callable[[Tensor], Tensor]) -> State:
        """With p of 2 or more. A window with an infinite cell has none, nor has a cell below eps."""
        o, eps, scale = self.o, self.eps, self.o.detach(s[0])
        share = o.divide(self.held(self.magnitudes(x), largest_of(self.plan.work)), scale)
        if eps is not None:
            change = o.where(o.less(x, eps), 0.0, change)
        elif not self.square:
            change = o.where(o.less(x, 0), o.multiply(change, -1), change)
        found = o.divide(o.multiply(total(o.multiply(self.power(share, self.p - 1), change)), self.p), scale)
        return no_change(o, s[0]), o.where(o.equal(s[1], math.inf), 0.0, found)

    def fits(self, s: State, bound: float) -> Any:
        """Whether each window's sum of powers is so far in range that all of it was."""
        return self.o.between(self.o.detach(s[1]), *ends(self.plan.work, room(self.p)))

    def sound(self, values: Tensor, bound: float) -> Any:
        return self.o.between(values, *ends(self.plan.work, room(self.p) / self.p))

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


class MaxNorm(Max):
    """A norm with p infinite: the largest of the numbers that powers are taken of. That of a window of zeros is 0."""

    neutral = (0.0,)

    def lift(self, x: Tensor) -> State:
        a = positive(self, x)
        return (self.o.where(self.o.equal(a, 0), 0.0, a),)  # without a gradient

    def plain(self, x: Tensor, largest: Callable[[Tensor], Tensor]) -> State:
        return (largest(self.real(self.lift(x)[0], 0.0)),)

    def worst(self) -> float | int:
        return -1.0


def norm(ops: Ops, plan: Plan, **learned: Tensor) -> Kind:
    endless = "p" not in learned and dict(plan.spec.options)["p"] == math.inf
    return (MaxNorm if endless else Norm)(ops, plan, **learned)
