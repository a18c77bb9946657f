"""Windows with an entry for each axis that are put together: ``(1,) + k + (1,)``, ``(1, *k, 1)``, ``(1,) * 4``."""

from __future__ import annotations

import ast
from typing import Any

from poolkit.dialects.calls import Call, Expression, starred
from poolkit.dialects.dialect import NotKnown
from poolkit.dialects.reading import fields_of
from poolkit.errors import NotExactError
from poolkit.port.python.names import Names
from poolkit.port.python.nodes import Node, expression, literal, walk
from poolkit.port.python.rules.either_order import by_name
from poolkit.port.python.sites import Site
from poolkit.port.python.tensors import tensors_of
from poolkit.port.python.tree import Tree
from poolkit.port.python.uses import flow_of, same_tensor
from poolkit.port.python.values import MOST_PARTS
from poolkit.spec.values import is_many

Entries = list[Any]  # literals and expressions, of which one may have a star

# What has an entry for each axis: the field that it is, and the entry that leaves an axis as it is.
FIELDS: dict[str, tuple[str, Any]] = {
    "window_dimensions": ("window", 1),
    "window_strides": ("stride", 1),
    "padding": ("padding", (0, 0)),
    "window_dilation": ("dilation", 1),
}


def spread_window(tree: Tree, names: Names, site: Site) -> None:
    """``lax.reduce_window(x, -jnp.inf, lax.max, (1,) + k + (1,), (1,) + s + (1,), "VALID")``."""
    if not isinstance(site.error, NotKnown) or not site.word.endswith(".reduce_window"):
        return
    call = by_name(site.call)
    computed = {name: value for name, value in call.kwargs if name in FIELDS and isinstance(value, Expression)}
    found = {name: _entries(tree, expression(value.text), site.node) for name, value in computed.items()}
    if not found or any(entries is None for entries in found.values()):
        return
    entries = {name: one for name, one in found.items() if one is not None}
    rank = tensors_of(tree, names).of(site.tensor).rank if site.tensor is not None else None
    counts = {len(one) for name, one in dict(call.kwargs).items() if name in FIELDS and is_many(one)}
    counts |= {len(one) for one in entries.values() if not any(map(starred, one))} | ({rank} if rank else set())
    if len(counts) < 2:
        _read(site, call, entries, counts.pop() if counts else None)


def _read(site: Site, call: Call, entries: dict[str, Entries], count: int | None) -> None:
    """The fields of a call with entries in place of what they are put together from."""
    open_ = {name: one for name, one in entries.items() if any(map(starred, one))}
    first = _channels_first(open_)
    spatial = (count or 4) - 2
    put: dict[str, Any] = {name: tuple(one) for name, one in entries.items() if name not in open_}
    for name in open_:
        leaves, several = FIELDS[name][1], (((1, 1) if name == "padding" else 2),) * spatial
        put[name] = (leaves, leaves, *several) if first else (leaves, *several, leaves)
    if first is None or spatial < 1:
        return
    probe = Call(call.name, call.args, tuple((name, put.get(name, value)) for name, value in call.kwargs))
    try:
        fields: Any = fields_of(probe)
    except NotExactError as error:
        site.error = error
        return
    for name, one in open_.items():
        fields[FIELDS[name][0]] = middle = _middle(one[2:] if first else one[1:-1])
        site.tuples.add(middle.text)
    if count is None:
        fields["layout"] = "channels_first" if first else "channels_last"
    site.fields, site.error = fields, None


def _channels_first(several: dict[str, Entries]) -> bool | None:
    """Which axes all leave as they are: the first and the last one, or the first two; None where neither."""
    kept = [(one, FIELDS[name][1]) for name, one in several.items()]
    if all(len(one) > 2 and one[0] == one[-1] == leaves for one, leaves in kept):
        return False
    return True if all(len(one) > 2 and one[0] == one[1] == leaves for one, leaves in kept) else None


def _middle(entries: Entries) -> Expression:
    alone = entries[0].text.removeprefix("*") if len(entries) == 1 and starred(entries[0]) else ""
    if alone and not isinstance(expression(alone), ast.Call | ast.GeneratorExp):  # which gives its items once
        return Expression(alone)
    return Expression(ast.unparse(ast.Tuple([expression(_text(one)) for one in entries], ast.Load())))


def _text(entry: Any) -> str:
    return entry.text if isinstance(entry, Expression) else repr(entry)


def _entries(tree: Tree, node: ast.expr, at: Node) -> Entries | None:
    """The entries of a tuple, with a star before those of which nobody knows how many there are; None for no tuple."""
    if isinstance(node, ast.Name):
        found = flow_of(tree).at(node.id, at)
        value, since = (found.value, found.statement) if found is not None and found.item is None else (None, None)
        same = value is not None and since is not None and _means_the_same(tree, value, since, at)
        return _put_together(value) if same and value is not None else None
    return _put_together(node)


def _means_the_same(tree: Tree, value: ast.expr, since: Node, until: Node) -> bool:
    """Whether everything in a value is at another place what it is where that is given a name."""
    if any(isinstance(one, ast.Call | ast.Subscript) for one in walk(value)):
        return False
    named = [one for one in walk(value) if isinstance(one, ast.Name | ast.Attribute)]
    return all(same_tensor(tree, ast.unparse(one), since, until) for one in named)


def _put_together(node: ast.expr) -> Entries | None:
    if isinstance(node, ast.Tuple | ast.List):
        return [
            entry
            for one in node.elts
            for entry in (_part(one.value) if isinstance(one, ast.Starred) else [_entry(one)])
        ]
    if not isinstance(node, ast.BinOp):
        return None
    if isinstance(node.op, ast.Mult):
        inner, count = _put_together(node.left), literal(node.right)
        return inner * count if inner and type(count) is int and len(inner) * count < MOST_PARTS else None
    return [*_part(node.left), *_part(node.right)] if isinstance(node.op, ast.Add) else None


def _part(node: ast.expr) -> Entries:
    inner = _put_together(node)
    return inner if inner is not None else [Expression(f"*{ast.unparse(node)}")]


def _entry(node: ast.expr) -> Any:
    value = literal(node)
    if isinstance(value, ast.Tuple | ast.List) and not any(isinstance(one, ast.Starred) for one in value.elts):
        return tuple(map(_entry, value.elts))
    return Expression(ast.unparse(node)) if isinstance(value, ast.AST) else value
