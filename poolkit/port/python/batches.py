"""The first entry of a reshape: whether it is the batch of the tensor that is reshaped."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from poolkit.dialects.sources import dotted_name
from poolkit.port.python.names import Names
from poolkit.port.python.nodes import Node, given, last_name, plain_name
from poolkit.port.python.traces import SHAPES, same_tensor
from poolkit.port.python.tree import Tree
from poolkit.port.python.uses import definition

# Steps that leave the batch of their tensor where it is.
STEPS = ("reshape", "view", "expand_dims", "unsqueeze", "squeeze", "flatten")


def is_batch(tree: Tree, names: Names, size: ast.expr, at: Node, tensor: Node) -> bool:
    """Whether an entry of a reshape at a node is -1, or the batch of the tensor or of what was pooled to get it.

    >>> tree = Tree("from torch.nn import functional as F; y = F.adaptive_avg_pool2d(x, 1).view(x.size(0), -1)")
    >>> call = tree.all(ast.Call)[0]
    >>> is_batch(tree, Names(tree), call.args[0], call, call.func.value)
    True
    >>> is_batch(tree, Names(tree), call.args[1].operand, call, call.func.value)
    False
    """
    if _literal(size) == -1:
        return True
    found = _batch_of(tree, size, at)
    if found is None:
        return False
    whose, since = found
    for one in _tensors(tree, names, tensor):
        if tree.text(one) == whose:
            return since is at or same_tensor(tree, whose, since, one)
    return False


def _literal(node: ast.expr) -> object:
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError):
        return None


def _batch_of(tree: Tree, size: ast.expr, at: Node) -> tuple[str, Node] | None:
    """The text of the tensor whose batch a size is, and the statement that looks at its shape."""
    if isinstance(size, ast.Name):
        return _named_batch(tree, size.id, at)
    if isinstance(size, ast.Subscript) and _literal(size.slice) == 0:
        return _first_of(tree, size.value, at)
    if not isinstance(size, ast.Call) or len(size.args) != 1:
        return None
    name = dotted_name(size.func) or ""
    if name == "int":
        return _batch_of(tree, size.args[0], at)
    if name == "len":
        return ast.unparse(size.args[0]), at
    method = isinstance(size.func, ast.Attribute) and size.func.attr == "size" and _literal(size.args[0]) == 0
    return (ast.unparse(size.func.value), at) if method and isinstance(size.func, ast.Attribute) else None


def _named_batch(tree: Tree, name: str, at: Node) -> tuple[str, Node] | None:
    found = definition(tree, name, at)
    if found is None or found.item:
        return None
    value = found.value
    if found.item is None:
        return _batch_of(tree, value, found.statement)
    if isinstance(value, ast.Tuple | ast.List):
        return _batch_of(tree, value.elts[0], found.statement)
    return _first_of(tree, value, found.statement)


def _first_of(tree: Tree, shape: ast.expr, at: Node) -> tuple[str, Node] | None:
    """The tensor of a shape, which may have a name."""
    if isinstance(shape, ast.Name):
        found = definition(tree, shape.id, at)
        if found is None or found.item is not None:
            return None
        shape, at = found.value, found.statement
    whole = _shape_of(shape)
    return (whole, at) if whole else None


def _shape_of(node: ast.expr) -> str | None:
    """The tensor of ``x.shape``, ``x.size()``, ``tf.shape(x)``, ``x.get_shape().as_list()``; also of its first part."""
    if isinstance(node, ast.Attribute):
        return ast.unparse(node.value) if node.attr == "shape" else None
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice) and node.slice.lower is None:
        return _shape_of(node.value)
    if not isinstance(node, ast.Call):
        return None
    method = node.func.attr if isinstance(node.func, ast.Attribute) and not node.args else ""
    if method == "as_list":
        return _shape_of(node.func.value) if isinstance(node.func, ast.Attribute) else None
    if method in ("size", "get_shape") and isinstance(node.func, ast.Attribute):
        return ast.unparse(node.func.value)
    return ast.unparse(node.args[0]) if SHAPES.search(dotted_name(node.func) or "") and node.args else None


def _tensors(tree: Tree, names: Names, node: Node) -> Iterator[Node]:
    """A tensor, what it was before each step back to its pool, and what that was applied to."""
    for _ in range(20):
        yield node
        if isinstance(node, ast.Name):
            found = definition(tree, node.id, node)
            if found is None or found.item is not None:
                return
            node = found.value
            continue
        if not isinstance(node, ast.Call):
            if not isinstance(node, ast.Subscript):
                return
            node = node.value
            continue
        before = _applied_to(names, node)
        if before is None:
            return
        if not _is_step(names, node):
            yield before
            return
        node = before


def _applied_to(names: Names, call: ast.Call) -> Node | None:
    """The tensor of a call: what its method belongs to, or its first argument."""
    if isinstance(call.func, ast.Attribute) and names.full(call.func) is None and not _of_self(call.func):
        return call.func.value
    first = next(iter(given(call)), None)
    return first if not isinstance(first, ast.Starred) else None


def _of_self(func: ast.Attribute) -> bool:
    return (plain_name(func) or "").startswith("self.")


def _is_step(names: Names, call: ast.Call) -> bool:
    if isinstance(call.func, ast.Call):
        return names.step(call.func.func) in ("reshape", "flatten")
    return (names.full(call.func) or last_name(call.func)).rpartition(".")[2] in STEPS
