"""A source file as Python's own tree: where each node starts and ends, what is around it, and what its text is."""

from __future__ import annotations

import ast
import contextlib
import io
import re
import tokenize
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Generator, Hashable, Sequence
from itertools import groupby
from typing import Any, TypeVar

from poolkit.errors import InputError
from poolkit.port.python.nodes import DEFINITIONS, Node, python, walk, with_dots
from poolkit.port.python.scopes import Binding, Scope, scoped

T = TypeVar("T")
N = TypeVar("N", bound=ast.AST)
BOM = "\ufeff"  # which some editors put first
Span = tuple[int, int]  # offsets in bytes of UTF-8


class Tree:
    """The tree of a file. `InputError` with line and column where the file is no Python.

    >>> tree = Tree("y = pool(x)  # half")
    >>> [(tree.text(node), tree.line(node)) for node in tree.all(ast.Call)]
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
        self._starts = [0, *(found.end() for found in re.finditer(b"\n", self.data))]
        tokens = _tokens(source, self.name)
        self.module = with_dots(_parsed(source, self.name)) if "getattr" in source else _parsed(source, self.name)
        comments = [token for token in tokens if token.type == tokenize.COMMENT]
        self.comments = [(self._place(*token.start), self._place(*token.end)) for token in comments]
        self._index()
        self.words: dict[str, tuple[int, int]] = {}  # each name of the code: the line and column where it is first
        for token in tokens:
            if token.type == tokenize.NAME:
                self.words.setdefault(token.string, token.start)
        for name, nodes in self._named.items():
            self.words.setdefault(name, (self.line(nodes[0]), 0))

    def _place(self, line: int, column: int) -> int:
        """The place of a character of a line, which tokens count by."""
        start = self._starts[line - 1]
        end = self._starts[line] if line < len(self._starts) else len(self.data)
        return start + len(self.data[start:end].decode()[:column].encode())

    def _index(self) -> None:
        self._parents: dict[Node, Node] = {}
        self._strings: dict[Node, Node] = {}  # before Python 3.12 what is inside an f-string has no place of its own
        self._nodes: dict[type[Node], list[Any]] = {}
        self._once: dict[Hashable, Any] = {}
        self._named: dict[str, list[ast.Name]] = {}
        self._attributes: dict[str, list[ast.Attribute]] = {}
        for node in walk(self.module, self._parents):
            around = self._parents.get(node)
            if around is not None and (isinstance(around, ast.JoinedStr) or around in self._strings):
                self._strings[node] = self._strings.get(around, around)
            self._nodes.setdefault(type(node), []).append(node)
        for nodes in self._nodes.values():
            if hasattr(nodes[0], "lineno"):
                nodes.sort(key=self._outer_first)
        for name in self.all(ast.Name):
            self._named.setdefault(name.id, []).append(name)
        for attribute in self.all(ast.Attribute):
            self._attributes.setdefault(attribute.attr, []).append(attribute)
        self._scopes = scoped(self.module)

    def _outer_first(self, node: Node) -> Span:
        start, end = self.span(node)
        return start, -end

    def all(self, kind: type[N]) -> list[N]:
        """Every node of exactly this kind, outer ones before those inside."""
        return self._nodes.get(kind, [])

    def named(self, name: str) -> list[ast.Name]:
        """Every place where a name stands."""
        return self._named.get(name, [])

    def attributes(self, name: str) -> list[ast.Attribute]:
        """Every place where an attribute of this name stands."""
        return self._attributes.get(name, [])

    def once(self, key: Hashable, found: Callable[[], T]) -> T:
        """What is found out about the file, at the first time that it is asked for."""
        if key not in self._once:
            self._once[key] = found()
        value: T = self._once[key]
        return value

    def span(self, node: Node) -> Span:
        node = self._strings.get(node, node)
        if isinstance(node, ast.Module):
            return 0, len(self.data)
        place: Any = node  # of the nodes that have one, which the stubs do not tell apart
        start, end = self._starts[int(place.lineno) - 1], self._starts[int(place.end_lineno) - 1]
        return start + int(place.col_offset), end + int(place.end_col_offset)

    def text(self, node: Node) -> str:
        if node in self._strings:
            return ast.unparse(node)
        start, end = self.span(node)
        return self.data[start:end].decode()

    def line(self, node: Node) -> int:
        return self.line_at(self.span(node)[0])

    def line_at(self, place: int) -> int:
        return bisect_right(self._starts, place)

    def parent(self, node: Node | None) -> Node | None:
        return self._parents.get(node) if node is not None else None

    def around(self, node: Node, kind: type[N] | tuple[type[N], ...]) -> N | None:
        """The nearest node of a kind around this one."""
        here = self.parent(node)
        while here is not None and not isinstance(here, kind):
            here = self.parent(here)
        return here

    def given_to(self, node: Node) -> ast.Call | None:
        """The call that a node is an argument of, by place or by name."""
        around = self.parent(node)
        around = self.parent(around) if isinstance(around, ast.keyword) else around
        return around if isinstance(around, ast.Call) and around.func is not node else None

    def applied(self, node: Node) -> ast.Call | None:
        """The call that is applied to a node: of which it is the first argument, or whose method is called."""
        around = self.parent(node)
        call = self.parent(around) if isinstance(around, ast.Attribute) else self.given_to(node)
        if not isinstance(call, ast.Call):
            return None
        first = next(iter((*call.args, *(keyword.value for keyword in call.keywords))), None)
        return call if call.func is around or first is node else None

    def in_string(self, node: Node) -> bool:
        return node in self._strings

    def inside(self, inner: Node, outer: Node) -> bool:
        (start, end), (first, last) = self.span(inner), self.span(outer)
        return first <= start and end <= last

    def assignments(self) -> list[Binding]:
        """Everything that gives a name of the file a value, in every scope."""
        return [one for scope in dict.fromkeys(self._scopes.values()) for many in scope.own.values() for one in many]

    def scope(self, node: Node) -> Scope:
        """The scope that a name at this place belongs to."""
        return self._scopes[node]

    # ------------------------------------------------------------------------------------------------------ statements

    def statement(self, node: Node) -> ast.stmt | None:
        """The statement that a node is in, or is."""
        return node if isinstance(node, ast.stmt) else self.around(node, ast.stmt)

    def statement_at(self, place: int) -> ast.stmt | None:
        """The last statement that starts before a place, which is in it or behind it on its line."""
        found = self.once("statements", self._statements)
        at = bisect_left(found, place, key=self.start)
        return found[at - 1] if at else None

    def _statements(self) -> list[ast.stmt]:
        found = [node for nodes in self._nodes.values() for node in nodes if isinstance(node, ast.stmt)]
        return sorted(found, key=self.start)

    def start(self, statement: ast.stmt) -> int:
        """Where a statement starts, its decorators too."""
        decorators = statement.decorator_list if isinstance(statement, DEFINITIONS) else ()
        return min(self.span(node)[0] for node in (statement, *decorators))

    def block(self, statement: ast.stmt) -> list[ast.stmt]:
        """The statements of the block that a statement is in."""
        around = self.parent(statement)
        for name in ("body", "orelse", "finalbody"):
            block: list[ast.stmt] = getattr(around, name, [])
            if statement in self._members(block):
                return block
        return []

    def _members(self, block: Sequence[Any]) -> set[Any]:
        return self.once(("members", id(block)), lambda: set(block))

    def beside(self, statement: ast.stmt) -> list[ast.stmt]:
        """The statements that stand on one line with a statement, between semicolons."""
        block = self.block(statement)
        lines = self.once(("lines", id(block)), lambda: self._lines(block))
        return lines[statement]

    def opens_line(self, statement: ast.stmt) -> bool:
        """Whether a statement is the first on its line, and not behind the colon of its block."""
        start = self.span(statement)[0]
        return not self.data[self.data.rfind(b"\n", 0, start) + 1 : start].strip()

    def stands_alone(self, statement: ast.stmt) -> bool:
        """Whether a statement may go with its line: nothing else stands there, and its block has others."""
        return len(self.block(statement)) > 1 and self.opens_line(statement) and len(self.beside(statement)) == 1

    def _lines(self, block: Sequence[ast.stmt]) -> dict[ast.stmt, list[ast.stmt]]:
        count = 0
        keys: dict[ast.stmt, int] = {}
        for before, statement in zip([None, *block], block, strict=False):
            between = self.data[self.span(before)[1] : self.start(statement)] if before is not None else b"\n"
            count += b";" not in between.partition(b"#")[0].partition(b"\n")[0]
            keys[statement] = count
        lines = [list(line) for _, line in groupby(block, key=lambda one: keys[one])]
        return {one: line for line in lines for one in line}


@contextlib.contextmanager
def bounded(name: str) -> Generator[None]:
    """`InputError` for source that is nested deeper than Python's recursion goes, wherever that comes out."""
    try:
        yield
    except (RecursionError, MemoryError):
        raise InputError(
            f"received {name or 'the source'}, which nests deeper than Python's recursion goes, such as a sum of a "
            "thousand terms or a thousand elif; write it over several statements"
        ) from None


MOST_TOKENS = 100_000  # each takes up to 0.1 ms; the longest files of model code have half of it


def _tokens(source: str, name: str) -> list[tokenize.TokenInfo]:
    """The tokens of a source; `InputError` where there are too many, after 0.3 s at most."""
    found: list[tokenize.TokenInfo] = []
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
            found.append(token)
    return found


def _parsed(source: str, name: str) -> ast.Module:
    try:
        return python(source)
    except SyntaxError as error:
        where, why = f"line {error.lineno}, column {error.offset}", error.msg
    except ValueError as error:  # of null bytes
        where, why = "line 1, column 1", str(error)
    raise InputError(f"received {name}, which is not Python: {where}: {why}; give a file of Python source")
