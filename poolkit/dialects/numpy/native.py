"""NumPy's own call for a spec, where one is exactly equal."""

from __future__ import annotations

from poolkit.dialects.calls import Call
from poolkit.dialects.dialect import not_equal
from poolkit.dialects.reductions import reduction, whole
from poolkit.spec.pool_spec import PoolSpec

LAYOUTS = {1: "NCL", 2: "NCHW", 3: "NCDHW"}

NAMES = {"avg": "mean", "sum": "sum", "max": "max", "min": "min"}


def native(spec: PoolSpec) -> Call:
    """The partial of numpy's reduction that is equal to a spec in its normal form, at every size."""
    if spec.window is not None:
        raise not_equal("NumPy has no pooling over windows")
    if spec.kind not in NAMES:
        raise not_equal(f"NumPy has no {spec.kind} pooling")
    whole(spec, "NumPy")
    return reduction(spec, f"numpy.{NAMES[spec.kind]}")
