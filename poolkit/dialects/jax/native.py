"""JAX's own call for a spec, where one is exactly equal: Flax's windows, and JAX's folds and reductions."""

from __future__ import annotations

from math import inf
from typing import Any

from poolkit.dialects import capabilities as can
from poolkit.dialects.calls import Call, Name, call
from poolkit.dialects.capabilities import Limit, differing, padded
from poolkit.dialects.reductions import reduction
from poolkit.spec.pool_spec import PoolSpec
from poolkit.spec.values import is_all

LAYOUTS = can.CHANNELS_LAST

REDUCTIONS = {"avg": "mean", "sum": "sum", "max": "max", "min": "min"}
FLAX = {"avg": "flax.linen.avg_pool", "max": "flax.linen.max_pool", "min": "flax.nnx.min_pool"}
FOLDS = {"max": ("max", -inf), "min": ("min", inf), "sum": ("add", 0.0)}


def native(spec: PoolSpec) -> Call:
    """The partial of a function that is equal to a spec in its normal form, at every size."""
    return can.written(spec, (KINDS, *(WHOLE if spec.window is None else WINDOWS)), _write, native, LAYOUTS)


KINDS = can.kinds("JAX and Flax have", *REDUCTIONS)

WHOLE = (
    *can.whole("JAX"),
    differing(can.selecting, "jax.numpy.{spec.kind} shares the gradient between equal elements"),
)

WINDOWS = (
    differing(can.indexed, "JAX's windows return no indices"),
    differing(can.ceiled, "JAX's windows have no ceil mode; padding for it depends on the input's size"),
    differing(can.divided, "Flax's averages divide by the window or by the real cells in it"),
    differing(lambda spec: spec.kind == "avg" and can.dilated(spec), "Flax's averages have no dilation"),
    differing(
        lambda spec: can.selecting(spec) and can.dilated(spec),
        "JAX has no gradient for maxima and minima over windows with dilation",
    ),
    differing(
        lambda spec: any(max(low, high) > d * (k - 1) for low, high, k, d in padded(spec)),
        "a window covers padding only, which poolkit refuses",
    ),
    Limit(
        lambda spec: _write(spec) is None and can.unplaced(spec),
        "layout={spec.layout} does not say at which positions the spatial axes are",
    ),
    Limit(
        lambda spec: _write(spec) is None and spec.kind == "avg",
        "Flax averages with channels last, as in N{spec.spatial}C, and this layout is {spec.layout}",
        lambda spec: spec.replace(layout=f"N{spec.spatial}C"),
    ),
    Limit(
        lambda spec: _write(spec) is None,
        "jax.lax.reduce_window has a window for every axis, and {spec.layout} leaves open how many there are",
    ),
)


def _write(spec: PoolSpec) -> Call | None:
    """A reduction; of windows a function of Flax where channels come last, elsewhere a fold of JAX's, if there is."""
    if spec.window is None:
        return reduction(spec, f"jax.numpy.{REDUCTIONS[spec.kind]}")
    spatial = spec.spatial or ""
    last = spec.axes is not None and spec.letters in (f"N{spatial}C", f"{spatial}C")
    return _flax(spec) if last and spec.kind in FLAX else _fold(spec)


def _flax(spec: PoolSpec) -> Call:
    options: dict[str, Any] = {"window_shape": spec.window}
    if not is_all(spec.stride, 1):
        options["strides"] = spec.stride
    padding: Any = spec.padding
    if padding != "valid":
        options["padding"] = padding.upper() if isinstance(padding, str) else padding
        if spec.kind == "avg" and not spec.count_include_pad:
            options["count_include_pad"] = False
    return call("functools.partial", Name(FLAX[spec.kind]), **options)


def _fold(spec: PoolSpec) -> Call | None:
    if spec.axes is None or spec.kind not in FOLDS or spec.layout.startswith("..."):
        return None
    computation, init = FOLDS[spec.kind]
    options: dict[str, Any] = {"window_dimensions": _each(spec, spec.window, 1)}
    if not is_all(spec.stride, 1):
        options["window_strides"] = _each(spec, spec.stride, 1)
    padding: Any = spec.padding
    if padding != "valid":
        options["padding"] = padding.upper() if isinstance(padding, str) else _each(spec, padding, (0, 0))
    if can.dilated(spec):
        options["window_dilation"] = _each(spec, spec.dilation, 1)
    reduce_window = Name("jax.lax.reduce_window")
    return call(
        "functools.partial", reduce_window, init_value=init, computation=Name(f"jax.lax.{computation}"), **options
    )


def _each(spec: PoolSpec, values: Any, other: Any) -> tuple[Any, ...]:
    """One entry for each axis of the layout."""
    at = dict(zip(spec.axes or "", values, strict=True))
    return tuple(at.get(letter, other) for letter in spec.letters)
