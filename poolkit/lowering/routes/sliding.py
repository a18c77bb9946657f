"""Averages of long windows with stride 1, by a framework's own average pools of few cells.

A window of 63 is 7 cells that lie 9 apart, of averages of 3 that lie 3 apart, of averages of 3. Cells that are d apart
are neighbours where the axis is as two, of which the second has d. The gradient of such a pool is a pool, too.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from poolkit.lowering.count import divisor
from poolkit.lowering.fold import tree
from poolkit.lowering.routes.stages import factors, multiplied
from poolkit.lowering.routes.windows import around, cells, channels_last, pools_axes

if TYPE_CHECKING:
    from poolkit.lowering.backend import Reduced
    from poolkit.lowering.geometry import Axis
    from poolkit.lowering.plan import Plan
    from poolkit.lowering.primitives import Ops, Tensor

LONGEST = 64  # cells along each of two axes: at most 3.9 eps of the average where all are equal, 2.3 in the gradient


def slides_in_pools(plan: Plan, most: int) -> bool:
    """Whether windows move cell by cell along one axis or two, and have more cells than one pool adds up."""
    axes = [a for a in plan.axes if a.form != "keep"]
    steps = plan.known and all(a.form == "taps" and a.stride == 1 and a.window <= LONGEST for a in axes)
    return steps and cells(plan) > most and len(axes) < 3 and pools_axes(plan) and plan.dtype in ("float32", "float64")


def in_pools(
    o: Ops,
    x: Tensor,
    plan: Plan,
    pool: Callable[[Tensor, int], Tensor],
    sizes: Callable[[Ops, Tensor], list[Any]],
    shape: Callable[[Ops, list[Any]], Any],
) -> Reduced:
    """One axis after the other; channels go last.

    `pool` gives the averages of so many rows of (maps, rows, columns, channels), `sizes` those of a tensor, -1 for any
    batch, and `shape` makes an argument of some.
    """
    turned = not channels_last(plan)
    y, scale = o.permute(x, (0, *range(2, plan.rank), 1)) if turned else x, 1
    for a in [a for a in plan.axes if a.form == "taps"]:
        at, (low, high), (few, pools) = a.at - turned, around(a), _few(a.window)
        high += -(a.n + low + high) % (few // pools[0] * a.dilation)
        y = o.pad(y, at, low, high, 0.0) if low or high else y
        padded, n = sizes(o, y), a.n + low + high
        made, left = _averages(o, y, dataclasses.replace(a, at=at), padded, n, pool, shape)
        made = o.reshape(made, shape(o, [*padded[:at], left, *padded[at + 1 :]]))
        made = made if left == a.out else o.slice(made, at, 0, a.out - left, 1)
        firsts = [i * a.dilation for i in range(few, a.window)]
        rest = [o.slice(y, at, i, i + a.out - n or None, 1) for i in firsts]
        y = o.add(made, o.multiply(tree(rest, o.add), 1 / few)) if rest else made
        scale *= few
    y = o.permute(y, (0, plan.rank - 1, *range(1, plan.rank - 1))) if turned else y
    count = divisor(o, plan, x) if plan.kind == "avg" else 1
    if isinstance(count, int | float):
        return (y if count == scale else o.multiply(y, scale / count)), None
    return o.multiply(y, o.divide(float(scale), count)), None


def _few(k: int) -> tuple[int, list[int]]:
    """The most of k cells that pools of few can add up, and those: of 63 they are of 7, 3 and 3, of 31 it is 30."""
    made = ((n, [7, *(factors(n // 7, 4, 5) or [])] if n % 7 == 0 else factors(n, 4, 5)) for n in range(k, 0, -1))
    return next((n, pools) for n, pools in made if pools and math.prod(pools) == n)


def _averages(
    o: Ops, x: Tensor, a: Axis, sizes: list[Any], n: int, pool: Callable[..., Tensor], shape: Callable[..., Any]
) -> tuple[Tensor, int]:
    """The averages of `_few` cells from each on, and how many there are; `sizes` are those of `x`."""
    few, pools = _few(a.window)
    apart, wide = few * a.dilation, multiplied([1, *sizes[a.at + 1 : -1]])
    for k in pools:
        apart //= k
        x = pool(o.reshape(x, shape(o, [-1, n // apart, apart * wide, sizes[-1]])), k)
        n -= (k - 1) * apart
    return x, n


def cost_in_pools(plan: Plan, compiled: float) -> float:
    """More than the compiled fold's with shorter windows, along one axis, and channels first of less than 56 cells.

    Of 63x63 over 64x64x32 this takes 0.7 of its time, and with a gradient 0.4; channels first 1.15 and 0.65.
    """
    long = min([a.longest for a in plan.axes]) >= (24 if channels_last(plan) else 56)
    return 3.0 if long and len(plan.axes) == 2 else compiled + 10.0
