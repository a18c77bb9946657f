"""Imports of a ported file: those that the new code needs, and those of frameworks that nothing needs any more."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

import libcst as cst

from poolkit.porting.edits import Edits, whole_line, without
from poolkit.porting.names import framework, plain_name
from poolkit.porting.tree import Node, Span, Tree, python
from poolkit.reading import spelled

# A dotted name begins with -> the name that stands for it, and the import that puts it there.
USUAL = {
    "tensorflow": ("tf", "import tensorflow as tf"),
    "jax.numpy": ("jnp", "import jax.numpy as jnp"),
    "flax.linen": ("linen", "from flax import linen"),
    "flax.nnx": ("nnx", "from flax import nnx"),
    "numpy": ("np", "import numpy as np"),
    "poolkit": ("pk", "import poolkit as pk"),
}


@dataclass
class Imports:
    """The names under which a file has modules, and what is to be imported besides.

    >>> imports = Imports(Tree("import torch.nn as nn"))
    >>> imports.short("torch.nn.MaxPool2d"), imports.short("torch.amax"), sorted(imports.added)
    ('nn.MaxPool2d', 'torch.amax', ['import torch'])
    """

    tree: Tree
    added: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.bound = dict(_bound(self.tree))
        self.taken = {name.value for name in self.tree.all(cst.Name)}

    def short(self, dotted: str) -> str:
        """A dotted name as the file says it."""
        fitting = [(full, alias) for alias, full in self.bound.items() if f"{dotted}.".startswith(f"{full}.")]
        if fitting:
            full, alias = max(fitting, key=lambda pair: len(pair[0]))
            return f"{alias}{dotted.removeprefix(full)}"
        prefix = next((prefix for prefix in USUAL if dotted.startswith(f"{prefix}.")), None)
        alias, line = USUAL[prefix] if prefix else ("", "")
        if prefix is None or alias in self.taken:
            prefix = prefix or dotted.partition(".")[0]
            alias, line = prefix, f"import {prefix}"
        self.added.add(line)
        return f"{alias}{dotted.removeprefix(prefix)}"


def _bound(tree: Tree) -> Iterator[tuple[str, str]]:
    """The aliases that the module's own imports make, for names that nothing else assigns."""
    scope = tree.scope(tree.module)
    for statement in _statements(tree):
        for alias, name, full in _aliases(statement):
            here = name if plain_name(alias.name) == full and alias.asname is None else full
            if len(list(scope[name])) == 1:
                yield name, spelled(here)


def _statements(tree: Tree) -> Iterator[cst.Import | cst.ImportFrom]:
    for line in tree.module.body:
        for statement in line.body if isinstance(line, cst.SimpleStatementLine) else ():
            if isinstance(statement, cst.Import | cst.ImportFrom):
                yield statement


def _aliases(statement: cst.Import | cst.ImportFrom) -> Iterator[tuple[cst.ImportAlias, str, str]]:
    """Each name of an import: its node, the name that it binds, and what is imported in full."""
    before = ""
    if isinstance(statement, cst.ImportFrom):
        if isinstance(statement.names, cst.ImportStar) or statement.module is None or statement.relative:
            return
        before = f"{plain_name(statement.module)}."
    assert not isinstance(statement.names, cst.ImportStar)
    for alias in statement.names:
        full = f"{before}{plain_name(alias.name)}"
        named = plain_name(alias.asname.name) if alias.asname is not None else None
        yield alias, named or (full.partition(".")[0] if not before else full.rpartition(".")[2]), full


# ------------------------------------------------------------------------------------------------ after the rewriting


def finish(tree: Tree, edits: Edits, imports: Imports) -> str:
    """The ported file with the imports that it needs."""
    before, after = _used(tree.source), _used(edits.applied())
    first = _drop(tree, edits, before - after)
    if imports.added:
        ending = "\r\n" if b"\r\n" in tree.data else "\n"
        at = first if first is not None else _place(tree)
        lines = "".join(f"{line}{ending}" for line in sorted(imports.added))
        if at == len(tree.data) and not tree.data.endswith(b"\n") and tree.data:
            lines = ending + lines
        edits.insert(at, lines)
    return edits.applied()


def _used(source: str) -> set[str]:
    """Every name that code uses, and every word of a string, which may be an annotation or an entry of __all__."""
    used: set[str] = set()
    for node in ast.walk(python(source)):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            used.add(node.id)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and len(node.value) < 200:
            used.add(node.value.partition(".")[0].partition("[")[0])
    return used


def _drop(tree: Tree, edits: Edits, unused: set[str]) -> int | None:
    """Remove the frameworks' imports, and assignments such as ``layers = keras.layers``, of names no longer used."""
    first: int | None = None
    again = True
    gone: set[Node] = set()
    while again:
        again = False
        for node in _bindings(tree):
            if node not in gone and _drop_one(tree, edits, node, unused):
                gone.add(node)
                start = whole_line(tree, tree.span(node))[0]
                at_top = tree.parent(tree.parent(node) or node) is tree.module
                if at_top and isinstance(node, cst.Import | cst.ImportFrom):
                    first = start if first is None else min(first, start)
                again = True
        unused |= _used(tree.source) - _used(edits.applied())
    return first


def _bindings(tree: Tree) -> list[Node]:
    several: list[Node] = [*tree.all(cst.Import), *tree.all(cst.ImportFrom), *tree.all(cst.Assign)]
    return sorted(several, key=tree.span)


def _drop_one(tree: Tree, edits: Edits, node: Node, unused: set[str]) -> bool:
    if isinstance(node, cst.Assign):
        target = node.targets[0].target
        dotted = plain_name(node.value)
        alias = len(node.targets) == 1 and isinstance(target, cst.Name) and target.value in unused
        return bool(alias and dotted and "." in dotted) and remove_statement(tree, edits, node)
    assert isinstance(node, cst.Import | cst.ImportFrom)
    names = list(_aliases(node))
    removed = {n for n, (_, name, full) in enumerate(names) if name in unused and framework(full)}
    if not removed:
        return False
    if len(removed) == len(names):
        return remove_statement(tree, edits, node)
    edits.remove(*without([tree.span(alias) for alias, _, _ in names], removed))
    return True


def remove_statement(tree: Tree, edits: Edits, node: Node) -> bool:
    """Remove a statement with its line; False where it is the only one of its block."""
    line = tree.parent(node)
    if not isinstance(line, cst.SimpleStatementLine):
        return False
    if len(line.body) > 1:
        spans = [tree.span(statement) for statement in line.body]
        edits.remove(*without(spans, {list(line.body).index(node)}))  # type: ignore[arg-type]
        return True
    block = tree.parent(line)
    if isinstance(block, cst.IndentedBlock) and len(block.body) == 1:
        return False
    edits.remove(whole_line(tree, tree.span(node)))
    return True


def _place(tree: Tree) -> int:
    """After the imports at the top of the file, or before its first statement."""
    at: Span | None = None
    for n, line in enumerate(tree.module.body):
        first = line.body[0] if isinstance(line, cst.SimpleStatementLine) else None
        docstring = n == 0 and isinstance(first, cst.Expr) and isinstance(first.value, cst.SimpleString)
        if not (docstring or isinstance(first, cst.Import | cst.ImportFrom)):
            break
        at = tree.span(line)
    return whole_line(tree, at)[1] if at is not None else 0
