"""The median and other quantiles: one cell of each window."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from poolkit.lowering.kinds.kind import FAR, Choice, State
from poolkit.lowering.kinds.taps import Taps
from poolkit.spec.dtypes import highest

if TYPE_CHECKING:
    from poolkit.lowering.primitives import Ops

Tensor = Any


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
