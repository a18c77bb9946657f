"""Axes in a row: ``list(range(1, 3))``, ``tuple(range(2, x.dim()))``, ``[*range(1, 3)]``."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from poolkit.port.python.names import Names
from poolkit.port.python.nodes import Node, expression, last_name, literal
from poolkit.port.python.sites import Site
from poolkit.port.python.tensors import tensors_of
from poolkit.port.python.tree import Tree
from poolkit.port.python.uses import meant

RANK = re.compile(r"len\(.*shape.*\)|.*\b(ndims?|rank|dim)(\(.*\))?")
LISTS = ("list", "tuple", "sorted")
MOST_AXES = 8


def ranged(tree: Tree, names: Names, site: Site) -> Sequence[int] | None:
    """The axes that a range of computed ones is; none of them where a number of axes is not known, None for no range.

    >>> from poolkit.port.python.sites import sites
    >>> tree = Tree("import torch; y = x.mean(list(range(-2, 0)))")
    >>> ranged(tree, Names(tree), sites(tree, Names(tree))[0])
    range(-2, 0)
    """
    node = meant(tree, expression(site.computed), site.node)
    if isinstance(node, ast.List | ast.Tuple) and len(node.elts) == 1 and isinstance(node.elts[0], ast.Starred):
        node = node.elts[0].value
    while isinstance(node, ast.Call) and last_name(node.func) in LISTS and len(node.args) == 1:
        node = node.args[0]
    if not isinstance(node, ast.Call) or last_name(node.func) != "range" or not 1 < len(node.args) < 3:
        return None  # of one number it begins with the batch
    rank = tensors_of(tree, names).rank(site.tensor, site.node) if isinstance(site.tensor, ast.expr) else None
    start, stop = (_number(tree, one, site.node, rank) for one in node.args)
    if not start:
        return None
    found = range(start, stop) if stop is not None else range(0)
    return found if len(found) <= MOST_AXES else range(0)


def _number(tree: Tree, node: ast.expr, at: Node, rank: int | None) -> int | None:
    """A number, the number of axes, or the sum or difference of two of these."""
    node = meant(tree, node, at)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        left, right = (_number(tree, one, at, rank) for one in (node.left, node.right))
        sign = 1 if isinstance(node.op, ast.Add) else -1
        return left + sign * right if left is not None and right is not None else None
    value = literal(node)
    return value if type(value) is int else rank if RANK.fullmatch(ast.unparse(node)) else None
