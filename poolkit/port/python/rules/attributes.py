"""Attributes of a layer that a program reads later, as ``pool.kernel_size``: the port's layer has others."""

from __future__ import annotations

import ast

from poolkit.port.python.names import Names
from poolkit.port.python.nodes import Node, plain_name, target_of
from poolkit.port.python.sites import Site
from poolkit.port.python.tree import Tree

READ = "line {} reads {} of it, which the layer that it becomes has not; write there what it is"


def attributes(tree: Tree, names: Names, site: Site) -> None:
    """``self.pool = SelectAdaptivePool2d(...)`` and ``self.pool.feat_mult()`` elsewhere in its class."""
    if site.role != "layer":
        return
    name = plain_name(target_of(tree.parent(site.outer)))
    for node in _readers(tree).get(name, []) if name else []:
        if _scope(tree, node, name or "") is _scope(tree, site.outer, name or ""):
            site.caveats.append(READ.format(tree.line(node), node.attr))


def _readers(tree: Tree) -> dict[str, list[ast.Attribute]]:
    """The attributes that a file reads, by the text of what has them."""

    def found() -> dict[str, list[ast.Attribute]]:
        made: dict[str, list[ast.Attribute]] = {}
        for node in tree.all(ast.Attribute):
            name = plain_name(node.value) if isinstance(node.ctx, ast.Load) else None
            if name and not node.attr.startswith("__"):
                made.setdefault(name, []).append(node)
        return made

    return tree.once(_readers, found)


def _scope(tree: Tree, node: Node, name: str) -> object:
    """Where a name has one meaning: a class for what is stored in `self`, a function or the module for others."""
    if name.startswith("self."):
        return tree.around(node, ast.ClassDef)
    bindings = tree.scope(node)[name.partition(".")[0]]
    return bindings[0].scope if bindings else None
