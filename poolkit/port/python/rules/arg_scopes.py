"""Arguments that slim's functions have from an ``arg_scope`` around them."""

from __future__ import annotations

import ast

from poolkit.dialects.calls import Call, Expression
from poolkit.dialects.reading import fields_of
from poolkit.dialects.tensorflow.layers import CONTRIB
from poolkit.errors import NotExactError
from poolkit.port.python.names import Names
from poolkit.port.python.nodes import FUNCTIONS, literal
from poolkit.port.python.scoped import scoped
from poolkit.port.python.sites import Site
from poolkit.port.python.tree import Tree

TAKEN = ("kernel_size", "stride", "padding", "data_format")
GIVEN = "an arg_scope that this function is called in, somewhere else, may give it another {}; here it has slim's own"
MADE = "the arg_scope of line {} gives it {}={}, which is only known in the function that makes it; write it out here"


def arg_scoped(tree: Tree, names: Names, site: Site) -> None:
    """``with slim.arg_scope([slim.max_pool2d], padding="SAME")``: what it gives, where the call does not say."""
    if not site.word.startswith(CONTRIB):
        return
    places = TAKEN[: max(len(site.call.args) - (site.tensor is not None and not _named(site)), 0)]
    said = {*places, *(name for name, _ in site.call.kwargs)}
    around = {name: value for name, value in scoped(tree, site.node) if name in TAKEN and name not in said}
    for name, value in around.items():
        elsewhere = tree.around(value, FUNCTIONS) not in (None, tree.around(site.node, FUNCTIONS))
        if elsewhere and isinstance(_value(value), Expression):
            raise NotExactError(MADE.format(tree.line(value), name, ast.unparse(value)))
    if around:
        call = Call(site.call.name, site.call.args, (*site.call.kwargs, *((n, _value(v)) for n, v in around.items())))
        try:
            site.fields, site.call, site.error = fields_of(call), call, None
        except NotExactError as error:
            site.error, site.call = error, call
    missing = [name for name in ("stride", "padding") if name not in said | around.keys()]
    if missing and site.error is None:
        site.caveats.append(GIVEN.format(" or ".join(missing)))


def _named(site: Site) -> bool:
    return any(name == "inputs" for name, _ in site.call.kwargs)


def _value(node: ast.expr) -> object:
    value = literal(node)
    return value if not isinstance(value, ast.AST) else Expression(ast.unparse(node))
