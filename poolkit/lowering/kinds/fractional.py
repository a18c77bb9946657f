"""Fractional max pooling: maxima of windows whose places are drawn for each batch and channel."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from poolkit.errors import ShapeError
from poolkit.lowering.fold import MOST
from poolkit.lowering.kinds.maximum import Max
from poolkit.lowering.kinds.uniform import batch, places, uniform, within
from poolkit.lowering.spread import MIDDLE, spread, step

if TYPE_CHECKING:
    from poolkit.lowering.geometry import Axis
    from poolkit.lowering.kinds.kind import State
    from poolkit.lowering.plan import Plan
    from poolkit.lowering.primitives import Ops, Tensor


class FractionalMax(Max):
    """The maximum of each window; samples are of (N, C, axes), of two axes the last one first, as PyTorch's."""

    name = "fractional_max"

    def __init__(self, ops: Ops, plan: Plan, samples: Tensor = None, key: Tensor = None) -> None:
        super().__init__(ops, plan)
        self.samples, self.key = samples, key
        self.single = ops.of_dtype("float32")

    def lift(self, x: Tensor) -> State:
        values, *positions = super().lift(x)
        if self.samples is not None or self.key is not None:
            self.samples = self.drawn(x)
            positions = [self.o.broadcast(t, x) for t in positions]  # of which each channel is taken apart
        return values, *positions

    def nothing(self, zero: Tensor) -> State:
        return super().lift(zero)  # for which nothing is drawn

    def drawn(self, x: Tensor) -> Tensor:
        """The numbers of each batch and channel, along an axis behind those of the input."""
        o, plan, axes = self.single, self.plan, len(self.plan.axes)
        kept = batch(plan)
        wide = o.of_rank(o.rank + 1)
        if self.samples is None:
            line = wide.line(tuple(range(axes)), o.rank, "int32", x)
            place = places(o, x, kept)
            if kept:
                line = wide.add(wide.multiply(o.expand(place, o.rank), axes), line)
            return uniform(wide, self.key, line)
        made = within(o.of_rank(len(kept) + 1), self.samples)
        if kept != sorted(kept):
            order = sorted(range(len(kept)), key=kept.__getitem__)
            made = o.of_rank(len(kept) + 1).permute(made, (*order, len(kept)))
        for at in [at for at in range(o.rank) if at not in kept]:
            made = o.expand(made, at)
        return made

    def cells(self, s: State, a: Axis) -> list[State]:
        """The first cell of each window along an axis, the second, and so on."""
        if a.out is None or (a.form == "parts" and not a.known):
            raise ShapeError(
                f"received axis {a.letter} of unknown size for {self.plan.spec}, whose windows follow from it; "
                f"give output_size with a window, or a size that is known"
            )
        o, at = self.o, a.at
        if self.samples is None and a.known:
            if a.out > MOST:
                raise ShapeError(
                    f"received {a.out} windows along axis {a.letter}, and without samples or a key the places of at "
                    f"most {MOST} are written out in a program; give one of these, or pool in several steps"
                )
            windows, one = spread(a.n, a.out, a.own), self.o.of_rank(1)
            lines = [
                one.line(tuple([w[min(j, len(w) - 1)] for w in windows]), 0, "int32", s[0])
                for j in range(max(map(len, windows)))
            ]
            return [tuple(o.take(t, line, at) for t in s) for line in lines]
        firsts, ends = (self.parts if a.form == "parts" else self.starts)(s[0], a)
        lines = [o.add(firsts, j) if j else firsts for j in range(a.window)]
        if ends is not None:  # of a shorter window the last cell stands there again, and changes nothing
            lines = [o.where(o.less(line, ends), line, o.subtract(ends, 1)) for line in lines]
        return [tuple(o.take_along(t, line, at) for t in s) for line in lines]

    def starts(self, x: Tensor, a: Axis) -> tuple[Tensor, None]:
        o, u = self.single, self.number(a)
        places, last = self.line(x, a), o.number(a.n - a.window, "int32")
        by = step(a.n, a.out, a.own) if a.known else self.step(x, a)
        moved = o.floor(o.multiply(o.add(o.cast(places, "float32"), u), by))
        moved = o.subtract(moved, o.floor(o.multiply(by, u) if isinstance(u, float) else o.multiply(u, by)))
        return o.where(o.equal(places, a.out - 1), last, o.cast(moved, "int32")), None

    def parts(self, x: Tensor, a: Axis) -> tuple[Tensor, Tensor]:
        o = self.single
        low, high = (self.edge(o.add(self.line(x, a), i), a) for i in range(2))
        low = o.where(o.less(low, a.n - 1), low, a.n - 1)
        high = o.where(o.greater(high, low), high, o.add(low, 1))
        return low, o.where(o.less(high, a.n), high, a.n)

    def edge(self, places: Tensor, a: Axis) -> Tensor:
        """What is below the product and nearest to it, 0 where that is 0."""
        o = self.single
        product = o.multiply(o.add(o.cast(places, "float32"), self.number(a)), step(a.n, a.out, a.own))
        whole = o.floor(product)
        below = o.subtract(o.cast(o.where(o.greater(product, whole), o.add(whole, 1.0), whole), "int32"), 1)
        return o.where(o.less(below, 0), 0, below)

    def line(self, x: Tensor, a: Axis) -> Tensor:
        """0, 1, … for each window."""
        return self.o.slice(self.o.iota(x, a.at), a.at, 0, a.out, 1)

    def number(self, a: Axis) -> Any:
        """The number that moves the windows along an axis."""
        if self.samples is None:
            return MIDDLE
        at, axes = self.plan.at.index(a.at), len(self.plan.axes)
        place = 1 - at if axes == 2 else at
        o, rank = self.single.of_rank(self.o.rank + 1), self.o.rank
        return o.drop(o.slice(self.samples, rank, place, place + 1, 1), (rank,))

    def step(self, x: Tensor, a: Axis) -> Tensor:
        """Of an axis of unknown length; the divisor hangs on the input, for XLA multiplies by reciprocals of others."""
        o = self.o
        never = functools.reduce(o.any, range(o.rank), o.both(o.equal(x, 1), o.equal(x, 2)))
        others = o.where(never, o.line((a.out,), a.at, "int32", x), max(a.out - 1, 1))
        room = o.multiply(o.line((1,), a.at, "int32", x), o.number(a.n - a.window, "int32"))
        return self.single.divide(o.cast(room, "float32"), o.cast(others, "float32"))
