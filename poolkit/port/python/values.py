"""What an expression of a file is: a literal, a size of a tensor, several of these, or arithmetic of them."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field

from poolkit.dialects.sources import dotted_name
from poolkit.port.python.given import Given
from poolkit.port.python.names import Names
from poolkit.port.python.nodes import Node, literal
from poolkit.port.python.traces import by_shape
from poolkit.port.python.tree import Tree
from poolkit.port.python.uses import flow_of


@dataclass(frozen=True)
class Known:
    """A literal, or a value that no shape is in, which only the program knows where it has a text alone."""

    text: str


@dataclass(frozen=True)
class Size:
    """The size of a tensor at a position; `leaf` is what looks at the shape, and `since` where in the file."""

    tensor: str
    at: int
    leaf: Leaf
    since: Node


@dataclass(frozen=True, eq=False)
class Leaf:
    """An expression that takes positions of a tensor's shape: one, or several; `whole` where it takes all."""

    node: ast.expr
    tensor: str
    at: int | tuple[int, ...]
    whole: bool = False
    source: Leaf | None = None  # what looks at the whole shape, where this takes a part of it by its name


@dataclass
class Sized:
    """A look at the shape of what is pooled, and the letter of each position that it takes."""

    leaf: Leaf
    letters: dict[int, str] = field(default_factory=dict[int, str])

    @property
    def places(self) -> tuple[int, ...]:
        return (self.leaf.at,) if isinstance(self.leaf.at, int) else self.leaf.at

    @property
    def complete(self) -> bool:
        """Whether the letter of every position is known, or none is needed, for a whole shape that has a name."""
        return all(n in self.letters for n in self.places) or (self.leaf.whole and not self.letters)

    def moved(self, layout: str) -> str:
        """The same sizes of a tensor in another layout, as source."""
        shape = f"{self.leaf.tensor}.shape"
        if not self.letters:
            return shape
        places = [layout.index(self.letters[n]) for n in self.places]
        if isinstance(self.leaf.at, int):
            return f"{shape}[{places[0]}]"
        if places == list(range(places[0], places[-1] + 1)):
            return f"{shape}[{places[0]}:{places[-1] + 1}]"
        return f"({', '.join(f'{shape}[{n}]' for n in places)}{',' if len(places) == 1 else ''})"


@dataclass(frozen=True)
class Shape:
    """The whole shape of a tensor whose rank is not known."""

    tensor: str
    node: ast.expr
    since: Node


@dataclass(frozen=True)
class Many:
    """Several values side by side."""

    items: tuple[Value, ...]


@dataclass(frozen=True)
class Computed:
    """Arithmetic of several values."""

    parts: tuple[Value, ...]


@dataclass(frozen=True)
class Either:
    """One of several values, by what the program knows."""

    values: tuple[Value, ...]


Value = Known | Size | Shape | Many | Computed | Either | None  # None: nothing is known

SHAPES = re.compile(r"(^|[._])(int_shape|shape|shape_list|shape_as_list|get_static_shape)$")
THROUGH = ("int", "list", "tuple", "float")  # calls that leave sizes as they are, or make another number of one
NUMBERS = re.compile(r"(int|float|round|abs|min|max|(np|numpy|math)\.\w+)")
METHODS = ("get_shape", "size", "as_list")


@dataclass
class Values:
    """The values of a file's expressions, of tensors with so many axes, if that is known.

    >>> tree = Tree("h, w = x.shape[1:3]; y = f(h // 2)")
    >>> call = tree.all(ast.Call)[0]
    >>> [(size.tensor, size.at) for size in sizes_in(Values(tree, Names(tree), 4).of(call.args[0], call))]
    [('x', 1)]
    """

    tree: Tree
    names: Names
    rank: int | None = None
    found: dict[Given, Value] = field(default_factory=dict[Given, "Value"])

    def of(self, node: ast.expr | None, at: Node) -> Value:
        if isinstance(node, ast.Constant):
            return Known(ast.unparse(node))
        if isinstance(node, ast.Name):
            return self._named(node.id, at)
        if isinstance(node, ast.Tuple | ast.List):
            return self._many(node, at)
        if isinstance(node, ast.Attribute):
            if node.attr == "shape":
                return self._shape(node.value, node, at)
            return self.of(node.value, at) if node.attr == "value" else None
        if isinstance(node, ast.BinOp):
            return _computed(self.of(node.left, at), self.of(node.right, at))
        if isinstance(node, ast.UnaryOp):
            return _computed(self.of(node.operand, at))
        if isinstance(node, ast.IfExp):
            return Either((self.of(node.body, at), self.of(node.orelse, at)))
        if isinstance(node, ast.Call):
            return self._called(node, at)
        return self._item(node, at) if isinstance(node, ast.Subscript) else None

    def _many(self, node: ast.Tuple | ast.List, at: Node) -> Value:
        found: list[Value] = []
        for one in node.elts:
            value = self.of(one.value if isinstance(one, ast.Starred) else one, at)
            if isinstance(one, ast.Starred) and not isinstance(value, Many):
                return None
            found += value.items if isinstance(one, ast.Starred) and isinstance(value, Many) else [value]
        return Many(tuple(found))

    def _named(self, name: str, at: Node) -> Value:
        given = flow_of(self.tree).at(name, at)
        if given is None:
            return Known(name) if not self.tree.scope(at)[name] else None
        return self._given(given)

    def _given(self, given: Given) -> Value:
        if given not in self.found:
            self.found[given] = None  # where it goes by what it was in the turn before
            self.found[given] = self._made(given)
        return self.found[given]

    def _made(self, given: Given) -> Value:
        if given.several:
            return Either(tuple(self._given(one) for one in given.several))
        if given.value is None or given.statement is None:
            return Known(given.name)
        if given.each:
            return Known(given.name) if not by_shape(self.tree, given.value, given.statement) else None
        value = self.of(given.value, given.statement)
        return value if given.item is None else self._unpacked(value, given.item, given.of)

    def _unpacked(self, value: Value, item: int, of: int) -> Value:
        if isinstance(value, Either):
            return Either(tuple(self._unpacked(one, item, of) for one in value.values))
        if isinstance(value, Shape):
            return Size(value.tensor, item, Leaf(value.node, value.tensor, tuple(range(of)), whole=True), value.since)
        return value.items[item] if isinstance(value, Many) and len(value.items) == of else None

    def _shape(self, tensor: ast.expr, node: ast.expr, at: Node) -> Value:
        """The whole shape of a tensor."""
        name = ast.unparse(tensor)
        if not name.partition(".")[0].partition("[")[0].isidentifier():
            return None
        if self.rank is None:
            return Shape(name, node, at)
        leaf = Leaf(node, name, tuple(range(self.rank)), whole=True)
        return Many(tuple(Size(name, n, leaf, at) for n in range(self.rank)))

    def _called(self, node: ast.Call, at: Node) -> Value:
        """``tf.shape(x)``, ``x.size()``, ``x.size(2)``, ``x.get_shape().as_list()``, ``int(…)``."""
        dotted = dotted_name(node.func) or ""
        full = self.names.resolve(dotted, at) if dotted else None
        if SHAPES.search(full or dotted) and node.args:
            return self._shape(node.args[0], node, at)
        if dotted == "len" and len(node.args) == 1:
            return self._length(node, node.args[0], at)
        if dotted in THROUGH and len(node.args) == 1:
            value = self.of(node.args[0], at)
            return value if dotted != "float" else _computed(value)
        if NUMBERS.fullmatch(dotted):
            return _computed(*(self.of(arg, at) for arg in node.args))
        if full is not None or not isinstance(node.func, ast.Attribute) or node.func.attr not in METHODS:
            return None
        if node.func.attr == "as_list":
            return self.of(node.func.value, at)
        shape = self._shape(node.func.value, node, at)
        return self._picked(shape, node.args[0], node, at) if node.args else shape

    def _length(self, node: ast.Call, tensor: ast.expr, at: Node) -> Value:
        """``len(x)``, the size of the first axis; of a shape it is the number of axes."""
        if isinstance(self.of(tensor, at), Many | Shape):
            return Known(ast.unparse(node))
        name = ast.unparse(tensor)
        return Size(name, 0, Leaf(node, name, 0), at) if dotted_name(tensor) else None

    def _item(self, node: ast.Subscript, at: Node) -> Value:
        return self._picked(self.of(node.value, at), node.slice, node, at)

    def _picked(self, value: Value, index: ast.expr, node: ast.expr, at: Node) -> Value:
        """An item or a slice of sizes."""
        if isinstance(value, Either):
            return Either(tuple(self._picked(one, index, node, at) for one in value.values))
        place: slice | int | None = _slice(index) if isinstance(index, ast.Slice) else _number(index)
        if place is None:
            return None
        if isinstance(value, Shape):  # from the front it is the same at every rank
            value = self._front(value, place)
        try:
            taken = value.items[place] if isinstance(value, Many) else None
        except IndexError:
            return None
        return _again(Many(taken) if isinstance(taken, tuple) else taken, node)

    def _front(self, shape: Shape, place: slice | int) -> Value:
        count = place + 1 if isinstance(place, int) else (place.stop or 0)
        if count < 1 or (isinstance(place, slice) and (place.start or 0) < 0):
            return None
        leaf = Leaf(shape.node, shape.tensor, tuple(range(count)), whole=True)
        return Many(tuple(Size(shape.tensor, n, leaf, shape.since) for n in range(count)))


def _number(index: ast.expr) -> int | None:
    value = literal(index)
    return value if isinstance(value, int) else None


def _slice(index: ast.Slice) -> slice | None:
    parts = [literal(part) if part is not None else None for part in (index.lower, index.upper, index.step)]
    return slice(*parts) if all(part is None or isinstance(part, int) for part in parts) else None


def _again(value: Value, node: ast.expr) -> Value:
    """Sizes of a whole shape that are taken by a node: that is what looks at them."""
    sizes = value.items if isinstance(value, Many) else (value,)
    found = [one for one in sizes if isinstance(one, Size) and one.leaf.whole]
    if not found or len(found) < len(sizes):
        return value
    first, places = found[0], tuple(one.at for one in found)
    leaf = Leaf(node, first.tensor, places if isinstance(value, Many) else places[0], source=first.leaf)
    made = tuple(Size(one.tensor, one.at, leaf, one.since) for one in found)
    return Many(made) if isinstance(value, Many) else made[0]


def _computed(*parts: Value) -> Value:
    return Computed(parts) if all(isinstance(part, Known | Size | Computed | Either) for part in parts) else None


def parts_of(value: Value) -> list[Value]:
    """A value and everything that it is made of, each once."""
    left, found = [value], dict[int, Value]()
    while left:
        here = left.pop()
        if id(here) not in found:
            found[id(here)] = here
            left += here.items if isinstance(here, Many) else here.parts if isinstance(here, Computed) else ()
            left += here.values if isinstance(here, Either) else ()
    return [*found.values()]


def sizes_in(value: Value) -> list[Size]:
    """Every size that a value goes by."""
    return [one for one in parts_of(value) if isinstance(one, Size)]


def understood(value: Value) -> bool:
    """Whether everything that a value goes by is known."""
    return not any(one is None or isinstance(one, Shape) for one in parts_of(value))
