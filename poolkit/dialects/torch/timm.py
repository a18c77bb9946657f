"""timm's words for pooling, recognised by the names of its modules; timm is not imported."""

from __future__ import annotations

from typing import Any

from poolkit.dialects.calls import Call
from poolkit.dialects.dialect import Fields, Word, need_value, no_spec
from poolkit.errors import NotExactError
from poolkit.spec.mix import Mix
from poolkit.spec.operation import Operation
from poolkit.spec.pool_spec import PoolSpec

LAYERS = "timm.layers"

Read = Fields | Operation

# ----------------------------------------------------------------------------------------------- adaptive and global


def _pool(kind: str, output_size: Any, flatten: Any, layout: str) -> Fields:
    need_value("flatten", flatten)
    if flatten:
        need_value("output_size", output_size)
    sizes = tuple(output_size) if isinstance(output_size, list) else output_size
    if flatten and sizes not in (1, (1, 1)):
        raise NotExactError(
            f"flatten=True makes a vector of the {sizes} bins of every channel, which no spec does; "
            "read it without flatten, and keep a Flatten after it"
        )
    return {"kind": kind, "output_size": sizes, "keepdims": not flatten, "layout": layout}


def _of_type(pool_type: str, output_size: Any, flatten: Any, layout: str) -> Read:
    """What a pool type of timm's says: "fast…" is the same by a shorter way, for one bin."""
    fast = pool_type.startswith("fast")
    name = pool_type.removeprefix("fast") or ("avg" if fast else "")
    if fast and output_size not in (1, (1, 1), [1, 1]):
        raise NotExactError(f"pool_type={pool_type!r} takes output_size=1, and this is {output_size}; leave out fast")
    if name in ("avg", "max"):
        return _pool(name, output_size, flatten, layout)
    if name not in ("avgmax", "catavgmax"):
        raise NotExactError(f"pool_type={pool_type!r} is none of timm's; write avg, max, avgmax or catavgmax")
    need_value("output_size", output_size)
    parts = [PoolSpec(**_pool(kind, output_size, flatten, layout)) for kind in ("avg", "max")]
    return Mix(parts, how="cat") if name == "catavgmax" else Mix(parts, how="add", coefficients=(0.5, 0.5))


def _select(output_size: Any = 1, pool_type: Any = "fast", flatten: Any = False, input_fmt: Any = "NCHW") -> Read:
    need_value("pool_type", pool_type or "", str)
    if not pool_type:
        raise NotExactError("pool_type='' pools nothing: the layer is an identity; leave it out")
    return _fast_or_not(str(pool_type).lower(), output_size, flatten, input_fmt)


def _fast_or_not(pool_type: str, output_size: Any, flatten: Any, input_fmt: Any) -> Read:
    need_value("input_fmt", input_fmt)
    layout = getattr(input_fmt, "value", input_fmt)  # timm's Format is an enumeration
    if layout not in ("NCHW", "NHWC", "NCL", "NLC"):
        raise NotExactError(f"input_fmt={layout!r} is none of timm's; write NCHW or NHWC")
    return _of_type(pool_type, output_size, flatten, layout)


def _select_function(pool_type: Any = "avg", output_size: Any = 1) -> Read:
    need_value("pool_type", pool_type, str)
    return _of_type(pool_type, output_size, False, "NCHW")


def _avgmax(output_size: Any = 1) -> Read:
    return _of_type("avgmax", output_size, False, "NCHW")


def _catavgmax(output_size: Any = 1) -> Read:
    return _of_type("catavgmax", output_size, False, "NCHW")


def _fast(name: str, pool_type: str) -> Word:
    def fields(flatten: Any = False, input_fmt: Any = "NCHW") -> Read:
        return _fast_or_not(pool_type, 1, flatten, input_fmt)

    return Word(f"{LAYERS}.{name}", fields)


def _tokens(pool_type: Any = "token", num_prefix_tokens: Any = 1, reduce_include_prefix: Any = False) -> Read:
    """The pooling of a transformer's tokens, where it takes all of them."""
    for name, value in (("pool_type", pool_type), ("num_prefix_tokens", num_prefix_tokens)):
        need_value(name, value)
    if pool_type == "token":
        raise NotExactError("pool_type='token' takes the first token and pools nothing; keep it as it is")
    if num_prefix_tokens and reduce_include_prefix is not True:
        raise NotExactError(
            f"global_pool_nlc leaves out the first {num_prefix_tokens} tokens, which no spec does; "
            "cut them off first, and pool the rest"
        )
    return _of_type(str(pool_type), 1, True, "NLC")


# ------------------------------------------------------------------------------------------------ padded as TensorFlow

NO_STRIDE = "without a stride it fails when it is called, as timm sets none; give stride"


def _avg_same(
    kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: Any = False, count_include_pad: Any = True
) -> Fields:
    # The zeros are put around the input first, so the layer's own count_include_pad sees no padding and counts them
    # whatever it says. Nor is `padding` read, nor ceil_mode: with this padding there are ceil(size / stride) windows.
    if stride in (None, (None, None)):
        raise NotExactError(NO_STRIDE)
    return {
        "kind": "avg",
        "window": kernel_size,
        "stride": stride,
        "padding": "same",
        "count_include_pad": True,
        "layout": "NCHW",
    }


def _max_same(
    kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, ceil_mode: Any = False
) -> Fields:
    if stride in (None, (None, None)):
        raise NotExactError(NO_STRIDE)
    return {
        "kind": "max",
        "window": kernel_size,
        "stride": stride,
        "padding": "same",
        "dilation": dilation,
        "layout": "NCHW",
    }


# -------------------------------------------------------------------------------------------------- blurs and medians

PAD_MODES = {"reflect": "reflect", "replicate": "replicate", "constant": "zeros"}


def _blur(
    channels: Any = None,
    filt_size: Any = 3,
    stride: Any = 2,
    pad_mode: Any = "reflect",
    device: Any = None,
    dtype: Any = None,
) -> Fields:
    for name, value, kind in (("filt_size", filt_size, int), ("stride", stride, int), ("pad_mode", pad_mode, str)):
        need_value(name, value, kind)
    if pad_mode not in PAD_MODES:
        raise NotExactError(f"pad_mode={pad_mode!r} is no padding that a blur has here; give {', '.join(PAD_MODES)}")
    if filt_size > 7:
        raise NotExactError(f"filt_size={filt_size}, and a blur here has windows of 1 to 7 cells; keep it as it is")
    padding = (stride - 1 + filt_size - 1) // 2
    fields = {"kind": "blur", "window": filt_size, "stride": stride, "padding": padding, "layout": "NCHW"}
    return {**fields, "pad_mode": PAD_MODES[pad_mode]}


def _median(kernel_size: Any = 3, stride: Any = 1, padding: Any = 0, same: Any = False) -> Fields:
    need_value("same", same)
    if same or padding not in (0, (0, 0, 0, 0)):
        raise NotExactError(
            "MedianPool2d mirrors the edge of its input, and a median here takes real cells alone; "
            "pad the input first, and read the layer without padding"
        )
    return {"kind": "median", "window": kernel_size, "stride": stride, "layout": "NCHW"}


# ---------------------------------------------------------------------------------------------------- what is no spec

ATTENTION = "is attention with learned weights"
LATENT = (
    "for one that is trained here write poolkit.LatentAttentionPool(layout=..., keepdims=False, channels=..., "
    "heads=...), which has weights of its own; keep a trained one as it is"
)
MEAN = (
    "its query is computed from the cells, and that of poolkit.LatentAttentionPool is learned: train one in its place, "
    "or keep it as it is"
)

NEIGHBOURS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("SimPool1d", "SimPool2d", "AttentionPool2d", "RotAttentionPool2d"), (ATTENTION, MEAN)),
    **dict.fromkeys(("AttentionPoolLatent", "AttentionPoolPrr"), (ATTENTION, LATENT)),
    "TestTimePoolHead": ("is a whole classifier head, which pools inside",),
    "create_pool2d": ("chooses between padding fixed and by size", "read the layer that it makes"),
}


def _log_sum_exp(layout: str, r: Any, learnable: Any, flatten: Any) -> Fields:
    for name, value, kind in (("r", r, (int, float)), ("r_learnable", learnable, ()), ("flatten", flatten, ())):
        need_value(name, value, *kind)
    if learnable:
        spec = f'poolkit.PoolSpec("logsumexp", output_size=1, beta={r}, layout="{layout}"'
        raise NotExactError(
            f"its r is learned, and a spec's is a number: write poolkit.LearnedOption({spec}, keepdims={not flatten}))"
        )
    return {"kind": "logsumexp", "beta": r, "output_size": 1, "keepdims": not flatten, "layout": layout}


def _lse_2d(
    r: Any = 10.0, r_learnable: Any = True, flatten: Any = True, device: Any = None, dtype: Any = None
) -> Fields:
    return _log_sum_exp("NCHW", r, r_learnable, flatten)


def _lse_1d(r: Any = 10.0, r_learnable: Any = True, device: Any = None, dtype: Any = None) -> Fields:
    return _log_sum_exp("NLC", r, r_learnable, True)


TIMM: tuple[Word, ...] = (
    Word(f"{LAYERS}.SelectAdaptivePool2d", _select),
    Word(f"{LAYERS}.AdaptiveAvgMaxPool2d", _avgmax),
    Word(f"{LAYERS}.AdaptiveCatAvgMaxPool2d", _catavgmax),
    _fast("FastAdaptiveAvgPool", "fastavg"),
    _fast("FastAdaptiveMaxPool", "fastmax"),
    _fast("FastAdaptiveAvgMaxPool", "fastavgmax"),
    _fast("FastAdaptiveCatAvgMaxPool", "fastcatavgmax"),
    _fast("FastAdaptiveAvgPool2d", "fastavg"),  # their names in earlier versions
    _fast("FastGlobalAvgPool2d", "fastavg"),
    Word(f"{LAYERS}.BlurPool2d", _blur),
    Word(f"{LAYERS}.MedianPool2d", _median),
    Word(f"{LAYERS}.AvgPool2dSame", _avg_same),
    Word(f"{LAYERS}.MaxPool2dSame", _max_same),
    Word(f"{LAYERS}.adaptive_avgmax_pool2d", _avgmax, "x"),
    Word(f"{LAYERS}.adaptive_catavgmax_pool2d", _catavgmax, "x"),
    Word(f"{LAYERS}.select_adaptive_pool2d", _select_function, "x"),
    Word(f"{LAYERS}.avg_pool2d_same", _avg_same, "x"),
    Word(f"{LAYERS}.max_pool2d_same", _max_same, "x"),
    Word(f"{LAYERS}.global_pool_nlc", _tokens, "x"),
    Word(f"{LAYERS}.LsePlus1d", _lse_1d),
    Word(f"{LAYERS}.LsePlus2d", _lse_2d),
    *(no_spec(f"{LAYERS}.{name}", *told) for name, told in NEIGHBOURS.items()),
)

# --------------------------------------------------------------------------------------------------- layers in hand

ATTRIBUTES = {
    "BlurPool2d": ("filt_size", "stride", "pad_mode"),
    "AvgPool2dSame": ("kernel_size", "stride", "ceil_mode", "count_include_pad"),
    "MaxPool2dSame": ("kernel_size", "stride", "dilation", "ceil_mode"),
    "AdaptiveAvgMaxPool2d": ("output_size",),
    "AdaptiveCatAvgMaxPool2d": ("output_size",),
}

# The axes that a fast layer reduces, by which it keeps its input_fmt.
FORMATS: dict[tuple[int, ...], str] = {(2, 3): "NCHW", (1, 2): "NHWC", (2,): "NCL", (1,): "NLC"}


def timm_call(obj: Any) -> Call | None:
    """A layer of timm as the call that makes it."""
    name = type(obj).__name__
    if not type(obj).__module__.startswith(LAYERS):
        return None
    if name == "SelectAdaptivePool2d":
        return Call(f"{LAYERS}.{name}", (), tuple(_selected(obj).items()))
    if name == "MedianPool2d":
        return Call(f"{LAYERS}.{name}", (obj.k, obj.stride, obj.padding, obj.same))
    if name.startswith("LsePlus"):
        flatten = {"flatten": obj.flatten} if name.endswith("2d") else {}
        given = {"r": obj.r.detach().item(), "r_learnable": obj.r.requires_grad, **flatten}
        return Call(f"{LAYERS}.{name}", (), tuple(given.items()))
    if name.startswith("Fast"):
        return Call(f"{LAYERS}.{name}", (), (("flatten", obj.flatten), ("input_fmt", _format(obj))))
    return Call(f"{LAYERS}.{name}", (), tuple((key, getattr(obj, key)) for key in ATTRIBUTES.get(name, ())))


def _selected(obj: Any) -> dict[str, Any]:
    """The arguments of a SelectAdaptivePool2d; its `flatten` is a module, or an attribute of the fast layer inside."""
    pool = obj.pool
    inner = type(pool).__name__.startswith("Fast") and pool.flatten
    return {
        "output_size": getattr(pool, "output_size", 1),
        "pool_type": obj.pool_type,
        "flatten": bool(inner or type(obj.flatten).__name__ == "Flatten"),
        "input_fmt": _format(pool),
    }


def _format(pool: Any) -> str:
    dims = getattr(pool, "dim", getattr(pool, "dim_reduce", (2, 3)))
    return FORMATS.get(tuple(dims), "NCHW")
