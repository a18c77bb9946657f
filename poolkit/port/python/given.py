"""What a name of a file is given: one value, or several that come together."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(eq=False)
class Given:
    """A value that a name is given: an expression of the file, one item of it, or any of `several` values.

    `item` counts from the start of `of` items; `each` says that it is one item after the other, as in a loop. Without
    an expression, as of a parameter, whose `node` it is, `default` may be what it is where nobody says otherwise.
    Where it is `loose` it may be anything besides.
    """

    name: str
    statement: ast.stmt | None = None
    value: ast.expr | None = None
    item: int | None = None
    of: int = 0
    each: bool = False
    default: ast.expr | None = None
    node: ast.arg | None = None
    loose: bool = False
    several: list[Given] = field(default_factory=list["Given"])


def every(given: Sequence[Given]) -> set[Given]:
    """Some values, and those that they may be."""
    left, seen = [*given], set[Given]()
    while left:
        here = left.pop()
        seen.add(here)
        left += [one for one in here.several if one not in seen]
    return seen


def together(name: str, values: Sequence[Given | None]) -> Given:
    """What a name is where it has one of several values; None is no value yet."""
    known = list(dict.fromkeys(filter(None, values)))
    return known[0] if len(known) == 1 and None not in values else Given(name, several=known)
