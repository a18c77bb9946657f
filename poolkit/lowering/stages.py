"""Sums in stages, for adapters whose framework adds up cells one after the other.

A running sum of n equal cells is up to n/4 eps off, where docs/semantics.md (6) allows 4. Sums of few cells, of those
sums, and so on are close, and the first stage is hardly slower than one sum over all.
"""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from poolkit.lowering.geometry import Axis
    from poolkit.lowering.plan import Plan

Size = Any
Stages = list[tuple[int, Size]]

MOST = 12  # cells that are added one after the other: 3 eps, of which the stages behind the first add little


def fits(plan: Plan) -> bool:
    """Whether every axis is kept or falls into equal parts, and these into stages."""
    return all(even(a) and factors(length(a)) is not None for a in plan.axes)


def even(a: Axis) -> bool:
    return a.form != "taps" and side_by_side(a) is not None


def side_by_side(a: Axis) -> int | None:
    """The cells of each window, where those of an axis touch and are alike; None where they overlap, differ or pad."""
    if a.form == "taps":
        return a.window if a.stride == a.window and a.dilation == 1 and a.total == 0 else None
    return 1 if a.form == "keep" else int(a.n) if a.form == "whole" else None if a.n % a.out else int(a.n // a.out)


def length(a: Axis) -> int:
    """Cells of the longest window along an axis of known length."""
    if a.form == "keep":
        return 1
    return int(a.n) if a.form == "whole" else -(-int(a.n) // int(a.out)) if a.form == "bins" else a.window


def factors(n: int, count: int = 3) -> list[int] | None:
    """`n` as a product of at most `count` numbers up to `MOST`, the largest first; None where there is none.

    >>> factors(30), factors(900), factors(26)
    ([10, 3], [10, 10, 9], None)
    """
    if n <= MOST:
        return [n]
    for divisor in range(MOST, 1, -1) if count > 1 else ():
        rest = factors(n // divisor, count - 1) if n % divisor == 0 else None
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
        for n in factors(length(a)) or []:
            if n > 1:
                made.append((n, product(left[a.at + 1 :])))
        if a.form != "keep":
            left[a.at] = 1 if a.form == "whole" else a.out
    return made, left


def product(sizes: Sequence[Size]) -> Size:
    """Of sizes of which some may be symbols; the known ones are multiplied first, into one number."""
    known = math.prod(n for n in sizes if isinstance(n, int))
    others = [n for n in sizes if not isinstance(n, int)]
    return functools.reduce(operator.mul, others if others and known == 1 else [known, *others])
