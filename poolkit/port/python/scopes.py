"""Scopes of a file: which names each has, and what gives them their values."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator
from dataclasses import dataclass, field

# What the fields of a node hold that is no part of the file's text.
MARKS = (ast.expr_context, ast.operator, ast.boolop, ast.unaryop, ast.cmpop, ast.type_ignore)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@dataclass(frozen=True, eq=False)
class Binding:
    """What gives a name a value: a name that is stored, a parameter, a definition or an import.

    `value` is the whole of what it gets by ``name = value``, or the default of a parameter, and `full` what an import
    stands for, with a dot before it where that is relative.
    """

    name: str
    node: ast.AST
    scope: Scope
    value: ast.expr | None = None
    full: str = ""


@dataclass(eq=False)
class Scope:
    """The names of a module, a class, a function or a comprehension."""

    node: ast.AST
    parent: Scope | None
    own: dict[str, list[Binding]] = field(default_factory=dict[str, list[Binding]])
    elsewhere: dict[str, Scope] = field(default_factory=dict[str, "Scope"])  # by global and nonlocal

    def __contains__(self, name: str) -> bool:
        return bool(self[name])

    def __getitem__(self, name: str) -> list[Binding]:
        """Everything that gives a name its value here: in this scope, or else in the nearest around that has it."""
        here: Scope | None = self
        while here is not None:
            here = here.elsewhere.get(name, here)
            if name in here.own and (here is self or not isinstance(here.node, ast.ClassDef)):
                return here.own[name]
            here = here.parent
        return [Binding(name, BUILTIN, self)] if hasattr(builtins, name) else []

    def bind(self, name: str, node: ast.AST, value: ast.expr | None = None, full: str = "") -> None:
        scope = self.elsewhere.get(name, self)
        scope.own.setdefault(name, []).append(Binding(name, node, scope, value, full))

    def module(self) -> Scope:
        return self if self.parent is None else self.parent.module()

    def owner(self, name: str) -> Scope:
        """The function around that has a name of its own, the module where none has."""
        return self if name in self.own or self.parent is None else self.parent.owner(name)


BUILTIN = ast.Pass()  # what gives the names of `builtins` their values, which is in no file


def children(node: ast.AST) -> list[ast.AST]:
    """The nodes right inside a node."""
    return [inner for inner in ast.iter_child_nodes(node) if not isinstance(inner, MARKS)]


def scoped(module: ast.Module) -> dict[ast.AST, Scope]:
    """The scope that each node of a file belongs to."""
    found: dict[ast.AST, Scope] = {}
    values: dict[ast.AST, ast.expr] = {}  # what names and parameters are given
    left: list[tuple[ast.AST, Scope]] = [(module, Scope(module, None))]
    while left:
        node, scope = left.pop()
        found[node] = scope
        values.update(_given(node))
        _bind(node, scope, values.get(node))
        left += reversed(list(_inside(node, scope)))
    return found


def _inside(node: ast.AST, scope: Scope) -> Iterator[tuple[ast.AST, Scope]]:
    """The nodes right inside one, each with its scope."""
    inside = children(node)
    if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        own, body = Scope(node, scope), set(node.body) if isinstance(node.body, list) else {node.body}
        yield from ((one, own if one in body or isinstance(one, ast.arguments) else scope) for one in inside)
    elif isinstance(node, ast.arguments | ast.arg):  # whose defaults and annotations are outside the function
        outer = scope.parent or scope
        yield from ((one, scope if isinstance(one, ast.arg) else outer) for one in inside)
    elif isinstance(node, COMPREHENSIONS):
        own, first = Scope(node, scope), node.generators[0].iter
        yield first, scope
        yield from ((one, own) for one in inside)
    elif isinstance(node, ast.comprehension):
        outer_iter = scope.node.generators[0].iter if isinstance(scope.node, COMPREHENSIONS) else None
        yield from ((one, scope) for one in inside if one is not outer_iter)
    elif isinstance(node, ast.NamedExpr):
        yield node.value, scope
        while isinstance(scope.node, COMPREHENSIONS) and scope.parent is not None:
            scope = scope.parent
        yield node.target, scope
    else:
        yield from ((one, scope) for one in inside)


def _given(node: ast.AST) -> Iterator[tuple[ast.AST, ast.expr]]:
    """What a statement gives names as a whole, and what parameters have without an argument."""
    if isinstance(node, ast.Assign):
        yield from ((target, node.value) for target in node.targets)
    elif isinstance(node, ast.AnnAssign) and node.value is not None:
        yield node.target, node.value
    elif isinstance(node, ast.arguments):
        places = [*node.posonlyargs, *node.args]
        yield from zip(reversed(places), reversed(node.defaults), strict=False)
        yield from ((arg, value) for arg, value in zip(node.kwonlyargs, node.kw_defaults, strict=True) if value)


def _bind(node: ast.AST, scope: Scope, value: ast.expr | None) -> None:
    """Give the scope the names that a node gives a value."""
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        scope.bind(node.id, node, value)
    elif isinstance(node, ast.arg):
        scope.bind(node.arg, node, value)
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        scope.bind(node.name, node)
    elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar):
        scope.bind(node.name or "", node)
    elif isinstance(node, ast.MatchMapping):
        scope.bind(node.rest or "", node)
    elif isinstance(node, ast.Import | ast.ImportFrom):
        for name, full in _imported(node):
            scope.bind(name, node, full=full)
    elif isinstance(node, ast.Global):
        scope.elsewhere.update(dict.fromkeys(node.names, scope.module()))
    elif isinstance(node, ast.Nonlocal) and scope.parent is not None:
        scope.elsewhere.update({name: scope.parent.owner(name) for name in node.names})


def _imported(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, str]]:
    """The names that an import binds, each with what it stands for."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            first = alias.name.partition(".")[0]
            yield (alias.asname, alias.name) if alias.asname else (first, first)
        return
    module = f"{'.' * node.level}{node.module or ''}"
    for alias in node.names:
        if alias.name != "*":
            yield alias.asname or alias.name, f"{module}.{alias.name}" if node.module else f"{module}{alias.name}"
