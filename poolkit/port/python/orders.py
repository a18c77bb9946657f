"""Orders of the axes that only the program knows: ``data_format=data_format``, axes from both branches of an ``if``.

A pool whose windows go by its spatial axes alone is the same call in either order, and is ported to the target's. Which
one the file has decides only what belongs to the pool around it: it is what `--source-layout` says, or the usual one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from poolkit.dialects import table
from poolkit.dialects.calls import Call, text
from poolkit.dialects.dialect import Fields
from poolkit.dialects.own import OWN
from poolkit.dialects.reading import fields_of
from poolkit.errors import PoolkitError
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


def either_order(tree: Tree, names: Names, site: Site) -> None:
    """Read a pool whose data format is not known, where both formats make the same of it, or only one fits."""
    call = by_name(site)
    given = dict(call.kwargs)
    name = next((one for one in ARGUMENTS if one in given and not isinstance(given[one], str | None)), None)
    if name is None or site.error is None:
        return
    for formats in ARGUMENTS[name]:
        calls = [with_value(call, name, word) for word in FORMATS[formats]]
        found = chosen(tree, calls)
        if found is not None:
            site.fields, site.call, site.error, site.either = *found, None, True
            site.notes.append(
                f"{name}={text(given[name])} is only known when the program runs, and the port takes the target's order"
            )
            return


def by_name(site: Site) -> Call:
    """The call of a site with its arguments by their names."""
    word = table.dialect(site.dialect).words.get(site.word) if site.dialect != OWN else None
    return word.named(site.call) if word is not None else site.call


def with_value(call: Call, name: str, value: Any) -> Call:
    """A call with another value for an argument that is given by name."""
    return Call(call.name, call.args, tuple((n, value if n == name else v) for n, v in call.kwargs))


def chosen(tree: Tree, calls: Sequence[Call], every: bool = False) -> tuple[Fields, Call] | None:
    """The fields of one of several calls that differ in their order of the axes alone; with `every`, all must pool."""
    read = list(_read(calls))
    if not read or any(_bare(fields) != _bare(read[0][0]) for fields, _ in read) or (every and len(read) < len(calls)):
        return None
    wanted = channels(tree.order)
    return next((one for one in read if channels(str(one[0]["layout"])) == wanted), read[0])


def channels(layout: str) -> str:
    """Where a layout has its channels, in Keras's words; last where there is none."""
    return "channels_last" if not layout or layout.endswith(("C", "last")) else "channels_first"


def _read(calls: Sequence[Call]) -> Iterator[tuple[Fields, Call]]:
    for call in calls:
        try:
            fields = fields_of(call)
        except PoolkitError:
            continue
        if not isinstance(fields, Operation):
            yield fields, call


def _bare(fields: Fields) -> Fields:
    return {name: value for name, value in fields.items() if name not in ("layout", "axes")}
