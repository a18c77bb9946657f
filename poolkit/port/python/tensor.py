"""What an expression of a file is as a tensor, and the turns of its axes."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from poolkit.port.python.nodes import arguments, last_name, literal
from poolkit.port.python.positions import lettered
from poolkit.spec.values import is_many

WHOLE = ("permute", "transpose", "permute_dimensions")
PAIRS = ("transpose", "swapaxes", "swapdims")
MOVES = ("moveaxis", "movedim")
TURNS = (*WHOLE, *PAIRS, *MOVES, "Permute")
SHAPE, BATCH, FORMAT = "shape", "batch", "format"  # what a step keeps of its tensor, or gives it


class Said(NamedTuple):
    """The letters of the axes of a tensor, and the text of what gives it them; empty where nothing says it."""

    order: str = ""
    by: str = ""


UNSAID = Said()


@dataclass(frozen=True, eq=False)
class Tensor:
    """What an expression is as a tensor.

    `rank` is the number of its axes, if that is known, and `own` the number of those that a reshape gave it, which has
    the original's order whatever the others have; `said` is the order of all of them, where a layer says it. It was
    `before` a step: a name that it is given, or the function, method or layer `name`, with the `rest` of what that is
    given, which keeps its shape, or its batch.
    """

    node: ast.expr
    rank: int | None = None
    own: int = 0
    before: Tensor | None = None
    keeps: str = ""
    name: str = ""
    rest: list[ast.expr] = field(default_factory=list[ast.expr])
    layer: ast.Call | None = None
    said: Said = UNSAID

    def like(self, steps: bool = False) -> Iterator[ast.expr]:
        """It, and those before it that have its shape; with `steps` those that have its batch, up to a pool's own."""
        here: Tensor | None = self
        for _ in range(20):
            if here is None:
                return
            yield here.node
            if here.keeps != SHAPE and not (steps and here.keeps):
                break
            here = here.before
        if steps and here is not None and here.before is not None and not here.keeps:
            yield here.before.node

    @property
    def sizes(self) -> list[ast.expr]:
        """The sizes that a reshape has, of all axes."""
        return self.rest[-1].elts if self.rest and isinstance(self.rest[-1], ast.Tuple | ast.List) else self.rest

    @property
    def count(self) -> int:
        """How many sizes a reshape has; 0 where a star leaves that open, or one is a text, as in `order="F"`."""
        args = self.node.args if isinstance(self.node, ast.Call) else []
        texts = any(isinstance(literal(one), str) for one in self.sizes)
        return 0 if texts or any(isinstance(one, ast.Starred) for one in [*args, *self.sizes]) else len(self.sizes)

    def turn(self, rank: int) -> tuple[int, ...]:
        """Which axis each one is before a turn: ``x.permute(0, 3, 1, 2)``, ``Permute(…)(x)``; () for what is none.

        >>> from poolkit.port.python.names import Names
        >>> from poolkit.port.python.tensors import tensors_of
        >>> from poolkit.port.python.tree import Tree
        >>> tree = Tree("y = x.permute(0, 3, 1, 2)")
        >>> tensors_of(tree, Names(tree)).of(tree.all(ast.Call)[0]).turn(4)
        (0, 3, 1, 2)
        """
        if not isinstance(self.node, ast.Call) or any(isinstance(arg, ast.Starred) for arg in self.node.args):
            return ()
        if self.layer is not None:
            at = literal(self.layer.args[0]) if last_name(self.layer.func) == "Permute" and self.layer.args else None
            batch = () if is_many(at) and 0 in at else (0,)  # Keras's does not count it, as torchvision's does
            order: tuple[object, ...] | None = (*batch, *at) if is_many(at) else None
        else:
            named = [value for name, value in arguments(self.node).items() if name not in ORDERS]
            values = tuple(literal(one) for one in self.rest if one not in named)
            order = _order(last_name(self.node.func), values, rank)
        places = [n % rank for n in order or () if isinstance(n, int)]
        return tuple(places) if sorted(places) == [*range(rank)] else ()


ORDERS = ("perm", "axes", "dims")


def in_format(test: ast.expr, body: Tensor, orelse: Tensor) -> bool:
    """``x if data_format() == "channels_last" else Permute((3, 1, 2))(x)``: in the order that the data format says."""
    if not isinstance(test, ast.Compare) or "data_format" not in ast.unparse(test.left):
        return False
    said = lettered(literal(test.comparators[0]))
    orders = said, {"NHWC": "NCHW", "NCHW": "NHWC"}.get(said, said)
    after, before = orders[::-1] if isinstance(test.ops[0], ast.NotEq) else orders
    return any(
        one.before is not None
        and ast.unparse(one.before.node) == ast.unparse(other.node)
        and "".join(before[n] for n in one.turn(4)) == after
        for one, other, after, before in ((body, orelse, after, before), (orelse, body, before, after))
    )


def _order(name: str, values: tuple[object, ...], rank: int) -> tuple[object, ...] | None:
    """Which axis each new one is; None for what is no turn."""
    first = values[0] if len(values) == 1 else None
    if name in WHOLE and (is_many(first) or len(values) > 2):
        return tuple(first) if is_many(first) else values
    if len(values) != 2 or not all(isinstance(n, int) and -rank <= n < rank for n in values):
        return None
    a, b = (n % rank for n in values if isinstance(n, int))
    axes = [*range(rank)]
    if name in PAIRS:
        axes[a], axes[b] = axes[b], axes[a]
        return tuple(axes)
    axes.insert(b, axes.pop(a))
    return tuple(axes) if name in MOVES else None
