"""Steps that give a tensor axes of size 1: reshapes, expand_dims, None in an index, and layers that do one of these.

Axes are letters: ("N", "C") after a global pool that drops its axes, ("N", "1", "1", "C") once they are back.
"""

from __future__ import annotations

import ast
from typing import Any, NamedTuple

from poolkit.port.python.evaluated import values_of
from poolkit.port.python.names import Names
from poolkit.port.python.nodes import Node, entries_of, given, literal
from poolkit.port.python.tensor import Tensor
from poolkit.port.python.tensors import is_of, tensors_of
from poolkit.port.python.tree import Tree
from poolkit.port.python.uses import loads_of
from poolkit.port.python.values import Many, Size, Value, literal_of
from poolkit.spec.values import is_many

Axes = tuple[str, ...]


class Step(NamedTuple):
    """What a tensor becomes a part of: the node around it, and its axes then."""

    node: Node
    axes: Axes


def climbed(tree: Tree, names: Names, node: Node, axes: Axes, goal: Axes) -> Step:
    """The outermost node around a tensor's that only reshapes it, up to where it has the axes of the goal.

    >>> tree = Tree("y = g(x)[:, None, None]")
    >>> step = climbed(tree, Names(tree), tree.all(ast.Call)[0], ("N", "C"), ("N", "1", "1", "C"))
    >>> tree.text(step.node)
    'g(x)[:, None, None]'
    """
    here = Step(node, axes)
    while here.axes != goal:
        above = _above(tree, names, here)
        if above is None:
            break
        here = above
    return here


def _above(tree: Tree, names: Names, here: Step) -> Step | None:
    around = tree.parent(here.node)
    indexed = isinstance(around, ast.Subscript) and around.value is here.node
    outer = around if indexed else tree.applied(here.node)
    axes = _after(tree, names, tensors_of(tree, names).of(outer), here) if outer is not None else None
    return Step(outer, axes) if outer is not None and axes is not None else None


def _after(tree: Tree, names: Names, made: Tensor, here: Step) -> Axes | None:
    """The axes of what is made of a tensor by an index, a layer, a function or a method."""
    if isinstance(made.node, ast.Subscript):
        return _indexed(names, made.node, here.axes)
    if not isinstance(made.node, ast.Call) or _starred(made.node):
        return None
    return by_layer(tree, names, made.layer, here.axes) if made.layer is not None else _by_call(tree, names, made, here)


def _starred(call: ast.Call) -> bool:
    """Whether a call has a star beside other arguments."""
    stars = any(isinstance(arg, ast.Starred) for arg in call.args) or any(k.arg is None for k in call.keywords)
    return stars and len(given(call)) > 1


def by_layer(tree: Tree, names: Names, layer: Node, axes: Axes) -> Axes | None:
    """The axes after a layer, ``Reshape((1, 1, C))`` or a Lambda that reshapes."""
    if not isinstance(layer, ast.Call) or not given(layer):
        return None
    step, inner = names.step(layer.func), given(layer)[0]
    if step == "reshape":
        return _reshaped(tree, names, inner, layer, axes)
    if not layer.args and layer.keywords[0].arg not in ("target_shape", "function"):
        return None
    if step != "lambda" or not isinstance(inner, ast.Lambda):
        return None
    parameter = only_parameter(inner)
    loads = [n for n in loads_of(tree, parameter or "", inner) if tree.inside(n, inner.body)]
    if len(loads) != 1:
        return None
    # Without a goal: up to the end of the body.
    last = climbed(tree, names, loads[0], axes, ())
    return last.axes if last.node is inner.body else None


def only_parameter(function: ast.Lambda) -> str | None:
    params = function.args.args
    return params[0].arg if len(params) == 1 else None


# ------------------------------------------------------------------------------------------------------- single steps

EXPAND = ("expand_dims", "unsqueeze")
RESHAPE = ("reshape", "view")


def _by_call(tree: Tree, names: Names, made: Tensor, here: Step) -> Axes | None:
    """``tf.expand_dims(x, 1)``, ``tf.reshape(x, [-1, 1, 1, C])``, ``x.unsqueeze(2)``, ``x.view(b, c, 1, 1)``."""
    name, tensor, rest = made.name, made.before, made.rest
    place = literal(rest[0]) if len(rest) == 1 else None
    if tensor is None or tensor.node is not here.node:
        return None
    if name in EXPAND:
        return _inserted(place, here.axes)
    if name == "squeeze":
        return _squeezed(place, here.axes)
    if name == "flatten":
        return _flat(here.axes) if place == 1 else None
    if name not in RESHAPE or not rest:
        return None
    shape = rest[0] if len(rest) == 1 else ast.Tuple(rest, ast.Load())
    return _reshaped(tree, names, shape, made.node, here.axes, tensor)


def _places(at: object) -> list[int] | None:
    """One position or several; None for what are none."""
    several: list[Any] = list(at) if is_many(at) else [at]
    return several if all(type(n) is int for n in several) else None


def _inserted(at: object, axes: Axes) -> Axes | None:
    """The axes with one of size 1 at a position, or at several, counted in the result."""
    places = _places(at)
    if places is None:
        return None
    rank = len(axes) + len(places)
    where = {n % rank for n in places if -rank <= n < rank}
    if len(where) < len(places):
        return None
    rest = iter(axes)
    return tuple("1" if n in where else next(rest) for n in range(rank))


def _squeezed(at: object, axes: Axes) -> Axes | None:
    """The axes without those of size 1 at these positions."""
    places = _places(at)
    if places is None or not all(-len(axes) <= n < len(axes) for n in places):
        return None
    gone = {n % len(axes) for n in places}
    return tuple(axis for n, axis in enumerate(axes) if n not in gone) if all(axes[n] == "1" for n in gone) else None


def _flat(axes: Axes) -> Axes | None:
    plain = tuple(axis for axis in axes if axis != "1")
    return plain if plain == ("N", "C") else None


def is_batch(tree: Tree, size: Value, tensor: Tensor) -> bool:
    """Whether an entry of a reshape is -1, or the batch of the tensor or of what was pooled to get it.

    >>> tree = Tree("from torch.nn import functional as F; y = F.adaptive_avg_pool2d(x, 1).view(x.size(0), -1)")
    >>> call, names = tree.all(ast.Call)[0], Names(tree)
    >>> tensor, sizes = tensors_of(tree, names).of(call.func.value), ast.Tuple(call.args)
    >>> [is_batch(tree, size, tensor) for size in values_of(tree, names).of(sizes, call).items]
    [True, True]
    """
    first = isinstance(size, Size) and size.at == 0 and is_of(tree, size, [*tensor.like(steps=True)])
    return first or literal_of(size) == -1


def keeps_batch(tree: Tree, names: Names, reshaped: Tensor) -> bool:
    """Whether the first entry of a reshape is the batch of its tensor."""
    before, size = reshaped.before, values_of(tree, names).of(reshaped.sizes[0], reshaped.node)
    return before is not None and is_batch(tree, size, before)


def _reshaped(
    tree: Tree, names: Names, shape: ast.expr, at: Node, axes: Axes, tensor: Tensor | None = None
) -> Axes | None:
    """The axes after a reshape to one entry that is not 1, the channels, behind that for the batch of a tensor."""
    made = values_of(tree, names).of(shape, at)
    if not isinstance(made, Many) or not made.items:
        return None
    if tensor is not None and not is_batch(tree, made.items[0], tensor):
        return None
    letters = tuple("1" if literal_of(size) == 1 else "C" for size in made.items[tensor is not None :])
    plain = [axis for axis in axes if axis != "1"]
    return ("N", *letters) if plain == ["N", "C"] and letters.count("C") == 1 else None


def _indexed(names: Names, node: ast.Subscript, axes: Axes) -> Axes | None:
    """``x[:, None, None, :]``, ``x[..., None, None]``, with any framework's newaxis, and ``x[:, 0, 0]``."""
    entries = [_entry(names, element) for element in entries_of(node)]
    if None in entries or entries.count("...") > 1:
        return None
    slices = entries.count(":") + entries.count("0")
    if slices > len(axes):
        return None
    if "..." not in entries:
        entries.append("...")
    at = entries.index("...")
    entries[at : at + 1] = [":"] * (len(axes) - slices)
    rest = iter(axes)
    found: list[str] = []
    for entry in entries:
        axis = "1" if entry == "1" else next(rest)
        if entry == "0" and axis != "1":
            return None
        found += [] if entry == "0" else [axis]
    return tuple(found)


def _entry(names: Names, entry: ast.expr) -> str | None:
    if isinstance(entry, ast.Slice):
        return ":" if entry.lower is None and entry.upper is None and entry.step is None else None
    if isinstance(entry, ast.Constant) and entry.value in (..., None):
        return "..." if entry.value is ... else "1"
    if isinstance(entry, ast.Constant) and type(entry.value) is int:
        return "0" if entry.value == 0 else None  # the only one along an axis of size 1
    return "1" if (names.full(entry) or "").endswith(".newaxis") else None
