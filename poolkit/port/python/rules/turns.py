"""A pool with its argument turned to its order of the axes, and turned back behind: where the order moves, both go."""

from __future__ import annotations

import ast

from poolkit.dialects.calls import known
from poolkit.dialects.dialect import Fields
from poolkit.port.python import sequences
from poolkit.port.python.names import Names
from poolkit.port.python.nodes import Node, last_name, walk
from poolkit.port.python.positions import lettered
from poolkit.port.python.rules.kept_axes import left_out
from poolkit.port.python.rules.order_before import PERMUTES, SHAPES, applied_to, turn_in
from poolkit.port.python.sites import Folded, Site
from poolkit.port.python.tensors import tensors_of
from poolkit.port.python.tree import Tree
from poolkit.port.python.uses import calls_of, only_use
from poolkit.spec.values import is_all

WHY = "the pool of line {} takes the order that this has, and the turns around it go"


STAYS = (
    "its argument is turned to {0}, the turn stays and it pools {0}, which its result has, too; what is turned has to "
    "keep the order that it has"
)


def turned(tree: Tree, names: Names, site: Site) -> None:
    """Note in a site the turns before and behind it that it needs no more in the order that its argument has.

    Of sequences, with three axes, nobody can tell what is turned: the steps of `(N, L, C)`, or channels to pool them.
    There the turns stay, and the pool has the order that they give it.
    """
    if not site.read or site.by_shape or site.role == "spec":
        return
    layout = lettered(site.read["layout"])
    if len(layout) == 3:
        alone = (
            sequences.model(tree, site.outer) is None
        )  # what is beside it in a Sequential would come to another order
        if site.permuted and alone and all(turn_in(tree, names, one) for one in applied_to(tree, site)):
            site.ordered, site.permuted, site.stays = "", False, True
            site.caveats.append(STAYS.format(layout))
        return
    calls = calls_of(tree, site.outer) if site.role == "layer" else [site.outer]
    found = [_both(tree, names, site, call, layout) for call in calls]
    site.turned = [part for parts in found for part in parts] if all(found) else []


def _both(tree: Tree, names: Names, site: Site, call: Node, layout: str) -> list[Folded]:
    """The turn of the argument of a call, and the one behind it, unless nothing is left of the axes there."""
    tensor = call.args[0] if site.role == "layer" and isinstance(call, ast.Call) and call.args else site.tensor
    before = _before(tree, names, tensor, layout)
    if before is None:
        return []
    behind = _behind(tree, names, call, layout) if site.read.get("keepdims", True) is not False else None
    if behind is not None:
        return [before, behind]
    return [before] if is_vector(site.read) else []


def is_vector(fields: Fields) -> bool:
    """Whether what is left of the axes is the channels alone, beside axes of one cell."""
    sizes = fields.get("output_size")
    return fields.get("keepdims", True) is False or (known(sizes) and is_all(sizes, 1))


def _before(tree: Tree, names: Names, node: Node | None, layout: str) -> Folded | None:
    tensor = tensors_of(tree, names).of(node) if node is not None else None
    if tensor is not None and isinstance(tensor.node, ast.Name):
        line = tree.statement(tensor.before.node) if tensor.before is not None else None
        tensor = tensor.before if isinstance(line, ast.Assign) and only_use(tree, line) is tensor.node else None
    if tensor is None or tensor.before is None:
        return None
    fits = {n: layout[at] for at, n in enumerate(tensor.turn(len(layout)))} == _other(layout)
    return left_out(tree, tensor.node, tensor.before.node, WHY) if fits and _plain(tensor.before.node) else None


def _plain(inner: ast.expr) -> bool:
    """Whether nothing in what is turned goes by an order of the axes itself."""
    return not any(isinstance(one, ast.Subscript) or last_name(one) in (*SHAPES, *PERMUTES) for one in walk(inner))


def _behind(tree: Tree, names: Names, call: Node, layout: str) -> Folded | None:
    statement = tree.parent(call)
    here: Node | None = only_use(tree, statement) if isinstance(statement, ast.Assign) else call
    made = tree.applied(here) if here is not None else None
    tensor = tensors_of(tree, names).of(made) if made is not None else None
    if tensor is None or tensor.before is None or tensor.before.node is not here:
        return None
    fits = {at: layout[n] for at, n in enumerate(tensor.turn(len(layout)))} == _other(layout)
    return left_out(tree, tensor.node, tensor.before.node, WHY) if fits else None


def _other(layout: str) -> dict[int, str]:
    """The same axes with the channels at the other end."""
    spatial = layout.strip("NC")
    return dict(enumerate(f"NC{spatial}" if layout.endswith("C") else f"N{spatial}C"))
