"""Eager calls of TensorFlow: each takes 20 to 60 microseconds, whatever it reads."""

from __future__ import annotations

import pytest
import tensorflow as tf

import poolkit as pk
from poolkit.lowering.lower import FOLD, lower
from poolkit.lowering.plan import plan_of
from poolkit.programs.program import record
from poolkit.running.routes import routes_for
from poolkit_tensorflow import ADAPTER, routes_max


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


@pytest.mark.parametrize(("stride", "first"), [(2, "compiled_taped"), (3, "max_pool")])
def test_large_maps_that_windows_divide_are_compiled(stride: int, first: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes_max, "LARGE", 0)
    x, spec = tf.reshape(tf.range(72.0), (1, 6, 6, 2)), pk.MaxPool(2, stride, layout="NHWC")
    assert routes_for(x, spec)[0].name == first
    y = pk.pool(tf.tensor_scatter_nd_update(x, [[0, 1, 1, 0]], [float("nan")]), spec).numpy()
    assert (str(y[0, 0, 0, 0]), y[0, 0, 0, 1]) == ("nan", 15.0)
