"""TensorFlow's own call for a spec, where one is exactly equal."""

from __future__ import annotations

from typing import Any

from poolkit.dialects import capabilities as can
from poolkit.dialects.calls import Call, Name, call
from poolkit.dialects.capabilities import Limit, differing, padded, short
from poolkit.dialects.reductions import reduction
from poolkit.spec.pool_spec import PoolSpec
from poolkit.spec.values import is_all

LAYOUTS = can.CHANNELS_LAST

REDUCTIONS = {"avg": "mean", "sum": "sum", "max": "max", "min": "min"}
FORMATS = {1: "NWC", 2: "NHWC", 3: "NDHWC"}  # TensorFlow's own names of LAYOUTS


def native(spec: PoolSpec) -> Call:
    """The partial of a function of tf.nn or of a reduction that equals a spec in its normal form, at every size."""
    return can.written(spec, (DRAWN, KINDS, *(WHOLE if spec.window is None else WINDOWS)), _write, native, FORMATS)


DRAWN = Limit(
    lambda spec: spec.kind == "fractional_max",
    "tf.nn.fractional_max_pool draws by a seed of its own, and a spec by its samples or key",
)
KINDS = can.kinds("TensorFlow has", *REDUCTIONS)

WHOLE = (
    *can.whole("TensorFlow"),
    differing(can.selecting, "tf.reduce_{spec.kind} shares the gradient between equal elements"),
)

WINDOWS = (
    Limit(lambda spec: spec.kind not in ("avg", "max"), "tf.nn has no windows for {spec.kind}"),
    *can.axes("tf.nn names", "tf.nn pools"),
    differing(
        lambda spec: spec.layout == f"NC{spec.spatial}",
        "tf.nn's windows over channels first run on some devices only; {usual} does on all",
    ),
    differing(
        lambda spec: spec.layout != f"N{spec.spatial}C",
        "tf.nn takes one batch and channels last, as in {usual}, and this layout is {spec.layout}",
    ),
    differing(can.indexed, "tf.nn's pools return no indices, and max_pool_with_argmax counts them over channels too"),
    differing(can.ceiled, "tf.nn has no ceil mode; padding SAME starts its windows elsewhere"),
    differing(can.counted, "tf.nn's averages divide by the real cells of each window"),
    differing(
        lambda spec: isinstance(spec.padding, str) and not can.named(spec),
        "tf.nn pads by the words VALID and SAME, and this padding is {spec.padding}",
    ),
    differing(
        lambda spec: not (can.named(spec) or _takes_pairs(spec)),
        "tf.nn.{spec.kind}_pool{n}d pads by the words VALID and SAME, and this padding is {spec.padding}",
    ),
    differing(lambda spec: not can.named(spec) and _padding(spec) == "SAME", "tf.nn pads by less than a window"),
    differing(
        lambda spec: can.dilated(spec) and not (is_all(spec.stride, 1) and spec.padding == "valid"),
        "tf.nn.pool takes dilations with stride 1 and without padding only",
    ),
    differing(
        lambda spec: spec.kind == "max" and len(spec.spatial or "") == 3,
        "tf.nn.max_pool3d gives its gradient to every one of several equal elements",
    ),
)


def _takes_pairs(spec: PoolSpec) -> bool:
    return spec.kind == "max" and len(spec.spatial or "") < 3


def _write(spec: PoolSpec) -> Call:
    if spec.window is None:
        return reduction(spec, f"tensorflow.reduce_{REDUCTIONS[spec.kind]}")
    if can.dilated(spec):
        options: dict[str, Any] = {"window_shape": spec.window, "pooling_type": spec.kind.upper()}
        return call("functools.partial", Name("tensorflow.nn.pool"), **options, dilations=spec.dilation)
    name = Name(f"tensorflow.nn.{spec.kind}_pool{len(spec.spatial or '')}d")
    sizes = {"ksize": short(spec.window), "strides": short(spec.stride)}
    return call("functools.partial", name, **sizes, padding=_padding(spec))


def _padding(spec: PoolSpec) -> Any:
    around = padded(spec)
    if can.named(spec) or not (_takes_pairs(spec) and around and all(max(low, high) < k for low, high, k, _ in around)):
        return "VALID" if spec.padding == "valid" else "SAME"
    return [[0, 0], *([low, high] for low, high, _, _ in around), [0, 0]]
