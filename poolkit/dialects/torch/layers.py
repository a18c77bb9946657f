"""Modules of torch.nn in hand, as the calls that make them."""

from __future__ import annotations

import operator
from typing import Any

from poolkit.dialects.calls import Call, Name
from poolkit.dialects.torch.timm import timm_call
from poolkit.errors import NotExactError
from poolkit.spec.values import is_many

NN = "torch.nn"
# Packages beside torch whose own modules are told apart by no name, and where their words are.
OUTSIDE = {
    "timm": "timm.layers",
    "torch_geometric": "torch_geometric.nn",
    "torchvision": "torchvision.ops",
    "kornia": "kornia.filters",
    "antialiased_cnns": "antialiased_cnns",
}

ATTRIBUTES = {
    "MaxPool": ("kernel_size", "stride", "padding", "dilation", "return_indices", "ceil_mode"),
    "AvgPool": ("kernel_size", "stride", "padding", "ceil_mode", "count_include_pad", "divisor_override"),
    "LPPool": ("norm_type", "kernel_size", "stride", "ceil_mode"),
    "FractionalMaxPool": ("kernel_size", "output_size", "output_ratio", "return_indices"),
    "MaxUnpool": ("kernel_size", "stride", "padding"),
    "AdaptiveAvgPool": ("output_size",),
    "AdaptiveMaxPool": ("output_size", "return_indices"),
    "Upsample": ("size", "scale_factor", "mode", "align_corners"),
    "Flatten": ("start_dim", "end_dim"),
}


# The same of packages outside.
THEIRS = {
    "torchvision": {
        "RoIAlign": ("output_size", "spatial_scale", "sampling_ratio", "aligned"),
        "RoIPool": ("output_size", "spatial_scale"),
    },
    "kornia": {
        "BlurPool2D": ("kernel_size", "stride"),
        "MaxBlurPool2D": ("kernel_size", "stride", "max_pool_size", "ceil_mode"),
    },
}


def call_of(obj: Any) -> Call | None:
    """A module as the call that makes it, by its class's own name: a subclass may pool otherwise."""
    cls = type(obj)
    root = cls.__module__.split(".")[0]
    if root == "timm":
        return timm_call(obj)
    if root in THEIRS:
        _refuse_changed(obj)
        named = {name: _plain(getattr(obj, name)) for name in THEIRS[root].get(cls.__name__, ())}
        return Call(f"{OUTSIDE[root]}.{cls.__name__}", (), tuple(named.items()))
    if cls.__module__ == "torch.nn.modules.container" and cls.__name__ == "Sequential":
        return Call(f"{NN}.Sequential", tuple(call_of(child) or Name(type(child).__name__) for child in obj))
    if not cls.__module__.startswith("torch.nn.modules"):
        return None
    names = ATTRIBUTES.get(cls.__name__[:-2], ATTRIBUTES.get(cls.__name__, ()))
    _refuse_changed(obj)
    values = {name: _plain(getattr(obj, name)) for name in names if hasattr(obj, name)}
    if cls.__name__ == "Flatten":
        values = {} if values == {"start_dim": 1, "end_dim": -1} else values
    return Call(f"{NN}.{cls.__name__}", (), tuple(values.items()))


def _refuse_changed(module: Any) -> None:
    """`NotExactError` where hooks, or a forward of its own, change what a module does."""
    hooks = getattr(module, "_forward_hooks", None) or getattr(module, "_forward_pre_hooks", None)
    if hooks or "forward" in vars(module):
        raise NotExactError(
            f"this {type(module).__name__} has {'hooks' if hooks else 'a forward of its own'}, which may change its "
            "result; remove them, or read a new layer"
        )


def _plain(value: Any) -> Any:
    """Python's integers for NumPy's, and tuples for torch.Size."""
    if is_many(value):
        return tuple(map(_plain, value))
    return operator.index(value) if hasattr(value, "__index__") and not isinstance(value, bool | int) else value
