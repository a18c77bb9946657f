"""Measuring every route on the user's own machine, so that `pool` takes the fastest there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from poolkit.running import registry, tuned
from poolkit.running.dispatch import forget, plan_of_tensor
from poolkit.running.further import situation_of
from poolkit.spec.arguments import as_shape
from poolkit.spec.operation import as_spec
from poolkit.spec.signatures import explained
from poolkit.tools.bench import Timing, check_measuring, tensor_of, timings

if TYPE_CHECKING:
    from poolkit.spec.operation import Operation

ENOUGH = 0.95  # of the time of the route that is taken anyhow; less of a gain may be chance


@explained
def tune(
    spec: Operation, backend: str, shape: Sequence[int], *, turns: int = 15, seconds: float = 0.01
) -> list[Timing]:
    """Measure all routes that are right for a spec on a shape, keep the fastest for `pool`, and return the times.

    Measured are contiguous float32 tensors, without a gradient and, on PyTorch and TensorFlow, with one. The winners
    are kept in the file of the environment variable POOLKIT_TUNED, or in poolkit/tuned.json in the user's cache folder,
    for this version of poolkit and of the framework. Raises what `routes` raises, `SpecError` for a measure that is
    none, `ShapeError` for more than 2**28 cells, and `InputError` where that file cannot be written.

    >>> import os, tempfile
    >>> from poolkit import MaxPool
    >>> os.environ["POOLKIT_TUNED"] = tempfile.mkdtemp() + "/tuned.json"
    >>> [timing.backend for timing in tune(MaxPool(2, layout="NCHW"), "numpy", (1, 3, 8, 8), turns=1)][0]
    'numpy'
    >>> del os.environ["POOLKIT_TUNED"]
    """
    as_spec(spec, "tune takes (spec, backend, shape)")
    check_measuring(turns, seconds)
    shape = as_shape(shape)
    x = tensor_of(spec, backend, shape)
    adapter = registry.find(x)
    plan, told, winners = plan_of_tensor(adapter, x, spec)[1], list[Timing](), dict[str, str]()
    for derivative in (False, True):
        rows = timings(spec, x, turns=turns, seconds=seconds, derivative=derivative)
        if rows:
            best = min(rows, key=lambda row: row.microseconds)
            best = best if best.microseconds < ENOUGH * rows[0].microseconds else rows[0]
            # Where no call tells, as in JAX, each may have one.
            at = situation_of(adapter, x, {})
            at = at._replace(derivative=derivative or at.derivative)
            winners[tuned.key_of(adapter, plan, at, shape)] = best.route
            told += rows
    tuned.keep(winners)
    forget()
    return told
