"""PyTorch's own layer for a spec, where one is exactly equal."""

from __future__ import annotations

import math
from typing import Any

from poolkit.dialects import capabilities as can
from poolkit.dialects.calls import Call, call
from poolkit.dialects.capabilities import Limit, differing, padded, roles, short, without
from poolkit.spec.pool_spec import PoolSpec

LAYOUTS = can.CHANNELS_FIRST


def native(spec: PoolSpec) -> Call:
    """The torch.nn module that is equal to a spec in its normal form, at every size."""
    return can.written(spec, (*ALL, *(BINS if spec.window is None else WINDOWS)), _write, native, LAYOUTS)


def _divisor(spec: PoolSpec) -> float | None:
    return 1 if spec.kind == "sum" else spec.divisor_override


ALL = (
    Limit(
        lambda spec: spec.kind == "fractional_max",
        "torch.nn's FractionalMaxPool draws anew at each call, in eval() too, and a spec draws by its samples or key",
    ),
    can.kinds("torch.nn has", "avg", "max", "sum", "lp"),
    *can.axes("torch.nn names", "torch.nn pools"),
    Limit(
        lambda spec: spec.letters != spec.layout,
        "torch.nn takes a fixed number of axes, and {spec.layout} any number before its own",
        lambda spec: spec.replace(layout=spec.letters),
    ),
    Limit(
        lambda spec: roles(spec).removeprefix("N") != "C" + "." * len(spec.spatial or ""),
        "torch.nn takes channels first, as in {usual}, and this layout is {spec.layout}",
        lambda spec: spec.replace(layout=f"NC{spec.spatial}"),
    ),
    Limit(can.partly, "torch.nn counts indices over all spatial axes, and here only {spec.axes} is pooled"),
)

BINS = (
    Limit(lambda spec: spec.kind in ("sum", "lp"), "torch.nn has no {spec.kind} pooling over bins"),
    Limit(
        can.divided,
        "torch.nn's averages over bins divide by the cells of each bin",
        without(divisor_override=None),
    ),
    Limit(
        lambda spec: spec.output_size == (None,),
        "torch.nn's layers for one axis need its size, and None leaves it as it is: pool nothing",
    ),
    Limit(
        lambda spec: not spec.keepdims and (spec.indices or "N" not in spec.letters),
        "Flatten() drops the pooled axes of one batched tensor",
        without(keepdims=True),
    ),
)


def _p(spec: PoolSpec) -> float | None:
    """Of a norm with a finite p."""
    p = dict(spec.options)["p"] if spec.kind == "lp" else math.inf
    return None if p == math.inf else p


WINDOWS = (
    differing(
        lambda spec: (_p(spec) or 2) % 2 != 0,
        "LPPool adds up powers with the signs of the cells, so that it is a norm where p is even",
    ),
    differing(
        lambda spec: _p(spec) is not None and dict(spec.options)["normalize"] == "mean",
        "LPPool adds up, and this spec averages",
    ),
    differing(
        lambda spec: _p(spec) is not None and spec.ceil_mode,
        "LPPool multiplies the norm of a window that reaches over the end",
    ),
    differing(
        lambda spec: spec.kind == "lp" and spec.padding not in ("valid", ((0, 0),) * len(spec.axes or "")),
        "LPPool has no padding",
    ),
    differing(
        lambda spec: isinstance(spec.padding, str) and spec.padding != "valid",
        "{spec.padding} pads by the input's size, and torch.nn's padding is the same at every size",
    ),
    differing(lambda spec: any(low != high for low, high, _, _ in padded(spec)), "torch.nn pads both ends alike"),
    differing(  # whatever the dilation
        lambda spec: any(low > k // 2 for low, _, k, _ in padded(spec)), "torch.nn pads by at most half of the window"
    ),
    differing(lambda spec: spec.kind != "max" and can.dilated(spec), "torch.nn's averages have no dilation"),
    differing(
        lambda spec: len(spec.spatial or "") == 1 and _divisor(spec) is not None, "AvgPool1d has no divisor_override"
    ),
    differing(  # a whole number is an int in every spec, unless it is too large for one
        lambda spec: isinstance(_divisor(spec), float),
        "torch.nn's divisor_override is an integer, and this one is {spec.divisor_override}",
    ),
)


def _write(spec: PoolSpec) -> Call:
    name, n = {"max": "Max", "lp": "LP"}.get(spec.kind, "Avg"), len(spec.spatial or "")
    indices = {"return_indices": True} if spec.indices else {}
    if spec.window is None:
        pool = call(f"torch.nn.Adaptive{name}Pool{n}d", short(spec.output_size), **indices)
        return pool if spec.keepdims else call("torch.nn.Sequential", pool, call("torch.nn.Flatten"))
    stride = [] if spec.stride == spec.window else [short(spec.stride)]
    if spec.kind == "lp":
        p = _p(spec)
        norm = math.inf if p is None else int(p) if p % 1 == 0 else p
        return call(f"torch.nn.LPPool{n}d", norm, short(spec.window), *stride, **_ceil(spec))
    options: dict[str, Any] = {"padding": _padding(spec)} if _padding(spec) else {}
    if spec.kind == "max" and can.dilated(spec):
        options["dilation"] = short(spec.dilation)
    options |= indices | _ceil(spec)
    if isinstance(_divisor(spec), int) and n > 1:
        options["divisor_override"] = _divisor(spec)
    elif _padding(spec) and spec.kind != "max" and not spec.count_include_pad:
        options["count_include_pad"] = False
    return call(f"torch.nn.{name}Pool{n}d", short(spec.window), *stride, **options)


def _ceil(spec: PoolSpec) -> dict[str, Any]:
    return {"ceil_mode": True} if spec.ceil_mode else {}


def _padding(spec: PoolSpec) -> Any:
    """The padding, or what torch.nn has in its place: half of the window at most, on both ends."""
    if spec.padding == "valid":
        return 0
    around = padded(spec)
    if around and all(low == high <= k // 2 for low, high, k, _ in around):
        return short(tuple(low for low, _, _, _ in around))
    window: Any = spec.window
    dilation: Any = spec.dilation
    return short(tuple(min(d * (k - 1) // 2, k // 2) for k, d in zip(window, dilation, strict=True)))
