"""Keras's own layer for a spec, where one is exactly equal."""

from __future__ import annotations

from typing import Any

from poolkit.dialects.calls import Call, call
from poolkit.dialects.dialect import not_equal
from poolkit.spec.pool_spec import PoolSpec
from poolkit.spec.values import is_all

LAYOUTS = {1: "NLC", 2: "NHWC", 3: "NDHWC"}

NAMES = {"avg": "Average", "max": "Max"}


def native(spec: PoolSpec) -> Call:
    """The keras.layers layer that is equal to a spec in its normal form, at every size."""
    n = len(spec.spatial or "")
    if spec.kind not in NAMES:
        raise not_equal(f"keras.layers has no {spec.kind} pooling")
    if spec.indices:
        raise not_equal("Keras's layers return no indices", _near(spec, indices=False))
    options = _data_format(spec, n)
    if spec.window is not None:
        return _window(spec, n, options)
    if spec.divisor_override is not None:
        raise not_equal("Keras's averages divide by the cells of each bin", _near(spec, divisor_override=None))
    return _global(spec, n, options) if is_all(spec.output_size, 1) else _adaptive(spec, n, options)


def _near(spec: PoolSpec, **changes: Any) -> Call | None:
    from poolkit.errors import NotExactError

    try:
        return native(spec.replace(**changes))
    except NotExactError as error:
        nearest: Call | None = error.nearest
        return nearest


def _data_format(spec: PoolSpec, n: int) -> dict[str, str]:
    if spec.axes is None:
        raise not_equal(
            f"layout={spec.layout} does not say how many spatial axes there are, and Keras's layers name them"
        )
    if n not in LAYOUTS:
        raise not_equal(f"Keras pools one to three spatial axes, and {spec.layout} has {n}")
    role = "".join(c if c in "NC" else "." for c in spec.layout)
    if role not in ("N" + "." * n + "C", "NC" + "." * n):
        usual = LAYOUTS[n]
        raise not_equal(
            f"Keras's layers take batches, channels first or last, as in {usual}; this layout is {spec.layout}"
        )
    if spec.axes != spec.spatial:
        raise not_equal(f"Keras's global pooling takes all spatial axes, and here {spec.axes} alone is pooled")
    return {"data_format": "channels_first"} if role.startswith("NC") else {}


def _global(spec: PoolSpec, n: int, options: dict[str, Any]) -> Call:
    if spec.keepdims:
        options = {**options, "keepdims": True}
    made = call(f"keras.layers.Global{NAMES[spec.kind]}Pooling{n}D", **options)
    if spec.kind == "max":
        raise not_equal("Keras's global maximum shares the gradient between equal elements", made)
    return made


def _adaptive(spec: PoolSpec, n: int, options: dict[str, Any]) -> Call:
    sizes: Any = spec.output_size
    if any(size is None for size in sizes):
        raise not_equal("Keras's adaptive layers need a size for every axis, and None leaves one as it is")
    return call(f"keras.layers.Adaptive{NAMES[spec.kind]}Pooling{n}D", short(sizes), **options)


def _window(spec: PoolSpec, n: int, options: dict[str, Any]) -> Call:
    arguments: list[Any] = [short(spec.window)]
    if spec.stride != spec.window:
        arguments.append(short(spec.stride))
    padding, reason = _padding(spec)
    named = {"padding": padding} if padding != "valid" else {}
    made = call(f"keras.layers.{NAMES[spec.kind]}Pooling{n}D", *arguments, **named, **options)
    if not is_all(spec.dilation, 1):
        reason = "Keras's layers have no dilation"
    elif spec.ceil_mode:
        reason = "Keras's layers have no ceil mode; padding same starts its windows elsewhere"
    elif spec.divisor_override is not None or spec.count_include_pad:
        reason = "Keras's averages divide by the real cells of each window"
    if reason:
        raise not_equal(reason, made)
    return made


def _padding(spec: PoolSpec) -> tuple[str, str | None]:
    """Keras's word for a padding, and why that is not equal, if it isn't."""
    padding: Any = spec.padding
    if padding in ("valid", "same"):
        return padding, None
    if isinstance(padding, tuple) and is_all(spec.stride, 1):
        window: Any = spec.window
        if padding == tuple(((k - 1) // 2, k // 2) for k in window):
            return "same", None
    return "same", f"Keras's layers pad by the words valid and same, and this padding is {padding}"


def short(values: Any) -> Any:
    """One number for equal ones."""
    return values[0] if isinstance(values[0], int) and is_all(values, values[0]) else values
