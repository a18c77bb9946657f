"""The values of a spec's fields, each in the one form in which it is kept."""

from __future__ import annotations

import math
import numbers
from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard, cast

from poolkit.errors import SpecError
from poolkit.spec.fields import Fields
from poolkit.spec.kinds import KINDS, takers
from poolkit.spec.messages import quoted, shown, wrong
from poolkit.spec.vocabulary import PADDINGS, nearest_padding

LARGEST = 2**31 - 1  # of a size in a spec; positions along an axis are int32 in a program
MOST_AXES = 16  # that are pooled, where the layout does not name them: as many letters as `geometry` gives

FLAGS = ("ceil_mode", "count_include_pad", "keepdims", "indices")


def axis_values(spec: Fields, axes: str | None) -> dict[str, Any]:
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
    if is_many(value):
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
    if value > LARGEST:
        raise wrong(f"{name}={shown(given)}", f"{name} is at most {LARGEST} on every axis", "give a smaller one")
    return value


def integer(name: str, given: object, value: object) -> int:
    if is_integer(value):
        return int(value)
    rule = f"{name} is an integer, or a tuple with one integer for each pooled axis"
    raise wrong(f"{name}={shown(given)}", rule, f"write it as in {name}={shown(_meant(given))}")


def count(name: str, given: object, least: int, most: int) -> int:
    """One number of what an operation makes, which a program has to know."""
    if not is_integer(given) or not least <= int(given) <= most:
        raise wrong(f"{name}={shown(given)}", f"{name} is an int from {least} to {most}", f"write it as in {name}=2")
    return int(given)


def _meant(value: Any) -> Any:
    """What somebody may have meant by 3.0, "3" or an array."""
    if type(value).__name__ == "ndarray" and value.ndim == 1 and len(value) <= MOST_AXES:
        value = value.tolist()
    if is_many(value):
        return tuple([2 if is_many(v) else _meant(v) for v in value[:MOST_AXES]])
    if (isinstance(value, float) and value.is_integer() and value > 0) or (
        isinstance(value, str) and value.isdecimal()
    ):
        return int(value)
    return value if type(value) is int else 2


def check_count(name: str, value: Sequence[Any], axes: str | None) -> None:
    if not value:
        rule = "a tuple has one entry for each pooled axis"
        raise wrong(f"{name}={shown(value)}", rule, f"write {name}=1, or one entry an axis")
    if axes is not None and len(value) != len(axes):
        rule = f"{name} has one entry for each pooled axis, {axes}"
        raise wrong(f"{name}={shown(value)}", rule, f"give {len(axes)} of them, or one integer for all")
    if len(value) > MOST_AXES:
        rule = f"{name} has one entry for each pooled axis, of which there are {MOST_AXES} at the most"
        raise wrong(f"{name}={shown(value)}", rule, "give one integer for all")


def padding_of(padding: object, axes: str | None) -> Any:
    """One of the words, or (low, high) for each axis; an integer where the number of axes is unknown."""
    if isinstance(padding, str):
        return padding_word(padding)
    if not is_many(padding):
        if type(padding) is not int:
            check_integer_padding(padding)
        p = size("padding", padding, padding, 0)
        return p if axes is None else ((p, p),) * len(axes)
    check_padding_count(padding, axes)
    return tuple([pair(padding, entry) for entry in padding])


def check_integer_padding(padding: object) -> None:
    if not is_integer(padding):
        words = ", ".join(map(quoted, PADDINGS))
        rule = f"padding is one of {words}, an integer, or one integer or one (low, high) for each pooled axis"
        raise wrong(f"padding={shown(padding)}", rule, "choose one of these")


def padding_word(padding: str) -> str:
    if padding in PADDINGS:
        return padding
    guess = nearest_padding(padding)
    rule = f"the words for padding are {', '.join(map(quoted, PADDINGS))}"
    do = f"write padding={quoted(guess)}" if guess else "use one of them, or one (low, high) for each pooled axis"
    raise wrong(f"padding={quoted(padding)}", rule, do)


def check_padding_count(padding: Sequence[Any], axes: str | None) -> None:
    flat = not any(is_many(p) for p in padding)
    if flat and axes is not None and len(axes) == 1 and len(padding) == 2:
        rule = f"padding has one entry for each pooled axis, {axes}, and a (low, high) is itself a tuple"
        raise wrong(f"padding={shown(padding)}", rule, f"write padding=({shown(tuple(padding))},)")
    if flat and axes is not None and len(padding) == 2 * len(axes):
        rule = f"padding has one entry for each pooled axis, {axes}, each an integer or a (low, high)"
        do = f"write each (low, high) as a tuple, as in padding=({shown(tuple(padding[:2]))}, …)"
        raise wrong(f"padding={shown(padding)}", rule, do)
    check_count("padding", padding, axes)


def pair(padding: object, entry: object) -> tuple[Any, Any]:
    if not is_many(entry):
        p = size("padding", padding, entry, 0)
        return p, p
    if len(entry) != 2:
        rule = "the padding of an axis is one integer or a (low, high)"
        raise wrong(f"padding={shown(padding)}", rule, f"give two numbers in place of {shown(entry)}")
    return size("padding", padding, entry[0], 0), size("padding", padding, entry[1], 0)


def check_lengths(values: dict[str, Any]) -> None:
    """Where the layout does not tell how many axes there are, the tuples must at least agree."""
    said = [(name, value) for name, value in values.items() if is_many(value)]
    for name, value in said:
        first, other = said[0]
        if len(value) != len(other):
            received = f"{first}={shown(other)} and {name}={shown(value)}"
            rule = "every tuple has one entry for each pooled axis, so all have the same length"
            raise wrong(received, rule, "give them equally many entries, or one integer")


def plain(value: Any, levels: int = 3) -> Any:
    """A value without what a subclass adds, such as an enumeration's names: what is declared is written into source.

    >>> import enum
    >>> plain((enum.IntEnum("Size", "SMALL").SMALL, 3))
    (1, 3)
    """
    if type(value) in (int, str, bool, float):
        return value
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int | float):
        return int.__int__(value) if isinstance(value, int) else float.__float__(value)
    if levels and is_many(value):  # a padding has two levels
        if isinstance(value, tuple):
            return tuple(_plain_entries(tuple.__iter__(value), levels))
        if isinstance(value, list):
            return _plain_entries(value if type(value) is list else list.__iter__(value), levels)
    return value


def _plain_entries(entries: Any, levels: int) -> list[Any]:
    return [plain(entry, levels - 1) for entry in entries]


def is_many(value: object) -> TypeGuard[Sequence[Any]]:
    """Whether a value has one entry for each axis; no other sequence (a string, an array) does."""
    return isinstance(value, list | tuple)


def is_integer(value: object) -> TypeGuard[numbers.Integral]:
    """Whether a value is an integer of Python or NumPy, and no bool."""
    return not isinstance(value, bool) and isinstance(value, numbers.Integral)


def is_all(value: object, number: object) -> bool:
    """Whether a value is this, on every axis."""
    return all(v == number for v in value) if is_many(value) else value == number


# ------------------------------------------------------------ flags, options


def flag(name: str, value: object) -> bool:
    if isinstance(value, bool):
        return value
    if type(value).__name__ in ("bool", "bool_"):  # NumPy's, of either age
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
    """A number as a float, -0.0 as the 0.0 that it equals; None for what is no real number or too large for one."""
    if isinstance(value, bool) or not isinstance(value, int | float | numbers.Real):
        return None
    try:
        return float(value) + 0.0
    except OverflowError:
        return None


def options_of(spec: Fields) -> tuple[tuple[str, Any], ...]:
    """The options of the spec's kind in the order of its row, each as given or by default."""
    given: Any = spec.options
    table = KINDS[spec.kind].options
    for name, value in given.items():
        if name not in table:
            raise foreign_option(spec.kind, name, value)
    kept = {name: option_value(spec.kind, name, given.get(name)) for name in table}
    for name in KINDS[spec.kind].unread(kept):
        if kept[name] != table[name].default:
            others = ", ".join([f"{other}={shown(value)}" for other, value in kept.items() if other != name])
            received = f"{name}={shown(kept[name])} with {others}"
            raise wrong(received, f"{quoted(spec.kind)} pooling then never reads {name}", f"leave {name} out")
    return tuple(kept.items())


def pairs_of(options: object) -> dict[str, Any]:
    if isinstance(options, Mapping):
        return {str(plain(name)): value for name, value in cast("Mapping[object, object]", options).items()}
    if is_many(options) and all(is_many(pair) and len(pair) == 2 for pair in options):
        return {str(plain(name)): value for name, value in options}
    raise wrong(f"options={shown(options)}", "options are a mapping of names to values", "give each by its own name")


def foreign_option(kind: str, name: str, value: object) -> SpecError:
    received = f"{name}={shown(value)} for {quoted(kind)}"
    others = takers(name)
    if not others:
        names = ", ".join(KINDS[kind].options) or "none"
        return wrong(received, f"the options of {quoted(kind)} pooling are: {names}", f"leave {name} out")
    rule = f"{name} is an option of {' and '.join(map(quoted, others))} pooling"
    return wrong(received, rule, f"leave {name} out, or write kind={quoted(others[0])}")


def option_value(kind: str, name: str, value: object) -> object:
    option, value = KINDS[kind].options[name], plain(value)
    if value is None:
        return option.default
    kept = alike(value, option.default)
    if not option.takes(kept):
        rule = f"{name} of {quoted(kind)} pooling is {option.rule}"
        raise wrong(f"{name}={shown(value)}", rule, f"give such a value, or leave it out for {shown(option.default)}")
    return kept


def alike(value: object, default: object) -> Any:
    """A value in the type of an option's default; None for what is of another type."""
    if default is None:
        return tuple(value) if is_many(value) else value
    if isinstance(default, bool):
        return value if isinstance(value, bool) else None
    if isinstance(default, float):
        return number(value)
    if isinstance(default, int):
        return int(value) if is_integer(value) else None
    if isinstance(default, tuple):
        first = cast("tuple[object, ...]", default)[0]
        entries = [alike(v, first) for v in value] if is_many(value) else [None]
        return None if None in entries else tuple(entries)
    return "".join(value) if isinstance(value, str) and is_word(value) else None


def is_word(text: str) -> bool:
    """Letters, digits, _ and -: what a spec's text and a program's first line can hold as it is."""
    return text.isascii() and text.replace("_", "a").replace("-", "a").isalnum()
