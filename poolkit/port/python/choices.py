"""What only the program knows, read for each value that it may have: the order of the axes, a padding, a class.

A pool whose windows go by its spatial axes alone is the same call in either order, and is ported to the target's. Which
one the file has decides only what belongs to the pool around it: it is what `--source-layout` says, or the usual one.
Where the values make different pools of a call, each is written, with an `if`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from poolkit.dialects import table
from poolkit.dialects.calls import Call, Expression, text
from poolkit.dialects.dialect import Fields, NotPooling
from poolkit.dialects.reading import fields_of, spoken_in
from poolkit.errors import NotExactError, PoolkitError
from poolkit.port.python.names import Names, is_word
from poolkit.port.python.nodes import Node, expression, walk
from poolkit.port.python.sites import POOLS, Site, applied
from poolkit.port.python.tree import Tree
from poolkit.port.python.uses import flow_of, whole
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
KEEP = ("keepdims", "keepdim", "keep_dims")
NOTE = "{} is only known when the program runs, and each case is written"
# Parts of a condition that may be asked again; `walk` leaves out operators.
PLAIN = (ast.Name, ast.Attribute, ast.Compare, ast.Constant, ast.BoolOp, ast.UnaryOp)


class Read(NamedTuple):
    """What a call says, which may be another than that of the file, and a note on the order that it has then."""

    fields: Fields
    call: Call
    note: str = ""


def either_order(tree: Tree, names: Names, site: Site) -> None:
    """Read a pool whose data format is not known, where both formats make the same of it, or only one fits."""
    found = _in_either(tree, site.call) if site.error is not None else None
    if found is not None:
        site.fields, site.call, site.error, site.either = found.fields, found.call, None, True
        site.notes.append(found.note)


def _in_either(tree: Tree, call: Call) -> Read | None:
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
    read = [one for one in map(_read, calls) if one is not None]
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


def _read(call: Call) -> Read | None:
    """What a call says by itself; None where it cannot be read, or is several pools."""
    try:
        fields = fields_of(call)
    except PoolkitError:
        return None
    return Read(fields, call) if not isinstance(fields, Operation) else None


def _bare(fields: Fields) -> Fields:
    return {name: value for name, value in fields.items() if name not in ("layout", "axes")}


# ------------------------------------------------------------------------------------------- calls that differ in more


def choices(tree: Tree, names: Names, site: Site) -> None:
    """Read a site whose padding or `keepdims` is a variable, once for each value that it may have."""
    if site.error is None or isinstance(site.error, NotPooling) or site.role == "spec":
        return
    call = by_name(site.call)
    given = [(name, value) for name, value in call.kwargs if isinstance(value, Expression)]
    for name, value in given:
        text = value.text if isinstance(expression(value.text), PLAIN) else f"({value.text})"
        if name in KEEP:
            _cases(tree, site, text, [with_value(call, name, option) for option in (True, False)])
        elif name == "padding" and site.word.startswith(table.every(lambda usage: usage.same_or_valid)):
            calls = [with_value(call, name, option) for option in ("same", "valid")]
            _cases(tree, site, f'{text}.lower() == "same"', calls)
        if site.cases:
            site.notes.append(NOTE.format(f"{name}={value.text}"))
            return


def _cases(tree: Tree, site: Site, condition: str, calls: list[Call]) -> None:
    read = [_read(call) or _in_either(tree, call) for call in calls]
    cases = [one for one in read if one is not None]
    if len(cases) < len(calls):
        return
    site.fields, site.error, site.either = cases[0].fields, None, bool(cases[0].note)
    site.notes += filter(None, [cases[0].note])
    site.cases = [(condition, one.fields, one.call) for one in cases]


def by_case(site: Site) -> list[Site]:
    """A site for each case: with what the cases differ in, and all else as it is by now."""
    (_, first, _), (_, second, _) = site.cases
    names = [name for name in first.keys() | second.keys() if first.get(name) != second.get(name)]
    now: Any = site.fields
    return [
        replace(site, fields={**now, **{name: fields[name] for name in names if name in fields}}, call=call)
        for _, fields, call in site.cases
    ]


def chosen_sites(tree: Tree, names: Names) -> Iterator[Site]:
    """``Pool = MaxPooling2D if kind == "max" else AveragePooling2D``: the calls of such a name.

    >>> source = "from torch import nn; P = nn.MaxPool2d if m else nn.AvgPool2d; y = P(2)(x)"
    >>> tree = Tree(source)
    >>> [[str(call) for _, _, call in site.cases] for site in chosen_sites(tree, Names(tree))]
    [['torch.nn.MaxPool2d(2)', 'torch.nn.AvgPool2d(2)']]
    """
    for node in tree.all(ast.Call):
        chosen = _choice(tree, node.func)
        full = [names.full(one) or "" for one in (chosen.body, chosen.orelse)] if chosen is not None else []
        if chosen is None or not all(is_word(one) and POOLS.search(one.rpartition(".")[2]) for one in full):
            continue
        calls = [Call(name, given.args, given.kwargs) for name in full for given in [names.call(node)]]
        dialect, word = spoken_in(calls[0])
        unread: Any = NotExactError("not read yet")
        site = Site(node, calls[0], word, dialect.name, "layer", node, error=unread, chosen=chosen)
        _cases(tree, applied(tree, site), ast.unparse(chosen.test), calls)
        if site.cases:
            site.caveats += filter(None, [names.guess(chosen.body)])
            yield site


def _choice(tree: Tree, func: Node) -> ast.IfExp | None:
    """The choice of two values that a name is given, if what decides it is the same where the name is called."""
    given = whole(tree, func) if isinstance(func, ast.Name) else None
    value = given.value if given is not None else None
    if not isinstance(value, ast.IfExp) or not all(map(_may_be_asked_again, walk(value.test))):
        return None
    flow, parts = flow_of(tree), [part for part in walk(value.test) if isinstance(part, ast.Name)]
    return value if all(flow.at(part.id, value) is flow.at(part.id, func) for part in parts) else None


def _may_be_asked_again(node: Node) -> bool:
    text = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("lower", "upper")
    return text or isinstance(node, PLAIN)
