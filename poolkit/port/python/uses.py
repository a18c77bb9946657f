"""Where a name of a file gets its value, and where that value is used."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from poolkit.port.python.flow import Flow
from poolkit.port.python.given import Given
from poolkit.port.python.nodes import DEFINITIONS, FUNCTIONS, Node, plain_name, target_of
from poolkit.port.python.tree import Tree


def flow_of(tree: Tree) -> Flow:
    return tree.once("flow", lambda: Flow(tree))


def meant(tree: Tree, node: ast.expr, at: Node) -> ast.expr:
    """What a name is given that surely is one expression; anything else as it is."""
    found = flow_of(tree).at(node.id, at) if isinstance(node, ast.Name) else None
    return found.value if found is not None and found.value is not None and found.item is None else node


def whole(tree: Tree, name: ast.Name) -> Given | None:
    """What a name has where it stands, if that surely is one expression of the file, and no item of it.

    >>> tree = Tree("h = x.shape[1]; y = f(h)")
    >>> tree.text(whole(tree, tree.named("h")[1]).value)
    'x.shape[1]'
    """
    found = flow_of(tree).at(name.id, name)
    known = found is not None and found.value is not None and found.statement is not None
    return found if found is not None and known and not found.each and found.item is None else None


def unchanged(tree: Tree, name: str, since: Node, until: Node) -> bool:
    """Whether a name has the value that it had at another place, even in another turn of a loop."""
    return flow_of(tree).at(name, since) is flow_of(tree).at(name, until)


def between(tree: Tree, node: Node, since: Node, until: Node) -> bool:
    """Whether a node may run after one statement and before another: in the text, or in a turn of a loop."""
    start, end = tree.span(since)[1], tree.span(tree.statement(until) or tree.module)[0]
    loop = _loop(tree, until, since)
    return start <= tree.span(node)[0] < end or (loop is not None and tree.inside(node, loop))


def _loop(tree: Tree, node: Node, outside: Node) -> Node | None:
    """The outermost loop of its function around a node, of those that are not around another one too."""
    found, here = None, tree.parent(node)
    while here is not None and not isinstance(here, DEFINITIONS):
        if isinstance(here, ast.For | ast.AsyncFor | ast.While) and not tree.inside(outside, here):
            found = here
        here = tree.parent(here)
    return found


def only_use(tree: Tree, statement: ast.Assign) -> ast.Name | None:
    """The one place where the value of ``name = …`` is used, in the same block; None where there are more, or fewer."""
    target = target_of(statement)
    if not isinstance(target, ast.Name):
        return None
    uses = reads(tree, target.id, statement).get(statement, [])
    use = uses[0] if len(uses) == 1 and whole(tree, uses[0]) else None
    block = tree.statement(use) if use is not None else None
    return use if block is not None and tree.block(block) is tree.block(statement) else None


def reads(tree: Tree, name: str, at: Node) -> dict[ast.stmt | None, list[ast.Name]]:
    """Where a name is read, by the statements that may have given it its value; None for what nothing is known of."""

    def found() -> dict[ast.stmt | None, list[ast.Name]]:
        made: dict[ast.stmt | None, list[ast.Name]] = {}
        for node in loads_of(tree, name, at):
            for statement in flow_of(tree).sources(name, node):
                made.setdefault(statement, []).append(node)
        return made

    return tree.once((reads, tree.around(at, FUNCTIONS), name), found)


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
        found = whole(tree, node)
        value = found.value if found is not None else None
    elif isinstance(node, ast.Attribute) and plain_name(node.value) == "self":
        stores, _ = attribute_uses(tree, node)
        statement = tree.parent(stores[0]) if len(stores) == 1 else None
        value = statement.value if isinstance(statement, ast.Assign) else None
    return value if isinstance(value, ast.Call) else None


def layer_of(tree: Tree, call: ast.Call) -> ast.Call | None:
    """The call that makes the layer that a call calls; None where it is a function's."""
    return call.func if isinstance(call.func, ast.Call) else stored_layer(tree, call.func)


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
    return tree.once((mutated, name), lambda: any(_mutates(tree, node) for node in tree.named(name)))


def _mutates(tree: Tree, node: Node) -> bool:
    around = tree.parent(node)
    if isinstance(around, ast.Subscript):
        return around.value is node and isinstance(around.ctx, ast.Store)
    return isinstance(around, ast.Attribute) and around.attr in MUTATES


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


def same_tensor(tree: Tree, tensor: str, since: Node, until: Node) -> bool:
    """Whether an expression surely means the same tensor at two statements.

    An attribute or an item may also be changed by a method of what has it, and by a function that is given that.
    """
    root = tensor.partition(".")[0].partition("[")[0]
    if not root.isidentifier() or not unchanged(tree, root, since, until):
        return False
    if tensor == root or tree.statement(since) is tree.statement(until):
        return True
    return not any(between(tree, node, since, until) and _may_change(tree, node, tensor, root) for node in _doers(tree))


def _doers(tree: Tree) -> Iterator[Node]:
    yield from (target for statement in tree.all(ast.Assign) for target in statement.targets)
    yield from (statement.target for statement in tree.all(ast.AugAssign))
    yield from tree.all(ast.Call)


def _may_change(tree: Tree, node: Node, tensor: str, root: str) -> bool:
    if isinstance(node, ast.Call):
        method = tree.text(node.func)
        ours = method.startswith(f"{root}.") and not method.startswith(f"{tensor}.")
        return ours or any(tree.text(arg) == root for arg in (*node.args, *(k.value for k in node.keywords)))
    parts = node.elts if isinstance(node, ast.Tuple | ast.List) else [node]
    return any(tree.text(part).startswith((f"{root}.", f"{root}[")) for part in parts)
