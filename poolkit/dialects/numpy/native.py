"""NumPy's own call for a spec, where one is exactly equal."""

from __future__ import annotations

from poolkit.dialects import capabilities as can
from poolkit.dialects.calls import Call
from poolkit.dialects.reductions import reduction
from poolkit.spec.pool_spec import PoolSpec

LAYOUTS = can.CHANNELS_FIRST

NAMES = {"avg": "mean", "sum": "sum", "max": "max", "min": "min"}


def native(spec: PoolSpec) -> Call:
    """The partial of numpy's reduction that is equal to a spec in its normal form, at every size."""
    return can.written(spec, LIMITS, lambda spec: reduction(spec, f"numpy.{NAMES[spec.kind]}"), native, LAYOUTS)


LIMITS = (
    can.Limit(lambda spec: spec.window is not None, "NumPy has no pooling over windows"),
    can.kinds("NumPy has", *NAMES),
    *can.whole("NumPy"),
)
