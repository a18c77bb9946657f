"""Whether a value goes by the shape of a tensor, by way of every name that it uses."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from poolkit.dialects.sources import dotted_name
from poolkit.port.python.nodes import FUNCTIONS, Node
from poolkit.port.python.tree import Tree
from poolkit.port.python.uses import between, unchanged

SHAPES = re.compile(r"(^|[._])(shape|shape_list|shape_as_list|as_list)$", re.IGNORECASE)
STORES = (ast.Tuple, ast.List, ast.Starred)


def by_shape(tree: Tree, value: ast.AST, at: Node, tensor: str = "", seen: frozenset[str] = frozenset()) -> bool:
    r"""Whether some assignment, here or in an outer scope, makes a value one of a shape, or a function of the tensor.

    It need not be the assignment that counts: this is for refusing what is not proven.

    >>> tree = Tree("if size is None:\n    size = x.shape[2:]\ny = pool(x, size)")
    >>> by_shape(tree, ast.parse("(size, 2)").body[0], tree.all(ast.Call)[0])
    True
    """
    for inner in ast.walk(value):
        if _is_shape(inner, tensor):
            return True
        name = dotted_name(inner) if isinstance(inner, ast.Name | ast.Attribute) else None
        if name is None or name in seen or (name.count(".") and not name.startswith("self.")):
            continue
        given = list(_values(tree, name, at))
        if any(by_shape(tree, one, one, tensor, seen | {name}) for one in given):
            return True
    return False


def _is_shape(node: ast.AST, tensor: str) -> bool:
    if isinstance(node, ast.Attribute):
        return SHAPES.search(node.attr) is not None
    if isinstance(node, ast.Subscript):
        return SHAPES.search(dotted_name(node.value) or "") is not None
    if not isinstance(node, ast.Call):
        return False
    if isinstance(node.func, ast.Attribute) and node.func.attr == "size":
        return True
    called = SHAPES.search(dotted_name(node.func) or "") is not None
    return called or (bool(tensor) and any(ast.unparse(arg) == tensor for arg in node.args))


def _values(tree: Tree, name: str, at: Node) -> Iterator[Node]:
    """Everything that a name is given in the scopes around a node; an attribute of self, anywhere in the file."""
    around = _functions(tree, at)
    for function, value in _stores(tree, name):
        if "." in name or any(function is one for one in around):
            yield value


def _stores(tree: Tree, name: str) -> list[tuple[Node | None, ast.expr]]:
    """The function around each place where a name is given a value, and that value."""

    def found() -> list[tuple[Node | None, ast.expr]]:
        nodes: list[Node] = [node for node in tree.attributes(name.rpartition(".")[2]) if tree.text(node) == name]
        if "." not in name:
            nodes = [*tree.named(name), *(arg for arg in tree.all(ast.arg) if arg.arg == name)]
        given = [(node, _given(tree, node)) for node in nodes]
        return [(tree.around(node, FUNCTIONS), value) for node, value in given if value is not None]

    return tree.once((_stores, name), found)


def _functions(tree: Tree, at: Node) -> list[Node | None]:
    found: list[Node | None] = [None]
    here = tree.around(at, FUNCTIONS)
    while here is not None:
        found.append(here)
        here = tree.around(here, FUNCTIONS)
    return found


def _given(tree: Tree, node: Node) -> ast.expr | None:
    """What a name is given where it stands; None where it is only read."""
    if isinstance(node, ast.arg):
        return next((one.value for one in tree.scope(node)[node.arg] if one.node is node), None)
    child, here = node, tree.parent(node)
    while isinstance(here, STORES):
        child, here = here, tree.parent(here)
    if isinstance(here, ast.Assign):
        return here.value if child is not here.value else None
    if isinstance(here, ast.AnnAssign | ast.AugAssign | ast.NamedExpr):
        return here.value if here.target is child else None
    return here.iter if isinstance(here, ast.For | ast.comprehension) and here.target is child else None


def same_tensor(tree: Tree, tensor: str, since: Node, until: Node) -> bool:
    """Whether an expression surely means the same tensor at two statements.

    An attribute or an item may also be changed by a method of what has it, and by a function that is given that.
    """
    root = tensor.partition(".")[0].partition("[")[0]
    if not root.isidentifier() or not unchanged(tree, root, since, until):
        return False
    if tensor == root:
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
