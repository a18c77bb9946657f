"""Where a name of a file gets its value, and where that value is used."""

from __future__ import annotations

import ast
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from poolkit.port.python.nodes import DEFINITIONS, FUNCTIONS, Node, plain_name, target_of
from poolkit.port.python.tree import Tree


@dataclass(frozen=True)
class Definition:
    """The assignment that a use of a name sees: its statement, its value, and which item of it the name is.

    `item` counts from the start; None where the name is the whole value.
    """

    statement: ast.Assign | ast.AnnAssign
    value: ast.expr
    item: int | None = None
    of: int = 0  # how many items the value is unpacked into


def definition(tree: Tree, name: str, at: Node) -> Definition | None:
    """The assignment whose value a name has at a node; None where there may be several, or it is none.

    >>> tree = Tree("h, w = x.shape[1:3]; y = f(h)")
    >>> found = definition(tree, "h", tree.all(ast.Call)[0])
    >>> found.item, tree.text(found.value)
    (0, 'x.shape[1:3]')
    """
    start, nodes = tree.span(_statement(tree, at))[0], assigned(tree, name, at)
    before = reversed(nodes[: _from(tree, nodes, start)])
    last = next((node for node in before if tree.span(node)[1] <= start), None)
    if last is None:
        return None
    found = _of_target(tree, last)
    if found is None or not _certain(tree, found.statement, at) or not unchanged(tree, name, found.statement, at):
        return None
    return found


def assigned(tree: Tree, name: str, at: Node) -> list[Node]:
    """The nodes of a scope that give a name a value, in the order of the file."""
    scope = tree.scope(at)

    def nodes() -> list[Node]:
        found = [a.node for a in scope[name] if not a.full and a.scope is scope and hasattr(a.node, "lineno")]
        return sorted(found, key=tree.span)

    return tree.once((assigned, scope, name), nodes)


def _from(tree: Tree, nodes: Sequence[Node], place: int) -> int:
    """How many of some nodes, in the order of the file, start before a place."""
    return bisect_left(nodes, place, key=lambda node: tree.span(node)[0])


def _of_target(tree: Tree, node: Node) -> Definition | None:
    """The assignment with this name as its target, or as one of a tuple."""
    around = tree.parent(node)
    item, of = None, 0
    if isinstance(around, ast.AnnAssign) and around.target is node and around.value is not None:
        return Definition(around, around.value)
    if isinstance(around, ast.Tuple | ast.List):
        if any(isinstance(one, ast.Starred) for one in around.elts):
            return None
        item, of = next(n for n, one in enumerate(around.elts) if one is node), len(around.elts)
        node, around = around, tree.parent(around)
    return Definition(around, around.value, item, of) if isinstance(around, ast.Assign) else None


def _statement(tree: Tree, node: Node) -> Node:
    """The statement that a node is in."""
    return tree.statement(node) or tree.module


def _certain(tree: Tree, statement: ast.stmt, at: Node) -> bool:
    """Whether a statement has run whenever a node is reached: its block is one around the node."""
    block = tree.block(statement)
    here: ast.stmt | None = tree.statement(at)
    while here is not None:
        if tree.block(here) is block:
            return True
        here = tree.around(here, ast.stmt)
    return False


def unchanged(tree: Tree, name: str, since: Node, until: Node) -> bool:
    """Whether a name is not assigned between two statements, nor later in a loop that comes back to the second."""
    nodes = assigned(tree, name, until)
    (_, start), (end, _) = tree.span(since), tree.span(_statement(tree, until))
    loop = _loops(tree, until, since)
    parts = [(start, end), *([tree.span(loop)] if loop is not None else [])]
    return all(_from(tree, nodes, first) >= _from(tree, nodes, last) for first, last in parts)


def between(tree: Tree, node: Node, since: Node, until: Node) -> bool:
    """Whether a node may run after one statement and before another: in the text, or in a turn of a loop."""
    start, end = tree.span(since)[1], tree.span(_statement(tree, until))[0]
    loop = _loops(tree, until, since)
    return start <= tree.span(node)[0] < end or (loop is not None and tree.inside(node, loop))


def _loops(tree: Tree, node: Node, outside: Node | None = None) -> Node | None:
    """The outermost loop of its function around a node, of those that are not around another one too."""
    found, here = None, tree.parent(node)
    while here is not None and not isinstance(here, DEFINITIONS):
        around_both = outside is not None and tree.inside(outside, here)
        if isinstance(here, ast.For | ast.AsyncFor | ast.While) and not around_both:
            found = here
        here = tree.parent(here)
    return found


def only_use(tree: Tree, statement: ast.Assign) -> ast.Name | None:
    """The one place where the value of ``name = …`` is used, in the same block; None where there are more, or fewer."""
    target = target_of(statement)
    if not isinstance(target, ast.Name):
        return None
    start = tree.span(statement)[1]
    stores, loads = assigned(tree, target.id, statement), loads_of(tree, target.id, statement)
    later = stores[_from(tree, stores, start) :]
    loads = loads[_from(tree, loads, start) :]
    first = loads[0] if loads else None
    if first is None or (later and tree.span(later[0])[0] < tree.span(_statement(tree, first))[0]):
        return None
    if not _same_block(tree, statement, first):
        return None
    if _stored_by(tree, first, target.id):
        return first if len(loads) < 2 or _statement(tree, loads[1]) is not _statement(tree, first) else None
    return first if len(loads) == 1 and not later and not _from_the_turn_before(tree, statement, target.id) else None


def _from_the_turn_before(tree: Tree, statement: Node, name: str) -> bool:
    """Whether a loop around a statement reads the name above it, where it has the value of the turn before."""
    loop = _loops(tree, statement)
    if loop is None:
        return False
    (first, _), (start, _) = tree.span(loop), tree.span(statement)
    return any(first <= tree.span(node)[0] < start for node in loads_of(tree, name, statement))


def _same_block(tree: Tree, statement: ast.stmt, use: Node) -> bool:
    other = tree.statement(use)
    return other is not None and tree.block(statement) is tree.block(other)


def _stored_by(tree: Tree, use: Node, name: str) -> bool:
    """Whether the statement of a use gives the name a new value, as ``x = f(x)`` does."""
    statement = _statement(tree, use)
    targets = statement.targets if isinstance(statement, ast.Assign) else ()
    return any(isinstance(target, ast.Name) and target.id == name for target in targets)


def attribute_uses(tree: Tree, target: ast.Attribute) -> tuple[list[ast.Attribute], list[ast.Attribute]]:
    """Where a class gives ``self.name`` a value, and where it reads it."""
    whole = tree.around(target, ast.ClassDef)
    if whole is None:
        return [], []
    text = tree.text(target)
    same = [n for n in tree.attributes(target.attr) if tree.inside(n, whole) and tree.text(n) == text]
    stores = [node for node in same if isinstance(tree.parent(node), ast.Assign) and isinstance(node.ctx, ast.Store)]
    return stores, [node for node in same if node not in stores]


def used_elsewhere(tree: Tree, target: ast.Attribute) -> bool:
    """Whether an attribute of this name is read outside its class, by a subclass or of an object.

    A class that gives its own ``self.name`` a value, and does not inherit from this one, means another.
    """
    whole = tree.around(target, ast.ClassDef)
    for node in tree.attributes(target.attr):
        if whole is not None and tree.inside(node, whole):
            if tree.text(node) != tree.text(target):
                return True  # of another object, in the class itself
            continue
        other = tree.around(node, ast.ClassDef)
        if other is None or tree.text(node) != tree.text(target) or not attribute_uses(tree, node)[0]:
            return True
        if whole is not None and any(whole.name in tree.text(base) for base in other.bases):
            return True
    return False


def stored_layer(tree: Tree, node: Node) -> ast.Call | None:
    """The call whose result ``self.name`` or a name has: ``self.name = Layer(…)``, if that is its only value."""
    value: Node | None = None
    if isinstance(node, ast.Name):
        found = definition(tree, node.id, node)
        value = found.value if found is not None and found.item is None else None
    elif isinstance(node, ast.Attribute) and plain_name(node.value) == "self":
        stores, _ = attribute_uses(tree, node)
        statement = tree.parent(stores[0]) if len(stores) == 1 else None
        value = statement.value if isinstance(statement, ast.Assign) else None
    return value if isinstance(value, ast.Call) else None


def calls_of(tree: Tree, layer: Node) -> list[ast.Call]:
    """Where a layer is called: at once, or under the name or attribute that it is stored by."""
    statement = tree.parent(layer)
    uses: list[Node] = [layer]
    target = target_of(statement) if isinstance(statement, ast.Assign) else None
    if isinstance(target, ast.Attribute):
        uses += attribute_uses(tree, target)[1]
    elif isinstance(target, ast.Name) and statement is not None:
        uses += loads_of(tree, target.id, statement)
    calls = [(use, tree.parent(use)) for use in uses]
    return [call for use, call in calls if isinstance(call, ast.Call) and call.func is use]


MUTATES = ("append", "extend", "insert", "remove", "pop", "clear", "reverse", "sort")


def mutated(tree: Tree, name: str) -> bool:
    """Whether a list of this name is changed in place anywhere in the file.

    >>> mutated(Tree("axes = [1]; axes.append(2)"), "axes")
    True
    """
    for node in tree.named(name):
        around = tree.parent(node)
        if isinstance(around, ast.Attribute) and around.attr in MUTATES:
            return True
        if isinstance(around, ast.Subscript) and around.value is node and isinstance(around.ctx, ast.Store):
            return True
    return False


def loads_of(tree: Tree, name: str, at: Node) -> list[ast.Name]:
    """Every place in the scope of a node, functions inside it too, where a name is read."""
    function = tree.around(at, FUNCTIONS) or tree.module
    start, end = tree.span(function)

    def nodes() -> list[ast.Name]:
        names = [node for node in tree.named(name) if start <= tree.span(node)[0] < end]
        return sorted((node for node in names if _is_read(tree, node)), key=tree.span)

    return tree.once((loads_of, function, name), nodes)


def _is_read(tree: Tree, node: ast.Name) -> bool:
    """Whether a name is read where it stands, as ``x += 1`` does too."""
    return isinstance(node.ctx, ast.Load) or isinstance(tree.parent(node), ast.AugAssign)
