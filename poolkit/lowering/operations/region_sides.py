"""The sides of boxes: along each, of every bin the cells that it looks at, and what they weigh."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from poolkit.lowering.primitives import Ops, Tensor

Regions = Any  # the plan, which asks for what is here


class Side(NamedTuple):
    """Of each box, bin and place along a side of the bin: a cell, its weight, or whether it is one of the bin."""

    cells: Tensor  # int32, (K, P, S)
    weights: Tensor | None
    inside: Tensor | None  # of cells (K, P, 1): whether there are any
    samples: Tensor | None  # (K, 1, 1): how many of the samples are averaged, where that is data


def down(o: Ops, t: Tensor) -> Tensor:
    """(K, P, S) as what belongs to the height of (K, P, S, Q, T)."""
    return o.of_rank(4).expand(o.of_rank(3).expand(t, 3), 4)


def across(o: Ops, t: Tensor) -> Tensor:
    return o.of_rank(4).expand(o.of_rank(3).expand(t, 1), 2)


def along(o: Ops, boxes: Tensor, plan: Regions, i: int) -> Side:
    """What the bins along the height (0) or the width (1) look at."""
    line = Line(o.of_rank(3).of_dtype(plan.fine), plan, i)
    low, high = (line.column(boxes, at) for at in (2 - i, 4 - i))
    return line.samples(low, high) if plan.spec.kind == "align" else line.cells(low, high)


class Line:
    """One side of all boxes: tensors are (K, P, S) in the dtype of boxes."""

    def __init__(self, o: Ops, plan: Regions, i: int) -> None:
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
