"""What an ``arg_scope`` of slim around a call gives it: written there, or returned by a function of the file."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from poolkit.port.python.nodes import FUNCTIONS, Node, arguments, last_name
from poolkit.port.python.tree import Tree
from poolkit.port.python.uses import meant

DEEPEST = 8  # functions whose scopes are made by another one each


def scoped(tree: Tree, call: ast.Call) -> Iterator[tuple[str, ast.expr]]:
    r"""The arguments of the scopes around a call that are about its function, outer ones first.

    >>> tree = Tree('''def scope():
    ...     with slim.arg_scope([slim.max_pool2d], stride=1) as made: return made
    ... with slim.arg_scope(scope()):
    ...     x = slim.max_pool2d(x, 2)''')
    >>> [(name, value.value) for name, value in scoped(tree, tree.all(ast.Call)[-1])]
    [('stride', 1)]
    """
    for scope in _around(tree, call, DEEPEST) if "arg_scope" in tree.words else ():
        listed = meant(tree, scope.args[0], scope.args[0])
        about = listed.elts if isinstance(listed, ast.List | ast.Tuple) else ()
        if any(last_name(one) == last_name(call.func) for one in about):
            yield from arguments(scope).items()


def _around(tree: Tree, node: Node, left: int, until: str = "") -> list[ast.Call]:
    """The scopes around a node, outer ones first; `until` is the name of the last of them in the innermost `with`."""
    found: list[ast.Call] = []
    here = tree.around(node, ast.With)
    while here is not None:
        inside: list[ast.Call] = []
        for item in here.items:
            scope = item.context_expr
            if isinstance(scope, ast.Call) and last_name(scope.func) == "arg_scope" and scope.args:
                inside += _made(tree, scope, left)
            if until and last_name(item.optional_vars or item) == until:
                break
        found, here, until = [*inside, *found], tree.around(here, ast.With), ""
    return found


def _made(tree: Tree, scope: ast.Call, left: int) -> list[ast.Call]:
    """The scopes that one is: itself, or those that a function gives back which makes it."""
    made = meant(tree, scope.args[0], scope.args[0])
    if not isinstance(made, ast.Call):
        return [scope]
    functions = [one for one in tree.all(ast.FunctionDef) if one.name == last_name(made.func)]
    returned = [one for one in tree.all(ast.Return) if functions and tree.around(one, FUNCTIONS) is functions[0]]
    name = last_name(returned[0].value or scope) if len(functions) == len(returned) == 1 else ""
    given = [(one, item.optional_vars) for one in tree.all(ast.With) for item in one.items if item.optional_vars]
    named = dict.fromkeys([one for one, target in given if name and last_name(target) == name])
    within = [one for one in named if tree.inside(one, functions[0])]
    return _around(tree, within[0].body[0], left - 1, name) if len(within) == 1 and left else []
