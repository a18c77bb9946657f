"""What the tests of TensorFlow's routes share: in which modes there is a route, inputs, a second gradient."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

import poolkit as pk
from poolkit.lowering.backend import Situation
from poolkit.lowering.lower import routes_of
from poolkit.lowering.plan import plan_of
from poolkit.running.routes import routes_for
from poolkit_tensorflow import ADAPTER

MAP, FIRST = (2, 8, 12, 3), (2, 3, 8, 12)

# Where a route is offered, if not everywhere: eager calls, those that a tape records, functions that are traced.
ALL = {"eager", "tape", "graph"}
MODES = {
    "avg_pools": {"eager", "tape"},
    "avg_pools_sliding": {"graph"},
    "avg_pools_wide": {"eager", "tape"},
    "compiled": {"graph"},
    "compiled_taped": {"tape"},
    "first": {"graph"},
    "first_taped": {"tape"},
    "fold_compiled": {"eager", "tape"},
    "fold_in_graph": {"graph"},
    "max_pool": {"eager", "tape"},
    "max_pool_branched": {"graph"},
    "max_pool_explicit": {"eager"},
    "pairs": {"graph"},
    "reduce": {"eager"},
    "rows_taped": {"tape"},
    "sliding_taped": {"tape"},
    "stages_taped": {"tape"},
}

# route, spec, shape of the input
LONG_WINDOWS = [
    ("avg_pools_sliding", pk.PoolSpec("avg", window=6, stride=1, padding="same", layout="NHWC"), MAP),
    ("avg_pools_sliding", pk.PoolSpec("sum", window=(7, 5), stride=1, padding=((3, 2), (0, 4)), layout="NCHW"), FIRST),
    ("avg_pools_sliding", pk.PoolSpec("avg", window=31, stride=1, padding="causal", layout="NLC"), (2, 40, 3)),
    ("avg_pools_sliding", pk.AvgPool((13, 2), 1, "same", dilation=(2, 1), layout="NHWC"), (2, 25, 12, 3)),
    ("sliding_taped", pk.PoolSpec("avg", window=(8, 11), stride=1, padding="same", layout="NHWC"), MAP),
]


def routes(spec: pk.PoolSpec, shape: tuple[int, ...], dtype: str = "float32", **site: Any) -> list[str]:
    plan = plan_of(spec, len(shape), dtype, lambda at: (shape[at], True), ADAPTER.widen)
    return [route.name for route in routes_of(ADAPTER, plan, Situation(**site))]


def inputs(kind: str, shape: tuple[int, ...]) -> dict[str, np.ndarray[Any, Any]]:
    """Whole numbers, so that there are ties and sums are exact; and for a selection what is not finite."""
    rng = np.random.default_rng(1)
    made = {"ties": rng.integers(-3, 4, shape).astype("float32")}
    if kind in ("max", "min"):
        nan, low = made["ties"].copy(), made["ties"].copy()
        nan[rng.random(shape) < 0.05] = np.nan
        low[rng.random(shape) < 0.6] = -np.inf
        low.reshape(-1)[: low.size // 2] = -np.inf
        made |= {"nan": nan, "low": low, "high": -low}
    return made


def offered(x: Any, spec: pk.PoolSpec) -> list[str]:
    return [route.name for route in routes_for(x, spec)]


def second_gradient(pool: Any, x: Any, weights: Any, outer: Any) -> Any:
    """What the gradient of the weighted result, weighted once more, has for a gradient with respect to the weights."""
    with tf.GradientTape() as over:
        over.watch(weights)
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = pool(x)
        gradient = tape.gradient(y, x, weights)
    return over.gradient(gradient, weights, outer)
