"""Modules that a file has from elsewhere and that its own spelling gives away: `layers` of ``layers.MaxPooling2D(2)``.

Where a name comes from a package's own modules, from ``kwargs["layers"]`` or a parameter, nothing in the file says what
it is. A pool that is spelled as only one framework spells it does, and a row says that this was taken for granted.
"""

from __future__ import annotations

import re

import libcst as cst
from libcst.metadata import ImportAssignment, QualifiedNameSource

from poolkit.port.python.tree import Node, Tree, plain_name

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
    for node in tree.all(cst.Attribute):
        for module in _modules(node.attr.value):
            value = plain_name(node.value)
            if value is not None and _may_be(tree, node, value, module):
                found.setdefault(value, set()).add(module)
    return {value: modules.pop() for value, modules in found.items() if len(modules) == 1} | _starred(tree)


def _modules(name: str) -> list[str]:
    return [module for module, spelling in SPELLINGS.items() if spelling.fullmatch(name)]


def _may_be(tree: Tree, node: Node, value: str, module: str) -> bool:
    """Whether nothing in the file says that a name is anything else."""
    first, last = value.partition(".")[0], value.rpartition(".")[2]
    scope = tree.scope(node)
    assignments = list(scope[first]) if first in scope else []
    if any(isinstance(one.node, cst.ClassDef) for one in assignments if hasattr(one, "node")) or value == "self":
        return False
    if module == "torch.nn":  # which frameworks that are no PyTorch call theirs, too
        own = [one.node for one in assignments if isinstance(one, ImportAssignment)]
        return last in MODULES[module] and all(isinstance(node, cst.ImportFrom) and node.relative for node in own)
    if not assignments or any(isinstance(one, ImportAssignment) for one in assignments) or "." in value:
        return last in MODULES[module]
    return True


def _starred(tree: Tree) -> dict[str, str]:
    """Keras's classes that nothing in the file gives a value, where it imports everything of its own modules."""
    if not any(isinstance(node.names, cst.ImportStar) for node in tree.all(cst.ImportFrom)):
        return {}
    names = {node.value for node in tree.all(cst.Name) if SPELLINGS["keras.layers"].fullmatch(node.value)}
    scope = tree.scope(tree.module)
    return {name: f"keras.layers.{name}" for name in names if name not in scope}


def imported(tree: Tree, name: str, at: Node) -> str | None:
    """What an import of the file calls a name in full; None where it is no import's."""
    found = tree.scope(at).get_qualified_names_for(name)
    return next((one.name for one in sorted(found, key=str) if one.source is QualifiedNameSource.IMPORT), None)
