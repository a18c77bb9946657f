"""Eager calls of TensorFlow for bins: each takes 20 to 60 microseconds, whatever it reads."""

from __future__ import annotations

import poolkit as pk
from poolkit.lowering.lower import FOLD, lower
from poolkit.lowering.plan import plan_of
from poolkit.programs.program import record
from poolkit_tensorflow import ADAPTER


def _slices(kind: str, bins: int) -> int:
    spec = pk.PoolSpec(kind, output_size=bins, layout="NHWC")
    plan = plan_of(spec, 4, "float32", lambda at: ((1, 30, 30, 4)[at], True), ADAPTER.widen)
    source = record(lambda o, x: lower(o, x, plan, FOLD), ADAPTER.ops(4, "float32"), "", "tensorflow", "").source
    return source.count("tf.raw_ops.S")


def test_cells_of_bins_are_compared_in_all_windows_at_once() -> None:
    assert _slices("max", 4) == _slices("max", 7) == 12


def test_bins_are_added_up_one_by_one() -> None:
    """Each in one call, where those of all windows would be some twenty."""
    assert (_slices("sum", 4), _slices("sum", 7)) == (8, 14)
