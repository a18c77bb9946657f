"""Which full dotted name a piece of code has: imports, ``layers = keras.layers``."""

from __future__ import annotations

import ast

from poolkit.dialects import table
from poolkit.dialects.calls import Call
from poolkit.dialects.reading import PARTIAL, spelled
from poolkit.dialects.sources import call_of_node
from poolkit.port.python.assumed import assumed
from poolkit.port.python.nodes import Import, Node, plain_name
from poolkit.port.python.scopes import Binding, Scope
from poolkit.port.python.tree import Tree
from poolkit.running.registry import EVERYWHERE


def framework(name: str) -> bool:
    """Whether a full dotted name is a framework's, or poolkit's own."""
    return name.startswith("poolkit.") or any(name.partition(".")[0] in dialect.roots for dialect in table.dialects())


class Names:
    """What the names of a file stand for.

    >>> tree = Tree("from keras import layers as L; y = L.MaxPooling2D(2)(x)")
    >>> Names(tree).full(tree.all(ast.Call)[1].func)
    'keras.layers.MaxPooling2D'
    """

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.stars = _stars(tree)
        self.roots = _roots(tree)
        self.assumed = assumed(tree, self.roots)
        self._resolved: dict[tuple[Scope, str, int, bool], tuple[str | None, bool]] = {}

    def frameworks(self) -> set[str]:
        """The frameworks that the file imports, NumPy apart: every program has arrays."""
        return {d.name for d in table.dialects() if d.name not in EVERYWHERE and not self.roots.isdisjoint(d.roots)}

    def full(self, node: Node) -> str | None:
        """The full dotted name of a node, None where it isn't a framework's."""
        dotted = plain_name(node)
        return self.resolve(dotted, node) if dotted else None

    def step(self, node: Node) -> str:
        """What a layer does that pools nothing itself, "" for every other one."""
        return dict(table.every(lambda usage: usage.steps.items())).get(self.full(node) or "", "")

    def doubtful(self, node: Node) -> str | None:
        """A full name that a node may have, where the file gives its name another meaning besides."""
        dotted = plain_name(node)
        found, sure = self._in_scope(dotted, self.tree.scope(node), 0) if dotted else (None, True)
        return found if not sure else None

    def guess(self, node: Node) -> str:
        """What is taken for granted where the file does not say what the name of a node stands for."""
        dotted = plain_name(node) or ""
        known = self._in_scope(dotted, self.tree.scope(node), 0, guess=False)[0]
        full = self.full(node) if known is None else None
        before = dotted.rpartition(".")[0] or dotted
        return f"{before} comes from elsewhere, and is taken for what has {full}, by the spelling" if full else ""

    def resolve(self, dotted: str, at: Node) -> str | None:
        """The full name of a dotted one as it stands at a node."""
        found, sure = self._in_scope(dotted, self.tree.scope(at), 0)
        return found if sure else None

    def _in_scope(self, dotted: str, scope: Scope, depth: int, guess: bool = True) -> tuple[str | None, bool]:
        """The full name, and whether it is the only meaning; with `guess`, also that which the spelling gives away."""
        key = (scope, dotted, depth, guess)
        if key not in self._resolved:
            self._resolved[key] = self._meaning(dotted, scope, depth, guess)
        found, sure = self._resolved[key]
        return (self._guessed(dotted), True) if found is None and guess else (found, sure)

    def _guessed(self, dotted: str) -> str | None:
        fitting = (name for name in self.assumed if f"{dotted}.".startswith(f"{name}."))
        name = max(fitting, key=len, default=None)
        return None if name is None else f"{self.assumed[name]}{dotted.removeprefix(name)}"

    def _meaning(self, dotted: str, scope: Scope, depth: int, guess: bool) -> tuple[str | None, bool]:
        first = dotted.partition(".")[0]
        assignments = scope[first]
        if not assignments:
            starred = self._starred(dotted)
            return (spelled(starred) if starred else None), True
        # ``except ImportError: keras = None`` is no second meaning: nothing is called on it.
        found = [self._assigned(a, dotted, depth, guess) for a in assignments if not is_none(a)]
        known = sorted({name for name, _ in found if name}, key=lambda name: (not is_word(name), name))
        if not known:
            return None, True
        return known[0], all(name and sure for name, sure in found) and len(set(map(_layer, known))) == 1

    def _assigned(self, assignment: Binding, dotted: str, depth: int, guess: bool) -> tuple[str | None, bool]:
        """What one assignment makes of a name, and whether it is sure."""
        rest = dotted.partition(".")[2]
        if isinstance(assignment.node, Import):
            name = f"{assignment.full}.{rest}" if rest else assignment.full
            return (spelled(name) if framework(name) or name == PARTIAL else None), True
        value = plain_name(assignment.value) if depth < 8 else None
        if value is None:
            return None, True
        parameter = isinstance(assignment.node, ast.arg)
        around = assignment.scope.parent if parameter else assignment.scope
        found, sure = self._in_scope(f"{value}.{rest}" if rest else value, around or assignment.scope, depth + 1, guess)
        return found, sure and not parameter

    def _starred(self, dotted: str) -> str | None:
        names = [f"{module}.{dotted}" for module in self.stars]
        return next((name for name in names if is_word(spelled(name))), None)

    def call(self, node: ast.Call) -> Call:
        """A call of the file as data."""
        return call_of_node(node, lambda dotted: self.resolve(dotted, node))


def is_word(name: str) -> bool:
    root, dot, _ = name.partition(".")
    return bool(dot) and any(root in d.roots and d.canonical(name) in d.words for d in table.dialects())


def is_none(assignment: Binding) -> bool:
    """Whether an assignment is ``name = None``."""
    value = assignment.value if isinstance(assignment.node, ast.Name) else None
    return isinstance(value, ast.Constant) and value.value is None


def _layer(name: str) -> tuple[str, str]:
    """What is the same for the places where a framework has had a layer, such as keras.layers.pooling."""
    root, _, rest = name.partition(".")
    dialect = next((d for d in table.dialects() if root in d.roots), None)
    canonical = dialect.canonical(name) if dialect is not None else name
    return (dialect.name if dialect is not None else root), (canonical or rest).rpartition(".")[2]


def _stars(tree: Tree) -> list[str]:
    """The modules of a framework from which everything is imported."""
    modules = [node.module for node in _absolute(tree) if node.names[0].name == "*"]
    return [module for module in modules if module and framework(module)]


def _absolute(tree: Tree) -> list[ast.ImportFrom]:
    return [node for node in tree.all(ast.ImportFrom) if not node.level]


def _roots(tree: Tree) -> set[str]:
    """The first names of everything that the file imports."""
    modules = [node.module or "" for node in _absolute(tree)]
    modules += [alias.name for node in tree.all(ast.Import) for alias in node.names]
    return {module.partition(".")[0] for module in modules}
