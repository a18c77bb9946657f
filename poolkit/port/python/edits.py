"""Edits of a file's text: everything that no edit covers stays byte for byte."""

from __future__ import annotations

import ast
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from poolkit.port.python.nodes import Node, python
from poolkit.port.python.tree import Span, Tree

Piece = str | Node  # new text, or a part of the file, which may have edits of its own
Edit = tuple[Span, list[Piece]]


@dataclass
class Edits:
    """What takes the place of spans of a file. An edit inside another one counts where the outer keeps that part.

    >>> tree = Tree("y = f(g(x))")
    >>> outer, inner = tree.all(ast.Call)
    >>> edits = Edits(tree)
    >>> edits.replace(tree.span(inner), ["h()"])
    >>> edits.replace(tree.span(outer), ["k(", inner, ", 2)"])
    >>> edits.applied()
    'y = k(h(), 2)'
    """

    tree: Tree
    found: dict[Span, list[Piece]] = field(default_factory=dict[Span, list[Piece]])
    inserted: dict[int, str] = field(default_factory=dict[int, str])
    _sorted: list[Edit] | None = None  # every edit in the order of the file, until there is another one

    def replace(self, span: Span, pieces: Sequence[Piece]) -> None:
        self.found[span] = list(pieces)
        self._sorted = None

    def remove(self, *spans: Span) -> None:
        for span in spans:
            self.replace(span, [])

    def insert(self, at: int, text: str, first: bool = False) -> None:
        """New text before a place, beside whatever is removed there, and after or before what is new there already."""
        before = self.inserted.get(at, "")
        self.inserted[at] = text + before if first else before + text
        self._sorted = None

    def forget(self, spans: Sequence[Span]) -> None:
        """Leave out the edits of some spans."""
        for span in spans:
            del self.found[span]
        self._sorted = None

    def _in_order(self) -> list[Edit]:
        if self._sorted is None:
            edits: list[Edit] = [((place, place), [text]) for place, text in self.inserted.items()]
            self._sorted = sorted([*edits, *self.found.items()], key=_order)
        return self._sorted

    def applied(self) -> str:
        """The file with every edit."""
        return "".join(self._within((0, len(self.tree.data)), whole=None))

    def text(self, pieces: Sequence[Piece], of: Span | None = None) -> str:
        return "".join(self._pieces(pieces, of))

    def _pieces(self, pieces: Sequence[Piece], of: Span | None) -> Iterator[str]:
        for piece in pieces:
            if isinstance(piece, str):
                yield piece
                continue
            before, after = ("(", ")") if _in_brackets(self.tree, piece, alone=len(pieces) == 1) else ("", "")
            yield before
            yield from self._within(self.tree.span(piece), whole=of)
            yield after

    def _within(self, span: Span, whole: Span | None) -> Iterator[str]:
        """The text of a span, with the edits in it; not with that of `whole`, which is being made."""
        at, end = span
        edits = self._in_order()
        for n in range(bisect_left(edits, at, key=_start), bisect_right(edits, end, key=_start)):
            edit, new = edits[n]
            if edit[0] < at or edit[1] > end or edit == whole:  # inside one that is done, or not inside the span
                continue
            yield self.tree.data[at : edit[0]].decode()
            yield from self._pieces(new, edit)
            at = edit[1]
        yield self.tree.data[at:end].decode()


# What never stands without brackets, and what means the same beside any operator.
BRACKETED = (ast.Yield, ast.YieldFrom, ast.NamedExpr)
ATOMS = (ast.Name, ast.Attribute, ast.Call, ast.Subscript, ast.Constant, ast.JoinedStr, ast.List, ast.Dict, ast.Set)


def _in_brackets(tree: Tree, piece: Node, alone: bool) -> bool:
    """Whether a part, whose span is without its brackets, needs some: `alone` in place of a call, or beside text."""
    if isinstance(piece, ast.Tuple):  # whose span has its brackets
        call = python(f"f({tree.text(piece)}\n)").body[0]
        return len(next(node for node in ast.walk(call) if isinstance(node, ast.Call)).args) != 1
    if not isinstance(piece, ast.expr) or isinstance(piece, ast.GeneratorExp):
        return False
    return isinstance(piece, BRACKETED) or (alone and not isinstance(piece, ATOMS))


def _start(edit: Edit) -> int:
    return edit[0][0]


def _order(edit: Edit) -> tuple[int, bool, int]:
    """By where they start; what is inserted comes first, and then outer ones."""
    (start, end), _ = edit
    return start, start != end, -end


def without(spans: Sequence[Span], removed: set[int]) -> list[Span]:
    """The spans to delete so that a list separated by commas or semicolons loses some of its items, not all.

    >>> without([(0, 1), (3, 4), (6, 7)], {0, 2})
    [(0, 3), (4, 7)]
    """
    kept = [n for n in range(len(spans)) if n not in removed]
    cut = [(spans[n][0], spans[n + 1][0]) for n in sorted(removed) if n < kept[-1]]
    return cut + ([(spans[kept[-1]][1], spans[-1][1])] if kept[-1] < len(spans) - 1 else [])


def whole_line(tree: Tree, span: Span) -> Span:
    """A statement's line from its indentation to its end, comment and all."""
    start = tree.data.rfind(b"\n", 0, span[0]) + 1
    end = tree.data.find(b"\n", span[1])
    return start, len(tree.data) if end < 0 else end + 1
