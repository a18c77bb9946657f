"""Windows as a pool takes them that pads both sides alike, by at most half a window, and has a flag for ceil mode.

PyTorch's are such pools. What is padded more on one side is said with fewer windows than the pool makes (`skip` are
left out in front, `out` kept of the others), with its ceil mode, or with cells of -inf that are appended first
(`extra`), on the high side only: there no padding wins a tie, because a real cell of its window comes before it, so
that indices are right.
"""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING

from poolkit.lowering.routes.windows import side_by_side

if TYPE_CHECKING:
    from poolkit.lowering.backend import Situation
    from poolkit.lowering.geometry import Axis
    from poolkit.lowering.plan import Plan

# A running sum of m equal cells in float32 is off by up to 3.4 eps at m=25, 6.4 at m=49 and 113 at m=900. So much is
# allowed of a sum of at most 128 cells, and 4 eps of the gradients that overlapping windows add to one cell.
MOST_OVERLAP = 25


@dataclasses.dataclass(frozen=True)
class Along:
    """The windows of one axis; `out` is None where all windows behind the first `skip` are wanted."""

    window: int
    stride: int
    padding: int
    dilation: int
    extra: int = 0
    out: int | None = None
    skip: int = 0

    @property
    def overlap(self) -> int:
        """How many windows share a cell, at most."""
        return self.window if self.dilation > 1 else -(-self.window // self.stride)


ONE = Along(1, 1, 0, 1)  # an axis that is kept


@dataclasses.dataclass(frozen=True)
class Windows:
    """The windows of all pooled axes."""

    along: tuple[Along, ...]
    ceil: bool = False

    @property
    def cells(self) -> int:
        return math.prod([a.window for a in self.along])

    @property
    def overlap(self) -> int:
        return math.prod([a.overlap for a in self.along])

    @property
    def padded(self) -> bool:
        return any(a.padding or a.extra for a in self.along)

    @property
    def remakes_indices(self) -> bool:
        """Whether appended cells change flat positions: not if it is the first axis that they lengthen."""
        return any(a.extra for a in self.along[1:])

    def adds_few(self, situation: Situation) -> bool:
        """Whether the gradients that windows add to a cell are few enough to be exact."""
        return self.overlap <= MOST_OVERLAP or not situation.derivative


def adjacent(plan: Plan) -> bool:
    """Whether the pooled axes are as many as such pools have, one to three, with no other between them."""
    return len(plan.at) <= 3 and plan.consecutive


def given(w: Windows | None) -> Windows:
    """The windows of a plan of which a route's `when` has said that it has some."""
    assert w is not None
    return w


def windows_of(plan: Plan) -> Windows | None:
    """The plan's windows, or None where no such pool makes them."""
    if not (plan.floating and adjacent(plan)):
        return None
    for way in ("as they are", "ceil", "skip", "append"):
        along = [_along(plan, a, way) for a in plan.axes]
        made = [a for a in along if a is not None]
        if len(made) == len(along):
            return Windows(tuple(made), way == "ceil")
    return None


def padded_first(plan: Plan) -> Windows | None:
    """The windows of an input that holds its padding already; None where there is no padding, or are no windows."""
    along = [Along(a.window, a.stride, 0, a.dilation) if a.form == "taps" else _divided(a) for a in plan.axes]
    made = [a for a in along if a is not None]
    some = plan.floating and adjacent(plan) and any(a.total for a in plan.axes)
    return Windows(tuple(made)) if some and len(made) == len(along) else None


def _along(plan: Plan, a: Axis, way: str) -> Along | None:
    if a.form != "taps":
        return _divided(a)
    if not a.known:
        return _unknown(plan, a, way)
    skip = _skipped(a) if way == "skip" else 0
    padding = a.low + skip * a.stride
    if 2 * padding > a.window:
        return None
    start = Along(a.window, a.stride, padding, a.dilation, skip=skip)
    made = made_of(a, padding, 0, way == "ceil") - skip
    if made >= a.out:
        return dataclasses.replace(start, out=a.out if made > a.out else None)
    extra = (a.out - 1) * a.stride + a.span - a.n - 2 * a.low
    if way == "append" and made_of(a, padding, extra, False) == a.out:
        return dataclasses.replace(start, extra=extra)
    return None


def _skipped(a: Axis) -> int:
    """How many windows stand before the wanted ones, where the padding behind is put in front, too; 0 if none fits."""
    more = a.total - 2 * a.low
    return more // a.stride if more > 0 and more % a.stride == 0 else 0


def _divided(a: Axis) -> Along | None:
    """A whole axis, bins that divide it, or an axis that is kept, as windows."""
    n = side_by_side(a) if a.known or a.form == "keep" else None
    return None if n is None else Along(n, n, 0, 1)


def _unknown(plan: Plan, a: Axis, way: str) -> Along | None:
    """Windows that are the same whatever the size; the pool's ceil mode is the plan's own."""
    if len(a.lows) > 1:  # `low` is a symbol, which may not be compared
        return None
    skip = _skipped(a) if way == "skip" else 0
    padding = a.low + skip * a.stride
    ceil = plan.spec.ceil_mode
    fits = padding == a.total - a.overhang - a.low and (way == "ceil") == ceil
    if way == "ceil":  # which adds up to stride - 1 cells; it drops no window here, or exporters ask each size whether
        fits = (fits if ceil else a.total - 2 * a.low == a.stride - 1) and a.stride <= a.span - a.low
    return Along(a.window, a.stride, padding, a.dilation, skip=skip) if fits and 2 * padding <= a.window else None


def made_of(a: Axis, padding: int, extra: int, ceil: bool) -> int:
    """How many windows the pool makes of a known axis with this padding on both sides."""
    n = a.n + extra
    out: int = (n + 2 * padding - a.span + (a.stride - 1 if ceil else 0)) // a.stride + 1
    return out - 1 if ceil and (out - 1) * a.stride >= n + padding else out


def bin_overlap(a: Axis) -> int:
    """How many bins share a cell, at most; 2 where the size is not known, as if bins were no more than cells."""
    if a.form != "bins":
        return 1
    return 2 if not a.known else -(-a.out // a.n) + 1
