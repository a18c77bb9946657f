"""What adapters' routes ask of a plan's windows: how many cells they have, whether they lie side by side."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from poolkit.lowering.count import known_counts
from poolkit.lowering.fold import IN_A_ROW as IN_A_ROW
from poolkit.lowering.fold import pad

if TYPE_CHECKING:
    from poolkit.lowering.geometry import Axis
    from poolkit.lowering.plan import Plan
    from poolkit.lowering.primitives import Ops, Tensor


def side_by_side(a: Axis) -> int | None:
    """The cells of each window, where those of an axis touch and are alike; None where they overlap, differ or pad."""
    if a.form == "taps":
        return a.window if a.stride == a.window and a.dilation == 1 and a.total == 0 else None
    return 1 if a.form == "keep" else int(a.n) if a.form == "whole" else None if a.n % a.out else int(a.n // a.out)


def tile(a: Axis) -> int | None:
    """The length of windows that neither overlap nor leave a gap nor need padding; None where there are others."""
    n = side_by_side(a)
    return n if n is not None and (a.form == "keep" or n * a.out == a.n) else None


def even(a: Axis) -> bool:
    """Whether an axis is kept, or falls into equal parts."""
    return a.form != "taps" and side_by_side(a) is not None


def cells(plan: Plan) -> int:
    """Cells of the largest window."""
    return math.prod([a.longest for a in plan.axes])  # a list, for Dynamo


def reduced(plan: Plan) -> tuple[int, ...]:
    """The axes that are reduced as a whole, where the others are kept; none where there are windows."""
    whole = tuple([a.at for a in plan.axes if a.form == "whole"])
    return whole if all(a.form in ("whole", "keep") for a in plan.axes) else ()


def sliding(a: Axis) -> Axis:
    """Bins that divide an axis evenly are windows; any other axis as it is."""
    width = side_by_side(a) if a.known and a.form == "bins" else None
    return a if width is None else dataclasses.replace(a, form="taps", window=width, stride=width)


def around(a: Axis | None) -> tuple[Any, Any]:
    """Padding before and behind an axis, as far as windows reach; None is an axis that is not pooled."""
    if a is None or a.form != "taps":
        return 0, 0
    return a.low, (a.reached if a.known else a.high)


def dense(plan: Plan) -> bool:
    """Whether every axis is a dense sliding window, or kept."""
    axes = [sliding(a) for a in plan.axes]
    return all(a.form == "keep" or (a.form == "taps" and a.dilation == 1) for a in axes) and cells(plan) > 1


def valid_or_same(plan: Plan) -> str | None:
    """VALID or SAME, where a pool that pads by such a word pads as the plan does; otherwise None."""
    axes = [sliding(a) for a in plan.axes]
    if all(a.total == 0 for a in axes):
        return "VALID"
    if not plan.known:
        return "SAME" if plan.spec.padding == "same" else None
    return "SAME" if all(a.form == "keep" or _same(a) for a in axes) else None


def in_no_window(o: Ops, x: Tensor, plan: Plan) -> list[Tensor]:
    """Parts of `x` with all cells that are in no window, whose derivative is 0 times whatever was made of them."""
    axes = [a for a in plan.axes if a.form == "taps"]
    if any(a.stride > a.window or (a.stride > 1 and a.dilation > 1) for a in axes):
        return [x]
    ends = {a.at: (a.out - 1) * a.stride + a.span - a.low for a in axes}
    return [o.slice(x, a.at, ends[a.at], None, 1) for a in axes if ends[a.at] < a.n]


def pad_widths(plan: Plan) -> list[tuple[int, int]] | None:
    """Padding before and behind every axis of the input; None where windows end before the last cell."""
    if any(a.form not in ("keep", "taps", "bins") or a.high < 0 for a in plan.axes):
        return None
    axes = {a.at: sliding(a) for a in plan.axes}
    return [around(axes.get(at)) for at in range(plan.rank)]


def padded(o: Ops, x: Tensor, plan: Plan, value: float) -> Tensor:
    """`x` with all the padding that windows reach."""
    for a in [sliding(a) for a in plan.axes]:
        if a.form == "taps" and a.total:
            x = o.pad(x, a.at, *around(a), value) if a.known else pad(o, x, a, value)
    return x


def _same(a: Axis) -> bool:
    total = max((a.out - 1) * a.stride + a.window - a.n, 0)
    return bool(a.out == -(-a.n // a.stride) and a.total == total and a.low == total // 2)


def channels_last(plan: Plan) -> bool:
    """Whether the axes are batch, the pooled ones, channels."""
    return plan.at == tuple(range(1, plan.rank - 1))


def channels_first(plan: Plan) -> bool:
    return plan.at == tuple(range(2, plan.rank))


def pools_axes(plan: Plan) -> bool:
    """Whether a pool of a batch with channels takes these axes, one to three; of three TensorFlow has no float64."""
    most = 2 if plan.work == "float64" else 3
    return 1 <= len(plan.axes) <= most and (channels_last(plan) or channels_first(plan))


def split(o: Ops, x: Tensor, plan: Plan, pieces: Mapping[int, int] | None = None) -> tuple[Tensor, tuple[int, ...]]:
    """Windows side by side: each axis as (windows, cells of one), without what is left over; and the axes of cells.

    With `pieces` a window falls into so many along each axis, which count as windows.
    """
    axes = {a.at: a for a in plan.axes if a.form != "keep"}
    shape: list[Any] = []
    inner: list[int] = []
    for at in range(plan.rank):
        if at not in axes:
            shape.append(o.size(x, at))
            continue
        a, count = axes[at], (pieces or {}).get(at, 1)
        width = side_by_side(a) or 0
        x = x if width * a.out == a.n else o.slice(x, at, 0, width * a.out, 1)
        inner.append(len(shape) + 1)
        shape += [a.out * count, width // count]
    return o.reshape(x, tuple(shape)), tuple(inner)


def uneven(plan: Plan) -> bool:
    """Whether an average divides by counts of real cells that differ from window to window."""
    spec = plan.spec
    if plan.kind == "sum" or spec.divisor_override is not None:
        return False
    if any(a.form == "bins" for a in plan.axes):
        return not all(a.form in ("keep", "whole") or (a.known and side_by_side(a) is not None) for a in plan.axes)
    around = [a for a in plan.axes if a.form == "taps" and a.total != 0]
    same = all(a.known and len(set(known_counts(a, include_padding=False))) == 1 for a in around)
    return not spec.count_include_pad and not same
