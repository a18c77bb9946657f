"""Averages and sums, faster.

Errors are in eps of the average, the worst of constant and random arrays; docs/semantics.md (6) allows 4. The number
of cells added in a row decides which route may be taken (`poolkit.lowering.routes.stages`).
"""

from __future__ import annotations

from typing import Any

from poolkit.lowering.backend import SUMS, Reduced, Route, Situation, Tensor, eager, every
from poolkit.lowering.count import divisor
from poolkit.lowering.lower import FOLD
from poolkit.lowering.plan import Plan
from poolkit.lowering.routes.stages import fits, part, sides, stages
from poolkit.lowering.routes.windows import (
    IN_A_ROW,
    cells,
    channels_last,
    dense,
    even,
    pad_widths,
    reduced,
    sliding,
    valid_or_same,
)
from poolkit_tensorflow import routes_facts as facts
from poolkit_tensorflow.routes_facts import constant, kept_sizes

STAGES = "sums of at most 12 cells, and of those: TensorFlow adds up cells in a row, and of n is up to n/4 eps off"
FEW = 64  # reduce_mean of 8x8: 2.3 eps, eager and compiled; of 14x14: 6.5
POOLED = 25  # avg_pool of 5x5: 3.4 eps; of 6x6: 5, which is allowed, but sums in stages have the faster gradient
FEWER = 16  # one of 4x4, multiplied and divided again: at most 1 eps more
SIDES = 10  # cells of the windows of `avg_pools`: 1.9 eps
MANY = 2**20  # numbers from which a trace pays for itself under a tape
LARGE = 2**22  # 16 MiB of float32, which no cache holds
ROW = 256  # contiguous cells in an eager call, which adds them as a tree: 1.3 eps


# ------------------------------------------------------------------------------------------------------------ one call


def _reduce_when(plan: Plan, situation: Situation) -> bool:
    return plan.is_map and cells(plan) <= FEW and plan.spec.divisor_override is None


def _reduce(o: Any, x: Tensor, plan: Plan) -> Reduced:
    reduce = o.tf.raw_ops.Mean if plan.kind == "avg" else o.tf.raw_ops.Sum
    return reduce(input=x, axis=o.tf.constant(plan.at), keep_dims=True), None


# -------------------------------------------------------------------------------------------------------------- stages


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
    return facts.larger(situation, MANY) and situation.derivative and _stages_when(plan, situation)


def _over(o: Any, x: Tensor, n: float) -> Tensor:
    """A quotient; eager, the operator takes 32 us, and this 9."""
    return o.tf.raw_ops.RealDiv(x=x, y=n)


# ---------------------------------------------------------------------------------------------------------------- rows


def _rows_when(plan: Plan, situation: Situation) -> bool:
    """Not for XLA, which adds up a row cell by cell, and is 16 eps off for 128 of them."""
    trailing = plan.is_map and plan.trailing and plan.spec.divisor_override is None
    return facts.without_xla(plan, situation) and trailing and cells(plan) // part(cells(plan), ROW) <= ROW


def _rows(o: Any, x: Tensor, plan: Plan) -> Reduced:
    """Sums along contiguous memory, which TensorFlow adds up as a tree, and then of those."""
    return _over(o, _along_rows(o, o.tf.raw_ops.Sum, x, plan), float(cells(plan) if plan.kind == "avg" else 1)), None


def _means(o: Any, x: Tensor, plan: Plan) -> Reduced:
    """Right with a derivative too, but slower: that of a mean divides each cell of the map, that of `rows` the sum."""
    return _along_rows(o, o.tf.raw_ops.Mean, x, plan), None


def _along_rows(o: Any, reduce: Any, x: Tensor, plan: Plan) -> Tensor:
    """As many axes as are pooled, two at least, so that the result has its rank without a reshape."""
    flat, k = cells(plan), len(plan.axes)
    row = part(flat, ROW)
    x = facts.divided(o, x, plan.at[0], plan.at[-1], [*[1] * (k - 2), flat // row, row])
    last = plan.at[0] + max(k, 2) - 1
    x = reduce(input=x, axis=o.tf.constant(last), keep_dims=k > 1)
    return reduce(input=x, axis=o.tf.constant(last - 1), keep_dims=True)


def _pairs_when(plan: Plan, situation: Situation) -> bool:
    """In graphs, which may be converted: LiteRT has no float64, in which the fold sums up what falls into no stages."""
    some = plan.known and bool(reduced(plan)) and cells(plan) > 1
    return (situation.tracing or situation.shipped) and some


def _pairs(o: Any, x: Tensor, plan: Plan) -> Reduced:
    o.pairwise_sums = True
    return FOLD.lower(o, x, plan)


# -------------------------------------------------------------------------------------------------------------- native


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
    around = valid_or_same(plan) is None and pad_widths(plan) is not None
    few = dense(plan) and cells(plan) <= FEWER and plan.spec.divisor_override is None
    return around and few and _differentiable(plan, situation)


def _differentiable(plan: Plan, situation: Situation) -> bool:
    """The gradient of TensorFlow's average pool raises where channels turn out to be 0."""
    return facts.native(plan) and facts.never_empty(plan, situation)


def _padded(o: Any, x: Tensor, plan: Plan) -> Reduced:
    """Averages of a map with zeros around it, from which the sums follow, and the averages of the cells that count."""
    around = o.tf.raw_ops.Pad(input=x, paddings=o.tf.constant(pad_widths(plan)))
    y = facts.call(o, "AvgPool", around, plan, "VALID", facts.once(plan))
    count = divisor(o, plan, x) if plan.kind == "avg" else 1
    if isinstance(count, int | float):
        return (y if count == cells(plan) else o.multiply(y, cells(plan) / count)), None
    return o.divide(o.multiply(y, float(cells(plan))), count), None


def _pools_when(plan: Plan, situation: Situation) -> bool:
    """Eager alone, where fewer calls win (20 us each); in a graph the gradient of `stages` takes half the time."""
    return (
        not (situation.tracing or _slow(plan, situation))
        and facts.native(plan)
        and channels_last(plan)
        and len(plan.axes) < 3
        and plan.spec.divisor_override is None
        and cells(plan) > POOLED
        and all(even(a) for a in plan.axes)
        and sides([a.longest for a in plan.axes], SIDES) is not None
    )


def _pools(o: Any, x: Tensor, plan: Plan) -> Reduced:
    """Averages of at most 10 cells, of those averages, and so on: for channels last the fewest calls."""
    steps = [(side, side) for side in sides([a.longest for a in plan.axes], SIDES) or []]
    return _times(plan, facts.call(o, "AvgPool", x, plan, "VALID", steps))


def _native_cost(plan: Plan) -> float:
    """Channels first it costs two transpositions."""
    return 1.0 if channels_last(plan) else 1.5


ROUTES = (
    Route("reduce_mean", SUMS, _reduce, _reduce_when, lambda plan: 0.9, reference=True),
    Route("stages_taped", SUMS, _without_pairs, _taped_when, lambda plan: 0.95, decorator=facts.TAPED),
    Route("avg_pool", SUMS, _pool, _pool_when, _native_cost, reference=True),
    Route("avg_pool_padded", SUMS, _padded, _padded_when, _native_cost),
    Route("avg_pools", SUMS, _pools, _pools_when, _native_cost),
    Route("means", ("avg",), _means, every(eager, _rows_when), lambda plan: 0.91, differentiable=False),
    Route("rows", SUMS, _rows, _rows_when, lambda plan: 0.92),
    Route("stages_unhalved", SUMS, _without_pairs, every(facts.without_xla, _stages_when), lambda plan: 1.9),
    Route("stages", SUMS, _stages, _stages_when, lambda plan: 2.0, note=STAGES),
    Route("pairs", SUMS, _pairs, _pairs_when, lambda plan: 50.0),
)
