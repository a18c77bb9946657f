"""Whether a value goes by the shape of a tensor, by way of every name that it uses."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from poolkit.dialects.sources import dotted_name
from poolkit.port.python.nodes import Node
from poolkit.port.python.tree import Tree
from poolkit.port.python.uses import between, flow_of, unchanged

SHAPES = re.compile(r"(^|[._])(shape|shape_list|shape_as_list|as_list)$", re.IGNORECASE)


def by_shape(tree: Tree, value: ast.AST, at: Node, tensor: str = "", seen: set[ast.AST] | None = None) -> bool:
    r"""Whether some assignment, here or in an outer scope, makes a value one of a shape, or a function of the tensor.

    It need not be the assignment that counts: this is for refusing what is not proven.

    >>> tree = Tree("if size is None:\n    size = x.shape[2:]\ny = pool(x, size)")
    >>> by_shape(tree, ast.parse("(size, 2)").body[0], tree.all(ast.Call)[0])
    True
    """
    seen = set[ast.AST]() if seen is None else seen
    seen.add(value)
    for inner in ast.walk(value):
        if _is_shape(inner, tensor):
            return True
        name = dotted_name(inner) if isinstance(inner, ast.Name | ast.Attribute) else None
        if name is None or (name.count(".") and not name.startswith("self.")):
            continue
        if any(one not in seen and by_shape(tree, one, one, tensor, seen) for one in _values(tree, name, at)):
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


def _values(tree: Tree, name: str, at: Node) -> Iterator[ast.expr]:
    """Everything that a name may have been given where it stands; an attribute of self, anywhere in the file."""
    if "." not in name:
        yield from flow_of(tree).values(name, at)
        return
    for node in tree.attributes(name.rpartition(".")[2]):
        statement = tree.statement(node)
        if isinstance(node.ctx, ast.Store) and tree.text(node) == name and statement is not None:
            value = getattr(statement, "value", None) or getattr(statement, "iter", None)
            yield from [value] if isinstance(value, ast.expr) else []


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
