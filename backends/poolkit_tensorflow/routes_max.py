"""Maxima and minima, faster; ties, NaN and -inf are those of docs/semantics.md (3 to 5)."""

from __future__ import annotations

import math
from typing import Any

from poolkit.lowering.backend import EXTREMA, Reduced, Route, Situation, Tensor, derived, every
from poolkit.lowering.fold import fold, tree
from poolkit.lowering.geometry import Axis
from poolkit.lowering.kinds import FOLDS
from poolkit.lowering.kinds.kind import Kind
from poolkit.lowering.lower import FOLD
from poolkit.lowering.plan import Plan
from poolkit.lowering.routes.marked import by_marks
from poolkit.lowering.routes.windows import cells, channels_last, dense, pad_widths, pools_axes, sliding, valid_or_same
from poolkit.programs.recorder import choose
from poolkit_tensorflow import routes_facts as facts
from poolkit_tensorflow import routes_fold
from poolkit_tensorflow.routes_facts import Padding, in_xla
from poolkit_tensorflow.routes_max_global import first

LARGE = 2**20  # numbers, of which a pass takes longer than to call XLA
DROPS = "TensorFlow drops NaN in a maximum: of a map that is not finite the cells themselves are compared"


def _pool_when(plan: Plan, situation: Situation) -> bool:
    kept = pools_axes(plan) and dense(plan) and plan.dtype in ("float32", "float64")
    return kept and (valid_or_same(plan) is not None or pad_widths(plan) is not None)


def _pool(o: Any, x: Tensor, plan: Plan, op: str = "MaxPool") -> Tensor:
    """The maxima of a finite map."""
    named = valid_or_same(plan)
    if named is not None:
        return _max(o, x, plan, named, op)
    # Not MaxPool's own EXPLICIT, which has no second gradient; nor tf.pad, whose Python adds 60 us to an eager call.
    # No cell ties with the lowest number, for a map that holds it is not finite to the guard: its square is infinite.
    beyond = x.dtype.max if plan.kind == "min" else x.dtype.min
    around = o.tf.raw_ops.PadV2(input=x, paddings=o.tf.constant(pad_widths(plan)), constant_values=beyond)
    return _max(o, around, plan, "VALID", op)


def _max(o: Any, x: Tensor, plan: Plan, padded: Padding, op: str = "MaxPool") -> Tensor:
    pooled = facts.call(o, op, -x if plan.kind == "min" else x, plan, padded, facts.once(plan))
    return -pooled if plan.kind == "min" else pooled


def _eager_when(plan: Plan, situation: Situation) -> bool:
    """Not of programs that are printed, which may be traced."""
    tied = situation.derivative and len(plan.axes) == 3  # its own gradient goes to every one of several equal cells
    return not (situation.tracing or situation.shipped or tied) and _pool_when(plan, situation)


def _eager(o: Any, x: Tensor, plan: Plan) -> Reduced:
    return _guarded(o, x, plan, _pool(o, x, plan))


def _guarded(o: Any, x: Tensor, plan: Plan, values: Tensor) -> Reduced:
    """MaxPool drops NaN and gives the lowest number for a window of -inf; a sum of squares tells of either."""
    finite = o.tf.raw_ops.L2Loss(t=x).numpy() < math.inf
    return choose(finite, values, lambda: FOLD.lower(o, x, plan)[0]), None


def _explicit_when(plan: Plan, situation: Situation) -> bool:
    return _eager_when(plan, situation) and valid_or_same(plan) is None and len(plan.axes) < 3


def _explicit(o: Any, x: Tensor, plan: Plan) -> Reduced:
    """With padding that is neither VALID nor SAME, by MaxPool itself: a copy of the map takes as long as the pool."""
    widths = pad_widths(plan)
    assert widths is not None
    return _guarded(o, x, plan, _max(o, x, plan, [n for a in plan.axes for n in widths[a.at]]))


def _branched_when(plan: Plan, situation: Situation) -> bool:
    """Not for XLA: its second gradient of MaxPool takes the wrong one of close numbers, and of float64 it has none."""
    mapped = isinstance(situation.format, facts.Traced) and situation.format.loop  # which has no gradient of branches
    quick = channels_last(plan) and len(plan.axes) < 3 and plan.dtype == "float32"  # oneDNN's gradient of a whole map
    fits = quick and facts.never_empty(plan, situation) if plan.is_map else _pool_when(plan, situation)
    return situation.tracing and fits and not (mapped or in_xla(situation))


def _branched(o: Any, x: Tensor, plan: Plan) -> Reduced:
    """The pool and, where the map is not finite, the fold, or of a whole map the first cell.

    One of the two is given the map and the other one a detached copy, which costs nothing, so that no gradient of zeros
    is added to that of the other: it takes 0.1 to 0.2 of the time of both. The pool itself is in no branch, where
    oneDNN would not give its gradient the positions that it has found (a fifth of the speed).
    """
    finite = o.tf.math.is_finite(o.tf.raw_ops.L2Loss(t=x))
    detached = o.tf.stop_gradient(x)
    given = o.tf.cond(finite, lambda: (x, detached), lambda: (detached, x))
    values, rest = _pool(o, given[0], plan, facts.TIED if len(plan.axes) == 3 else "MaxPool"), given[1]
    otherwise = first if plan.is_map else FOLD.lower
    return o.tf.cond(finite, lambda: values, lambda: otherwise(o, rest, plan)[0]), None


def _pool_cost(plan: Plan) -> float:
    """It reads each cell of a window: one of 13x13 takes 1.3 times as long as XLA's windows of windows."""
    return (2.0 if channels_last(plan) else 5.0) + cells(plan) / 8


def _recorded_cost(plan: Plan) -> float:
    """Its eager gradient looks for each maximum again: with 3x3 cells 3 times, with 13x13 7 times as long as XLA's."""
    return _pool_cost(plan) + (20.0 if all(a.form == "keep" or sliding(a).stride == 1 for a in plan.axes) else 0.0)


def _in_graph_cost(plan: Plan) -> float:
    """Of channels-first maps those that do not overlap, or whose padding is written out, are faster compiled.

    So are lines. Over channels-last maps oneDNN's gradient takes half the time. The maxima of whole ones take 0.6 to
    0.9 of the time of `first`, which starts XLA in 70 us, and with a gradient 0.7 to 0.95; minima copy the map twice.
    """
    if plan.is_map:
        return 1.4 if plan.kind == "max" else 1.6
    apart = all(sliding(a).window <= sliding(a).stride for a in plan.axes)
    turned = (apart or valid_or_same(plan) is None) and not channels_last(plan)
    return 4.0 if turned or len(plan.axes) == 1 else 2.0 + cells(plan) / 150


def _marked_when(plan: Plan, situation: Situation) -> bool:
    return facts.never_empty(plan, situation) and not in_xla(situation)


def _compiled_when(plan: Plan, situation: Situation) -> bool:
    return situation.tracing and dense(plan)


def _taped_when(plan: Plan, situation: Situation) -> bool:
    """Eager gradients of windows with a stride: TensorFlow's own takes 3 to 30 times as long.

    And large maps that windows divide, since a look for NaN reads them again: 6 MB take as long, 25 MB 0.3 to 0.8.
    """
    if not dense(plan) or plan.dtype not in ("float32", "float64"):
        return False
    if situation.derivative:
        return facts.larger(situation, routes_fold.MANY) and any(a.stride > 1 for a in plan.axes)
    divide = all(sliding(a).window == sliding(a).stride for a in plan.axes)
    return facts.larger(situation, LARGE) and divide


def _compiled(o: Any, x: Tensor, plan: Plan) -> Reduced:
    """Windows one axis after the other, by selections that XLA makes into a few loops: its maximum drops NaN."""
    o = facts.for_xla(o)
    kind = FOLDS[plan.kind](o, plan)

    def selections() -> Tensor:
        y = x
        for a in reversed(plan.axes):
            y = y if a.form == "keep" else _along(o, y, sliding(a), kind)
        return y

    # Not the whole program: another part of a mix may not be for XLA.
    return o.tf.function(selections, jit_compile=True, autograph=False)(), None


def _along(o: Any, x: Tensor, a: Axis, kind: Kind) -> Tensor:
    if a.stride == 1:
        return fold(o, kind, (x,), (a,))[0]
    pieces = -(-(a.n + a.total) // a.stride)
    # Every stride-th cell, from each start: strided slices run 40 to 70 times slower than a reshape and unstack.
    after = pieces * a.stride - a.low - a.n
    x = o.edged(x if after >= 0 else o.slice(x, a.at, 0, a.n + after, 1), a.at, a.low, max(after, 0))
    apart = facts.divided(o, x, a.at, a.at, [pieces, a.stride])
    phases = o.tf.unstack(apart, a.stride, a.at + 1)
    taps = []
    for i in range(a.window):
        start = i // a.stride
        phase = phases[i % a.stride]
        taps.append((phase if a.out == pieces else o.slice(phase, a.at, start, start + a.out, 1),))
    return tree(taps, kind.combine)[0]


ROUTES = (
    by_marks(lambda o, t, last, *how: o.tf.nn.max_pool(t, *how), _marked_when, turns=True),
    Route("max_pool_branched", EXTREMA, _branched, _branched_when, _in_graph_cost, note=DROPS, reference=True),
    Route("max_pool", EXTREMA, _eager, _eager_when, _pool_cost, differentiable=False, reference=True),
    Route("max_pool", EXTREMA, _eager, every(derived, _eager_when), _recorded_cost, reference=True),
    Route("max_pool_explicit", EXTREMA, _explicit, _explicit_when, lambda plan: 1.0, differentiable=False),
    Route("compiled", EXTREMA, _compiled, _compiled_when, lambda plan: 3.0, takes_half_precision=True),
    Route("compiled_taped", EXTREMA, _compiled, _taped_when, lambda plan: 2.0, decorator=facts.TAPED),
)
