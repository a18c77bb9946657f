"""TensorFlow's own call for a spec, where one is exactly equal."""

from __future__ import annotations

from typing import Any

from poolkit.dialects.calls import Call, Name, call
from poolkit.dialects.dialect import not_equal
from poolkit.dialects.reductions import reduction, whole
from poolkit.spec.pool_spec import PoolSpec
from poolkit.spec.values import is_all

LAYOUTS = {1: "NLC", 2: "NHWC", 3: "NDHWC"}

REDUCTIONS = {"avg": "mean", "sum": "sum", "max": "max", "min": "min"}
FORMATS = {1: "NWC", 2: "NHWC", 3: "NDHWC"}  # TensorFlow's own words for LAYOUTS


def native(spec: PoolSpec) -> Call:
    """The partial of a function of tf.nn or of a reduction that equals a spec in its normal form, at every size."""
    if spec.kind not in REDUCTIONS:
        raise not_equal(f"TensorFlow has no {spec.kind} pooling")
    return _whole(spec) if spec.window is None else _window(spec)


def _whole(spec: PoolSpec) -> Call:
    whole(spec, "TensorFlow")
    made = reduction(spec, f"tensorflow.reduce_{REDUCTIONS[spec.kind]}")
    if spec.kind in ("max", "min"):
        raise not_equal(f"tf.reduce_{spec.kind} shares the gradient between equal elements", made)
    return made


def _window(spec: PoolSpec) -> Call:
    if spec.kind not in ("avg", "max"):
        raise not_equal(f"tf.nn has no windows for {spec.kind}")
    if spec.axes is None:
        raise not_equal(f"layout={spec.layout} does not say how many spatial axes there are, and tf.nn names them")
    n = len(spec.spatial or "")
    if n not in LAYOUTS:
        raise not_equal(f"tf.nn pools one to three spatial axes, and {spec.layout} has {n}")
    made, reason = _call(spec, n), _differs(spec, n)
    if reason:
        raise not_equal(reason, made)
    return made


def _call(spec: PoolSpec, n: int) -> Call:
    padding, _ = _padding(spec, n)
    if not is_all(spec.dilation, 1):
        options: dict[str, Any] = {"window_shape": spec.window, "pooling_type": spec.kind.upper()}
        return call("functools.partial", Name("tensorflow.nn.pool"), **options, dilations=spec.dilation)
    name = Name(f"tensorflow.nn.{spec.kind}_pool{n}d")
    return call("functools.partial", name, ksize=_short(spec.window), strides=_short(spec.stride), padding=padding)


def _differs(spec: PoolSpec, n: int) -> str | None:
    """What keeps tf.nn's function from being equal."""
    _, padding = _padding(spec, n)
    return _layout(spec, n) or _options(spec) or padding or _dilation(spec) or _ties(spec, n)


def _layout(spec: PoolSpec, n: int) -> str | None:
    if spec.layout == f"N{spec.spatial}C":
        return None
    if spec.layout == f"NC{spec.spatial}":
        return f"tf.nn's windows over channels first run on some devices only; {FORMATS[n]} does on all"
    return f"tf.nn takes one batch and channels last, as in {FORMATS[n]}, and this layout is {spec.layout}"


def _options(spec: PoolSpec) -> str | None:
    if spec.indices:
        return "tf.nn's pools return no indices"
    if spec.ceil_mode:
        return "tf.nn has no ceil mode; padding SAME starts its windows elsewhere"
    if spec.divisor_override is not None or spec.count_include_pad:
        return "tf.nn's averages divide by the real cells of each window"
    return None


def _dilation(spec: PoolSpec) -> str | None:
    if is_all(spec.dilation, 1) or (is_all(spec.stride, 1) and spec.padding == "valid"):
        return None
    return "tf.nn.pool takes dilations with stride 1 and without padding only"


def _ties(spec: PoolSpec, n: int) -> str | None:
    if spec.kind == "max" and n == 3:
        return "tf.nn.max_pool3d gives its gradient to every one of several equal elements"
    return None


def _padding(spec: PoolSpec, n: int) -> tuple[Any, str | None]:
    """tf.nn's padding, and why that is not equal, if it isn't."""
    padding: Any = spec.padding
    window: Any = spec.window
    if padding in ("valid", "same"):
        return padding.upper(), None
    if isinstance(padding, str):
        return "SAME", f"tf.nn pads by the words VALID and SAME, and this padding is {padding}"
    if is_all(spec.stride, 1) and padding == tuple(((k - 1) // 2, k // 2) for k in window):
        return "SAME", None
    if spec.kind == "avg" or n == 3:
        return "SAME", f"tf.nn.{spec.kind}_pool{n}d pads by the words VALID and SAME, and this padding is {padding}"
    if any(max(pair) >= k for pair, k in zip(padding, window, strict=True)):
        return "SAME", "tf.nn pads by less than a window"
    return [[0, 0], *([low, high] for low, high in padding), [0, 0]], None


def _short(values: Any) -> Any:
    """One number for equal ones."""
    return values[0] if is_all(values, values[0]) else values
