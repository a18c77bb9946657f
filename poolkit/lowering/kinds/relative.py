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
    from poolkit.lowering.primitives import Ops, Tensor

# The largest magnitude of beta * x. The fourth power of a sum of 100 exponentials is in range, and so are derivatives
# up to the third; and beta * x is rounded by less than is allowed of a cell.
BOUND = {"float32": 16.0, "float64": 150.0}
GONE = -1e4  # of which the exponential is 0 in float64, too


class Relative(Kind):
    """Carries (scale, sum): the scale of the largest cell, and the sum of all relative to it."""

    def combine(self, a: State, b: State) -> State:
        largest = self.o.where(self.o.greater(b[0], a[0]), b[0], a[0])
        return largest, self.o.add(self.scaled(a, largest), self.scaled(b, largest))

    def reduce(self, s: State, axes: Sequence[Axis], inside: Tensor | None = None) -> State:
        largest = s[0]
        for a in axes:
            largest = self.o.max(largest, a.at)
        return largest, total(self.o, self.scaled(s, largest), axes, self.plan.axes)

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


def in_range(kind: Any, x: Tensor, most: float) -> Tensor:
    """`x` with 0 in place of cells of which beta times it is more, so that no derivative is 0 times infinity."""
    o = kind.o
    return o.where(o.less(o.absolute(o.detach(exponents(kind, x))), most), x, 0.0)


def room(p: float) -> float:
    """How many powers of two a sum of p-th powers may be from 1: the root's second derivative has it to 1/p - 2."""
    return 124 / (2 - 1 / p)


def powers_fit(kind: Any, x: Tensor, count: int) -> Any:
    """Whether the power of each cell is 0 or so far in range that a root of a sum of `count` has two derivatives."""
    o, p, eps = kind.o, kind.options.get("p", 2.0), kind.options.get("eps")
    least, most = ends(kind.plan.work, room(p) / p)
    most /= count ** (1 / p)
    a = o.absolute(o.detach(x)) if eps is None else o.clip(o.detach(x), eps, math.inf)
    if eps is None or eps < least:
        a = o.where(o.both(o.greater(a, 0), o.less(a, least)), math.inf, a)
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
    """What brings numbers of this size near 1, and takes them back; both are factors, and constants.

    So all that derivatives are multiplied and divided by on their way is near 1, such as the square of a sum, by which
    JAX divides. Neither is more than 2**104 (in float64 2**832), for a gradient is multiplied by them, too.
    TensorFlow's forward mode would divide by the square of a divisor.
    """
    back = o.clip(top, *ends(o.dtype, 104.0))
    return o.power(back, -1.0), back


def decayed(o: Ops, difference: Tensor, factor: Any) -> Tensor:
    """exp(factor * difference), of a factor of at least 1 and of differences down to -inf.

    The product's derivative by the factor would be -inf, and times an exponential of 0 NaN. TensorFlow's forward mode
    takes it of a constant, too.
    """
    if isinstance(factor, float) and factor == 1.0:
        return o.exp(difference)
    return o.exp(o.multiply(o.clip(difference, GONE, math.inf), factor))


def no_change(o: Ops, t: Tensor) -> Tensor:
    """The change of what is constant, infinite or not."""
    return o.cast(o.less(t, t), o.dtype)


def times(o: Ops, x: Tensor, factor: Any) -> Tensor:
    return x if isinstance(factor, float) and factor == 1.0 else o.multiply(x, factor)
