"""Kinds that are no folds: each window's cells in order, along an axis of their own, behind all others.

Cells are put side by side axis by axis, the last one first, so that the calls grow with the sum of a window's sides and
not with its cells; a whole axis is moved in one call. Padding is 0, and so is what is behind a bin.
"""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from poolkit.lowering.axis import Axis
from poolkit.lowering.count import known_counts
from poolkit.lowering.fold import check_calls, members, pad, tap, total
from poolkit.lowering.kinds.kind import Kind, State

if TYPE_CHECKING:
    from poolkit.lowering.primitives import Ops, Tensor


class Taps(Kind):
    """A kind that looks at all cells of a window at once; subclasses say what becomes of them."""

    def taken(self, s: State, count: Any, real: Tensor | None) -> State:
        """Of cells along the last axis, kept with size 1.

        `count` of them are cells of the input, an int, or int32 with that axis. The others are 0, and so is `real`
        there, which is 1 for those of the input; None where there are no others.
        """
        raise NotImplementedError

    def total(self, t: Tensor) -> Tensor:
        """The sum of such cells."""
        at, known, axes = self.o.rank, self.plan.known, self.plan.axes
        row = Axis(at, "", "whole", math.prod([a.longest for a in axes]) if known else 0, known=known)
        return total(self.o.of_rank(at + 1), t, (row,), axes)

    def of_windows(self, x: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor | None]:
        o, at, axes = self.o, self.o.rank, self.plan.axes
        s = self.lift(x if mask is None else o.where(mask, x, 0))
        wide = o.of_rank(at + 1)
        if mask is None and all(map(_filled, axes)):
            count, real = math.prod([_longest(a) for a in axes]), None  # a list, for Dynamo
        else:
            (real,) = gathered(o, (_ones(o, axes, x) if mask is None else o.cast(mask, "int32"),), axes)
            count = wide.integer_sum(real, (at,))
        found = self.taken(gathered(o, s, axes), count, real)
        values, indices = self.finish(tuple(wide.drop(t, (at,)) for t in found), x)
        if mask is None:
            return values, indices
        some = o.greater(wide.drop(count, (at,)), 0)
        return o.where(some, values, 0), None if indices is None else o.where(some, indices, -1)


def _filled(a: Axis) -> bool:
    """Whether each window has the same number of cells along an axis, and none of padding."""
    return a.form == "keep" or (a.known and (a.form == "whole" or set(known_counts(a, False)) == {_longest(a)}))


def _ones(o: Ops, axes: Sequence[Axis], x: Tensor) -> Tensor:
    """1 for each cell of the pooled axes, which have their sizes; the others have size 1."""
    places = [o.iota(x, a.at) for a in axes if a.form != "keep"]
    return o.cast(o.greater(functools.reduce(o.add, places), -1), "int32")


def gathered(o: Ops, s: State, axes: Sequence[Axis]) -> State:
    """The cells of each window, in row-major order along a new last axis."""
    made, rest = [o.expand(t, o.rank) for t in s], list(axes)
    cells: Any = 1
    while rest:
        run = [rest.pop()]
        while run[0].form == "whole" and rest and rest[-1].form == "whole":
            run.insert(0, rest.pop())
        made = [_along(o, t, run, cells) for t in made]
        cells = functools.reduce(operator.mul, [_longest(a) for a in run], cells)
    return tuple(made)


def _longest(a: Axis) -> Any:
    """Cells that stand for each window along an axis."""
    return a.n if a.form == "whole" or (a.form == "bins" and not a.known) else a.longest


def _along(o: Ops, t: Tensor, run: Sequence[Axis], cells: Any) -> Tensor:
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
        return wide.concat([_whole(wide, wide.where(inside, t, 0), [a], cells) for inside in masks], a.at)
    if a.form == "bins":
        return wide.concat(list(_of_bins(wide, t, a)), o.rank)
    check_calls(a, a.window, "cells of a window")
    padded = pad(wide, t, a, 0) if a.total else t
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


def _of_bins(o: Ops, t: Tensor, a: Axis) -> Any:
    """The i-th cell of each bin, for every i that a bin has."""
    bins = a.bins()
    for i in range(_longest(a)):
        places = tuple(min(low + i, high - 1) for low, high in bins)
        cell = o.take(t, o.of_rank(1).line(places, 0, "int32", t), a.at)
        if any(low + i >= high for low, high in bins):
            has = o.line(tuple(int(low + i < high) for low, high in bins), a.at, "int32", t)
            cell = o.where(o.equal(has, 1), cell, 0)
        yield cell
