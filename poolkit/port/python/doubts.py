"""Calls that pool by their names, and that nothing reads: names with two meanings, getattr."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from poolkit.dialects import table
from poolkit.port.python.names import Names, is_none, is_word
from poolkit.port.python.nodes import Node, last_name, literal, plain_name
from poolkit.port.python.sites import TOLD, Site
from poolkit.port.python.tree import Tree
from poolkit.port.python.unread import spelled_like_a_pool
from poolkit.port.report import Row


def doubts(tree: Tree, names: Names, to: str | None, found: Sequence[Site] = ()) -> Iterator[Row]:
    """A row for each such call.

    >>> tree = Tree("from keras import layers; y = getattr(layers, 'MaxPooling2D')(2)(x)")
    >>> [row.before for row in doubts(tree, Names(tree), "torch")]
    ["getattr(layers, 'MaxPooling2D')"]
    """
    handed = {site.outer for site in found if site.role == "handed"}
    for node in tree.all(ast.Call):
        why = _two_meanings(names, node, to)
        if why and all(value in handed for value in _meanings(names, node)):
            yield Row(f"line {tree.line(node)}", tree.text(node), "left", notes=(STOOD_IN,))
        elif why := why or _by_getattr(names, node, to):
            yield Row(f"line {tree.line(node)}", tree.text(node), "failed", notes=(why,))


STOOD_IN = "what it calls is decided when the program runs, and each that this file hands on has a stand-in"


def _meanings(names: Names, node: ast.Call) -> list[Node | None]:
    """What the file gives the name of a call that may be pooling."""
    name = plain_name(node.func) or ""
    bindings = names.tree.scope(node)[name.partition(".")[0]]
    return [one.value for one in bindings if one.full or (one.value is not None and not is_none(one))]


def _two_meanings(names: Names, node: ast.Call, to: str | None) -> str:
    full = names.doubtful(node.func)
    if full is None or root_of(full) == to or not (_pools(full) or (is_word(full) and _last(full) in TOLD)):
        return ""
    name = (plain_name(node.func) or "").partition(".")[0]
    return (
        f"{name} has more than one meaning in this file, {full} among them, and which one is called is not known here; "
        "give each its own name"
    )


def _by_getattr(names: Names, node: ast.Call, to: str | None) -> str:
    if last_name(node.func) != "getattr" or isinstance(node.func, ast.Attribute) or len(node.args) < 2:
        return ""
    module, name = names.full(node.args[0]), literal(node.args[1])
    if module is None or not isinstance(name, str) or root_of(module) == to:
        return ""
    full = f"{module}.{name}"
    return f"{full} comes by getattr, which is not read; write it with a dot" if _pools(full) else ""


def root_of(full: str) -> str | None:
    """The framework that a full name belongs to."""
    return next((d.name for d in table.dialects() if full.partition(".")[0] in d.roots), None)


def _last(full: str) -> str:
    return full.rpartition(".")[2]


def _pools(full: str) -> bool:
    return spelled_like_a_pool(_last(full))
