"""What only the program knows of the order of the axes: the same pool in either one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from poolkit.dialects.calls import Call, text
from poolkit.dialects.dialect import Fields
from poolkit.dialects.reading import fields_of, spoken_in
from poolkit.errors import NotExactError, PoolkitError
from poolkit.port.python.names import Names
from poolkit.port.python.sites import Site
from poolkit.port.python.tree import Tree
from poolkit.spec.operation import Operation

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
    found = in_either(tree, site.call) if site.error is not None else None
    if found is not None:
        site.fields, site.call, site.error, site.either = found.fields, found.call, None, True
        site.notes.append(found.note)


def in_either(tree: Tree, call: Call) -> Read | None:
    call = by_name(call)
    unknown = [one for one in call.kwargs if one[0] in ARGUMENTS and not isinstance(one[1], str | None)]
    for name, value in unknown[:1]:
        for formats in ARGUMENTS[name]:
            found = chosen(tree, [with_value(call, name, word) for word in FORMATS[formats]])
            if found is not None:
                return found._replace(note=ORDERED.format(f"{name}={text(value)}"))
    return None


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
