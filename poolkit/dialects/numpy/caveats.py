"""Where NumPy's own reductions, equal on finite input, still give other numbers."""

from __future__ import annotations

from poolkit.dialects.concerns import whole
from poolkit.dialects.dialect import Caveat, Measured
from poolkit.spec.pool_spec import PoolSpec


def _leads(spec: PoolSpec) -> bool:
    """Whether an axis stands after the pooled ones, which NumPy then adds row by row."""
    return whole("avg", "sum")(spec) and not spec.layout.endswith((spec.axes or "")[-1:])


CAVEATS: tuple[Caveat, ...] = (
    Caveat(
        "half",
        "NumPy adds bfloat16 in bfloat16",
        whole("avg", "sum"),
        Measured(PoolSpec("avg", output_size=1, layout="NCHW"), "full((1, 1, 64, 64), 100)", "bfloat16", 8, 100),
    ),
    Caveat(
        "integers",
        "np.sum adds integers in integers, which overflow",
        whole("sum"),
        Measured(PoolSpec("sum", output_size=1, layout="NHWC"), "full((1, 1, 4, 1), 2**62)", "int64", 0, 2.0**64),
    ),
    Caveat(
        "sums",
        "NumPy adds one by one in float32 where channels come last, which loses digits from a thousand cells on",
        _leads,
        Measured(
            PoolSpec("avg", output_size=1, layout="NHWC"), "full((1, 256, 256, 8), 100.1)", "float32", 100.0376, 100.1
        ),
    ),
)
