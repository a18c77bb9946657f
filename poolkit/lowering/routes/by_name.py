"""Routes that nobody gets who does not ask for them by name: pooling in the words of other layers.

An average is a convolution with a window of ones, and the larger of two numbers is ``a + relu(b - a)``.
docs/beside_pooling.md says when somebody wants that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from poolkit.lowering.backend import EXTREMA, SUMS, Reduced, Route, Situation, When
from poolkit.lowering.count import divided
from poolkit.lowering.kinds.maximum import Max
from poolkit.lowering.routes.windows import IN_A_ROW, around, cells, sliding
from poolkit.lowering.weighed import pooled

if TYPE_CHECKING:
    from poolkit.lowering.geometry import Axis
    from poolkit.lowering.kinds.kind import State
    from poolkit.lowering.plan import Plan
    from poolkit.lowering.primitives import Ops, Tensor


NEVER = 1000.0  # a cost above the fold's: only for who asks by name
SMALL = ("bool", "int8", "uint8", "int16", "uint16")  # whose differences int32 holds


def _convolved(o: Ops, like: Tensor, plan: Plan) -> Reduced:
    """All axes but the pooled ones become one in front: a map has one channel, and there is one small kernel."""
    axes = [sliding(a) for a in plan.axes if a.form != "keep"]
    at = [a.at for a in axes]
    rest = [i for i in range(plan.rank) if i not in at]
    sizes, order = [o.size(like, i) for i in rest], (*rest, *at)
    straight = order == tuple(range(plan.rank))
    x = like if straight else o.permute(like, order)
    maps, wide = o.reshape(x, (-1, *[a.n for a in axes])), o.of_rank(1 + len(axes))
    for i, a in enumerate(axes):
        low, high = around(a)
        maps = wide.pad(maps, 1 + i, low, high, 0) if low or high else maps
    sums = wide.convolve(maps, *zip(*[(a.longest, a.stride, a.dilation) for a in axes], strict=True))
    for i, a in enumerate(axes):
        sums = wide.slice(sums, 1 + i, 0, a.out, 1) if _more(a) else sums
    y = o.reshape(sums, (*sizes, *[a.out for a in axes]))
    y = y if straight else o.permute(y, tuple([order.index(i) for i in range(plan.rank)]))
    return divided(o, y, plan, like), None


def _more(a: Axis) -> bool:
    """Whether further windows would fit than the axis has."""
    low, high = around(a)
    return bool((a.n + low + high - (a.span if a.form == "taps" else a.n)) // a.stride + 1 > a.out)


def _is_sliding(plan: Plan) -> bool:
    """Of so few cells that they may be added up in a row, along as many axes as frameworks convolve."""
    axes = [sliding(a) for a in plan.axes if a.form != "keep"]
    windows = all(a.form in ("taps", "whole") and isinstance(a.low, int) for a in axes)
    return windows and 1 <= len(axes) <= 3 and cells(plan) <= IN_A_ROW


def convolution(when: When) -> Route:
    """The route of an adapter whose `Ops` has `convolve`; float32 is float32 on a CPU, elsewhere it may be less."""

    def right(plan: Plan, situation: Situation) -> bool:
        return _is_sliding(plan) and situation.device in (None, "cpu") and when(plan, situation)

    return Route("convolution", SUMS, _convolved, right, lambda plan: NEVER + 2)


class ByRelu(Max):
    """The larger of two finite cells as a + relu(b - a), which is off by no more than a sum of them is rounded."""

    def combine(self, a: State, b: State) -> State:
        o, down = self.o, self.plan.kind == "min"
        gain = o.subtract(a[0], b[0]) if down else o.subtract(b[0], a[0])
        relu = o.where(o.greater(gain, 0), gain, 0)
        return ((o.subtract if down else o.add)(a[0], relu),)

    def reduce_axis(self, s: State, a: Axis, inside: Tensor | None) -> State:
        """Neighbours first, so that of equal cells the first one wins."""
        o, n = self.o, a.n
        while n > 1:
            early, late = (tuple(o.slice(t, a.at, i, n - n % 2, 2) for t in s) for i in (0, 1))
            both = self.combine(early, late)
            left = tuple(o.slice(t, a.at, n - 1, n, 1) for t in s) if n % 2 else ()
            s, n = (o.concat([both[0], left[0]], a.at),) if left else both, n // 2 + n % 2
        return s


def _by_relu(o: Ops, x: Tensor, plan: Plan) -> Reduced:
    if plan.floating:
        return pooled(ByRelu(o, plan), x)
    values = pooled(ByRelu(o.of_dtype("int32"), plan), o.cast(x, "int32"))[0]
    return o.cast(values, plan.work), None


def _is_near(plan: Plan, situation: Situation) -> bool:
    """Small integers are exact. Half types would be rounded at each step, and differences of int32 may wrap around."""
    return plan.dtype in ("float32", "float64", *SMALL)


RELU = Route("relu", EXTREMA, _by_relu, _is_near, lambda plan: NEVER)  # listed nowhere: NaN, infinity, rounding
