"""Windows as large as the map: sizes that are taken from the tensor's own shape."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from poolkit.dialects.calls import Call, Expression, starred
from poolkit.dialects.dialect import Fields
from poolkit.dialects.reading import fields_of
from poolkit.dialects.sources import dotted_name
from poolkit.errors import NotExactError
from poolkit.port.python.expressions import like
from poolkit.port.python.names import Names
from poolkit.port.python.nodes import Node, expression
from poolkit.port.python.sites import Site
from poolkit.port.python.traces import by_shape, same_tensor
from poolkit.port.python.tree import Tree
from poolkit.port.python.values import Many, Size, Values
from poolkit.spec.operation import Operation
from poolkit.spec.values import is_many

# A size at position n of the shape stands as the number MARK + n while a call is read.
MARK = 1_000_003


class Sizes(NamedTuple):
    """Sizes of a tensor: the text of that tensor, and a position, or several."""

    tensor: str
    at: Any


OTHER = (
    "its window is taken from a shape, and is not simply the spatial sizes of what it pools, so that it would be "
    "another one in another layout; port it by hand"
)
OPTIONS = (
    "its window goes by the sizes of what it pools, with strides, padding or options under which it is not simply the "
    "whole map; port it by hand"
)
SQUARE = (
    "its window has one side of the map for all, and so is the whole map where that is square; write a global pool if "
    "it always is, otherwise port it by hand"
)


def whole_map(tree: Tree, names: Names, site: Site) -> None:
    """Make a site whose window is the spatial sizes of its own tensor a global pool; say why where it is not."""
    if isinstance(site.fields, Operation):
        return
    reader = _Reader(tree, names, site, _rank(site.word))
    call = reader.marked(site.call)
    if not reader.tensors and not reader.others:
        return
    site.shapes = reader.shapes
    try:
        fields: Any = fields_of(call)
        site.fields, site.by_shape = _global(reader, fields, site), ""
    except (NotExactError, ValueError) as error:
        site.by_shape = str(error) if isinstance(error, _RefusedError) else OTHER
        return
    site.error, site.reformed = None, True


class _RefusedError(ValueError):
    """A window that goes by a shape, and is not the whole map."""


def _rank(word: str) -> int:
    """The number of axes of the tensor, by the digit in the name of the word; images where it has none."""
    digit = re.search(r"([123])[dD](_|$)", word)
    return int(digit[1]) + 2 if digit else 4


DEFAULTS: dict[str, Any] = {"divisor_override": None, "indices": False, "dilation": 1}


def _global(reader: _Reader, fields: Any, site: Site) -> Fields:
    """The fields of the global pool that fields with marks are."""
    if isinstance(fields, Operation) or reader.tensors != {reader.text} or reader.others:
        raise _RefusedError(OTHER)
    given = str(fields["layout"])
    layout = {"channels_last": "NHWC", "channels_first": "NCHW"}.get(given, given)
    spatial = tuple(MARK + n for n, letter in enumerate(layout) if letter not in "NC")
    window: Any = fields.get("window")
    if window in spatial and len(spatial) > 1:
        raise _RefusedError(SQUARE)
    window = window if is_many(window) else (window,)
    strides = _entries(fields.get("stride"), len(spatial))
    # A window of one cell leaves its axis as it is.
    sizes = tuple(None if k == 1 and s in (1, None) else k for k, s in zip(window, strides, strict=False))
    if len(window) != len(spatial) or any(k not in (None, n) for k, n in zip(sizes, spatial, strict=True)):
        raise _RefusedError(OTHER)
    fits = fields.get("padding") in ("valid", 0) or (fields.get("padding") == "same" and fields.get("stride") is None)
    plain = all(fields.get(name, value) == value for name, value in DEFAULTS.items())
    if not fits or not plain or fields["kind"] not in ("avg", "max"):
        raise _RefusedError(OPTIONS)
    output_size = tuple(None if k is None else 1 for k in sizes) if None in sizes else 1
    return {"kind": fields["kind"], "output_size": output_size, "layout": layout}


# Calls whose result has the shape of their tensor; the second ones may be methods with arguments of their own.
ELEMENTWISE = ("relu", "relu6", "leaky_relu", "elu", "selu", "gelu", "silu", "swish", "sigmoid", "tanh", "dropout")
OF_NUMBERS = ("clamp", "clamp_min", "clamp_max", "clip", "pow", "abs", "square", "sqrt", "exp", "log")


def _entries(value: Any, count: int) -> Sequence[Any]:
    return value if is_many(value) else (value,) * count


def pooled_text(names: Names, site: Site) -> str:
    """The text of the tensor whose shape the pooled one has."""
    return ast.unparse(_shaped_as(names, site, site.tensor)) if isinstance(site.tensor, ast.expr) else ""


def _shaped_as(names: Names, site: Site, tensor: ast.expr) -> ast.expr:
    """The tensor inside functions such as relu, and powers, which have the same shape."""
    if isinstance(tensor, ast.UnaryOp):
        return _shaped_as(names, site, tensor.operand)
    if isinstance(tensor, ast.BinOp) and isinstance(tensor.op, ast.Pow):
        return _shaped_as(names, site, tensor.left)
    if not isinstance(tensor, ast.Call) or not isinstance(tensor.func, ast.Attribute):
        return tensor
    name = tensor.func.attr
    if name not in ELEMENTWISE + OF_NUMBERS:
        return tensor
    dotted = dotted_name(tensor.func) or ""
    function = tensor.args and (name in ELEMENTWISE or names.resolve(dotted, site.node) is not None)
    return _shaped_as(names, site, tensor.args[0] if function else tensor.func.value)


@dataclass
class _Reader:
    """Reads the arguments of a site for sizes of a shape."""

    tree: Tree
    names: Names
    site: Site
    rank: int

    def __post_init__(self) -> None:
        self.text = pooled_text(self.names, self.site)
        self.values = Values(self.tree, self.names, self.rank)
        self.tensors: set[str] = set()  # whose sizes are used
        self.others = False  # whether a shape is used otherwise
        self.shapes: set[str] = set()  # the texts that are several sizes of one

    def marked(self, call: Call) -> Call:
        """The call with a mark for each size of a shape."""
        positional = not any(keyword.value is self.site.tensor for keyword in self.site.node.keywords)
        skip = 1 if self.site.role == "function" and positional else 0
        args = (*call.args[:skip], *map(self._value, call.args[skip:]))
        return Call(call.name, args, tuple((name, self._value(value)) for name, value in call.kwargs))

    def _value(self, value: Any) -> Any:
        if is_many(value):
            return like(value, [self._value(one) for one in value])
        if not isinstance(value, Expression) or starred(value):
            return value
        node = expression(value.text)
        sizes = self.sizes(node, self.site.node)
        if sizes is not None:
            self.tensors.add(sizes.tensor)
            if is_many(sizes.at) and isinstance(node, ast.Name | ast.Attribute | ast.Subscript):
                self.shapes.add(value.text)
            return _marks(sizes.at)
        if isinstance(node, ast.Tuple | ast.List):
            return self._spread(node, value)
        self.others = self.others or by_shape(self.tree, node, self.site.node, self.text)
        return value

    def _spread(self, node: ast.Tuple | ast.List, whole: Expression) -> Any:
        """``(1, *x.shape[1:3], 1)`` as its elements; the whole as it is where they are not known."""
        found: list[Any] = []
        for element in node.elts:
            inner = element.value if isinstance(element, ast.Starred) else element
            value: Any = inner.value if isinstance(inner, ast.Constant) else self._value(Expression(ast.unparse(inner)))
            if isinstance(element, ast.Starred) and not is_many(value):
                self.others = self.others or by_shape(self.tree, node, self.site.node, self.text)
                return whole
            found.extend(value if isinstance(element, ast.Starred) else [value])
        return tuple(found)

    def sizes(self, node: ast.expr, at: Node) -> Sizes | None:
        """The sizes that an expression is, at a node of the file, of a tensor that is still the one that is pooled."""
        value = self.values.of(node, at)
        found = [one for one in (value.items if isinstance(value, Many) else (value,)) if isinstance(one, Size)]
        if not found or len(found) < len(value.items if isinstance(value, Many) else found):
            return None
        tensors = {one.tensor for one in found}
        if len(tensors) > 1 or not all(same_size(self.tree, one, self.site.node) for one in found):
            return None
        return Sizes(found[0].tensor, tuple(one.at for one in found) if isinstance(value, Many) else found[0].at)


def same_size(tree: Tree, size: Size, at: Node) -> bool:
    """Whether a tensor is at a node still the one whose size was taken."""
    return size.since is at or same_tensor(tree, size.tensor, size.since, at)


def _marks(at: Any) -> Any:
    return tuple(map(_marks, at)) if is_many(at) else MARK + at
