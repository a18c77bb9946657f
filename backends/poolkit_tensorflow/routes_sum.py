"""Averages and sums, faster.

Errors are in eps of the average, the worst of constant and random arrays; docs/semantics.md (6) allows 4. The number
of cells added in a row decides which route may be taken (`poolkit.lowering.routes.stages`).
"""

from __future__ import annotations

import itertools
import math
from typing import Any

from poolkit.lowering.backend import SUMS, Reduced, Route, Situation, Tensor, every
from poolkit.lowering.lower import FOLD
from poolkit.lowering.plan import Plan
from poolkit.lowering.routes.around_zeros import around_zeros, averaged
from poolkit.lowering.routes.sliding import cost_in_pools, in_pools, slides_in_pools
from poolkit.lowering.routes.stages import fits, in_turn, part, stages
from poolkit.lowering.routes.windows import (
    IN_A_ROW,
    cells,
    channels_last,
    dense,
    pools_axes,
    reduced,
    sliding,
    valid_or_same,
)
from poolkit_tensorflow import routes_facts as facts
from poolkit_tensorflow import routes_fold
from poolkit_tensorflow.routes_facts import constant, kept_sizes

STAGES = "sums of at most 12 cells, and of those: TensorFlow adds up cells in a row, and of n is up to n/4 eps off"
FEW = 64  # reduce_mean of 8x8: 2.3 eps, eager and compiled; of 14x14: 6.5
POOLED = 25  # avg_pool of 5x5: 3.4 eps; of 6x6: 5, which is allowed, but sums in stages have the faster gradient
FEWER = 16  # one of 4x4, multiplied and divided again: at most 1 eps more
MANY = 2**19  # numbers from which a trace pays for itself under a tape
LARGE = 2**22  # 16 MiB of float32, which no cache holds
ROW = 256  # contiguous cells in an eager call, which adds them as a tree: 1.3 eps
WHOLE = range(48, ROW + 1, 8)  # cells of a row that a sum reads as fast as memory; of 60 a fifth is read one by one


def _reduce_when(plan: Plan, situation: Situation) -> bool:
    return plan.is_map and cells(plan) <= FEW and plan.spec.divisor_override is None


def _reduce(o: Any, x: Tensor, plan: Plan) -> Reduced:
    reduce = o.tf.raw_ops.Mean if plan.kind == "avg" else o.tf.raw_ops.Sum
    return reduce(input=x, axis=o.tf.constant(plan.at), keep_dims=True), None


def _stages_when(plan: Plan, situation: Situation) -> bool:
    return plan.spec.divisor_override is None and cells(plan) > 1 and fits(plan)


def _stages(o: Any, x: Tensor, plan: Plan, pairwise_sums: bool = True) -> Reduced:
    """Sums of at most 12 cells, of those sums, and so on.

    The first pooled axis goes first, in the longest strides: 10 rows of 60x512 are added 2.4 times as fast as an
    average pool adds them, and 2 times as fast as 10 columns. Each stage adds in pairs, and is exact, as XLA merges
    nested sums: a constant 112x112 is then 380 eps off.
    """
    made, left = stages(plan, kept_sizes(o, x))
    for i, (n, inner) in enumerate(made):
        # Three axes, since the gradient of a sum along one of eight runs 50 times slower.
        x = o.tf.reshape(o.tf.multiply(x, 0.5) if i and pairwise_sums else x, constant(o, [-1, n, inner]))
        x = o.tf.raw_ops.Sum(input=x, axis=o.tf.constant(1))
    scale = 2.0 ** (len(made) - 1) if pairwise_sums else 1.0
    return _over(o, o.tf.reshape(x, constant(o, left)), (cells(plan) if plan.kind == "avg" else 1) / scale), None


def _without_pairs(o: Any, x: Tensor, plan: Plan) -> Reduced:
    return _stages(o, x, plan, pairwise_sums=False)


def _taped_when(plan: Plan, situation: Situation) -> bool:
    """A function has to be traced once for every shape, which smaller maps are not worth."""
    return facts.larger(situation, MANY) and situation.derivative


def _over(o: Any, x: Tensor, n: float) -> Tensor:
    """A quotient; eager, the operator takes 32 us, and this 9."""
    return x if n == 1 else o.tf.raw_ops.RealDiv(x=x, y=n)


def _rows_when(plan: Plan, situation: Situation) -> bool:
    """Not for XLA, which adds up a row cell by cell, and is 16 eps off for 128 of them."""
    trailing = plan.is_map and plan.trailing and plan.spec.divisor_override is None
    return facts.without_xla(plan, situation) and trailing and cells(plan) // part(cells(plan), ROW) <= ROW


def _rows(o: Any, x: Tensor, plan: Plan) -> Reduced:
    """Sums along contiguous memory, which TensorFlow adds up as a tree, and then of those.

    Two axes whose lines are such rows stay as they are (3.4 eps at 250x250): a reshape takes 20 of 110 eager us. Others
    become as many axes as are pooled, two at least, so that the result has its rank without another one.
    """
    flat, k = cells(plan), len(plan.axes)
    ats: list[Any] = [plan.at] if flat <= ROW else [plan.at[0] + max(k, 2) - 1 - i for i in range(2)]
    apart = flat > ROW and not (k == 2 and plan.axes[0].n <= ROW and plan.axes[1].n in WHOLE)
    if apart:
        row = part(flat, ROW)
        x = facts.divided(o, x, plan.at[0], plan.at[-1], [*[1] * (k - 2), flat // row, row])
    for i, at in enumerate(ats):
        x = o.tf.raw_ops.Sum(input=x, axis=o.tf.constant(at), keep_dims=not apart or k > 1 or i > 0)
    return _over(o, x, float(flat if plan.kind == "avg" else 1)), None


def _pairs_when(plan: Plan, situation: Situation) -> bool:
    """In graphs, which may be converted: LiteRT has no float64, in which the fold sums up what falls into no stages."""
    some = plan.known and bool(reduced(plan)) and cells(plan) > 1
    return (situation.tracing or situation.shipped) and some


def _pairs(o: Any, x: Tensor, plan: Plan) -> Reduced:
    o.pairwise_sums = True
    return FOLD.lower(o, x, plan)


def _pool_when(plan: Plan, situation: Situation) -> bool:
    most = IN_A_ROW if _touching(plan, situation) else POOLED
    if not (_differentiable(plan, situation) and dense(plan) and cells(plan) <= most) or _slow(plan, situation):
        return False
    padding, spec = valid_or_same(plan), plan.spec
    by_count = spec.divisor_override is None and not (spec.count_include_pad and padding != "VALID")  # of real cells
    return padding is not None and by_count and (plan.kind == "avg" or padding == "VALID")


def _touching(plan: Plan, situation: Situation) -> bool:
    """Eager calls without a tape over windows side by side that TensorFlow pools as they are: one call, 20 us."""
    beside = all(sliding(a).stride >= sliding(a).window for a in plan.axes)
    return beside and channels_last(plan) and not (situation.tracing or situation.derivative)


def _slow(plan: Plan, situation: Situation) -> bool:
    """Sums read eager maps that no cache holds 1.5 to 1.9 times as fast as average pools do."""
    return facts.larger(situation, LARGE) and not situation.derivative and _stages_when(plan, situation)


def _pool(o: Any, x: Tensor, plan: Plan) -> Reduced:
    return _times(plan, facts.call(o, "AvgPool", x, plan, valid_or_same(plan) or "VALID", facts.once(plan)))


def _times(plan: Plan, average: Tensor) -> Reduced:
    """An average that is asked for, or the sum that it was made of."""
    return (average if plan.kind == "avg" else average * float(cells(plan))), None


def _padded_when(plan: Plan, situation: Situation) -> bool:
    return valid_or_same(plan) is None and around_zeros(plan, FEWER) and _differentiable(plan, situation)


def _differentiable(plan: Plan, situation: Situation) -> bool:
    """The gradient of TensorFlow's average pool raises where channels turn out to be 0."""
    return pools_axes(plan) and facts.never_empty(plan, situation)


def _padded(o: Any, x: Tensor, plan: Plan) -> Reduced:
    return averaged(o, x, plan, lambda t: facts.call(o, "AvgPool", t, plan, "VALID", facts.once(plan)))


def _pools_when(plan: Plan, situation: Situation) -> bool:
    """Eager alone, where fewer calls win (20 us each); in a graph the gradient of `stages` takes half the time."""
    small = not (situation.tracing or _slow(plan, situation)) and channels_last(plan) and len(plan.axes) < 3
    return small and cells(plan) > POOLED and in_turn(plan) is not None


def _pools(o: Any, x: Tensor, plan: Plan) -> Reduced:
    """Averages of at most 10 cells, of those averages, and so on: for channels last the fewest calls."""
    return _times(plan, facts.call(o, "AvgPool", x, plan, "VALID", [(side, side) for side in in_turn(plan) or []]))


def _wide_when(plan: Plan, situation: Situation) -> bool:
    """Not where windows are two pools, nor in what may be traced and converted to what has no float64."""
    here = plan.dtype == "float32" and facts.larger(situation, 0)
    return here and _pools_when(plan, situation) and len(in_turn(plan) or []) > 2


def _wide(o: Any, x: Tensor, plan: Plan) -> Reduced:
    """Averages of at most 25 cells, and of those in float64: 3.2 eps. A dtype that is told by its name takes 40 us."""
    lengths = [a.longest for a in plan.axes]
    sides = itertools.product(*[[d for d in range(1, POOLED + 1) if n % d == 0] for n in lengths])
    side = [*max([side for side in sides if math.prod(side) <= POOLED], key=math.prod)]
    rest = [n // d for n, d in zip(lengths, side, strict=True)]
    few = o.tf.raw_ops.Cast(x=facts.call(o, "AvgPool", x, plan, "VALID", [(side, side)]), DstT=o.tf.float64)
    pooled = facts.call(o, "AvgPool", few, plan, "VALID", [(rest, rest)])
    return _times(plan, o.tf.raw_ops.Cast(x=pooled, DstT=o.tf.float32))


def _slides(plan: Plan, situation: Situation) -> bool:
    return slides_in_pools(plan, POOLED) and facts.without_xla(plan, situation) and facts.never_empty(plan, situation)


def _sliding_when(plan: Plan, situation: Situation) -> bool:
    """Eagerly of small maps alone: of others the compiled fold takes 0.3 to 0.7 of the time, on a tape a trace wins."""
    return not facts.larger(situation, routes_fold.MANY) and _slides(plan, situation)


def _sliding_taped_when(plan: Plan, situation: Situation) -> bool:
    """Of fewer numbers channels first the compiled fold takes 0.8 of the time."""
    least = routes_fold.MANY if channels_last(plan) else MANY
    return situation.derivative and facts.larger(situation, least) and _slides(plan, situation)


def _sliding(o: Any, x: Tensor, plan: Plan) -> Reduced:
    def pool(maps: Tensor, k: int) -> Tensor:
        return o.tf.raw_ops.AvgPool(value=maps, ksize=[1, k, 1, 1], strides=[1, 1, 1, 1], padding="VALID")

    return in_pools(o, x, plan, pool, kept_sizes, constant)


def _native_cost(plan: Plan) -> float:
    """Channels first it costs two transpositions."""
    return 1.0 if channels_last(plan) else 1.5


ROUTES = (
    Route("reduce_mean", SUMS, _reduce, _reduce_when, lambda plan: 0.9, reference=True),
    Route("rows_taped", SUMS, _rows, every(_taped_when, _rows_when), lambda p: 0.915, decorator=facts.TAPED),
    Route(
        "stages_taped", SUMS, _without_pairs, every(_taped_when, _stages_when), lambda plan: 0.95, decorator=facts.TAPED
    ),
    Route("avg_pool", SUMS, _pool, _pool_when, _native_cost, needs_sizes=False, reference=True),
    Route("avg_pool_padded", SUMS, _padded, _padded_when, _native_cost, needs_sizes=False),
    Route("avg_pools", SUMS, _pools, _pools_when, _native_cost),
    Route("avg_pools_sliding", SUMS, _sliding, _sliding_when, lambda p: cost_in_pools(p, 20.0)),
    Route(
        "sliding_taped",
        SUMS,
        _sliding,
        _sliding_taped_when,
        lambda p: cost_in_pools(p, 19.0) - 0.1,
        decorator=facts.TAPED,
    ),
    Route("avg_pools_wide", SUMS, _wide, _wide_when, lambda plan: 0.97),
    Route("rows", SUMS, _rows, _rows_when, lambda plan: 0.92),
    Route("stages_unhalved", SUMS, _without_pairs, every(facts.without_xla, _stages_when), lambda plan: 1.9),
    Route("stages", SUMS, _stages, _stages_when, lambda plan: 2.0, note=STAGES),
    Route("pairs", SUMS, _pairs, _pairs_when, lambda plan: 50.0),
)
