"""Imports of a ported file: the names under which its new code finds modules, and where new imports go."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from poolkit.dialects import table
from poolkit.dialects.reading import spelled
from poolkit.port.models.naming import usual
from poolkit.port.python.dropping import aliases, drop
from poolkit.port.python.edits import Edits, whole_line
from poolkit.port.python.names import Names, is_none
from poolkit.port.python.nodes import Import, Node, literal
from poolkit.port.python.scopes import Binding
from poolkit.port.python.tree import Span, Tree

CODING = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*[-\w.]+")  # as Python reads it, on one of the first two lines


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
        self.taken = self.tree.words.keys()
        self.given: dict[str, list[Binding]] = {}  # a name -> what gives it a value, anywhere in the file
        for assignment in self.tree.assignments():
            self.given.setdefault(assignment.name, []).append(assignment)
        self.bound: dict[str, tuple[str, int]] = {}  # a name of the module -> what it stands for, and from where on
        for statement in _statements(self.tree):
            for name, full in _meanings(statement):
                self.bound.setdefault(name, (full, self.tree.span(statement)[1]))

    def short(self, dotted: str, at: Node | None = None) -> str:
        """A dotted name as the file says it at a node."""
        fitting = [
            (full, alias)
            for alias, (full, start) in self.bound.items()
            if f"{dotted}.".startswith(f"{full}.") and self._before(start, at) and self._means(alias, full, at)
        ]
        if fitting:
            full, alias = max(fitting, key=lambda pair: len(pair[0]))
            return f"{alias}{dotted.removeprefix(full)}"
        prefix, alias, line = next(one for one in _candidates(dotted) if self._is_free(*one[:2], at))
        self.added.add(line)
        return f"{alias}{dotted.removeprefix(prefix)}"

    def _before(self, place: int, at: Node | None) -> bool:
        return at is None or place <= self.tree.span(at)[0]

    def _is_free(self, prefix: str, alias: str, at: Node | None) -> bool:
        """Whether a new import may give a name: nothing else in the file does."""
        name = alias.partition(".")[0]
        stands = prefix.partition(".")[0] if name == prefix.partition(".")[0] else prefix
        return self._means(name, stands, at) and (name in self.given or name == stands or name not in self.taken)

    def _means(self, name: str, full: str, at: Node | None) -> bool:
        """Whether a name stands for a module wherever the file gives it a value."""
        return all(is_none(one) or self._is_import(one, name, full, at) for one in self.given.get(name, ()))

    def _is_import(self, assignment: Binding, name: str, full: str, at: Node | None) -> bool:
        """Whether an assignment imports a module; one inside a function only where the node comes after it."""
        node = assignment.node
        if not isinstance(node, Import):
            return False
        of_module = assignment.scope is self.tree.scope(self.tree.module)
        return (name, full) in _meanings(node) and (of_module or self._before(self.tree.span(node)[1], at))


def _candidates(dotted: str) -> Iterator[tuple[str, str, str]]:
    """For a dotted name: the module to import, the name for it, and the import."""
    shorts = _shorts()
    prefix = next((prefix for prefix in shorts if dotted.startswith(f"{prefix}.")), None)
    if prefix is not None:
        yield prefix, *shorts[prefix]
    prefix = prefix or dotted.partition(".")[0]
    yield prefix, prefix, f"import {prefix}"
    alias = prefix.replace(".", "_")
    while True:
        alias += "_"
        yield prefix, alias, f"import {prefix} as {alias}"


@functools.cache
def _shorts() -> dict[str, tuple[str, str]]:
    """The usual imports, without `nn`, which may be torch's or flax's in a file that somebody else wrote."""
    meant: dict[str, set[str]] = {}
    for name, modules in table.every(lambda usage: usage.shorts.items()):
        meant.setdefault(name, set()).update(modules.split())
    return {prefix: short for prefix, short in usual().items() if len(meant.get(short[0], ())) < 2}


def _meanings(statement: Import) -> Iterator[tuple[str, str]]:
    """The names that an import gives, each with what it stands for."""
    for alias, name, full in aliases(statement):
        whole = alias.name == full and alias.asname is None  # ``import torch.nn`` gives torch
        yield name, spelled(name if whole else full)


def _statements(tree: Tree) -> Iterator[Import]:
    yield from (statement for statement in tree.module.body if isinstance(statement, Import))


def _lines(tree: Tree) -> list[list[ast.stmt]]:
    """The statements of the module, those between semicolons together."""
    return [tree.beside(statement) for statement in tree.module.body if tree.beside(statement)[0] is statement]


def _whole(tree: Tree, line: list[ast.stmt]) -> Span:
    return whole_line(tree, (tree.span(line[0])[0], tree.span(line[-1])[1]))


# ------------------------------------------------------------------------------------------------ after the rewriting


def finish(tree: Tree, names: Names, edits: Edits, imports: Imports) -> str:
    """The ported file with the imports that it needs."""
    used = _first_use(tree, edits)
    first = drop(tree, names, edits)
    if imports.added:
        _insert(tree, edits, imports, first, used)
    return edits.applied()


def _insert(tree: Tree, edits: Edits, imports: Imports, first: int | None, used: int) -> None:
    """Put the new imports where one goes, where that is before their first use, or else at the top."""
    head, lines = _head(tree)
    at = max(first, head) if first is not None else None
    at = at if at is not None and at <= used else _place(tree)
    if at > used:  # the docstring's own line has the first use: the imports come between
        line = _lines(tree)[lines - 1]
        rest = next(one for n, one in enumerate(line) if not (_is_future(one) or (n == 0 and _is_docstring(one))))
        edits.insert(tree.span(rest)[0], "".join(f"{line}; " for line in sorted(imports.added)), first=True)
        return
    new = "".join(f"{line}{tree.newline}" for line in sorted(imports.added))
    if at == len(tree.data) and not tree.data.endswith(b"\n") and tree.data:
        new = tree.newline + new
    edits.insert(at, new, first=True)


def _first_use(tree: Tree, edits: Edits) -> int:
    """Where the first statement of the module starts that has new code in it."""
    first = min((start for start, _ in edits.found), default=len(tree.data))
    starts = [tree.start(line) for line in tree.module.body]
    start = max((start for start in starts if start <= first), default=0)
    return whole_line(tree, (start, start))[0]


def _place(tree: Tree) -> int:
    """After the imports at the top of the file, or before its first statement."""
    end, lines = _head(tree)
    if lines == 0:
        end = _comments(tree)
    for line in _lines(tree)[lines:]:
        if not all(isinstance(statement, Import) for statement in line):
            break
        end = _whole(tree, line)[1]
    return end


def _head(tree: Tree) -> tuple[int, int]:
    """Where what has to be first ends, the docstring and imports from __future__, and how many lines these are."""
    end, lines = 0, 0
    for n, line in enumerate(_lines(tree)):
        if not any((n == at == 0 and _is_docstring(one)) or _is_future(one) for at, one in enumerate(line)):
            break
        end, lines = _whole(tree, line)[1], n + 1
    return end, lines


def _is_docstring(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(literal(statement.value), str)


def _is_future(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.ImportFrom) and statement.module == "__future__"


def _comments(tree: Tree) -> int:
    """Where the comments end that are about the file: the line for the shell, the encoding, and what is set apart."""
    end, at = 0, 0
    start = tree.start(tree.module.body[0]) if tree.module.body else 0
    for n, line in enumerate(tree.data[:start].splitlines(keepends=True)):
        at += len(line)
        if (n == 0 and line.startswith(b"#!")) or (n < 2 and CODING.match(line)) or not line.strip():
            end = at
    return end
