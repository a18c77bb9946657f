"""Kinds that are no folds: each window's cells in order, along an axis of their own, behind all others.

Cells are put side by side axis by axis, the last one first, so that the calls grow with the sum of a window's sides and
not with its cells; a whole axis is moved in one call. Padding holds a given number, and so does what is behind a bin.
"""

from __future__ import annotations

import dataclasses
import functools
import operator
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from poolkit.lowering.count import divisor
from poolkit.lowering.fold import check_calls, members, pad, tap
from poolkit.lowering.kind import Kind, State

if TYPE_CHECKING:
    from poolkit.lowering.geometry import Axis
    from poolkit.lowering.primitives import Ops

Tensor = Any


class Taps(Kind):
    """A kind that looks at all cells of a window at once; subclasses say what becomes of them."""

    def fills(self) -> tuple[float | int, ...]:
        """What padding holds, for each tensor of the state."""
        raise NotImplementedError

    def taken(self, s: State, count: Any) -> State:
        """Of cells along the last axis, kept with size 1; `count` of them are real: an int, or int32 with that axis."""
        raise NotImplementedError

    def of_windows(self, x: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor | None]:
        o, at, axes, fills = self.o, self.o.rank, self.plan.axes, self.fills()
        s = self.lift(x if mask is None else o.where(mask, x, fills[0]))
        wide = o.of_rank(at + 1)
        if mask is None:
            count = _counts(self, x)
        else:
            (real,) = gathered(o, (o.cast(mask, "int32"),), axes, (0,))
            count = wide.integer_sum(real, (at,))
        found = self.taken(gathered(o, s, axes, fills), count)
        values, indices = self.finish(tuple(wide.drop(t, (at,)) for t in found), x)
        if mask is None:
            return values, indices
        some = o.greater(wide.drop(count, (at,)), 0)
        return o.where(some, values, 0), None if indices is None else o.where(some, indices, -1)


def _counts(kind: Kind, x: Tensor) -> Any:
    """How many cells of each window are real."""
    o, plan = kind.o.of_dtype("float32"), dataclasses.replace(kind.plan, work="float32")
    count = divisor(o, plan, x)
    if plan.known and isinstance(count, int):
        return count
    one = o.line((1,), plan.axes[0].at, "float32", x)
    return o.expand(o.cast(o.multiply(one, count), "int32"), o.rank)


def gathered(o: Ops, s: State, axes: Sequence[Axis], fills: Sequence[float]) -> State:
    """The cells of each window, in row-major order along a new last axis."""
    made, rest = [o.expand(t, o.rank) for t in s], list(axes)
    cells: Any = 1
    while rest:
        run = [rest.pop()]
        while run[0].form == "whole" and rest and rest[-1].form == "whole":
            run.insert(0, rest.pop())
        made = [_along(o, t, run, fill, cells) for t, fill in zip(made, fills, strict=False)]
        cells = functools.reduce(operator.mul, [_longest(a) for a in run], cells)
    return tuple(made)


def _longest(a: Axis) -> Any:
    """Cells that stand for each window along an axis."""
    if a.form in ("keep", "taps"):
        return a.window if a.form == "taps" else 1
    return a.n if a.form == "whole" or not a.known else max(high - low for low, high in a.bins())


def _along(o: Ops, t: Tensor, run: Sequence[Axis], fill: float, cells: Any) -> Tensor:
    """`t` has `cells` along its last axis, which become those along an axis, or whole ones, each with what it had."""
    a, wide = run[0], o.of_rank(o.rank + 1)
    if a.form == "keep":
        return t
    if a.form == "whole":
        return _whole(wide, t, run, cells)
    if a.form == "bins" and not a.known:
        check_calls(a, a.out, "bins")
        like = wide.drop(wide.slice(t, o.rank, 0, 1, 1), (o.rank,))
        masks = [o.expand(inside, o.rank) for inside in members(o, a, like)]
        return wide.concat([_whole(wide, wide.where(inside, t, fill), [a], cells) for inside in masks], a.at)
    if a.form == "bins":
        return wide.concat(list(_of_bins(wide, t, a, fill)), o.rank)
    check_calls(a, a.window, "cells of a window")
    padded = pad(wide, t, a, fill) if a.total else t
    return wide.concat([tap(wide, padded, a, i) for i in range(a.window)], o.rank)


def _whole(o: Ops, t: Tensor, run: Sequence[Axis], cells: Any) -> Tensor:
    """All cells of whole axes behind the others, in one call."""
    ats = [a.at for a in run]
    left = [i for i in range(o.rank - 1) if i not in ats]
    size = functools.reduce(operator.mul, [a.n for a in run], cells)
    made = o.merge(o.permute(t, (*left, *ats, o.rank - 1)), len(ats) + 1, size)
    for at in ats:
        made = o.of_rank(len(left) + 1).expand(made, at)
        left.append(at)
    return made


def _of_bins(o: Ops, t: Tensor, a: Axis, fill: float) -> Any:
    """The i-th cell of each bin, for every i that a bin has."""
    bins = a.bins()
    for i in range(_longest(a)):
        places = tuple(min(low + i, high - 1) for low, high in bins)
        cell = o.take(t, o.of_rank(1).line(places, 0, "int32", t), a.at)
        if any(low + i >= high for low, high in bins):
            has = o.line(tuple(int(low + i < high) for low, high in bins), a.at, "int32", t)
            cell = o.where(o.equal(has, 1), cell, fill)
        yield cell
