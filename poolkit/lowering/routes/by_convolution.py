"""Windows whose cells have weights by their places, by a framework's convolution of each channel by itself.

What is added up has no more cells in a row than the window, 49 at most, and no weight is 0.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import operator
from typing import TYPE_CHECKING, Protocol, cast

from poolkit.lowering.backend import Reduced, Route, Situation, When
from poolkit.lowering.kinds.blurred import weights

if TYPE_CHECKING:
    from poolkit.lowering.plan import Plan
    from poolkit.lowering.primitives import Ops, Tensor


class Channels(Protocol):
    """What the `Ops` of an adapter with this route has besides, of tensors (rows, height, width, channels).

    With `channels_first` of (rows, channels, height, width).
    """

    channels_first: bool

    def beside(self, x: Tensor, widths: tuple[tuple[int, int], tuple[int, int]], mirrored: bool) -> Tensor:
        """So many cells before and behind each side, fewer than it has: the mirrored ones, or the one at the edge."""

    def weigh(self, x: Tensor, kernel: Tensor, stride: tuple[int, int], dilation: tuple[int, int]) -> Tensor:
        """The sum of each window, with the weights in `kernel`, whose sides are the window's."""


def _blurred(o: Ops, x: Tensor, plan: Plan) -> Reduced:
    """As rows of maps with channels; where no axes are behind the pooled ones, those before them are channels."""
    axes = [a for a in plan.axes if a.form == "taps"]
    at = [a.at for a in axes]
    front, behind = ([i for i in range(plan.rank) if i not in at and (i > at[-1]) == last] for last in (False, True))
    channelwise = cast("Channels", o.of_rank(4))
    first = channelwise.channels_first
    # LiteRT has to know how many channels there are, where the batch may be of any size.
    rows, others = (front, behind) if behind else ([], front) if first else (front[:-1], front[-1:])
    order = (*rows, *others, *at) if first else (*rows, *at, *others)
    sizes = [o.size(x, i) for i in range(plan.rank)]
    straight = tuple(range(plan.rank))
    two = axes if len(axes) == 2 else [dataclasses.replace(axes[0], n=1, window=1, low=0, out=1), *axes]
    channels, sides = functools.reduce(operator.mul, [sizes[i] for i in others] if rows else [-1]), [a.n for a in two]
    flat = x if order == straight else o.permute(x, order)
    maps = o.of_rank(4).reshape(flat, (-1 if rows else 1, *((channels, *sides) if first else (*sides, channels))))
    maps = _padded(o.of_rank(4), maps, [(a.low, a.reached) for a in two], dict(plan.spec.options)["pad_mode"])
    lines = [tuple([w / 2 ** (a.window - 1) for w in weights(a.window)]) for a in two]
    grid = o.of_rank(2)
    kernel = grid.multiply(*[grid.line(line, i, plan.work, x) for i, line in enumerate(lines)])
    made = channelwise.weigh(maps, kernel, (two[0].stride, two[1].stride), (two[0].dilation, two[1].dilation))
    outs = {a.at: a.out for a in axes}
    y = o.reshape(made, tuple([outs.get(i, sizes[i]) for i in order]))
    back = tuple([order.index(i) for i in range(plan.rank)])
    return y if order == straight else o.permute(y, back), None


def _padded(o: Ops, maps: Tensor, widths: list[tuple[int, int]], mode: str) -> Tensor:
    if not any(low or high for low, high in widths):
        return maps
    channelwise = cast("Channels", o)
    if mode != "zeros":
        return channelwise.beside(maps, (widths[0], widths[1]), mode == "reflect")
    for at, (low, high) in enumerate(widths, 2 if channelwise.channels_first else 1):
        maps = o.pad(maps, at, low, high, 0)
    return maps


def _is_flat(plan: Plan, situation: Situation) -> bool:
    """Of one axis or two, in float32, which a CPU's float32 is; of float64 frameworks have no fast one."""
    axes = [a for a in plan.axes if a.form != "keep"]
    sliding = len(axes) in (1, 2) and all(a.form == "taps" and isinstance(a.low, int) for a in axes)
    sliding = sliding and all(max(a.low, a.reached) < a.n for a in axes)  # further, frameworks do not mirror
    small = math.prod([a.window for a in axes]) > 1
    return sliding and small and plan.work == "float32" and situation.device in (None, "cpu")


def square(plan: Plan, situation: Situation) -> bool:
    """Whether both axes have one stride, and nothing is dilated."""
    axes = [a for a in plan.axes if a.form != "keep"]
    return len({a.stride for a in axes}) == 1 and all(a.dilation == 1 for a in axes)


def channelwise(when: When) -> Route:
    """The route of an adapter whose `Ops` has `weigh`, where that is faster than slices."""
    return Route("channelwise", ("blur",), _blurred, lambda p, s: _is_flat(p, s) and when(p, s), lambda plan: 2.0)
