"""Derivatives of sums that are carried relative to a scale, for frameworks that compose one given by hand (`derived`).

What sums are tried with (`by_sums`) then stands in the forward pass alone: a framework's own derivative goes through
the guards of both branches, which takes XLA on a CPU 4 to 6 times as long. The scale is a constant. `change` is that
of the cells, to which each result is proportional.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from poolkit.lowering.kinds.relative import decayed, largest_of, scales, times

Tensor = Any
Total = Callable[[Tensor], Tensor]


def nothing(o: Any, t: Tensor) -> Tensor:
    """The change of what is constant, infinite or not."""
    return o.cast(o.less(t, t), o.dtype)


def softmax(kind: Any, x: Tensor, s: Any, change: Tensor, total: Total) -> tuple[Any, ...]:
    """The change of a weight stands apart from that of its cell: 1 plus a large cell, less as much, would be 0."""
    o, exact = kind.o, kind.options["grad"] == "exact"
    weight = kind.weight(times(o, x if exact else o.detach(x), kind.near), o.detach(s[0]))
    added = total(o.multiply(change, weight))
    if not exact:
        return nothing(o, s[0]), added, nothing(o, s[2])
    cells = o.clip(x, -largest_of(kind.plan.work), math.inf)  # -inf has the weight 0
    each = o.multiply(weight, change)
    grown, lifted = (times(o, times(o, total(t), kind.near), kind.far) for t in (o.multiply(cells, each), each))
    return nothing(o, s[0]), o.add(added, grown), lifted


def logsumexp(kind: Any, x: Tensor, s: Any, change: Tensor, total: Total) -> tuple[Any, ...]:
    """A window whose largest is infinite has none."""
    o, top, most = kind.o, largest_of(kind.plan.work), kind.o.detach(s[0])
    endless = o.either(o.equal(most, math.inf), o.equal(most, -math.inf))
    scaled = o.clip(times(o, x, kind.near), -math.inf, top)
    each = decayed(o, o.subtract(scaled, o.where(endless, top, most)), kind.far)
    found = o.where(endless, 0.0, total(o.multiply(each, change)))
    return nothing(o, s[0]), times(o, times(o, found, kind.near), kind.far)


def norm(kind: Any, x: Tensor, s: Any, change: Tensor, total: Total) -> tuple[Any, ...]:
    """With p of 2 or more. A window with an infinite cell has none, nor has a cell below eps."""
    o, p, eps, scale = kind.o, kind.p, kind.eps, kind.o.detach(s[0])
    share = o.divide(kind.held(kind.magnitudes(x), largest_of(kind.plan.work)), scale)
    if eps is not None:
        change = o.where(o.less(x, eps), 0.0, change)
    elif not kind.square:
        change = o.where(o.less(x, 0), o.multiply(change, -1), change)
    found = o.divide(o.multiply(total(o.multiply(kind.power(share, p - 1), change)), p), scale)
    return nothing(o, s[0]), o.where(o.equal(s[1], math.inf), 0.0, found)


def expected(kind: Any, x: Tensor, s: Any, change: Tensor, total: Total) -> tuple[Any, ...]:
    """Relative to the average itself, (2a - 1) / sum(a); one that is 0 or infinite has none."""
    o, most = kind.o, largest_of(kind.plan.work)
    lost = o.either(o.equal(s[0], 0), o.equal(s[0], math.inf))
    average = o.where(lost, most, s[0])
    scale = scales(o, o.detach(average))[0]  # or the square of the average, in the second derivative, leaves the range
    cells = o.divide(o.multiply(o.clip(x, 0.0, most), scale), o.multiply(average, scale))
    weights = total(cells)
    each = o.multiply(o.subtract(o.multiply(cells, 2.0), 1.0), o.where(o.less(x, 0), 0.0, change))
    return (o.where(lost, 0.0, o.divide(total(each), o.where(o.equal(weights, 0), 1.0, weights))),)


SLOPES = {"softmax": softmax, "logsumexp": logsumexp, "lp": norm, "gem": norm, "stochastic": expected}
