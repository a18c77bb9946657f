"""Windows that are computed from sizes of what is pooled, as in a pyramid: each size is taken at its new position."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from typing import Any

from poolkit.dialects.calls import Expression
from poolkit.port.python.evaluated import Values, values_of
from poolkit.port.python.expressions import like as of_kind
from poolkit.port.python.names import Names
from poolkit.port.python.nodes import expression
from poolkit.port.python.positions import lettered
from poolkit.port.python.sites import Site
from poolkit.port.python.tensors import is_of, like, tensors_of
from poolkit.port.python.tree import Tree
from poolkit.port.python.values import Either, Many, Size, Sized, sizes_in, understood
from poolkit.spec.values import is_many


def sized_windows(tree: Tree, names: Names, site: Site) -> None:
    """Find every place where the sizes are taken that a window, its strides and its padding go by."""
    if not site.by_shape or not site.read:
        return
    layout = lettered(site.read["layout"])
    taken = _taken(values_of(tree, names, len(layout)), site)
    tensors = like(tree, names, site.tensor)
    both = _in_both_orders(taken, len(layout) - 2)  # which says what they are, whichever tensor has them
    others = dict.fromkeys(size.tensor for _, size in taken if not both and not is_of(tree, size, tensors))
    maps = all(_is_map(tree, names, size, layout) for _, size in taken if size.tensor in others)
    if not taken or (others and not maps) or (site.either and not both):
        return
    site.if_moved += [OF_ANOTHER.format(" and ".join(others), layout)] if others else []
    found: dict[ast.expr, Sized] = {}
    for entry, size in taken:
        for leaf in size.leaf.looks():
            before = found.setdefault(leaf.node, Sized(leaf)).leaf
            if before.at != leaf.at and not (both or before.whole or leaf.whole):
                return  # one place or another, by what the program knows
        letter = layout.strip("NC")[entry] if both and entry is not None else layout[size.at]
        found[size.leaf.node].letters[size.at] = letter
    for one in found.values() if not both else ():
        one.letters = {n: layout[n] for n in one.places}
    if all(one.complete for one in found.values()):
        site.sized = [*found.values()]


WEIGHTS = re.compile(r"weight|kernel|filter", re.IGNORECASE)  # whose sizes are windows too, in an order of their own
OF_ANOTHER = (
    "its window goes by sizes of {0}, which is taken for a map in the order {1} as what it pools is; check that it is"
)


def _is_map(tree: Tree, names: Names, size: Size, layout: str) -> bool:
    """Whether a size is one of space of a tensor that has as many axes as what is pooled, by all that is known of it.

    Where nothing is, the sizes of a map's space are all that ``z.shape[2:]`` leaves, or ``z.shape[-2:]``.
    """
    tensors, line = tensors_of(tree, names), tree.parent(size.leaf.node)
    rank = tensors.named(size.tensor, size.since)
    if rank is None and isinstance(line, ast.Assign) and isinstance(line.targets[0], ast.Tuple):
        rank = len(line.targets[0].elts) if size.leaf.whole else None
    at = size.leaf.node.slice if isinstance(size.leaf.node, ast.Subscript) else None
    if rank is None and isinstance(at, ast.Slice) and at.upper is None:
        space = tuple([n for n, c in enumerate(layout) if c not in "NC"])
        rank = space[-1] + 1 if size.leaf.at == space else None
    node = size.leaf.node.value if isinstance(size.leaf.node, ast.Attribute) else None
    order = tensors.of(node).said.order if node is not None and tree.parent(node) is not None else ""
    alike = rank == len(layout) and order in ("", layout) and layout[size.at] not in "NC"
    return alike and WEIGHTS.search(size.tensor) is None


def _taken(values: Values, site: Site) -> list[tuple[int | None, Size]]:
    """The sizes that the fields of a site go by, with the spatial axis of each; none where one is not known."""
    found: list[tuple[int | None, Size]] = []
    for name in ("window", "stride", "padding", "output_size"):
        for entry, value in _entries(site.read.get(name)):
            one = values.of(expression(value.text), site.node)
            for made in one.values if isinstance(one, Either) else (one,):
                if not understood(made):
                    return []
                parts = made.items if isinstance(made, Many) and entry is None else (made,)
                for n, part in enumerate(parts):
                    found += [(n if len(parts) > 1 else entry, size) for size in sizes_in(part)]
    return found


def _in_both_orders(taken: Sequence[tuple[int | None, Size]], count: int) -> bool:
    """Whether each spatial axis has its sizes from both orders, as in the branches of an `if` on the data format."""
    places: dict[int | None, set[int]] = {}
    for entry, size in taken:
        places.setdefault(entry, set()).add(size.at)
    return places == {n: {n + 1, n + 2} for n in range(count)}


def _entries(value: Any) -> Iterator[tuple[int | None, Expression]]:
    """The expressions of a field, each with the spatial axis that it is for, if it is for one."""
    if isinstance(value, Expression):
        yield None, value
    elif is_many(value):
        yield from ((n, one) for n, one in enumerate(value) if isinstance(one, Expression))


def resized(value: Any, sized: Sequence[Sized], layout: str) -> Any:
    """A field of a site with the sizes that stand in the call itself at their new positions."""
    if is_many(value):
        return of_kind(value, [resized(one, sized, layout) for one in value])
    if not isinstance(value, Expression):
        return value
    new = {ast.dump(one.leaf.node): one.moved(layout) for one in sized}
    return Expression(ast.unparse(_Moved(new).visit(expression(value.text))))


class _Moved(ast.NodeTransformer):
    """Puts new source in place of nodes."""

    def __init__(self, new: dict[str, str]) -> None:
        self.new = new

    def visit(self, node: ast.AST) -> Any:
        text = self.new.get(ast.dump(node)) if isinstance(node, ast.expr) else None
        return expression(text) if text is not None else self.generic_visit(node)
