"""The kinds of pooling. A kind is a fold: what a window's cells become when they are combined, in order, two by two.

A kind *lifts* the input to a state (a tuple of tensors), *combines* the states of two neighbouring runs of cells (the
earlier one first), *reduces* all states along an axis, and *finishes* the state of a window. Combining is associative
and keeps the order, so `fold` may work one axis at a time, the last one first, and the first of several equal
maxima in row-major order is still the first.
What they mean, NaN and ties included: docs/semantics.md.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from poolkit.lowering.count import divisor_of
from poolkit.lowering.fold import total
from poolkit.lowering.kinds.blurred import Blur
from poolkit.lowering.kinds.deviation import Std
from poolkit.lowering.kinds.drawn import stochastic
from poolkit.lowering.kinds.fractional import FractionalMax
from poolkit.lowering.kinds.kind import FAR, Choice, Kind, State
from poolkit.lowering.kinds.maximum import Max, Min, highest
from poolkit.lowering.kinds.placed import First, Last
from poolkit.lowering.kinds.relative import LogSumExp, Norm, decayed, ends, exponents, factors, positive, times
from poolkit.lowering.kinds.taps import Taps

if TYPE_CHECKING:
    from poolkit.lowering.geometry import Axis
    from poolkit.lowering.plan import Plan
    from poolkit.lowering.primitives import Ops

Tensor = Any


class Sum(Kind):
    """The sum of a window's real cells."""

    name = "sum"
    neutral = (0.0,)

    def combine(self, a: State, b: State) -> State:
        return (self.o.add(a[0], b[0]),)

    def reduce(self, s: State, axes: Sequence[Axis], inside: Tensor | None = None) -> State:
        return (total(self.o, s[0], axes),)  # all axes at once, for compilers merge sums that are nested


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
        return largest, *(total(self.o, t, (a,)) for t in self.scaled(s, largest))

    def scaled(self, s: State, largest: Tensor) -> State:
        """Both sums of a state, relative to the largest cell of more."""
        scale = self.weight(s[0], largest)
        return self.weighed(s[1], scale), self.o.multiply(s[2], scale)

    def relative(self, x: Tensor, total: Callable[[Tensor], Tensor], largest: Callable[[Tensor], Tensor]) -> State:
        scaled = self.real(times(self.o, x, self.near), -math.inf)
        constant = self.o.detach(scaled)
        most = largest(constant)
        weight = self.weight(scaled if self.options["grad"] == "exact" else constant, most)
        return most, total(self.weighed(x, weight)), total(weight)

    def bounded(self, x: Tensor, total: Callable[[Tensor], Tensor]) -> State:
        scaled = exponents(self, x)
        weight = self.real(self.o.exp(scaled if self.options["grad"] == "exact" else self.o.detach(scaled)), 0.0)
        return 0.0, total(self.o.multiply(x, weight)), total(weight)

    def fits(self, s: State, bound: float) -> Any:
        """Whether each window's weights are such that no exponent was out of range, and no product NaN or infinite."""
        o, high = self.o, ends(self.plan.work, 100.0)[1]
        weights = o.between(o.detach(s[2]), math.exp(-bound), math.exp(bound))
        return o.both(weights, o.between(o.detach(s[1]), -high, high))

    def weighed(self, x: Tensor, weight: Tensor) -> Tensor:
        """The product, 0 where the weight is: a mask's -inf, or two of float32's smallest numbers, times 0 are NaN."""
        return self.o.multiply(self.o.where(self.o.equal(weight, 0), 0.0, x), weight)

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


class Median(Choice, Taps):
    """The cell that a share of the others, half of them, comes before when they are sorted; of two the lower.

    The sorted cells say which value it is, and the first cell that holds it is taken, as in `Max`.
    """

    name = "median"

    def taken(self, s: State, count: Any, real: Tensor | None) -> State:
        at = self.o.rank
        o = self.o.of_rank(at + 1)
        cells = o.detach(s[0])
        nan = o.isnan(cells) if self.plan.floating else None
        inside = None if real is None else o.equal(real, 1)
        largest = math.inf if self.plan.floating else highest(self.plan.work)
        ordered = cells if nan is None else o.where(nan, largest, cells)
        ordered = o.sort(ordered if inside is None else o.where(inside, ordered, largest), at)
        value = self.ranked(o, ordered, count)
        hit = o.equal(cells, value if nan is None else o.where(o.any(nan, at), math.nan, value))
        hit = hit if nan is None else o.either(hit, nan)
        place = o.iota(cells, at)
        first = o.min(o.where(hit if inside is None else o.both(hit, inside), place, FAR), at)
        return tuple(o.pick(o.equal(place, first), t, at) for t in s)

    def ranked(self, o: Ops, cells: Tensor, count: Any) -> Tensor:
        """The sorted cell at the rank, which is exact: the quantile is a fraction, and float32 divides almost right."""
        share = Fraction(self.options["quantile"]).limit_denominator(1000)
        if isinstance(count, int):
            rank = share.numerator * (count - 1) // share.denominator
            return o.slice(cells, o.rank - 1, rank, rank + 1, 1)
        above, below = o.multiply(o.subtract(count, 1), share.numerator), share.denominator
        guess = o.cast(o.floor(o.divide(o.cast(above, "float32"), float(below))), "int32")
        guess = o.where(o.greater(o.multiply(guess, below), above), o.subtract(guess, 1), guess)
        guess = o.where(o.greater(o.multiply(o.add(guess, 1), below), above), guess, o.add(guess, 1))
        return o.take_along(cells, o.where(o.less(guess, 0), 0, guess), o.rank - 1)


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


FOLDS: dict[str, Callable[..., Kind]] = {
    kind.name: kind for kind in (Avg, Max, Min, Sum, MeanSqrt, Softmax, First, Last, Std, FractionalMax)
}
FOLDS.update(
    {"lp": norm, "gem": norm, "logsumexp": LogSumExp, "median": Median, "blur": Blur, "stochastic": stochastic}
)
