"""What other libraries call things: a call in their words is answered with ours. Read only when an error is raised."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Mapping
from typing import Any

from poolkit.errors import SpecError
from poolkit.kinds import KINDS
from poolkit.validate import LAYOUT_HELP, OPTIONS, PADDINGS, SYMBOLIC, quoted, shown, wrong

# Another library's name for a field, with ours.
NAMES = {
    **dict.fromkeys(
        (
            "kernel_size",
            "pool_size",
            "kernel",
            "kernel_shape",
            "ksize",
            "window_shape",
            "window_size",
            "window_dimensions",
        ),
        "window",
    ),
    **dict.fromkeys(("pooling_size", "filter_size", "k"), "window"),
    **dict.fromkeys(("strides", "window_strides", "s"), "stride"),
    **dict.fromkeys(("pad", "pads", "paddings", "auto_pad", "border_mode", "pad_type"), "padding"),
    **dict.fromkeys(
        ("dilations", "dilation_rate", "dilation_rates", "rate", "window_dilation", "window_dilations"), "dilation"
    ),
    **dict.fromkeys(("data_format", "data_layout", "format", "dim_ordering", "image_data_format"), "layout"),
    **dict.fromkeys(("return_indices", "return_mask", "return_index", "include_batch_in_index"), "indices"),
    **dict.fromkeys(("keep_dims", "keepdim", "keep_dim"), "keepdims"),
    **dict.fromkeys(("target_shape", "target_size", "output_shape", "out_size", "outsize", "size"), "output_size"),
    **dict.fromkeys(("ceil", "use_ceil", "round_up", "pooling_convention"), "ceil_mode"),
    **dict.fromkeys(("count_include_padding", "include_pad", "count_pad", "exclusive"), "count_include_pad"),
    **dict.fromkeys(("divisor",), "divisor_override"),
    **dict.fromkeys(("axis", "dim", "dims", "spatial_axes", "reduction_axes"), "axes"),
    **dict.fromkeys(("pool_type", "pooling_type", "op", "mode", "reduction", "pooling", "type"), "kind"),
}

KIND_WORDS = {
    "average": "avg",
    "mean": "avg",
    "maximum": "max",
    "minimum": "min",
    "add": "sum",
    "soft": "softmax",
    "softpool": "softmax",
}
PADDING_WORDS = {
    "same_upper": "same",
    "notset": "valid",
    "none": "valid",
    "half": "same",
    "left": "causal",
    "same_up": "same",
}
LAYOUT_WORDS = {"first": "channels_first", "last": "channels_last", "th": "channels_first", "tf": "channels_last"}


def _pairs(value: Any) -> Any:
    """ONNX's pads, all low ends and then all high ends, as one (low, high) for each axis."""
    if not isinstance(value, list | tuple) or len(value) % 2:
        return value
    half = len(value) // 2
    return tuple(zip(value[:half], value[half:], strict=True))


# The names that are ours, besides the options of kinds.
EVERY_FIELD = {"kind", "layout", *NAMES.values(), *OPTIONS}

# How a value is said in our words, where it is not simply kept.
VALUES: Mapping[str, Callable[[Any], Any]] = {
    "pads": _pairs,
    "auto_pad": lambda v: nearest_padding(v) or v,
    "exclusive": lambda v: not v,
    "round_up": bool,
    "pooling_convention": lambda v: v == "full",
}


def call_error(positional: tuple[object, ...], named: Mapping[str, object], fields: Collection[str]) -> SpecError:
    """Why ``PoolSpec(*positional, **named)`` cannot be understood."""
    for name, value in named.items():
        if name not in fields:
            return _name_error(name, value, fields)
    if len(positional) > 1:
        given = shown(positional[1])
        return wrong(
            f"{given} in second place",
            "only kind is given by position",
            f"write window={given}, or output_size={given}",
        )
    if positional and "kind" in named:
        return wrong(f"{shown(positional[0])} and kind={shown(named['kind'])}", "a spec has one kind", "give it once")
    return _missing("layout" if positional or "kind" in named else "kind", "a spec")


def constructor_error(
    title: str,
    positional: tuple[object, ...],
    named: Mapping[str, object],
    names: Collection[str],
    first: tuple[str, ...],
    required: tuple[str, ...],
) -> SpecError:
    """Why a call of a named constructor cannot be understood: `first` may be given by position, `required` must be given."""
    for name, value in named.items():
        if name not in names:
            return _name_error(name, value, names, title)
    if len(positional) > len(first):
        allowed = f"only {', '.join(first)}" if first else "nothing"
        rule = f"{title} takes {allowed} by position"
        return wrong(
            f"{shown(positional[len(first)])} in place {len(first) + 1}", rule, "write the others as name=value"
        )
    given = [*first[: len(positional)], *named]
    for name in required:
        if name not in given:
            return _missing(name, title)
    twice = next(name for name in given if given.count(name) > 1)
    return wrong(f"{twice} both by position and by name", f"{title} has one {twice}", "give it once")


MISSING = {
    "kind": (f"the kinds of pooling are {', '.join(map(quoted, KINDS))}", 'write it first, as in PoolSpec("avg", …)'),
    "layout": ("without one nothing says which axes of an input are spatial", LAYOUT_HELP),
    "window": ("a window is what slides", "write it first, as in window=3"),
    "output_size": ("it is the number of bins on each pooled axis", "write it first, as in output_size=7"),
    "keepdims": (
        "the pooled axes are kept by PyTorch's layers and dropped by Keras's, so that either default would surprise somebody",
        "write keepdims=True to keep them with size 1, as in PyTorch, or keepdims=False to drop them, as in Keras",
    ),
}


def _missing(name: str, whose: str) -> SpecError:
    rule, do = MISSING[name]
    return wrong(f"no {name}", f"{whose} needs it: {rule}", do)


def _name_error(name: str, value: object, fields: Collection[str], whose: str = "PoolSpec") -> SpecError:
    received = f"{name}={shown(value)}"
    ours = NAMES.get(name, name if name in EVERY_FIELD else None)
    if ours is None:
        close = difflib.get_close_matches(name, fields, 1)
        do = f"write {close[0]}={shown(value)}" if close else f"leave it out; the fields are {', '.join(fields)}"
        return wrong(received, f"{whose} has no field {name}", do)
    if ours not in fields:
        return wrong(
            received, f"{whose} takes only {', '.join(fields)}", f"leave it out, or write a PoolSpec, which has {ours}"
        )
    if ours == "axes":
        do = 'name the spatial letters, as in axes="HW" for layout="NTHWC"'
    else:
        do = f"write {ours}={shown(VALUES.get(name, _same)(value))}"
    return wrong(received, f"what others call {name} is {ours} here", do)


def _same(value: Any) -> Any:
    return value


def nearest_kind(kind: object) -> str | None:
    return _nearest(kind, KIND_WORDS, KINDS)


def nearest_padding(padding: object) -> str | None:
    return _nearest(padding, PADDING_WORDS, PADDINGS)


def nearest_layout(layout: str) -> str | None:
    letters = layout.upper().replace(" ", "").replace(",", "")
    if (
        letters
        and letters.isalpha()
        and len(set(letters)) == len(letters) <= 6
        and set("NC") <= set(letters)
        and len(letters) > 2
    ):
        return letters
    return _nearest(layout, LAYOUT_WORDS, SYMBOLIC)


def _nearest(word: object, others: Mapping[str, str], ours: Collection[str]) -> str | None:
    if not isinstance(word, str):
        return None
    low = word.lower().strip()
    if low in ours:
        return low
    if low in others:
        return others[low]
    close = difflib.get_close_matches(low, [*ours, *others], 1)
    return others.get(close[0], close[0]) if close else None
