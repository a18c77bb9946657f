"""What an expression of a file is: a literal, a size of a tensor, several of these, arithmetic of them, or unknown."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from poolkit.port.python.nodes import Node

NOTHING = object()


@dataclass(frozen=True)
class Known:
    """A literal, or a value that no shape is in, which only the program knows where it has a text alone.

    `default` is what a parameter is where nobody says otherwise, and a `number` is annotated as one.
    """

    text: str
    value: Any = NOTHING
    default: Value = None
    number: bool = False


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

    def looks(self) -> Iterator[Leaf]:
        """It, and what it takes its sizes from."""
        yield self
        if self.source is not None:
            yield from self.source.looks()


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
    """Several values side by side, in a tuple or a list; `count` is how many there are, with those within others."""

    items: tuple[Value, ...]
    kind: type[tuple[Any, ...] | list[Any]] = tuple
    count: int = field(init=False, compare=False)

    def __post_init__(self) -> None:
        count = sum(one.count if isinstance(one, Many) else 1 for one in self.items)
        object.__setattr__(self, "count", count)


@dataclass(frozen=True)
class Computed:
    """Arithmetic of several values, which makes one number."""

    parts: tuple[Value, ...]


@dataclass(frozen=True)
class Either:
    """One of several values, by what the program knows."""

    values: tuple[Value, ...]


@dataclass(frozen=True)
class Unknown:
    """What nobody knows, with all that it is made of; `tensors` are the texts of what functions are given."""

    parts: tuple[Value, ...]
    tensors: tuple[str, ...] = ()


Value = Known | Size | Shape | Many | Computed | Either | Unknown | None  # None: nothing is known


MOST_PARTS = 1000  # a value of more goes by a shape for all that anybody knows
BEYOND = ast.Name("")


def many(items: Iterable[Value], kind: type[tuple[Any, ...] | list[Any]]) -> Value:
    """Several values side by side; of very many, as thirty lines ``b = (*a, *a)`` make, nothing is known."""
    found = Many(tuple(islice(items, MOST_PARTS + 1)), kind)
    return found if found.count <= MOST_PARTS else Unknown((Shape("", BEYOND, BEYOND),))


MOST_VALUES = 100  # each of twenty branches may double what is taken of them


def either(values: Iterable[Value]) -> Value:
    """One of several values, which may be one of several again; of very many it is unknown which."""
    several = {id(one): one for value in values for one in (value.values if isinstance(value, Either) else (value,))}
    found = tuple(several.values())
    return Either(found) if len(found) <= MOST_VALUES else Unknown(found)


def parts_of(value: Value) -> list[Value]:
    """A value and everything that it is made of, each once; of very many, as many as are looked at."""
    left, found = [value], dict[int, Value]()
    while left and len(found) < MOST_PARTS:
        here = left.pop()
        if id(here) not in found:
            found[id(here)] = here
            left += here.items if isinstance(here, Many) else here.values if isinstance(here, Either) else ()
            left += here.parts if isinstance(here, Computed | Unknown) else ()
            left += [here.default] if isinstance(here, Known) and here.default is not None else ()
    return [*found.values(), *([Shape("", BEYOND, BEYOND)] if left else [])]


def sizes_in(value: Value) -> list[Size]:
    """Every size that a value goes by."""
    return [one for one in parts_of(value) if isinstance(one, Size)]


def computed(parts: Sequence[Value]) -> Value:
    """A number that is made of others; of several side by side it may be anything."""
    several = any(isinstance(inner, Many) for part in parts for inner in parts_of(part))
    return Unknown(tuple(parts)) if several else Computed(tuple(parts))


def combined(node: ast.BinOp | ast.UnaryOp, parts: Sequence[Value]) -> Value:
    """What arithmetic makes of its parts: ``(1,) + k``, ``(k,) * 2``, or a number."""
    first, second = parts if len(parts) == 2 else (None, None)
    if isinstance(first, Many) and _is_display(first):
        if isinstance(node.op, ast.Add) and isinstance(second, Many) and _is_display(second):
            return many((*first.items, *second.items), first.kind)
        if isinstance(node.op, ast.Mult) and type(count := literal_of(second)) is int:
            return many((one for _ in range(count) for one in first.items), first.kind)
    return computed(parts)


def _is_display(value: Many) -> bool:
    """Whether values are surely a tuple or a list: TensorFlow's shape is a tensor, whose numbers are added up."""
    return not any(isinstance(one, Size) for one in value.items)


def by_shape(value: Value, tensor: str = "") -> bool:
    """Whether a value may be one of a shape, or of a function of the tensor: for refusing what is not proven."""
    return any(
        isinstance(one, Size | Shape) or (isinstance(one, Unknown) and tensor in one.tensors) for one in parts_of(value)
    )


def understood(value: Value) -> bool:
    """Whether a value goes by sizes that are known, and by no shape or function that is not."""
    return not any(one is None or isinstance(one, Shape) or _hides(one) for one in parts_of(value))


def _hides(value: Value) -> bool:
    return isinstance(value, Unknown) and (bool(value.tensors) or by_shape(value))


def is_number(value: Value) -> bool:
    """Whether a value surely is one number; a default and an annotation are taken at their word."""
    if isinstance(value, Either):
        return bool(value.values) and all(map(is_number, value.values))
    if isinstance(value, Known):
        return value.number or type(value.value) is int or is_number(value.default)
    return isinstance(value, Size | Computed)


def is_several(value: Value) -> bool:
    """Whether a value surely is a tuple or a list, such as one that grows."""
    parts = value.values if isinstance(value, Either) else value.parts if isinstance(value, Unknown) else ()
    return isinstance(value, Many) or (bool(parts) and all(map(is_several, parts)))


def is_sizes(value: Value) -> bool:
    """Whether a value surely is a number or several."""
    if isinstance(value, Either):
        return bool(value.values) and all(map(is_sizes, value.values))
    if isinstance(value, Known) and value.default is not None:
        return is_sizes(value.default)
    return all(map(is_number, value.items)) if isinstance(value, Many) else is_number(value)


def literal_of(value: Value) -> Any:
    """The literal that a value surely is; `NOTHING` where it is none."""
    if isinstance(value, Many):
        items = [literal_of(one) for one in value.items]
        return NOTHING if any(one is NOTHING for one in items) else value.kind(items)
    return value.value if isinstance(value, Known) else NOTHING


def numbers(value: Value) -> list[int]:
    """The whole numbers that a value may be; none where it may be anything else."""
    found = [literal_of(one) for one in (value.values if isinstance(value, Either) else (value,))]
    return found if all(type(n) is int for n in found) else []


def literals(value: Value) -> Iterator[Any]:
    """The literals that a value may be."""
    if isinstance(value, Either):
        for one in value.values:
            yield from literals(one)
    if isinstance(value, Known) and value.default is not None:
        yield from literals(value.default)
    elif literal_of(value) is not NOTHING:
        yield literal_of(value)
