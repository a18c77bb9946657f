"""The median and other quantiles: one cell of each window."""

from __future__ import annotations

import functools
import math
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from poolkit.lowering.fold import tap
from poolkit.lowering.kinds.kind import FAR, Choice, State
from poolkit.lowering.kinds.taps import Taps
from poolkit.spec.dtypes import highest

if TYPE_CHECKING:
    from poolkit.lowering.primitives import Ops, Tensor

FEW = 9  # cells of a window that are compared two by two


class Median(Choice, Taps):
    """The cell that a share of the others, half of them, comes before when they are sorted; of two the lower.

    The sorted cells say which value it is, and the first cell that holds it is taken, as in `Max`.
    """

    name = "median"

    def of_windows(self, x: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor | None]:
        cells = math.prod([a.longest if a.known else FEW + 1 for a in self.plan.axes])
        slides = all(a.form in ("taps", "keep") and a.total == 0 for a in self.plan.axes)
        if self.way == "fold" or mask is not None or cells > FEW or not slides:
            return super().of_windows(x, mask)
        return self.finish(self.compared(self.lift(x), cells), x)

    def compared(self, s: State, count: int) -> State:
        """By cells that are compared two by two, each a tensor of its own; NaN goes through every comparison."""
        o, cells = self.o, [s]
        for a in self.plan.axes:
            if a.form == "taps":
                cells = [tuple(tap(o, t, a, i) for t in cell) for cell in cells for i in range(a.window)]
        ordered = [cell[0] for cell in cells]
        rank = self.rank(count)
        for i, j, low, high in comparisons(count, rank):
            a, b = ordered[i], ordered[j]
            ordered[i] = o.better("min", a, b) if low else a
            ordered[j] = o.better("max", a, b) if high else b
        value = ordered[rank]
        return (value,) if self.way == "values" else (value, self.earliest(cells, value))

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
        # LiteRT ends its process at a logical and of five axes that broadcasts.
        among = place if inside is None else o.where(inside, place, FAR)
        first = o.min(o.where(hit, among, FAR), at)
        return tuple(o.pick(o.equal(place, first), t, at) for t in s)

    @property
    def share(self) -> Fraction:
        return Fraction(self.options["quantile"]).limit_denominator(1000)

    def rank(self, count: int) -> int:
        return self.share.numerator * (count - 1) // self.share.denominator

    def ranked(self, o: Ops, cells: Tensor, count: Any) -> Tensor:
        """The sorted cell at the rank, which is exact: the quantile is a fraction, and float32 divides almost right."""
        if isinstance(count, int):
            return o.slice(cells, o.rank - 1, self.rank(count), self.rank(count) + 1, 1)
        share = self.share
        above, below = o.multiply(o.subtract(count, 1), share.numerator), share.denominator
        guess = o.cast(o.floor(o.divide(o.cast(above, "float32"), float(below))), "int32")
        guess = o.where(o.greater(o.multiply(guess, below), above), o.subtract(guess, 1), guess)
        guess = o.where(o.greater(o.multiply(o.add(guess, 1), below), above), guess, o.add(guess, 1))
        return o.take_along(cells, o.where(o.less(guess, 0), 0, guess), o.rank - 1)


@functools.cache
def comparisons(n: int, rank: int) -> tuple[tuple[int, int, bool, bool], ...]:
    """Which of `n` cells are compared, one pair after the other, until the one at `rank` is where it belongs.

    Those of Batcher's merge exchange (Knuth, The Art of Computer Programming 3, 5.2.2, algorithm M) that this one
    depends on, each with whether the smaller of the two is used, and the larger: of 9 cells 22, by 36 calls.
    """
    pairs: list[tuple[int, int]] = []
    top = 1 << max((n - 1).bit_length() - 1, 0)
    p = top
    while p > 0:
        q, r, d = top, 0, p
        while d > 0:
            pairs += [(i, i + d) for i in range(n - d) if i & p == r]
            d, q, r = q - p, q // 2, p
        p //= 2
    made: list[tuple[int, int, bool, bool]] = []
    used = {rank}
    for i, j in reversed(pairs):
        if used & {i, j}:
            made.append((i, j, i in used, j in used))
            used |= {i, j}
    return tuple(reversed(made))
