"""Regions of interest resolved on a map and boxes: along each side of a box the cells that its bins look at, and how.

Both kinds are one gather: for every bin `2 * grid` corners of samples, or `grid` cells, along each side. What is
summed or compared of them is a fold. Boxes have no gradient.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from poolkit.errors import DtypeError, InputError, ShapeError
from poolkit.lowering.geometry import Axis
from poolkit.lowering.kinds import FOLDS
from poolkit.lowering.plan import MOST_CELLS, Composite, Plan, Run
from poolkit.lowering.weighed import pooled
from poolkit.spec.dtypes import FLOATS, INTEGERS
from poolkit.spec.messages import quoted

if TYPE_CHECKING:
    from poolkit.lowering.primitives import Ops
    from poolkit.spec.operation import Further, Size, Widen
    from poolkit.spec.roi import RoiSpec

Tensor = Any


class Side(NamedTuple):
    """Of each box, bin and place along a side of the bin: a cell, its weight, or whether it is one of the bin."""

    cells: Tensor  # int32, (K, P, S)
    weights: Tensor | None
    inside: Tensor | None  # of cells (K, P, 1): whether there are any
    samples: Tensor | None  # (K, 1, 1): how many of the samples are averaged, where that is data


@dataclasses.dataclass(frozen=True)
class RegionsPlan(Composite):
    """Regions of a map, which has two axes: of each `out` counts bins, and `window` the samples or cells of one."""

    spec: RoiSpec
    fine: str  # the dtype in which boxes are computed

    def join(self, o: Ops, x: Tensor, runs: Sequence[Run], **tensors: Tensor) -> tuple[Tensor, None]:
        two = o.of_rank(2).of_dtype(self.fine)
        boxes = two.detach(two.cast(tensors["boxes"], self.fine))
        order = tuple(map(self.spec.layout.index, f"CN{self.spec.axes}"))
        maps = o.size(x, order[1]) * self.axes[0].n * self.axes[1].n
        flat = o.merge(o.permute(x, order), 3, maps)
        first, last = (along(o, boxes, self, i) for i in range(2))
        batch, real = self.batches(two, boxes, o.size(x, order[1]))
        six, one, line = o.of_rank(6), o.of_rank(1), o.of_rank(5).of_dtype("int32")
        rows = line.multiply(line.reshape(batch, (-1, 1, 1, 1, 1)), o.number(self.axes[0].n, "int32"))
        rows = line.multiply(line.add(rows, _down(line, first.cells)), o.number(self.axes[1].n, "int32"))
        places = line.add(rows, _across(line, last.cells))
        bins, grid = self.axes[0].out, [2 * a.window if self.spec.kind == "align" else a.window for a in self.axes]
        many = -1 if o.sizes_are_data else two.size(boxes, 0)  # of which a reshape takes one that is data
        sizes = (many, bins, grid[0], self.axes[1].out, grid[1])
        cells = o.of_rank(2).split(o.of_rank(2).take(flat, one.reshape(places, (-1,)), 1), sizes)
        made = (
            self.of_samples(six, cells, first, last)
            if self.spec.kind == "align"
            else self.of_cells(six, cells, first, last, runs[0])
        )
        four = o.of_rank(4)
        made = four.where(four.reshape(real, (1, -1, 1, 1)), six.drop(made, (3, 5)), 0)
        return four.permute(made, tuple([f"CN{self.spec.axes}".index(c) for c in self.spec.layout])), None

    def batches(self, o: Ops, boxes: Tensor, n: Any) -> tuple[Tensor, Tensor]:
        """Which map each box is of, and whether there is one."""
        batch = o.floor(o.slice(boxes, 1, 0, 1, 1))
        real = o.both(o.greater(batch, -1.0), o.less(batch, o.number(n, self.fine)))
        return o.cast(o.where(real, batch, 0.0), "int32"), real

    def inner(self, factor: int) -> Plan:
        grids = [
            Axis(at, c, "whole", a.window * factor, True, out=1)
            for at, c, a in zip((3, 5), "UV", self.axes, strict=True)
        ]
        return Plan(self.spec.inner, tuple(grids), 6, self.work, self.work)

    def of_cells(self, o: Ops, cells: Tensor, first: Side, last: Side, largest: Run) -> Tensor:
        """A bin with fewer cells than others has its last one several times, which changes no maximum."""
        five = o.of_rank(5)
        some = five.both(_down(five, first.inside), _across(five, last.inside))
        return o.where(five.expand(some, 0), largest(cells)[0], 0)

    def of_samples(self, o: Ops, cells: Tensor, first: Side, last: Side) -> Tensor:
        five = o.of_rank(5)
        weights = five.multiply(_down(five, first.weights), _across(five, last.weights))
        weights = five.expand(weights if self.fine == self.work else five.cast(weights, self.work), 0)
        terms = o.multiply(o.where(o.equal(weights, 0), 0.0, cells), weights)
        if self.spec.mode == "max":
            return self.largest(o, terms, first, last)
        total = pooled(
            FOLDS["sum"](o, dataclasses.replace(self.inner(2), spec=self.inner(2).spec.replace(kind="sum"))), terms
        )[0]
        count: Any = math.prod([a.window for a in self.axes])
        if first.samples is not None:
            five = five.of_dtype(self.fine)
            count = five.expand(five.multiply(_down(five, first.samples), _across(five, last.samples)), 0)
            count = o.cast(count, self.work) if self.fine != self.work else count
        return o.divide(total, count)

    def largest(self, o: Ops, terms: Tensor, first: Side, last: Side) -> Tensor:
        """Of the weighted corners, or of their sums; a sample beside the map is 0, and one beyond the grid is none."""
        factor = 2
        if self.spec.max_of == "interp":
            factor = 1
            for at in (5, 3):
                terms = o.add(o.slice(terms, at, 0, None, 2), o.slice(terms, at, 1, None, 2))
        mask = None
        if first.inside is not None:
            step = 3 - factor  # of each corner, or of the first of a sample
            five = o.of_rank(5)
            mask = five.both(_down(five, first.inside), _across(five, last.inside))
            mask = five.slice(five.slice(mask, 2, 0, None, step), 4, 0, None, step)
            mask = five.expand(mask, 0)
        return pooled(FOLDS["max"](o, self.inner(factor)), terms, mask)[0]


def _down(o: Ops, t: Tensor) -> Tensor:
    """(K, P, S) as what belongs to the height of (K, P, S, Q, T)."""
    return o.of_rank(4).expand(o.of_rank(3).expand(t, 3), 4)


def _across(o: Ops, t: Tensor) -> Tensor:
    return o.of_rank(4).expand(o.of_rank(3).expand(t, 1), 2)


def along(o: Ops, boxes: Tensor, plan: RegionsPlan, i: int) -> Side:
    """What the bins along the height (0) or the width (1) look at."""
    line = Line(o.of_rank(3).of_dtype(plan.fine), plan, i)
    low, high = (line.column(boxes, at) for at in (2 - i, 4 - i))
    return line.samples(low, high) if plan.spec.kind == "align" else line.cells(low, high)


class Line:
    """One side of all boxes: tensors are (K, P, S) in the dtype of boxes."""

    def __init__(self, o: Ops, plan: RegionsPlan, i: int) -> None:
        self.o, self.spec, self.a = o, plan.spec, plan.axes[i]
        self.n = float(self.a.n) if self.a.known else o.number(self.a.n, plan.fine)
        self.dtype = plan.fine

    def column(self, boxes: Tensor, at: int) -> Tensor:
        two = self.o.of_rank(2)
        edge = self.o.reshape(two.slice(boxes, 1, at, at + 1, 1), (-1, 1, 1))
        return edge if self.spec.spatial_scale == 1 else self.o.multiply(edge, self.spec.spatial_scale)

    def numbers(self, count: int, at: int, like: Tensor) -> Tensor:
        """0, 1, 2, … along an axis of a tensor that has size 1 there."""
        o = self.o
        return o.cast(o.iota(o.pad(like, at, 0, count - 1, 0.0), at), self.dtype)

    def quotient(self, size: Tensor, by: int) -> Tensor:
        """By a tensor: compilers multiply by the reciprocal of a constant, which rounds otherwise."""
        o = self.o
        return o.divide(size, o.where(o.less(size, -3e38), size, float(by)))

    def at_most(self, t: Tensor, most: Any) -> Tensor:
        o, over = self.o, self.o.greater(t, most)
        return o.where(over, most if self.a.known else o.multiply(o.cast(over, self.dtype), most), t)

    def samples(self, low: Tensor, high: Tensor) -> Side:
        o = self.o
        if self.spec.aligned:
            low, high = o.subtract(low, 0.5), o.subtract(high, 0.5)
        size = o.subtract(high, low)
        if not self.spec.aligned:
            size = o.where(o.less(size, 1.0), 1.0, size)
        step = self.quotient(size, self.a.out)
        p, s = self.numbers(self.a.out, 1, size), self.numbers(self.a.window, 2, size)
        counted, grid = None, None
        if self.spec.sampling_ratio:
            share = o.divide(step, float(self.spec.sampling_ratio))
        else:
            grid = o.multiply(o.floor(o.multiply(step, -1.0)), -1.0)
            counted = o.less(s, grid)
            grid = o.where(o.greater(grid, 1.0), grid, 1.0)
            grid = o.where(o.greater(grid, float(self.a.window)), float(self.a.window), grid)
            share = o.divide(step, grid)
        at = o.add(o.add(low, o.multiply(p, step)), o.multiply(o.add(s, 0.5), share))
        near, far, share = self.corners(at)
        real = o.both(
            o.either(o.greater(at, -1.0), o.equal(at, -1.0)), o.either(o.less(at, self.n), o.equal(at, self.n))
        )
        real = real if counted is None else o.both(real, counted)
        weights = self.paired(o, [o.where(real, w, 0.0) for w in (o.add(o.multiply(share, -1.0), 1.0), share)])
        cells = self.paired(o.of_dtype("int32"), [o.cast(near, "int32"), o.cast(far, "int32")])
        return Side(cells, weights, None if counted is None else self.paired(o, [self.every(counted, p)] * 2), grid)

    def every(self, counted: Tensor, p: Tensor) -> Tensor:
        """(K, 1, S) for each bin."""
        return self.o.both(counted, self.o.greater(p, -1.0))

    def corners(self, at: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The cells on both sides of a place, and the share of the second; what is no number is at 0."""
        o = self.o
        last = self.n - 1.0 if self.a.known else o.subtract(self.n, 1.0)
        at = self.at_most(o.where(o.greater(at, 0.0), at, 0.0), last)
        near = o.floor(at)
        far = self.at_most(o.add(near, 1.0), last)
        return near, far, o.subtract(at, near)

    def paired(self, o: Ops, both: Sequence[Tensor]) -> Tensor:
        """(K, P, S) twice as (K, P, 2 S), those of a sample side by side."""
        four = o.of_rank(4)
        return four.reshape(four.concat([o.expand(t, 3) for t in both], 3), (-1, self.a.out, 2 * self.a.window))

    def cells(self, low: Tensor, high: Tensor) -> Side:
        o = self.o
        low, high = self.rounded(low), self.rounded(high)
        size = o.add(o.subtract(high, low), 1.0)
        size = o.where(o.less(size, 1.0), 1.0, size)
        p, s = self.numbers(self.a.out, 1, size), self.numbers(self.a.window, 2, size)
        if self.spec.bins == "exact":
            start = self.floored(o.multiply(p, size))
            stop = o.multiply(self.floored(o.multiply(o.multiply(o.add(p, 1.0), size), -1.0)), -1.0)
        else:
            step = self.quotient(size, self.a.out)
            start = o.floor(o.multiply(p, step))
            stop = o.multiply(o.floor(o.multiply(o.multiply(o.add(p, 1.0), step), -1.0)), -1.0)
        start, stop = o.add(start, low), o.add(stop, low)
        start = o.where(o.less(start, 0.0), 0.0, start)  # what is before the map is no cell, and takes no place
        stop = self.at_most(stop, self.n)
        inside = o.less(start, stop)  # and no NaN
        at = o.add(start, s)
        at = o.where(o.less(at, stop), at, o.subtract(stop, 1.0))
        cells = o.cast(o.where(inside, at, 0.0), "int32")
        return Side(cells, None, inside, None)

    def rounded(self, t: Tensor) -> Tensor:
        """To the nearest whole number, a half away from 0."""
        o = self.o
        size = o.absolute(t)
        whole = o.floor(size)
        whole = o.where(o.less(o.subtract(size, whole), 0.5), whole, o.add(whole, 1.0))
        return o.where(o.less(t, 0.0), o.multiply(whole, -1.0), whole)

    def floored(self, t: Tensor) -> Tensor:
        """The whole part of a whole number over the number of bins, without the rounding of the quotient."""
        o, p = self.o, float(self.a.out)
        q = o.floor(self.quotient(t, self.a.out))
        q = o.where(o.greater(o.multiply(q, p), t), o.subtract(q, 1.0), q)
        return o.where(o.less(t, o.multiply(o.add(q, 1.0), p)), q, o.add(q, 1.0))


def plan_of_regions(
    spec: RoiSpec, rank: int, dtype: str, size: Size, widen: Widen, further: tuple[Further, ...]
) -> RegionsPlan:
    """Regions resolved on a map and its boxes."""
    spec.check_rank(rank)
    work = spec.work_dtype(dtype, widen)
    ats = [spec.layout.index(c) for c in spec.side_letters]
    sizes = [size(at) for at in ats]
    if len(further) == 0:
        raise InputError(
            f"received no boxes for {quoted(str(spec))}, and they say what is pooled; give rows of "
            "[batch number, x1, y1, x2, y2], as in pk.roi(x, boxes, spec)"
        )
    boxes = further[0]
    if boxes.dtype not in FLOATS + INTEGERS or boxes.dtype == "bool":
        raise DtypeError(f"received boxes of dtype {boxes.dtype}, and boxes are numbers; give them as float32")
    if boxes.rank != 2 or boxes.sizes[1] not in (None, 5):
        raise ShapeError(
            f"received boxes of shape {boxes.sizes} for {quoted(str(spec))}, and a box is a row of 5 numbers, "
            "[batch number, x1, y1, x2, y2]; give them in the shape (K, 5)"
        )
    for at, (n, known) in zip(ats, sizes, strict=True):
        if known and n == 0:
            raise ShapeError(f"axis {spec.layout[at]} has size 0, and a map needs a cell; give a larger map")
    grids = spec.grids(sizes)
    bins: Any = spec.output_size
    maps = tuple(
        [
            Axis(at, spec.layout[at], "keep", n, known, out=p, window=g)
            for at, (n, known), p, g in zip(ats, sizes, bins, grids, strict=True)
        ]
    )
    if math.prod(bins) * math.prod(grids) > MOST_CELLS:
        raise ShapeError(
            f"received {math.prod(bins)} bins of up to {math.prod(grids)} samples for {quoted(str(spec))}, and "
            f"{MOST_CELLS} is the most for a box; give fewer"
        )
    wide = "float64" in (boxes.dtype, dtype) and (spec.kind == "align" or spec.bins == "exact")
    fine = "float64" if wide else "float32"
    plan = RegionsPlan(spec, (), maps, rank, dtype, work, fine, further=(boxes._replace(sizes=()),))
    return dataclasses.replace(plan, parts=(plan.inner(1),)) if spec.kind == "max" else plan
