"""Imports of a ported file: those that the new code needs, and those of frameworks that nothing needs any more."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

import libcst as cst

from poolkit.porting.python.edits import Edits, whole_line, without
from poolkit.porting.python.names import Names, framework, plain_name
from poolkit.porting.python.tree import Node, Span, Tree, python
from poolkit.words.reading import spelled

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
    added: set[str] = field(default_factory=set[str])

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


def finish(tree: Tree, names: Names, edits: Edits, imports: Imports) -> str:
    """The ported file with the imports that it needs."""
    before, after = _used(tree.source), _used(edits.applied())
    first = _drop(tree, names, edits, before - after)
    if imports.added:
        at = first if first is not None else _place(tree)
        lines = "".join(f"{line}{tree.newline}" for line in sorted(imports.added))
        if at == len(tree.data) and not tree.data.endswith(b"\n") and tree.data:
            lines = tree.newline + lines
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


def _drop(tree: Tree, names: Names, edits: Edits, unused: set[str]) -> int | None:
    """Remove what only gives names that are no longer used; where the first import of the module was."""
    gone: set[Node] = set()
    while True:
        more = [node for node in tree.all(cst.Assign) if node not in gone and _is_alias(names, node, unused)]
        if not more:
            break
        gone |= set(more)
        _remove(tree, edits, gone)
        unused = unused | (_used(tree.source) - _used(edits.applied()))
    parts = {node: part for node in _imports(tree) if (part := _unused_part(node, unused))}
    gone |= {node for node, (removed, of) in parts.items() if len(removed) == len(of)}
    for node, (removed, of) in parts.items():
        if node not in gone:
            edits.remove(*without([tree.span(alias) for alias in of], removed))
    _remove(tree, edits, gone)
    at_top = [node for node in parts if tree.parent(tree.parent(node) or node) is tree.module]
    return min((whole_line(tree, tree.span(node))[node not in gone] for node in at_top), default=None)


def _imports(tree: Tree) -> list[cst.Import | cst.ImportFrom]:
    return sorted([*tree.all(cst.Import), *tree.all(cst.ImportFrom)], key=tree.span)


def _is_alias(names: Names, node: cst.Assign, unused: set[str]) -> bool:
    """Whether it is ``layers = keras.layers``, with a name that is no longer used."""
    target = node.targets[0].target
    alias = len(node.targets) == 1 and isinstance(target, cst.Name) and target.value in unused
    return alias and names.full(node.value) is not None


def _unused_part(node: cst.Import | cst.ImportFrom, unused: set[str]) -> tuple[set[int], list[cst.ImportAlias]] | None:
    """Which names of an import are no longer used, and all of them; None where it is to stay as it is."""
    aliases = list(_aliases(node))
    removed = {n for n, (_, name, full) in enumerate(aliases) if name in unused and framework(full)}
    return (removed, [alias for alias, _, _ in aliases]) if removed else None


def _remove(tree: Tree, edits: Edits, gone: set[Node]) -> None:
    """Remove statements with their lines; `pass` takes the place of all that a block has."""
    for line in {tree.parent(node) for node in gone}:
        assert isinstance(line, cst.SimpleStatementLine)
        at = {n for n, statement in enumerate(line.body) if statement in gone}
        spans = [tree.span(statement) for statement in line.body]
        whole = (spans[0][0], spans[-1][1])
        for span in [span for span in edits.found if whole[0] <= span[0] and span[1] <= whole[1]]:
            del edits.found[span]
        block = tree.parent(line)
        if len(at) < len(spans):
            edits.remove(*without(spans, at))
        elif isinstance(block, cst.IndentedBlock) and len(block.body) == 1:
            edits.replace(whole, ["pass"])
        else:
            edits.remove(whole_line(tree, whole))


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
