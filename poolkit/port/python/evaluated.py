"""The values of a file's expressions, by the one pass that knows which value a name has where it stands."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from poolkit.dialects.calls import Call
from poolkit.dialects.sources import dotted_name
from poolkit.port.python.comprehended import ITERATED, Bound, iterated, unrolled
from poolkit.port.python.expressions import with_literals
from poolkit.port.python.given import Given
from poolkit.port.python.names import Names
from poolkit.port.python.nodes import Node, expression, given, is_int, last_name, literal, plain_name, walk
from poolkit.port.python.taken import item_of, looked_at, place_of
from poolkit.port.python.tensors import tensors_of
from poolkit.port.python.tree import Tree
from poolkit.port.python.uses import flow_of, mutated
from poolkit.port.python.values import (
    Computed,
    Either,
    Known,
    Leaf,
    Many,
    Shape,
    Size,
    Unknown,
    Value,
    by_shape,
    combined,
    computed,
    either,
    is_several,
    literal_of,
    many,
    numbers,
    sizes_in,
)

SHAPES = re.compile(r"(^|[._])(int_shape|shape|shape_list|shape_as_list|get_static_shape|as_list)$", re.IGNORECASE)
THROUGH = ("int", "list", "tuple", "float")  # calls that leave sizes as they are, or make another number of one
NUMBERS = re.compile(
    r"int|float|round|abs|min|max|math\.\w+|(np|numpy)\.(ceil|floor|round|int32|int64|maximum|minimum|sqrt)"
)
WRITTEN = ("as_list", "numpy", "tolist")  # of sizes, as plain numbers
METHODS = ("get_shape", "size", *WRITTEN)
DOTTED = (ast.Name, ast.Attribute, ast.Subscript)


@dataclass
class Values:
    """The values of a file's expressions; tensors of which nothing is known may be said to have so many axes.

    >>> from poolkit.port.python.values import sizes_in
    >>> tree = Tree("h, w = x.shape[1:3]; y = f(h // 2)")
    >>> call = tree.all(ast.Call)[0]
    >>> [(size.tensor, size.at) for size in sizes_in(values_of(tree, Names(tree), 4).of(call.args[0], call))]
    [('x', 1)]
    """

    tree: Tree
    names: Names
    rank: int | None = None
    found: dict[Given, Value] = field(default_factory=dict[Given, "Value"])
    attributes: dict[str, Given] = field(default_factory=dict[str, Given])
    bound: list[Bound] = field(default_factory=list[Bound])  # what comprehensions around give their names

    def of(self, node: ast.expr | None, at: Node) -> Value:
        """What an expression is at a node of the file."""
        if isinstance(node, ast.Constant):
            return Known(ast.unparse(node), node.value)
        if isinstance(node, ast.Name):
            return self._named(node.id, at)
        if isinstance(node, ast.Starred):
            return self.of(node.value, at)
        if isinstance(node, ast.Tuple | ast.List):
            return self._many(node, at)
        if isinstance(node, ast.Attribute):
            return self._attribute(node, at)
        if isinstance(node, ast.UnaryOp) and not isinstance(value := literal(node), ast.AST):
            return Known(ast.unparse(node), value)
        if isinstance(node, ast.BinOp | ast.UnaryOp):
            inner = [node.left, node.right] if isinstance(node, ast.BinOp) else [node.operand]
            return combined(node, [self.of(one, at) for one in inner])
        if isinstance(node, ast.IfExp):
            test, values = self.of(node.test, at), (self.of(node.body, at), self.of(node.orelse, at))
            return Unknown((test, *values)) if by_shape(test) else either(values)
        found = self._called(node, at) if isinstance(node, ast.Call) else None
        found = self._item(node, at) if isinstance(node, ast.Subscript) else found
        if isinstance(node, ast.ListComp | ast.GeneratorExp):
            found = unrolled(node, self.bound, lambda inner: self.of(inner, at))
        return found if found is not None or node is None else self._unknown(node, at)

    def literals_in(self, call: Call, at: Node) -> Call:
        """A call with the literals in place of the names that surely are one."""
        return with_literals(call, lambda text: literal_of(self.of(expression(text), at)))

    def _unknown(self, node: ast.expr, at: Node) -> Unknown:
        inner = [one for one in walk(node) if isinstance(one, (*DOTTED, ast.Call)) and one is not node]
        parts = tuple(self._look(one, at) for one in inner)
        shaped = isinstance(node, ast.Call) and SHAPES.search(dotted_name(node.func) or "")
        calls = [one for one in (node, *inner) if isinstance(one, ast.Call)]
        tensors = [one for call in calls for one in given(call) if isinstance(one, DOTTED)]
        return Unknown((*parts, Shape("", node, at)) if shaped else parts, tuple(map(ast.unparse, tensors)))

    def _look(self, node: ast.expr, at: Node) -> Value:
        """What a part of something unknown is, by itself."""
        if isinstance(node, ast.Name):
            return self._named(node.id, at)
        if isinstance(node, ast.Attribute):
            dotted = plain_name(node) or ""
            if SHAPES.search(node.attr):
                return Shape("", node, at)
            return self._given(self._stored(dotted)) if dotted.startswith("self.") else None
        func = node.func if isinstance(node, ast.Call) else node.value if isinstance(node, ast.Subscript) else node
        shape = SHAPES.search(dotted_name(func) or "") or (isinstance(node, ast.Call) and last_name(func) == "size")
        return Shape("", node, at) if shape else None

    def _many(self, node: ast.Tuple | ast.List, at: Node) -> Value:
        found: list[Value] = []
        for one in node.elts:
            value = self.of(one, at)
            if isinstance(one, ast.Starred) and not isinstance(value, Many):
                return self._unknown(node, at)
            found += value.items if isinstance(one, ast.Starred) and isinstance(value, Many) else [value]
        return many(found, tuple if isinstance(node, ast.Tuple) else list)

    # ----------------------------------------------------------------------------------------------- names of the file

    def _named(self, name: str, at: Node) -> Value:
        for names in reversed(self.bound):
            if name in names:
                return names[name]
        given = self._given_at(name, at)
        if given is None:
            return Known(name) if not self.tree.scope(at)[name] else None
        value = self._given(given)
        return Unknown((value,)) if isinstance(value, Many) and mutated(self.tree, name) else value

    def _given_at(self, name: str, at: Node) -> Given | None:
        found = flow_of(self.tree).at(name, at)
        outside = flow_of(self.tree).outside(name, at) if found is None else []
        key = f"{name} of {id(self.tree.scope(at))}"
        return self.attributes.setdefault(key, Given(name, several=outside, loose=True)) if outside else found

    def _stored(self, dotted: str) -> Given:
        """Everything that an attribute of self is given anywhere in the file."""
        if dotted not in self.attributes:
            several: list[Given] = []
            for node in self.tree.attributes(dotted.rpartition(".")[2]):
                statement = self.tree.statement(node)
                if isinstance(node.ctx, ast.Store) and self.tree.text(node) == dotted and statement is not None:
                    value = getattr(statement, "value", None) or getattr(statement, "iter", None)
                    several += [Given(dotted, statement, value)] if isinstance(value, ast.expr) else []
            self.attributes[dotted] = Given(dotted, several=several, loose=True)
        return self.attributes[dotted]

    def _given(self, given: Given) -> Value:
        """The value of what a name is given, after the values that this is made of: a chain of names has no end."""
        left, begun = [given], set[Given]()
        around, self.bound = self.bound, []
        while left:
            here = left.pop()
            if here in self.found:
                continue
            needs = [] if here in begun else [one for one in self._needs(here) if one not in begun]
            begun.add(here)
            if needs:
                left += [here, *needs]
                continue
            self.found[here] = None  # where it goes by what it was in the turn before
            self.found[here] = self._made(here)
        self.bound = around
        return self.found[given]

    def _needs(self, given: Given) -> Iterator[Given]:
        yield from given.several
        at = given.statement
        for node in walk(given.value) if given.value is not None and at is not None else ():
            found = self._given_at(node.id, at) if isinstance(node, ast.Name) and at is not None else None
            dotted = plain_name(node) or "" if isinstance(node, ast.Attribute) else ""
            found = self._stored(dotted) if dotted.startswith("self.") else found
            if found is not None and found not in self.found:
                yield found

    def _made(self, given: Given) -> Value:
        if given.several or given.loose:
            values = tuple(self._given(one) for one in given.several)
            grown = any(isinstance(one.statement, ast.AugAssign) for one in given.several)
            return computed(values) if grown else either((*values, Known(given.name)) if given.loose else values)
        if given.value is None or given.statement is None:
            default = self.of(given.default, given.node) if given.node is not None else None
            return Known(given.name, default=default, number=is_int(given.node))
        value = self.of(given.value, given.statement)
        if given.each:
            items = either(value.items) if isinstance(value, Many) else Known(given.name)
            return Unknown((value,)) if by_shape(value) else items
        if given.item is not None:
            return self._unpacked(value, given.item, given.of)
        annotated = isinstance(given.statement, ast.AnnAssign) and is_int(given.statement)
        return Computed((value,)) if annotated and not isinstance(value, Known | Size) else value

    def _unpacked(self, value: Value, item: int, of: int) -> Value:
        if isinstance(value, Either):
            return either(self._unpacked(one, item, of) for one in value.values)
        if isinstance(value, Shape):
            return Size(value.tensor, item, Leaf(value.node, value.tensor, tuple(range(of)), whole=True), value.since)
        items = value.items if isinstance(value, Many) and len(value.items) == of else None
        return items[item] if items is not None else Unknown((value,))

    # --------------------------------------------------------------------------------------------------------- shapes

    def _attribute(self, node: ast.Attribute, at: Node) -> Value:
        if node.attr in ("shape", "_keras_shape"):
            return self._shape(node.value, node, at)
        dotted = plain_name(node) or ""
        if SHAPES.search(node.attr):
            return Unknown((Shape("", node, at),))
        if dotted.startswith("self."):
            return Unknown((self._given(self._stored(dotted)),))
        return looked_at(self.of(node.value, at), node) if node.attr == "value" else self._unknown(node, at)

    def _shape(self, tensor: ast.expr, node: ast.expr, at: Node) -> Value:
        """The whole shape of a tensor."""
        name = ast.unparse(tensor)
        if not name.partition(".")[0].partition("[")[0].isidentifier():
            return Unknown((Shape("", node, at),))
        rank = tensors_of(self.tree, self.names).rank(tensor, at) or self.rank
        if rank is None:
            return Shape(name, node, at)
        leaf = Leaf(node, name, tuple(range(rank)), whole=True)
        return Many(tuple(Size(name, n, leaf, at) for n in range(rank)))

    def _called(self, node: ast.Call, at: Node) -> Value:
        """``tf.shape(x)``, ``x.size()``, ``x.size(2)``, ``x.get_shape().as_list()``, ``int(…)``."""
        dotted = dotted_name(node.func) or ""
        full = self.names.resolve(dotted, at) if dotted else None
        method = full is None and isinstance(node.func, ast.Attribute) and node.func.attr in METHODS
        if SHAPES.search(full or dotted) and node.args and not method:
            return self._shape(node.args[0], node, at)
        if dotted == "len" and len(node.args) == 1:
            return self._length(node, node.args[0], at)
        if dotted in ITERATED and node.args:
            return iterated(node, [self.of(arg, at) for arg in node.args])
        if dotted in THROUGH and len(node.args) == 1:
            value = self.of(node.args[0], at)
            through = dotted in ("list", "tuple") or (dotted == "int" and isinstance(value, Size | Either))
            return value if through else computed([value])
        if NUMBERS.fullmatch(dotted):
            return computed([self.of(arg, at) for arg in node.args])
        if not method or not isinstance(node.func, ast.Attribute):
            return None
        if node.func.attr in WRITTEN:
            return looked_at(self.of(node.func.value, at), node)
        shape = self._shape(node.func.value, node, at)
        return self._picked(shape, node.args[0], node, at) if node.args else shape

    def _length(self, node: ast.Call, tensor: ast.expr, at: Node) -> Value:
        """``len(x)``, the size of the first axis; of a shape it is the number of axes."""
        value = self.of(tensor, at)
        grown = isinstance(tensor, ast.Name) and mutated(self.tree, tensor.id) and isinstance(value, Unknown | Either)
        if isinstance(value, Many | Shape) or (grown and is_several(value)):
            return Known(ast.unparse(node), number=True)
        name = ast.unparse(tensor)
        return Size(name, 0, Leaf(node, name, 0), at) if dotted_name(tensor) else Computed(())

    def _item(self, node: ast.Subscript, at: Node) -> Value:
        found = self._picked(self.of(node.value, at), node.slice, node, at)
        shape = SHAPES.search(plain_name(node.value) or "") and not sizes_in(found)
        return Unknown((found, Shape("", node, at))) if shape else found

    def _picked(self, value: Value, index: ast.expr, node: ast.expr, at: Node) -> Value:
        """An item or a slice of sizes."""
        if isinstance(value, Either):
            return either(self._picked(one, index, node, at) for one in value.values)
        if isinstance(value, Known):
            inner = self._picked(value.default, index, node, at) if value.default is not None else None
            return Known(ast.unparse(node), default=inner if not isinstance(inner, Unknown) else None)
        several = numbers(self.of(index, at)) if isinstance(index, ast.Name) else []
        if several:
            return either(item_of(value, n, node) for n in several)
        return item_of(value, place_of(index), node)


def values_of(tree: Tree, names: Names, rank: int | None = None) -> Values:
    """The values of a file, each found out once."""
    return tree.once((values_of, rank), lambda: Values(tree, names, rank))
