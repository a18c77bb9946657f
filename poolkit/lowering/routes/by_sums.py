"""Kinds that are sums, powers and quotients, by an adapter's routes for sums and maxima in place of the fold.

A kind says what is added up, in one of seven ways. *plain*: the cells' own numbers. *relative*: to the largest cell,
which is one for all cells along whole axes; of windows that overlap each would need its own. *wide*: in float64, where
the powers of any float32 numbers are in range. *bounded*: exponentials or powers of the cells as they are, where they
are in range for all cells of the map; where one is not, a branch has the fold. *tried*: the same, eagerly; whether all
was in range the sums tell, which are fewer numbers than the cells. *derived*: the same in a compiled program, where
the derivative is one by hand (`Kind.slope`). *beside*: in what is shipped, which may hold no branch and no float64, the
cells of each window stand beside each other along an axis of their own, and are relative to the largest of them.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeGuard

from poolkit.lowering.axis import Axis
from poolkit.lowering.backend import SUMS
from poolkit.lowering.fold import pad, tap, total
from poolkit.lowering.kinds import FOLDS
from poolkit.lowering.kinds.relative import moderate, powers_fit
from poolkit.lowering.plan import AnyPlan, Composite, Plan, Run
from poolkit.lowering.products import STAGES, in_a_row
from poolkit.lowering.routes.stages import in_eighths
from poolkit.lowering.routes.windows import IN_A_ROW, cells, in_no_window, reduced, sliding
from poolkit.lowering.weighed import WeighedPlan, finished, pooled
from poolkit.spec.dtypes import FLOATS
from poolkit.spec.kinds import KINDS, RANDOM

if TYPE_CHECKING:
    from poolkit.lowering.kinds.kind import State
    from poolkit.lowering.primitives import Ops, Tensor


WIDEST = 4.0  # the largest p of which float64 holds the powers of float32's numbers, and their derivatives
# The largest magnitude of beta * x. The fourth power of a sum of 100 exponentials is in range, and so are derivatives
# up to the third; and beta * x is rounded by less than is allowed of a cell.
BOUND = {"float32": 16.0, "float64": 150.0}
# How many times as many cells all windows may have as the map, where these are put beside each other: those of 3 with
# stride 2 have 2.25, and take a quarter of the fold's time on PyTorch; of 3 with stride 1 9, and the gradient twice it.
COPIES = 5
PARTED = 32  # cells of an axis from which it is cut into eight
FEW = 25  # cells that float32 may add up in a row: 3.4 eps of the 16 that are allowed


@dataclasses.dataclass(frozen=True)
class BySums(Composite):
    """`base` by sums; the first part is the sum, the others are constants: the largest, and the count of real cells."""

    base: Plan | WeighedPlan
    way: str

    def join(self, o: Ops, x: Tensor, runs: Sequence[Run], **tensors: Tensor) -> tuple[Tensor, Tensor | None]:
        ready = self.base.ready(o, x, tensors) if isinstance(self.base, WeighedPlan) else {}
        mask = ready.pop("mask", None)
        x = x if mask is None else o.where(mask, x, 0)
        if self.way == "derived":
            return self._derived(o, x, runs), None
        if self.way == "beside":
            return self._beside(o, x), None
        if self.way not in ("bounded", "tried"):
            return self._by_sums(o, x, runs, mask, ready)[1](), None
        plan = pooling(self.base)
        kind = FOLDS[plan.kind](o, plan, **ready)
        powers = "wide" in KINDS[plan.kind].by_sums

        def fit(some: Tensor = x) -> Any:
            few = cells(plan)
            return powers_fit(kind, some, few) if powers else moderate(kind, some, BOUND[self.parts[0].work])

        def far(x: Tensor) -> Tensor:
            if self.whole_axes:
                return dataclasses.replace(self, way="relative")._by_sums(o, x, runs, mask, ready)[1]()
            return pooled(kind, x, mask)[0]

        if self.way == "bounded":
            return o.branch(fit(), lambda near: self._by_sums(o, near, runs, mask, ready)[1](), far, x), None
        state, made = self._by_sums(o, x, runs, mask, ready)
        # Windows of zeros, or of masked cells alone, say nothing of their cells.
        again = powers or not self.whole_axes
        said = [kind.fits(state, BOUND[plan.work]), *map(fit, in_no_window(o, x, plan))]
        return o.branch(
            functools.reduce(o.both, said),
            lambda x: made(fits=True),
            (lambda x: o.branch(fit(), lambda x: made(), far, x)) if again else far,
            x,
        ), None

    def _derived(self, o: Ops, x: Tensor, runs: Sequence[Run]) -> Tensor:
        """As "tried", with the derivative by hand: only the forward pass holds a branch, whose scale is 1 or 0.

        A framework's own goes through the guards of both branches, which takes XLA on a CPU 4 to 6 times as long.
        Where none is taken, the values tell whether all was in range: XLA adds up several sums in one loop where
        nothing but a value is made of them, and else writes down the exponentials that they share.
        """
        plan = pooling(self.base)
        blind = o.of_rank(o.rank)
        blind.blind = True
        kind: Any = FOLDS[plan.kind](o, plan)
        forward: Any = FOLDS[plan.kind](blind, plan)
        total = _values(runs[0])
        first = next(a for a in plan.axes if a.form == "whole")

        def bounded(*cells: Tensor) -> Any:
            if first.n < PARTED or not forward.cut(cells[1:]):
                return forward.bounded(cells[0], total, *cells[1:])

            def terms(*part: Tensor) -> Any:
                return forward.bounded(part[0], blind.detach, *part[1:])

            return in_eighths(o, terms, cells, first, functools.partial(o.sum, ats=reduced(plan)))

        def largest(t: Tensor) -> Tensor:
            for at in reduced(plan):
                t = blind.max(t, at)
            return t

        def relative(cells: Tensor) -> Any:
            return forward.relative(cells, total, largest)

        far = o.shared("relative", self, relative)

        def value(state: Any) -> Tensor:
            return kind.finish(tuple([state[i] for i in range(len(kind.neutral))]), x)[0]

        def values(t: Tensor) -> Tensor:
            made = forward.certain(bounded(t), t)
            right = forward.sound(made, BOUND[plan.work] - math.log(cells(plan)))
            return o.branch(right, lambda near: made, lambda cells: value(far(cells)), t)

        def state(cells: Tensor) -> Any:
            kept = forward.kept(cells, None)
            made = bounded(cells, *kept)
            scale = o.add(o.multiply(made[-1], 0.0), made[0])

            def again(cells: Tensor) -> Any:
                exact = far(cells)
                sums = [exact[i] for i in range(len(made))]
                return (*sums, *forward.kept(cells, sums[0]))

            near = (scale, *made[1:], *kept)
            return o.mended(forward.fits(made, BOUND[plan.work]), near, again, cells)

        def slopes(cells: Tensor, found: Any, change: Tensor) -> Any:
            return kind.slope(cells, found, change, total)

        return o.unless_derived(values, lambda t: value(o.derived(state, slopes, t)), x)

    def _beside(self, o: Ops, x: Tensor) -> Tensor:
        """As whole axes, of which there is one: that of the cells of a window."""
        plan = pooling(self.base)
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

    @property
    def whole_axes(self) -> bool:
        return is_whole(pooling(self.base))

    def _by_sums(
        self, o: Ops, x: Tensor, runs: Sequence[Run], mask: Tensor | None, ready: Mapping[str, Tensor]
    ) -> tuple[State, Callable[..., Tensor]]:
        """The state of each window, and what gives the values."""
        plan = dataclasses.replace(pooling(self.base), work=self.parts[0].work)
        inner = o if plan.work == self.work else o.of_dtype(plan.work)
        cells = x if inner is o else inner.cast(x, plan.work)
        ready = ready if inner is o else {name: inner.cast(t, plan.work) for name, t in ready.items()}
        kind = FOLDS[plan.kind](inner, plan, **ready)
        kind.mask = mask
        sums = [_values(run) for run in runs]
        counted = None if mask is None else sums.pop()
        way = "bounded" if self.way == "tried" else self.way
        if way == "bounded":
            sums = sums[:1]
            kind.way = "tried" if self.way == "tried" and o.puts and mask is None else "fold"
        count = None if counted is None else counted(inner.cast(mask, plan.work))
        if count is not None:
            kind.counted = inner.where(inner.greater(count, 0), count, 1)  # what a deviation divides by
        state = getattr(kind, way)(cells, *sums)

        def made(fits: bool = False) -> Tensor:
            if count is not None:
                values = finished(kind, count, state, cells)[0]
            else:
                values = kind.certain(state, cells) if fits else kind.finish(state, cells)[0]
            return values if inner is o else o.cast(values, self.work)

        return state, made


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


def ways(
    base: AnyPlan,
    wide: bool,
    tries: bool,
    branches: Callable[[Plan], bool],
    derives: bool = False,
    shipped: bool = False,
    multiplies: str = "",
) -> list[Composite]:
    """The ways in which a kind is computed by sums, and masked sums by products.

    `wide`: float64 is to be had; `branches`: data may be looked at; `tries`: what is out of range may be computed;
    `derives`: a derivative may be given by hand, and what is out of range be computed in a program; `shipped`: a
    program is to be short, and right for any numbers; `multiplies`: by which product of matrices, if any pays.
    """
    found = _of_parts(base, wide, tries, branches, derives, multiplies)
    return [_by(base, "beside", base.work, [])] if not found and shipped and _stand_beside(base) else found


def _stand_beside(base: AnyPlan) -> TypeGuard[Plan]:
    """Whether windows are small, so that their cells are not many times as many as those of the input."""
    if not isinstance(base, Plan) or "bounded" not in KINDS[base.kind].by_sums:
        return False
    axes = [sliding(a) for a in base.axes]
    slide = all(a.form in ("taps", "keep") for a in axes) and any(a.form == "taps" for a in axes)
    copies = math.prod([a.window / min(a.stride, a.window) for a in axes])
    few = math.prod([a.window for a in axes]) <= IN_A_ROW
    options = dict(base.spec.options)
    return slide and options.get("p") != math.inf and options.get("beta") != 0 and few and copies <= COPIES


def _of_parts(
    base: AnyPlan, wide: bool, tries: bool, branches: Callable[[Plan], bool], derives: bool, multiplies: str
) -> list[Composite]:
    if not isinstance(base, Plan | WeighedPlan) or not (base.known or is_whole(pooling(base))):
        return []
    plan, given = pooling(base), {f.name for f in base.further}
    tries, derives = tries and base.known, derives and base.known
    if isinstance(base, WeighedPlan) and given == {"mask"} and plan.kind in SUMS and base.work in FLOATS:
        rows = tries and multiplies and base.narrow and in_a_row(plan, multiplies == STAGES)
        way = multiplies if rows else "tried"
        return [dataclasses.replace(base, way=way)] if tries and branches(plan) else []
    offered = KINDS[plan.kind].by_sums
    p = dict(plan.spec.options).get("p", 2.0)
    if not offered or given & set(RANDOM):
        return []
    if "plain" in offered or (p in (1, math.inf) and not given & {"p", "eps"}):
        return [_by(base, "plain", plan.work, ["max" if p == math.inf else "sum"])]
    powers, whole = "wide" in offered, is_whole(plan)
    sure = "bounded" in offered and (not powers or (1 < p <= WIDEST and not given & {"p", "eps"}))
    if sure and tries and (whole or cells(plan) <= FEW) and branches(plan):
        return [_by(base, "tried", plan.work, ["sum", "max"] if whole else ["sum"])]
    if whole and derives and "bounded" in offered and not base.further and (not powers or 2 <= p < math.inf):
        return [_by(base, "derived", plan.work, ["sum"]), _by(base, "relative", plan.work, ["sum", "max"])]
    if whole:
        return [_by(base, "relative", plan.work, ["sum", "max"])]
    if powers and (not 1 < p <= WIDEST or given & {"p", "eps"}):
        return []
    if powers and wide and plan.work == "float32":
        return [_by(base, "wide", "float64", ["sum"])]
    many = plan.work == "float32" and cells(plan) > FEW
    if "bounded" in offered and not (powers and many) and branches(plan):
        return [_by(base, "bounded", "float64" if many and wide else plan.work, ["sum"])]
    return []


def _by(base: Plan | WeighedPlan, way: str, work: str, kinds: list[str]) -> BySums:
    plan = pooling(base)
    masked = any(f.name == "mask" for f in base.further)
    parts = [
        dataclasses.replace(plan, spec=plan.spec.replace(kind=kind, options=()), dtype=work, work=work)
        for kind in [*kinds, *(["sum"] if masked else [])]
    ]
    return BySums(base.spec, tuple(parts), base.axes, base.rank, base.dtype, base.work, base, way, further=base.further)
