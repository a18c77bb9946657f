"""Which arguments of a call count the axes of a tensor, by their names or by the tables of the frameworks."""

from __future__ import annotations

import ast
import functools

from poolkit.dialects import table
from poolkit.port.python.assumed import imported
from poolkit.port.python.names import Names
from poolkit.port.python.nodes import arguments, last_name, literal, plain_name
from poolkit.port.python.tree import Tree

AXES = ("dim", "dims", "axis", "axes")
SEVERAL = ("flip", "squeeze")  # of which methods take one after the other
OR_TENSOR = ("max", "min", "normalize", "append")  # at this place they take a tensor as well


def axes_given(tree: Tree, names: Names, call: ast.Call) -> list[ast.expr]:
    """The argument of a call that counts axes, or those that do one after the other; none where there is none.

    >>> tree = Tree("import torch; y = x.flip(2, 3); z = torch.roll(y, 1, 3); s = z.std(dim=(2, 3)); x.max(y)")
    >>> [[ast.unparse(one) for one in axes_given(tree, Names(tree), call)] for call in tree.all(ast.Call)]
    [['2', '3'], ['3'], ['(2, 3)'], []]
    """
    by_name = [value for key, value in arguments(call).items() if key in AXES]
    name, at = last_name(call.func), _place(tree, names, call)
    if by_name or at is None or at >= len(call.args) or any(isinstance(literal(one), str) for one in call.args):
        return by_name[:1]  # a text has methods of such names, too
    value, rest = call.args[at], call.args[at:]
    if name in SEVERAL and len(rest) > 1 and all(type(literal(one)) is int for one in rest):
        return rest
    other = isinstance(value, ast.Starred) or names.full(value) is not None  # a function, as in slim.repeat
    return [] if other or (name in OR_TENSOR and isinstance(literal(value), ast.AST)) else [value]


def _place(tree: Tree, names: Names, call: ast.Call) -> int | None:
    """Where a function takes axes, of a framework or of the file's own modules; a method does one place before."""
    full, name = names.full(call.func), last_name(call.func)
    if full is not None:
        root = full.partition(".")[0]
        own = [_places()[d.name] for d in table.dialects() if root in d.roots]
        return next((places[name] for places in own if name in places), None)
    if not isinstance(call.func, ast.Attribute) or plain_name(call.func.value) == "self":
        return None
    # What the file imports comes first: a method has the same name in two frameworks, and another place.
    tables = sorted(table.dialects(), key=lambda d: names.roots.isdisjoint(d.roots))
    at = next((_places()[d.name][name] for d in tables if name in _places()[d.name]), None) or None
    module = imported(tree, plain_name(call.func) or "", call) is not None
    return at if at is None or module else at - 1


@functools.cache
def unsaid_axes() -> dict[str, tuple[str, int]]:
    """The axis that layers and functions take where they are told none, after what they call it."""
    tables = [d.usage.unsaid_axes for d in table.dialects()]
    return {name: axis for one in tables for axis, words in one.items() for name in words.split()}


@functools.cache
def _places() -> dict[str, dict[str, int]]:
    return {d.name: {one: at for at, words in d.usage.axes.items() for one in words.split()} for d in table.dialects()}
