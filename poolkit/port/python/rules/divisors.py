"""A sum that is divided by sizes: where the order of the axes changes, so do the positions of these."""

from __future__ import annotations

import ast

from poolkit.port.python.names import Names
from poolkit.port.python.nodes import Node, entries_of, last_name, literal, walk
from poolkit.port.python.rules.order_after import results
from poolkit.port.python.sites import Site
from poolkit.port.python.tree import Tree
from poolkit.port.python.uses import flow_of

SIZES = ("shape", "int_shape", "size", "get_shape")
DIVIDES = (ast.Div, ast.FloorDiv, ast.Mult)
COUNTED = "{} beside it counts the axes of the original, {}; write it anew"


def divided(tree: Tree, names: Names, site: Site) -> None:
    """``tf.reduce_sum(x, [1, 2]) / (x.shape[1] * x.shape[2])`` is a mean only with the sizes of H and W."""
    for node in results(tree, site) if site.read.get("kind") == "sum" else ():
        around = tree.parent(node)
        if not isinstance(around, ast.BinOp) or not isinstance(around.op, DIVIDES):
            continue
        other = around.right if around.left is node else around.left
        taken = dict.fromkeys(tree.text(one) for part in _parts(tree, other) for one in walk(part) if _is_size(one))
        if taken:
            site.if_moved.append(COUNTED.format(tree.text(other), " and ".join(taken)))


def _parts(tree: Tree, node: Node) -> list[Node]:
    """An expression, and the values of the numbers that it names, of which no size is taken there."""
    names = [one for one in walk(node) if isinstance(one, ast.Name) and not _is_tensor(tree, one)]
    named = [flow_of(tree).at(one.id, one) for one in names]
    return [node, *(one.value for one in named if one is not None and one.value is not None)]


def _is_tensor(tree: Tree, name: ast.Name) -> bool:
    around = tree.parent(name)
    return isinstance(around, ast.Attribute) or (isinstance(around, ast.Call) and last_name(around.func) in SIZES)


def _is_size(node: Node) -> bool:
    """Whether a node is the sizes of axes by their positions, other than the batch's alone."""
    if isinstance(node, ast.Call):
        at = literal(node.args[0]) if last_name(node.func) == "size" and len(node.args) == 1 else 0
        return isinstance(at, int) and at != 0
    if not isinstance(node, ast.Subscript):
        return False
    taken = node.value.func if isinstance(node.value, ast.Call) else node.value
    return last_name(taken) in SIZES and [literal(one) for one in entries_of(node)] != [0]
