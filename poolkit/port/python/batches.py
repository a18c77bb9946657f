"""The first entry of a reshape: whether it is the batch of the tensor that is reshaped."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from poolkit.port.python.names import Names
from poolkit.port.python.nodes import Node, given, last_name, literal, plain_name
from poolkit.port.python.traces import same_tensor
from poolkit.port.python.tree import Tree
from poolkit.port.python.uses import definition
from poolkit.port.python.values import Size, Values

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
    if literal(size) == -1:
        return True
    value = Values(tree, names).of(size, at)
    if not isinstance(value, Size) or value.at != 0:
        return False
    same = (one for one in _tensors(tree, names, tensor) if tree.text(one) == value.tensor)
    found = next(same, None)
    return found is not None and (value.since is at or same_tensor(tree, value.tensor, value.since, found))


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
