"""Modules that a file has from elsewhere and that its own spelling gives away: `layers` of ``layers.MaxPooling2D(2)``.

Where a name comes from a package's own modules, from ``kwargs["layers"]`` or a parameter, nothing in the file says what
it is. A pool that is spelled as only one framework spells it does, and a row says that this was taken for granted.
"""

from __future__ import annotations

import ast
import re

from poolkit.port.python.nodes import Import, Node, plain_name
from poolkit.port.python.tree import Tree

# What only one framework calls its classes: Keras writes the number with a D, PyTorch with a d.
SPELLINGS = {
    "keras.layers": re.compile(r"(Global)?(Max|Average|Avg)Pool(ing)?[123]D"),
    "torch.nn": re.compile(r"(Adaptive)?(Max|Avg)Pool[123]d"),
}
# The names that modules with a framework's own layers have; any other module may hold classes of the project's own.
MODULES = {"keras.layers": ("layers", "keras", "KL", "kl", "L", "nn"), "torch.nn": ("nn",)}
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
    for node in tree.all(ast.Attribute):
        for module in _modules(node.attr):
            value = plain_name(node.value)
            if value is not None and _may_be(tree, node, value, module):
                found.setdefault(value, set()).add(module)
    return {value: modules.pop() for value, modules in found.items() if len(modules) == 1} | _starred(tree)


def _modules(name: str) -> list[str]:
    return [module for module, spelling in SPELLINGS.items() if spelling.fullmatch(name)]


def _may_be(tree: Tree, node: Node, value: str, module: str) -> bool:
    """Whether nothing in the file says that a name is anything else."""
    first, last = value.partition(".")[0], value.rpartition(".")[2]
    assignments = tree.scope(node)[first]
    if any(isinstance(one.node, ast.ClassDef) for one in assignments) or value == "self":
        return False
    if module == "torch.nn":  # which frameworks that are no PyTorch call theirs, too
        own = [one.node for one in assignments if isinstance(one.node, Import)]
        return last in MODULES[module] and all(isinstance(node, ast.ImportFrom) and node.level for node in own)
    if not assignments or any(isinstance(one.node, Import) for one in assignments) or "." in value:
        return last in MODULES[module]
    return True


def _starred(tree: Tree) -> dict[str, str]:
    """Keras's classes that nothing in the file gives a value, where it imports everything of its own modules."""
    if not any(node.names[0].name == "*" for node in tree.all(ast.ImportFrom)):
        return {}
    names = {node.id for node in tree.all(ast.Name) if SPELLINGS["keras.layers"].fullmatch(node.id)}
    scope = tree.scope(tree.module)
    return {name: f"keras.layers.{name}" for name in names if name not in scope}


def imported(tree: Tree, name: str, at: Node) -> str | None:
    """What an import of the file calls a name in full; None where it is no import's."""
    first, dot, rest = name.partition(".")
    return min((f"{one.full}{dot}{rest}" for one in tree.scope(at)[first] if one.full), default=None)
