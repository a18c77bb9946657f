"""Graphs resolved on an input, and lowered: the mean field of a conditional random field, by products of matrices.

What a node hears is the average of its neighbours' shares, weighted by how alike they are. A padded node is as if it
were not there, whatever its rows hold.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from poolkit.errors import DtypeError, InputError, ShapeError
from poolkit.lowering.fold import total
from poolkit.lowering.geometry import Axis
from poolkit.lowering.plan import MOST_CELLS, Composite, Run
from poolkit.spec.dtypes import FLOATS, INTEGERS
from poolkit.spec.messages import quoted

if TYPE_CHECKING:
    from poolkit.lowering.plan import AnyPlan
    from poolkit.lowering.primitives import Ops, Tensor
    from poolkit.spec.operation import Further, Size, Widen
    from poolkit.spec.struct_pool import StructPool


@dataclasses.dataclass(frozen=True)
class GraphPlan(Composite):
    """A graph's pooling together with what an input settles: its one axis is that of its nodes."""

    spec: StructPool

    def join(self, o: Ops, x: Tensor, runs: Sequence[Run], **tensors: Tensor) -> tuple[Tensor, None]:
        given = {f.name: self.ready(o, f, tensors[f.name]) for f in self.further}
        adjacency, unary, mask = given["adjacency"], given["unary"], given.get("mask")
        if mask is not None:
            x, unary = o.where(mask, x, 0), o.where(mask, unary, 0)
            adjacency = o.where(o.both(mask, self.turned(o, mask)), adjacency, 0)
        shares = self.settled(o, unary, self.attention(o, x, mask), given)
        if mask is not None:
            shares = o.where(mask, shares, 0)
        clusters = self.turned(o, shares)
        linked = o.matmul(o.matmul(clusters, adjacency), shares)
        return o.concat([o.matmul(clusters, x), linked], self.rank - 1), None

    def ready(self, o: Ops, f: Further, t: Tensor) -> Tensor:
        """With the input's axes and dtype; a mask as a condition, one column."""
        if f.name == "mask":
            t = o.expand(t, self.rank - 1)
            return t if f.dtype == "bool" else o.greater(t, 0)
        t = t if f.dtype == self.work else o.cast(t, self.work)
        return o.expand(t, 0) if f.rank < self.rank else t

    def turned(self, o: Ops, t: Tensor) -> Tensor:
        return o.permute(t, (*range(self.rank - 2), self.rank - 1, self.rank - 2))

    def attention(self, o: Ops, x: Tensor, mask: Tensor | None) -> Tensor:
        """How much each node listens to every other one: a row of 1 in all, or of zeros where that has no value."""
        last = self.rank - 1
        alike = o.matmul(x, self.turned(o, x))
        itself = o.equal(o.iota(alike, last - 1), o.iota(alike, last))
        weight = o.where(itself, 0.0, alike)
        if self.spec.attention == "softmax":
            others = o.where(itself, -math.inf, alike)
            if mask is not None:
                others = o.where(self.turned(o, mask), others, -math.inf)
            most = o.detach(o.max(others, last))
            weight = o.exp(o.subtract(others, o.where(o.equal(most, -math.inf), 0.0, most)))
        sums = total(o, weight, (dataclasses.replace(self.axes[0], at=last),))
        silent = o.equal(sums, 0)
        return o.quotient(o.where(silent, 0.0, weight), o.where(silent, 1.0, sums))

    def settled(self, o: Ops, unary: Tensor, attention: Tensor, given: dict[str, Tensor]) -> Tensor:
        """Each node's shares in the clusters after all steps."""
        scores = unary
        for _ in range(self.spec.steps):
            message = o.matmul(attention, self.softmax(o, scores))
            if "filter" in given:
                message = o.matmul(message, given["filter"])
            if "compatibility" in given:
                scores = o.subtract(unary, o.matmul(message, given["compatibility"]))
            else:
                scores = o.add(unary, message)
        return self.softmax(o, scores)

    def softmax(self, o: Ops, scores: Tensor) -> Tensor:
        clusters = Axis(self.rank - 1, "K", "whole", self.spec.clusters, True, out=1)
        weight = o.exp(o.subtract(scores, o.detach(o.max(scores, clusters.at))))
        return o.divide(weight, total(o, weight, (clusters,)))


def plan_of_graphs(
    spec: StructPool, rank: int, dtype: str, size: Size, widen: Widen, further: tuple[Further, ...]
) -> AnyPlan:
    """The pooling of graphs resolved on an input and the tensors besides it."""
    spec.check_rank(rank)
    work = spec.work_dtype(dtype, widen)
    sizes = [size(at) for at in range(rank)]
    n, known = sizes[rank - 2]
    if known and n == 0:
        raise ShapeError(
            f"received graphs without nodes for {quoted(str(spec))}, and a graph has one at least; leave them out"
        )
    given = [f.name for f in further]
    for name in ("adjacency", "unary"):
        if name not in given:
            raise InputError(
                f"received no {name} for {quoted(str(spec))}, which needs the adjacency of the nodes and their scores "
                "for each cluster; give both, as in pk.struct_pool(x, adjacency, unary)"
            )
    lengths = {**dict(zip(spec.layout, [n if known else None for n, known in sizes], strict=True)), **spec.lengths}
    for f in further:
        _check(spec, f, lengths)
    _check_memory(spec, [n if known else 1 for n, known in sizes])
    nodes = Axis(rank - 2, "L", "whole", n, known, out=1)
    kept = tuple([f._replace(sizes=()) for f in further])
    return GraphPlan(spec, (), (nodes,), rank, dtype, work, further=kept)


def _check(spec: StructPool, f: Further, lengths: dict[str, int | None]) -> None:
    (letters,) = spec.axes_of(f.name, spec.layout)
    wanted = tuple([lengths[c] for c in letters])
    wrong = [n for n, m in zip(f.sizes, wanted, strict=False) if n is not None and m is not None and n != m]
    if f.rank != len(letters) or len(wrong) > 0:
        raise ShapeError(
            f"received {f.name} of shape {f.sizes} for {quoted(str(spec))}, and its axes are {letters}, of sizes "
            f"{wanted} here, where L are nodes and K clusters; give it this shape"
        )
    if f.dtype not in FLOATS + INTEGERS:
        raise DtypeError(
            f"received {f.name} of dtype {f.dtype} for {quoted(str(spec))}, and it holds real numbers; "
            f"cast it to {FLOATS[2]}"
        )


def _check_memory(spec: StructPool, sizes: Sequence[int]) -> None:
    after = math.prod(sizes[:-2]) * spec.clusters * (sizes[-1] + spec.clusters)
    before = math.prod(sizes[:-1]) * (sizes[-1] + sizes[-2] + spec.clusters)
    if after > MOST_CELLS and after > 4 * before:
        raise ShapeError(
            f"received graphs of {before} numbers, of which {spec.clusters} clusters would make {after}, and "
            f"{MOST_CELLS} is the most; give fewer clusters than nodes"
        )
