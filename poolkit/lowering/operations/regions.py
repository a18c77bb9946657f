"""Regions of interest resolved on a map and boxes: along each side of a box the cells that its bins look at, and how.

Both kinds are one gather: for every bin `2 * grid` corners of samples, or `grid` cells, along each side. What is
summed or compared of them is a fold. Boxes have no gradient.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from poolkit.errors import DtypeError, InputError, ShapeError
from poolkit.lowering.geometry import Axis
from poolkit.lowering.kinds import FOLDS
from poolkit.lowering.operations.region_rows import averages, largest, way_of
from poolkit.lowering.operations.region_sides import Side, across, along, down
from poolkit.lowering.plan import MOST_CELLS, Composite, Plan, Run
from poolkit.lowering.weighed import pooled
from poolkit.spec.dtypes import FLOATS, INTEGERS
from poolkit.spec.messages import quoted

if TYPE_CHECKING:
    from poolkit.lowering.means import Means
    from poolkit.lowering.primitives import Ops, Tensor
    from poolkit.spec.operation import Further, Size, Widen
    from poolkit.spec.roi import RoiSpec


@dataclasses.dataclass(frozen=True)
class RegionsPlan(Composite):
    """Regions of a map, which has two axes: of each `out` counts bins, and `window` the samples or cells of one."""

    spec: RoiSpec
    fine: str  # the dtype in which boxes are computed
    way: str = dataclasses.field(default="fold", kw_only=True)

    @property
    def order(self) -> tuple[int, ...]:
        """Where channels, batch, height and width are."""
        return tuple(map(self.spec.layout.index, f"CN{self.spec.axes}"))

    @property
    def grids(self) -> list[int]:
        """The cells that a bin looks at along the height, and along the width."""
        return [2 * a.window if self.spec.kind == "align" else a.window for a in self.axes]

    def ways(self, means: Means) -> Sequence[RegionsPlan]:
        rows = means.at_once or (means.asks and self.known and self.spec.kind == "align")  # which takes no scatter
        way = way_of(self, means.derivative) if rows else None
        return (self,) if way is None else (dataclasses.replace(self, way=way, parts=()), self)

    def join(self, o: Ops, x: Tensor, runs: Sequence[Run], **tensors: Tensor) -> tuple[Tensor, None]:
        two = o.of_rank(2).of_dtype(self.fine)
        boxes = two.detach(two.cast(tensors["boxes"], self.fine))
        first, last = (along(o, boxes, self, i) for i in range(2))
        batch, real = self.batches(two, boxes, o.size(x, self.order[1]))
        four, line = o.of_rank(4), o.of_rank(5).of_dtype("int32")
        rows = line.multiply(line.reshape(batch, (-1, 1, 1, 1, 1)), o.number(self.axes[0].n, "int32"))
        rows = line.multiply(line.add(rows, down(line, first.cells)), o.number(self.axes[1].n, "int32"))
        places = line.add(rows, across(line, last.cells))
        many = -1 if o.sizes_are_data else two.size(boxes, 0)  # of which a reshape takes one that is data

        def by_cells(x: Tensor) -> Tensor:
            made = self.by_cells(o, x, places, many, first, last, runs)
            made = four.where(four.reshape(real, (1, -1, 1, 1)), made, 0)
            return four.permute(made, tuple([f"CN{self.spec.axes}".index(c) for c in self.spec.layout]))

        if self.way == "fold":
            return by_cells(x), None
        seen = four.reshape(real, (-1, 1, 1, 1))
        if self.spec.kind == "align":
            right, near = averages(o, x, self, places, self.shares(o, first, last))
        else:
            right, near = largest(o, x, self, places)
            seen = four.both(four.reshape(self.some(o.of_rank(5), first, last), (many, *self.bins, 1)), seen)

        def by_rows(x: Tensor) -> Tensor:
            made = four.where(seen, near(x), 0)
            return four.permute(made, tuple([f"N{self.spec.axes}C".index(c) for c in self.spec.layout]))

        return by_rows(x) if right is None else o.branch(right, by_rows, by_cells, x), None

    def by_cells(
        self, o: Ops, x: Tensor, places: Tensor, many: Any, first: Side, last: Side, runs: Sequence[Run]
    ) -> Tensor:
        """(C, K, P, Q)."""
        maps = o.size(x, self.order[1]) * self.axes[0].n * self.axes[1].n
        flat, two, six = o.merge(o.permute(x, self.order), 3, maps), o.of_rank(2), o.of_rank(6)
        (p, q), (s, t) = self.bins, self.grids
        cells = two.split(two.take(flat, o.of_rank(1).reshape(places, (-1,)), 1), (many, p, s, q, t))
        if self.spec.kind == "max":
            return six.drop(
                self.of_cells(six, cells, first, last, runs[0] if len(runs) > 0 else self.folded(six)), (3, 5)
            )
        return six.drop(self.of_samples(six, cells, first, last), (3, 5))

    @property
    def bins(self) -> list[int]:
        return [a.out for a in self.axes]

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
        return o.where(o.of_rank(5).expand(self.some(o.of_rank(5), first, last), 0), largest(cells)[0], 0)

    def folded(self, o: Ops) -> Run:
        """The largest cell where there is no part that has a route."""

        def run(cells: Tensor) -> tuple[Tensor, Tensor | None]:
            return pooled(FOLDS["max"](o, self.inner(1)), cells)

        return run

    def some(self, o: Ops, first: Side, last: Side) -> Tensor:
        """Which bins have cells, (K, P, 1, Q, 1)."""
        return o.both(down(o, first.inside), across(o, last.inside))

    def weights(self, o: Ops, first: Side, last: Side) -> Tensor:
        """Of the corners of samples, (K, P, S, Q, T)."""
        weights = o.multiply(down(o, first.weights), across(o, last.weights))
        return weights if self.fine == self.work else o.cast(weights, self.work)

    def count(self, o: Ops, first: Side, last: Side) -> Any:
        """Of the samples that a bin averages, (K, 1, 1, 1, 1) where it is data."""
        if first.samples is None:
            return math.prod([a.window for a in self.axes])
        fine = o.of_dtype(self.fine)
        count = fine.multiply(down(fine, first.samples), across(fine, last.samples))
        return o.cast(count, self.work) if self.fine != self.work else count

    def shares(self, o: Ops, first: Side, last: Side) -> Tensor:
        """Weights that add up to 1."""
        five = o.of_rank(5)
        return five.divide(self.weights(five, first, last), self.count(five, first, last))

    def of_samples(self, o: Ops, cells: Tensor, first: Side, last: Side) -> Tensor:
        five = o.of_rank(5)
        weights = five.expand(self.weights(five, first, last), 0)
        terms = o.multiply(o.where(o.equal(weights, 0), 0.0, cells), weights)
        if self.spec.mode == "max":
            return self.largest(o, terms, first, last)
        total = pooled(
            FOLDS["sum"](o, dataclasses.replace(self.inner(2), spec=self.inner(2).spec.replace(kind="sum"))), terms
        )[0]
        count = self.count(five, first, last)
        return o.divide(total, count if first.samples is None else five.expand(count, 0))

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
            mask = five.both(down(five, first.inside), across(five, last.inside))
            mask = five.slice(five.slice(mask, 2, 0, None, step), 4, 0, None, step)
            mask = five.expand(mask, 0)
        return pooled(FOLDS["max"](o, self.inner(factor)), terms, mask)[0]


def plan_of_regions(
    spec: RoiSpec, rank: int, dtype: str, size: Size, widen: Widen, further: tuple[Further, ...]
) -> RegionsPlan:
    """Regions resolved on a map and its boxes."""
    spec.check_rank(rank)
    work = spec.work_dtype(dtype, widen)
    boxes, maps = _boxes(spec, further), _maps(spec, size)
    wide = "float64" in (boxes.dtype, dtype) and (spec.kind == "align" or spec.bins == "exact")
    fine = "float64" if wide else "float32"
    plan = RegionsPlan(spec, (), maps, rank, dtype, work, fine, further=(boxes._replace(sizes=()),))
    return dataclasses.replace(plan, parts=(plan.inner(1),)) if spec.kind == "max" else plan


def _maps(spec: RoiSpec, size: Size) -> tuple[Axis, ...]:
    """The two axes of a map; `ShapeError` where one has no cell, or a box too many samples."""
    ats = [spec.layout.index(c) for c in spec.side_letters]
    sizes = [size(at) for at in ats]
    for at, (n, known) in zip(ats, sizes, strict=True):
        if known and n == 0:
            raise ShapeError(f"axis {spec.layout[at]} has size 0, and a map needs a cell; give a larger map")
    grids = spec.grids(sizes)
    bins: Any = spec.output_size
    if math.prod(bins) * math.prod(grids) > MOST_CELLS:
        raise ShapeError(
            f"received {math.prod(bins)} bins of up to {math.prod(grids)} samples for {quoted(str(spec))}, and "
            f"{MOST_CELLS} is the most for a box; give fewer"
        )
    sides = zip(ats, sizes, bins, grids, strict=True)
    return tuple([Axis(at, spec.layout[at], "keep", n, known, out=p, window=g) for at, (n, known), p, g in sides])


def _boxes(spec: RoiSpec, further: tuple[Further, ...]) -> Further:
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
    return boxes
