"""What in the argument of a pool goes by the order of the axes: it stays as it is, and the pool's axes may move."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from poolkit.port.python import sequences
from poolkit.port.python.axes import axes_given
from poolkit.port.python.entries import has_entries
from poolkit.port.python.evaluated import Values, values_of
from poolkit.port.python.names import Names
from poolkit.port.python.nodes import Node, entries_of, given, last_name, literal, walk
from poolkit.port.python.positions import lettered
from poolkit.port.python.sites import Site, reduced
from poolkit.port.python.tensor import FORMAT, TURNS
from poolkit.port.python.tensors import like, tensors_of
from poolkit.port.python.tree import Tree
from poolkit.port.python.uses import calls_of
from poolkit.port.python.values import by_shape
from poolkit.spec.values import is_many

LETTERS = ("einsum", "rearrange", "Rearrange")
PERMUTES = (*TURNS, "rollaxis", *LETTERS)
TRANSPOSED = ("T", "mT")  # attributes of a tensor
ADDS = ("unsqueeze", "expand_dims")
SHAPES = ("view", "reshape", "unflatten", "Reshape", *ADDS)
IN_ORDER = "takes the axes in the order of the original; write it anew"
FORMATTED = "{} gives what it pools the order of the data format; set that to the port's"


def order_before(tree: Tree, names: Names, site: Site) -> None:
    """Note in a site what in its argument, or in the Sequential before it, goes by the order of the axes."""
    beside = sequences.before(tree, site.outer) if site.role == "layer" else None
    if (
        beside is not None
        and isinstance(beside.node, ast.Call)
        and last_name(beside.node.func) in ("Permute", "Reshape")
    ):
        site.counted.append(f"{tree.text(beside.node)} before it {IN_ORDER}")
    tensors = [tensors_of(tree, names).of(one) for one in _tensors(tree, names, site)]
    site.counted += [FORMATTED.format(tree.text(one.node)) for one in tensors if one.keeps == FORMAT]
    nodes = [node for one in tensors if one.keeps != FORMAT for node in walk(one.node)]
    turned = next((node for node in nodes if _permutes(tree, node)), None)
    placed = [node for node in dict.fromkeys(nodes) if _goes_by_order(tree, names, node, _of_any_rank(site))]
    bound = turned or next((node for node in placed if not _is_cut(tree, names, site, node)), None)
    site.cuts = [node for node in placed if isinstance(node, ast.Subscript)] if bound is None else []
    if bound is not None:
        site.permuted = turned is not None
        site.ordered = (
            f"{tree.text(bound)} in its argument goes by the order of the axes that the original has, which the port "
            "changes; keep that order by --layout, or port it by hand"
        )
        return
    counted = dict.fromkeys(tree.text(node) for node in nodes if _counts(tree, names, node))
    site.counted += [f"{text} in its argument counts the axes of the original; write it anew" for text in counted]


def kept_order(tree: Tree, names: Names, site: Site) -> None:
    """``pool(x.reshape(b, h, w, c))``: what is pooled has the order of the original, and so has the pool."""
    fields = site.read
    if not site.ordered or site.turned or site.either or site.by_shape or not fields:
        return
    layout, tensors = lettered(fields["layout"]), applied_to(tree, site)
    counts = [tensors_of(tree, names).of(one).own for one in tensors]
    letters = layout.removeprefix("...")
    if counts and all(n == len(letters) or (n > len(letters) and letters != layout) for n in counts):
        site.fields, site.ordered, site.stays = {**fields, "layout": layout}, "", True
        site.notes.append(f"what it pools is reshaped to its axes, and so it stays {layout}")


def applied_to(tree: Tree, site: Site) -> list[Node]:
    """What a site pools, wherever its layer, or the Sequential that has it, is called."""
    if site.role != "layer":
        return [site.tensor] if site.tensor is not None else []
    return [one for call in calls_of(tree, _model(tree, site.outer)) for one in given(call)[:1]]


def _tensors(tree: Tree, names: Names, site: Site) -> Iterator[ast.expr]:
    """What a site is applied to, as it stands there, and what that was before relu and the like, by its names."""
    for tensor in applied_to(tree, site):
        yield from like(tree, names, tensor)


def _model(tree: Tree, layer: Node) -> Node:
    """The Sequential that a layer is an item of, the layer itself where there is none."""
    here = layer
    while (around := sequences.model(tree, here)) is not None:
        here = around
    return here


def turn_in(tree: Tree, names: Names, tensor: Node) -> Node | None:
    """What turns the axes of a tensor where it stands, or of what it was before relu and the like."""
    return next((node for one in like(tree, names, tensor) for node in walk(one) if _permutes(tree, node)), None)


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


def _is_plain(values: Values, entry: ast.expr) -> bool:
    """Whether an entry of an index is a slice whose bounds go by no shape, or three dots."""
    if not isinstance(entry, ast.Slice):
        return literal(entry) is ...
    bounds = (one for one in (entry.lower, entry.upper, entry.step) if one is not None)
    return all(not by_shape(values.of(one, entry)) for one in bounds)


def _is_cut(tree: Tree, names: Names, site: Site, node: Node) -> bool:
    """Whether a node is a slice of each axis of the map that is pooled there, which can be taken in another order."""
    if (
        not isinstance(node, ast.Subscript)
        or not site.read
        or site.tensor is None
        or not tree.inside(node, site.tensor)
    ):
        return False
    entries, rank = entries_of(node), tensors_of(tree, names).of(node.value).rank
    count = len(lettered(site.read["layout"]).removeprefix("..."))
    values = values_of(tree, names)
    plain = all(_is_plain(values, one) for one in entries)
    several = sum(not isinstance(one, ast.Slice) for one in entries)
    sure = rank == count or len(entries) - several == count
    return plain and several < 2 and sure and len(entries) - several <= count and not _of_any_rank(site)


def _goes_by_order(tree: Tree, names: Names, node: Node, of_any_rank: bool) -> bool:
    if isinstance(node, ast.Call):
        name = last_name(node.func)
        batch = name in ADDS and [literal(one) for one in axes_given(tree, names, node)] == [0]
        return name in SHAPES and not batch
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


def _counts(tree: Tree, names: Names, node: Node) -> bool:
    """Whether a call takes an axis by its number, or has an entry for each."""
    return isinstance(node, ast.Call) and (has_entries(names, node) or axes_given(tree, names, node) != [])
