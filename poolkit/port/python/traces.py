"""Whether a value goes by the shape of a tensor, by way of every name that it uses."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from weakref import WeakKeyDictionary

import libcst as cst

from poolkit.dialects.sources import dotted_name
from poolkit.port.python.tree import Node, Tree, expression
from poolkit.port.python.uses import between, unchanged

SHAPES = re.compile(r"(^|[._])(shape|shape_list|shape_as_list|as_list)$", re.IGNORECASE)
STORES = (cst.Tuple, cst.List, cst.Element, cst.StarredElement, cst.AssignTarget)


def by_shape(tree: Tree, value: ast.expr, at: Node, tensor: str = "", seen: frozenset[str] = frozenset()) -> bool:
    r"""Whether some assignment, here or in an outer scope, makes a value one of a shape, or a function of the tensor.

    It need not be the assignment that counts: this is for refusing what is not proven.

    >>> tree = Tree("if size is None:\n    size = x.shape[2:]\ny = pool(x, size)")
    >>> by_shape(tree, expression("(size, 2)"), tree.all(cst.Call)[0])
    True
    """
    for inner in ast.walk(value):
        if _is_shape(inner, tensor):
            return True
        name = dotted_name(inner) if isinstance(inner, ast.Name | ast.Attribute) else None
        if name is None or name in seen or (name.count(".") and not name.startswith("self.")):
            continue
        given = list(_values(tree, name, at))
        if any(by_shape(tree, expression(tree.text(one)), one, tensor, seen | {name}) for one in given):
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


# Once for each file and name: files may have many windows under one name.
_KNOWN: WeakKeyDictionary[Tree, dict[str, list[tuple[Node | None, Node]]]] = WeakKeyDictionary()


def _stores(tree: Tree, name: str) -> list[tuple[Node | None, Node]]:
    """The function around each place where a name is given a value, and that value."""
    known = _KNOWN.setdefault(tree, {})
    if name not in known:
        nodes: list[Node | None] = [*tree.named(name.rpartition(".")[2])]
        if "." in name:
            nodes = [tree.parent(node) for node in nodes if node is not None]
            nodes = [node for node in nodes if isinstance(node, cst.Attribute) and tree.text(node) == name]
        given = [(node, _given(tree, node)) for node in nodes if node is not None]
        known[name] = [(tree.around(node, cst.FunctionDef), value) for node, value in given if value is not None]
    return known[name]


def _functions(tree: Tree, at: Node) -> list[Node | None]:
    found: list[Node | None] = [None]
    here = tree.around(at, cst.FunctionDef)
    while here is not None:
        found.append(here)
        here = tree.around(here, cst.FunctionDef)
    return found


def _given(tree: Tree, node: Node) -> Node | None:
    """What a name is given where it stands; None where it is only read."""
    child, here = node, tree.parent(node)
    while isinstance(here, STORES):
        child, here = here, tree.parent(here)
    if isinstance(here, cst.Assign):
        return here.value if isinstance(child, cst.AssignTarget) else None
    if isinstance(here, cst.AnnAssign | cst.AugAssign | cst.NamedExpr):
        return here.value if here.target is child else None
    if isinstance(here, cst.For | cst.CompFor):
        return here.iter if here.target is child else None
    return here.default if isinstance(here, cst.Param) and here.name is child else None


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
    yield from tree.all(cst.AssignTarget)
    yield from tree.all(cst.AugAssign)
    yield from tree.all(cst.Call)


def _may_change(tree: Tree, node: Node, tensor: str, root: str) -> bool:
    if isinstance(node, cst.Call):
        method = tree.text(node.func)
        ours = method.startswith(f"{root}.") and not method.startswith(f"{tensor}.")
        return ours or any(tree.text(arg.value) == root for arg in node.args)
    target = node.target if isinstance(node, cst.AssignTarget | cst.AugAssign) else node
    return any(part.lstrip("([ ").startswith((f"{root}.", f"{root}[")) for part in tree.text(target).split(","))
