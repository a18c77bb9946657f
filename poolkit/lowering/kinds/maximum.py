"""The kinds that take the largest or the smallest cell of a window."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, ClassVar

from poolkit.lowering.fold import fold_taps
from poolkit.lowering.kinds.kind import FAR, Choice, State
from poolkit.spec.dtypes import bounds

if TYPE_CHECKING:
    from poolkit.lowering.geometry import Axis
    from poolkit.lowering.primitives import Tensor


SHORT = 12  # cells of which two by two the better is taken; of more the best is found, and then its place


class Max(Choice):
    """The largest element; the first of several in row-major order; NaN before everything.

    The choice is made on a detached input, so its gradient is one-hot, of any order and in any mode.
    """

    name = "max"
    which: ClassVar[str] = "max"
    idempotent = True

    def slide(self, s: State, a: Axis) -> State | None:
        """Padding repeats the cell at its edge, which every window that reaches so far holds, and changes no choice.

        A copy before the first cell may win a tie against it, and then hands on its gradient; -inf there would keep the
        gradient of a window of -inf. Dilated windows may step over the cell at the edge.
        """
        if a.total == 0 or a.dilation > 1 or len(a.lows) > 1:
            return None
        if a.stride > 1:
            return fold_taps(self.o, a, self._edged(s, a), self.combine, padded=True, overlap=True)
        # Windows of windows, the padding as late as each still holds as many real cells: of 63 over 64 it is 3 times
        # as fast. What then stands for a window over the edge is the first or last one that does not reach there.
        real, width, edged = (min(a.window - max(a.low, a.high), a.n) if a.known else 1), 1, False
        while width < a.window:
            step = min(width, a.window - width)
            s, edged = (s, edged) if edged or width + step <= real else (self._edged(s, a), True)
            early = tuple(self.o.slice(t, a.at, 0, -step, 1) for t in s)
            late = tuple(self.o.slice(t, a.at, step, None, 1) for t in s)
            s, width = self.combine(early, late), width + step
        return s

    def _edged(self, s: State, a: Axis) -> State:
        return tuple(self.o.edged(t, a.at, *self.o.around(a)) for t in s)

    def combine(self, a: State, b: State) -> State:
        def better(early: Tensor, late: Tensor) -> Tensor:
            return self._better((early,), (late,))[0]

        if len(a) == 1:
            return (self.o.shared("better", self, better, outermost=True)(a[0], b[0]),)
        return self._better(a, b)

    def _better(self, a: State, b: State) -> State:
        o = self.o
        if self.way != "fold":
            value = o.better(self.which, a[0], b[0])
            return (value,) if self.way == "values" else (value, self.earliest((a, b), value))
        old, new = o.detach(a[0]), o.detach(b[0])
        wins = o.less(new, old) if self.which == "min" else o.greater(new, old)
        if self.plan.floating:
            wins = o.either(wins, o.isnan(new))
        return tuple(o.where(wins, late, early) for early, late in zip(a, b, strict=True))

    def reduce_axis(self, s: State, a: Axis, inside: Tensor | None) -> State:
        if a.known and inside is None and 1 < a.n <= SHORT:
            line = dataclasses.replace(a, form="taps", window=a.n, stride=a.n, out=1)
            return fold_taps(self.o, line, s, self.combine, overlap=True)
        o = self.o
        place = o.iota(s[0], a.at)
        first = o.min(o.where(self.hits(o.detach(s[0]), a.at, inside), place, FAR), a.at)
        chosen = o.equal(place, first)
        return tuple(o.pick(chosen, t, a.at) for t in s)

    def hits(self, d: Tensor, at: int, inside: Tensor | None) -> Tensor:
        """Which cells along an axis equal its extreme; where there is a NaN, which are NaN."""
        o = self.o
        best = getattr(o, self.which)(d if inside is None else o.where(inside, d, self.worst()), at)
        if not self.plan.floating:
            hit = o.equal(d, best)
        else:
            nan = o.isnan(d) if inside is None else o.both(inside, o.isnan(d))
            # Nothing equals NaN. ONNX Runtime has no `where` of bools, so it is not the hits that are chosen.
            hit = o.either(o.equal(d, o.where(o.any(nan, at), math.nan, best)), nan)
        return hit if inside is None else o.both(inside, hit)

    def worst(self) -> float | int:
        return bounds(self.plan.work)[self.which == "min"]


class Min(Max):
    """The smallest element; ties and NaN as in `Max`."""

    name = which = "min"
