"""Layers one after the other: items of a Sequential, and ``model.add`` line after line."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import NamedTuple

from poolkit.port.python.edits import whole_line, without
from poolkit.port.python.nodes import Node, given, last_name
from poolkit.port.python.tree import Span, Tree


class Neighbour(NamedTuple):
    """A layer beside another one: its node, and the spans that go if it goes."""

    node: Node
    spans: tuple[Span, ...]


def after(tree: Tree, layer: Node) -> Neighbour | None:
    """The layer that follows one in a Sequential.

    >>> tree = Tree("m = keras.Sequential([a(), b(), c()])")
    >>> found = after(tree, tree.all(ast.Call)[1])
    >>> tree.text(found.node), found.spans
    ('b()', ((27, 32),))
    """
    return _beside(tree, layer, 1)


def before(tree: Tree, layer: Node) -> Neighbour | None:
    """The layer that precedes one in a Sequential."""
    return _beside(tree, layer, -1)


def model(tree: Tree, layer: Node) -> ast.Call | None:
    """The call of a Sequential that a layer is an item of."""
    call, _ = _items(tree, layer)
    return call


def _items(tree: Tree, layer: Node) -> tuple[ast.Call | None, Sequence[ast.expr]]:
    """The call of a Sequential around a layer, and its layers, which may be in a list."""
    around, items = tree.parent(layer), None
    if isinstance(around, ast.List | ast.Tuple):
        items, around = around.elts, tree.parent(around)
    around = tree.parent(around) if isinstance(around, ast.keyword) and items is not None else around
    if not isinstance(around, ast.Call) or last_name(around.func) != "Sequential" or around.func is layer:
        return None, ()
    return around, around.args if items is None else items


def _beside(tree: Tree, layer: Node, by: int) -> Neighbour | None:
    call, items = _items(tree, layer)
    if call is not None:
        return _item(tree, items, layer, by)
    around = tree.parent(layer)
    added = isinstance(around, ast.Call) and last_name(around.func) == "add" and around.func is not layer
    return _added(tree, around, by) if added and isinstance(around, ast.Call) else None


def _item(tree: Tree, items: Sequence[ast.expr], item: Node, by: int) -> Neighbour | None:
    at = _place(tree, items, item) + by
    if not 0 <= at < len(items):
        return None
    first = max(at - 1, 0)
    around = [tree.span(one) for one in items[first : at + 2]]
    return Neighbour(items[at], tuple(without(around, {at - first})))


def _place(tree: Tree, several: Sequence[Node], node: Node) -> int:
    """Which one of several nodes a node is: they are counted once, for a file may have thousands side by side."""
    places: dict[Node, int] = tree.once((_place, several[0]), lambda: {one: n for n, one in enumerate(several)})
    return places[node]


def _added(tree: Tree, call: ast.Call, by: int) -> Neighbour | None:
    """The layer of the line before or after, where that adds to the same model."""
    line = tree.parent(call)
    if not isinstance(line, ast.Expr):
        return None
    block = tree.block(line)
    at = _place(tree, block, line) + by
    other = block[at] if 0 <= at < len(block) else None
    beside = other.value if isinstance(other, ast.Expr) and len(tree.beside(other)) == 1 else None
    if not isinstance(beside, ast.Call) or len(given(beside)) != 1 or tree.text(beside.func) != tree.text(call.func):
        return None
    return Neighbour(given(beside)[0], (whole_line(tree, tree.span(beside)),))
