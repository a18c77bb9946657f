"""Lines of source in which a pool is inside an expression that makes another pool of it, as ``-max_pool(-x)`` does.

What is around the call and what is around its tensor are taken off, and the call between them is read as any other.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any, NamedTuple, TypeVar

from poolkit.dialects.calls import Call
from poolkit.dialects.own import MAKERS
from poolkit.dialects.sources import METHODS, Resolve, call_of_node, dotted_name
from poolkit.errors import NotExactError
from poolkit.spec.pool_spec import PoolSpec
from poolkit.spec.values import is_many

NEGATED = {"max": "min", "min": "max", "avg": "avg", "sum": "sum"}
T = TypeVar("T")

TURNS = ("permute", "transpose", "permute_dims")
ORDERS = ("perm", "axes", "dims")  # what they call the order


class Reader(NamedTuple):
    """How a line is read that has nothing around its call."""

    resolve: Resolve
    tensor: Callable[[Call], str | None]  # what a call calls its tensor; None where it is no word, or makes a layer
    read: Callable[[str, str | None], Any]


@dataclass
class Around:
    """An expression without what is around it: the order of turns is from the outermost one inwards."""

    node: ast.expr
    negated: bool = False
    turns: list[tuple[int, ...]] = field(default_factory=list)
    divisor: ast.expr | None = None


def read_around(source: str, layout: str | None, reader: Reader) -> PoolSpec | None:
    """The spec of a pool with an expression around it, None where there is none around."""
    try:
        outer = _taken_off(ast.parse(source.strip(), mode="eval").body, reader.resolve)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None  # which the reader of lines says
    if not isinstance(outer.node, ast.Call) or not (outer.negated or outer.turns or outer.divisor):
        return None
    inner = _taken_off_tensor(outer.node, reader)
    if outer.negated != inner.negated:
        has, lacks = ("result", "input") if outer.negated else ("input", "result")
        raise _refused(source, f"its {has} is negated and its {lacks} is not, which no spec says; negate both, or none")
    if inner.divisor is not None:
        raise _refused(source, "its input is divided, which no spec says; divide the result alone, or read the call")
    given = layout
    if layout is not None and layout.isalpha() and layout.isupper():
        given = "".join(_turned(source, layout, inner.turns))
    spec = _turned_back(source, reader.read(ast.unparse(outer.node), given), inner.turns, outer.turns)
    spec = _negated(source, spec) if outer.negated else spec
    return spec if outer.divisor is None else _divided(source, spec, outer.divisor)


def _refused(source: str, why: str) -> NotExactError:
    return NotExactError(f"received {source!r}, and {why}")


def _taken_off(node: ast.expr, resolve: Resolve) -> Around:
    found = Around(node)
    while True:
        node, turn = found.node, _turn(found.node, resolve)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            found.node, found.negated = node.operand, not found.negated
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) and found.divisor is None:
            found.node, found.divisor = node.left, node.right
        elif turn is not None:
            found.node = turn[0]
            found.turns.append(turn[1])
        else:
            return found


def _turn(node: ast.expr, resolve: Resolve) -> tuple[ast.expr, tuple[int, ...]] | None:
    """What a call turns, and the order that it gives its axes; two axes where it swaps them."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or node.func.attr not in TURNS:
        return None
    tensor, *rest = node.args if resolve(dotted_name(node.func) or "") else [node.func.value, *node.args]
    given = [*rest, *(keyword.value for keyword in node.keywords if keyword.arg in ORDERS)]
    try:
        values = [ast.literal_eval(value) for value in given]
    except (ValueError, TypeError):
        return None
    at_once = len(values) == 1 and is_many(values[0])
    order = tuple(values[0]) if at_once else tuple(values)
    swaps = len(order) == 2 and node.func.attr == "transpose" and not at_once
    plain = len(given) == len(rest) + len(node.keywords) and all(type(axis) is int for axis in order)
    return (tensor, order) if plain and (swaps or len(order) > 2) else None


def _taken_off_tensor(node: ast.Call, reader: Reader) -> Around:
    """What is around the tensor of a call, which has the tensor alone afterwards."""
    call = call_of_node(node, reader.resolve)
    method = call.name.startswith(f"{METHODS}.") and isinstance(node.func, ast.Attribute)
    made = isinstance(node.func, ast.Call)
    tensor = None if made or method or call.name in MAKERS else reader.tensor(call)
    keyword = next((one for one in node.keywords if tensor is not None and one.arg == tensor), None)
    if method and isinstance(node.func, ast.Attribute):
        found = _taken_off(node.func.value, reader.resolve)
        node.func.value = found.node
    elif keyword is not None:
        found = _taken_off(keyword.value, reader.resolve)
        keyword.value = found.node
    elif node.args and (made or tensor is not None):
        found = _taken_off(node.args[0], reader.resolve)
        node.args[0] = found.node
    else:
        return Around(node)
    return found


def _turned_back(source: str, spec: Any, before: list[tuple[int, ...]], behind: list[tuple[int, ...]]) -> PoolSpec:
    """A pool in the order that the axes have before the turns, which those behind it have to undo."""
    if not isinstance(spec, PoolSpec):
        raise _refused(source, "what is around the call is read around pools by windows and bins alone; read the call")
    if not before and not behind:
        return spec
    if not spec.layout.isupper() or not spec.layout.isalpha():
        raise _refused(source, f"{spec.layout} leaves open how many axes are turned; give the layout, as in NCHW")
    axes = range(len(spec.layout))
    order = _turned(source, axes, before)
    if not spec.keepdims or _turned(source, order, behind) != list(axes):
        raise _refused(source, "the turns before and behind do not undo each other, which no spec says; read the call")
    letters = "".join(spec.layout[order.index(axis)] for axis in axes)
    if letters.replace("N", "").replace("C", "") != spec.layout.replace("N", "").replace("C", ""):
        raise _refused(source, "its turns swap spatial axes, which a spec names in one order; keep their order")
    return spec.replace(layout=letters)


def _turned(source: str, items: Sequence[T], turns: list[tuple[int, ...]]) -> list[T]:
    """Axes, or their letters, behind turns."""
    items, count = list(items), len(items)
    for turn in reversed(turns):
        order = [axis % count for axis in turn]
        if len(order) == 2 < count:  # of torch's transpose, which swaps them
            swap = dict(zip(order, reversed(order), strict=True))
            order = [swap.get(axis, axis) for axis in range(count)]
        if sorted(order) != list(range(count)) or not all(-count <= axis < count for axis in turn):
            raise _refused(source, f"{turn} is no order of {count} axes; give the layout, or mend the turn")
        items = [items[axis] for axis in order]
    return items


def _negated(source: str, spec: PoolSpec) -> PoolSpec:
    if spec.kind not in NEGATED or spec.indices:
        what = "positions" if spec.indices else spec.kind
        raise _refused(source, f"{what} of negated numbers, negated, are no pool that a spec names; read the call")
    return spec.replace(kind=NEGATED[spec.kind])


def _divided(source: str, spec: PoolSpec, divisor: ast.expr) -> PoolSpec:
    """A sum over windows that is divided by the number of their cells, padding among them."""
    try:
        number = ast.literal_eval(divisor)
    except (ValueError, TypeError):
        number = None
    if type(number) not in (int, float):
        raise _refused(source, f"what it is divided by, {ast.unparse(divisor)}, is not known here; write its value")
    if spec.kind != "sum" or not is_many(spec.window) or spec.ceil_mode:
        raise _refused(source, "sums over windows alone are read where they are divided; read the call")
    if number != prod(spec.window):
        raise _refused(
            source,
            f"{number} is not the number of cells of a window {spec.window}; divide by it, or write "
            f'PoolSpec("avg", ..., divisor_override={number})',
        )
    return spec.replace(kind="avg", count_include_pad=spec.padding != "valid")
