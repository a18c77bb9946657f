"""Calls that have an entry for each axis of a tensor: paddings, and how often an axis is repeated."""

from __future__ import annotations

import ast

from poolkit.port.python.names import Names
from poolkit.port.python.nodes import last_name
from poolkit.port.python.positions import SPATIAL, Order
from poolkit.port.python.tensors import Tensors

EACH = ("tile", "broadcast_to", "expand", "repeat", "pad")
FROM_BEHIND = "it counts the axes from the last one on, in the order {}"
LISTS = (ast.Tuple, ast.List)


def has_entries(names: Names, call: ast.Call) -> bool:
    """Whether a call may have an entry for each axis; the `repeat` of slim is given a function, and repeats that."""
    return last_name(call.func) in EACH and all(names.full(one) is None for one in call.args)


def moved_entries(tensors: Tensors, node: ast.Call, order: Order) -> tuple[str, str] | None:
    """The call in the other order and a note, "" where it stays; None for what has no entry for each axis.

    >>> from poolkit.port.python.tensors import tensors_of
    >>> from poolkit.port.python.tree import Tree
    >>> tree = Tree("x.repeat(1, 1, h, w)")
    >>> moved_entries(tensors_of(tree, Names(tree)), tree.all(ast.Call)[0], Order(last=False))
    ('x.repeat(1, h, w, 1)', '')
    """
    tree, tensor = tensors.tree, tensors.of(node)
    listed = next((one for one in tensor.rest[:1] if isinstance(one, LISTS)), None)
    entries = listed.elts if listed is not None else [one for one in tensor.rest if one in node.args]
    if tensor.before is None or not entries or not has_entries(tensors.names, node):
        return None
    known = tensor.before.rank
    if last_name(node.func) == "pad" and not all(isinstance(one, LISTS) for one in entries):
        return ("", FROM_BEHIND.format(order.both(known or 4)[0])) if listed is not None else None
    if len(entries) not in SPATIAL or known not in (None, len(entries)):
        return None
    before, after = order.both(len(entries))
    texts = [tree.text(one) for one in entries]
    moved = [texts[before.index(letter)] for letter in after]
    (start, end), first, last = tree.span(node), tree.span(entries[0])[0], tree.span(entries[-1])[1]
    text = tree.data[start:first] + ", ".join(moved).encode() + tree.data[last:end]
    return (text.decode(), "") if moved != texts else ("", "")
