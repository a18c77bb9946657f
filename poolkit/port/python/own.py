"""poolkit's own calls in a file, which an earlier port may have written: ``pk.MaxPool(…).layer("torch")``."""

from __future__ import annotations

import ast

from poolkit.dialects.dialect import NotPooling
from poolkit.dialects.own import MAKERS, OWN, own_fields
from poolkit.errors import NotExactError, PoolkitError
from poolkit.port.python.names import Names
from poolkit.port.python.nodes import given, literal
from poolkit.port.python.sites import Site, applied
from poolkit.port.python.tree import Tree


def own_sites(tree: Tree, names: Names) -> list[Site]:
    """Every spec that a file writes out, with what it makes of it.

    >>> tree = Tree('import poolkit as pk; y = pk.MaxPool(2, layout="NCHW").layer("torch")(x)')
    >>> [(site.role, site.dialect, site.fields["window"]) for site in own_sites(tree, Names(tree))]
    [('applied', 'torch', 2)]
    """
    found: list[Site] = []
    for node in tree.all(ast.Call):
        name = names.full(node.func)
        if name in MAKERS and not any(tree.inside(node, site.node) for site in found):
            found.append(_site(tree, names, node, name))
    return found


def _site(tree: Tree, names: Names, node: ast.Call, name: str) -> Site:
    site = Site(node, names.call(node), name, OWN, "spec", node)
    try:
        site.fields = own_fields(site.call)
    except (PoolkitError, TypeError) as error:
        site.error = NotPooling(str(error))
    layer = _layer(tree, names, node)
    if layer is not None:
        site.role, site.outer = "layer", layer
        texts = [value for value in map(literal, given(layer)) if isinstance(value, str)]
        site.dialect = texts[0] if texts else OWN
        site.error = NotExactError(str(site.error)) if site.error is not None else None
    return applied(tree, site)


def _layer(tree: Tree, names: Names, node: ast.Call) -> ast.Call | None:
    """``spec.layer("torch")`` or ``pk.layer(spec, "torch")`` around a spec."""
    around = tree.parent(node)
    if isinstance(around, ast.Attribute) and around.attr == "layer":
        call = tree.parent(around)
        return call if isinstance(call, ast.Call) and call.func is around else None
    call = tree.given_to(node)
    return call if call is not None and names.full(call.func) == f"{OWN}.layer" else None
