"""Folding a tensor over its windows, one axis at a time, the last one first.

An axis is *whole* (reduced), *taps* (a sliding window: `_steps` combinations, at most ``2*log2(k)``, of windows of
windows, or ``k - 1`` tap by tap), *bins* (a few are reduced bin by bin, many are cut out of all windows of their
length) or *kept*. Nothing here knows a kind or a framework: a kind brings `combine` and `reduce`, an adapter the
primitives.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from poolkit.errors import ShapeError

if TYPE_CHECKING:
    from poolkit.lowering.geometry import Axis
    from poolkit.lowering.kinds.kind import Kind
    from poolkit.lowering.primitives import Ops

Tensor = Any
State = tuple[Tensor, ...]
Combine = Callable[[State, State], State]
S = TypeVar("S")
Run = tuple[State, Any]  # the states of runs of cells, and a line that says which runs hold a real cell (None: all)


def fold(o: Ops, kind: Kind, state: State, axes: Sequence[Axis]) -> State:
    """The state of every window, from the state of every cell."""
    # What is added up, or chosen without regard to order, begins with axes whose cells lie apart, which leaves fewer.
    rest = list(axes if kind.ordered and kind.way == "fold" else reversed(axes))
    while rest:
        a = rest.pop()
        if a.form == "whole":
            whole = [a]
            while rest and rest[-1].form == "whole":
                whole.append(rest.pop())
            state = kind.reduce(state, tuple(sorted(whole, key=lambda a: a.at)))
        elif a.form == "taps":
            state = kind.slide(state, a) or fold_taps(o, a, state, kind.combine, kind.neutral, overlap=kind.idempotent)
        elif a.form == "bins" and a.known and a.n % a.out == 0 and a.n // a.out <= NARROW:
            touching = dataclasses.replace(a, form="taps", window=a.n // a.out, stride=a.n // a.out)
            state = fold_taps(o, touching, state, kind.combine, kind.neutral, overlap=kind.idempotent)
        elif a.form == "bins":
            state = _fold_bins(o, kind, state, a)
        elif a.form in ("spread", "parts"):
            check_calls(a, a.window, "cells of a window")
            if kind.way == "values" and a.crowded and (a.at == o.rank - 1 or o.slices_are_free):
                # Of all windows, once: along the last axis taking a cell takes three times as long as comparing it.
                slid = dataclasses.replace(a, form="taps", stride=1, out=a.n - a.window + 1)
                state = fold_taps(o, slid, state, kind.combine, kind.neutral, overlap=kind.idempotent)
                a = dataclasses.replace(a, n=slid.out, window=1)
            state = tree(kind.cells(state, a), kind.combine)
    return state


NARROW = 8  # cells of bins that divide an axis and are folded as windows
FEW = 32  # bins that are cut out one by one
MOST = 2**15  # bins, or cells of a window that are taken one by one along an axis


def check_calls(a: Axis, count: int, what: str) -> None:
    """`ShapeError` where an axis is folded in so many calls that neither recording nor compiling them would end."""
    if count > MOST:
        limit = f"and here, where each takes a call, there may be {MOST} of them; pool in several steps, or give fewer"
        raise ShapeError(f"received {count} {what} along axis {a.letter}, {limit}")


IN_A_ROW = 128  # cells of a window that docs/semantics.md (6) lets be added up in a row


def total(o: Ops, x: Tensor, axes: Sequence[Axis], pooled: Sequence[Axis] = ()) -> Tensor:
    """The sum along whole axes; pair by pair where a framework's own sum adds up too many cells in a row.

    `pooled` are all axes of the windows: compilers make one sum of those along one axis after the other.
    """
    ats, every = tuple(a.at for a in axes), pooled or axes
    known = all(a.known for a in every)
    few = known and math.prod([a.longest for a in every]) <= IN_A_ROW
    if not known or (few and not o.slices_are_free):
        return o.sum(x, ats) if o.exact else o.own_sum(x, ats, few)
    if not o.pairwise_sums:
        return o.sum(x, ats)
    for a in axes:
        x = in_pairs(o, x, a.at, a.n)
    return x


def in_pairs(o: Ops, x: Tensor, at: int, n: int) -> Tensor:
    """The sum along one axis: n cells are rounded log2(n) times, and equal cells hardly ever."""
    odd: Tensor | None = None
    while n > 1:
        middle = n // 2
        if n % 2:
            last = o.slice(x, at, n - 1, n, 1)
            odd = last if odd is None else o.add(odd, last)
        x = o.add(o.slice(x, at, 0, middle, 1), o.slice(x, at, middle, 2 * middle, 1))
        n = middle
    return x if odd is None else o.add(x, odd)


def _fold_bins(o: Ops, kind: Kind, state: State, a: Axis) -> State:
    check_calls(a, a.out, "bins")
    compared = kind.ordered and o.calls_are_dear and not o.fused  # cell by cell, where a sum of them is one call
    if a.known and (compared or a.out > FEW):
        return _many_bins(o, kind, state, a)
    parts = list(_known_bins(o, kind, state, a) if a.known else _symbolic_bins(o, kind, state, a))
    return tuple(o.concat(list(tensors), a.at) for tensors in zip(*parts, strict=True))


def _known_bins(o: Ops, kind: Kind, state: State, a: Axis) -> Iterator[State]:
    """Bins of one length share a function, where the state is one tensor: a program has its lines once."""
    for low, high in a.bins():
        axis = dataclasses.replace(a, n=high - low)
        cells = tuple(o.slice(t, a.at, low, high, 1) for t in state)

        def of_bin(cut: Tensor, axis: Axis = axis) -> Tensor:
            return kind.reduce((cut,), (axis,))[0]

        many = len(cells) != 1
        yield kind.reduce(cells, (axis,)) if many else (o.shared(f"of_{axis.n}", (kind, axis), of_bin)(cells[0]),)


def _many_bins(o: Ops, kind: Kind, state: State, a: Axis) -> State:
    """Bins out of the windows of the shortest one's length at every cell; of two lengths the longer has a cell more.

    So the calls do not grow with the bins: there are about ``2*log2(k)``, and one for the longer bins.
    """
    bins = a.bins()
    short = min(high - low for low, high in bins)
    longer = [low + short < high for low, high in bins]
    window = dataclasses.replace(a, form="taps", window=short, stride=1, out=a.n - short + 1)
    windows = fold_taps(o, window, state, kind.combine, overlap=kind.idempotent)
    base = _taken(o, a, windows, [low for low, _ in bins])
    if not any(longer):
        return base
    ends = _taken(o, a, state, [low + short if more else low for (low, _), more in zip(bins, longer, strict=True)])
    has = o.equal(o.line(tuple(map(int, longer)), a.at, "int32", state[0]), 1)
    return tuple(o.where(has, t, b) for t, b in zip(kind.combine(base, ends), base, strict=True))


def _taken(o: Ops, a: Axis, state: State, places: list[int]) -> State:
    line = o.of_rank(1).line(tuple(places), 0, "int32", state[0])
    return tuple(o.take(t, line, a.at) for t in state)


def _symbolic_bins(o: Ops, kind: Kind, state: State, a: Axis) -> Iterator[State]:
    if o.slices_by_size and a.out <= FEW:  # of more bins places times bins may be more than int32 counts
        for low, high in ends(a):
            cells = tuple(o.slice(t, a.at, low, high, 1) for t in state)
            yield kind.reduce(cells, (dataclasses.replace(a, n=high - low),))
        return
    for inside in members(o, a, state[0]):
        cells = state
        if kind.neutral is not None:
            cells = tuple(o.where(inside, t, value) for t, value in zip(state, kind.neutral, strict=True))
        yield kind.reduce(cells, (a,), inside)


def ends(a: Axis) -> Iterator[tuple[Any, Any]]:
    """The first cell of each bin and the one behind its last, of an axis whose length is a symbol."""
    for i in range(a.out):
        yield i * a.n // a.out if i else 0, -(-(i + 1) * a.n // a.out) if i < a.out - 1 else a.n


def members(o: Ops, a: Axis, like: Tensor) -> Iterator[Tensor]:
    """For each bin `i` of `out` a line: position `j` of `n` is in it if (j+1)*out > i*n and j*out < (i+1)*n."""
    j = o.multiply(o.cast(o.iota(like, a.at), o.index), a.out)
    n = o.number(a.n, o.index)
    yield o.less(j, n)
    for i in range(1, a.out - 1):
        after_start = o.greater(o.add(j, a.out), o.multiply(n, i))
        yield o.both(after_start, o.less(j, o.multiply(n, i + 1)))
    yield o.greater(o.add(j, a.out), o.multiply(n, a.out - 1))


def fold_taps(
    o: Ops,
    a: Axis,
    state: State,
    combine: Combine,
    neutral: tuple[float, ...] | None = None,
    padded: bool = False,
    overlap: bool = False,
) -> State:
    """The state of each window along one axis; padding holds `neutral`, or is skipped where there is none.

    `overlap`: runs that share cells may be combined.
    """
    real = None
    if a.total and not padded:
        if neutral is None:
            real = o.greater(pad(o, o.iota(state[0], a.at), a, -1), -1)
        state = tuple(pad(o, t, a, 0 if neutral is None else neutral[i]) for i, t in enumerate(state))
    join = _plain(combine) if real is None else _guarded(o, combine)
    width = a.window
    if _steps(width, overlap) * a.stride < width - 1:  # of taps only every stride-th cell is combined
        run = _slid(o, a, (state, real), join, width, overlap)
        stop = (a.out - 1) * a.stride + 1 if a.known else None
        return (run if a.stride == 1 else _slice(o, run, a.at, 0, stop, a.stride))[0]
    check_calls(a, width, "cells of a window")
    taps = [_tap(o, (state, real), a, i) for i in range(width)]
    return tree(taps, join)[0]


def pad(o: Ops, x: Tensor, a: Axis, value: float) -> Tensor:
    """`x` with the padding of one axis. Where the amount is data, it is chosen among the few that there can be."""
    if len(a.lows) > 1 and o.sizes_are_data:
        padded = o.pad(x, a.at, a.lows[0], a.total - a.lows[0], value)
        for low in a.lows[1:]:
            padded = o.where(o.equal(a.low, low), o.pad(x, a.at, low, a.total - low, value), padded)
        return padded
    return o.pad(x, a.at, *o.around(a), value)


def _plain(combine: Combine) -> Callable[[Run, Run], Run]:
    return lambda early, late: (combine(early[0], late[0]), None)


def _guarded(o: Ops, combine: Combine) -> Callable[[Run, Run], Run]:
    """Combine runs of which one or both may hold padding only: such a run is skipped."""

    def join(early: Run, late: Run) -> Run:
        (es, e_real), (ls, l_real) = early, late
        both = combine(es, ls)
        kept = (o.where(e_real, b, t) for b, t in zip(both, ls, strict=True))
        states = tuple(o.where(l_real, k, t) for k, t in zip(kept, es, strict=True))
        return states, o.either(e_real, l_real)

    return join


def _steps(k: int, overlap: bool) -> int:
    """How many combinations `_slid` takes: from k=4 on fewer than there are cells."""
    if k < 3 or overlap:
        return (k - 1).bit_length()
    p = _factor(k)
    return _steps(k // p, False) + _steps(p, False) if p < k else _steps(k - 1, False) + 1


def _factor(k: int) -> int:
    """The smallest above 1 that divides k."""
    return next((p for p in range(2, math.isqrt(k) + 1) if k % p == 0), k)


def _slid(o: Ops, a: Axis, run: Run, join: Callable[[Run, Run], Run], k: int, overlap: bool, apart: int = 1) -> Run:
    """The state of every window of `k` cells, which lie `apart`, with stride 1: windows are made of shorter windows.

    A window of 63 is 3 windows of 21, each of them 3 windows of 7. That takes 8 combinations, with three tensors at a
    time, where the binary digits of 63 take 10 and twice the memory. Where windows may share cells, doubling takes 6:
    two windows of 32 share a cell.
    """
    if k == 1:
        return run
    if overlap and k > 2:
        first = 1 << ((k - 1).bit_length() - 1)
        run, shift = _slid(o, a, run, join, first, overlap, apart), (k - first) * apart * a.dilation
        return join(_cut(o, run, a, 0, shift), _cut(o, run, a, shift, 0))
    p = _factor(k)
    if p < k:
        return _slid(o, a, _slid(o, a, run, join, k // p, overlap, apart), join, p, overlap, apart * (k // p))
    shift = (k - 1) * apart * a.dilation
    early = _slid(o, a, run, join, k - 1, overlap, apart)
    return join(_cut(o, early, a, 0, apart * a.dilation), _cut(o, run, a, shift, 0))


def tree(runs: list[S], join: Callable[[S, S], S]) -> S:
    """Neighbours first, so that a sum of k cells is rounded log2(k) times."""
    while len(runs) > 1:
        pairs = [runs[i : i + 2] for i in range(0, len(runs), 2)]
        runs = [join(*pair) if len(pair) == 2 else pair[0] for pair in pairs]
    return runs[0]


def _cut(o: Ops, run: Run, a: Axis, low: int, high: int) -> Run:
    return _slice(o, run, a.at, low, -high if high else None, 1)


def _tap(o: Ops, run: Run, a: Axis, i: int) -> Run:
    states, real = run
    return tuple(tap(o, t, a, i) for t in states), None if real is None else tap(o, real, a, i)


def tap(o: Ops, x: Tensor, a: Axis, i: int) -> Tensor:
    """Cell `i` of every window. Ending at a negative offset is right for every length, so no size is needed."""
    start = i * a.dilation
    if a.known and a.stride > 1:
        return o.slice(x, a.at, start, start + (a.out - 1) * a.stride + 1, a.stride)
    left = a.span - 1 - start
    return o.slice(x, a.at, start, -left if left else None, a.stride)


def _slice(o: Ops, run: Run, at: int, start: int, stop: int | None, step: int) -> Run:
    states, real = run
    cut = tuple(o.slice(t, at, start, stop, step) for t in states)
    return cut, None if real is None else o.slice(real, at, start, stop, step)
