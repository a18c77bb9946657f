"""Windows as large as the map: sizes that are taken from the tensor's own shape."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from poolkit.dialects.calls import Call, Expression, starred
from poolkit.dialects.dialect import Fields
from poolkit.dialects.reading import fields_of
from poolkit.errors import NotExactError
from poolkit.port.python.evaluated import Values, values_of
from poolkit.port.python.expressions import like as of_kind
from poolkit.port.python.names import Names
from poolkit.port.python.nodes import expression
from poolkit.port.python.positions import lettered
from poolkit.port.python.sites import Site
from poolkit.port.python.tensors import is_of, like
from poolkit.port.python.tree import Tree
from poolkit.port.python.values import Either, Known, Many, Size, Value, by_shape, sizes_in
from poolkit.spec.operation import Operation
from poolkit.spec.values import is_many

# A size at position n of the shape stands as the number MARK + n while a call is read.
MARK = 1_000_003
EITHER = 2 * MARK  # and one that is at n in one order, at n + 1 in the other, as EITHER + n


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
    reader = _Reader(values_of(tree, names, _rank(site.word)), site, like(tree, names, site.tensor))
    call = reader.marked(site.call)
    if not reader.taken and not reader.others:
        return
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
    if isinstance(fields, Operation) or reader.others:
        raise _RefusedError(OTHER)
    layout = lettered(fields["layout"])
    spatial = tuple(MARK + n for n, letter in enumerate(layout) if letter not in "NC")
    window: Any = fields.get("window")
    if window == tuple(EITHER + n for n in range(1, len(spatial) + 1)):
        window = spatial
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


def _entries(value: Any, count: int) -> Sequence[Any]:
    return value if is_many(value) else (value,) * count


@dataclass
class _Reader:
    """Reads the arguments of a site for sizes of what it pools."""

    values: Values
    site: Site
    tensors: list[ast.expr]  # with the shape of what is pooled
    taken: bool = False  # whether its sizes are used
    others: bool = False  # whether a shape is used otherwise

    def marked(self, call: Call) -> Call:
        """The call with a mark for each size of a shape."""
        tensor = next((keyword.arg for keyword in self.site.node.keywords if keyword.value is self.site.tensor), "")
        skip = 1 if self.site.role == "function" and not tensor else 0
        args = (*call.args[:skip], *map(self._value, call.args[skip:]))
        kwargs = ((name, value if name == tensor else self._value(value)) for name, value in call.kwargs)
        return Call(call.name, args, tuple(kwargs))

    def _value(self, value: Any) -> Any:
        if is_many(value):
            return of_kind(value, [self._value(one) for one in value])
        if not isinstance(value, Expression) or starred(value):
            return value
        node = expression(value.text)
        made = self.values.of(node, self.site.node)
        marks = self._marks(made) if sizes_in(made) else None
        named = isinstance(node, ast.Name | ast.Attribute | ast.Subscript)
        if named and isinstance(made, Many) and all(isinstance(one, Size) for one in made.items):
            self.site.shapes.add(value.text)
        if marks is None:
            pooled = ast.unparse(self.tensors[-1]) if self.tensors else ""
            self.others = self.others or by_shape(made, pooled)
            return value
        self.taken = True
        return marks

    def _marks(self, value: Value) -> Any:
        """The mark of a size, or those of several, beside literals; None for anything else."""
        if isinstance(value, Many):
            marks = tuple(map(self._marks, value.items))
            return marks if None not in marks else None
        if isinstance(value, Size) and is_of(self.values.tree, value, self.tensors):
            return MARK + value.at
        if isinstance(value, Either) and [*map(type, value.values)] == [Size, Size]:
            first, second = sorted(self._marks(one) or 0 for one in value.values)
            return first - MARK + EITHER if MARK <= first == second - 1 else None
        return value.value if isinstance(value, Known) and type(value.value) is int else None
