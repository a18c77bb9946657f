"""Sums of exponentials or powers along whole axes in a compiled program, with a derivative by hand (`Kind.slope`)."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any

from poolkit.lowering.kinds import FOLDS
from poolkit.lowering.kinds.relative import BOUND
from poolkit.lowering.routes.stages import in_eighths
from poolkit.lowering.routes.windows import cells, reduced

if TYPE_CHECKING:
    from poolkit.lowering.plan import Plan
    from poolkit.lowering.primitives import Ops, Tensor

PARTED = 32  # cells of an axis from which it is cut into eight


class ByHand:
    """Sums of the cells as they are, and relative to the largest where those are out of range, which is rare.

    Only the forward pass holds that branch, whose scale is 1 or 0: a framework's own derivative goes through the guards
    of both branches, which takes XLA on a CPU 4 to 6 times as long.
    """

    def __init__(self, o: Ops, plan: Plan, total: Callable[[Tensor], Tensor], key: Hashable) -> None:
        self.o, self.plan, self.total = o, plan, total
        self.blind = o.of_rank(o.rank)
        self.blind.blind, self.blind.large = True, o.large
        self.kind: Any = FOLDS[plan.kind](o, plan)
        self.forward: Any = FOLDS[plan.kind](self.blind, plan)
        self.first = next(a for a in plan.axes if a.form == "whole")
        self.bound = BOUND[plan.work]

        def far(cells: Tensor) -> Any:
            return o.each(self.relative, cells)

        self.far = o.shared("relative", key, far)

    def __call__(self, x: Tensor) -> Tensor:
        o = self.o

        def derived(t: Tensor) -> Tensor:
            return self.finished(o.derived(self.state, self.slopes, t), x)

        return o.unless_derived(self.values, derived, x)

    def values(self, t: Tensor) -> Tensor:
        """Where no derivative is taken, the values tell whether all was in range.

        XLA adds up several sums in one loop where nothing but a value is made of them, and else writes down the
        exponentials that they share.
        """
        made = self.forward.certain(self.bounded(t), t)
        right = self.forward.sound(made, self.bound - math.log(cells(self.plan)))
        return self.o.branch(right, lambda near: made, lambda cells: self.finished(self.far(cells), t), t)

    def state(self, cells: Tensor) -> Any:
        """The scale, the sums relative to it, and behind them what the kind keeps of each cell."""
        o, kept = self.o, self.forward.kept(cells, None)
        made = self.bounded(cells, *kept)
        scale = o.add(o.multiply(made[-1], 0.0), made[0])

        def again(cells: Tensor) -> Any:
            exact = self.far(cells)
            sums = [exact[i] for i in range(len(made))]
            return (*sums, *self.forward.kept(cells, sums[0]))

        return o.mended(self.forward.fits(made, self.bound), (scale, *made[1:], *kept), again, cells)

    def slopes(self, cells: Tensor, found: Any, change: Tensor) -> Any:
        return self.kind.slope(cells, found, change, self.total)

    def bounded(self, x: Tensor, *kept: Tensor) -> Any:
        """The sums of the cells as they are, in eighths where that is faster."""
        if self.first.n < PARTED or not self.forward.cut(kept):
            return self.forward.bounded(x, self.total, *kept)

        def terms(x: Tensor, *kept: Tensor) -> Any:
            return self.forward.bounded(x, self.blind.detach, *kept)

        added = functools.partial(self.blind.sum, ats=reduced(self.plan))
        return in_eighths(self.o, terms, (x, *kept), self.first, added)

    def relative(self, cells: Tensor) -> Any:
        return self.forward.relative(cells, self.total, self.largest)

    def largest(self, t: Tensor) -> Tensor:
        for at in reduced(self.plan):
            t = self.blind.max(t, at)
        return t

    def finished(self, state: Any, like: Tensor) -> Tensor:
        values: Tensor = self.kind.finish(tuple([state[i] for i in range(len(self.kind.neutral))]), like)[0]
        return values
