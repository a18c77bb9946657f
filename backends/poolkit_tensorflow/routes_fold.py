"""The fold itself, compiled by XLA: windows that slide cell by cell, and bins, which TensorFlow has no calls for.

Without XLA each of its calls is a pass over memory, and the gradient of each slice fills a whole tensor.
"""

from __future__ import annotations

from typing import Any

from poolkit.lowering.backend import EXTREMA, SUMS, Reduced, Route, Situation, Tensor
from poolkit.lowering.lower import FOLD
from poolkit.lowering.plan import Plan
from poolkit_tensorflow import routes_facts as facts


def _fits(plan: Plan, situation: Situation) -> bool:
    """With strides above 1 a slice leaves gaps, and where XLA compiles all the rest the fold is compiled as well."""
    gapless = all(a.form in ("bins", "keep", "whole") or a.stride == 1 for a in plan.axes)
    some = any(a.form in ("bins", "taps") for a in plan.axes)
    return plan.dtype in ("float32", "float64") and gapless and some and facts.without_xla(plan, situation)


def _in_graph(plan: Plan, situation: Situation) -> bool:
    return situation.tracing and facts.never_empty(plan, situation) and _fits(plan, situation)


def _eager(plan: Plan, situation: Situation) -> bool:
    """Compiled anew for every shape, in 0.1 to 1 second, which smaller maps are not worth."""
    return not situation.tracing and facts.larger(situation, MANY) and _fits(plan, situation)


def _within(o: Any, x: Tensor, plan: Plan) -> Reduced:
    o = facts.for_xla(o)
    o.pairwise_sums = True  # in float32: what a graph is converted to may have no float64
    return o.tf.function(lambda: FOLD.lower(o, x, plan)[0], jit_compile=True, autograph=False)(), None


def _compiled(o: Any, x: Tensor, plan: Plan) -> Reduced:
    return FOLD.lower(facts.for_xla(o), x, plan)


COMPILED = "@tf.function(jit_compile=True, autograph=False)"
MANY = 2**16  # numbers, of which the calls of a fold take 5 ms and more


def _in_graph_cost(plan: Plan) -> float:
    """Maxima with stride 1: from 9x9 cells on faster than TensorFlow's own pool, which looks at each cell."""
    return 2.6 if plan.kind in EXTREMA and all(a.form in ("taps", "keep") for a in plan.axes) else 20.0


ROUTES = (
    Route("fold_in_graph", SUMS + EXTREMA, _within, _in_graph, _in_graph_cost),
    Route("fold_compiled", SUMS + EXTREMA, _compiled, _eager, lambda plan: 20.0, decorator=COMPILED),
)
