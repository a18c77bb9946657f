"""The one pass through a file: which value a name has where it stands.

Every binding is a value of its own, and so is every place where several come together: after an `if`, at the start of
a loop that binds the name. Two places where a name has the same value hold the same object.
"""

from __future__ import annotations

import ast
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from poolkit.port.python.given import Given, every, together
from poolkit.port.python.nodes import DEFINITIONS, Node, walk
from poolkit.port.python.scopes import COMPREHENSIONS, Scope
from poolkit.port.python.tree import Tree

Before = dict[str, Given | None]


@dataclass
class _Turns:
    """Of a loop: the values that each of its names may have where a turn ends, and how much of `_order` is in them."""

    ends: dict[str, dict[Given, None]]
    seen: int


class Flow:
    r"""The values of the names of a file.

    >>> tree = Tree("if a:\n    h = 1\nelse:\n    h = 2\ny = f(h)")
    >>> given = Flow(tree).at("h", tree.all(ast.Call)[0])
    >>> [ast.unparse(one.value) for one in given.several]
    ['1', '2']
    """

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        elsewhere: list[ast.Global | ast.Nonlocal] = [*tree.all(ast.Global), *tree.all(ast.Nonlocal)]
        self.shared = {name for node in elsewhere for name in node.names}
        self._unbound: dict[tuple[Scope, str], Given] = {}
        self._past: dict[tuple[Scope, str], tuple[list[int], list[Given]]] = {}
        self._walruses: dict[ast.stmt | None, list[ast.NamedExpr]] = {}
        for node in tree.all(ast.NamedExpr):
            self._walruses.setdefault(tree.statement(node), []).append(node)
        self._run(tree.module.body)
        for body in [node.body for kind in DEFINITIONS for node in tree.all(kind) if isinstance(node, kind)]:
            self._run(body)
        for function in tree.all(ast.Lambda):
            self._begin(tree.scope(function.args))

    def at(self, name: str, at: Node) -> Given | None:
        """The value of a name at a node; None where nothing is known of it."""
        scope: Scope | None = self.tree.scope(at)
        while scope is not None and isinstance(scope.node, COMPREHENSIONS) and name not in scope.own:
            scope = scope.parent
        if scope is None:
            return None
        if name in self.shared:
            return Given(name)  # another one each time
        if name not in scope.own:
            return self._from_outside(name, scope)
        places, values = self._past.get((scope, name), ([], []))
        n = bisect_right(places, self.tree.span(self.tree.statement(at) or self.tree.module)[0])
        return values[n - 1] if n else self._unbound.setdefault((scope, name), Given(name))

    def sources(self, name: str, at: Node) -> set[ast.stmt | None]:
        """The statements that may have given a name the value that it has at a node."""
        found = self.at(name, at)
        return {one.statement for one in every([found] if found is not None else [])}

    def outside(self, name: str, at: Node) -> list[Given]:
        """Everything that a scope around gives a name, anywhere."""
        scopes = dict.fromkeys(binding.scope for binding in self.tree.scope(at)[name])
        return [one for scope in scopes for one in self._past.get((scope, name), ([], []))[1]]

    def every(self) -> list[Given]:
        """Every value that a name of the file is given, in the order of the file."""
        pairs = [pair for past in self._past.values() for pair in zip(*past, strict=True)]
        return [one for _, one in sorted(pairs, key=lambda pair: pair[0])]

    def _from_outside(self, name: str, scope: Scope) -> Given | None:
        """What a function around or the module gives a name, if it is given once."""
        found = scope[name]
        _, values = self._past.get((found[0].scope, name), ([], [])) if found else ([], [])
        return values[0] if len(values) == 1 else None

    # ------------------------------------------------------------------------------------------------------- the pass

    def _run(self, body: Sequence[ast.stmt]) -> None:
        self._begin(self.tree.scope(body[0] if body else self.tree.module))
        self._block(body)

    def _begin(self, scope: Scope) -> None:
        self._scope = scope
        self._now: dict[str, Given] = {}
        self._order: list[str] = []  # every name that is given a value, one after the other
        self._turns: list[_Turns] = []  # for each loop around
        self._changed: list[Before] = []  # for each branch around: the names that it changes, as they were before
        for bindings in self._scope.own.values():
            for one in bindings:
                if isinstance(one.node, ast.arg):
                    self._set(Given(one.name, default=one.value, node=one.node), 0)

    def _set(self, given: Given, place: int) -> None:
        for before in self._changed[-1:]:
            before.setdefault(given.name, self._now.get(given.name))
        self._now[given.name] = given
        self._order.append(given.name)
        places, values = self._past.setdefault((self._scope, given.name), ([], []))
        places.append(place)
        values.append(given)

    def _block(self, body: Sequence[ast.stmt]) -> bool:
        """Go through statements; whether the last is never left behind, for a return or the like."""
        ended = [self._statement(statement) for statement in body]
        return any(ended)

    def _statement(self, node: ast.stmt) -> bool:
        start, end = self.tree.span(node)
        for walrus in self._walruses.get(node, ()):
            self._either(walrus.target.id, node, walrus.value, start)
        if isinstance(node, ast.If):
            return self._branches(_branches(node), end)
        if isinstance(node, ast.Match):
            cases = [(one.body, list(_names(one.pattern))) for one in node.cases]
            return self._branches([*cases, ([], [])], end)
        if isinstance(node, ast.Try | ast.TryStar):
            return self._try(node, end)
        if isinstance(node, ast.For | ast.AsyncFor | ast.While):
            return self._loop(node, start, end)
        if isinstance(node, ast.With | ast.AsyncWith):
            for item in node.items:
                self._forget(_names(item.optional_vars), start)
            return self._block(node.body)
        self._bind(node, end)
        if isinstance(node, ast.Break | ast.Continue):
            self._end_turn()
        return isinstance(node, ast.Return | ast.Raise | ast.Break | ast.Continue)

    def _bind(self, node: ast.stmt, end: int) -> None:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                self._target(target, node, node.value, end)
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            self._target(node.target, node, node.value, end)
        elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            self._either(node.target.id, node, node.value, end)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            self._forget([node.name], self.tree.span(node)[0])
        elif isinstance(node, ast.Import | ast.ImportFrom):
            self._forget([name.asname or name.name.partition(".")[0] for name in node.names], end)
        elif isinstance(node, ast.Delete):
            self._forget((one.id for one in node.targets if isinstance(one, ast.Name)), end)

    def _target(self, target: ast.expr, node: ast.stmt, value: ast.expr, place: int, each: bool = False) -> None:
        if isinstance(target, ast.Name):
            self._set(Given(target.id, node, value, each=each), place)
            return
        items = target.elts if isinstance(target, ast.Tuple | ast.List) else []
        plain = not each and not any(isinstance(one, ast.Starred) for one in items)
        for n, item in enumerate(items):
            if plain and isinstance(item, ast.Name):
                self._set(Given(item.id, node, value, n, len(items)), place)
            else:
                self._forget(_names(item), place)

    def _either(self, name: str, node: ast.stmt, value: ast.expr, place: int) -> None:
        """A name keeps what it had, or has a value that is made of that."""
        before = self._now.get(name)
        made = Given(name, node, value)
        self._set(Given(name, several=[made, *filter(None, [before])]), place)

    def _forget(self, names: Iterable[str], place: int) -> None:
        for name in names:
            self._set(Given(name), place)

    def _branches(self, branches: Sequence[tuple[Sequence[ast.stmt], Sequence[str]]], end: int) -> bool:
        """Go through blocks of which one runs, each with the names that it is given; values come together behind."""
        ends: list[tuple[Before, dict[str, Given]]] = []
        for body, names in branches:
            before = self._branch(body, names)
            if before is not None:
                ends.append(before)
        old = {name: value for before, _ in ends for name, value in before.items()}
        found: dict[str, dict[int, Given | None]] = {name: {} for name in old}
        for n, (_, after) in enumerate(ends):
            for name, value in after.items():
                found[name][n] = value
        for name, values in found.items():
            unchanged = next(n for n in range(len(values) + 1) if n not in values)  # the first branch that leaves it
            values.update({unchanged: old[name]} if unchanged < len(ends) else {})
            self._set(together(name, [values[n] for n in sorted(values)]), end)
        return not ends

    def _branch(self, body: Sequence[ast.stmt], names: Sequence[str]) -> tuple[Before, dict[str, Given]] | None:
        """What a branch changes, as it was before and after; None where what is behind it is not reached from it."""
        self._changed.append({})
        if body:
            self._forget(names, self.tree.span(body[0])[0])
        ended = self._block(body)
        before = self._changed.pop()
        after = {name: self._now[name] for name in before}
        for around in self._changed[-1:]:
            for name, old in before.items():
                around.setdefault(name, old)
        place = self.tree.span(body[-1])[1] if body else 0
        for name, old in before.items():
            self._set(old or Given(name), place)
        return None if ended else (before, after)

    def _loop(self, node: ast.For | ast.AsyncFor | ast.While, start: int, end: int) -> bool:
        """A loop: what it binds may be of the turn before wherever it stands in it, and behind it."""
        known = {name: together(name, [self._now.get(name), None]) for name in self._bound(node)}
        for given in known.values():
            self._set(given, start)
        ends = {name: dict.fromkeys([given, *given.several]) for name, given in known.items()}
        self._turns.append(_Turns(ends, len(self._order)))
        if not isinstance(node, ast.While):
            self._target(node.target, node, node.iter, self.tree.span(node.body[0])[0], each=True)
        self._block(node.body)
        self._end_turn()
        self._turns.pop()
        self._block(node.orelse)
        for name, given in known.items():
            given.several = list(ends[name])[1:]
            self._set(Given(name, several=given.several), end)
        return False

    def _end_turn(self) -> None:
        """Note the values that a turn of the loop around ends with; only those given since the last end are new."""
        for turns in self._turns[-1:]:
            for name in self._order[turns.seen :]:
                if name in turns.ends:
                    turns.ends[name][self._now[name]] = None
            turns.seen = len(self._order)

    def _bound(self, node: Node) -> list[str]:
        """The names that are bound somewhere in a statement."""
        starts = self.tree.once(("bound", self._scope), self._places)
        start, end = self.tree.span(node)
        first, last = (bisect_right(starts, (place, "")) for place in (start, end))
        return list(dict.fromkeys(name for _, name in starts[first:last]))

    def _places(self) -> list[tuple[int, str]]:
        own = [one for many in self._scope.own.values() for one in many if hasattr(one.node, "lineno")]
        return sorted((self.tree.span(one.node)[0], one.name) for one in own)

    def _try(self, node: ast.Try | ast.TryStar, end: int) -> bool:
        bound = self._bound(node)
        before = {name: self._now.get(name) for name in bound}
        counts = {name: len(self._values(name)) for name in bound}
        ended = self._block([*node.body, *node.orelse])
        after = {name: self._now.get(name) for name in bound}
        handled = True
        caught = {name: together(name, [before[name], None, *self._values(name)[counts[name] :]]) for name in bound}
        changed = list(caught)  # for each handler: what the one before it has given another value
        for handler in node.handlers:
            place = self.tree.span(handler.body[0])[0]
            for name in changed:
                self._set(caught[name], place)
            seen = len(self._order)
            self._forget([handler.name] if handler.name else [], place)
            handled = self._block(handler.body) and handled
            changed = list(dict.fromkeys(name for name in self._order[seen:] if name in caught))
        for name in bound if node.handlers else ():
            since = [before[name], None, *self._values(name)[counts[name] :]]
            self._set(together(name, [after[name]] if handled else since), self.tree.span(node.handlers[-1])[1])
        return self._block(node.finalbody) or (ended and handled)

    def _values(self, name: str) -> list[Given]:
        return self._past.get((self._scope, name), ([], []))[1]


def _branches(node: ast.If) -> list[tuple[list[ast.stmt], list[str]]]:
    """The blocks of an `if` with every elif, and the empty one of an else that is not there."""
    found: list[tuple[list[ast.stmt], list[str]]] = [(node.body, [])]
    while len(node.orelse) == 1 and isinstance(inner := node.orelse[0], ast.If):
        node = inner
        found.append((node.body, []))
    return [*found, (node.orelse, [])]


def _names(node: Node | None) -> Iterator[str]:
    """The names that a target or a pattern gives values."""
    for inner in walk(node) if node is not None else ():
        if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
            yield inner.id
        elif isinstance(inner, ast.MatchAs | ast.MatchStar | ast.MatchMapping):
            name = inner.rest if isinstance(inner, ast.MatchMapping) else inner.name
            yield from [name] if name else []
