"""Kinds whose sums are carried relative to the largest cell, whose own powers may be too large, or all too small.

The largest cell of a window changes no result, it only scales what is added up. So it is detached, and derivatives of
any order go through the sums alone.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from poolkit.lowering.fold import total
from poolkit.lowering.kinds.kind import Kind, State

if TYPE_CHECKING:
    from poolkit.lowering.geometry import Axis
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


def no_change(o: Ops, t: Tensor) -> Tensor:
    """The change of what is constant, infinite or not."""
    return o.cast(o.less(t, t), o.dtype)


def times(o: Ops, x: Tensor, factor: Any) -> Tensor:
    return x if isinstance(factor, float) and factor == 1.0 else o.multiply(x, factor)
