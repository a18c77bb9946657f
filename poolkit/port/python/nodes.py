"""Questions to nodes of Python's tree that need no file around them."""

from __future__ import annotations

import ast
import functools
import warnings
from collections.abc import Iterator
from typing import Any

from poolkit.dialects import table
from poolkit.dialects.sources import dotted_name
from poolkit.port.python.scopes import children
from poolkit.spec.values import is_many

Node = ast.AST
Import = ast.Import | ast.ImportFrom
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def python(text: str) -> ast.Module:
    """Source as Python's own tree; what Python would warn of is the file's affair."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text)


def expression(text: str) -> ast.expr:
    r"""An expression as Python's own tree; it may have been written over several lines, or have a star.

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
        inside = children(here)
        left += reversed(inside)
        if parents is not None:
            parents.update(dict.fromkeys(inside, here))


def with_dots(module: ast.Module) -> ast.Module:
    """A file in which `getattr(layers, "MaxPooling2D")` is `layers.MaxPooling2D`, at the same place.

    >>> ast.unparse(with_dots(python("y = getattr(layers, 'MaxPooling2D')(2)")))
    'y = layers.MaxPooling2D(2)'
    """
    for node in walk(module):
        for name, value in ast.iter_fields(node):
            setattr(node, name, [*map(_with_dot, value)] if is_many(value) else _with_dot(value))
    return module


def _with_dot(node: Any) -> Any:
    """What a getattr asks for a pool of a framework by its name; anything else as it is."""
    if not isinstance(node, ast.Call) or last_name(node.func) != "getattr" or len(node.args) < 2 or node.keywords:
        return node
    name = literal(node.args[1])
    if not isinstance(name, str) or name not in pools():
        return node
    return ast.copy_location(ast.Attribute(node.args[0], name, ast.Load()), node)


@functools.cache
def pools(of: str | None = "") -> frozenset[str]:
    """What all frameworks call their pools, or one of them, without the modules, where the name says that it is one."""
    spoken = [(d, one.rpartition(".")) for d in table.dialects() if of in ("", d.name) for one in d.words]
    names = {last for _, (_, _, last) in spoken}
    for d, (module, _, last) in spoken:  # Keras's MaxPool2D is its MaxPooling2D
        short = last.replace("Pooling", "Pool").replace("Average", "Avg")
        names |= {short} if d.canonical(f"{module}.{short}") in d.words else set()
    return frozenset(name for name in names if "pool" in name.lower() != "pool")


def plain_name(node: Node | None) -> str | None:
    """``a.b.c`` of a name or of attributes of one.

    >>> plain_name(expression("nn.functional.relu"))
    'nn.functional.relu'
    """
    return dotted_name(node) if isinstance(node, ast.expr) else None


def last_name(node: Node) -> str:
    """The name of a name, or the last of an attribute; empty for anything else."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def literal(node: Node | None) -> Any:
    """The value of a literal; an `ast.AST`, which equals none, for anything else."""
    try:
        return ast.literal_eval(node) if isinstance(node, ast.expr) else node
    except (ValueError, TypeError):
        return node


def arguments(call: ast.Call) -> dict[str, ast.expr]:
    """The arguments of a call that are given by name."""
    return {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg is not None}


def entries_of(node: ast.Subscript) -> list[ast.expr]:
    """The entries of an index, one for each comma."""
    return node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]


def given(call: ast.Call) -> list[ast.expr]:
    """What a call is given, by place and by name."""
    return [*call.args, *(keyword.value for keyword in call.keywords)]


def target_of(statement: Node | None) -> ast.expr | None:
    """What a statement gives a value, if it is one thing; None where it is several, or no assignment."""
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        return statement.targets[0]
    return statement.target if isinstance(statement, ast.AnnAssign) and statement.value is not None else None


def is_int(node: Node | None) -> bool:
    """Whether a parameter or a name is annotated as a whole number."""
    annotation = node.annotation if isinstance(node, ast.arg | ast.AnnAssign) else None
    return plain_name(annotation) == "int"
