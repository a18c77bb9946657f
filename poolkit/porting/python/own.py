"""poolkit's own calls in a file, which an earlier port may have written: ``pk.MaxPool(…).layer("torch")``."""

from __future__ import annotations

from typing import Any

import libcst as cst

from poolkit import constructors
from poolkit.errors import NotExactError, PoolkitError
from poolkit.mix import Mix
from poolkit.porting.python.names import Names
from poolkit.porting.python.sites import Site, applied
from poolkit.porting.python.tree import Tree
from poolkit.spec import PoolSpec
from poolkit.text import said
from poolkit.values import is_many
from poolkit.words.calls import Call, known
from poolkit.words.dialect import NotPooling

OWN = "poolkit"
NAMES = ("PoolSpec", "Mix", "MaxPool", "AvgPool", "MinPool", "SumPool", "GlobalAvgPool", "GlobalMaxPool")
MAKERS = {f"{OWN}.{name}": name for name in (*NAMES, "AdaptiveAvgPool", "AdaptiveMaxPool")}


def own_sites(tree: Tree, names: Names) -> list[Site]:
    """Every spec that a file writes out, with what it makes of it.

    >>> tree = Tree('import poolkit as pk; y = pk.MaxPool(2, layout="NCHW").layer("torch")(x)')
    >>> [(site.role, site.dialect, site.fields["window"]) for site in own_sites(tree, Names(tree))]
    [('applied', 'torch', 2)]
    """
    found: list[Site] = []
    for node in tree.all(cst.Call):
        name = names.full(node.func)
        if name in MAKERS and not any(tree.inside(node, site.node) for site in found):
            found.append(_site(tree, names, node, name))
    return found


def _site(tree: Tree, names: Names, node: cst.Call, name: str) -> Site:
    site = Site(node, names.call(node), name, OWN, "spec", node)
    try:
        site.fields = _fields(site.call)
    except (PoolkitError, TypeError) as error:
        site.error = NotPooling(str(error))
    layer = _layer(tree, names, node)
    if layer is not None:
        site.role, site.outer = "layer", layer
        site.dialect = _backend(layer)
        site.error = NotExactError(str(site.error)) if site.error is not None else None
    return applied(tree, site)


def _layer(tree: Tree, names: Names, node: cst.Call) -> cst.Call | None:
    """``spec.layer("torch")`` or ``pk.layer(spec, "torch")`` around a spec."""
    around = tree.parent(node)
    call = tree.parent(around) if around is not None else None
    if not isinstance(call, cst.Call):
        return None
    method = isinstance(around, cst.Attribute) and around.attr.value == "layer" and call.func is around
    return call if method or names.full(call.func) == f"{OWN}.layer" else None


def _backend(layer: cst.Call) -> str:
    """The framework whose layer is made; poolkit's own name where that is no literal."""
    texts = [arg.value.evaluated_value for arg in layer.args if isinstance(arg.value, cst.SimpleString)]
    return str(texts[0]) if texts else OWN


def _fields(call: Call) -> Any:
    values = [*call.args, *(value for _, value in call.kwargs)]
    if all(known(value) for value in values):
        made = _made(call)
        return made if isinstance(made, Mix) else {"kind": made.kind, **said(made)}
    fields = dict(call.kwargs)
    if call.name != f"{OWN}.PoolSpec" or len(call.args) != 1 or not known(call.args[0], fields.get("layout")):
        raise NotExactError("it is a spec of poolkit's with variables in it; it runs in every framework, in its layout")
    return {"kind": call.args[0], **fields}


def _made(value: Any) -> Any:
    """What a call of poolkit's makes, from literals alone."""
    if is_many(value):
        return tuple(map(_made, value))
    if not isinstance(value, Call):
        return value
    name = MAKERS.get(value.name, "")
    maker = {"PoolSpec": PoolSpec, "Mix": Mix}.get(name) or getattr(constructors, name, None)
    if maker is None:
        raise NotExactError(f"{value.name} is no spec of poolkit's")
    return maker(*map(_made, value.args), **{key: _made(one) for key, one in value.kwargs})
