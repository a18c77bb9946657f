"""JAX's own call for a spec, where one is exactly equal: Flax's windows, and JAX's folds and reductions."""

from __future__ import annotations

from math import inf
from typing import Any

from poolkit.dialects.calls import Call, Name, call
from poolkit.dialects.dialect import not_equal
from poolkit.dialects.reductions import reduction, whole
from poolkit.spec.pool_spec import PoolSpec
from poolkit.spec.values import is_all

LAYOUTS = {1: "NLC", 2: "NHWC", 3: "NDHWC"}

REDUCTIONS = {"avg": "mean", "sum": "sum", "max": "max", "min": "min"}
FLAX = {"avg": "flax.linen.avg_pool", "max": "flax.linen.max_pool", "min": "flax.nnx.min_pool"}
FOLDS = {"max": ("max", -inf), "min": ("min", inf), "sum": ("add", 0.0)}


def native(spec: PoolSpec) -> Call:
    """The partial of a function that is equal to a spec in its normal form, at every size."""
    if spec.kind not in REDUCTIONS:
        raise not_equal(f"JAX and Flax have no {spec.kind} pooling")
    return _whole(spec) if spec.window is None else _window(spec)


def _whole(spec: PoolSpec) -> Call:
    whole(spec, "JAX")
    made = reduction(spec, f"jax.numpy.{REDUCTIONS[spec.kind]}")
    if spec.kind in ("max", "min"):
        raise not_equal(f"jax.numpy.{spec.kind} shares the gradient between equal elements", made)
    return made


def _window(spec: PoolSpec) -> Call:
    made = _flax(spec) if _channels_last(spec) and spec.kind in FLAX else _fold(spec)
    reason = _differs(spec)
    if reason:
        raise not_equal(reason, made)
    if made is None:
        raise not_equal(*_without(spec))
    return made


def _channels_last(spec: PoolSpec) -> bool:
    """Whether the layout is spatial axes and then channels, with any batches before."""
    spatial = spec.spatial or ""
    return spec.axes is not None and spec.letters in (f"N{spatial}C", f"{spatial}C")


def _without(spec: PoolSpec) -> tuple[str, Call | None]:
    """Why there is neither a function of Flax nor a fold."""
    if spec.axes is None:
        return f"layout={spec.layout} does not say at which positions the spatial axes are", None
    if spec.kind == "avg":
        near = spec.replace(layout=f"N{spec.spatial}C")
        return f"Flax averages with channels last, as in {near.layout}, and this layout is {spec.layout}", _flax(near)
    return f"jax.lax.reduce_window has a window for every axis, and {spec.layout} leaves open how many there are", None


def _differs(spec: PoolSpec) -> str | None:
    """What keeps both from being equal."""
    if spec.indices:
        return "JAX's windows return no indices"
    if spec.ceil_mode:
        return "JAX's windows have no ceil mode; padding for it depends on the input's size"
    if spec.divisor_override is not None:
        return "Flax's averages divide by the window or by the real cells in it"
    if not is_all(spec.dilation, 1):
        if spec.kind == "avg":
            return "Flax's averages have no dilation"
        if spec.kind in ("max", "min"):
            return "JAX has no gradient for maxima and minima over windows with dilation"
    if _covers_padding(spec):
        return "a window covers padding only, which poolkit refuses"
    return None


def _covers_padding(spec: PoolSpec) -> bool:
    padding: Any = spec.padding
    if isinstance(padding, str):
        return False
    spans = [d * (k - 1) + 1 for k, d in zip(spec.window, spec.dilation, strict=True)]  # type: ignore[arg-type]
    return any(max(pair) >= span for pair, span in zip(padding, spans, strict=True))


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
    if not is_all(spec.dilation, 1):
        options["window_dilation"] = _each(spec, spec.dilation, 1)
    reduce_window = Name("jax.lax.reduce_window")
    return call(
        "functools.partial", reduce_window, init_value=init, computation=Name(f"jax.lax.{computation}"), **options
    )


def _each(spec: PoolSpec, values: Any, other: Any) -> tuple[Any, ...]:
    """One entry for each axis of the layout."""
    at = dict(zip(spec.axes or "", values, strict=True))
    return tuple(at.get(letter, other) for letter in spec.letters)
