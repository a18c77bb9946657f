"""A Python source file as LibCST's tree: where each node starts and ends, what is around it, and what its text is."""

from __future__ import annotations

import ast
import contextlib
import io
import re
import tokenize
import warnings
from bisect import bisect_left
from collections.abc import Callable, Generator, Hashable, Iterator
from typing import Any, TypeVar

import libcst as cst
from libcst import metadata

from poolkit.errors import InputError

Node = cst.CSTNode
T = TypeVar("T")
N = TypeVar("N", bound=cst.CSTNode)
BOM = "\ufeff"  # which some editors put first
Span = tuple[int, int]  # offsets in bytes of UTF-8


class Tree:
    """The tree of a file. `InputError` with line and column where the file is no Python.

    >>> tree = Tree("y = pool(x)  # half")
    >>> [(tree.text(node), tree.line(node)) for node in tree.all(cst.Call)]
    [('pool(x)', 1)]
    """

    def __init__(self, source: str, name: str = "", order: str = "") -> None:
        self.order = order  # the layout that the file's tensors have where it does not say, if somebody knows it
        self.mark = BOM if source.startswith(BOM) else ""
        source = source.removeprefix(BOM)
        self.source, self.data = source, source.encode()
        self.name = name or "the source"
        if re.search("\r(?!\n)", source):
            raise InputError(
                f"received {self.name}, which ends lines with a carriage return alone, and edits go by line feeds; "
                "convert its line ends"
            )
        self.newline = "\r\n" if "\r\n" in source else "\n"
        self._index(metadata.MetadataWrapper(_parsed(source, self.name), unsafe_skip_copy=True))

    def _index(self, wrapper: metadata.MetadataWrapper) -> None:
        self.module = wrapper.module
        self._spans = wrapper.resolve(metadata.ByteSpanPositionProvider)
        self._dropped = _dropped(self.source, self.module) if "\f" in self.source else []
        self._scopes = wrapper.resolve(metadata.ScopeProvider)
        self._lines = [found.start() for found in re.finditer(b"\n", self.data)]
        self._parents: dict[Node, Node] = {}
        self._nodes: dict[type[Node], list[Node]] = {}
        self._known: dict[Hashable, Any] = {}
        self._named: dict[str, list[cst.Name]] = {}
        for node in walk(self.module, self._parents):
            self._nodes.setdefault(type(node), []).append(node)
            if isinstance(node, cst.Name):
                self._named.setdefault(node.value, []).append(node)

    def all(self, kind: type[N]) -> list[N]:
        """Every node of exactly this kind, outer ones before those inside."""
        return [node for node in self._nodes.get(kind, []) if isinstance(node, kind)]

    def named(self, name: str) -> list[cst.Name]:
        """Every place where a name stands."""
        return self._named.get(name, [])

    def once(self, key: Hashable, found: Callable[[], T]) -> T:
        """What is found out about the file, at the first time that it is asked for."""
        if key not in self._known:
            self._known[key] = found()
        known: T = self._known[key]
        return known

    def span(self, node: Node) -> Span:
        found = self._spans[node]
        return self._place(found.start), self._place(found.start + found.length)

    def _place(self, at: int) -> int:
        """The place in the file of a place in LibCST's text."""
        return at + sum(n for start, n in self._dropped if start <= at) if self._dropped else at

    def text(self, node: Node) -> str:
        start, end = self.span(node)
        return self.data[start:end].decode()

    def line(self, node: Node) -> int:
        return bisect_left(self._lines, self.span(node)[0]) + 1

    def parent(self, node: Node) -> Node | None:
        return self._parents.get(node)

    def around(self, node: Node, kind: type[N]) -> N | None:
        """The nearest node of a kind around this one."""
        here = self.parent(node)
        while here is not None and not isinstance(here, kind):
            here = self.parent(here)
        return here

    def inside(self, inner: Node, outer: Node) -> bool:
        (start, end), (first, last) = self.span(inner), self.span(outer)
        return first <= start and end <= last

    def assignments(self) -> list[Any]:
        """Everything that gives a name of the file a value, in every scope."""
        scopes = dict.fromkeys(scope for scope in self._scopes.values() if scope is not None)
        return list(dict.fromkeys(a for scope in scopes for a in scope.assignments))

    def start(self, statement: Node) -> int:
        """Where a statement starts, its decorators too."""
        decorators = statement.decorators if isinstance(statement, cst.FunctionDef | cst.ClassDef) else ()
        return min(self.span(node)[0] for node in (statement, *decorators))

    def scope(self, node: Node) -> Any:
        """The scope that a name at this place belongs to."""
        here: Node | None = node
        while here is not None:
            scope = self._scopes.get(here)
            if scope is not None:
                return scope
            here = self.parent(here)
        return self._scopes[self.module]


def _dropped(source: str, module: cst.Module) -> list[tuple[int, int]]:
    """Where LibCST leaves out form feeds before a statement, in its text, and how many bytes each time."""
    at, found = 0, list[tuple[int, int]]()
    for line, kept in zip(source.split("\n"), module.code.split("\n"), strict=True):
        if line != kept:
            found.append((at, len(line) - len(kept)))
        at += len(kept.encode()) + 1
    return found


@contextlib.contextmanager
def bounded(name: str) -> Generator[None]:
    """`InputError` for source that is nested deeper than Python's recursion goes, wherever that comes out."""
    try:
        yield
    except (RecursionError, MemoryError, KeyError) as error:
        cause: BaseException | None = error
        while isinstance(cause, KeyError):  # LibCST misses a node on the way back from a recursion too deep
            cause = cause.__context__
        if cause is None:
            raise
        raise InputError(
            f"received {name or 'the source'}, which nests deeper than Python's recursion goes, such as a sum of a "
            "thousand terms or a thousand elif; write it over several statements"
        ) from None


MOST_TOKENS = 100_000  # each takes up to 0.3 ms, most of it in LibCST; the longest files of model code have half of it


def _check_length(source: str, name: str) -> None:
    """`InputError` where a port would take more than half a minute, by a count that itself takes 0.3 s at most."""
    count = 0
    with contextlib.suppress(SyntaxError, tokenize.TokenError):  # of which Python's own parser says where
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            # Before Python 3.12 an f-string is one token, whatever is in it.
            whole = token.type == tokenize.STRING and "f" in token.string[:2].lower()
            count += 1 + (len(token.string) // 4 if whole else 0)
            if max(count, token.end[0]) > MOST_TOKENS:
                raise InputError(
                    f"received {name}, which has more than {MOST_TOKENS} tokens (names, numbers, operators) or lines, "
                    "and poolkit ports no more at a time; cut the file in parts"
                )


def _parsed(source: str, name: str) -> cst.Module:
    _check_length(source, name)
    try:
        python(source)
        return cst.parse_module(source)
    except SyntaxError as error:
        where, why = f"line {error.lineno}, column {error.offset}", error.msg
    except cst.ParserSyntaxError as error:
        where, why = f"line {error.raw_line}, column {error.raw_column + 1}", "LibCST cannot read it"
    except ValueError as error:  # of null bytes
        where, why = "line 1, column 1", str(error)
    raise InputError(f"received {name}, which is not Python: {where}: {why}; give a file of Python source")


def python(text: str) -> ast.Module:
    """Source as Python's own tree; what Python would warn of is the file's affair."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text)


def expression(text: str) -> ast.expr:
    r"""An expression of a file as Python's own tree; it may have been written over several lines, or have a star.

    >>> ast.unparse(expression("f(x,\n  2)")), ast.unparse(expression("*x"))
    ('f(x, 2)', '*x')
    """
    starred = text.startswith("*")  # as an item, or the value of `y = *x`, which parses
    statement = python(f"[{text}\n]" if starred else f"({text}\n)").body[0]
    assert isinstance(statement, ast.Expr)
    value = statement.value
    if not starred or not isinstance(value, ast.List):
        return value
    return value.elts[0] if len(value.elts) == 1 else ast.Tuple(value.elts, ast.Load())


def walk(node: Node, parents: dict[Node, Node] | None = None) -> Iterator[Node]:
    """A node and everything in it, outer nodes before those inside; `parents` learns what is around each."""
    left = [node]
    while left:
        here = left.pop()
        yield here
        inside = here.children  # which LibCST makes anew each time
        left += reversed(inside)
        if parents is not None:
            parents.update(dict.fromkeys(inside, here))


def plain_name(node: Node) -> str | None:
    """``a.b.c`` of a name or of attributes of one.

    >>> plain_name(cst.parse_expression("nn.functional.relu"))
    'nn.functional.relu'
    """
    if isinstance(node, cst.Name):
        return node.value
    if isinstance(node, cst.Attribute):
        before = plain_name(node.value)
        return before and f"{before}.{node.attr.value}"
    return None
