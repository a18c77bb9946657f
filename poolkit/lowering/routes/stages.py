"""Sums in stages, for adapters whose framework adds up cells one after the other.

A running sum of n equal cells is up to n/4 eps off, where docs/semantics.md (6) allows 4. Sums of few cells, of those
sums, and so on are close, and the first stage is hardly slower than one sum over all.
"""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from poolkit.lowering.routes.windows import around, cells, even

if TYPE_CHECKING:
    from poolkit.lowering.geometry import Axis
    from poolkit.lowering.plan import Plan
    from poolkit.lowering.primitives import Ops, Tensor

Size = Any
Stages = list[tuple[int, Size]]

MOST = 12  # cells that are added one after the other: 3 eps, of which the stages behind the first add little


def fits(plan: Plan) -> bool:
    """Whether every axis is kept or falls into equal parts, and these into stages."""
    return all(even(a) and factors(a.longest) is not None for a in plan.axes)


def factors(n: int, count: int = 3, most: int = MOST) -> list[int] | None:
    """`n` as a product of at most `count` numbers up to `most`, the largest first; None where there is none.

    >>> factors(30), factors(900), factors(26)
    ([10, 3], [10, 10, 9], None)
    """
    if n <= most:
        return [n]
    for divisor in range(most, 1, -1) if count > 1 else ():
        rest = factors(n // divisor, count - 1, most) if n % divisor == 0 else None
        if rest is not None:
            return sorted([divisor, *rest], reverse=True)
    return None


def stages(plan: Plan, sizes: Sequence[Size]) -> tuple[Stages, list[Size]]:
    """For each stage (n, m): reshape to (-1, n, m), and sum the middle axis; and the sizes to reshape to at the end.

    Of `sizes`, those of the input, the plan knows the pooled ones itself.

    The first pooled axis goes first, so that a stage adds up the longest lines there are.
    """
    left = list(sizes)
    for a in plan.axes:
        left[a.at] = a.n
    made: Stages = []
    for a in plan.axes:
        for n in factors(a.longest) or []:
            if n > 1:
                made.append((n, multiplied(left[a.at + 1 :])))
        if a.form != "keep":
            left[a.at] = 1 if a.form == "whole" else a.out
    return made, left


def part(n: int, most: int) -> int:
    """The largest divisor of `n` up to `most`."""
    return next(d for d in range(min(n, most), 0, -1) if n % d == 0)


def part_near(n: int, wanted: int) -> int:
    """The divisor of `n` nearest to `wanted`, as a ratio."""
    return min((d for d in range(1, n + 1) if n % d == 0), key=lambda d: abs(math.log(d / wanted)))


def sides(lengths: list[int], most: int) -> list[list[int]] | None:
    """Windows of at most `most` cells whose product is the whole one; None where a prime is too large."""
    made: list[list[int]] = []
    while math.prod(lengths) > 1:
        room = most
        side: list[int] = []
        for n in lengths:
            side.append(part(n, room))
            room //= side[-1]
        if math.prod(side) == 1:
            return None
        made.append(side)
        lengths = [n // d for n, d in zip(lengths, side, strict=True)]
    return made


IN_TURN = 10  # cells of the windows of pools that follow one another: 1.9 eps of the average (TensorFlow)


def in_turn(plan: Plan) -> list[list[int]] | None:
    """The windows of average pools that follow one another, of whole axes or bins that divide them, or None.

    The last axis takes all it can: 1x10 reads memory in order.
    """
    fits = plan.known and all(even(a) for a in plan.axes) and plan.spec.divisor_override is None
    made = sides([a.longest for a in reversed(plan.axes)], IN_TURN) if fits and cells(plan) > 1 else None
    return None if made is None else [side[::-1] for side in made]


def pieces(widths: dict[int, int], most: int) -> dict[int, int]:
    """Into how many pieces, a power of 2, a window is cut along each axis, so that a piece has few enough cells.

    The longest axis that is even is halved; where none is, pieces stay larger than `most`.
    """
    made = dict.fromkeys(widths, 1)
    while math.prod(widths.values()) > most:
        at = max(widths, key=lambda at: (widths[at] % 2 == 0, widths[at]))
        if widths[at] % 2:
            break
        widths = widths | {at: widths[at] // 2}
        made[at] *= 2
    return made


def multiplied(sizes: Sequence[Size]) -> Size:
    """Sizes, of which some may be symbols, as one: the known ones first, into one number."""
    known = math.prod(n for n in sizes if isinstance(n, int))
    others = [n for n in sizes if not isinstance(n, int)]
    return functools.reduce(operator.mul, others if others and known == 1 else [known, *others])


def in_eighths(o: Ops, made: Callable[..., Sequence[Any]], tensors: Sequence[Tensor], a: Axis, total: Any) -> list[Any]:
    """Sums of what is `made` of tensors cell by cell, along an axis that is cut into eight parts and a rest.

    What is the same number for all of them, a scale, stays it.

    XLA on a CPU puts all that is made of the parts, and their sum, into one loop. A library of its own adds up what is
    left, call by call; the choice, which it does not know, keeps it from taking in the parts, each a copy then.
    """
    length = a.n // 8
    ends = [*range(0, 8 * length + 1, length), *[a.n] * (a.n % 8 > 0)]
    cut = [[o.slice(t, a.at, *part, 1) for t in tensors] for part in pairwise(ends)]
    terms = [list(of) for of in zip(*(made(*part) for part in cut), strict=True)]

    def added(of: list[Tensor]) -> Tensor:
        sums = [total(o.where(o.equal(t, math.inf), math.inf, t)) for t in (_by_twos(o, of[:8]), *of[8:])]
        return functools.reduce(o.add, sums)

    return [of[0] if isinstance(of[0], float) else added(of) for of in terms]


def _by_twos(o: Ops, parts: list[Tensor]) -> Tensor:
    while len(parts) > 1:
        parts = [o.add(s, t) for s, t in zip(parts[::2], parts[1::2], strict=True)]
    return parts[0]


LONGEST = 255  # cells of a window along an axis up to which every length was tried

Add = Callable[..., Any]  # of a tensor, the axis, how many cells are added up, how far apart, the stride, the padding


def slides(plan: Plan) -> bool:
    """Whether all windows slide, of as many cells as `in_runs` was tried with, and some have cells in common."""
    every = all(a.form == "keep" or (a.form == "taps" and a.window <= LONGEST) for a in plan.axes)
    return every and any(a.stride < a.window for a in plan.axes)


def in_runs(o: Ops, x: Tensor, plan: Plan, add: Add) -> Tensor:
    """The sum of each window, one axis after the other, by calls that add up few cells in a row.

    A window of 63 is 3 windows of 21, each of them 3 of 7; one of 31 is a window of 30 and a cell. With 7 in a row the
    averages of 255x255 equal cells are at most 3.9 eps off, and with 5 those along three axes.
    """
    for a in plan.axes:
        if a.form == "taps":
            x = _in_runs(o, x, a, add, 7 if len(plan.axes) < 3 else 5, a.window, a.stride, around(a))
    return x


def _in_runs(o: Ops, x: Tensor, a: Axis, add: Add, most: int, k: int, stride: int, padding: tuple[int, int]) -> Tensor:
    p = part(k, most)
    if p == k:
        return add(x, a.at, k, a.dilation, stride, padding)
    if p > 1:
        runs = _in_runs(o, x, a, add, most, k // p, 1, padding)
        return add(runs, a.at, p, a.dilation * (k // p), stride, (0, 0))
    x = o.pad(x, a.at, *padding, 0.0) if any(padding) else x
    last = (k - 1) * a.dilation
    out = (a.n + sum(padding) - last - 1) // stride + 1
    late = o.slice(x, a.at, last, last + (out - 1) * stride + 1, stride)
    return o.add(o.slice(_in_runs(o, x, a, add, most, k - 1, stride, (0, 0)), a.at, 0, out, 1), late)
