"""Imports and aliases that nothing in a ported file needs any more."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from poolkit.port.python.edits import Edits, whole_line, without
from poolkit.port.python.names import Names, framework
from poolkit.port.python.nodes import Import, Node, python
from poolkit.port.python.tree import Span, Tree


def aliases(statement: Import) -> Iterator[tuple[ast.alias, str, str]]:
    """Each name of an import: its node, the name that it binds, and what is imported in full.

    >>> [(name, full) for _, name, full in aliases(ast.parse("import torch.nn as nn, keras.ops").body[0])]
    [('nn', 'torch.nn'), ('keras', 'keras.ops')]
    """
    before = ""
    if isinstance(statement, ast.ImportFrom):
        if statement.module is None or statement.level:
            return
        before = f"{statement.module}."
    for alias in statement.names:
        full = f"{before}{alias.name}"
        if alias.name != "*":
            yield alias, alias.asname or (full if before else full.partition(".")[0]).rpartition(".")[2], full


def drop(tree: Tree, names: Names, edits: Edits) -> int | None:
    """Remove what only gives names that are no longer used; where the first such import of the module was."""
    before = _used(tree.source)
    unused = before - _used(edits.applied())
    gone: set[ast.stmt] = set()
    while True:
        more = [node for node in tree.all(ast.Assign) if node not in gone and _is_alias(names, node, unused)]
        if not more:
            break
        gone |= set(more)
        _remove(tree, edits, gone)
        unused = unused | (before - _used(edits.applied()))
    imports: list[Import] = [*tree.all(ast.Import), *tree.all(ast.ImportFrom)]
    imports.sort(key=tree.span)
    parts = {node: part for node in imports if (part := _unused_part(node, unused))}
    gone |= {node for node, (removed, of) in parts.items() if len(removed) == len(of)}
    for node, (removed, of) in parts.items():
        if node not in gone:
            edits.remove(*_without(tree, node, of, removed))
    _remove(tree, edits, gone)
    at_top = [node for node in parts if tree.parent(node) is tree.module]
    return min((whole_line(tree, tree.span(node))[node not in gone] for node in at_top), default=None)


def _used(source: str) -> set[str]:
    """Every name that code uses, and every word of a string, which may be an annotation or an entry of __all__."""
    used: set[str] = set()
    for node in ast.walk(python(source)):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Store):
            used.add(node.id)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and len(node.value) < 200:
            used.add(node.value.partition(".")[0].partition("[")[0])
    return used


def _is_alias(names: Names, node: ast.Assign, unused: set[str]) -> bool:
    """Whether it is ``layers = keras.layers``, with a name that is no longer used."""
    target = node.targets[0]
    alias = len(node.targets) == 1 and isinstance(target, ast.Name) and target.id in unused
    return alias and names.full(node.value) is not None


def _unused_part(node: Import, unused: set[str]) -> tuple[set[int], list[ast.alias]] | None:
    """Which names of an import are no longer used, and all of them; None where it is to stay as it is."""
    found = list(aliases(node))
    removed = {n for n, (_, name, full) in enumerate(found) if name in unused and framework(full)}
    return (removed, [alias for alias, _, _ in found]) if removed else None


# --------------------------------------------------------------------------------------------------- names of an import


def _without(tree: Tree, node: Import, of: Sequence[ast.alias], removed: set[int]) -> list[Span]:
    """What to delete so that an import loses some names, and comments beside those that stay do stay."""
    spans = [tree.span(alias) for alias in of]
    brackets = isinstance(node, ast.ImportFrom) and "(" in tree.text(node)
    if not brackets or len(tree.text(node).splitlines()) < 2:
        return without(spans, removed)
    lines = [_own_line(tree, spans[n]) for n in sorted(removed)]
    if all(lines):
        return [line for line in lines if line is not None]
    return (
        [_with_comma(tree, spans[n]) for n in sorted(removed)] if b"#" in _text(tree, node) else without(spans, removed)
    )


def _text(tree: Tree, node: Node) -> bytes:
    start, end = tree.span(node)
    return tree.data[start:end]


def _own_line(tree: Tree, span: Span) -> Span | None:
    """The line of a name that has one to itself, with its comment; None where something else is on it."""
    start, end = whole_line(tree, span)
    after = tree.data[span[1] : end].strip().removeprefix(b",").lstrip()
    return (start, end) if not tree.data[start : span[0]].strip() and after[:1] in (b"", b"#") else None


def _with_comma(tree: Tree, span: Span) -> Span:
    """A name with the comma after it, and the spaces up to what is next on its line."""
    end = span[1]
    for skipped in (b" \t", b",", b" \t"):
        while tree.data[end : end + 1] and tree.data[end : end + 1] in skipped:
            end += 1
    return span[0], end


# ----------------------------------------------------------------------------------------------------- whole statements


def _remove(tree: Tree, edits: Edits, gone: set[ast.stmt]) -> None:
    """Remove statements with their lines; `pass` takes the place of all that a block has."""
    whole: set[ast.stmt] = set()
    for line in {tree.beside(node)[0]: tree.beside(node) for node in gone}.values():
        at = {n for n, statement in enumerate(line) if statement in gone}
        spans = [tree.span(statement) for statement in line]
        if len(at) < len(spans):
            _clear(edits, (spans[0][0], spans[-1][1]), at, spans)
            edits.remove(*without(spans, at))
        else:
            whole |= set(line)
    for node in reversed(tree.all(ast.Try)):  # inner ones first
        whole |= {node} if _is_empty(node, whole) else set()
    for first in sorted(whole, key=tree.span):
        inside = any(tree.inside(first, other) for other in whole if other is not first)
        if tree.beside(first)[0] is first and not inside:
            _remove_line(tree, edits, tree.beside(first), whole)


def _clear(edits: Edits, within: Span, at: set[int], spans: Sequence[Span]) -> None:
    """Forget the edits in the statements of a line that go."""
    inside = [span for span in edits.found if within[0] <= span[0] and span[1] <= within[1]]
    edits.forget([span for span in inside if any(spans[n][0] <= span[0] and span[1] <= spans[n][1] for n in at)])


def _is_empty(node: ast.Try, whole: set[ast.stmt]) -> bool:
    """Whether all that a try and its handlers did was to import what goes."""
    if node.orelse or node.finalbody:
        return False
    bodies = [node.body, *(handler.body for handler in node.handlers)]
    return all(one in whole for body in bodies for one in body)


def _remove_line(tree: Tree, edits: Edits, line: Sequence[ast.stmt], whole: set[ast.stmt]) -> None:
    block = tree.block(line[0])
    own = tree.span(line[0])[0], tree.span(line[-1])[1]
    span = whole_line(tree, own) if tree.opens_line(line[0]) else own
    edits.forget([found for found in edits.found if span[0] <= found[0] and found[1] <= span[1]])
    last = block is not tree.module.body and line[-1] is block[-1] and all(one in whole for one in block)
    if last or span == own:
        edits.replace(own, ["pass"])
    else:
        edits.remove(span)
