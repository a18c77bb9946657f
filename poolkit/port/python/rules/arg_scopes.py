"""Arguments that slim's functions have from an ``arg_scope`` around them."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from poolkit.dialects.calls import Call, Expression
from poolkit.dialects.reading import fields_of
from poolkit.dialects.tensorflow.layers import CONTRIB
from poolkit.errors import NotExactError
from poolkit.port.python.names import Names
from poolkit.port.python.nodes import Node, arguments, last_name, literal
from poolkit.port.python.sites import Site
from poolkit.port.python.tree import Tree

TAKEN = ("kernel_size", "stride", "padding", "data_format")
GIVEN = "an arg_scope that this function is called in, somewhere else, may give it another {}; here it has slim's own"


def arg_scoped(tree: Tree, names: Names, site: Site) -> None:
    """``with slim.arg_scope([slim.max_pool2d], padding="SAME")``: what it gives, where the call does not say."""
    if not site.word.startswith(CONTRIB):
        return
    places = TAKEN[: max(len(site.call.args) - (site.tensor is not None and not _named(site)), 0)]
    said = {*places, *(name for name, _ in site.call.kwargs)}
    around = {name: value for name, value in _around(tree, site) if name in TAKEN and name not in said}
    if around:
        call = Call(site.call.name, site.call.args, (*site.call.kwargs, *around.items()))
        try:
            site.fields, site.call, site.error = fields_of(call), call, None
        except NotExactError as error:
            site.error, site.call = error, call
    missing = [name for name in ("stride", "padding") if name not in said | around.keys()]
    if missing and site.error is None:
        site.caveats.append(GIVEN.format(" or ".join(missing)))


def _named(site: Site) -> bool:
    return any(name == "inputs" for name, _ in site.call.kwargs)


def _around(tree: Tree, site: Site) -> Iterator[tuple[str, object]]:
    """The arguments of the scopes around a site that are about its function, outer ones first."""
    scopes: list[ast.Call] = []
    here = tree.around(site.node, ast.With)
    while here is not None:
        scopes += [item.context_expr for item in here.items if isinstance(item.context_expr, ast.Call)]
        here = tree.around(here, ast.With)
    for scope in reversed(scopes):
        if last_name(scope.func) == "arg_scope" and scope.args and _is_about(scope.args[0], site):
            yield from ((name, _value(value)) for name, value in arguments(scope).items())


def _is_about(listed: Node, site: Site) -> bool:
    elements = listed.elts if isinstance(listed, ast.List | ast.Tuple) else ()
    return any(last_name(one) == last_name(site.node.func) for one in elements)


def _value(node: ast.expr) -> object:
    value = literal(node)
    return value if not isinstance(value, ast.AST) else Expression(ast.unparse(node))
