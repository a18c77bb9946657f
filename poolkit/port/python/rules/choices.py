"""What only the program knows, where its values make different pools of a call: each is written, with an `if`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from poolkit.dialects import table
from poolkit.dialects.calls import Call, Expression
from poolkit.dialects.dialect import NotPooling
from poolkit.dialects.reading import spoken_in
from poolkit.errors import NotExactError
from poolkit.port.python.names import Names, is_word
from poolkit.port.python.nodes import Node, expression, walk
from poolkit.port.python.rules.either_order import by_name, in_either, read_alone, with_value
from poolkit.port.python.sites import POOLS, Site, applied
from poolkit.port.python.tree import Tree
from poolkit.port.python.uses import flow_of, whole

KEEP = ("keepdims", "keepdim", "keep_dims")
NOTE = "{} is only known when the program runs, and each case is written"

# Parts of a condition that may be asked again; `walk` leaves out operators.
PLAIN = (ast.Name, ast.Attribute, ast.Compare, ast.Constant, ast.BoolOp, ast.UnaryOp)


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
    read = [read_alone(call) or in_either(tree, call) for call in calls]
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
