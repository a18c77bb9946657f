"""Pooling that a file names and does not call: ``pool=layers.MaxPooling2D``, a class that inherits from one."""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Iterator

from poolkit.dialects.calls import Call
from poolkit.dialects.reading import fields_of, spoken_in
from poolkit.errors import NotExactError
from poolkit.port.python.names import Names, is_word
from poolkit.port.python.nodes import Node, last_name, plain_name, walk
from poolkit.port.python.sites import POOLS, Site
from poolkit.port.python.tree import Tree
from poolkit.port.python.unread import of_framework, spelled_like_a_pool
from poolkit.port.report import Row

WHY = (
    "it is named here and not called, so that what it pools is decided elsewhere; write the call where it is made, or "
    "port it by hand"
)


def references(tree: Tree, names: Names, found: list[Site], to: str | None) -> Iterator[Row]:
    """A row for each name of a pooling layer or function of another framework that is passed on.

    >>> tree = Tree("import torch; block(pool=torch.nn.MaxPool2d)")
    >>> [row.before for row in references(tree, Names(tree), [], "keras")]
    ['torch.nn.MaxPool2d']
    """
    told = {site.outer for site in found} | {site.node for site in found}
    for node in [*tree.all(ast.Attribute), *tree.all(ast.Name)]:
        if isinstance(tree.parent(node), ast.Attribute) or _annotates(tree, node) or _told_elsewhere(tree, node):
            continue
        full = names.full(node)
        if not (_is_class(names, node) if full is None else _pools(full)):
            continue
        fresh = node not in told and tree.given_to(node) not in told
        if to is not None and to in (of_framework(full or ""), *(names.frameworks() if not full else ())):
            if full and fresh and not _is_alias(tree, names, node):
                text = tree.text(node)
                yield Row(f"line {tree.line(node)}", text, "exact", text, (f"it is {to}'s already",))
            continue
        if _is_alias(tree, names, node):
            note = "it has another name here, and each call of that is written where it stands"
            yield Row(f"line {tree.line(node)}", tree.text(node), "left", notes=(note,))
        elif fresh:
            scoped = _in_scope(tree, node)
            call = next((site for site in found if site.chosen is not None and site.chosen is tree.parent(node)), None)
            if call is not None:
                note = f"it is one of those that line {tree.line(call.node)} calls, where each is written"
                yield Row(f"line {tree.line(node)}", tree.text(node), "left", notes=(note,))
                continue
            note = "its arguments go to the calls inside, each of which has a row" if scoped else WHY
            yield Row(f"line {tree.line(node)}", tree.text(node), "left" if scoped else "failed", notes=(note,))


def _pools(full: str) -> bool:
    """Whether a framework's name is a pool that is read, or a class by whose spelling it is one, as in tf.raw_ops."""
    last = full.rpartition(".")[2]
    if is_word(full):
        return POOLS.search(last) is not None
    return last[:1].isupper() and spelled_like_a_pool(last) and of_framework(full) is not None


def tested(tree: Tree, names: Names, to: str | None) -> Iterator[Site]:
    """``isinstance(m, nn.MaxPool2d)``, ``type(m) is nn.MaxPool2d``: the class that such a pool is of in the target.

    >>> tree = Tree("from torch import nn; isinstance(m, (nn.Linear, nn.MaxPool2d))")
    >>> [(site.word, site.role) for site in tested(tree, Names(tree), "keras")]
    [('torch.nn.MaxPool2d', 'class')]
    """
    for node, classes in _tests(tree):
        for one in walk(classes):
            full = names.full(one) or ""
            if not is_word(full) or not POOLS.search(full) or isinstance(tree.parent(one), ast.Attribute):
                continue
            call = Call(full, (2,))
            dialect, word = spoken_in(call)
            if dialect.name != to and dialect.words[word].tensor is None:
                with contextlib.suppress(NotExactError):
                    yield Site(node, call, word, dialect.name, "class", one, fields=fields_of(call), caveats=[TESTED])


def _tests(tree: Tree) -> Iterator[tuple[ast.Call, ast.expr]]:
    """The calls that ask for a class, with the classes."""
    yield from ((n, n.args[1]) for n in tree.all(ast.Call) if last_name(n.func) in TESTS and len(n.args) > 1)
    for node in tree.all(ast.Compare):
        if isinstance(node.left, ast.Call) and plain_name(node.left.func) == "type":
            yield from ((node.left, classes) for classes in node.comparators)


TESTS = ("isinstance", "assertIsInstance")
TESTED = "a pool that became poolkit's own layer is of no such class; check what this decides"


def _in_scope(tree: Tree, node: Node) -> bool:
    """Whether a name is in the list of slim's ``arg_scope([slim.max_pool2d], …)``, or of a project's like it."""
    around = tree.around(node, ast.Call)
    return around is not None and (plain_name(around.func) or "").endswith("arg_scope")


def _annotates(tree: Tree, node: Node) -> bool:
    """Whether a node is in an annotation."""
    here: Node | None = node
    while here is not None and not isinstance(here, ast.stmt):
        around = tree.parent(here)
        if here in (getattr(around, "annotation", None), getattr(around, "returns", None)):
            return True
        here = around
    return False


def _is_class(names: Names, node: Node) -> bool:
    """Whether a name of another module is spelled like a class that pools."""
    name = plain_name(node) or ""
    last, scope = name.rpartition(".")[2], names.tree.scope(node)
    if not last[:1].isupper() or not spelled_like_a_pool(last):
        return False
    return "." in name or all(one.full for one in scope[last])


def _told_elsewhere(tree: Tree, node: Node) -> bool:
    """Whether a name is called, or no value at all."""
    around = tree.parent(node)
    if isinstance(getattr(node, "ctx", None), ast.Store):
        return True
    return isinstance(around, ast.Call) and around.func is node


def _is_alias(tree: Tree, names: Names, node: Node) -> bool:
    """Whether a name is given another one under which calls are found: it has no other value, and is no class's."""
    statement = tree.parent(node)
    target = statement.targets[0] if isinstance(statement, ast.Assign) else None
    in_class = isinstance(tree.parent(statement), ast.ClassDef)
    return isinstance(target, ast.Name) and not in_class and names.full(target) is not None
