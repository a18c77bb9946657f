"""Every expression that counts axes in the order of the source, and what it becomes in that of the port."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain

from poolkit.dialects import table
from poolkit.port.python.axes import axes_given, unsaid_axes
from poolkit.port.python.edits import Edits
from poolkit.port.python.entries import moved_entries
from poolkit.port.python.evaluated import values_of
from poolkit.port.python.names import Names
from poolkit.port.python.nodes import Node, arguments, entries_of, given, last_name, literal
from poolkit.port.python.positions import SPATIAL, Order
from poolkit.port.python.rules.either_order import FORMATS
from poolkit.port.python.rules.order_before import LETTERS, SHAPES
from poolkit.port.python.sites import REDUCTIONS, Site
from poolkit.port.python.tensor import TURNS
from poolkit.port.python.tensors import FLAT, MAPS, tensors_of
from poolkit.port.python.tree import Tree
from poolkit.port.python.values import Leaf, Many, Size, Sized, Value, numbers
from poolkit.port.report import Line
from poolkit.spec.values import is_many

USUAL = 4  # axes of a tensor of which nothing is known, as images have; the note says so
ADDS = ("stack", "expand_dims", "unsqueeze")  # an axis, which is counted in the result
RESIZES = (*MAPS, "UpSampling1D", "UpSampling2D", "UpSampling3D", "interpolate", "Upsample", "upsample")
ADDED = "it adds an axis, counted in the order of the original"
ONLY_THEN = "which axis it is, is only known when the program runs"
EITHER = "the file has it for either order"
FLATTENED = (
    "it reads the cells in the order {}: turn the map to that before, or order the weights of a dense layer behind"
)
RESHAPED = "its sizes stand in the order {}"
IN_ORDER = "its letters stand in the order of the original"
GOES = "what it turns to one order or back has the port's order already: leave it out"
STEPS = "leave it out where what it turns comes to the other order; tokens mostly keep theirs, and then it stays"
TOKENS = "of tokens, (N, L, C), it stays"
RESIZED = "it takes {} maps, and {} takes {} (docs/beside_pooling.md)"
OTHERS = {one: other for pair in FORMATS.values() for one, other in (pair, pair[::-1])}


@dataclass
class Placed:
    """The lines of a file whose channels come last, or first, in the other order; `done` is what has been ported."""

    tree: Tree
    names: Names
    to: str
    order: Order  # that of the source

    def __post_init__(self) -> None:
        self.tensors = tensors_of(self.tree, self.names)
        self.values = values_of(self.tree, self.names, USUAL)

    def lines(self, sites: Sequence[Site], edits: Edits) -> tuple[Line, ...]:
        """A line for each expression that a port leaves as it is, in the order of the file."""
        ported = [site for site in sites if self.tree.span(site.outer) in edits.found]
        pools: dict[Node, Node | None] = {one: site.tensor for site in ported for one in (site.node, site.outer)}
        pools |= {part.node: part.keeps for site in ported for part in site.folded}
        found: dict[tuple[str, str], tuple[Node, Line]] = {}
        nodes: Iterator[Node] = chain(self.tree.all(ast.Subscript), self.tree.all(ast.Call), self.tree.all(ast.Assign))
        for node in nodes:
            taken = node.value if isinstance(node, ast.Assign) else node  # of which the sizes may have been moved
            if self.tree.in_string(node) or self.tree.span(taken) in edits.found or self._of_pool(node, pools):
                continue
            for at, after, note in self._found(node):
                line = Line(f"line {self.tree.line(at)}", self.tree.text(at), after, note)
                found.setdefault((line.where, line.before), (at, line))
        return tuple(line for _, line in sorted(found.values(), key=lambda pair: self.tree.span(pair[0])))

    def _of_pool(self, node: Node, pools: dict[Node, Node | None]) -> bool:
        """Whether a node is in a pool or what became part of one, and not in the part of it that the port keeps."""
        here: Node | None = node
        while here is not None and not isinstance(here, ast.stmt):
            if here in pools:
                kept = pools[here]
                return here is node or kept is None or not self.tree.inside(node, kept)
            here = self.tree.parent(here)
        return False

    def _found(self, node: Node) -> list[tuple[Node, str, str]]:
        with suppress(RecursionError):  # of a hundred indices behind each other, which nobody writes
            return [*self._of(node)]
        return []

    def _of(self, node: Node) -> Iterator[tuple[Node, str, str]]:
        """What is bound in a node: where, what it becomes, and a note."""
        if isinstance(node, ast.Assign):
            yield from self._unpacked(node)
            return
        assert isinstance(node, ast.expr)
        size = self._size(node)
        if size is not None:
            yield from [(node, *size)] if size[0] else []
        elif isinstance(node, ast.Subscript):
            yield from self._index(node)
        elif isinstance(node, ast.Call):
            yield from self._call(node)

    def _rank(self, node: ast.expr) -> int | None:
        """The number of axes of what a function, a layer or a method gets, or an index is of."""
        around = self.tree.parent(node)
        tensor = self.tensors.of(around if isinstance(around, ast.Call) and around.func is node else node).before
        return tensor.rank if tensor is not None else None

    def _said(self, rank: int | None, entries: int = 0) -> tuple[int, str]:
        if rank is not None:
            return rank, ""
        return (entries, "") if entries in SPATIAL else (USUAL, f"where it has {USUAL} axes")

    # --------------------------------------------------------------------------------------------------------- shapes

    def _size(self, node: ast.expr) -> tuple[str, str] | None:
        """What a look at a shape becomes; "" where it stays, None for what is none."""
        sizes = _sizes(self.values.of(node, node)) if isinstance(node, ast.Subscript | ast.Call) else []
        if not sizes or sizes[0].leaf.node is not node or sizes[0].leaf.whole:
            return ("", "") if sizes else None
        rank, note = self._said(self.tensors.named(sizes[0].tensor, sizes[0].since))
        return self._moved(sizes, rank, note)

    def _moved(self, sizes: Sequence[Size], rank: int, note: str) -> tuple[str, str]:
        before, after = self.order.both(rank)
        if not sizes or any(one.at >= len(before) for one in sizes):
            return "", ""
        places = [one.at for one in sizes]
        if [after.index(before[n]) for n in places] == places:
            return "", ""
        leaf: Leaf = sizes[0].leaf
        return Sized(leaf, {n: before[n] for n in places}).moved(after), note

    def _unpacked(self, node: ast.Assign) -> Iterator[tuple[Node, str, str]]:
        """``b, h, w, c = x.shape`` becomes ``b, c, h, w = x.shape``."""
        target = node.targets[0]
        items = target.elts if isinstance(target, ast.Tuple | ast.List) else []
        sizes = (
            _sizes(values_of(self.tree, self.names, len(items)).of(node.value, node)) if len(items) in SPATIAL else []
        )
        if len(sizes) != len(items) or not sizes or not sizes[0].leaf.whole:
            return
        before, after = self.order.both(len(items))
        names = [self.tree.text(items[before.index(letter)]) for letter in after]
        yield node, f"{', '.join(names)} = {self.tree.text(node.value)}", ""

    # -------------------------------------------------------------------------------------------------------- indices

    def _index(self, node: ast.Subscript) -> Iterator[tuple[Node, str, str]]:
        """``x[:, 1:, :-1, :]``: an entry for each axis, which moves with it."""
        entries = entries_of(node)
        texts = [self.tree.text(one) for one in entries]
        slices = any(isinstance(one, ast.Slice) for one in entries)
        constant = all(isinstance(one, ast.Constant) and not isinstance(one.value, str) for one in entries)
        if (
            len(entries) < 2
            or not (slices or (constant and "..." in texts))
            or not any(_acts(one) for one in entries[1:])
        ):
            return
        if any(isinstance(one, ast.Starred | ast.Constant) and getattr(one, "value", 0) is None for one in entries):
            yield node, "", ADDED
            return
        rank, note = self._said(self._rank(node), len(entries) if "..." not in texts else 0)
        if len(texts) - ("..." in texts) > rank or rank not in SPATIAL:
            return
        at = texts.index("...") if "..." in texts else len(texts)
        texts[at : at + 1] = [":"] * (rank - len(texts) + ("..." in texts))
        before, after = self.order.both(rank)
        moved = [texts[before.index(letter)] for letter in after]
        if moved != texts:
            while moved[-1] == ":":
                moved.pop()
            yield node, f"{self.tree.text(node.value)}[{', '.join(moved)}]", note

    # ---------------------------------------------------------------------------------------------------------- calls

    def _call(self, node: ast.Call) -> Iterator[tuple[Node, str, str]]:
        full, name = self.names.full(node.func), last_name(node.func)
        before, after = self.order.both(USUAL)
        if name in RESIZES and full is not None:
            own = table.usage_of(self.to).resizes
            yield node, "", RESIZED.format(before, own, after) if own else ""
            return
        rank = self._rank(node)
        if name in FLAT:
            yield from [(node, "", FLATTENED.format(before))] if rank != 2 else []
            return
        if name in SHAPES and name not in ADDS:
            yield node, "", RESHAPED.format(before)
            return
        if name in LETTERS:
            yield node, "", IN_ORDER
            return
        turned = self._turn(node, rank)
        if turned is not None:
            yield from [(node, *turned)] if any(turned) else []
            return
        each = moved_entries(self.tensors, node, self.order)
        yield from self._axis(node, full, name, rank) if each is None else [(node, *each)] if any(each) else []

    def _turn(self, node: ast.Call, known: int | None) -> tuple[str, str] | None:
        """What a turn of the axes becomes in the other order; None for what is none."""
        if last_name(node.func.func if isinstance(node.func, ast.Call) else node.func) not in TURNS:
            return None
        for rank in [known] if known in SPATIAL else SPATIAL:
            order = self.tensors.of(node).turn(rank or 0)
            if not order:
                continue
            before, after = self.order.both(rank or 0)
            made = "".join(before[n] for n in order)
            if made == after or "".join(after[n] for n in order) == before:
                return "", GOES if rank != 3 else STEPS
            places = [after.index(made[before.index(letter)]) for letter in after]
            return f"axes {tuple(places)}", "" if known is not None else f"where it has {rank} axes"
        return None

    def _axis(self, node: ast.Call, full: str | None, name: str, known: int | None) -> Iterator[tuple[Node, str, str]]:
        values = axes_given(self.tree, self.names, node)
        value = values[0] if values else None
        format_ = arguments(node).get("data_format")
        if value is None and isinstance(word := literal(format_), str) and word in OTHERS:
            yield node, self._with(node, [format_ or node], f'"{OTHERS[word]}"'), ""
            return
        if value is None:
            yield from self._unsaid(node, full or "", known)
            return
        if name in ADDS:
            yield from [(node, "", ADDED)] if literal(value) != 0 else []
            return
        number, where = self._literal(value) if len(values) == 1 else ([*map(literal, values)], "")
        rank, note = self._said(known)
        if number is None:
            by_name = value in arguments(node).values()
            yield from [(node, "", where or ONLY_THEN)] if by_name or not isinstance(value, ast.Constant) else []
            return
        new, sure = self.order.moved(number, rank)
        if sure and known is None and number == 1 and name in REDUCTIONS:
            note, sure = TOKENS, False
        if new is not None and new != number:
            text = repr(new) if len(values) == 1 else repr(new)[1:-1]
            yield node, self._with(node, values, text), "; ".join(filter(None, [where, "" if sure else note]))

    def _unsaid(self, node: ast.Call, full: str, known: int | None) -> Iterator[tuple[Node, str, str]]:
        """The axis of a call that says none, such as the channels that ``Concatenate()`` goes along."""
        word, at = unsaid_axes().get(full, ("", 0))
        rank, note = self._said(known)
        new, sure = self.order.moved(at, rank)
        if word and new not in (None, at):
            comma = ", " if given(node) else ""
            yield node, f"{self.tree.text(node)[:-1].rstrip(', ')}{comma}{word}={new})", "" if sure else note

    def _literal(self, value: ast.expr) -> tuple[object, str]:
        """The positions that an argument is, and a word on a name that has them for either order."""
        found = literal(value)
        if isinstance(value, ast.Name):
            places = {*numbers(self.values.of(value, value))}
            if len(places) == 2 and 1 in places and (places & {-1, 3}):
                return (max(places, key=lambda n: n != 1) if self.order.last else 1), EITHER
            found = places.pop() if len(places) == 1 else value
        several = list(found) if is_many(found) else [found]
        return (found, "") if all(type(n) is int for n in several) else (None, "")

    def _with(self, node: ast.Call, values: Sequence[ast.expr], new: str) -> str:
        """The text of a call with other values for arguments beside each other."""
        (start, end), first, last = self.tree.span(node), self.tree.span(values[0])[0], self.tree.span(values[-1])[1]
        return (self.tree.data[start:first] + new.encode() + self.tree.data[last:end]).decode()


def _acts(entry: ast.expr) -> bool:
    """Whether an entry of an index does something to its axis."""
    if isinstance(entry, ast.Slice):
        return not (entry.lower is None and entry.upper is None and entry.step is None)
    return not (isinstance(entry, ast.Constant) and entry.value is ...)


def _sizes(value: Value) -> list[Size]:
    """The sizes that an expression is, and nothing else."""
    several = value.items if isinstance(value, Many) else (value,)
    found = [one for one in several if isinstance(one, Size)]
    return found if len(found) == len(several) else []
