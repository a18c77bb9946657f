"""Tensors besides the input: the indices of an unpooling, boxes of regions, numbers that windows are drawn by."""

from __future__ import annotations

import ast

from poolkit.dialects import table
from poolkit.dialects.calls import Call
from poolkit.dialects.dialect import Word
from poolkit.dialects.own import OWN
from poolkit.dialects.reading import fields_of
from poolkit.errors import NotExactError
from poolkit.port.python.evaluated import values_of
from poolkit.port.python.names import Names
from poolkit.port.python.nodes import Node, literal
from poolkit.port.python.sites import Site
from poolkit.port.python.tree import Tree
from poolkit.port.python.uses import calls_of, flow_of
from poolkit.spec.operation import Operation


def further(tree: Tree, names: Names, site: Site) -> None:
    """``F.max_unpool2d(y, i, 2)``: each is handed on by name, beside a function's tensor or to a layer's call."""
    word = table.dialect(site.dialect).words.get(site.word) if site.dialect != OWN else None
    if word is None or not (word.further or word.differs):
        return
    if site.role == "function":
        _of_function(site, word)
    if site.error is not None or isinstance(site.fields, Operation):
        _read(tree, names, site)
    if site.error is None and site.role == "layer":
        _of_layer(tree, site, word)
    boxes = site.given.get("boxes")
    if site.error is None and isinstance(boxes, ast.AST) and is_list(tree, boxes):
        site.error = NotExactError(LISTED.format(tree.text(boxes)))
    if site.error is None and "samples" not in site.given:
        site.caveats += filter(None, [word.differs_in(site.fields)])


LISTED = (
    "boxes={} is a list, of which poolkit takes none: put together one tensor (K, 5) of it, with the number of the map "
    "in the first column, and give that"
)


def is_list(tree: Tree, node: Node) -> bool:
    """Whether a node is a list, or a name that has one where it stands."""
    if isinstance(node, ast.Name):
        found = flow_of(tree).at(node.id, node)
        return found is not None and found.item is None and not found.each and isinstance(found.value, LISTS)
    return isinstance(node, LISTS)


LISTS = (ast.List, ast.Tuple, ast.ListComp)


def _of_function(site: Site, word: Word) -> None:
    if any(isinstance(arg, ast.Starred) for arg in site.node.args):
        return
    nodes = Call("", tuple(site.node.args), tuple((k.arg or "", k.value) for k in site.node.keywords))
    given = {name: node for name, node in word.besides(nodes).items() if literal(node) is not None}
    site.given.update(given)


def _read(tree: Tree, names: Names, site: Site) -> None:
    """The operation of a call, if need be with the literals behind its names; the error says why there is none."""
    errors: list[NotExactError] = []
    for call in (site.call, values_of(tree, names).literals_in(site.call, site.node)):
        try:
            fields = fields_of(call)
        except NotExactError as error:
            errors.append(error)
            continue
        if isinstance(fields, Operation) and site.role == "function" and not set(fields.needs) <= site.given.keys():
            return
        site.fields, site.call, site.error = fields, call, None
        return
    site.error = errors[-1]


def _of_layer(tree: Tree, site: Site, word: Word) -> None:
    """The calls of a layer, which in poolkit takes what comes behind the input by name."""
    if not isinstance(site.fields, Operation):
        return
    names = [ours for ours, _ in word.further]
    calls = calls_of(tree, site.outer)
    for call in calls:
        keywords = {keyword.arg for keyword in call.keywords}
        if len(call.args) != 1 + len(names) or keywords or any(isinstance(arg, ast.Starred) for arg in call.args):
            site.error = NotExactError(
                f"{tree.text(call)} gives it more than its input and {' and '.join(names)}, by their places; write "
                f"poolkit.pool(x, poolkit.{site.fields!r}, {names[0]}=...), with the sizes of what was pooled in it"
            )
            return
    listed = [node for call in calls for node in call.args[1:] if names == ["boxes"] and is_list(tree, node)]
    if listed:
        site.error = NotExactError(LISTED.format(tree.text(listed[0])))
        return
    site.keyed += [(node, name) for call in calls for node, name in zip(call.args[1:], names, strict=True)]
    if not calls:
        site.caveats.append(f"its calls, which are not in sight, give {' and '.join(f'{name}=' for name in names)}")
