"""Selections that are right with a derivative and give positions: one whole axis, gathered cells, two passes."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

from poolkit.lowering.backend import EXTREMA, Reduced, Route, Situation, Tensor
from poolkit.lowering.plan import Plan
from poolkit.lowering.routes import choices
from poolkit.lowering.routes.both_sides import ONE, Windows, given, padded_first, windows_of
from poolkit.lowering.routes.windows import cells
from poolkit.lowering.spread import MIDDLE
from poolkit_torch.routes_arrange import against_order, arranged, before, behind, compiling, paddings, planes, put_back
from poolkit_torch.routes_max import fits_adaptive, positions, put_back_both, signed
from poolkit_torch.routes_windows import pooled, rounded


def line(o: Any, x: Tensor, plan: Plan) -> Reduced:
    """All whole axes as one, for `torch.max(dim)`, which takes the first tie and the first NaN."""
    count = len(plan.axes)
    first = plan.at[0]
    flat = x.flatten(first, plan.at[-1]) if count > 1 else x
    got = getattr(o.torch, plan.kind)(flat, first, keepdim=True)

    def apart(t: Tensor) -> Tensor:
        return t.unflatten(first, (1,) * count) if count > 1 else t

    return apart(got[0]), apart(got[1]) if plan.spec.indices else None


def fits_line(plan: Plan, situation: Situation) -> bool:
    """bfloat16 and float16 included; bool and unsigned integers have no max with positions everywhere.

    Of a map in the memory format channels_last torch's own adaptive pool is 4 times as fast, and 6 to 12 as `blocks`.
    """
    if situation.format is False and fits_adaptive(plan, situation):
        return False
    return plan.consecutive and plan.floating and plan.is_map


def line_cost(plan: Plan) -> float:
    """It reads cell by cell: above 64 torch's own adaptive pool is faster, over channels-last maps always."""
    if behind(plan):
        return 60.0
    return 41.0 if plan.known and cells(plan) > 64 else 10.0


def blocks(o: Any, x: Tensor, plan: Plan) -> Reduced:
    """The first block whose largest cell is the largest of all, and the first such cell of it, both by argmax.

    The map is read once by a reduction without positions, which is four times as fast as one with them.
    """
    block = _block(plan)
    pick = f"arg{plan.kind}"
    v = x.flatten(plan.at[0])
    d = v.detach().unflatten(-1, (-1, block))
    best = getattr(getattr(o.torch, f"a{plan.kind}")(d, -1), pick)(-1, keepdim=True)
    inside = o.torch.take_along_dim(d, best.unsqueeze(-1), -2).squeeze(-2)
    place = best * block + getattr(inside, pick)(-1, keepdim=True)

    def apart(t: Tensor) -> Tensor:
        return t.unflatten(-1, (1,) * len(plan.axes))

    return apart(v.gather(-1, place)), apart(place) if plan.spec.indices else None


def _block(plan: Plan) -> int:
    """About 200 cells, so that there are not many blocks nor many cells in one; 0 where no number near it divides."""
    n = cells(plan)
    near = [k for k in range(96, 513) if n % k == 0]
    return min(near, key=lambda k: abs(math.log(k / 200)), default=0)


def fits_blocks(plan: Plan, situation: Situation) -> bool:
    """Large maps alone: of 28x28 cells torch's own pool is as fast."""
    large = plan.known and fits_line(plan, situation) and cells(plan) >= 2048
    return large and plan.trailing and _block(plan) > 0


def gather(o: Any, x: Tensor, plan: Plan) -> Reduced:
    """Positions by a max pool of a detached channels_last copy, 20 times as fast as one of planes, then their cells."""
    v = arranged(x, plan)
    _, place = _places(o, _copy(o, v, plan), given(windows_of(plan)), plan)
    return put_back(_at(v, place), x, plan), put_back(place, x, plan) if plan.spec.indices else None


def gather_twice(o: Any, x: Tensor, plan: Plan) -> Reduced:
    """The same along the last axis, then the one before: k + k cells a window, and gradients added k at a time."""
    rows, columns = _one_axis_each(plan)
    v = arranged(x, plan)
    values, across = _places(o, _copy(o, v, plan), columns, plan)
    picked = _at(v, across)
    _, down = _places(o, values, rows, plan)
    indices = put_back(_at(across, down), x, plan) if plan.spec.indices else None
    return put_back(_at(picked, down), x, plan), indices


def _one_axis_each(plan: Plan, of: Callable[[Plan], Windows | None] = windows_of) -> tuple[Windows, Windows]:
    """The windows along the first of two axes alone, and along the second."""
    w = given(of(plan))
    return Windows((w.along[0], ONE), w.ceil), Windows((ONE, w.along[1]), w.ceil)


def _copy(o: Any, v: Tensor, plan: Plan) -> Tensor:
    return signed(v, plan).detach().contiguous(memory_format=o.torch.channels_last)


def _places(o: Any, v: Tensor, w: Windows, plan: Plan) -> tuple[Tensor, Tensor]:
    """The maxima of a channels_last tensor, and the position of each in its plane."""
    values, place = pooled(o, "max_pool", v, w, plan, return_indices=True)
    return values, place.contiguous()


def _at(v: Tensor, place: Tensor) -> Tensor:
    return v.flatten(2).gather(2, place.flatten(2)).view(place.shape)


def fits_gather(plan: Plan, situation: Situation) -> bool:
    w = _plane_windows(plan, situation)
    return w is not None and not w.remakes_indices and w.adds_few(situation)


def fits_gather_twice(plan: Plan, situation: Situation) -> bool:
    """Gradients are rounded once for each axis, so along each a cell may be in half as many windows: 1.9 eps at 13."""
    w = _plane_windows(plan, situation)
    return w is not None and not w.remakes_indices and max(a.overlap for a in w.along) <= 13


def _plane_windows(plan: Plan, situation: Situation) -> Windows | None:
    """Not of a tensor that vmap has wrapped, which refuses a memory format."""
    maps = len(plan.axes) == 2 and before(plan) >= 2 and not any(a.form == "whole" for a in plan.axes)
    return windows_of(plan) if maps and planes(plan, situation) and not situation.wrapped else None


def apart(o: Any, x: Tensor, plan: Plan) -> Reduced:
    """Torch's own pool along the last axis, then along the one before."""
    return _apart(o, arranged(signed(x, plan), plan), x, plan, _one_axis_each(plan)), None


def apart_padded(o: Any, x: Tensor, plan: Plan) -> Reduced:
    """The same of cells of -inf around the input, which Inductor's own pool has to be given (`routes_max`)."""
    v = o.F.pad(arranged(signed(x, plan), plan), paddings(plan), value=-math.inf)
    return _apart(o, v, x, plan, _one_axis_each(plan, padded_first)), None


def _apart(o: Any, v: Tensor, x: Tensor, plan: Plan, each: tuple[Windows, Windows]) -> Tensor:
    for part in reversed(each):
        v = pooled(o, "max_pool", v, part, plan)
    return signed(put_back(v, x, plan), plan)


def fits_apart(plan: Plan, situation: Situation) -> bool:
    """For small windows `native` takes half the time where channels lie innermost in memory. Padded ones as there."""
    w = windows_of(plan) if len(plan.axes) == 2 else None
    few = 13 if not against_order(plan, situation) or w is None or w.overlap > 9 else 0
    return w is not None and max(a.overlap for a in w.along) <= few and not (w.padded and compiling(situation))


def fits_apart_padded(plan: Plan, situation: Situation) -> bool:
    """Of channels that come last: there the gradient of the fold's windows of 9x9 takes 6 times as long in Inductor.

    Where they come first that is 4 times, and the fold's maxima themselves take half to a third of the time.
    """
    w = padded_first(plan) if len(plan.axes) == 2 and behind(plan) and compiling(situation) else None
    return w is not None and max(a.overlap for a in w.along) <= 13


def spread(o: Any, x: Tensor, plan: Plan) -> Reduced:
    """PyTorch's own windows that are spread over a map, moved by the number that stands for one drawn."""
    v, count = arranged(x, plan), len(plan.axes)
    middle = v.new_full((v.shape[0], v.shape[1], count), MIDDLE)
    sizes = [tuple([a.window for a in plan.axes]), tuple([a.out for a in plan.axes])]
    pool = getattr(o.F, f"fractional_max_pool{count}d")
    return put_back_both(pool(v, *sizes, **positions(plan), _random_samples=middle), x, plan)


def fits_spread(plan: Plan, situation: Situation) -> bool:
    """Its places are right in float32. Of three axes it refuses as many windows as there are places.

    With a gradient it takes 0.6 to 1.0 of the time of `placed`, without one 2 to 4 times that of `values`.
    """
    overlapping = all(
        a.form == "spread" and a.own and a.n - a.window + 1 - a.out >= len(plan.axes) - 2 for a in plan.axes
    )
    kept = [c for at, c in enumerate(plan.spec.layout) if at not in plan.at]
    whole = plan.consecutive and kept == ["N", "C"] and len(plan.axes) in (2, 3)
    elsewhere = situation.wrapped or situation.format == "onnx" or compiling(situation)
    return overlapping and whole and plan.dtype == "float32" and situation.derivative and not elsewhere


_copies = functools.partial(Route, copies=True)

ROUTES = (
    Route("line", EXTREMA, line, fits_line, line_cost, needs_sizes=False, indices=True),
    Route("blocks", EXTREMA, blocks, fits_blocks, lambda p: 30.0, indices=True),
    _copies(
        "gather", EXTREMA, gather, fits_gather, lambda p: 10.0 + rounded(given(windows_of(p)).overlap), indices=True
    ),
    _copies("gather_twice", EXTREMA, gather_twice, fits_gather_twice, lambda p: 40.0, indices=True),
    _copies("apart", EXTREMA, apart, fits_apart, lambda p: 27.0 if behind(p) else 42.0, needs_sizes=False),
    _copies("apart_padded", EXTREMA, apart_padded, fits_apart_padded, lambda p: 43.0, needs_sizes=False),
    choices.spread(spread, fits_spread),
)
