"""Maxima and minima of whole maps, whose gradient goes to the first cell that has the best value."""

from __future__ import annotations

from typing import Any

from poolkit.lowering.backend import EXTREMA, Reduced, Route, Situation, Tensor, derived, eager, every, traced
from poolkit.lowering.plan import Plan
from poolkit.lowering.routes.stages import part_near
from poolkit.lowering.routes.windows import cells, channels_first, channels_last
from poolkit_tensorflow import routes_facts as facts
from poolkit_tensorflow.routes_facts import constant, kept_sizes


def _whole(plan: Plan, situation: Situation) -> bool:
    near = channels_last(plan) or channels_first(plan)
    return near and plan.is_map and plan.dtype in ("float32", "float64")


def _reduce(o: Any, x: Tensor, plan: Plan) -> Reduced:
    """One axis after the other where channels lie behind: twice as fast. Its gradient would be split among ties."""
    if plan.trailing:
        return _extreme(o, x, plan, plan.at), None
    for at in reversed(plan.at):
        x = _extreme(o, x, plan, at)
    return x, None


def _extreme(o: Any, x: Tensor, plan: Plan, at: int | tuple[int, ...]) -> Tensor:
    """Eager and in a graph it keeps NaN; compiled by XLA it does not."""
    reduce = o.tf.raw_ops.Max if plan.kind == "max" else o.tf.raw_ops.Min
    # A constant that a program makes once is none within a tf.cond, where it hides the shape from LiteRT's converter.
    return reduce(input=x, axis=at if isinstance(at, int) else o.tf.constant(at), keep_dims=True)


def first(o: Any, x: Tensor, plan: Plan) -> Reduced:
    """The extreme of each line along the last axis, the first line that has the best of them, and its first such cell.

    A line has about 400 cells where all lie side by side. The map is read once, and its gradient written once. All but
    the reductions is compiled: a few loops, which take 0.8 of the speed of reductions that split a gradient among ties.
    """
    n = cells(plan)
    row = n if n <= 64 else part_near(n, 400) if plan.trailing else plan.axes[-1].n
    lines = n // row
    sizes = kept_sizes(o, x)
    inner = 1 if plan.trailing else sizes[-1]
    maps = o.tf.reshape(o.tf.stop_gradient(x), constant(o, [-1, lines, row, inner]))
    ends = o.tf.squeeze(_extreme(o, maps, plan, 2), [2])
    best = _extreme(o, ends, plan, 1)

    def picked() -> Tensor:
        start = _numbers(o, o.size(ends, 0), 0) * (n * inner) + _numbers(o, inner, 2)
        line, among = start, o.tf.reshape(maps, [-1, row, inner])
        if lines > 1:
            line = start + _before(o, ends, best, lines) * (row * inner)
            among = o.tf.gather(o.tf.reshape(maps, [-1]), line + _numbers(o, row, 1) * inner)
        cell = o.tf.gather(o.tf.reshape(x, [-1]), line + _before(o, among, best, row) * inner)
        if any(x.shape[at] is None for at in range(o.rank)):
            return cell  # LiteRT stitches known sizes alone; of channels-first maps this takes 1.6 times as long
        # Of what is put at one place the last counts, and each has the gradient. Where none is taken XLA seeks no cell.
        return o.tf.raw_ops.DynamicStitch(indices=[[0], [0]], data=[cell[None], best[None]])

    y = o.tf.function(picked, jit_compile=True, autograph=False)()
    return o.tf.reshape(y, constant(o, [1 if at in plan.at else n for at, n in enumerate(sizes)])), None


def _numbers(o: Any, n: Any, at: int) -> Tensor:
    """0, 1, … along one of three axes; of the whole tensor there may be more than int32 counts."""
    shape = [1, 1, 1]
    shape[at] = -1
    return o.tf.reshape(o.tf.range(o.tf.cast(n, "int64")), shape)


def _before(o: Any, t: Tensor, best: Tensor, n: int) -> Tensor:
    """How many cells stand before the first that equals the best, or is NaN: then the best is, and equals nothing."""
    ahead = o.tf.reshape(o.tf.range(n - 1, -1, -1, dtype="float32"), [1, n, 1])
    hits = o.tf.logical_or(o.tf.equal(t, best), o.tf.math.is_nan(t))
    most = o.tf.reduce_max(o.tf.where(hits, ahead, -1.0), 1, keepdims=True)
    return o.tf.cast(float(n - 1) - most, "int64")


_in_graph = every(traced, facts.without_xla, facts.never_empty, _whole)
_taped = every(eager, derived, facts.without_xla, _whole)

ROUTES = (
    Route("reduce", EXTREMA, _reduce, every(eager, _whole), lambda plan: 0.9, differentiable=False, needs_sizes=False),
    Route("first", EXTREMA, first, _in_graph, lambda plan: 1.5),
    Route("first_taped", EXTREMA, first, _taped, lambda plan: 1.5, decorator=facts.TAPED),
)
