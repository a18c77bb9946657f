"""Kinds that are sums, powers and quotients, by an adapter's routes for sums and maxima in place of the fold.

A kind says what is added up, in one of seven ways. *plain*: the cells' own numbers. *relative*: to the largest cell,
which is one for all cells along whole axes; of windows that overlap each would need its own. *wide*: in float64, where
the powers of any float32 numbers are in range. *bounded*: exponentials or powers of the cells as they are, where they
are in range for all cells of the map; where one is not, a branch has the fold. *tried*: the same, eagerly; whether all
was in range the sums tell, which are fewer numbers than the cells. *derived*: the same in a compiled program, where
the derivative is one by hand (`by_hand.py`). *beside*: in what is shipped, which may hold no branch and no float64, the
cells of each window stand beside each other along an axis of their own, and are relative to the largest of them.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from poolkit.lowering.axis import Axis
from poolkit.lowering.fold import pad, tap, total
from poolkit.lowering.kinds import FOLDS
from poolkit.lowering.kinds.relative import BOUND, in_range, moderate, powers_fit
from poolkit.lowering.plan import Composite, Plan, Run
from poolkit.lowering.routes.by_hand import ByHand
from poolkit.lowering.routes.windows import cells, in_no_window, sliding
from poolkit.lowering.weighed import WeighedPlan, finished, pooled
from poolkit.spec.kinds import KINDS

if TYPE_CHECKING:
    from poolkit.lowering.kinds.kind import State
    from poolkit.lowering.primitives import Ops, Tensor


@dataclasses.dataclass(frozen=True)
class BySums(Composite):
    """`base` by sums; the first part is the sum, the others are constants: the largest, and the count of real cells."""

    base: Plan | WeighedPlan
    way: str

    def join(self, o: Ops, x: Tensor, runs: Sequence[Run], **tensors: Tensor) -> tuple[Tensor, Tensor | None]:
        plan = pooling(self.base)
        if self.way == "beside":
            return _beside(o, plan, x), None
        sums = [_values(run) for run in runs]
        if self.way == "derived":
            return ByHand(o, plan, sums[0], self)(x), None
        ready = self.base.ready(o, x, tensors) if isinstance(self.base, WeighedPlan) else {}
        mask = ready.pop("mask", None)
        x = x if mask is None else o.where(mask, x, 0)
        made = _Sums(self, o, plan, sums, mask, ready)
        if self.way == "tried":
            return made.tried(x), None
        return made.bounded(x) if self.way == "bounded" else made.of(x), None


@dataclasses.dataclass(frozen=True)
class _Sums:
    """What a plan by sums makes of cells: `sums` are its parts', `ready` the tensors that stand for its options."""

    whole: BySums
    o: Ops
    plan: Plan
    sums: list[Callable[..., Tensor]]
    mask: Tensor | None
    ready: Mapping[str, Tensor]

    def of(self, near: Tensor, *kept: Tensor) -> Tensor:
        return self.state(near, *kept)[1]()

    def bounded(self, x: Tensor) -> Tensor:
        """With exponentials that stand before the branch, where XLA would compute one for each window of a cell.

        In its loop over windows these are 2.25 times as many for 3 with stride 2; those that two sums share it keeps.
        """
        kind, work = self.kind, self.plan.work
        once = self.o.slices_are_free and not self.powers and len(kind.neutral) == 2
        kind.mask = self.mask
        kept = kind.kept(in_range(kind, x, BOUND[work]), None) if once and self.whole.parts[0].work == work else ()
        return self.o.branch(self.fit(x), lambda near: self.of(near, *kept), self.far, x)

    def tried(self, x: Tensor) -> Tensor:
        """Windows of zeros, or of masked cells alone, say nothing of their cells."""
        o = self.o
        state, made = self.state(x)
        said = [self.kind.fits(state, BOUND[self.plan.work]), *map(self.fit, in_no_window(o, x, self.plan))]

        def again(x: Tensor) -> Tensor:
            return o.branch(self.fit(x), lambda x: made(), self.far, x)

        sure = is_whole(self.plan) and not self.powers
        right = functools.reduce(o.both, said)
        return o.branch(right, lambda x: made(fits=True), self.far if sure else again, x)

    @functools.cached_property
    def kind(self) -> Any:
        return FOLDS[self.plan.kind](self.o, self.plan, **self.ready)

    @property
    def powers(self) -> bool:
        return "wide" in KINDS[self.plan.kind].by_sums

    def fit(self, x: Tensor) -> Any:
        """Whether all that is added up of these cells is in range."""
        if self.powers:
            return powers_fit(self.kind, x, cells(self.plan))
        return moderate(self.kind, x, BOUND[self.whole.parts[0].work])

    def far(self, x: Tensor) -> Tensor:
        """What is right for any cells."""
        if is_whole(self.plan):
            return dataclasses.replace(self, whole=dataclasses.replace(self.whole, way="relative")).of(x)
        return self.o.each(lambda some: pooled(self.kind, some, self.mask)[0], x)

    def state(self, x: Tensor, *kept: Tensor) -> tuple[State, Callable[..., Tensor]]:
        """The state of each window, and what gives the values."""
        work, way, o, mask = self.whole.parts[0].work, self.whole.way, self.o, self.mask
        inner = o if work == self.whole.work else o.of_dtype(work)
        x, ready = x, self.ready
        if inner is not o:
            x, ready = inner.cast(x, work), {name: inner.cast(t, work) for name, t in ready.items()}
        kind: Any = FOLDS[self.plan.kind](inner, dataclasses.replace(self.plan, work=work), **ready)
        kind.mask = mask
        sums = self.sums if mask is None else self.sums[:-1]
        if way in ("bounded", "tried"):
            sums = sums[:1]
            kind.way = "tried" if way == "tried" and o.puts and mask is None else "fold"
        count = None if mask is None else self.sums[-1](inner.cast(mask, work))
        if count is not None:
            kind.counted = inner.where(inner.greater(count, 0), count, 1)  # what a deviation divides by
        state = getattr(kind, "bounded" if way == "tried" else way)(x, *sums, *kept)

        def made(fits: bool = False) -> Tensor:
            if count is not None:
                values = finished(kind, count, state, x)[0]
            else:
                values = kind.certain(state, x) if fits else kind.finish(state, x)[0]
            return values if inner is o else o.cast(values, self.whole.work)

        return state, made


def _beside(o: Ops, plan: Plan, x: Tensor) -> Tensor:
    """As whole axes, of which there is one: that of the cells of a window."""
    kind: Any = FOLDS[plan.kind](o, plan)
    axes, wide = [sliding(a) for a in plan.axes], o.of_rank(o.rank + 1)
    first = Axis(0, "", "whole", math.prod([a.window for a in axes]), known=True)
    x, nothing = kind.beside(x)
    cells = _first(o, x, nothing, axes)

    def added(t: Tensor) -> Tensor:
        return total(wide, t, (first,))

    def largest(t: Tensor) -> Tensor:
        return wide.max(t, 0)

    state = kind.relative(cells, added, largest)
    return wide.drop(kind.finish(state, x)[0], (0,))


def _first(o: Ops, x: Tensor, around: float, axes: Sequence[Axis]) -> Tensor:
    """The cells of each window along a new first axis, where a framework adds up whole maps."""
    wide = o.of_rank(o.rank + 1)
    x = o.expand(x, 0)
    for a in [dataclasses.replace(a, at=a.at + 1) for a in reversed(axes) if a.form == "taps"]:
        padded = pad(wide, x, a, around) if a.total else x
        x = wide.concat([tap(wide, padded, a, i) for i in range(a.window)], 0)
    return x


def _values(run: Run) -> Callable[[Tensor], Tensor]:
    return lambda x: run(x)[0]


def pooling(base: Plan | WeighedPlan) -> Plan:
    return base.base if isinstance(base, WeighedPlan) else base


def is_whole(plan: Plan) -> bool:
    return {a.form for a in plan.axes} <= {"whole", "keep"}
