"""Comprehensions over sizes of which each is known: ``tuple(s // 2 for s in x.shape[1:3])``."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from poolkit.port.python.nodes import last_name
from poolkit.port.python.values import Known, Many, Unknown, Value, many

MOST_ITEMS, DEEPEST = 8, 2  # a shape has fewer; of comprehensions in comprehensions each multiplies what is looked at

Bound = dict[str, Value]


def unrolled(node: ast.ListComp | ast.GeneratorExp, bound: list[Bound], of: Callable[[ast.expr], Value]) -> Value:
    """The elements of a comprehension, each made by `of` with its names in `bound`; None where they are not known."""
    first = node.generators[0]
    items = of(first.iter) if len(node.generators) == 1 and not (first.ifs or first.is_async) else None
    if not isinstance(items, Many) or len(items.items) > MOST_ITEMS or len(bound) >= DEEPEST:
        return None
    found: list[Value] = []
    for item in items.items:
        names = dict(_named(first.target, item))
        bound.append(names)
        found.append(of(node.elt))
        bound.pop()
    return many(found, list)


def _named(target: ast.expr, item: Value) -> Iterator[tuple[str, Value]]:
    if isinstance(target, ast.Name):
        yield target.id, item
    elts = target.elts if isinstance(target, ast.Tuple | ast.List) else []
    several = item.items if isinstance(item, Many) and len(item.items) == len(elts) else [None] * len(elts)
    for inner, value in zip(elts, several, strict=True):
        yield from _named(inner, value)


ITERATED = ("zip", "enumerate", "map")


def iterated(call: ast.Call, values: list[Value]) -> Value:
    """``zip(x.shape[1:3], bins)``, ``enumerate(...)`` or ``map(int, ...)``; None where the elements are not known."""
    name = last_name(call.func)
    if name == "map":
        whole = len(values) == 2 and last_name(call.args[0]) == "int" and isinstance(values[1], Many)
        return values[1] if whole else None
    counts = {len(one.items) for one in values if isinstance(one, Many)}
    if len(counts) != 1:
        return None
    places = range(counts.pop())
    numbers: list[Value] = [Many(tuple(Known(str(n), n) for n in places))] if name == "enumerate" else []
    return many((many((_item(one, n) for one in (*numbers, *values)), tuple) for n in places), tuple)


def _item(value: Value, n: int) -> Value:
    if isinstance(value, Many):
        return value.items[n]
    return Known(f"{value.text}[{n}]") if isinstance(value, Known) else Unknown((value,))
