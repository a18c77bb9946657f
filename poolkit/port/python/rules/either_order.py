"""What only the program knows of the order of the axes: the same pool in either one."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any, NamedTuple

from poolkit.dialects.calls import Call, Expression, text
from poolkit.dialects.dialect import Fields
from poolkit.dialects.reading import fields_of, spoken_in
from poolkit.errors import NotExactError, PoolkitError
from poolkit.port.python.expressions import with_literals
from poolkit.port.python.names import Names
from poolkit.port.python.sites import Site
from poolkit.port.python.tree import Tree
from poolkit.port.python.unknowns import value_of
from poolkit.port.python.values import NOTHING, Either, Value, literal_of
from poolkit.spec.operation import Operation
from poolkit.spec.values import is_many

# What frameworks call the order, and what they say of it: channels last, then first.
ARGUMENTS = {"data_format": ("channels", "NHWC", "NWC", "NDHWC"), "dim_ordering": ("tf",)}
FORMATS = {
    "channels": ("channels_last", "channels_first"),
    "NHWC": ("NHWC", "NCHW"),
    "NWC": ("NWC", "NCW"),
    "NDHWC": ("NDHWC", "NCDHW"),
    "tf": ("tf", "th"),
}
ORDERED = "{} is only known when the program runs, and the port takes the target's order"


class Read(NamedTuple):
    """What a call says, which may be another than that of the file, and a note on the order that it has then."""

    fields: Fields
    call: Call
    note: str = ""


def either_order(tree: Tree, names: Names, site: Site) -> None:
    """Read a pool whose data format is not known, where both formats make the same of it, or only one fits."""
    found = None
    if site.error is not None:
        found = in_either(tree, *_with_lists(tree, names, site)) or in_either(tree, site.call)
    if found is not None:
        site.fields, site.call, site.error, site.either = found.fields, found.call, None, True
        site.notes.append(found.note)


def in_either(tree: Tree, *calls: Call) -> Read | None:
    """The fields of a call in either order, or of one of several that differ in lists that go with the order."""
    calls = tuple(map(by_name, calls))
    first = calls[0].kwargs if calls else ()
    unknown = [one for one in first if one[0] in ARGUMENTS and not isinstance(one[1], str | None)]
    for name, value in unknown[:1]:
        for formats in ARGUMENTS[name]:
            found = chosen(tree, [with_value(call, name, word) for call in calls for word in FORMATS[formats]])
            if found is not None:
                return found._replace(note=ORDERED.format(f"{name}={text(value)}"))
    return None


MOST_LISTS = 3  # windows, strides and paddings; each doubles the calls that are read


def _with_lists(tree: Tree, names: Names, site: Site) -> list[Call]:
    """The calls with ``[1, 3, 3, 1] if data_format == "NHWC" else [1, 1, 3, 3]`` as each of its lists."""
    texts = [one.text for one in (*site.call.args, *dict(site.call.kwargs).values()) if isinstance(one, Expression)]
    found = {text: _lists(value_of(tree, names, text, site)) for text in dict.fromkeys(texts)}
    several = {text: lists for text, lists in found.items() if lists}
    if not 0 < len(several) <= MOST_LISTS:
        return []
    made = (dict(zip(several, lists, strict=True)) for lists in itertools.product(*several.values()))
    return [_with(site.call, one) for one in made]


def _with(call: Call, values: dict[str, Any]) -> Call:
    return with_literals(call, lambda text: values.get(text, NOTHING))


def _lists(value: Value) -> list[Any]:
    """The lists that a value may be, if it is one of a few of them."""
    found = [literal_of(one) for one in value.values] if isinstance(value, Either) else []
    return found if len(found) < 4 and all(map(is_many, found)) else []


def by_name(call: Call) -> Call:
    """A call with its arguments by their names."""
    try:
        dialect, name = spoken_in(call)
    except NotExactError:  # of a partial, or a spec of poolkit's
        return call
    word = dialect.words.get(name)
    return word.named(call) if word is not None else call


def with_value(call: Call, name: str, value: Any) -> Call:
    """A call with another value for an argument that is given by name."""
    return Call(call.name, call.args, tuple((n, value if n == name else v) for n, v in call.kwargs))


def chosen(tree: Tree, calls: Sequence[Call], every: bool = False) -> Read | None:
    """The fields of one of several calls that differ in their order of the axes alone; with `every`, all must pool."""
    read = [one for one in map(read_alone, calls) if one is not None]
    if (
        not read
        or any(_bare(one.fields) != _bare(read[0].fields) for one in read)
        or (every and len(read) < len(calls))
    ):
        return None
    wanted = channels(tree.order)
    return next((one for one in read if channels(str(one.fields["layout"])) == wanted), read[0])


def channels(layout: str) -> str:
    """Where a layout has its channels, in Keras's words; last where there is none."""
    return "channels_last" if not layout or layout.endswith(("C", "last")) else "channels_first"


def read_alone(call: Call) -> Read | None:
    """What a call says by itself; None where it cannot be read, or is several pools."""
    try:
        fields = fields_of(call)
    except PoolkitError:
        return None
    return Read(fields, call) if not isinstance(fields, Operation) else None


def _bare(fields: Fields) -> Fields:
    return {name: value for name, value in fields.items() if name not in ("layout", "axes")}
