"""What other libraries call things: a call in their words is answered with ours. Read only when an error is raised."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Mapping
from typing import Any

from poolkit.errors import SpecError
from poolkit.spec.kinds import KINDS, takers
from poolkit.spec.messages import quoted, shown, wrong
from poolkit.spec.values import is_many
from poolkit.spec.vocabulary import LAYOUT_HELP, nearest_kind, nearest_layout, nearest_padding

# Our name for a field, with those of other libraries.
WORDS = {
    "kind": "pool_type pooling_type pooling op mode reduction type",
    "layout": "data_format data_layout image_data_format dim_ordering format",
    "axes": "axis dim dims spatial_axes reduction_axes",
    "output_size": "target_shape target_size output_shape out_size outsize size",
    "window": "kernel_size kernel_shape kernel ksize k pool_size pooling_size filter_size"
    " window_size window_shape window_dimensions",
    "stride": "strides window_strides s",
    "padding": "pad pads paddings auto_pad border_mode pad_type",
    "dilation": "dilations dilation_rate dilation_rates rate window_dilation window_dilations",
    "ceil_mode": "ceil use_ceil round_up pooling_convention",
    "count_include_pad": "count_include_padding include_pad count_pad exclusive",
    "divisor_override": "divisor",
    "keepdims": "keep_dims keepdim keep_dim",
    "indices": "return_indices return_index return_mask",
}
NAMES = {name: ours for ours, names in WORDS.items() for name in names.split()}


def _pairs(value: Any) -> Any:
    """ONNX's pads, all low ends and then all high ends, as one (low, high) for each axis."""
    if not is_many(value) or len(value) % 2:
        return value
    middle = len(value) // 2
    return tuple(zip(value[:middle], value[middle:], strict=True))


# How a value is said in our words, where it is not simply kept.
VALUES: Mapping[str, Callable[[Any], Any]] = {
    **dict.fromkeys(WORDS["kind"].split(), lambda v: nearest_kind(v) or v),
    "dim_ordering": lambda v: nearest_layout(str(v)) or v,
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
    """Why a constructor's call cannot be understood; `first` may be given by position, `required` must be given."""
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
    "backend": ("it is the framework that is meant", 'write it behind the spec, as in "torch"'),
    "spec": ("it says what is pooled", 'write it first, as in MaxPool(2, layout="NCHW")'),
    "parts": ("it is made of pools", 'write them first, as in Mix((a, b), how="add")'),
    "pooling": ("it is the pool that unpooling goes back from", "write it first, as in Unpool(spec, output_size=5)"),
    "num_segments": ("a program has to know how many rows its result has", "write it as in num_segments=32"),
    "how": ("pools are added or put side by side", 'write how="add" or how="cat"'),
    "keepdims": (
        "PyTorch's layers keep the pooled axes and Keras's drop them, so that either default would surprise somebody",
        "write keepdims=True to keep them with size 1, as in PyTorch, or keepdims=False to drop them, as in Keras",
    ),
}


def _missing(name: str, whose: str) -> SpecError:
    rule, do = MISSING.get(name, ("", f"write it, as in {name}=…"))
    return wrong(f"no {name}", f"{whose} needs it{': ' * bool(rule)}{rule}", do)


def _name_error(name: str, value: object, fields: Collection[str], whose: str = "PoolSpec") -> SpecError:
    received = f"{name}={shown(value)}"
    ours = NAMES.get(name, name if name in WORDS or takers(name) else None)
    if ours is None:
        close = difflib.get_close_matches(name, fields, 1)
        do = f"write {close[0]}={shown(value)}" if close else f"leave it out; the fields are {', '.join(fields)}"
        return wrong(received, f"{whose} has no field {name}", do)
    ours = next((field for field in fields if NAMES.get(field, field) == ours), ours)  # a layer has names of its own
    if ours not in fields:
        return wrong(received, f"{whose} takes only {', '.join(fields)}", f"leave {name} out")
    if ours == "axes":
        do = 'name the spatial letters, as in axes="HW" for layout="NTHWC"'
    else:
        do = f"write {ours}={shown(VALUES.get(name, _same)(value))}"
    return wrong(received, f"what others call {name} is {ours} here", do)


def _same(value: Any) -> Any:
    return value
