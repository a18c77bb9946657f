"""The rules that a spec must fulfil, and the one form in which its values are kept.

`canonical` is called while a compiler may be tracing, so everything here is plain Python: no cache, no regular expression,
nothing imported or looked up by name unless an error is about to be raised.
"""

from __future__ import annotations

import math
import numbers
from typing import TYPE_CHECKING, Any

from poolkit.errors import SpecError
from poolkit.kinds import KINDS

if TYPE_CHECKING:
    from poolkit.spec import PoolSpec

SYMBOLIC = ("channels_first", "channels_last")
PADDINGS = ("valid", "same", "same_lower", "causal")

# Every option of any kind, with the kinds that take it.
OPTIONS = {
    name: tuple(k for k in KINDS if name in KINDS[k].options) for kind in KINDS.values() for name in kind.options
}


def wrong(received: str, rule: str, do: str) -> SpecError:
    return SpecError(f"received {received}, and {rule}; {do}")


def canonical(spec: PoolSpec) -> dict[str, Any]:
    """Every field of a spec in the form in which it is kept; `SpecError` where the fields contradict a rule."""
    check_kind(spec.kind)
    check_layout(spec.layout)
    axes = pooled_letters(spec)
    check_mode(spec)
    sizes = axis_values(spec, axes)
    flags = {name: flag(name, getattr(spec, name)) for name in FLAGS}
    divisor = None if spec.divisor_override is None else divisor_of(spec.divisor_override)
    values = {"axes": axes, "divisor_override": divisor, **sizes, **flags, **options_of(spec)}
    check_use(spec.kind, values)
    return values


FLAGS = ("ceil_mode", "count_include_pad", "keepdims", "indices")


# ------------------------------------------------------------------------------------------------------- kind, layout, axes


def check_kind(kind: object) -> None:
    if isinstance(kind, str) and kind in KINDS:
        return
    from poolkit.foreign import nearest_kind

    guess = nearest_kind(kind)
    do = f"write {quoted(guess)}" if guess else "give one of these"
    raise wrong(f"kind={shown(kind)}", f"the kinds of pooling are {', '.join(map(quoted, KINDS))}", do)


def check_layout(layout: object) -> None:
    if layout in SYMBOLIC:
        return
    if not isinstance(layout, str):
        raise wrong(f"layout={shown(layout)}", "a layout is a string with one letter an axis", LAYOUT_HELP)
    letters = layout.removeprefix("...")
    received = f"layout={quoted(layout)}"
    if not (letters.isascii() and letters.isalpha() and letters.isupper()):
        from poolkit.foreign import nearest_layout

        rule = (
            'a layout is capital letters, one an axis, after an optional "...", or "channels_first" or "channels_last"'
        )
        guess = nearest_layout(layout)
        raise wrong(received, rule, f"write layout={quoted(guess)}" if guess else LAYOUT_HELP)
    if len(set(letters)) < len(letters):
        twice = next(c for c in letters if letters.count(c) > 1)
        raise wrong(received, f"each axis has a letter of its own, but {twice} stands twice", LAYOUT_HELP)
    if not spatial_letters(letters):
        rule = "N is batch and C is channels, which leaves no spatial axis to pool"
        raise wrong(received, rule, f'add a letter for each spatial axis, as in layout="{letters}L" or "{letters}HW"')


LAYOUT_HELP = 'write it as in layout="NCHW", "NHWC", "NCL" or "...HWC"'


def spatial_letters(letters: str) -> str:
    return "".join([c for c in letters if c not in "NC"])


def pooled_letters(spec: PoolSpec) -> str | None:
    """The letters that are pooled; None where the layout does not say how many spatial axes there are."""
    axes: object = spec.axes
    if spec.layout in SYMBOLIC:
        if axes is None:
            return None
        rule = f"layout={quoted(spec.layout)} names no axes to choose from"
        raise wrong(f"axes={shown(axes)}", rule, 'write the layout out, as in layout="NCHW"')
    spatial = spatial_letters(spec.letters)
    if axes is None:
        check_batch(spec)
        return spatial
    return check_axes(axes, spec.layout, spatial)


def check_batch(spec: PoolSpec) -> None:
    """Refuse to pool B, which many call the batch axis, unless it is named in `axes`."""
    if spec.letters[0] == "B" and "N" not in spec.letters:
        rule = "the batch axis is N; B would be pooled like any spatial letter"
        do = (
            f'write layout="{spec.layout.replace("B", "N")}", or name the pooled axes, as in axes="{spec.letters[-2:]}"'
        )
        raise wrong(f"layout={quoted(spec.layout)}", rule, do)


def check_axes(axes: object, layout: str, spatial: str) -> str:
    received = f"axes={shown(axes)} with layout={quoted(layout)}"
    if not isinstance(axes, str) or not axes:
        raise wrong(
            received, "axes is a string of spatial letters of the layout", f"write it as in axes={quoted(spatial)}"
        )
    for c in axes:
        if c not in spatial:
            role = {"N": "the batch axis", "C": "the channel axis"}.get(c, "no axis of the layout")
            rule = f"only spatial axes are pooled, while {c} is {role}"
            raise wrong(received, rule, f"choose from {quoted(spatial)}")
    ordered = "".join([c for c in spatial if c in axes])
    if axes != ordered:
        rule = "the letters of axes stand once each, in the order of the layout"
        raise wrong(received, rule, f"write axes={quoted(ordered)}, and the entries of each tuple in that order")
    return axes


# ----------------------------------------------------------------------------------------------------------- values per axis


def check_mode(spec: PoolSpec) -> None:
    if spec.window is None and spec.output_size is None:
        rule = "a spec has one of them: window for sliding windows, output_size for adaptive pooling"
        raise wrong("neither window nor output_size", rule, "write window=3, or output_size=1 for global pooling")
    if spec.window is not None and spec.output_size is not None:
        received = f"window={shown(spec.window)} and output_size={shown(spec.output_size)}"
        raise wrong(
            received,
            "a spec has only one of them",
            "leave out window for adaptive pooling, output_size for sliding windows",
        )


def axis_values(spec: PoolSpec, axes: str | None) -> dict[str, Any]:
    window = None if spec.window is None else per_axis("window", spec.window, axes, 1)
    stride = window if spec.stride is None else per_axis("stride", spec.stride, axes, 1)
    output_size = None if spec.output_size is None else per_axis("output_size", spec.output_size, axes, 1)
    dilation = per_axis("dilation", spec.dilation, axes, 1)
    padding = padding_of(spec.padding, axes)
    values = {"output_size": output_size, "window": window, "stride": stride, "dilation": dilation, "padding": padding}
    check_lengths(values)
    values["padding"] = "valid" if is_all(padding, 0) or is_all(padding, (0, 0)) else padding
    if window is None and axes is None and is_all(dilation, 1):
        values["dilation"] = 1  # it is not read, so its length must not make two specs differ
    return values


def per_axis(name: str, value: object, axes: str | None, least: int) -> Any:
    """A tuple with one entry a pooled axis; where their number is unknown, what was given."""
    if isinstance(value, list | tuple):
        check_count(name, value, axes)
        return tuple([size(name, value, v, least) for v in value])
    entry = size(name, value, value, least)
    return entry if axes is None else (entry,) * len(axes)


def size(name: str, given: object, value: object, least: int) -> int | None:
    """One entry of a field, where `given` is the whole of it."""
    if value is None and name == "output_size" and given is not None:
        return None  # this axis is left unchanged
    if type(value) is not int:
        value = integer(name, given, value)
    if value < least:
        raise wrong(f"{name}={shown(given)}", f"{name} is at least {least} on every axis", f"give {least} or more")
    return value


def integer(name: str, given: object, value: object) -> int:
    if isinstance(value, numbers.Integral) and not isinstance(value, bool):
        return int(value)
    rule = f"{name} is an integer, or a tuple with one integer for each pooled axis"
    raise wrong(f"{name}={shown(given)}", rule, f"write it as in {name}={_meant(value)}")


def _meant(value: object) -> int | str:
    """The integer that somebody may have meant by 3.0, "3" or a size in a nested tuple."""
    if isinstance(value, float) and math.isfinite(value) and value >= 1:
        return int(value)
    if isinstance(value, str) and value.isdecimal():
        return int(value)
    return 3


def check_count(name: str, value: list[Any] | tuple[Any, ...], axes: str | None) -> None:
    if not value:
        raise wrong(
            f"{name}={shown(value)}",
            "a tuple has one entry for each pooled axis",
            f"write {name}=1, or one entry an axis",
        )
    if axes is not None and len(value) != len(axes):
        rule = f"{name} has one entry for each pooled axis, {axes}"
        raise wrong(f"{name}={shown(value)}", rule, f"give {len(axes)} of them, or one integer for all")


def padding_of(padding: object, axes: str | None) -> Any:
    """One of the words, or (low, high) for each axis; an integer where the number of axes is unknown."""
    if isinstance(padding, str):
        return padding_word(padding)
    if not isinstance(padding, list | tuple):
        check_integer_padding(padding)
        p = size("padding", padding, padding, 0)
        return p if axes is None else ((p, p),) * len(axes)
    check_padding_count(padding, axes)
    return tuple([pair(padding, entry) for entry in padding])


def check_integer_padding(padding: object) -> None:
    if isinstance(padding, bool) or not isinstance(padding, numbers.Integral):
        words = ", ".join(map(quoted, PADDINGS))
        rule = f"padding is one of {words}, an integer, or one integer or one (low, high) for each pooled axis"
        raise wrong(f"padding={shown(padding)}", rule, "choose one of these")


def padding_word(padding: str) -> str:
    if padding in PADDINGS:
        return padding
    from poolkit.foreign import nearest_padding

    guess = nearest_padding(padding)
    rule = f"the words for padding are {', '.join(map(quoted, PADDINGS))}"
    do = (
        f"write padding={quoted(guess)}"
        if guess
        else "use one of them, an integer, or one (low, high) for each pooled axis"
    )
    raise wrong(f"padding={quoted(padding)}", rule, do)


def check_padding_count(padding: list[Any] | tuple[Any, ...], axes: str | None) -> None:
    if axes is not None and len(axes) == 1 and len(padding) == 2:
        rule = f"padding has one entry for each pooled axis, {axes}, and a (low, high) is itself a tuple"
        raise wrong(f"padding={shown(padding)}", rule, f"write padding=({shown(tuple(padding))},)")
    if axes is not None and len(padding) == 2 * len(axes):
        flat = f"(({padding[0]!r}, {padding[1]!r}), …)"
        rule = f"padding has one entry for each pooled axis, {axes}, each an integer or a (low, high)"
        raise wrong(f"padding={shown(padding)}", rule, f"write the pairs as tuples, as in padding={flat}")
    check_count("padding", padding, axes)


def pair(padding: object, entry: object) -> tuple[Any, Any]:
    if not isinstance(entry, list | tuple):
        p = size("padding", padding, entry, 0)
        return p, p
    if len(entry) != 2:
        rule = "the padding of an axis is one integer or a (low, high)"
        raise wrong(f"padding={shown(padding)}", rule, f"give two numbers in place of {shown(entry)}")
    return size("padding", padding, entry[0], 0), size("padding", padding, entry[1], 0)


def check_lengths(values: dict[str, Any]) -> None:
    """Where the layout does not tell how many axes there are, the tuples must at least agree."""
    said = [(name, value) for name, value in values.items() if isinstance(value, tuple)]
    for name, value in said:
        first, other = said[0]
        if len(value) != len(other):
            received = f"{first}={shown(other)} and {name}={shown(value)}"
            rule = "every tuple has one entry for each pooled axis, so all have the same length"
            raise wrong(received, rule, "give them equally many entries, or one integer")


def is_all(value: object, number: object) -> bool:
    """Whether a value is this, on every axis."""
    return all([v == number for v in value]) if isinstance(value, tuple) else value == number


# ------------------------------------------------------------------------------------------------------------- flags, options


def flag(name: str, value: object) -> bool:
    if isinstance(value, bool):
        return value
    if type(value).__module__ == "numpy" and type(value).__name__ in ("bool", "bool_"):
        return bool(value)
    raise wrong(f"{name}={shown(value)}", f"{name} is True or False", f"write {name}=True or {name}=False")


def divisor_of(value: object) -> int | float:
    divisor = number(value)
    if divisor is None or divisor == 0 or not math.isfinite(divisor):
        rule = "divisor_override is a finite number other than 0"
        raise wrong(f"divisor_override={shown(value)}", rule, "write it as in divisor_override=4, or leave it out")
    # 4.0 and 4 are one spec, so they must also read the same.
    return int(divisor) if divisor == int(divisor) and abs(divisor) < 2**53 else divisor


def number(value: object) -> float | None:
    """A number as a float; None for what is no real number or too large for one."""
    if isinstance(value, bool) or not isinstance(value, int | float | numbers.Real):
        return None
    try:
        return float(value)
    except OverflowError:
        return None


def options_of(spec: PoolSpec) -> dict[str, Any]:
    """The options of the spec's kind, each given or by default; None for those of other kinds."""
    taken = KINDS[spec.kind].options
    values: dict[str, Any] = {}
    for name, takers in OPTIONS.items():
        value = getattr(spec, name)
        if name in taken:
            values[name] = option_value(name, spec.kind, value)
        elif value is not None:
            rule = f"{name} is an option of {' and '.join(map(quoted, takers))} pooling"
            raise wrong(
                f"{name}={shown(value)} for {quoted(spec.kind)}",
                rule,
                f"leave {name} out, or write kind={quoted(takers[0])}",
            )
    return values


def option_value(name: str, kind: str, value: object) -> object:
    option = KINDS[kind].options[name]
    if value is None:
        return option.default
    if isinstance(option.default, float):
        kept: object = number(value)
    else:
        kept = None if isinstance(value, bool) and not isinstance(option.default, bool) else value
    if kept is None or not option.accepts(kept):
        rule = f"{name} of {quoted(kind)} pooling is {option.rule}"
        raise wrong(f"{name}={shown(value)}", rule, f"give such a value, or leave it out for {shown(option.default)}")
    return kept


# ------------------------------------------------------------------------------------------------- fields that are not read


def check_use(kind: str, values: dict[str, Any]) -> None:
    """Refuse what would silently do nothing."""
    if values["output_size"] is not None:
        check_adaptive(values)
    else:
        check_sliding(values)
    if values["indices"] and not KINDS[kind].selects:
        raise unused(kind, "indices=True", "only a kind that selects an element has positions", "selects")
    for name in ("count_include_pad", "divisor_override"):
        if values[name] not in (False, None) and not KINDS[kind].averages:
            raise unused(kind, f"{name}={values[name]!r}", "only an average divides", "averages")


def unused(kind: str, received: str, rule: str, trait: str) -> SpecError:
    takers = " and ".join([quoted(name) for name in KINDS if getattr(KINDS[name], trait)])
    return wrong(
        f"{received} for {quoted(kind)}", f"{rule}, which {takers} pooling does", f"leave {received.split('=')[0]} out"
    )


def check_adaptive(values: dict[str, Any]) -> None:
    given = {
        "stride": values["stride"] is not None,
        "padding": values["padding"] != "valid",
        "dilation": not is_all(values["dilation"], 1),
        "ceil_mode": values["ceil_mode"],
        "count_include_pad": values["count_include_pad"],
    }
    for name, off in given.items():
        if off:
            rule = "adaptive pooling divides the axis itself and never reads it"
            raise wrong(
                f"{name}={shown(values[name])} with output_size",
                rule,
                f"leave {name} out, or give window in place of output_size",
            )
    if not values["keepdims"] and not is_all(values["output_size"], 1):
        rule = "pooled axes can be dropped only where output_size is 1 on each of them"
        raise wrong(
            f"keepdims=False with output_size={shown(values['output_size'])}",
            rule,
            "leave keepdims out, or write output_size=1",
        )


def check_sliding(values: dict[str, Any]) -> None:
    if values["ceil_mode"] and values["padding"] in ("same", "same_lower"):
        rule = f"{values['padding']} padding already gives ceil(size / stride) windows, so ceil_mode is never read"
        raise wrong(f"ceil_mode=True with padding={quoted(values['padding'])}", rule, "leave ceil_mode out")
    if not values["keepdims"]:
        rule = "pooled axes can be dropped only where output_size is 1 on each of them"
        raise wrong("keepdims=False with window", rule, "leave keepdims out, or write output_size=1 in place of window")


def quoted(text: object) -> str:
    return f'"{text}"'


def shown(value: object) -> str:
    return quoted(value) if isinstance(value, str) else repr(value)
