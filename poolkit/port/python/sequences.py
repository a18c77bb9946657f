"""Layers one after the other: items of a Sequential, and ``model.add`` line after line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import libcst as cst

from poolkit.port.python.edits import whole_line, without
from poolkit.port.python.tree import Node, Span, Tree


class Neighbour(NamedTuple):
    """A layer beside another one: its node, and the spans that go if it goes."""

    node: Node
    spans: tuple[Span, ...]


def after(tree: Tree, layer: Node) -> Neighbour | None:
    """The layer that follows one in a Sequential.

    >>> tree = Tree("m = keras.Sequential([a(), b(), c()])")
    >>> found = after(tree, tree.all(cst.Call)[1])
    >>> tree.text(found.node), found.spans
    ('b()', ((27, 32),))
    """
    return _beside(tree, layer, 1)


def before(tree: Tree, layer: Node) -> Neighbour | None:
    """The layer that precedes one in a Sequential."""
    return _beside(tree, layer, -1)


def model(tree: Tree, layer: Node) -> cst.Call | None:
    """The call of a Sequential that a layer is an item of."""
    around = tree.parent(layer)
    several = tree.parent(around) if around is not None else None
    if isinstance(around, cst.Element) and several is not None and _listed(tree, several):
        several = tree.parent(tree.parent(several) or several)
    return several if isinstance(several, cst.Call) and _last(several.func) == "Sequential" else None


def _beside(tree: Tree, layer: Node, by: int) -> Neighbour | None:
    around = tree.parent(layer)
    several = tree.parent(around) if around is not None else None
    if isinstance(around, cst.Element) and isinstance(several, cst.List | cst.Tuple):
        return _item(tree, several.elements, around, by) if _listed(tree, several) else None
    if not isinstance(around, cst.Arg) or around.keyword is not None or not isinstance(several, cst.Call):
        return None
    if _last(several.func) == "Sequential":
        return _item(tree, several.args, around, by)
    return _added(tree, several, by) if _last(several.func) == "add" else None


def _last(func: Node) -> str:
    if isinstance(func, cst.Attribute):
        return func.attr.value
    return func.value if isinstance(func, cst.Name) else ""


def _listed(tree: Tree, several: Node) -> bool:
    """Whether a list is that of a Sequential's layers."""
    call = tree.parent(tree.parent(several) or several)
    return isinstance(call, cst.Call) and _last(call.func) == "Sequential"


def _item(tree: Tree, items: Sequence[cst.BaseElement | cst.Arg], item: Node, by: int) -> Neighbour | None:
    at = _place(tree, items, item) + by
    if not 0 <= at < len(items) or (isinstance(found := items[at], cst.Arg) and found.keyword is not None):
        return None
    first = max(at - 1, 0)
    around = [tree.span(one.value) for one in items[first : at + 2]]
    return Neighbour(items[at].value, tuple(without(around, {at - first})))


def _place(tree: Tree, several: Sequence[Node], node: Node) -> int:
    """Which one of several nodes a node is: they are counted once, for a file may have thousands side by side."""
    places: dict[Node, int] = tree.once((_place, several[0]), lambda: {one: n for n, one in enumerate(several)})
    return places[node]


def _added(tree: Tree, call: cst.Call, by: int) -> Neighbour | None:
    """The layer of the line before or after, where that adds to the same model."""
    line = tree.parent(tree.parent(call) or call)
    block = tree.parent(line) if line is not None else None
    if line is None or not isinstance(block, cst.IndentedBlock | cst.Module):
        return None
    at = _place(tree, block.body, line) + by
    other = block.body[at] if 0 <= at < len(block.body) else None
    statement = other.body[0] if isinstance(other, cst.SimpleStatementLine) and len(other.body) == 1 else None
    beside = statement.value if isinstance(statement, cst.Expr) else None
    if not isinstance(beside, cst.Call) or len(beside.args) != 1 or tree.text(beside.func) != tree.text(call.func):
        return None
    return Neighbour(beside.args[0].value, (whole_line(tree, tree.span(beside)),))
