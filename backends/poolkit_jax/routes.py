"""JAX's faster routes, and its own calls.

JAX does not tell whether a derivative is taken, so every route is right when one is. Windowed maxima have
none: there the fold itself is 1.5 to 70 times faster than `lax.reduce_window`, more with a gradient.
"""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any

from poolkit.lowering.backend import EXTREMA, SUMS, Reduced, Route, Situation, Tensor
from poolkit.lowering.count import divided
from poolkit.lowering.lower import FOLD
from poolkit.lowering.routes.by_name import NEVER, convolution
from poolkit.lowering.routes.stages import in_runs, pieces, slides
from poolkit.lowering.routes.windows import IN_A_ROW, around, cells, reduced, side_by_side, sliding, split, uneven
from poolkit_jax.ops import at_least

if TYPE_CHECKING:
    from poolkit.lowering.geometry import Axis
    from poolkit.lowering.plan import Plan
    from poolkit_jax.ops import Ops

FEW = 16  # cells that a plain loop may add up: 2 eps off for equal cells, where 49 of them are 6 off; see `_bare`, too
MANY = 512  # cells that XLA's sum over parts of axes may add up: 20x20 equal cells are 3.2 eps off, 30x30 are 4.4
MEAN = 2**14  # cells up to which jnp.mean is at most 2.9 eps off, on large arrays; 225x225 equal cells are 4.1
SMALL = 256  # cells of a channels-last map whose gradient compares every place, and does not index


def _mean(o: Ops, x: Tensor, plan: Plan) -> Reduced:
    if plan.kind == "avg" and plan.spec.divisor_override is None:
        return o.jnp.mean(x, reduced(plan), keepdims=True), None
    return divided(o, o.jnp.sum(x, reduced(plan), keepdims=True), plan, x), None


def _is_mean(plan: Plan, situation: Situation) -> bool:
    """Axes are reduced as a whole or kept, and one at least is reduced. Along the last ones 1.6 eps are the most."""
    near = (plan.is_map and plan.trailing) or cells(plan) <= MEAN
    return situation.format == "large" and bool(reduced(plan)) and near


def _few_calls(o: Ops, x: Tensor, plan: Plan) -> Reduced:
    """The same where an array may be small: by the sum that is close for any."""
    if reduced(plan):
        return divided(o, o.sum(x, reduced(plan)), plan, x), None
    y, ats = split(o, x, plan, _pieces(plan))
    wide = o.of_rank(o.rank + len(ats))
    return _joined(o, wide.drop(wide.sum(y, ats), ats), plan, x), None


def _is_few_calls(plan: Plan, situation: Situation) -> bool:
    return bool(_widths(plan)) and all(_widths(plan).values())


def _split(o: Ops, x: Tensor, plan: Plan) -> Reduced:
    """Each axis becomes (pieces, cells of a piece), the cells are summed up, and the pieces of a window two by two."""
    return _joined(o, o.jnp.sum(*split(o, x, plan, _pieces(plan))), plan, x), None


def _joined(o: Ops, total: Tensor, plan: Plan, x: Tensor) -> Tensor:
    for at, count in _pieces(plan).items():
        for _ in range(count.bit_length() - 1):
            total = o.add(o.slice(total, at, 0, None, 2), o.slice(total, at, 1, None, 2))
    return divided(o, total, plan, x)


def _widths(plan: Plan) -> dict[int, int]:
    """How long windows that lie side by side are along each axis; 0 where others stand there."""
    return {a.at: side_by_side(a) or 0 for a in plan.axes if a.form != "keep"}


def _pieces(plan: Plan) -> dict[int, int]:
    return pieces(_widths(plan), MANY)


def _is_split(plan: Plan, situation: Situation) -> bool:
    fits = _is_few_calls(plan, situation)
    most = MANY * math.prod(_pieces(plan).values()) if fits and situation.format == "large" else FEW
    return fits and cells(plan) <= most


def _first(o: Ops, x: Tensor, plan: Plan) -> Reduced:
    """The extreme. Its derivative is that of the first cell that has it, which is looked for only where one is taken.

    The cells are split into lines along the last axis. By a derivative in the open the search would be part of every
    forward pass, which then takes 4 to 20 times as long.
    """
    ats, n = [a.at for a in plan.axes], [a.n for a in plan.axes]
    sizes = [o.size(x, at) for at in range(plan.rank)]
    lines = [math.prod(n[:-1]), n[-1]]
    at, left = ats[0], plan.rank - 1 - ats[-1]
    flat = o.jnp.reshape(x, (*sizes[:at], *lines, *sizes[ats[-1] + 1 :]))
    reduce = getattr(o.jnp, plan.kind)

    def slope(cells: Tensor, found: Tensor, u: Tensor) -> Tensor:
        d, best = o.detach(cells), o.detach(found)
        line = _place(o, reduce(d, at + 1, keepdims=True), best, (at, lines[0]), left + 1)
        cell = _place(o, o.jnp.take_along_axis(d, line, at), best, (at + 1, lines[1]), left)
        if left and math.prod(n) <= SMALL:
            rows, columns = (
                o.lax.broadcasted_iota("int32", (1,) * at + (*lines, *(1,) * left), at + i) for i in (0, 1)
            )
            here = o.both(o.equal(rows, line), o.equal(columns, cell))
            return o.jnp.sum(o.where(here, u, 0), (at, at + 1), keepdims=True)
        return o.jnp.take_along_axis(o.jnp.take_along_axis(u, line, at), cell, at + 1)

    best = o.derived(lambda t: reduce(t, (at, at + 1), keepdims=True), slope, flat)
    return o.jnp.reshape(best, tuple([1 if i in ats else size for i, size in enumerate(sizes)])), None


def _place(o: Ops, d: Tensor, best: Tensor, along: tuple[int, int], left: int) -> Tensor:
    """The first place along an axis whose cell equals the best, or is NaN: then the best is NaN, and equals nothing."""
    at, n = along
    hits = o.either(o.equal(d, best), o.isnan(d))
    # How many cells come after each, in float32: a maximum of integers, or a minimum, is up to 5 times slower.
    ahead = o.subtract(float(n - 1), o.lax.broadcasted_iota("float32", (1,) * at + (n,) + (1,) * left, at))
    most = o.jnp.max(o.where(hits, ahead, -1.0), at, keepdims=True)
    return o.cast(o.subtract(float(n - 1), most), "int32")


def _is_first(plan: Plan, situation: Situation) -> bool:
    """Floats that lie side by side, few enough for float32 to count them."""
    return plan.floating and plan.is_map and plan.consecutive and cells(plan) < 2**24


def _window(o: Ops, x: Tensor, plan: Plan) -> Reduced:
    """JAX's own call. Its identity is a literal, without which it has no derivative."""
    start, reducer = {"max": (-math.inf, o.lax.max), "min": (math.inf, o.lax.min)}.get(plan.kind, (0.0, o.lax.add))
    axes = {a.at: a for a in plan.axes}
    for a in plan.axes:
        if a.form == "whole" and not at_least(a.n, 1):
            x = o.pad(x, a.at, 0, 1, start)  # a window has a cell at least, and JAX cannot tell that behind a pool
            axes[a.at] = dataclasses.replace(a, n=a.n + 1)
    dims, strides = (tuple([_side(axes.get(at), field) for at in range(plan.rank)]) for field in ("window", "stride"))
    words = {"same": "SAME", "same_lower": "SAME_LOWER"}  # where sizes are not known, padding may go by them
    padding: Any = words.get(plan.spec.padding) if isinstance(plan.spec.padding, str) and not plan.known else None
    padding = padding or tuple([around(axes.get(at)) for at in range(plan.rank)])
    padding = "VALID" if all(a.form != "taps" or a.total == 0 for a in plan.axes) else padding

    def over(t: Tensor) -> Tensor:
        return o.lax.reduce_window(t, start, reducer, dims, strides, padding)

    if plan.kind in EXTREMA:
        return over(x), None
    if not uneven(plan):
        return divided(o, over(x), plan, x), None
    one = tuple([slice(None) if at in plan.at else slice(0, 1) for at in range(plan.rank)])
    return o.divide(over(x), over(o.jnp.ones_like(x[one]))), None


def _runs(o: Ops, x: Tensor, plan: Plan) -> Reduced:
    """JAX's own windows of few cells, and of those: their gradient is such windows, too.

    Without a derivative the fold takes 0.4 to 0.6 of the time of those with a stride, and 0.5 to 0.9 for bare lines.
    """

    def add(t: Tensor, at: int, n: int, apart: int, stride: int, padding: tuple[int, int]) -> Tensor:
        widths = tuple([padding if i == at else (0, 0) for i in range(o.rank)])
        how = {} if apart == 1 else {"window_dilation": o.along(at, apart)}
        return o.lax.reduce_window(t, 0.0, o.lax.add, o.along(at, n), o.along(at, stride), widths, **how)

    def runs(t: Tensor) -> Tensor:
        return divided(o, in_runs(o, t, plan, add), plan, x)

    if all(a.form == "keep" or a.stride == 1 for a in plan.axes) and not _bare(plan):
        return runs(x), None
    return o.unless_derived(lambda t: FOLD.lower(o, t, plan)[0], runs, x), None


def _bare(plan: Plan) -> bool:
    """A line without padding, whose few cells XLA adds up in one loop where padding would be another."""
    return len(plan.axes) == 1 and plan.axes[0].total == 0 and plan.axes[0].window <= FEW


def _runs_cost(plan: Plan) -> float:
    """With a derivative the fold takes 0.3 to 0.8 of the time for fewer cells of these, 0.4 for strides at the end."""
    a = plan.axes[0]
    few = _bare(plan) and a.window <= (3 if a.stride == 1 else 9)
    return 150.0 if few or (len(plan.axes) == 1 and plan.trailing and a.stride > 1) else 50.0


def _side(a: Axis | None, field: str) -> Any:
    return 1 if a is None else a.n if a.form == "whole" else getattr(sliding(a), field)


def _is_window(plan: Plan) -> bool:
    """Windows that do not step over cells; a map as a whole is one, and bins that divide it are."""
    forms = {a.form for a in plan.axes}
    bins = all(a.known and side_by_side(a) is not None for a in plan.axes if a.form == "bins")
    return forms != {"keep"} and bins and all(a.dilation == 1 for a in plan.axes)


def _is_max_window(plan: Plan, situation: Situation) -> bool:
    """A sharded map as a whole is reduced by `first`, of which a window would first gather all."""
    return plan.floating and _is_window(plan) and not (situation.device == "mesh" and _is_first(plan, situation))


def _is_sum_window(plan: Plan, situation: Situation) -> bool:
    """Each cell of a window is added to the sum of those before it; of a map as a whole there is a better way."""
    few = all(a.form != "whole" for a in plan.axes) and _is_window(plan)
    return few and cells(plan) <= IN_A_ROW


def divides(plan: Plan) -> bool:
    """Whether XLA divides JAX's own window rightly along a sharded axis: each device asks its neighbours for the edges.

    In jaxlib 0.10.2 the gradient of a maximum is wrong where windows have half of their cells or more in common.
    """
    if plan.kind in SUMS:
        return _is_sum_window(plan, Situation())
    apart = all(a.form == "taps" and a.window < 2 * a.stride for a in plan.axes if a.form != "keep")
    return apart and plan.kind in EXTREMA and _is_max_window(plan, Situation())


ROUTES: tuple[Route, ...] = (
    Route("mean", SUMS, _mean, _is_mean, lambda plan: 1.0, reference=True),
    Route("split", SUMS, _split, _is_split, lambda plan: 2.0),
    Route("runs", SUMS, _runs, lambda plan, situation: slides(plan) and situation.device != "mesh", _runs_cost),
    Route("first", EXTREMA, _first, _is_first, lambda plan: 3.0),
    Route("max_window", EXTREMA, _window, _is_max_window, lambda plan: NEVER, needs_sizes=False, reference=True),
    Route("sum_window", SUMS, _window, _is_sum_window, lambda plan: NEVER, needs_sizes=False, reference=True),
    Route("few_calls", SUMS, _few_calls, _is_few_calls, lambda plan: NEVER + 1, reference=True),
    convolution(lambda plan, situation: True),
)
