"""Calls that have an entry for each axis of a tensor: paddings, and how often an axis is repeated."""

from __future__ import annotations

import ast

from poolkit.port.python.names import Names
from poolkit.port.python.nodes import last_name
from poolkit.port.python.positions import SPATIAL, Order
from poolkit.port.python.ranks import Ranks
from poolkit.port.python.tensors import step_of
from poolkit.port.python.tree import Tree

EACH = ("tile", "broadcast_to", "expand", "repeat", "pad")
FROM_BEHIND = "it counts the axes from the last one on, in the order {}"
LISTS = (ast.Tuple, ast.List)


def moved_entries(tree: Tree, names: Names, node: ast.Call, order: Order, ranks: Ranks) -> tuple[str, str] | None:
    """The call in the other order and a note, "" where it stays; None for what has no entry for each axis.

    >>> tree = Tree("x.repeat(1, 1, h, w)")
    >>> moved_entries(tree, Names(tree), tree.all(ast.Call)[0], Order(last=False), Ranks(tree))
    ('x.repeat(1, h, w, 1)', '')
    """
    name, (_, tensor, rest) = last_name(node.func), step_of(names, node)
    listed = rest[0] if rest and isinstance(rest[0], LISTS) else None
    entries = listed.elts if isinstance(listed, LISTS) else [one for one in rest if one in node.args]
    known = ranks.of(tensor)
    if name not in EACH or tensor is None or not entries:
        return None
    if name == "pad" and not all(isinstance(one, LISTS) for one in entries):
        return ("", FROM_BEHIND.format(order.both(known or 4)[0])) if listed is not None else None
    if len(entries) not in SPATIAL or known not in (None, len(entries)):
        return None
    before, after = order.both(len(entries))
    texts = [tree.text(one) for one in entries]
    moved = [texts[before.index(letter)] for letter in after]
    (start, end), first, last = tree.span(node), tree.span(entries[0])[0], tree.span(entries[-1])[1]
    text = tree.data[start:first] + ", ".join(moved).encode() + tree.data[last:end]
    return (text.decode(), "") if moved != texts else ("", "")
