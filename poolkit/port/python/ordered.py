"""What in the argument of a pool goes by the order of the axes: it stays as it is, and the pool's axes may move."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from poolkit.port.python import sequences
from poolkit.port.python.names import Names
from poolkit.port.python.nodes import Node, entries_of, given, last_name, walk
from poolkit.port.python.sites import Site, reduced
from poolkit.port.python.tree import Tree
from poolkit.port.python.uses import calls_of, definition
from poolkit.spec.values import is_many

PERMUTES = (
    *("permute", "transpose", "swapaxes", "swapdims", "moveaxis", "movedim", "rollaxis", "permute_dimensions"),
    *("Permute", "rearrange", "Rearrange", "einsum"),
)
TRANSPOSED = ("T", "mT")  # attributes of a tensor
# Calls that give a tensor its axes, in the order of the original.
SHAPES = ("view", "reshape", "unflatten", "unsqueeze", "expand_dims", "Reshape")
# What takes one axis by its number; it is a step of its own beside the pool, as a convolution is.
COUNTS = (
    *("cat", "concat", "concatenate", "stack", "split", "chunk", "narrow", "select", "index_select", "squeeze"),
    *("softmax", "log_softmax", "flip", "roll", "repeat", "tile", "expand", "mean", "sum", "amax", "amin"),
)
AXES = ("dim", "dims", "axis", "axes")


def order_before(tree: Tree, names: Names, site: Site) -> None:
    """Note in a site what in its argument goes by the order of the axes."""
    nodes = [node for tensor in _tensors(tree, site) for node in walk(tensor)]
    turned = next((node for node in nodes if _permutes(tree, node)), None)
    bound = turned or next((node for node in nodes if _goes_by_order(node, _of_any_rank(site))), None)
    if bound is not None:
        site.permuted = turned is not None
        site.ordered = (
            f"{tree.text(bound)} in its argument goes by the order of the axes that the original has, which the port "
            "changes; keep that order by --layout, or port it by hand"
        )
        return
    counted = dict.fromkeys(tree.text(node) for node in nodes if _counts(names, node))
    site.counted += [f"{text} in its argument counts the axes of the original; write it anew" for text in counted]


def _tensors(tree: Tree, site: Site) -> Iterator[Node]:
    """What a site is applied to: as it stands there, and as a name that has just been given a value."""
    tensors = [site.tensor] if site.tensor is not None else []
    if site.role == "layer":
        calls = calls_of(tree, _model(tree, site.outer))
        tensors = [one for call in calls for one in given(call)[:1]]
    for tensor in tensors:
        yield tensor
        found = definition(tree, tensor.id, tensor) if isinstance(tensor, ast.Name) else None
        if found is not None and found.item is None:
            yield found.value


def _model(tree: Tree, layer: Node) -> Node:
    """The Sequential that a layer is an item of, the layer itself where there is none."""
    here = layer
    while (around := sequences.model(tree, here)) is not None:
        here = around
    return here


def _permutes(tree: Tree, node: Node) -> bool:
    if isinstance(node, ast.Call):
        return last_name(node.func) in PERMUTES
    if not isinstance(node, ast.Attribute) or node.attr not in TRANSPOSED:
        return False
    around = tree.parent(node)
    return not isinstance(around, ast.Call) or around.func is not node


def _of_any_rank(site: Site) -> bool:
    """Whether a site is a reduction that counts its axes from behind, of which the first need not be the batch."""
    at = reduced(site) if site.error is None else None
    return is_many(at) and all(isinstance(n, int) and n < 0 for n in at)


def _goes_by_order(node: Node, of_any_rank: bool) -> bool:
    if isinstance(node, ast.Call):
        return last_name(node.func) in SHAPES
    if not isinstance(node, ast.Subscript):
        return False
    first, *rest = entries_of(node)
    # The first entry is that of the batch, or chooses one of several tensors.
    return any(map(_is_place, rest)) or (of_any_rank and isinstance(first, ast.Slice) and _is_place(first))


def _is_place(entry: ast.expr) -> bool:
    """Whether an entry of an index does something to its axis, or adds one."""
    if isinstance(entry, ast.Slice):
        return not (entry.lower is None and entry.upper is None and entry.step is None)
    return not (isinstance(entry, ast.Constant) and isinstance(entry.value, str | type(...)))


def _counts(names: Names, node: Node) -> bool:
    """Whether a call takes an axis by its number."""
    if not isinstance(node, ast.Call):
        return False
    method = isinstance(node.func, ast.Attribute) and names.full(node.func) is None
    if last_name(node.func) in COUNTS and len(node.args) > (0 if method else 1):
        return True
    return any(keyword.arg in AXES for keyword in node.keywords)
