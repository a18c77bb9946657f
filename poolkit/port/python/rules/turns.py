"""A pool with its argument turned to its order of the axes, and turned back behind: where the order moves, both go."""

from __future__ import annotations

import ast

from poolkit.dialects.calls import known
from poolkit.dialects.dialect import Fields
from poolkit.port.python.names import Names
from poolkit.port.python.nodes import Node, arguments, last_name, literal, walk
from poolkit.port.python.positions import lettered
from poolkit.port.python.rules.kept_axes import left_out
from poolkit.port.python.rules.order_before import PERMUTES, SHAPES
from poolkit.port.python.sites import Folded, Site
from poolkit.port.python.tree import Tree
from poolkit.port.python.uses import calls_of, layer_of, only_use, whole
from poolkit.spec.values import is_all, is_many

Turn = tuple[ast.expr, tuple[int, ...]]  # what is turned, and which of its axes each new one is
WHOLE = ("permute", "transpose", "permute_dimensions")
PAIRS = ("transpose", "swapaxes", "swapdims")
MOVES = ("moveaxis", "movedim")
WHY = "the pool of line {} takes the order that this has, and the turns around it go"
TURNS = (*WHOLE, *PAIRS, *MOVES, "Permute")


def turned(tree: Tree, names: Names, site: Site) -> None:
    """Note in a site the turns before and behind it that it needs no more in the order that its argument has.

    Of sequences, with three axes, nobody can tell what is turned: the steps of `(N, L, C)`, or channels to pool them.
    """
    if not site.read or site.by_shape or site.role == "spec":
        return
    layout = lettered(site.read["layout"])
    calls = calls_of(tree, site.outer) if site.role == "layer" else [site.outer]
    found = [_both(tree, names, site, call, layout) for call in calls] if len(layout) > 3 else []
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


def _before(tree: Tree, names: Names, tensor: Node | None, layout: str) -> Folded | None:
    made: Node | None = tensor
    if isinstance(tensor, ast.Name):
        found = whole(tree, tensor)
        line = found.statement if found is not None else None
        made = found.value if found and isinstance(line, ast.Assign) and only_use(tree, line) is tensor else None
    turn = turn_of(names, made, len(layout))
    if turn is None or made is None:
        return None
    inner, order = turn
    fits = {n: layout[at] for at, n in enumerate(order)} == _other(layout) and _plain(names, inner)
    return left_out(tree, made, inner, WHY) if fits else None


def _plain(names: Names, inner: ast.expr) -> bool:
    """Whether nothing in what is turned goes by an order of the axes itself."""
    return not any(isinstance(one, ast.Subscript) or last_name(one) in (*SHAPES, *PERMUTES) for one in walk(inner))


def _behind(tree: Tree, names: Names, call: Node, layout: str) -> Folded | None:
    statement = tree.parent(call)
    here: Node | None = only_use(tree, statement) if isinstance(statement, ast.Assign) else call
    made = tree.applied(here) if here is not None else None
    turn = turn_of(names, made, len(layout))
    if turn is None or made is None or turn[0] is not here:
        return None
    inner, order = turn
    return left_out(tree, made, inner, WHY) if {at: layout[n] for at, n in enumerate(order)} == _other(layout) else None


def _other(layout: str) -> dict[int, str]:
    """The same axes with the channels at the other end."""
    spatial = layout.strip("NC")
    return dict(enumerate(f"NC{spatial}" if layout.endswith("C") else f"N{spatial}C"))


def turn_of(names: Names, node: Node | None, rank: int) -> Turn | None:
    """What a call turns, and how: ``x.permute(0, 3, 1, 2)``, ``tf.transpose(x, [0, 3, 1, 2])``, ``Permute(…)(x)``.

    >>> tree = Tree("y = x.permute(0, 3, 1, 2)")
    >>> turn_of(Names(tree), tree.all(ast.Call)[0], 4)[1]
    (0, 3, 1, 2)
    """
    if not isinstance(node, ast.Call) or any(isinstance(arg, ast.Starred) for arg in node.args):
        return None
    layer = layer_of(names.tree, node)
    if layer is not None:
        named = last_name(layer.func) == "Permute" and layer.args and node.args
        at = literal(layer.args[0]) if named else None
        batch = () if is_many(at) and 0 in at else (0,)  # Keras's does not count it, as torchvision's does
        return _checked(node.args[0], (*batch, *at) if is_many(at) else None, rank) if node.args else None
    method = isinstance(node.func, ast.Attribute) and names.full(node.func) is None
    given = [*node.args, *(value for name, value in arguments(node).items() if name in ("perm", "axes", "dims"))]
    if not method and not given:
        return None
    inner, rest = (node.func.value, given) if method and isinstance(node.func, ast.Attribute) else (given[0], given[1:])
    values = tuple(literal(one) for one in rest)
    return _checked(inner, _order(last_name(node.func), values, rank), rank)


def _order(name: str, values: tuple[object, ...], rank: int) -> tuple[object, ...] | None:
    """Which axis each new one is; None for what is no turn."""
    first = values[0] if len(values) == 1 else None
    if name in WHOLE and (is_many(first) or len(values) > 2):
        return tuple(first) if is_many(first) else values
    if len(values) != 2 or not all(isinstance(n, int) and -rank <= n < rank for n in values):
        return None
    a, b = (n % rank for n in values if isinstance(n, int))
    axes = [*range(rank)]
    if name in PAIRS:
        axes[a], axes[b] = axes[b], axes[a]
        return tuple(axes)
    axes.insert(b, axes.pop(a))
    return tuple(axes) if name in MOVES else None


def _checked(inner: ast.expr, order: tuple[object, ...] | None, rank: int) -> Turn | None:
    places = [n % rank for n in order or () if isinstance(n, int)]
    return (inner, tuple(places)) if sorted(places) == [*range(rank)] else None
