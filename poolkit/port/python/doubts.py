"""Calls that pool by their names, and that nothing reads: of names with two meanings."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from poolkit.dialects import table
from poolkit.port.python.names import Names, is_none, is_word
from poolkit.port.python.nodes import Node, plain_name
from poolkit.port.python.sites import TOLD, Site
from poolkit.port.python.tree import Tree
from poolkit.port.python.unread import spelled_like_a_pool
from poolkit.port.report import Row


def doubts(tree: Tree, names: Names, to: str | None, found: Sequence[Site] = ()) -> Iterator[Row]:
    r"""A row for each such call.

    >>> tree = Tree("from keras import layers\ndef f(P=layers.MaxPooling2D): return P(2)(x)")
    >>> [row.before for row in doubts(tree, Names(tree), "torch")]
    ['P(2)']
    """
    handed = {site.outer for site in found if site.role == "handed"}
    for node in tree.all(ast.Call):
        why = _two_meanings(names, node, to)
        if why and all(value in handed for value in _meanings(names, node)):
            yield Row(f"line {tree.line(node)}", tree.text(node), "left", notes=(STOOD_IN,))
        elif why:
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


def root_of(full: str) -> str | None:
    """The framework that a full name belongs to."""
    return next((d.name for d in table.dialects() if full.partition(".")[0] in d.roots), None)


def _last(full: str) -> str:
    return full.rpartition(".")[2]


def _pools(full: str) -> bool:
    return spelled_like_a_pool(_last(full))
