"""What stands behind a global pool of an ONNX file and drops its axes, or gives them back: the pool takes it in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from poolkit.dialects.calls import Call
from poolkit.dialects.onnx import REDUCTIONS
from poolkit.port.models.layers import LAYOUTS, Shape
from poolkit.spec.values import is_many

REDUCTION = {"GlobalAveragePool": "ReduceMean", "GlobalMaxPool": "ReduceMax"}
ARRANGES = ("Reshape", "Flatten", "Transpose", "Squeeze", "Unsqueeze")


def uses_in(graph: Any) -> Counter[str]:
    """How often each value is taken, in graphs inside this one too, or is an output."""
    found: Counter[str] = Counter()
    left = [graph]
    while left:
        here = left.pop()
        found.update(one.name for one in here.output)
        for node in here.node:
            found.update(node.input)
            left += [inner for one in node.attribute for inner in (one.g, *one.graphs) if inner.node or inner.output]
    return found


def folded(call: Call, behind: Any, shape: Shape | None, constants: Mapping[str, tuple[int, ...]]) -> Call | None:
    """The call of a global pool that does what a node behind it does, too; None where it can't."""
    operator, given = call.name.rpartition(".")[2], dict(call.kwargs)
    reduction = REDUCTION.get(operator, operator)
    rank = len(shape) if shape else 0
    if reduction not in REDUCTIONS or rank not in LAYOUTS or shape is None:
        return None
    named: Any = given.get("axes", tuple(range(2, rank)) if operator in REDUCTION else ())
    axes = sorted(n % rank for n in named) if is_many(named) and all(type(n) is int for n in named) else []
    if axes not in ([*range(2, rank)], [*range(1, rank - 1)]):
        return None
    kept = bool(given.get("keepdims", 1))
    keeps = _after(behind, shape, axes, kept, constants)
    return None if keeps in (None, kept) else Call(f"onnx.{reduction}", (), (("axes", (*axes,)), ("keepdims", +keeps)))


def _after(
    node: Any, shape: Shape, axes: list[int], kept: bool, constants: Mapping[str, tuple[int, ...]]
) -> bool | None:
    """Whether the pooled axes are there behind a node; None where it does something else."""
    attributes = {one.name: one for one in node.attribute}
    sizes = constants.get(node.input[1]) if len(node.input) > 1 else None
    rank = len(shape)
    if node.op_type == "Flatten":
        return False if kept and ("axis" not in attributes or attributes["axis"].i == 1) else None
    if node.op_type in ("Squeeze", "Unsqueeze"):
        given: list[int] = [*attributes["axes"].ints] if "axes" in attributes else []
        places = [*sizes] if sizes is not None else given
        fits = sorted(n % rank for n in places) == axes and kept == (node.op_type == "Squeeze")
        return node.op_type == "Unsqueeze" if fits else None
    if node.op_type != "Reshape" or sizes is None or not sizes or sizes[0] not in (0, -1, shape[0]):
        return None
    channels = shape[next(n for n in range(1, rank) if n not in axes)]
    rest = [n for at, n in enumerate(sizes[1:], 1) if not (len(sizes) == rank and at in axes and n == 1)]
    fits = len(sizes) in (2, rank) and len(rest) == 1 and rest[0] in (-1, channels) and sizes.count(-1) < 2
    return len(sizes) == rank if fits else None


def takers(nodes: Iterable[Any]) -> dict[str, Any]:
    """The node that takes each value, the last one where there are more."""
    return {name: node for node in nodes for name in node.input}
