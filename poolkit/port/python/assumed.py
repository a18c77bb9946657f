"""Modules that a file has from elsewhere and that its own spelling gives away: `layers` of ``layers.MaxPooling2D(2)``.

Where a name comes from a package's own modules, from ``kwargs["layers"]`` or a parameter, nothing in the file says what
it is. A pool that is spelled as only one framework spells it does, and a row says that this was taken for granted.
"""

from __future__ import annotations

import ast

from poolkit.dialects import table
from poolkit.dialects.usage import Spelling
from poolkit.port.python.nodes import Import, Node, plain_name
from poolkit.port.python.tree import Tree

# Frameworks that spell their pools as one of these does, and take other arguments.
OTHERS = "chainer gluon jittor megengine mindspore mlx mxnet objax oneflow paddle sonnet tensorlayer tinygrad"
FOREIGN = frozenset(OTHERS.split(" "))


def assumed(tree: Tree, roots: set[str]) -> dict[str, str]:
    """What names of a file stand for by the pools that are called on them, and star imports of its own modules.

    >>> assumed(Tree("def f(x, kl): return kl.AveragePooling2D(2)(x)"), set())
    {'kl': 'keras.layers'}
    """
    if roots & FOREIGN:
        return {}
    found: dict[str, set[str]] = {}
    spellings = [d.usage.spelling for d in table.dialects() if d.usage.spelling is not None]
    for node in tree.all(ast.Attribute):
        for spelling in spellings:
            value = plain_name(node.value) if spelling.classes.fullmatch(node.attr) else None
            if value is not None and _may_be(tree, node, value, spelling):
                found.setdefault(value, set()).add(spelling.module)
    sure = {value: modules.pop() for value, modules in found.items() if len(modules) == 1}
    for spelling in spellings:
        sure |= {} if spelling.shared else _starred(tree, spelling)
    return sure


def _may_be(tree: Tree, node: Node, value: str, spelling: Spelling) -> bool:
    """Whether nothing in the file says that a name is anything else."""
    first, last = value.partition(".")[0], value.rpartition(".")[2]
    assignments = tree.scope(node)[first]
    if any(isinstance(one.node, ast.ClassDef) for one in assignments) or value == "self":
        return False
    if spelling.shared:
        own = [one.node for one in assignments if isinstance(one.node, Import)]
        return last in spelling.names and all(isinstance(node, ast.ImportFrom) and node.level for node in own)
    if not assignments or any(isinstance(one.node, Import) for one in assignments) or "." in value:
        return last in spelling.names
    return True


def _starred(tree: Tree, spelling: Spelling) -> dict[str, str]:
    """A framework's classes that nothing in the file gives a value, where it imports everything of its own modules."""
    if not any(node.names[0].name == "*" for node in tree.all(ast.ImportFrom)):
        return {}
    names = {node.id for node in tree.all(ast.Name) if spelling.classes.fullmatch(node.id)}
    scope = tree.scope(tree.module)
    return {name: f"{spelling.module}.{name}" for name in names if name not in scope}


def imported(tree: Tree, name: str, at: Node) -> str | None:
    """What an import of the file calls a name in full; None where it is no import's."""
    first, dot, rest = name.partition(".")
    return min((f"{one.full}{dot}{rest}" for one in tree.scope(at)[first] if one.full), default=None)
