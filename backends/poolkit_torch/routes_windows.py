"""Windows in the terms of torch.nn.functional: one padding for both sides, at most half a window, a flag for ceil mode.

What is padded more on one side is said with fewer windows than torch makes (`out` says how many to keep), with its ceil
mode, or with cells that are appended first (`extra`). Cells are appended on the high side only: there no padding wins a
tie, because a real cell of its window comes before it; -inf on the low side would win one against a real -inf.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any

from poolkit.lowering.geometry import Axis
from poolkit.lowering.plan import HALVES, Plan
from poolkit.lowering.stages import side_by_side

# A running sum of m equal cells in float32 is off by up to 3.4 eps at m=25, 6.4 at m=49 and 113 at m=900. So much is
# allowed of a sum of at most 128 cells, and 4 eps of the gradients that overlapping windows add to one cell.
IN_A_ROW = 128
MOST_OVERLAP = 25


@dataclasses.dataclass(frozen=True)
class Along:
    """The windows of one axis; `out` is None where all windows that torch makes are wanted."""

    window: int
    stride: int
    padding: int
    dilation: int
    extra: int = 0
    out: int | None = None

    @property
    def overlap(self) -> int:
        """How many windows share a cell, at most."""
        return self.window if self.dilation > 1 else -(-self.window // self.stride)


@dataclasses.dataclass(frozen=True)
class Windows:
    """The windows of all pooled axes."""

    along: tuple[Along, ...]
    ceil: bool

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


def windows_of(plan: Plan) -> Windows | None:
    """The plan's windows, or None where torch has no words for them."""
    for ceil, append in ((False, False), (True, False), (False, True)):
        along = [_along(plan, a, ceil, append) for a in plan.axes]
        made = [a for a in along if a is not None]
        if len(made) == len(along):
            return Windows(tuple(made), ceil)
    return None


def _along(plan: Plan, a: Axis, ceil: bool, append: bool) -> Along | None:
    if a.form != "taps":
        return _divided(a)
    if not a.known:
        return _unknown(plan, a, ceil)
    if 2 * a.low > a.window:
        return None
    start = Along(a.window, a.stride, a.low, a.dilation)
    made = torch_out(a, 0, ceil)
    if made >= a.out:
        return dataclasses.replace(start, out=a.out if made > a.out else None)
    extra = (a.out - 1) * a.stride + a.span - a.n - 2 * a.low
    if append and torch_out(a, extra, ceil) == a.out:
        return dataclasses.replace(start, extra=extra)
    return None


def _divided(a: Axis) -> Along | None:
    """A whole axis, bins that divide it, or an axis that is kept, as windows."""
    n = side_by_side(a) if a.known or a.form == "keep" else None
    return None if n is None else Along(n, n, 0, 1)


def _unknown(plan: Plan, a: Axis, ceil: bool) -> Along | None:
    """Windows that are the same on both sides whatever the size; torch's ceil mode is the plan's own."""
    by_size = plan.spec.padding in ("same", "same_lower") and a.stride > 1
    even = not by_size and 2 * a.low == a.total - a.overhang and 2 * a.low <= a.window
    return Along(a.window, a.stride, a.low, a.dilation) if even and ceil == plan.spec.ceil_mode else None


def torch_out(a: Axis, extra: int, ceil: bool) -> int:
    """How many windows torch makes of a known axis with padding `low` on both sides."""
    n = a.n + extra
    out: int = (n + 2 * a.low - a.span + (a.stride - 1 if ceil else 0)) // a.stride + 1
    return out - 1 if ceil and (out - 1) * a.stride >= n + a.low else out


def kept(y: Any, w: Windows) -> Any:
    """The windows that are wanted, where torch makes more of them."""
    for i, a in enumerate(w.along):
        if a.out is not None:
            y = y.narrow(i - len(w.along), 0, a.out)
    return y


def rounded(n: int) -> float:
    """A number for costs, made a constant: what Dynamo takes for a symbol does not sort."""
    limits = (1.0, 2.0, 4.0, 9.0, 16.0, 25.0, 49.0, 81.0, 169.0, 441.0, 1024.0)
    return next((most for most in limits if n <= most), 4096.0)


def bin_cells(a: Axis) -> int:
    """The cells of the largest bin of a known axis."""
    return 1 if a.form == "keep" else max(high - low for low, high in a.bins())


def bin_overlap(a: Axis) -> int:
    """How many bins share a cell, at most; 2 where the size is not known, as if bins were no more than cells."""
    if a.form != "bins":
        return 1
    return 2 if not a.known else -(-a.out // a.n) + 1


def three_dimensional_half(plan: Plan) -> bool:
    """PyTorch has no 3-d pool for half types on a CPU."""
    return plan.dtype in HALVES and len(plan.axes) == 3
