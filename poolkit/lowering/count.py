"""How many cells an average divides by.

The count of a window is the product of counts along its axes, so it is kept as an int where it is the same for every
window and otherwise as lines, tensors that have a size other than 1 along one axis only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from poolkit.lowering.fold import FEW, fold_taps, members

if TYPE_CHECKING:
    from poolkit.lowering.geometry import Axis
    from poolkit.lowering.kinds.kind import Kind
    from poolkit.lowering.plan import Plan
    from poolkit.lowering.primitives import Ops, Tensor


WRITTEN = 2**14  # the most counts that a program holds as numbers; with more windows it computes them


def divisor_of(kind: Kind, like: Tensor) -> Any:
    """What an average of each window is divided by: where a mask says so, what it left of the cells."""
    if kind.counted is None or kind.plan.spec.divisor_override is not None:
        return divisor(kind.o, kind.plan, like)
    return kind.counted


def divided(o: Ops, total: Tensor, plan: Plan, like: Tensor) -> Tensor:
    """The result of a plan whose windows add up to `total`: that, or for an average that over its divisor."""
    return total if plan.kind == "sum" else o.divide(total, divisor(o, plan, like))


def divisor(o: Ops, plan: Plan, like: Tensor) -> Any:
    """What the sum of each window is divided by: a number, or a tensor that broadcasts against the result."""
    if plan.spec.divisor_override is not None:
        return float(plan.spec.divisor_override)
    product: Any = 1
    for a in plan.axes:
        count = count_along(o, plan, a, like)
        both_known = isinstance(product, int) and isinstance(count, int)
        if both_known or (isinstance(product, int) and product == 1):
            product = product * count if both_known else count
        elif not (isinstance(count, int) and count == 1):
            product = o.multiply(count, product) if isinstance(product, int) else o.multiply(product, count)
    return product


def count_along(o: Ops, plan: Plan, a: Axis, like: Tensor) -> Any:
    """The cells along one axis that count in each window, padding included where the spec says so."""
    if a.form == "keep":
        return 1
    if a.form == "whole":
        return o.number(a.n, plan.work)
    include_padding = plan.spec.count_include_pad
    if a.known and (a.form == "bins" or a.out <= WRITTEN):
        return _line(o, plan, a, like, known_counts(a, include_padding))
    if a.form == "bins":
        if o.slices_by_size and a.out <= FEW:
            bins, n = o.line(tuple(range(a.out)), a.at, "int32", like), o.number(a.n, "int32")
            return o.cast(-((bins + 1) * -n // a.out) - bins * n // a.out, plan.work)
        return o.concat([o.count(inside, a.at, plan.work) for inside in members(o, a, like)], a.at)
    if a.total == 0 or (include_padding and a.overhang <= 0):
        return a.window
    return _symbolic_taps_count(o, plan, a, like, include_padding)


def known_counts(a: Axis, include_padding: bool) -> list[int]:
    """The counts of an axis of known length that is not kept or whole."""
    return [known_count(a, o, include_padding) for o in range(a.out)]


def known_count(a: Axis, o: int, include_padding: bool) -> int:
    """The same of one window."""
    if a.form == "bins":
        return len(a.range_of(o))
    first = -a.low if include_padding else 0
    last = a.n + (a.high - a.overhang if include_padding else 0)
    return _between(o * a.stride - a.low, a, first, last)


def _between(start: int, a: Axis, first: int, last: int) -> int:
    """How many of `start, start + dilation, …` lie in ``[first, last)``."""
    below = max(-(-(first - start) // a.dilation), 0)
    upto = min(-(-(last - start) // a.dilation), a.window)
    return max(upto - below, 0)


def _line(o: Ops, plan: Plan, a: Axis, like: Tensor, counts: list[int]) -> Any:
    return counts[0] if len(set(counts)) == 1 else o.line(tuple(counts), a.at, plan.work, like)


def _symbolic_taps_count(o: Ops, plan: Plan, a: Axis, like: Tensor, include_padding: bool) -> Tensor:
    """The fold of ones; with padding only in ceil mode, where `low` is an int and the overhang holds zeros."""
    ones = o.cast(o.greater(o.iota(like, a.at), -1), plan.work)
    if include_padding:
        ones = o.pad(ones, a.at, a.low, a.high - a.overhang, 1)
        ones = o.pad(ones, a.at, 0, a.overhang, 0)
        return fold_taps(o, a, (ones,), lambda p, q: (o.add(p[0], q[0]),), padded=True)[0]
    return fold_taps(o, a, (ones,), lambda p, q: (o.add(p[0], q[0]),), (0,))[0]
