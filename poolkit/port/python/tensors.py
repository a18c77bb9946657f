"""Which tensor an expression is: the same one at two places, and others that have its shape, or its batch."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

from poolkit.port.python.evaluated import values_of
from poolkit.port.python.names import Names
from poolkit.port.python.nodes import Node, given, last_name, literal, plain_name
from poolkit.port.python.tree import Tree
from poolkit.port.python.uses import between, unchanged, whole
from poolkit.port.python.values import Size

# Calls whose result has the shape of their tensor; the second ones may be methods with arguments of their own.
ELEMENTWISE = ("relu", "relu6", "leaky_relu", "elu", "selu", "gelu", "silu", "swish", "sigmoid", "tanh", "dropout")
OF_NUMBERS = (
    *("clamp", "clamp_min", "clamp_max", "clip", "pow", "abs", "square", "sqrt", "exp", "log"),
    *("contiguous", "clone", "detach", "float", "half", "to"),
)
# Steps that leave the batch of their tensor where it is.
STEPS = ("reshape", "view", "expand_dims", "unsqueeze", "squeeze", "flatten")


def like(tree: Tree, names: Names, node: Node | None, steps: bool = False) -> Iterator[ast.expr]:
    """A tensor, and those before it that have its shape; with `steps` those that have its batch, up to a pool's own.

    >>> tree = Tree("y = relu(x); z = pool(y ** 2)")
    >>> [tree.text(one) for one in like(tree, Names(tree), tree.all(ast.Call)[1].args[0])]
    ['y ** 2', 'y', 'relu(x)', 'x']
    """
    for _ in range(20):
        if not isinstance(node, ast.expr):
            return
        yield node
        if isinstance(node, ast.Name):
            found = whole(tree, node)
            node = found.value if found is not None else None
        elif isinstance(node, ast.UnaryOp | ast.BinOp):
            node = (
                node.operand if isinstance(node, ast.UnaryOp) else node.left if isinstance(node.op, ast.Pow) else None
            )
        elif isinstance(node, ast.Subscript):
            node = node.value if steps else None
        elif isinstance(node, ast.Call):
            before = step_of(names, node).tensor
            last = last_name(node.func) not in ELEMENTWISE + OF_NUMBERS and not (steps and _is_step(names, node))
            if last and steps and before is not None:
                yield before
            node = None if last else before
        else:
            return


class Applied(NamedTuple):
    """A call as a step: the name of a method or a framework's function, its tensor, and what it is given besides."""

    name: str
    tensor: ast.expr | None
    rest: list[ast.expr]


def step_of(names: Names, call: ast.Call) -> Applied:
    """A call as what it does to a tensor.

    >>> tree = Tree("import torch; x.view(2, 3); torch.reshape(x, (2, 3))")
    >>> steps = [step_of(Names(tree), call) for call in tree.all(ast.Call)]
    >>> [(one.name, tree.text(one.tensor), len(one.rest)) for one in steps]
    [('view', 'x', 2), ('reshape', 'x', 1)]
    """
    func, args, full = call.func, given(call), names.full(call.func)
    function = (call.args and last_name(func) in ELEMENTWISE) or plain_name(func) == f"self.{last_name(func)}"
    if isinstance(func, ast.Attribute) and full is None and not function:
        return Applied(func.attr, func.value, args)
    first = args[0] if args and not isinstance(args[0], ast.Starred) else None
    return Applied((full or "").rpartition(".")[2], first, args[1:])


def _is_step(names: Names, call: ast.Call) -> bool:
    if isinstance(call.func, ast.Call):
        return names.step(call.func.func) in ("reshape", "flatten")
    return (names.full(call.func) or last_name(call.func)).rpartition(".")[2] in STEPS


def count_of_sizes(names: Names, call: ast.Call) -> int:
    """How many sizes a reshape has; 0 where a star leaves that open."""
    sizes = sizes_of(names, call)
    return 0 if any(isinstance(one, ast.Starred) for one in [*call.args, *sizes]) else len(sizes)


def sizes_of(names: Names, call: ast.Call) -> list[ast.expr]:
    """The sizes that a reshape has, of all axes."""
    args = step_of(names, call).rest
    return args[-1].elts if args and isinstance(args[-1], ast.Tuple | ast.List) else args


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
    value = values_of(tree, names).of(size, at)
    return isinstance(value, Size) and value.at == 0 and is_of(tree, value, [*like(tree, names, tensor, steps=True)])


def of_own_order(tree: Tree, names: Names, tensor: Node | None, rank: int) -> bool:
    """Whether a tensor has its axes by a reshape to so many, which has the original's order whatever the others have.

    >>> tree = Tree("y = relu(x.reshape(b, h, w, c).permute(0, 3, 1, 2))")
    >>> of_own_order(tree, Names(tree), tree.all(ast.Call)[0], 4)
    True
    """
    *_, last = (None, *like(tree, names, tensor))
    if isinstance(last, ast.IfExp):  # as it is, or turned where the order is another one
        return any(
            of_own_order(tree, names, one, rank) for one in (last.body, last.orelse) if isinstance(one, ast.Name)
        )
    if not isinstance(last, ast.Call):
        return False
    if last_name(last.func) in ("permute", "transpose"):
        return of_own_order(tree, names, step_of(names, last).tensor, rank)
    return last_name(last.func) in ("reshape", "view") and count_of_sizes(names, last) == rank


def is_of(tree: Tree, size: Size, tensors: list[ast.expr]) -> bool:
    """Whether a size was taken of one of several tensors, as it is there."""
    return any(ast.unparse(one) == size.tensor and same_tensor(tree, size.tensor, size.since, one) for one in tensors)


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
