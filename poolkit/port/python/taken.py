"""What a place takes of sizes: an item or a slice of a tensor's shape, and what looks at the shape then."""

from __future__ import annotations

import ast
from dataclasses import replace

from poolkit.port.python.nodes import literal
from poolkit.port.python.values import Leaf, Many, Shape, Size, Unknown, Value


def item_of(value: Value, place: slice | int | None, node: ast.expr) -> Value:
    """What a node takes of a value at a place, which is not known where it is None."""
    several = front(value, place) if isinstance(value, Shape) and place is not None else value
    try:
        taken = several.items[place] if isinstance(several, Many) and place is not None else None
    except IndexError:
        taken = None
    if not isinstance(several, Many) or taken is None:
        return Unknown((value,))
    return taken_by(Many(taken, several.kind) if isinstance(taken, tuple) else taken, node)


def taken_by(value: Value, node: ast.expr) -> Value:
    """Sizes of a whole shape that are taken by a node: that is what looks at them."""
    sizes = value.items if isinstance(value, Many) else (value,)
    found = [one for one in sizes if isinstance(one, Size) and one.leaf.whole]
    if not found or len(found) < len(sizes):
        return value
    first, places = found[0], tuple(one.at for one in found)
    leaf = Leaf(node, first.tensor, places if isinstance(value, Many) else places[0], source=first.leaf)
    made = tuple(Size(one.tensor, one.at, leaf, one.since) for one in found)
    return Many(made) if isinstance(value, Many) else made[0]


def looked_at(value: Value, node: ast.expr) -> Value:
    """Sizes that ``s.as_list()`` or ``h.value`` gives: what takes the look's place has neither, so it goes too."""
    sizes = value.items if isinstance(value, Many) else (value,)
    found = [one for one in sizes if isinstance(one, Size)]
    if isinstance(value, Shape):
        return Shape(value.tensor, node, value.since)
    if not found or len(found) < len(sizes) or any(one.leaf is not found[0].leaf for one in found):
        return value
    leaf = replace(found[0].leaf, node=node, source=found[0].leaf)
    made = tuple(replace(one, leaf=leaf) for one in found)
    return Many(made) if isinstance(value, Many) else made[0]


def place_of(index: ast.expr) -> slice | int | None:
    """The position or the slice that an index is by itself."""
    if not isinstance(index, ast.Slice):
        return value if isinstance(value := literal(index), int) else None
    parts = [literal(part) if part is not None else None for part in (index.lower, index.upper, index.step)]
    return slice(*parts) if all(part is None or isinstance(part, int) for part in parts) else None


def front(shape: Shape, place: slice | int) -> Value:
    """What a place takes of a shape whose rank is not known: from the front it is the same at every one."""
    count = place + 1 if isinstance(place, int) else (place.stop or 0)
    if count < 1 or (isinstance(place, slice) and (place.start or 0) < 0):
        return None
    leaf = Leaf(shape.node, shape.tensor, tuple(range(count)), whole=True)
    return Many(tuple(Size(shape.tensor, n, leaf, shape.since) for n in range(count)))
