"""The order of axes that a pool or a layer with the number of its axes in its name gives what it makes."""

from __future__ import annotations

import ast
import re

from poolkit.dialects.calls import Call, known
from poolkit.dialects.dialect import RAISED
from poolkit.dialects.reading import fields_alone, spoken_in
from poolkit.errors import NotExactError
from poolkit.port.python.names import Names
from poolkit.port.python.nodes import Node, arguments, given, last_name, literal
from poolkit.port.python.positions import lettered, letters
from poolkit.port.python.scoped import scoped
from poolkit.port.python.tree import Tree
from poolkit.port.python.uses import whole

STEPS = "NT"  # the batch and the steps, which TimeDistributed has before the axes of what it wraps
DIGIT = re.compile(r"([123])[dD](_|$|Transpose)")
FORMAT = re.compile(r"channels_(first|last)|N[A-Z]*C[A-Z]*")
SETS_FORMAT = "set_image_data_format"


def order_said(tree: Tree, names: Names, layer: Node | None) -> str:
    """The letters of the axes of what a layer or a function makes; empty where it does not say them.

    >>> tree = Tree("from keras import layers; layers.Conv2D(8, 3); layers.TimeDistributed(layers.MaxPooling2D(2))")
    >>> [order_said(tree, Names(tree), call) for call in tree.all(ast.Call)[:2]]
    ['NHWC', 'NTHWC']
    """
    if not isinstance(layer, ast.Call):
        return ""
    name, full = last_name(layer.func), names.full(layer.func)
    if name == "TimeDistributed":
        inner = order_said(tree, names, given(layer)[0]) if given(layer) else ""
        return f"{STEPS}{inner[1:]}" if inner else ""
    digit = DIGIT.search(name)
    if full is None or not (digit or "pool" in name.lower()):
        return ""
    usual = _usual(names, layer, full)
    values = [*layer.args, *(arguments(layer) | dict(scoped(tree, layer))).values()]
    said = [one for one in (_text(tree, value) for value in values) if FORMAT.fullmatch(one)]
    if not said and usual and ("data_format" in arguments(layer) or tree.order or set_by(tree, SETS_FORMAT)):
        usual = lettered(tree.order)
    order = said[0] if said else usual
    return letters(int(digit[1]) + 2 if digit else len(usual or order), order.endswith(("C", "last"))) if order else ""


def _usual(names: Names, layer: ast.Call, full: str) -> str:
    """The layout of a framework's layer that says none; the number of axes is right of pools alone."""
    try:
        usual = spoken_in(Call(full))[0].layouts[2]
        fields = fields_alone(names.call(layer)) if not DIGIT.search(full) else {"layout": usual}
    except (NotExactError, *RAISED):
        return ""
    layout = fields.get("layout") if isinstance(fields, dict) else None
    return lettered(layout) if known(layout) and not str(layout).startswith("...") else ""


def _text(tree: Tree, node: ast.expr) -> str:
    """The text that an argument or what a name is given surely is."""
    value = whole(tree, node) if isinstance(node, ast.Name) else None
    found = literal(node if value is None else value.value)
    return found if isinstance(found, str) else ""


def set_by(tree: Tree, function: str) -> list[object]:
    """What the calls of such a function of Keras's configuration in a file are given; None for what is no literal."""
    named = [*tree.named(function), *tree.attributes(function)]
    calls = [(tree.parent(node), node) for node in sorted(named, key=tree.span)]
    return [_argument(call) for call, node in calls if isinstance(call, ast.Call) and call.func is node]


def _argument(call: ast.Call) -> object:
    value = literal(given(call)[0]) if given(call) else call
    return str(value) if not isinstance(value, ast.AST) else None
