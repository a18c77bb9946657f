"""Segments: rows are pooled whose numbers are equal, by one primitive, `Ops.segment`, and what a kind says of sums.

Rows that belong to no segment are given to one more, which is cut off; where it may be asked, none is made for nothing.
"""

from __future__ import annotations

import copy
import dataclasses
import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from poolkit.errors import DtypeError, InputError, ShapeError
from poolkit.lowering.geometry import Axis
from poolkit.lowering.kinds import FOLDS
from poolkit.lowering.kinds.kind import FAR
from poolkit.lowering.kinds.relative import BOUND
from poolkit.lowering.plan import MOST_CELLS, Composite, Plan, Run
from poolkit.lowering.weighed import finished
from poolkit.spec.dtypes import FLOATS, INTEGERS, highest, lowest
from poolkit.spec.kinds import KINDS
from poolkit.spec.messages import quoted

if TYPE_CHECKING:
    from poolkit.lowering.kinds.kind import Kind, State
    from poolkit.lowering.means import Means
    from poolkit.lowering.primitives import Ops, Tensor
    from poolkit.spec.operation import Further, Size, Widen
    from poolkit.spec.segment import Segment

EVERY = "every: "  # before the way of one that looks whether all rows belong to segments
NEAR = 2**24  # whole numbers that float32 holds, whose least frameworks find faster than that of integers
NARROW = ("int8", "int16", "uint8", "uint16", "int32")  # what int32 holds


@dataclasses.dataclass(frozen=True)
class SegmentPlan(Composite):
    """Segments of an input: `base` is the plan of one that holds all rows, `ids` the dtype that holds every number."""

    spec: Segment
    base: Plan
    ids: str
    way: str = dataclasses.field(default="fold", kw_only=True)
    refuses: bool = dataclasses.field(default=False, kw_only=True)

    def ways(self, means: Means) -> Sequence[SegmentPlan]:
        """The place of an extreme is looked for where a derivative may be taken; exact are sums of float64.

        Exponentials are tried as they are, which saves finding the largest of each segment, and what belongs to a row.
        """
        tries = means.asks and means.tries
        ways = ["fold", "exact"]
        if self.spec.selects:
            ways = ["fold"] if means.derivative else ["values", "fold"]
        elif tries and "bounded" in KINDS[self.base.kind].by_sums:
            ways = ["tried", *ways]
        made = [dataclasses.replace(self, way=way) for way in ways]
        if tries and self.known and self.axes[0].n > 0 and self.ids[0] != "u" and not self.spec.holed:
            made.insert(0, dataclasses.replace(self, way=EVERY + ways[0], refuses=means.refuses))
        return made

    def join(self, o: Ops, x: Tensor, runs: Sequence[Run], **tensors: Tensor) -> tuple[Tensor, None]:
        o.exact, o.alone = self.way == "exact", self.way.startswith(EVERY)
        n, one = self.spec.num_segments, o.of_rank(1)
        ids = one.cast(tensors["ids"], self.ids) if self.further[0].dtype != self.ids else tensors["ids"]
        scaled = "relative" in KINDS[self.base.kind].by_sums  # what a dropped row is scaled by would be NaN
        dropped = o.drops and self.known and self.axes[0].n > 0 and not scaled
        if not (dropped or self.way.startswith(EVERY)):
            return self.cut(o, x, ids), None
        here = ids if self.ids == o.index else one.cast(ids, o.index)
        if dropped:  # TensorFlow leaves out what is below 0, and refuses what is too large
            here = one.where(one.less(here, n), here, -1)
        rows = Rows(o, self.base, here, n, self.way, every=True, drops=dropped)
        if dropped or self.refuses:
            return rows.finished(x, self.spec.empty_value), None
        return o.branch(
            one.between(ids, -1, n),
            lambda x: rows.finished(x, self.spec.empty_value),
            lambda x: self.cut(o, x, ids),
            x,
        ), None

    def cut(self, o: Ops, x: Tensor, ids: Tensor) -> Tensor:
        """Of rows that may belong to no segment."""
        n, one = self.spec.num_segments, o.of_rank(1)
        inside = one.less(ids, n)
        if self.ids[0] != "u":  # where frameworks make a large number of -1
            inside = one.both(one.greater(ids, -1), inside)
        ids = one.where(inside, ids, n)
        ids = ids if self.ids == o.index else one.cast(ids, o.index)
        if not self.known:  # there is always a row to look at
            x, ids = o.pad(x, 0, 0, 1, 0), one.pad(ids, 0, 0, 1, n)
        elif self.axes[0].n == 0:  # the standard's arrays without a row cannot be padded
            x, ids = o.sum(x, (0,)), one.add(one.integer_sum(ids, (0,)), n)
        values = Rows(o, self.base, ids, n + 1, self.way).finished(x, self.spec.empty_value)
        return o.slice(values, 0, 0, n, 1)


class Rows:
    """Rows with their segments, `n` of them; unless `every` row is in one, or left out, the last is of the others."""

    def __init__(
        self, o: Ops, plan: Plan, ids: Tensor, n: int, way: str, every: bool = False, drops: bool = False
    ) -> None:
        self.o, self.plan, self.ids, self.n, self.every, self.drops = o, plan, ids, n, every, drops
        self.way, self.asks = way.removeprefix(EVERY), way.startswith(EVERY)
        self.column = (-1, *(1,) * (o.rank - 1))

    def reduced(self, t: Tensor, how: str) -> Tensor:
        return self.o.segment(t, self.ids, self.n, how)

    def total(self, t: Tensor) -> Tensor:
        return self.o.segment(t, self.ids, self.n, "sum")

    def spread(self, t: Tensor) -> Tensor:
        """What belongs to a row's segment, for every row."""
        one = self.o.of_rank(1)
        return self.o.take(t, one.clip(self.ids, 0, self.n - 1) if self.drops else self.ids, 0)

    def finished(self, x: Tensor, empty: float) -> Tensor:
        o, plan = self.o, self.plan
        if plan.kind == "sum" and empty == 0:
            return self.total(x)
        if self.asks and o.zeros and self.way == "values" and empty == 0:
            return o.segment(x, self.ids, self.n, plan.kind, or_zero=True)
        kind, one, rows = FOLDS[plan.kind](o, plan), o.of_rank(1).of_dtype("int32"), plan.axes[0]
        divides, few = not plan.spec.selects, rows.known and rows.n < NEAR
        count = (one.of_dtype(plan.work) if divides and few else one).counts(self.ids, self.n)
        count = one.reshape(count if few or not divides else one.cast(count, plan.work), self.column)
        values = self.tried(kind, x, count) if self.way == "tried" else self.sure(kind, x, count)
        if empty == 0:
            return values
        return o.where(o.greater(count, 0), values, empty if plan.floating or not plan.spec.selects else int(empty))

    def sure(self, kind: Kind, x: Tensor, count: Tensor) -> Tensor:
        """Sums of a segment without a row are 0 already, and its extreme is what the framework likes."""
        o, state, facts = self.o, self.state(kind, x), KINDS[self.plan.kind]
        if facts.selects:
            return o.where(o.greater(count, 0), state[0], 0)
        if not (facts.adds or "plain" in facts.by_sums):
            return finished(kind, count, state, x)[0]
        kind.counted = o.clip(count, 1.0, math.inf)
        return kind.finish(state, x)[0]

    def tried(self, kind: Any, x: Tensor, count: Tensor) -> Tensor:
        """By exponentials of the cells as they are, where their sums say that none was out of range."""
        o = self.o
        state = kind.bounded(self.kept(x), self.total)
        made = finished(kind, count, state, x)[0]
        *others, weights = state
        weights = o.where(o.greater(count, 0), weights, 1.0)  # of a segment without a row they add up to 0
        right = kind.fits((*others, weights), BOUND[self.plan.work])
        return o.branch(right, lambda x: made, lambda x: self.sure(kind, x, count), x)

    def kept(self, x: Tensor) -> Tensor:
        """Rows of which those that are in no segment are 0."""
        if self.every:
            return x
        one = self.o.of_rank(1)
        return self.o.where(one.reshape(one.equal(self.ids, self.n - 1), self.column), 0, x)

    def state(self, kind: Kind, x: Tensor) -> State:
        if self.plan.spec.selects:
            return (self.chosen(x),)
        relative: Callable[..., State] | None = getattr(kind, "relative", None)
        if relative is None:
            return (self.total(x),)
        most: list[Tensor] = []

        def largest(t: Tensor) -> Tensor:
            most.append(self.reduced(t, "max"))
            return self.spread(most[0])

        _, *sums = relative(self.kept(x), self.total, largest)
        return most[0], *sums

    def chosen(self, x: Tensor) -> Tensor:
        """Of a framework that drops NaN, or begins with a finite number, it is asked whether there are such cells."""
        o, floating = self.o, self.plan.floating
        if o.nan_wins or not (self.asks and floating):
            return self.placed(x, floating)
        finite = o.between(o.detach(x), -math.inf, math.inf)
        return o.branch(finite, lambda x: self.placed(x, False), lambda x: self.placed(x, True), x)

    def placed(self, x: Tensor, any_cell: bool) -> Tensor:
        """The extreme; its derivative is that of the first row that holds it, or of a NaN where there is one."""

        def best(rows: Tensor) -> Tensor:
            return self.of(rows[1]).best(rows[0], any_cell)

        def first(rows: Tensor, found: Tensor, change: Tensor) -> Tensor:
            return self.of(rows[1]).first(rows[0], found, change[0], any_cell)

        return self.best(x, any_cell) if self.way == "values" else self.o.derived(best, first, (x, self.ids))

    def of(self, ids: Tensor) -> Rows:
        """The same by numbers that are handed on, since a derivative may use nothing from around it."""
        made = copy.copy(self)
        made.ids = ids
        return made

    def best(self, x: Tensor, any_cell: bool) -> Tensor:
        o, how, cells = self.o, self.plan.kind, self.o.detach(x)
        best = self.reduced(cells, how)
        if not any_cell or o.nan_wins:
            return best
        worst, nan = -math.inf if how == "max" else math.inf, o.isnan(cells)
        marks = o.where(nan, 2.0, o.cast(o.either(o.greater(cells, worst), o.less(cells, worst)), self.plan.work))
        most = self.reduced(marks, "max")
        return o.where(o.equal(most, 2), math.nan, o.where(o.equal(most, 0), worst, best))

    def first(self, x: Tensor, best: Tensor, change: Tensor, any_cell: bool) -> Tensor:
        """What belongs to the first row of each segment whose cell is the best."""
        o, cells = self.o, self.o.detach(x)
        hit = o.equal(cells, self.spread(best))
        hit = o.either(o.isnan(cells), hit) if any_cell else hit
        rows = self.plan.axes[0]
        few = rows.known and rows.n < NEAR
        places = o.of_dtype("float32" if few else "int32")
        line, far = (places.cast(o.iota(x, 0), "float32"), float(NEAR)) if few else (o.iota(x, 0), FAR)
        first = places.segment(places.where(hit, line, far), self.ids, self.n, "min")
        return o.take_along(change, places.cast(places.where(places.less(first, far), first, 0), "int32"), 0)


def plan_of_segments(
    spec: Segment, rank: int, dtype: str, size: Size, widen: Widen, further: tuple[Further, ...]
) -> SegmentPlan:
    """Segments resolved on an input and its `ids`."""
    spec.check_rank(rank)
    work = spec.work_dtype(dtype, widen)
    n, known = size(0)
    if len(further) == 0:
        raise InputError(
            f"received no ids for {quoted(str(spec))}, and they say to which segment each row belongs; give one "
            "integer for each row, as in pk.segment(x, ids, num_segments)"
        )
    _check_ids(spec, further[0], n if known else None)
    _check_memory(spec, [size(at) for at in range(rank)])
    if dtype not in FLOATS and spec.selects:
        _check_empty(spec, dtype)
    axis = Axis(0, spec.layout[0], "whole", n, known, out=1)
    base = Plan(spec.pooling, (axis,), rank, dtype, work)
    ids = "int32" if further[0].dtype in NARROW else widen(further[0].dtype)
    if ids is None:
        raise _no_ids(spec, further[0].dtype)
    return SegmentPlan(spec, (), base.axes, rank, dtype, work, base, ids, further=(further[0]._replace(sizes=()),))


def _check_ids(spec: Segment, ids: Further, rows: int | None) -> None:
    if ids.dtype not in INTEGERS or ids.dtype == "bool":
        raise _no_ids(spec, ids.dtype)
    if ids.rank != 1 or (rows is not None and ids.sizes[0] not in (None, rows)):
        what = f"{rows} rows here" if rows is not None else "of which there is one axis"
        raise ShapeError(
            f"received ids of shape {ids.sizes} for {quoted(str(spec))}, and there is one for each row, {what}; "
            "give one integer for each"
        )


def _no_ids(spec: Segment, dtype: str) -> DtypeError:
    return DtypeError(
        f"received ids of dtype {dtype} for {quoted(str(spec))}, and segments are numbered by integers that this "
        "framework can compare; cast them to int32"
    )


def _check_memory(spec: Segment, sizes: Sequence[tuple[Any, bool]]) -> None:
    before = after = 1
    for at, (n, known) in enumerate(sizes):
        if known:
            before, after = before * n, after * (n if at else 1)
    after = after * spec.num_segments
    if after > MOST_CELLS and after > 4 * before:
        raise ShapeError(
            f"received {before} cells, of which {spec.num_segments} segments would make {after}, and {MOST_CELLS} is "
            "the most; give fewer segments"
        )


def _check_empty(spec: Segment, dtype: str) -> None:
    value = spec.empty_value
    if not math.isfinite(value) or value != int(value) or not lowest(dtype) <= int(value) <= highest(dtype):
        raise DtypeError(
            f"received empty_value={value} for an input of dtype {dtype}, and {spec.kind} of integers is one of its "
            "dtype; give one that it holds, or cast the input to a float"
        )
